import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../../core/random.ts";
import { drawSymmetry, identitySymmetry } from "../../../tasks/sudoku/augment.ts";
import { formatBoard, isValidSolution, parseBoard } from "../../../tasks/sudoku/board.ts";
import {
  buildSudokuDataset,
  packSudoku,
  type SudokuDataset,
  writeExample,
} from "../../../tasks/sudoku/dataset.ts";
import { decodeBoard } from "../../../tasks/sudoku/encoding.ts";
import { puzzleSignature } from "../../../tasks/sudoku/equivalence.ts";
import { sudokuGeometry } from "../../../tasks/sudoku/geometry.ts";
import { solve } from "../../../tasks/sudoku/solver.ts";

/** The boards of one example. */
function example({ size, inputs, labels }: SudokuDataset, i: number) {
  const { cells } = sudokuGeometry(size);
  const row = (tokens: Uint8Array) => tokens.subarray(i * cells, (i + 1) * cells);
  return { puzzle: decodeBoard(row(inputs), size), solution: decodeBoard(row(labels), size) };
}

function examples(set: SudokuDataset) {
  return Array.from(set.ratings, (_, i) => example(set, i));
}

Deno.test("packSudoku() lays puzzles out one after the other", () => {
  const puzzle = parseBoard(".2...412...4...."), solution = parseBoard("1243341221344321");
  const set = packSudoku(4, [
    { puzzle, solution, rating: 3 },
    { puzzle: solution, solution, rating: 0 },
  ]);
  assertEquals([...set.inputs.subarray(0, 8)], [1, 3, 1, 1, 1, 5, 2, 3]);
  assertEquals(set.inputs.subarray(16), set.labels.subarray(16));
  assertEquals(set.labels.subarray(0, 16), solution.map((digit) => digit + 1));
  assertEquals([set.ratings, set.clues], [Uint32Array.of(3, 0), Uint8Array.of(5, 16)]);
  assertEquals(packSudoku(9, []).inputs.length, 0);
  assertThrows(
    () => packSudoku(9, [{ puzzle, solution, rating: 0 }]),
    RangeError,
    "Cannot pack puzzle 0 of size 4x4 with others of 9x9",
  );
});

for (const [size, clues] of [[4, [5, 9]], [6, [10, 20]], [9, [26, 40]]] as const) {
  Deno.test(`buildSudokuDataset() makes ${size}x${size} puzzles as asked for, all different`, () => {
    const { train, test } = buildSudokuDataset(new Random(size), {
      size,
      clues,
      train: 200,
      test: 50,
    });
    assertEquals([train.ratings.length, test.ratings.length], [200, 50]);
    const seen = new Set<string>();
    for (const set of [train, test]) {
      examples(set).forEach(({ puzzle, solution }, i) => {
        assert(isValidSolution(puzzle, solution));
        assertEquals(solve(puzzle), { solutions: 1, solution, backtracks: set.ratings[i]! });
        const numClues = puzzle.filter((digit) => digit !== 0).length;
        assertEquals(set.clues[i], numClues);
        assert(numClues >= clues[0] && numClues <= clues[1]);
        seen.add(formatBoard(puzzle));
      });
    }
    assertEquals(seen.size, 250);
  });
}

Deno.test("buildSudokuDataset() trains on no puzzle or solution of the test set, nor equivalents", () => {
  const { train, test } = buildSudokuDataset(new Random(1), {
    size: 6,
    clues: [20, 36], // the fullest of these are equivalent now and then
    train: 2000,
    test: 300,
  });
  const solutions = new Set<string>(), signatures = new Set<number>();
  for (const { puzzle, solution } of examples(test)) {
    solutions.add(formatBoard(solution));
    signatures.add(puzzleSignature(puzzle, solution));
  }
  for (const { puzzle, solution } of examples(train)) {
    assert(!solutions.has(formatBoard(solution)));
    assert(!signatures.has(puzzleSignature(puzzle, solution)));
  }
});

Deno.test("buildSudokuDataset() depends on the seed, and more training puzzles change no other", () => {
  const options = { size: 6, clues: [9, 14], train: 40, test: 20, rating: [0, 1] } as const;
  const first = buildSudokuDataset(new Random(5), options);
  assertEquals(buildSudokuDataset(new Random(5), options), first);
  const more = buildSudokuDataset(new Random(5), { ...options, train: 60 });
  assertEquals(more.test, first.test);
  assertEquals(more.train.inputs.subarray(0, 40 * 36), first.train.inputs);
  assert(
    formatBoard(first.train.inputs) !==
      formatBoard(buildSudokuDataset(new Random(6), options).train.inputs),
  );
});

Deno.test("buildSudokuDataset() gives up when there are too few puzzles", () => {
  const options = { size: 4, clues: [16, 16], train: 288, test: 0, attempts: 3000 } as const;
  assertEquals(buildSudokuDataset(new Random(1), options).train.ratings.length, 288);
  assertThrows(
    () => buildSudokuDataset(new Random(1), { ...options, train: 289 }),
    RangeError,
    "Cannot build a set of 289 such 4x4 puzzles: after 288 no new one came in 3000 attempts",
  );
  assertThrows(
    () => buildSudokuDataset(new Random(1), { ...options, test: -1 }),
    RangeError,
    "Cannot build a set of -1 puzzles",
  );
});

Deno.test("writeExample() copies an example, or rearranges it as augmentation does", () => {
  const random = new Random(7);
  const { train } = buildSudokuDataset(random, { size: 9, clues: [30, 40], train: 4, test: 0 });
  const inputs = new Int32Array(3 * 81), labels = new Uint8Array(3 * 81);
  writeExample(train, 2, { inputs, labels, at: 81 });
  assertEquals([...inputs.subarray(81, 162)], [...train.inputs.subarray(162, 243)]);
  assertEquals(labels.subarray(81, 162), train.labels.subarray(162, 243));
  assertEquals([inputs[80], inputs[162]], [0, 0]);

  const symmetry = identitySymmetry(9);
  drawSymmetry(random, symmetry);
  writeExample(train, 3, { inputs, labels, at: 162 }, symmetry);
  const { puzzle, solution } = example(train, 3);
  const moved = (board: Uint8Array) =>
    board.map((_, cell) => symmetry.digits[board[symmetry.cells[cell]!]!]!);
  assertEquals(decodeBoard(inputs.subarray(162), 9), moved(puzzle));
  assertEquals(decodeBoard(labels.subarray(162), 9), moved(solution));
  assertEquals(solve(moved(puzzle)).solution, moved(solution));
});

Deno.test("writeExample() refuses examples, places and symmetries that do not fit", () => {
  const { train } = buildSudokuDataset(new Random(8), {
    size: 4,
    clues: [8, 9],
    train: 2,
    test: 0,
  });
  const place = { inputs: new Uint8Array(32), labels: new Uint8Array(32), at: 16 };
  assertThrows(() => writeExample(train, 2, place), RangeError, "example 2 of 2");
  assertThrows(() => writeExample(train, -1, place), RangeError, "example -1 of 2");
  assertThrows(() => writeExample(train, 0, { ...place, at: 17 }), RangeError, "from index 17 on");
  assertThrows(
    () => writeExample(train, 0, place, identitySymmetry(9)),
    RangeError,
    "Cannot rearrange 4x4 boards by a symmetry of 9x9",
  );
});
