import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../../core/random.ts";
import { formatBoard, isSolved, isValidSolution } from "../../../tasks/sudoku/board.ts";
import {
  type GenerateOptions,
  generateSudoku,
  randomSolution,
} from "../../../tasks/sudoku/generator.ts";
import { type SudokuSize, sudokuSizes } from "../../../tasks/sudoku/geometry.ts";
import { solve } from "../../../tasks/sudoku/solver.ts";

const numClues = (board: Uint8Array): number => board.filter((digit) => digit !== 0).length;

for (const size of sudokuSizes) {
  Deno.test(`generateSudoku() makes ${size}x${size} puzzles with one solution, as asked for`, () => {
    const random = new Random(size);
    const [fewest, most] = { 4: [5, 9], 6: [11, 20], 9: [26, 40] }[size] as [number, number];
    for (let i = 0; i < 50; i++) {
      const made = generateSudoku(random, { size, clues: [fewest, most] });
      assert(isValidSolution(made.puzzle, made.solution));
      assert(made.clues >= fewest && made.clues <= most);
      assertEquals(made.clues, numClues(made.puzzle));
      const { solutions, backtracks } = solve(made.puzzle);
      assertEquals(solutions, 1);
      assertEquals(made.rating, backtracks);
    }
  });

  Deno.test(`generateSudoku() leaves minimal ${size}x${size} puzzles no clue to spare`, () => {
    const random = new Random(20 + size);
    for (let i = 0; i < 10; i++) {
      const { puzzle } = generateSudoku(random, { size, clues: [1, 81], minimal: true });
      for (let cell = 0; cell < puzzle.length; cell++) {
        if (puzzle[cell] === 0) continue;
        const fewer = puzzle.slice();
        fewer[cell] = 0;
        assertEquals(solve(fewer).solutions, 2);
      }
    }
  });
}

Deno.test("generateSudoku() reaches every number of clues it is given", () => {
  const random = new Random(1);
  for (let clues = 11; clues <= 36; clues++) {
    assertEquals(generateSudoku(random, { size: 6, clues: [clues, clues] }).clues, clues);
  }
});

Deno.test("generateSudoku() keeps to the ratings it is given", () => {
  const random = new Random(2);
  const options = { size: 9, clues: [17, 30], rating: [2, 4] } as const;
  for (let i = 0; i < 30; i++) {
    const { rating } = generateSudoku(random, options);
    assert(rating >= 2 && rating <= 4, `${rating}`);
  }
  for (let i = 0; i < 30; i++) {
    assertEquals(generateSudoku(random, { ...options, rating: [0, 0] }).rating, 0);
  }
});

Deno.test("generateSudoku() makes patterns that are the same upside down", () => {
  const random = new Random(3);
  for (let i = 0; i < 30; i++) {
    const size = sudokuSizes[i % 3]!;
    const { puzzle } = generateSudoku(random, { size, clues: [4, 40], symmetric: true });
    const pattern = Array.from(puzzle, (digit) => digit !== 0);
    assertEquals(pattern, pattern.toReversed());
    assertEquals(solve(puzzle).solutions, 1);
  }
});

Deno.test("generateSudoku() depends on the seed alone", () => {
  const options = { size: 9, clues: [25, 30], rating: [1, 9] } as const;
  const first = generateSudoku(new Random(7), options);
  generateSudoku(new Random(8), options);
  assertEquals(generateSudoku(new Random(7), options), first);
});

Deno.test("generateSudoku() says why a request is impossible", () => {
  const fails = (options: Partial<GenerateOptions>, message: string): void => {
    const request: GenerateOptions = { size: 9, clues: [30, 30], ...options };
    assertThrows(() => generateSudoku(new Random(1), request), RangeError, message);
  };
  fails({ clues: [10, 16] }, "Cannot generate a 9x9 puzzle with 10 to 16 clues: ");
  fails({ clues: [10, 16] }, "at least 17 clues");
  fails({ size: 6, clues: [1, 7] }, "at least 8 clues");
  fails({ size: 4, clues: [17, 20] }, "only 16 cells");
  fails({ clues: [30, 29] }, "the lower first");
  fails({ clues: [29.5, 30] }, "two integers");
  fails({ rating: [3, 2] }, "ratings must be two numbers");
  fails({ rating: [-3, -2] }, "ratings must be two numbers");
  fails({ rating: [NaN, 2] }, "ratings must be two numbers");
  fails({ attempts: 0 }, "attempts must be a positive integer, not 0");
  fails({ size: 7 as SudokuSize }, "size 7");
  fails(
    { clues: [60, 60], rating: [1, 9], attempts: 20 },
    "with 60 to 60 clues and rating 1 to 9: none in 20 attempts",
  );
});

Deno.test("randomSolution() makes each of the 288 boards of 4x4, equivalent ones equally often", () => {
  const random = new Random(4);
  const counts = new Map<string, number>();
  const numDraws = 288 * 200;
  for (let i = 0; i < numDraws; i++) {
    const board = formatBoard(randomSolution(random, 4));
    counts.set(board, (counts.get(board) ?? 0) + 1);
  }
  assertEquals(counts.size, 288);
  // The class of 96 boards is drawn less often than that of 192, enough to tell them apart so.
  const sorted = [...counts.values()].sort((a, b) => a - b);
  const spread = (counts: number[]): number => {
    const mean = counts.reduce((sum, n) => sum + n, 0) / counts.length;
    return counts.reduce((sum, n) => sum + (n - mean) ** 2 / mean, 0) / (counts.length - 1);
  };
  assert(spread(sorted.slice(0, 96)) < 1.5, "the class of 96"); // 1 on average for even draws
  assert(spread(sorted.slice(96)) < 1.5, "the class of 192");
});

for (const size of sudokuSizes) {
  Deno.test(`randomSolution() makes solved boards of ${size}x${size}`, () => {
    const random = new Random(30 + size);
    for (let i = 0; i < 50; i++) assert(isSolved(randomSolution(random, size)));
  });
}
