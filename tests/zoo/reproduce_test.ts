import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { randn } from "../../core/create.ts";
import { Random } from "../../core/random.ts";
import { scope } from "../../core/scope.ts";
import { makeModel } from "../../models/family.ts";
import { drawChart } from "../../zoo/chart.ts";
import { recipes } from "../../zoo/recipes.ts";
import { verdictOf } from "../../zoo/reproduce/experiment.ts";
import { experiments } from "../../zoo/reproduce/experiments.ts";
import {
  meanCosine,
  participationRatio,
  principalPlane,
  relativeChange,
  traceParts,
  vectorsOf,
} from "../../zoo/reproduce/trace.ts";
import { makeTask } from "../../zoo/tasks/tasks.ts";
import { tokenBatch } from "../../zoo/tasks/task.ts";
import { inFolder } from "../ffi/_folder.ts";
import { command } from "./_tiny.ts";

/** Everything that an experiment left. */
function resultOf(folder: string, id: string) {
  const data = JSON.parse(Deno.readTextFileSync(join(folder, id, "data.json")));
  const chart = Deno.readTextFileSync(join(folder, id, "chart.svg"));
  return { data, chart, text: Deno.readTextFileSync(join(folder, id, "README.md")) };
}

Deno.test("reproduce does every experiment, and leaves data, a chart and a paragraph", async () => {
  await inFolder(async (folder) => {
    const first = await command("reproduce", "all", "--preset=tiny", `--out=${folder}`);
    assertEquals(first.code, 0, first.stderr);
    for (const [id, { title, claim }] of Object.entries(experiments)) {
      const { data, chart, text } = resultOf(join(folder, "tiny"), id);
      assertEquals({ id: data.id, title: data.title, claim: data.claim }, { id, title, claim });
      assert(data.rows.length > 0, id);
      for (const row of data.rows) {
        const values = Object.values(row);
        assert(!values.includes(null), `${id}: a number is none in ${JSON.stringify(row)}`);
      }
      assertMatch(chart, /^<svg[^]*<path/);
      assert(!chart.includes("…"), `${id}: a label is cut`);
      assert(!/NaN|undefined|Infinity/.test(chart + text), id);
      assertMatch(text, new RegExp(`deno task reproduce ${id} --preset=tiny`));
      assert(text.includes(claim) && text.includes(data.measured), id);
    }

    // what was trained is not trained again
    const again = await command("reproduce", "e8", "--preset=tiny", `--out=${folder}`);
    assertEquals(again.code, 0);
    assertEquals(again.stderr.includes("Training"), false);
  });
});

Deno.test("reproduce without a name lists the experiments, and refuses unknown ones", async () => {
  const { code, stdout } = await command("reproduce");
  assertEquals(code, 0);
  for (const [id, { title }] of Object.entries(experiments)) {
    assert(stdout.includes(id) && stdout.includes(title), id);
  }
  const wrong = await command("reproduce", "e17");
  assertEquals(wrong.code, 2);
  assertMatch(wrong.stderr, /Unknown experiment "e17"/);
});

Deno.test("verdictOf() tells all, some and none apart", () => {
  assertEquals([verdictOf(true, true), verdictOf(true, false), verdictOf(false)], [
    "agrees",
    "agrees in part",
    "does not agree",
  ]);
});

Deno.test("participationRatio() counts the dimensions that vectors fill", () => {
  const random = new Random(1), rows = 20_000;
  const filling = (dimensions: number) =>
    Float32Array.from({ length: rows * 8 }, (_, i) => i % 8 < dimensions ? random.normal() : 3);
  for (const dimensions of [1, 3, 8]) {
    const ratio = participationRatio({ values: filling(dimensions), width: 8 });
    assertAlmostEquals(ratio, dimensions, 0.01 * dimensions);
  }
});

Deno.test("principalPlane() finds the plane in which points lie", () => {
  // along (1, 2, 2)/3 by t, along (2, 1, -2)/3 by u, which is orthogonal to it
  const places = [[-3, 1], [-1, -1], [1, -1], [3, 1]] as const;
  const points = places.map(([t, u]) =>
    Float32Array.of(t / 3 + 2 * u / 3 + 5, 2 * t / 3 + u / 3, 2 * t / 3 - 2 * u / 3)
  );
  const plane = principalPlane(points);
  plane.forEach(([x, y], i) => {
    assertAlmostEquals(Math.abs(x), Math.abs(places[i]![0]), 1e-5);
    assertAlmostEquals(Math.abs(y), Math.abs(places[i]![1]), 1e-5);
  });
});

Deno.test("relativeChange() and meanCosine() measure states against each other", () => {
  const a = { values: Float32Array.of(3, 4, 0, 1), width: 2 };
  const b = { values: Float32Array.of(6, 8, 1, 0), width: 2 };
  assertEquals(relativeChange(a, a), 0);
  assertAlmostEquals(relativeChange(a, b), Math.sqrt(27 / 101), 1e-6);
  assertAlmostEquals(meanCosine(a, b), 0.5, 1e-6); // 1 and 0
});

Deno.test("vectorsOf() has a row for every position", () => {
  using _ = scope();
  const { values, width } = vectorsOf(randn([2, 5, 3], new Random(1)));
  assertEquals([values.length, width], [30, 3]);
});

Deno.test("traceParts() hears every update of every part, and leaves the model as it was", () => {
  using _ = scope();
  const calls = {
    hrm: "zL zL zH zL zL zH", // N = T = 2
    trm: "zL zL zL zL zL zL zL zL", // T = 2, n = 3
    recurrent: "z",
    transformer: "layer layer layer layer",
  };
  for (const [name, want] of Object.entries(calls)) {
    const { model: config, task: puzzles } = recipes[`${name}-sudoku`]!.presets["tiny"]!;
    const model = makeModel(config, { random: new Random(1) });
    const task = makeTask({ ...puzzles, testPuzzles: 2 });
    const question = tokenBatch(task.heldOut(1).map((puzzle) => task.encode(puzzle)), "cpu");
    const forward = () => model.think(model.start(question), question).logits.toNumbers();
    const before = forward();
    const units = name === "transformer" ? 1 : 2;
    const trace = traceParts(model, question, units);
    assertEquals(trace.map(({ part }) => part).join(" "), Array(units).fill(want).join(" "), name);
    assertEquals(trace.map(({ update }) => update), trace.map((_, i) => i + 1));
    assertEquals(forward(), before);
  }
});

Deno.test("drawChart() draws the same picture twice, and refuses what is no chart", async () => {
  const spec = {
    data: { values: [{ x: 1, y: 2 }, { x: 2, y: 3 }] },
    mark: "line",
    encoding: { x: { field: "x", type: "quantitative" }, y: { field: "y", type: "quantitative" } },
  } as const;
  const svg = await drawChart(spec);
  assertMatch(svg, /^<svg[^]*<\/svg>$/);
  assertEquals(await drawChart(spec), svg);
  const wrong = await drawChart({} as never).catch((error) => error);
  assert(wrong instanceof Error);
});
