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

/** Pastes a text into what has the focus. */
async function paste(page: Page, text: string): Promise<void> {
  await page.evaluate(`{
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", ${JSON.stringify(text)});
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
  }`);
}

/** Drags the pointer from one cell of the puzzle to another. */
async function drag(page: Page, from: number, to: number): Promise<void> {
  const cells = page.locator("#question [role=gridcell]");
  const [first, last] = [await cells.nth(from).boundingBox(), await cells.nth(to).boundingBox()];
  await page.mouse.move(first!.x + 10, first!.y + 10);
  await page.mouse.down();
  await page.mouse.move(last!.x + 10, last!.y + 10, { steps: 20 });
  await page.mouse.up();
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
  const chances = await page.locator(".answer .token .number").allTextContents();
  const sum = chances.reduce((total, chance) => total + Number(chance), 0);
  assert(chances.length === 6 && Math.abs(sum - 100) <= 4, `the digits have ${chances} %`);
  assertMatch(await textOf(page, ".summary"), /5 cells changed · halting 99\.\d\u00a0%$/);
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
    await page.click("#on");
    assertEquals(await textOf(page, "#at-text"), "Segment 2 of");
    await page.click("#back");
    assertEquals(await textOf(page, "#at-text"), "Segment 1 of");
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
  await drag(page, 8, 12);
  assertEquals(await page.locator("#question .wall").count(), 5);
  await page.click('.palette button:has-text("Goal")');
  await cells.nth(20).click();
  assertEquals(await page.locator("#question .goal").count(), 1);
  await page.click("#solve");
  await answered(page);
  await page.locator(".answer [role=gridcell]").nth(1).hover();
  await picture(page, "maze-drawn");
});

browserTest(
  "an ARC task is shown with its examples; another grid is drawn for it",
  async (stage) => {
    const page = await stage.page("/#model=trm-arc");
    await answered(page);
    assert(await page.locator(".pair").count() >= 2);
    await page.locator(".answer [role=gridcell]").first().hover();
    await picture(page, "arc");
    const task = await textOf(page, "#sample option:checked");
    await page.click("#clear");
    await page.click('.palette button[title^="Green"]');
    await drag(page, 0, 3);
    assertEquals(await page.locator("#question .c3").count(), 4);
    await page.click("#solve");
    await answered(page);
    assertEquals(await textOf(page, ".answer .badge"), "not judged");
    assertEquals(await textOf(page, "#sample option:checked"), `Your own · ${task}`);
    assert(await page.locator(".pair").count() >= 2, "the rule is shown still");
    await picture(page, "arc-drawn");
    const copy = await stage.page(new URL(page.url()).hash.replace("#", "/#"));
    await answered(copy);
    assertEquals(copy.url(), page.url());
    assertEquals(await copy.locator("#question .c3").count(), 4);
  },
);

browserTest("puzzles of every kind are pasted; what is none is refused in words", async (stage) => {
  const cases: [model: string, text: string, puzzle: string][] = [
    ["trm-sudoku", sudoku.replace(/.{6}/g, "$&\n"), sudoku],
    ["trm-maze", "S......\n#####.#\n".padEnd(48, ".......\n") + "......G", "S....../#####.#/"],
    ["trm-arc", "[[1, 2],\n [0, 3]]\n", ":12/03"],
    ["trm-arc", "102\n.30", ":102/030"],
  ];
  for (const [model, text, puzzle] of cases) {
    const page = await stage.page(`/#model=${model}`);
    await answered(page);
    await paste(page, "nonsense");
    await page.waitForSelector("#status.error");
    await paste(page, text);
    assertEquals(await textOf(page, "#status"), "");
    const link = new URLSearchParams(new URL(page.url()).hash.slice(1)).get("puzzle")!;
    assert(link.includes(puzzle), `${link} lacks ${puzzle}`);
    await page.click("#solve");
    await answered(page);
    await page.context().close();
  }
});

browserTest("a link is copied; one that cannot be read is said to be", async (stage) => {
  const page = await stage.page("/#model=trm-sudoku", {
    permissions: ["clipboard-read", "clipboard-write"],
  });
  await answered(page);
  await page.click("#share");
  await until("it is said", async () => /is copied/.test(await textOf(page, "#status")));
  assertEquals(await page.evaluate("navigator.clipboard.readText()"), page.url());
  const broken: [link: string, error: RegExp][] = [
    ["model=trm-sudoku&puzzle=123", /puzzle of the link: A board of 6×6 has 36 cells, this has 3/],
    ["model=trm-arc&puzzle=nothing", /names the task nothing/],
    ["model=../../etc&segments=-1&at=1e9", /names ..\/..\/etc, which is not on this machine/],
  ];
  for (const [link, error] of broken) {
    const page = await stage.page(`/#${link}`);
    await answered(page);
    assertMatch(await textOf(page, "#status.error"), error);
  }
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
    for (const each of [page, arc, runs]) {
      await each.setViewportSize({ width: 320, height: 600 }); // the narrowest phones
      await assertFits(each);
    }
  }
});

