import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { appendMetrics, lastMetrics, metricsFile } from "../../zoo/metrics.ts";
import { curvesOf, differences, findRuns, readRun } from "../../zoo/runs.ts";
import { writeConfig } from "../../zoo/weights.ts";
import { inFolder } from "../ffi/_folder.ts";
import { command, tinyConfig, tinyFlags } from "./_tiny.ts";

const scores = { blanks: 0.5, cells: 0.75, valid: 0.25 };

/** Writes a run of 24 steps that reported at 10 and 20, and at 24 if it is done. */
async function writeRun(folder: string, lr: number, isDone: boolean): Promise<void> {
  await writeConfig(folder, tinyConfig({ optim: { lr } }));
  for (const step of [10, 20]) {
    appendMetrics(folder, { step, seconds: step / 10, lr, loss: 2 - step / 20, accuracy: null });
  }
  appendMetrics(folder, { step: 20, seconds: 2, evaluation: { exact: 0.5, ...scores } });
  if (!isDone) return;
  appendMetrics(folder, { step: 24, seconds: 2.4, final: { final: { exact: 0.75, ...scores } } });
}

/** Calls `work` with a folder of two runs. */
function withRuns(work: (root: string, first: string, second: string) => Promise<void>) {
  return inFolder(async (root) => {
    const first = join(root, "hrm-sudoku", "2026-11-22T10-00-00");
    const second = join(root, "hrm-sudoku", "2026-11-23T09-30-00");
    await writeRun(first, 1e-3, true);
    await writeRun(second, 1e-4, false);
    await work(root, first, second);
  });
}

Deno.test("findRuns() says of each run what it was and how far it came, the newest first", () =>
  withRuns((root) => {
    const [second, first] = findRuns(root);
    assertEquals(second!.name, "hrm-sudoku/2026-11-23T09-30-00");
    assertEquals(second!.started, new Date("2026-11-23T09:30:00Z"));
    assertEquals([second!.step, second!.steps, second!.isDone], [20, 24, false]);
    assertEquals([second!.loss, second!.exact, second!.seconds], [1, 0.5, 2]);
    assertEquals([first!.step, first!.isDone, first!.exact], [24, true, 0.75]);
    assertEquals([first!.recipe, first!.preset, first!.seed], ["hrm-sudoku", "tiny", 7]);
    assertEquals(first!.problems, []);
    const files = ["config.json", "metrics.jsonl"].map((file) => join(first!.folder, file));
    assertEquals(first!.sizeBytes, files.reduce((sum, file) => sum + Deno.statSync(file).size, 0));
    return Promise.resolve();
  }));

Deno.test("readRun() reads a run that was killed or that another version wrote", () =>
  withRuns(async (root, first, second) => {
    Deno.writeTextFileSync(join(first, "metrics.jsonl"), '[]\nnull\n{"step":30,"lo', {
      append: true,
    });
    await writeConfig(first, { ...tinyConfig(), ponder: "0.0.1" });
    assertEquals(readRun(first, root).problems, [
      "written by Ponder 0.0.1",
      "3 lines of its metrics unreadable",
    ]);
    assertEquals(readRun(first, root).step, 24);

    Deno.writeTextFileSync(join(second, "config.json"), '{"recipe":');
    const { problems, recipe, steps, isDone, loss } = readRun(second, root);
    assertMatch(problems.join(), /^no readable config\.json: /);
    assertEquals({ recipe, steps, isDone, loss }, {
      recipe: null,
      steps: null,
      isDone: false,
      loss: 1,
    });
  }));

Deno.test("lastMetrics() is the last line that can be read, null of a run without one", () =>
  inFolder((folder) => {
    assertEquals(lastMetrics(folder), null);
    const file = metricsFile(folder);
    Deno.writeTextFileSync(file, "");
    assertEquals(lastMetrics(folder), null);
    appendMetrics(folder, { step: 10, seconds: 1 });
    Deno.writeTextFileSync(file, '{"step":20,"sec', { append: true });
    assertEquals(lastMetrics(folder), { step: 10, seconds: 1 });
    return Promise.resolve();
  }));

Deno.test("curvesOf() has every number of training and of held-out puzzles", () =>
  withRuns((root, first) => {
    const curves = curvesOf(readRun(first, root));
    assertEquals([...curves.keys()], ["lr", "loss", "exact", "blanks", "cells", "valid"]);
    assertEquals(curves.get("loss"), [[10, 1.5], [20, 1]]);
    assertEquals(curves.get("exact"), [[20, 0.5], [24, 0.75]]);
    return Promise.resolve();
  }));

