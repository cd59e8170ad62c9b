import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { countParameters } from "../../core/mod.ts";
import { Random } from "../../core/random.ts";
import { makeModel } from "../../models/family.ts";
import { matched } from "../../zoo/compare/match.ts";
import { type Measurement, measureWeights } from "../../zoo/compare/measure.ts";
import { comparisonPage } from "../../zoo/compare/page.ts";
import { type Row, sectionsOf } from "../../zoo/compare/rows.ts";
import { estimate } from "../../zoo/compare/statistics.ts";
import { comparisonText } from "../../zoo/compare/text.ts";
import type { Evaluation } from "../../zoo/evaluate.ts";
import { trainingFlops } from "../../zoo/flops.ts";
import { benchmarks, published, publishedOf } from "../../zoo/published.ts";
import type { Preset } from "../../zoo/recipe.ts";
import { recipes } from "../../zoo/recipes.ts";
import { models } from "../../zoo/recipes/models.ts";
import { train } from "../../zoo/train.ts";
import type { SavedConfig } from "../../zoo/weights.ts";
import { inFolder } from "../ffi/_folder.ts";
import { smallRun } from "./_family.ts";
import { command, dataOf, type Outcome, tinyConfig } from "./_tiny.ts";

// Statistics

function assertInterval(shares: readonly number[], puzzles: number, want: readonly number[]): void {
  const { mean, low, high } = estimate(shares.map((exact) => ({ puzzles, exact })));
  [mean, low, high].forEach((value, i) => assertAlmostEquals(value, want[i]!, 5e-4));
}

Deno.test("estimate() gives Wilson's interval for one seed", () => {
  assertInterval([0.5], 100, [0.5, 0.4038, 0.5962]);
  assertInterval([0], 1000, [0, 0, 0.0038]);
  assertInterval([1], 10, [1, 0.7225, 1]);
});

Deno.test("estimate() gives Student's interval over seeds, which ends at 0 and 1", () => {
  assertInterval([0.5, 0.52, 0.54], 100, [0.52, 0.4703, 0.5697]); // 4.303 · 0.02 / √3
  assertInterval([0.9, 1], 100, [0.95, 0.3147, 1]); // 12.706 · 0.0707 / √2
  assertEquals(estimate([{ puzzles: 9, exact: 0 }, { puzzles: 9, exact: 0.1 }]).over, "seeds");
});

Deno.test("estimate() is over all puzzles where the seeds agree: they are no proof of certainty", () => {
  assertInterval([0, 0, 0], 100, [0, 0, 0.0126]);
  assertEquals(estimate([{ puzzles: 9, exact: 0 }, { puzzles: 9, exact: 0 }]).over, "puzzles");
});

// Rows

/** Solves all puzzles of rating 0, and a share of the others. */
function evaluationOf(hard: number): Evaluation {
  const final = { exact: (1 + hard) / 2, blanks: 0.9, cells: 0.95, valid: 0.8 };
  return {
    ...{ puzzles: 100, unit: "segment", final, byUnit: [{ ...final, exact: 0.1 }, final] },
    byRating: [
      { rating: "0", puzzles: 50, exact: 1 },
      { rating: "1", puzzles: 20, exact: hard },
      { rating: "3-4", puzzles: 30, exact: hard },
    ],
    ...{ ratingTitle: "backtracks", meanUnits: 1.5, qHalt: 0.9, passAt: [] },
  };
}

function measurementOf(saved: SavedConfig, hard: number): Measurement {
  return {
    ...{ saved, folder: `runs/${saved.recipe}/final`, selected: false },
    ...{ parameters: 1000, trainingFlops: 2e12, answerFlops: 3e6, puzzlesPerSecond: 40 },
    ...{ peakBytes: 2 ** 20, minutes: 5, hardware: null },
    ...{ evaluation: evaluationOf(hard), halting: evaluationOf(hard / 2) },
  };
}