browserTest("a finger draws, and what it touched stays looked at", async (stage) => {
  const phone = { viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true };
  const page = await stage.page("/#model=trm-maze&beside=hrm-maze", phone);
  await answered(page, 2);
  await assertFits(page);
  await page.locator(".answer [role=gridcell]").nth(3).tap();
  assertEquals(await textOf(page, ".answer h3"), "Row 1, column 4");
  assertEquals(await page.locator(".token.best").count(), 2);
  await picture(page, "phone-two-models");
  await page.click("#clear");
  const cells = page.locator("#question [role=gridcell]");
  const centre = async (cell: number) => {
    const { x, y, width, height } = (await cells.nth(cell).boundingBox())!;
    return { x: x + width / 2, y: y + height / 2 };
  };
  const finger = await page.context().newCDPSession(page);
  const touch = async (type: "touchStart" | "touchMove" | "touchEnd", ...cells: number[]) => {
    const touchPoints = await Promise.all(cells.map(centre));
    await finger.send("Input.dispatchTouchEvent", { type, touchPoints });
  };
  await touch("touchStart", 9);
  for (const cell of [16, 23, 30, 37]) await touch("touchMove", cell);
  await touch("touchEnd");
  assertEquals(await page.locator("#question .wall").count(), 5);
  await picture(page, "phone-maze-drawn");
});

browserTest("a server that is gone is said to be, on both pages", async (stage) => {
  const page = await stage.page("/");
  await answered(page);
  const first = await textOf(page, "#model option:checked");
  await page.context().setOffline(true);
  await page.selectOption("#model", "looped-sudoku");
  await page.waitForSelector("#status.error");
  assertMatch(await textOf(page, "#status"), /does not answer: is it still running/);
  assertEquals(await textOf(page, "#model option:checked"), first);
  await page.click("#solve");
  await until("no answer", async () => await textOf(page, ".summary") === "No answer");
  await picture(page, "server-gone");
  await page.context().setOffline(false);
  await page.selectOption("#model", "looped-sudoku");
  await answered(page);
  assertMatch(await textOf(page, ".answer h2"), /^looped-sudoku$/);
  const runs = await stage.page("/runs");
  await runs.context().setOffline(true);
  await until("it is said", async () => /does not answer/.test(await textOf(runs, "#status")));
  stage.problems.length = 0; // the browser reports what failed
});

browserTest("the page stays quick while a model thinks", async (stage) => {
  const page = await stage.page("/#model=hrm-sudoku");
  await answered(page);
  await page.fill("#units", "64");
  // frames of the page and answers of the server, for as long as the model thinks
  const { asked, frames } = await page.evaluate(`(async () => {
    const frames = [], asked = [];
    const isThinking = () => document.querySelector(".answer.waiting") !== null;
    document.querySelector("#units").dispatchEvent(new Event("change"));
    let before = performance.now();
    const frame = (now) => {
      frames.push(now - before);
      before = now;
      if (isThinking()) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    while (isThinking()) {
      const began = performance.now();
      await (await fetch("/api/runs")).text();
      asked.push(performance.now() - began);
    }
    return { asked, frames };
  })()`) as { asked: number[]; frames: number[] };
  assert(asked.length >= 3, `it was over after ${asked.length} requests`);
  assert(Math.max(...asked) < 1000, `the server took ${asked.map(Math.round)} ms`);
  assert(Math.max(...frames) < 1000, `the page stood still for ${frames.map(Math.round)} ms`);
  await answered(page);
  assertEquals(await textOf(page, "#at-text"), "Segment 64 of");
});

browserTest(
  "the keyboard reaches everything, which has a name and shows the focus",
  async (stage) => {
    for (const path of ["/#model=trm-maze&beside=hrm-maze", "/runs"]) {
      writeReports(stage.runs, "trm-maze/2026-01-01T00-00-00", reports(5));
      const page = await stage.page(path);
      if (path === "/runs") await page.waitForSelector(".plot .line");
      else await answered(page, 2);
      const wanted = await page.evaluate(`[...document.querySelectorAll(
      "a, button, select, input, textarea, summary, [role=grid], [tabindex='0']")]
      .filter((e) => e.checkVisibility() && !e.disabled && e.role !== "gridcell").length`);
      const reached = new Set<string>();
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press("Tab");
        const focused = await page.evaluate(focusedElement) as Focused | null;
        if (focused === null || reached.has(focused.key)) break;
        reached.add(focused.key);
        assert(focused.name !== "", `${focused.key} has no name`);
        assert(focused.isSeen, `${focused.key} does not show the focus, ${focused.where}`);
        if (i === 0) await picture(page, `focus-skip-${path === "/runs" ? "runs" : "playground"}`);
      }
      assertEquals(reached.size, wanted, [...reached].join("\n"));
      const address = page.url();
      await page.locator(".skip").focus();
      await page.keyboard.press("Enter");
      assertEquals(
        await page.evaluate("document.activeElement.id"),
        path === "/runs" ? "charts" : "answers",
      );
      assertEquals(page.url(), address, "the address holds what is shown");
    }
  },
);

/** What is known of the element that has the focus. */
interface Focused {
  readonly key: string;
  readonly name: string;
  readonly isSeen: boolean;
  readonly where: string;
}

