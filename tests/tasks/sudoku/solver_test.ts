import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../../core/random.ts";
import { applySymmetry, drawSymmetry, identitySymmetry } from "../../../tasks/sudoku/augment.ts";
import { formatBoard, isValidSolution, parseBoard } from "../../../tasks/sudoku/board.ts";
import { parsePuzzles } from "../../../tasks/sudoku/file.ts";
import { generateSudoku } from "../../../tasks/sudoku/generator.ts";
import { sudokuSizes } from "../../../tasks/sudoku/geometry.ts";
import { solve } from "../../../tasks/sudoku/solver.ts";
import { shuffle } from "../../../tasks/random_source.ts";
import { referenceSolve, singlesSolve } from "./_reference.ts";

const data = Deno.env.get("PONDER_TEST_DATA");

Deno.test("solve() finds the one solution of a puzzle that singles solve", () => {
  const { solutions, solution, backtracks } = solve(parseBoard(".2...412...4...."));
  assertEquals(solutions, 1);
  assertEquals(formatBoard(solution!), "1243341221344321");
  assertEquals(backtracks, 0);
});

Deno.test("solve() leaves the board as it is and returns a board of its own", () => {
  const board = parseBoard(".2...412...4....");
  const first = solve(board).solution!;
  assertEquals(formatBoard(board), ".2...412...4....");
  solve(new Uint8Array(16));
  assertEquals(formatBoard(first), "1243341221344321");
});

Deno.test("solve() counts all boards: 288 of 4x4, 39168 of 6x6 below a given first row", () => {
  assertEquals(solve(new Uint8Array(16), { maxSolutions: 1000 }).solutions, 288);
  const row = parseBoard("123456" + ".".repeat(30));
  assertEquals(solve(row, { maxSolutions: 1e6 }).solutions, 28_200_960 / 720);
});

Deno.test("solve() finds a second solution for any three clues of 4x4, so that four are needed", () => {
  // One board of each class: every other one is equivalent to one of these.
  for (const full of ["1234341221434321", "1234341223414123"].map(parseBoard)) {
    assertEquals(isValidSolution(new Uint8Array(16), full), true);
    for (let kept = 0; kept < 2 ** 16; kept++) {
      const cells = [...full.keys()].filter((cell) => (kept >> cell) & 1);
      if (cells.length !== 3) continue;
      const board = full.map((digit, cell) => cells.includes(cell) ? digit : 0);
      assertEquals(solve(board).solutions, 2);
    }
  }
});

Deno.test("solve() stops at maxSolutions", () => {
  assertEquals(solve(new Uint8Array(81)).solutions, 2);
  assertEquals(solve(new Uint8Array(81), { maxSolutions: 7 }).solutions, 7);
});

Deno.test("solve() finds nothing where clues contradict or leave a cell or digit no place", () => {
  const none = { solutions: 0, backtracks: 0 };
  assertEquals(solve(parseBoard("11..............")), none);
  assertEquals(solve(parseBoard("123....4........")), none); // nothing fits row 1, column 4
  assertEquals(solve(parseBoard("12....3......3..")).solution, undefined); // no 3 in row 1
});

Deno.test("solve() keeps a full board and rejects a wrong one", () => {
  const full = parseBoard("1243341221344321");
  assertEquals(solve(full), { solutions: 1, solution: full, backtracks: 0 });
  assertEquals(solve(parseBoard("1234123412341234")).solutions, 0);
});

for (const size of sudokuSizes) {
  Deno.test(`solve() equals the slow reference, rating included, on ${size}x${size}`, () => {
    const random = new Random(10 + size);
    for (let i = 0; i < (size === 9 ? 12 : 60); i++) {
      const { puzzle, solution } = generateSudoku(random, {
        size,
        clues: [1, 81],
        minimal: true,
        ...(size > 4 && i % 2 === 0 ? { rating: [1, 50] } : {}),
      });
      const want = referenceSolve(puzzle);
      assertEquals(want.solutions, [solution]);
      assertEquals(solve(puzzle), { solutions: 1, solution, backtracks: want.backtracks });
      assertEquals(solve(puzzle).backtracks === 0, singlesSolve(puzzle));
    }
  });
}

