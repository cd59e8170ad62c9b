/**
 * The playground in a real browser. Pictures of each state go into `PONDER_PICTURES`,
 * else into a temporary folder.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { makeHandler } from "../../zoo/serve/server.ts";
import { WorkerSolver } from "../../zoo/serve/solver.ts";
import { reports, untrainedRun, writeReports } from "./_serve.ts";

const chromium = findChromium();

/** The browser: named by `PONDER_CHROMIUM`, else `chromium` on the path; null if there is none. */
function findChromium(): string | null {
  const named = Deno.env.get("PONDER_CHROMIUM");
  if (named) return named;
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return folders.map((folder) => join(folder, "chromium")).find(isThere) ?? null;
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** A test that needs a browser; without one it is left out, and its name says so. */
function browserTest(name: string, body: (stage: Stage) => Promise<void>): void {
  const why = chromium === null ? " (left out: no chromium on PATH or in PONDER_CHROMIUM)" : "";
  Deno.test({
    name: `serve: ${name}${why}`,
    ignore: chromium === null,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using stage = await Stage.open();
      await body(stage);
      assertEquals(stage.problems, []);
    },
  });
}

/** A server with two runs, and a browser. */
class Stage implements AsyncDisposable {
  /** What the pages complained of. */
  readonly problems: string[] = [];
  readonly #stack: AsyncDisposableStack;

  constructor(
    readonly browser: Browser,
    readonly address: string,
    readonly runs: string,
    stack: AsyncDisposableStack,
  ) {
    this.#stack = stack;
  }

  static async open(): Promise<Stage> {
    const { chromium: driver } = await import("playwright-core");
    await using stack = new AsyncDisposableStack();
    const runs = await Deno.makeTempDir();
    stack.defer(() => Deno.remove(runs, { recursive: true }));
    for (const recipe of ["hrm-sudoku", "trm-arc", "trm-maze"]) await untrainedRun(runs, recipe);
    const solver = stack.use(new WorkerSolver({ threads: 1 }));
    const handler = makeHandler({ solver, runs, pollMs: 50, onError: console.error });
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
    stack.defer(() => server.shutdown());
    const args = Deno.uid() === 0 ? ["--no-sandbox"] : [];
    const browser = await driver.launch({ executablePath: chromium!, args });
    stack.defer(() => browser.close());
    return new Stage(browser, `http://127.0.0.1:${server.addr.port}`, runs, stack.move());
  }