function seeded(recipe: string, seed: number, run: Partial<Preset["run"]> = {}): SavedConfig {
  return smallRun(recipe, "tiny", { run: { ...run, seed } });
}

Deno.test("sectionsOf() puts runs that differ by seed alone into one row, the best row first", () => {
  const [section, ...others] = sectionsOf([
    measurementOf(seeded("transformer-sudoku", 1), 0),
    measurementOf(seeded("hrm-sudoku", 1), 0.8),
    measurementOf(seeded("hrm-sudoku", 2), 0.9),
  ]);
  assertEquals(others, []);
  const [hrm, transformer] = section!.rows as [Row, Row];
  assertEquals([section!.title, section!.rows.length], ["4×4 Sudoku", 2]);
  assertEquals([hrm.name, hrm.seeds, hrm.exact.over], ["hrm", [1, 2], "seeds"]);
  assertAlmostEquals(hrm.exact.mean, 0.925);
  assertEquals([transformer.name, transformer.seeds, transformer.exact.over], [
    ...["transformer", [1], "puzzles"],
  ]);
  assertEquals(hrm.aboveZero!.puzzles, 100);
  assertAlmostEquals(hrm.aboveZero!.exact.mean, 0.85);
  assertEquals(transformer.byRating.map(({ rating, puzzles }) => [rating, puzzles]), [
    ...[["0", 50], ["1", 20], ["3-4", 30]],
  ]);
  assertAlmostEquals(hrm.halting!.exact.mean, (0.7 + 0.725) / 2);
});

Deno.test("sectionsOf() keeps apart what was trained otherwise, and what was asked otherwise", () => {
  const short = seeded("hrm-sudoku", 1), long = seeded("hrm-sudoku", 1, { steps: 500 });
  const other = smallRun("hrm-sudoku", "tiny", { task: { maxClues: 12 } });
  const sections = sectionsOf([short, long, other].map((saved) => measurementOf(saved, 0.5)));
  assertEquals(sections.map(({ rows }) => rows.map(({ name }) => name)), [["hrm", "hrm 2"], [
    "hrm",
  ]]);
  assert(sections[0]!.rows[1]!.changes.includes("--run.steps=500"));
});

Deno.test("comparisonText() says who is outside of HRM's interval, within 80 columns", () => {
  const sections = sectionsOf([
    measurementOf(seeded("hrm-sudoku", 1), 0.8),
    measurementOf(seeded("actv2-sudoku", 1), 0.78),
    measurementOf(seeded("transformer-sudoku", 1), 0),
  ]);
  const text = comparisonText({ task: "sudoku", sections, published: publishedOf("sudoku") });
  assertMatch(
    text.replaceAll("\n", " "),
    /On the puzzles with 1 and more backtracks, solving less than hrm by a margin outside both intervals: transformer; more: none\./,
  );
  for (const line of text.split("\n")) assert([...line].length <= 80, line);
});

