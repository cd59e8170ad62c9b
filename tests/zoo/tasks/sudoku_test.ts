import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import type { Batch } from "../../models/model.ts";
import {
  decodeBoard,
  formatBoard,
  isValidSolution,
  puzzleSignature,
  solve,
  type SudokuPuzzle,
} from "../../tasks/mod.ts";
import { heldOutPuzzles, sudokuData, SudokuSampler } from "../../zoo/sudoku_data.ts";
import { inFolder } from "../ffi/_folder.ts";
import { tinyConfig } from "./_tiny.ts";

const task4 = tinyConfig().config.task;
const task6 = tinyConfig({ task: { size: 6, minClues: 8, maxClues: 20, trainPuzzles: 60 } }).config
  .task;
const { train: puzzles } = sudokuData({ ...task4, trainPuzzles: 11, testPuzzles: 1 }, 5);

/** The rows of a batch as text, each `puzzle solution`. */
function rowsOf({ inputs, labels }: Batch): string[] {
  const [rows, length] = inputs.shape as [number, number];
  const texts = [inputs, labels].map((tokens) => {
    const all = tokens.toNumbers();
    return Array.from(
      { length: rows },
      (_, i) => formatBoard(decodeBoard(all.slice(i * length, (i + 1) * length), 4)),
    );
  });
  return texts[0]!.map((text, i) => `${text} ${texts[1]![i]}`);
}

function textOf({ puzzle, solution }: SudokuPuzzle): string {
  return `${formatBoard(puzzle)} ${formatBoard(solution)}`;
}

function signatures(of: readonly SudokuPuzzle[]): Set<number> {
  return new Set(of.map(({ puzzle, solution }) => puzzleSignature(puzzle, solution)));
}

Deno.test("SudokuSampler.batch() gives int32 tokens and the one puzzle identifier", () => {
  const { inputs, labels, puzzleIdentifiers } = new SudokuSampler(puzzles, 1, { augment: true, supervise: "all" })
    .batch(3, 4, "cpu");
  assertEquals([inputs.shape, labels.shape, puzzleIdentifiers.shape], [[4, 16], [4, 16], [4]]);
  assertEquals([inputs.dtype, labels.dtype, puzzleIdentifiers.dtype], ["int32", "int32", "int32"]);
  assertEquals(puzzleIdentifiers.toNumbers(), [0, 0, 0, 0]);
});

Deno.test("SudokuSampler.batch() depends on the seed and the step alone", () => {
  const sampler = new SudokuSampler(puzzles, 1, { augment: true, supervise: "all" }), again = new SudokuSampler(puzzles, 1, { augment: true, supervise: "all" });
  const forwards = [0, 1, 2, 3, 4, 5].map((step) => rowsOf(sampler.batch(step, 4, "cpu")));
  const backwards = [5, 4, 3, 2, 1, 0].map((step) => rowsOf(again.batch(step, 4, "cpu")));
  assertEquals(backwards.reverse(), forwards);
  const other = new SudokuSampler(puzzles, 2, { augment: true, supervise: "all" });
  assertNotEquals(rowsOf(other.batch(0, 4, "cpu")), forwards[0]);
});

Deno.test("SudokuSampler.batch() shows every puzzle once an epoch, in another order each time", () => {
  const ten = puzzles.slice(0, 10);
  const sampler = new SudokuSampler(ten, 1, { augment: false, supervise: "all" });
  const epochs = [0, 1, 2].map((epoch) =>
    [0, 1].flatMap((i) => rowsOf(sampler.batch(2 * epoch + i, 5, "cpu")))
  );
  for (const epoch of epochs) assertEquals(epoch.toSorted(), ten.map(textOf).toSorted());
  assertEquals(new Set(epochs.map(String)).size, 3);
});

Deno.test("SudokuSampler.batch() leaves out the last partial batch, not always the same puzzles", () => {
  const sampler = new SudokuSampler(puzzles, 1, { augment: false, supervise: "all" }); // 11 puzzles: 2 batches of 4, 3 left out
  const seen = new Set<string>();
  for (let epoch = 0; epoch < 6; epoch++) {
    const rows = [0, 1].flatMap((i) => rowsOf(sampler.batch(2 * epoch + i, 4, "cpu")));
    assertEquals(new Set(rows).size, 8, "no puzzle twice in an epoch");
    rows.forEach((row) => seen.add(row));
  }
  assertEquals([...seen].toSorted(), puzzles.map(textOf).toSorted());
});

