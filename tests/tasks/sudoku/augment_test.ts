import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../../core/random.ts";
import {
  applySymmetry,
  augment,
  augmentInto,
  drawSymmetry,
  identitySymmetry,
  invertSymmetry,
  type SudokuSymmetry,
} from "../../../tasks/sudoku/augment.ts";
import { isSolved, parseBoard } from "../../../tasks/sudoku/board.ts";
import { generateSudoku, randomSolution } from "../../../tasks/sudoku/generator.ts";
import { sudokuGeometry, sudokuSizes } from "../../../tasks/sudoku/geometry.ts";
import { solve } from "../../../tasks/sudoku/solver.ts";

Deno.test("applySymmetry() takes cells from where the symmetry says and renames their digits", () => {
  const symmetry: SudokuSymmetry = {
    size: 4,
    cells: Uint8Array.from({ length: 16 }, (_, cell) => cell ^ 1), // columns 1 and 2, 3 and 4
    digits: Uint8Array.of(0, 4, 3, 2, 1),
  };
  const out = new Uint8Array(16);
  applySymmetry(symmetry, parseBoard("12..3..........4"), out);
  assertEquals(out, parseBoard("34...2........1."));
});

for (const size of sudokuSizes) {
  Deno.test(`drawSymmetry() keeps ${size}x${size} boards solved and rearranges every cell`, () => {
    const random = new Random(size);
    const board = randomSolution(random, size), out = new Uint8Array(board.length);
    const symmetry = identitySymmetry(size);
    applySymmetry(symmetry, board, out);
    assertEquals(out, board);
    for (let i = 0; i < 100; i++) {
      drawSymmetry(random, symmetry);
      assertEquals(symmetry.digits[0], 0);
      assertEquals(new Set(symmetry.digits).size, size + 1);
      assertEquals(new Set(symmetry.cells).size, size * size);
      applySymmetry(symmetry, board, out);
      assert(isSolved(out));
    }
  });

  Deno.test(`drawSymmetry() maps the units of ${size}x${size} to units of their kind`, () => {
    const random = new Random(10 + size);
    const { units, boxRows, boxColumns } = sudokuGeometry(size);
    const names = new Map(units.map((unit, i) => [unit.join(), Math.floor(i / size)]));
    const symmetry = identitySymmetry(size);
    let numTransposed = 0;
    for (let i = 0; i < 400; i++) {
      drawSymmetry(random, symmetry);
      const kinds = units.map((unit) =>
        names.get(Uint8Array.from(unit, (cell) => symmetry.cells[cell]!).sort().join())
      );
      const transposed = kinds[0] === 1;
      if (transposed) numTransposed++;
      const want = transposed ? [1, 0, 2] : [0, 1, 2];
      assertEquals(kinds, want.flatMap((kind) => Array(size).fill(kind)));
    }
    const half = boxRows === boxColumns ? 200 : 0;
    assert(Math.abs(numTransposed - half) <= half / 4, `${numTransposed} of 400`);
  });
}

for (const size of sudokuSizes) {
  Deno.test(`invertSymmetry() undoes every rearrangement of ${size}x${size} boards, on either side`, () => {
    const random = new Random(20 + size);
    const symmetry = identitySymmetry(size);
    const cells = size * size;
    const [there, back] = [new Uint8Array(cells), new Uint8Array(cells)];
    let numOther = 0;
    for (let i = 0; i < 300; i++) {
      drawSymmetry(random, symmetry);
      const copy = structuredClone(symmetry);
      const inverse = invertSymmetry(symmetry);
      assertEquals(symmetry, copy, "it changed what it was given");
      if (inverse.cells.join() !== symmetry.cells.join()) numOther++;
      // any cells, blanks and impossible boards too
      const board = Uint8Array.from({ length: cells }, () => random.below(size + 1));
      for (const [first, second] of [[symmetry, inverse], [inverse, symmetry]] as const) {
        applySymmetry(first, board, there);
        applySymmetry(second, there, back);
        assertEquals(back, board);
      }
      assertEquals(invertSymmetry(inverse), symmetry);
    }
    assert(numOther > 150, "most draws are no inverse of themselves");
    assertEquals(invertSymmetry(identitySymmetry(size)), identitySymmetry(size));
  });
}

Deno.test("drawSymmetry() reaches all 128 arrangements of the cells of 4x4, about equally often", () => {
  const random = new Random(1);
  const counts = new Map<string, number>();
  const symmetry = identitySymmetry(4);
  for (let i = 0; i < 128 * 100; i++) {
    drawSymmetry(random, symmetry);
    const key = symmetry.cells.join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  assertEquals(counts.size, 128); // 2 (transpose) · 2! · 2!² (bands, rows) · 2! · 2!² (stacks, columns)
  for (const count of counts.values()) assert(count > 55 && count < 150, `${count}`);
});

Deno.test("drawSymmetry() reaches all 3456 arrangements of the cells of 6x6, none transposed", () => {
  const random = new Random(2);
  const symmetry = identitySymmetry(6);
  const seen = new Set<string>();
  for (let i = 0; i < 40_000; i++) {
    drawSymmetry(random, symmetry);
    seen.add(symmetry.cells.join());
  }
  assertEquals(seen.size, 3456); // 3! · 2!³ · 2! · 3!²
});

Deno.test("drawSymmetry() does not depend on what was in the symmetry", () => {
  const a = identitySymmetry(9), b = identitySymmetry(9);
  drawSymmetry(new Random(1), a);
  drawSymmetry(new Random(2), a);
  drawSymmetry(new Random(2), b);
  assertEquals(a, b);
});

Deno.test("augment() keeps the solution the only one, and a rating of 0", () => {
  const random = new Random(3);
  for (let i = 0; i < 90; i++) {
    const size = sudokuSizes[i % 3]!;
    const { puzzle, solution, clues, rating } = generateSudoku(random, {
      size,
      clues: [1, 81],
      minimal: true,
    });
    const other = augment(random, puzzle, solution);
    const solved = solve(other.puzzle);
    assertEquals(solved.solutions, 1);
    assertEquals(solved.solution, other.solution);
    assertEquals(other.puzzle.filter((digit) => digit !== 0).length, clues);
    assertEquals(solved.backtracks === 0, rating === 0);
  }
});

Deno.test("augmentInto() writes what augment() returns", () => {
  const { puzzle, solution } = generateSudoku(new Random(4), { size: 9, clues: [30, 30] });
  const out = { puzzle: new Uint8Array(81), solution: new Uint8Array(81) };
  augmentInto(new Random(5), puzzle, solution, out);
  assertEquals(out, augment(new Random(5), puzzle, solution));
});

Deno.test("augment() and applySymmetry() refuse boards of other sizes and in place", () => {
  const board = new Uint8Array(81);
  assertThrows(() => augment(new Random(1), board, new Uint8Array(36)), RangeError, "36 cells");
  assertThrows(() => augment(new Random(1), new Uint8Array(3), board), RangeError, "3 cells");
  assertThrows(
    () => applySymmetry(identitySymmetry(9), board, new Uint8Array(80)),
    RangeError,
    "Cannot rearrange 81 cells into 80 as a 9x9 board: expected 81 of each",
  );
  assertThrows(() => applySymmetry(identitySymmetry(9), board, board), RangeError, "in place");
});