/** A {@link Focused}, worked out in the page; null when nothing has the focus. */
const focusedElement = `(() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const all = [...document.querySelectorAll("*")];
  const name = element.getAttribute("aria-label") ??
    [...(element.labels ?? [])].map((label) => label.innerText).join(" ") ?? "";
  const ring = getComputedStyle(element, element.role === "gridcell" ? "::after" : null);
  const box = element.getBoundingClientRect();
  const bar = element.closest(".transport") ? null : document.querySelector(".transport");
  const end = bar?.getBoundingClientRect().top ?? innerHeight;
  return {
    where: "from " + box.top + " to " + box.bottom + " of " + end,
    key: all.indexOf(element) + " " + element.outerHTML.slice(0, 90),
    name: name || element.innerText || "",
    isSeen: (ring.outlineStyle !== "none" || ring.boxShadow !== "none") &&
      box.top > -1 && box.bottom < end + 1,
  };
})()`;

browserTest("text stands out from what it is on, in light and dark", async (stage) => {
  writeReports(stage.runs, "trm-maze/2026-01-01T00-00-00", reports(5));
  const states = [
    "/#model=trm-sudoku&puzzle=4..3....5...6.2.3..5..2.5......1...4&at=1",
    "/#model=trm-sudoku&puzzle=4..3....5...6.2.3..5..2.5......1...4&at=2",
    "/#model=trm-maze&at=2",
    "/#model=trm-arc/2026-01-01T00-00-00",
    `/#model=trm-sudoku&puzzle=${".".repeat(36)}`,
    "/runs",
  ];
  for (const colorScheme of ["light", "dark"] as const) {
    for (const path of states) {
      const page = await stage.page(path, { colorScheme });
      if (path === "/runs") await page.waitForSelector(".plot .line");
      else if (path.endsWith("....")) await page.waitForSelector("#status.error");
      else await answered(page);
      await page.locator(".answer [role=gridcell]").first().hover({ timeout: 1000 }).catch(
        () => {},
      );
      await page.waitForTimeout(350); // colours fade in
      const faint = await page.evaluate(faintTexts);
      assertEquals(faint, [], `${colorScheme} ${path}`);
      await page.context().close();
    }
  }
  stage.problems.length = 0; // the browser reports the 422
});

/** Texts of less contrast than WCAG 2.2 AA asks for, worked out in the page. */
const faintTexts = `(() => {
  const channels = (colour) => {
    const numbers = colour.match(/-?[\\d.]+(e-?\\d+)?/g).map(Number);
    const scale = colour.startsWith("color(") ? 1 : 255;
    return [...numbers.slice(0, 3).map((x) => x / scale), numbers[3] ?? 1];
  };
  const over = ([r, g, b, a], under) =>
    [r, g, b].map((x, i) => x * a + under[i] * (1 - a)).concat(1);
  const light = ([r, g, b]) => {
    const linear = (x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  const behind = (element) => element === null
    ? channels(getComputedStyle(document.documentElement).backgroundColor)
    : over(channels(getComputedStyle(element).backgroundColor), behind(element.parentElement));
  const texts = [...document.querySelectorAll("body *")].filter((element) =>
    element.checkVisibility() && !element.closest(":disabled, .unseen, .skip, option") &&
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ""));
  return texts.flatMap((element) => {
    const style = getComputedStyle(element);
    const ground = behind(element instanceof SVGElement ? element.closest(".plot") : element);
    const ink = over(channels(element instanceof SVGElement ? style.fill : style.color), ground);
    const [low, high] = [light(ink), light(ground)].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
    return ratio >= (isLarge ? 3 : 4.5) ? [] : [element.className + ' "' +
      element.textContent.trim().slice(0, 20) + '" ' + ratio.toFixed(2)];
  });
})()`;

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
  const told: Record<string, string> = {};
  for (const chart of await page.locator(".chart").all()) {
    told[await chart.locator("h2").innerText()] = await chart.locator(".readout").innerText();
  }
  assertEquals(told, {
    "Loss": "0.111 at step 1,050",
    "Solved": "62\u00a0% at step 1,000",
    "Cells right": "92.9\u00a0% at step 1,000",
    "Puzzles solved": "76\u00a0% at step 1,000",
    "Learning rate": "5.0e-4 at step 1,050",
    "Gradient norm": "0.5 at step 1,050",
  });
  const show = (isHidden: boolean) =>
    page.evaluate(`{
      Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }`);
  await show(true); // a tab in the background holds no connection
  writeReports(stage.runs, first!, [{ step: 1075, seconds: 64, loss: 0.099 }]);
  await page.waitForTimeout(500);
  assertEquals(await textOf(page, ".readout"), told["Loss"]);
  await show(false);
  await until("it is told", async () => (await textOf(page, ".readout")).includes("0.099"));
  await page.check(`input[value="${second}"]`);
  const lines = page.locator(".chart").first().locator(".line");
  await until("both are drawn", async () => await lines.count() === 2);
  assertEquals(
    await textOf(page, ".chart:nth-child(2) .readout"),
    "hrm-sudoku: 62\u00a0% at step 1,000",
  );
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