Deno.test("SudokuSampler.batch() rearranges puzzles into others that are as right", () => {
  const one = puzzles.slice(0, 1);
  const sampler = new SudokuSampler(one, 1, { augment: true, supervise: "all" });
  const clues = (text: string) => text.slice(0, 16).replaceAll(".", "").length;
  const seen = new Set<string>();
  for (let step = 0; step < 20; step++) {
    const batch = sampler.batch(step, 1, "cpu");
    const [puzzle, solution] = [batch.inputs, batch.labels].map((tokens) =>
      decodeBoard(tokens.toNumbers(), 4)
    );
    assert(isValidSolution(puzzle!, solution!));
    assertEquals(solve(puzzle!).solutions, 1);
    const [row] = rowsOf(batch);
    assertEquals(clues(row!), clues(textOf(one[0]!)));
    seen.add(row!);
  }
  assert(seen.size > 15, `only ${seen.size} of 20 differ`);
});

Deno.test("SudokuSampler.batch() refuses batches larger than the set", () => {
  const sampler = new SudokuSampler(puzzles, 1, { augment: true, supervise: "all" });
  const message = "Cannot fill a batch of 12 from 11 puzzles";
  assertThrows(() => sampler.batch(0, 12, "cpu"), RangeError, message);
});

Deno.test("sudokuData() is the same for the same seed, and another for another", () => {
  const text = (seed: number) => {
    const { train, test } = sudokuData(task4, seed);
    return [train.map(textOf), test.map(textOf)];
  };
  assertEquals(text(1), text(1));
  assertNotEquals(text(1)[0], text(2)[0]);
  assertNotEquals(text(1)[1], text(2)[1]);
});

Deno.test("sudokuData() makes puzzles with one solution each, held-out ones of no training kind", () => {
  const { train, test } = sudokuData(task6, 1);
  assertEquals([train.length, test.length], [60, 12]);
  for (const { puzzle, solution } of [...train, ...test]) {
    const solved = solve(puzzle);
    assertEquals([solved.solutions, solved.solution], [1, solution]);
  }
  assert(signatures(train).isDisjointFrom(signatures(test)));
});

Deno.test("heldOutPuzzles() are those of sudokuData(), however few are asked for", () => {
  const { test } = sudokuData(task6, 1);
  assertEquals(heldOutPuzzles(task6, 1), test);
  assertEquals(heldOutPuzzles({ ...task6, testPuzzles: 5 }, 1), test.slice(0, 5));
  assertEquals(heldOutPuzzles({ ...task6, trainFile: "no such file" }, 1), test);
});

Deno.test("sudokuData() reads files, and trains on nothing that is held out", () =>
  inFolder((folder) => {
    const { train, test } = sudokuData(task6, 1);
    const trainFile = join(folder, "train.txt"), testFile = join(folder, "test.txt");
    const write = (path: string, puzzles: readonly SudokuPuzzle[]) =>
      Deno.writeTextFileSync(path, puzzles.map((p) => `${textOf(p)} ${p.rating}\n`).join(""));
    write(trainFile, [...train.slice(0, 6), test[0]!, ...train.slice(6)]);
    write(testFile, test);

    const lines: string[] = [];
    const read = sudokuData({ ...task6, trainFile, testFile, trainPuzzles: 9, testPuzzles: 4 }, 1, (
      line,
    ) => lines.push(line));
    assertEquals(read.test.map(textOf), test.slice(0, 4).map(textOf));
    assertEquals(read.train.map(textOf), train.slice(0, 8).map(textOf));
    assertEquals(lines, [
      "Held out 4 puzzles",
      "Read 8 puzzles to train on, left out 1 held out",
    ]);
    return Promise.resolve();
  }));

Deno.test("sudokuData() names the file and the line that it cannot read", () =>
  inFolder((folder) => {
    const file = join(folder, "puzzles.txt");
    const message = (text: string) => {
      Deno.writeTextFileSync(file, text);
      const error = assertThrows(() => sudokuData({ ...task4, trainFile: file }, 1), Error);
      return error.message.replaceAll(folder, "…");
    };
    assertEquals(
      message(".2...412...4....\n.2...412...4...x\n"),
      '…/puzzles.txt:2: Cannot read "x" at position 16 (row 4, column 4) as a cell: ' +
        'expected 1 to 4, or "." or "0" for a blank',
    );
    assertEquals(
      message("11..............\n"),
      "…/puzzles.txt:1: Cannot use the puzzle: its clues contradict, 1 twice in row 1",
    );
    assertEquals(message("# nothing\n"), 'Cannot use "…/puzzles.txt": it has no puzzles');
    const six = heldOutPuzzles({ ...task6, testPuzzles: 1 }, 1).map(textOf);
    assertEquals(
      message(six[0]!),
      'Cannot use "…/puzzles.txt": it has a puzzle of 36 cells, the task 16',
    );
    return Promise.resolve();
  }));