  /** A page of the server. */
  async page(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({
      ...{ viewport: { width: 1200, height: 900 }, colorScheme: "light", reducedMotion: "reduce" },
      ...options,
    });
    const page = await context.newPage();
    page.on("pageerror", ({ message }) => this.problems.push(message));
    page.on("console", (said) => said.type() === "error" && this.problems.push(said.text()));
    page.on("request", (request) => {
      if (!request.url().startsWith(this.address)) this.problems.push(`asks ${request.url()}`);
    });
    await page.goto(this.address + path);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

const pictures = Deno.env.get("PONDER_PICTURES") || null;
let folder: string | null = null;

async function picture(page: Page, name: string): Promise<void> {
  folder ??= pictures ?? await Deno.makeTempDir({ prefix: "ponder-playground-" });
  await Deno.mkdir(folder, { recursive: true });
  await page.waitForTimeout(350); // colours fade in
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Waits until a claim holds; Playwright's own way needs eval, which the page forbids. */
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000;
  while (!await isSo()) {
    assert(performance.now() < end, `waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits until every panel is judged. */
async function answered(page: Page, panels = 1): Promise<void> {
  const badges = page.locator(".answer .badge:not(:empty)");
  await until(`${panels} answered`, async () => await badges.count() === panels);
}

/** Text of the first element that matches. */
async function textOf(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).first().textContent() ?? "").trim();
}

/** Nothing is wider than the page. */
async function assertFits(page: Page): Promise<void> {
  const [wide, width] = await page.evaluate(
    "[document.documentElement.scrollWidth, innerWidth]",
  ) as [number, number];
  assert(wide <= width, `the page is ${wide} wide, the window ${width}`);
}

const sudoku = "...2..2..3.5.5...44..6....1.....3...";

browserTest("a Sudoku is solved segment by segment, played, and looked at", async (stage) => {
  const page = await stage.page(`/#model=trm-sudoku&puzzle=${sudoku}&segments=12&at=1`);
  await answered(page);
  assertMatch(await textOf(page, ".answer .badge"), /^(solved|\d+ wrong)$/);
  await picture(page, "sudoku-first-segment");
  await page.keyboard.press(".");
  assertEquals(await textOf(page, "#at-text"), "Segment 2 of");
  assert(await page.locator(".answer .changed").count() > 0);
  assertMatch(new URL(page.url()).hash, /segments=12&at=2$/);
  await page.locator(".answer [role=gridcell]").nth(8).hover();
  assertEquals(await page.locator(".answer .token.best").count(), 1);
  assertMatch(await textOf(page, ".answer h3"), /^Row 2, column 3$/);
  await picture(page, "sudoku-changed-and-probabilities");
  await page.keyboard.press("End");
  assertEquals(await textOf(page, "#at-text"), "Segment 12 of");
  assertMatch(await textOf(page, ".summary"), /beyond the 8 of training$/);
  assertEquals(await textOf(page, ".answer .badge"), "solved");
  await picture(page, "sudoku-more-segments-than-trained");
  await page.keyboard.press("Home");
  await page.keyboard.press(" ");
  assertEquals(await page.locator("#play").getAttribute("aria-label"), "Pause");
  await until("it plays", async () => /[3-9]/.test(await textOf(page, "#at-text")));
  await page.keyboard.press(" ");
  assertEquals(await page.locator("#play").getAttribute("aria-label"), "Play");
});

browserTest("a puzzle is written from the keyboard, refused and solved", async (stage) => {
  const page = await stage.page(`/#model=trm-sudoku&puzzle=${".".repeat(36)}`);
  await page.waitForSelector("#status.error");
  assertMatch(await textOf(page, "#status"), /more than one solution/);
  stage.problems.length = 0; // the browser reports the 422
  await picture(page, "sudoku-refused");
  await page.locator("#question [role=gridcell]").first().focus();
  for (const [i, character] of [...sudoku].entries()) {
    if (i > 0 && i % 6 === 0) {
      for (let k = 0; k < 5; k++) await page.keyboard.press("ArrowLeft");
      await page.keyboard.press("ArrowDown");
    } else if (i > 0) await page.keyboard.press("ArrowRight");
    if (character !== ".") await page.keyboard.press(character);
  }
  assert(decodeURIComponent(page.url()).includes(`puzzle=${sudoku}`));
  await picture(page, "sudoku-edited");
  await page.keyboard.press("Enter");
  await answered(page);
  await page.keyboard.press("Delete");
  assert(await page.locator("#stage.stale").count() === 0, "the cell was empty already");
  await page.keyboard.press("4");
  assertEquals(await page.locator("#stage.stale").count(), 1);
});

browserTest(
  "two models stand side by side, in the dark, and the link holds them",
  async (stage) => {
    const dark = { viewport: { width: 1280, height: 900 }, colorScheme: "dark" } as const;
    const page = await stage.page("/#model=trm-sudoku", dark);
    await answered(page);
    await page.selectOption("#beside", "hrm-sudoku");
    await answered(page, 2);
    await page.keyboard.press("Home");
    await page.locator(".answer [role=gridcell]").nth(15).hover();
    assertEquals(await page.locator(".answer .marked").count(), 2);
    await picture(page, "two-models-dark");
    const copy = await stage.page(new URL(page.url()).hash.replace("#", "/#"), dark);
    await answered(copy, 2);
    assertEquals(copy.url(), page.url());
    assertEquals(await textOf(copy, "#at-text"), await textOf(page, "#at-text"));
  },
);

browserTest("a maze is drawn with the pointer and solved", async (stage) => {
  const page = await stage.page("/#model=trm-maze");
  await answered(page);
  await page.keyboard.press("Home");
  await picture(page, "maze");
  await page.click("#clear");
  const cells = page.locator("#question [role=gridcell]");
  const [from, to] = [await cells.nth(8).boundingBox(), await cells.nth(12).boundingBox()];
  await page.mouse.move(from!.x + 10, from!.y + 10);
  await page.mouse.down();
  await page.mouse.move(to!.x + 10, to!.y + 10, { steps: 20 });
  await page.mouse.up();
  assertEquals(await page.locator("#question .wall").count(), 5);
  await page.click('.palette button:has-text("Goal")');
  await cells.nth(20).click();
  assertEquals(await page.locator("#question .goal").count(), 1);
  await page.click("#solve");
  await answered(page);
  await page.locator(".answer [role=gridcell]").nth(1).hover();
  await picture(page, "maze-drawn");
});

browserTest("an ARC task is shown with its examples", async (stage) => {
  const page = await stage.page("/#model=trm-arc/2026-01-01T00-00-00");
  await answered(page);
  assert(await page.locator(".pair").count() >= 2);
  await page.locator(".answer [role=gridcell]").first().hover();
  await picture(page, "arc");
});

browserTest("everything fits on a phone, in light and dark", async (stage) => {
  for (const colorScheme of ["light", "dark"] as const) {
    const phone = { viewport: { width: 360, height: 780 }, colorScheme, hasTouch: true };
    const page = await stage.page("/#model=trm-sudoku", phone);
    await answered(page);
    await assertFits(page);
    await picture(page, `phone-${colorScheme}`);
    const arc = await stage.page("/#model=trm-arc/2026-01-01T00-00-00", phone);
    await answered(arc);
    await assertFits(arc);
    await arc.locator("#puzzle").scrollIntoViewIfNeeded();
    await picture(arc, `phone-arc-${colorScheme}`);
    writeReports(stage.runs, "trm-maze/2026-01-01T00-00-00", reports(20));
    const runs = await stage.page("/runs", phone);
    await runs.waitForSelector(".plot .line");
    await assertFits(runs);
    await picture(runs, `phone-runs-${colorScheme}`);
  }
});

browserTest("the page stays quick while a model thinks", async (stage) => {
  const page = await stage.page("/#model=trm-sudoku");
  await answered(page);
  await page.fill("#units", "64");
  await page.keyboard.press("Enter");
  const times = await page.evaluate(`(async () => {
    const times = [];
    for (let i = 0; i < 10; i++) {
      const began = performance.now();
      await (await fetch("/api/runs")).text();
      times.push(performance.now() - began);
    }
    return times;
  })()`) as number[];
  assert(Math.max(...times) < 1000, `the server took ${times.map(Math.round)} ms`);
  await answered(page);
});

browserTest("a run is followed live and compared with another", async (stage) => {
  const [first, second] = ["hrm-sudoku", "trm-maze"].map((r) => `${r}/2026-01-01T00-00-00`);
  writeReports(stage.runs, first!, reports(40));
  writeReports(stage.runs, first!, [{ step: 1000, seconds: 60, evaluation: { exact: 0.62 } }]);
  writeReports(stage.runs, second!, reports(60, 25, 600));
  const page = await stage.page(`/runs#runs=${first}`);
  await page.waitForSelector(".plot .line");
  const before = await textOf(page, ".readout");
  writeReports(stage.runs, first!, [{
    step: 1050,
    seconds: 63,
    loss: 0.111,
    lr: 5e-4,
    gradNorm: 0.5,
  }]);
  await until("it is told", async () => (await textOf(page, ".readout")).includes("0.111"));
  assert(before !== await textOf(page, ".readout"));
  await page.check(`input[value="${second}"]`);
  const lines = page.locator(".chart").first().locator(".line");
  await until("both are drawn", async () => await lines.count() === 2);
  await picture(page, "runs");
  await page.locator(".plot").first().hover();
  await picture(page, "runs-read");
  const dark = await stage.page(new URL(page.url()).pathname + new URL(page.url()).hash, {
    colorScheme: "dark",
  });
  await dark.waitForSelector(".plot .line");
  await picture(dark, "runs-dark");
});

if (chromium !== null) {
  addEventListener("unload", () => folder !== null && console.log(`Pictures are in "${folder}"`));
}
