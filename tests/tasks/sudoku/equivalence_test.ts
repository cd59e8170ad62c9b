import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../../core/random.ts";
import { augment } from "../../../tasks/sudoku/augment.ts";
import { puzzleSignature } from "../../../tasks/sudoku/equivalence.ts";
import { generateSudoku } from "../../../tasks/sudoku/generator.ts";
import { sudokuSizes } from "../../../tasks/sudoku/geometry.ts";

for (const size of sudokuSizes) {
  Deno.test(`puzzleSignature() is the same for equivalent puzzles of ${size}x${size}`, () => {
    const random = new Random(size);
    for (let i = 0; i < 50; i++) {
      const { puzzle, solution } = generateSudoku(random, { size, clues: [4, 40] });
      const signature = puzzleSignature(puzzle, solution);
      assert(Number.isSafeInteger(signature) && signature >= 0);
      for (let j = 0; j < 5; j++) {
        const other = augment(random, puzzle, solution);
        assertEquals(puzzleSignature(other.puzzle, other.solution), signature);
      }
    }
  });
}

Deno.test("puzzleSignature() tells 2,000 random puzzles of 9x9 apart", () => {
  const random = new Random(1);
  const signatures = new Set<number>();
  for (let i = 0; i < 2000; i++) {
    const { puzzle, solution } = generateSudoku(random, { size: 9, clues: [24, 40] });
    signatures.add(puzzleSignature(puzzle, solution));
  }
  assertEquals(signatures.size, 2000);
});

Deno.test("puzzleSignature() changes with every single clue of a puzzle", () => {
  const { puzzle, solution } = generateSudoku(new Random(2), { size: 6, clues: [12, 12] });
  const signatures = new Set([puzzleSignature(puzzle, solution)]);
  for (let cell = 0; cell < 36; cell++) {
    const other = puzzle.slice();
    other[cell] = other[cell] === 0 ? solution[cell]! : 0;
    signatures.add(puzzleSignature(other, solution));
  }
  assertEquals(signatures.size, 37);
});

Deno.test("puzzleSignature() is the same for a 9x9 puzzle with rows and columns exchanged", () => {
  const transpose = (board: Uint8Array, size: number): Uint8Array =>
    board.map((_, cell) => board[(cell % size) * size + Math.floor(cell / size)]!);
  const { puzzle, solution } = generateSudoku(new Random(3), { size: 9, clues: [28, 28] });
  assertEquals(
    puzzleSignature(transpose(puzzle, 9), transpose(solution, 9)),
    puzzleSignature(puzzle, solution),
  );
});

Deno.test("puzzleSignature() refuses a solution of another size", () => {
  assertThrows(
    () => puzzleSignature(new Uint8Array(36), new Uint8Array(16)),
    RangeError,
    "Cannot compare a puzzle of 36 cells with a solution of 16",
  );
});