Deno.test("solve() counts as many solutions as the slow reference where there are several", () => {
  const random = new Random(5);
  let several = 0;
  for (let i = 0; i < 40; i++) {
    const { puzzle } = generateSudoku(random, { size: 6, clues: [8, 14] });
    const clue = puzzle.findIndex((digit) => digit !== 0);
    puzzle[clue] = 0;
    const want = referenceSolve(puzzle);
    const found = solve(puzzle, { maxSolutions: 1e6 });
    assertEquals(found.solutions, want.solutions.length);
    assertEquals(found.backtracks, want.backtracks);
    assert(isValidSolution(puzzle, found.solution!));
    if (found.solutions > 1) several++;
  }
  assert(several > 20);
});

Deno.test("solve() equals the slow reference where it guesses the place of a digit", () => {
  // Boards of so few clues that at some point every cell has three candidates or more.
  const boards = [
    "5...2.........4.......5......2..5.4.",
    "..1.......4..1.....2...4...1.6......",
    "...53........2......5.....3........2", // several digits have two places in a unit
    ".5........5.......4.32...3.....1....",
  ];
  const random = new Random(7);
  for (const board of boards.map(parseBoard)) {
    const want = referenceSolve(board);
    const renaming = [0, ...shuffle(random, [1, 2, 3, 4, 5, 6])];
    for (const same of [board, board.map((digit) => renaming[digit]!)]) {
      const { solutions, backtracks } = solve(same, { maxSolutions: 1000 });
      assertEquals([solutions, backtracks], [want.solutions.length, want.backtracks]);
    }
  }
});

Deno.test("solve() commutes with renaming digits, and the rating stays", () => {
  const random = new Random(6);
  for (let i = 0; i < 100; i++) {
    const size = i % 2 === 0 ? 6 : 9;
    const { puzzle, solution, rating } = generateSudoku(random, {
      size,
      clues: [1, 81],
      minimal: true,
      ...(size === 6 ? { rating: [1, 99] } : {}),
    });
    const symmetry = identitySymmetry(size);
    drawSymmetry(random, symmetry);
    const rename = { ...symmetry, cells: identitySymmetry(size).cells };
    const renamed = new Uint8Array(puzzle.length), want = new Uint8Array(puzzle.length);
    applySymmetry(rename, puzzle, renamed);
    applySymmetry(rename, solution, want);
    assertEquals(solve(renamed), { solutions: 1, solution: want, backtracks: rating });
  }
});

Deno.test("solve() refuses numbers above n, unknown lengths and no solutions asked for", () => {
  assertThrows(() => solve(Uint8Array.of(5, ...Array(15).fill(0))), RangeError, "Cannot use 5");
  assertThrows(() => solve(new Uint8Array(25)), RangeError, "25 cells");
  assertThrows(() => solve(new Uint8Array(16), { maxSolutions: 0 }), RangeError, "0 solutions");
  assertThrows(() => solve(new Uint8Array(16), { maxSolutions: 1.5 }), RangeError, "1.5");
});

Deno.test({
  name: "solve() finds the one solution of all 5,000 puzzles of 17 clues",
  ignore: data === undefined,
  fn: () => {
    for (const line of Deno.readTextFileSync(`${data}/sudoku/clue17-5000.txt`).trim().split("\n")) {
      const puzzle = parseBoard(line.trim());
      const { solutions, solution } = solve(puzzle);
      assertEquals(solutions, 1, line);
      assert(isValidSolution(puzzle, solution!), line);
    }
  },
});

for (const name of ["exchange-easy", "exchange-medium", "exchange-hard"]) {
  Deno.test({
    name: `solve() finds the solutions that ${name}.txt gives`,
    ignore: data === undefined,
    fn: () => {
      const text = Deno.readTextFileSync(`${data}/sudoku/${name}.txt`);
      const puzzles = parsePuzzles(text, `${name}.txt`);
      assertEquals(puzzles.length, 500);
      for (const { puzzle, solution } of puzzles) assertEquals(solve(puzzle).solution, solution);
      const easiest = Math.min(...puzzles.map(({ rating }) => rating));
      const hardest = Math.max(...puzzles.map(({ rating }) => rating));
      if (name === "exchange-easy") assertEquals(hardest, 0);
      if (name === "exchange-hard") assert(easiest > 0);
    },
  });
}