Deno.test("comparisonPage() needs nothing else, and shows text as it is", async () => {
  const measured = measurementOf(seeded("hrm-sudoku", 1), 0.8);
  const sections = sectionsOf([{ ...measured, hardware: '<b>&"fast"' }]);
  const page = await comparisonPage({ task: "sudoku", sections, published: publishedOf("sudoku") });
  assert(page.includes("&lt;b&gt;&amp;&quot;fast&quot;"));
  assert(!page.includes("<b>") && !/<script|<link|src=|url\(/.test(page));
  assertEquals([...page.matchAll(/<svg/g)].length, 5);
  assertMatch(page, /arXiv:2506\.21734/);
});

// Published figures

Deno.test("published figures are shares of known benchmarks, each once from each source", () => {
  const keys = published.map(({ name, benchmark, source, parameters }) =>
    JSON.stringify([name, benchmark, source, parameters])
  );
  assertEquals(new Set(keys).size, keys.length);
  for (const { exact, benchmark, source } of published) {
    assert(exact >= 0 && exact <= 1 && benchmark in benchmarks);
    assertMatch(source, /arXiv:\d{4}\.\d{5}/);
  }
  const hrm = published.find((f) => f.name === "HRM" && f.benchmark === "sudoku-extreme");
  assertEquals([hrm?.exact, hrm?.parameters], [0.55, 27e6]);
});

// Alike in parameters or compute

for (const model of Object.keys(models).filter((model) => model !== "hrm")) {
  const tiny = recipes[`${model}-sudoku`]!.presets["tiny"]!;
  const hrm = recipes["hrm-sudoku"]!.presets["tiny"]!;

  Deno.test(`matched() brings ${model} to within a layer of HRM's parameters`, () => {
    const size = ({ model }: Preset) =>
      countParameters(makeModel(model, { random: new Random(1) }));
    const alike = matched(tiny, hrm, "parameters");
    assert(Math.abs(size(alike) / size(hrm) - 1) < 0.15, `${size(alike)} against ${size(hrm)}`);
    assertEquals({ ...alike, model: null }, { ...tiny, model: null });
  });

  Deno.test(`matched() trains ${model} with HRM's compute`, () => {
    const alike = matched(tiny, hrm, "compute");
    assertAlmostEquals(trainingFlops(alike) / trainingFlops(hrm), 1, 2e-3);
    assertEquals({ ...alike, run: null }, { ...tiny, run: null });
  });
}

// The command

Deno.test("measureWeights() measures a run: scores, time, memory, compute", () =>
  inFolder(async (folder) => {
    const saved = tinyConfig();
    await train({ saved, data: dataOf(saved), folder });
    const measured = measureWeights(join(folder, "final"));
    assertEquals(measured.trainingFlops, trainingFlops(saved.config));
    assertEquals([measured.evaluation.puzzles, measured.halting!.puzzles], [12, 12]);
    assertEquals(measured.parameters, 6882);
    assert(measured.peakBytes > 4 * measured.parameters, "the weights are among it");
    assert(measured.peakBytes < 2 ** 22, `${measured.peakBytes}`);
    assert(measured.minutes! > 0 && measured.puzzlesPerSecond > 0);
    assertEquals(measureWeights(folder).selected, true);
    assertEquals(measureWeights(folder, { puzzles: 5 }).evaluation.puzzles, 5);
  }));

Deno.test("compare shows named weights, and with --json one object; --html writes a page", () =>
  inFolder(async (folder) => {
    const runs = ["hrm-sudoku", "transformer-sudoku"].map((recipe) => smallRun(recipe));
    for (const saved of runs) {
      await train({ saved, data: dataOf(saved), folder: join(folder, saved.recipe) });
    }
    const paths = runs.map(({ recipe }) => join(folder, recipe, "final"));
    const page = join(folder, "pages", "report.html");
    const { code, stdout, stderr } = await command("compare", "sudoku", ...paths, `--html=${page}`);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /^4×4 Sudoku: preset tiny, 12 held-out puzzles, 1 seed$/m);
    assertMatch(stdout, /^transformer +\d+\.\d% +/m);
    assertMatch(Deno.readTextFileSync(page), /^<!doctype html>/);
    const json = JSON.parse((await command("compare", "sudoku", ...paths, "--json")).stdout);
    assertEquals([json.task, json.sections.length, json.sections[0].rows.length], ["sudoku", 1, 2]);
    assertEquals(json.published.length, publishedOf("sudoku").length);

    const twice = await command("compare", "sudoku", paths[0]!, join(folder, "hrm-sudoku", "best"));
    assertEquals(twice.code, 2);
    assertMatch(
      twice.stderr,
      /^Cannot compare ".*best" with ".*final": they are one run, from one/,
    );
    const maze = await command("compare", "maze", paths[0]!);
    assertEquals(maze.stderr, `Cannot compare "${paths[0]}" on maze: it is for sudoku`);
  }));

