import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import {
  loadPretrained,
  makeTask,
  pictureOfAnswer,
  pictureOfRun,
  pictureOfThoughts,
  recipes,
  type Task,
  think,
} from "../../zoo/mod.ts";
import { inFolder } from "../ffi/_folder.ts";

const frames = (svg: string) => svg.match(/stroke="#d62728"/g)?.length ?? 0;

for (const kind of ["sudoku", "maze", "arc"]) {
  Deno.test(`pictureOfAnswer() draws a puzzle of ${kind}, and frames the wrong cells alone`, () => {
    const task = makeTask(recipes[`trm-${kind}`]!.presets["tiny"]!.task);
    const [puzzle] = task.heldOut(1);
    const { labels } = task.encode(puzzle!);
    const right = task.decode(Int32Array.from(labels, (token) => Math.max(0, token)), puzzle!);
    const { svg, text } = pictureOfAnswer(task, puzzle!, right);
    assert(svg.startsWith("<svg") && svg.endsWith("</svg>"));
    assertEquals(frames(svg), 0);
    assertStringIncludes(text, "solved");
    const last = right.length - 1;
    const wrong = right.with(last, right[last] === 1 ? 2 : 1);
    assertEquals(frames(pictureOfAnswer(task, puzzle!, wrong).svg), 1);
  });
}

Deno.test("pictureOfThoughts() draws the question and each answer with its score", async () => {
  const { model, task, saved } = await loadPretrained("trm-sudoku");
  const [puzzle] = task.heldOut(saved.config.run.seed);
  const thoughts = think(task, [model], [puzzle!], { units: 3 });
  const { svg, text } = pictureOfThoughts(task, puzzle!, thoughts);
  assertEquals(svg.match(/>(question|\d: \d+\/36)</g)!.length, 4);
  assertEquals(text.split("\n\n").length, 3);
});

Deno.test("a task without sketch() is drawn as its text, escaped", () => {
  const task = makeTask(recipes["trm-sudoku"]!.presets["tiny"]!.task);
  const { sketch: _, ...bare } = { ...task, draw: () => "a < b & c" };
  const [puzzle] = task.heldOut(1);
  const { svg } = pictureOfAnswer(bare as Task, puzzle!, task.question(puzzle!));
  assertStringIncludes(svg, "a &lt; b &amp; c");
});

Deno.test("pictureOfRun() draws the metrics that a run has, and names them where it has none", () =>
  inFolder(async (folder) => {
    const lines = [{ step: 1, loss: 2 }, { step: 2, loss: 1.23456 }];
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    await Deno.writeTextFile(join(folder, "metrics.jsonl"), text);
    const picture = await pictureOfRun(folder);
    assertEquals(`${picture}`, "loss: 2 at step 1, 1.23 at step 2");
    assertStringIncludes(picture.svg, "<svg");
    await assertRejects(() => pictureOfRun(folder, ["exact"]), TypeError, "its metrics are loss");
  }));
