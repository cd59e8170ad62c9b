import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { basename } from "@std/path";
import { liveTensors } from "../../ffi/mod.ts";
import { scope } from "../../core/scope.ts";
import { stateDict } from "../../core/nn/module.ts";
import type { Model } from "../../models/model.ts";
import { maze, sudoku } from "../../zoo/recipes/works.ts";
import { Lab } from "../../zoo/reproduce/lab.ts";
import { interleaved, withSharedTokens } from "../../zoo/reproduce/shared_tokens.ts";
import { makeTask } from "../../zoo/tasks/tasks.ts";
import { inFolder } from "../ffi/_folder.ts";

const few = { trainPuzzles: 16, testPuzzles: 4 };
const own = [{ ...sudoku.tiny.task, ...few }, { ...maze.tiny.task, ...few }].map(makeTask);
const shared = withSharedTokens(own);

Deno.test("withSharedTokens() gives tasks one length, and tokens that no other has", () => {
  // 4×4 Sudokus have 6 kinds of tokens, mazes of 25 cells as many, the padding among both
  for (const { seqLen, vocabSize, numPuzzleIdentifiers } of shared) {
    assertEquals({ seqLen, vocabSize, numPuzzleIdentifiers }, {
      ...{ seqLen: 25, vocabSize: 11, numPuzzleIdentifiers: 2 },
    });
  }
  const [digits, walls] = shared.map((task, i) => {
    const puzzle = task.heldOut(1)[0]!;
    const { inputs, labels, puzzleIdentifier } = task.encode(puzzle);
    assertEquals([inputs.length, labels.length, puzzleIdentifier], [25, 25, i]);
    return new Set([...Array.from(inputs), ...Array.from(labels)]);
  });
  assertEquals([...digits!.intersection(walls!)], []);
  const published = withSharedTokens([sudoku.paper.task, maze.paper.task].map(makeTask));
  assertEquals(
    published.map(({ seqLen, vocabSize }) => [seqLen, vocabSize]),
    Array(2).fill([900, 16]),
  );
  const { inputs, labels } = shared[0]!.encode(shared[0]!.heldOut(1)[0]!);
  assertEquals(Array.from(inputs).slice(16), Array(9).fill(0));
  assertEquals(Array.from(labels).slice(16), Array(9).fill(-100));
});

Deno.test("withSharedTokens() reads answers as the task itself does, and another's as none", () => {
  shared.forEach((task, i) => {
    for (const puzzle of task.heldOut(1)) {
      const right = Int32Array.from(task.encode(puzzle).labels);
      assert(task.judge(puzzle, task.decode(right, puzzle)).exact);
      const other = shared[1 - i]!;
      const foreign = Int32Array.from(
        other.encode(other.heldOut(1)[0]!).labels,
        (t) => Math.max(t, 0),
      );
      assertEquals(task.judge(puzzle, task.decode(foreign, puzzle)).cellsRight, 0);
    }
  });
});

Deno.test("interleaved() gives every task its own batches' rows, and keeps no tensor", () => {
  const samplers = shared.map((task) => task.load(1, () => {}).train);
  const before = liveTensors();
  {
    using _ = scope();
    const rows = (sampler: typeof samplers[0], size: number) => {
      const { inputs, labels, puzzleIdentifiers } = sampler.batch(3, size, "cpu");
      return [inputs, labels, puzzleIdentifiers].map((tensor) => tensor.toNumbers().flat());
    };
    const [ours, ...parts] = [interleaved(samplers), ...samplers]
      .map((sampler, i) => rows(sampler, i === 0 ? 8 : 4));
    assertEquals(ours, ours!.map((_, k) => parts.flatMap((part) => part[k]!)));
    assertEquals(ours![2], [0, 0, 0, 0, 1, 1, 1, 1]);
  }
  assertEquals(liveTensors(), before);
  assertThrows(() => interleaved(samplers).batch(0, 3, "cpu"), RangeError, "Cannot share 3 rows");
});

Deno.test("Lab.train() begins with the weights that it is told to", () =>
  inFolder(async (folder) => {
    using _ = scope();
    const lab = (seeds: number) => new Lab({ scale: "tiny", seeds, folder, report: () => {} });
    const on = { config: { kind: "sudoku-shared" }, task: shared[0]! };
    const [, second] = await lab(2).train("hrm", { on, run: { steps: 2 } });
    const [later] = await lab(1).train("hrm", { on, run: { steps: 1 }, from: [second!] });
    const [anew] = await lab(1).train("hrm", { on, run: { steps: 1 } });
    assertNotEquals(basename(later!.folder), basename(anew!.folder));
    // a step of the warm-up moves no number by more than its learning rate, a seed all of them
    const moved = furthest(later!.model, second!.model),
      drawn = furthest(anew!.model, second!.model);
    assert(0 < moved && moved < 1e-3, `${moved}`);
    assert(drawn > 0.1, `${drawn}`);
  }));

/** The largest difference of two models' numbers. */
function furthest(a: Model, b: Model): number {
  const other = stateDict(b);
  let most = 0;
  for (const [name, { data }] of stateDict(a)) {
    const [x, y] = [data, other.get(name)!.data].map(floats);
    x!.forEach((value, i) => most = Math.max(most, Math.abs(value - y![i]!)));
  }
  return most;
}

function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}