/** Calls `deno task compare` in a process of its own, whose folder `runs` is in `cwd`. */
async function compareIn(cwd: string, ...args: string[]): Promise<Outcome> {
  const script = new URL("../../zoo/cli.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    cwd,
    args: ["run", "-q", "--no-check", "--allow-all", script, "compare", ...args],
    env: { NO_COLOR: "1", OMP_NUM_THREADS: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("compare --train trains what is missing, once, and goes on where it stopped", () =>
  inFolder(async (folder) => {
    const flags = ["sudoku", "--train", "--models=hrm,transformer", "--seeds=2", "--threads=1"];
    const small = ["--run.steps=2", "--run.batchSize=4", "--task.trainPuzzles=8"];
    const asked = [...flags, ...small, "--task.testPuzzles=6", "--json"];
    const first = await compareIn(folder, ...asked);
    assertEquals(first.code, 0, first.stderr);
    assertMatch(first.stderr, /^0 of 4 runs are done$/m);
    const { sections: [{ rows }] } = JSON.parse(first.stdout);
    assertEquals(rows.map(({ seeds }: { seeds: number[] }) => seeds), [[1, 2], [1, 2]]);

    const run = join(folder, "runs", "compare", "sudoku-tiny-recipe", "transformer-2");
    Deno.removeSync(join(run, "final"), { recursive: true }); // as if stopped before its end
    const second = await compareIn(folder, ...asked);
    assertMatch(
      second.stderr,
      /^3 of 4 runs are done\nRun 1 of 1: transformer, seed 2, .*resumed$/m,
    );
    const scores = ({ stdout }: Outcome) =>
      JSON.parse(stdout).sections[0].rows.map((
        { exact, blanks }: Record<string, unknown>,
      ) => [exact, blanks]);
    assertEquals(scores(second), scores(first));
    const other = await compareIn(folder, ...asked, "--run.steps=3");
    assertEquals(other.code, 2);
    assertMatch(other.stderr, /^Cannot go on with ".*hrm-1": it was trained otherwise/);
  }));

const wrong: readonly (readonly [args: readonly string[], message: string])[] = [
  [[], "Missing argument <task>: one of sudoku, maze, arc"],
  [["chess"], 'Unknown task "chess"; there are: sudoku, maze, arc'],
  [["sudoku", "--preset=cpu"], "Cannot use --preset without --train"],
  [["sudoku", "--match=compute"], "Cannot use --match without --train"],
  [["sudoku", "--run.steps=3"], "Cannot use --run.steps without --train"],
  [["sudoku", "x", "--train"], "Cannot use --train with weights that are named"],
  [["sudoku", "x", "--models=hrm"], "Cannot use --models with weights that are named"],
  [["sudoku", "--train", "--run.seed=3"], "Cannot change --run.seed: --seeds says how many"],
  [
    ["sudoku", "--models=hrm,tmr"],
    'Unknown model "tmr", did you mean "trm"? There are: hrm, l-only, trm, trm-mlp, actv2, ' +
    "transformer, recurrent, looped",
  ],
  [
    ["sudoku", "--train", "--match=flops"],
    'Unknown value of --match "flops"; there are: recipe, parameters, compute',
  ],
  [
    ["sudoku", "--train", "--preset=big"],
    "No preset big of hrm-sudoku, one of: tiny, cpu, cpu-9x9, paper",
  ],
  [
    ["sudoku", "--train", "--run.batchSize=9", "--task.trainPuzzles=8"],
    "Cannot fill --run.batchSize=9 from --task.trainPuzzles=8",
  ],
];

Deno.test("compare says in one line what is wrong with its arguments", async () => {
  for (const [args, message] of wrong) {
    const { code, stdout, stderr } = await command("compare", ...args);
    assertEquals({ code, stdout, stderr }, { code: 2, stdout: "", stderr: message });
  }
});