Deno.test("differences() of configs, claims aside", () =>
  withRuns((root, ...folders) => {
    const runs = folders.map((folder) => readRun(folder, root));
    assertEquals(differences(runs), new Map([["optim.lr", ["0.001", "0.0001"]]]));
    assertEquals(differences([runs[0]!]), new Map());
    return Promise.resolve();
  }));

Deno.test("runs lists runs, and as JSON", () =>
  withRuns(async (root, first) => {
    const { code, stdout } = await command("runs", "list", root);
    assertEquals(code, 0);
    assertEquals(stdout.split("\n").map((line) => line.split(/ {2,}/).slice(0, 8).join("|")), [
      "run|preset|seed|steps|state|loss|exact|time",
      ["─".repeat(30), "─".repeat(6), "────", "─────", "─".repeat(10), "─────", "─────", "─────"]
        .join("|"),
      "hrm-sudoku/2026-11-23T09-30-00|tiny|7|20/24|unfinished|1.000|50.0%|2.0 s",
      "hrm-sudoku/2026-11-22T10-00-00|tiny|7|24/24|done|1.000|75.0%|2.4 s",
    ]);
    const json = JSON.parse((await command("runs", "list", root, "--json")).stdout);
    assertEquals(json.length, 2);
    assertEquals(json[1].folder, first);
    assertEquals(json[1].started, "2026-11-22T10:00:00.000Z");
  }));

Deno.test("runs lists what train left", () =>
  inFolder(async (folder) => {
    const run = join(folder, "run");
    await command("train", "hrm-sudoku", ...tinyFlags, "--steps=3", `--out=${run}`);
    const [only] = findRuns(folder);
    assertEquals([only!.name, only!.step, only!.isDone, only!.problems], ["run", 3, true, []]);
    const { code, stdout } = await command("runs", "show", run, "--metric=exact");
    assertEquals(code, 0);
    assertStringIncludes(stdout, "3/3  done");
  }));

Deno.test("runs says where there are none", () =>
  inFolder(async (folder) => {
    const { stdout } = await command("runs", "list", folder);
    assertEquals(stdout, `No runs in "${folder}": train one by deno task train hrm-sudoku`);
  }));

Deno.test("runs show plots curves within 80 columns, and what differs", () =>
  withRuns(async (_root, first, second) => {
    const { code, stdout } = await command("runs", "show", first, second, "--metric=loss,exact");
    assertEquals(code, 0);
    const [comparison, ...plots] = stdout.slice(stdout.indexOf("field")).split("\n\n");
    assertMatch(comparison!, /^optim\.lr +0\.001 +0\.0001$/m);
    assertEquals(plots.length, 3);
    const [title, highest, ...rest] = plots[1]!.split("\n");
    assertEquals(title, "exact");
    assertEquals(highest, `     0.75 │${" ".repeat(65)}****`);
    assertEquals(rest.at(-1), `           20${" ".repeat(65)}24`);
    for (const line of plots.slice(0, 2).join("\n").split("\n")) {
      assert([...line].length <= 80, line);
    }
    assertEquals(plots[2], `* ${first}\no ${second}`);
  }));

Deno.test("runs show draws charts, and gives the points as JSON", () =>
  withRuns(async (root, first, second) => {
    const files = [join(root, "curves.svg"), join(root, "curves.html")] as const;
    const flags = ["--metric=loss,lr", "--json", `--svg=${files[0]}`, `--html=${files[1]}`];
    const { code, stdout, stderr } = await command("runs", "show", first, second, ...flags);
    assertEquals([code, stderr], [0, ""]);
    const { runs } = JSON.parse(stdout);
    assertEquals(runs.length, 2);
    assertEquals(runs[1].points, { loss: [[10, 1.5], [20, 1]], lr: [[10, 1e-4], [20, 1e-4]] });
    assertEquals(runs[1].config.optim.lr, 1e-4);
    const [svg, html] = files.map((file) => Deno.readTextFileSync(file));
    assert(svg!.startsWith("<svg") && !svg!.includes("NaN"));
    assertStringIncludes(html!, svg!);
  }));

Deno.test("runs show says what there is instead", () =>
  withRuns(async (_root, first) => {
    const metric = await command("runs", "show", first, "--metric=los");
    assertEquals(metric.code, 2);
    assertEquals(
      metric.stderr,
      'Unknown metric "los", did you mean "loss"? There are: lr, loss, exact, blanks, cells, valid',
    );
    const run = await command("runs", "show", "nowhere");
    assertEquals(
      run.stderr,
      'No run "nowhere": neither a folder, nor one in "runs", nor a recipe; deno task runs lists all',
    );
    const many = await command("runs", "show", ...Array<string>(9).fill(first));
    assertEquals(many.stderr, "Cannot plot 9 runs together: 8 at most");
    assertEquals((await command("runs", "shwo")).code, 2);
    assertEquals((await command("runs", "show", "--help")).code, 0);
  }));
