import { assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../../core/random.ts";
import {
  checkBoard,
  conflicts,
  formatBoard,
  isSolved,
  isValidSolution,
  parseBoard,
} from "../../../tasks/sudoku/board.ts";
import { randomSolution } from "../../../tasks/sudoku/generator.ts";
import { sudokuSizes } from "../../../tasks/sudoku/geometry.ts";

const puzzle = parseBoard(".2...412...4....");
const solution = parseBoard("1243341221344321");

Deno.test("parseBoard() reads digits row by row, dots and zeros as blanks", () => {
  assertEquals(parseBoard("1.20.......0.0.4"), Uint8Array.of(1, 0, 2, ...Array(12).fill(0), 4));
});

Deno.test("parseBoard() undoes formatBoard(), for every size", () => {
  const random = new Random(1);
  for (const size of sudokuSizes) {
    const board = randomSolution(random, size).map((digit) => random.below(2) * digit);
    assertEquals(parseBoard(formatBoard(board)), board);
    assertEquals(formatBoard(board).length, size * size);
  }
});

Deno.test("parseBoard() names the first bad character, its position and the lengths it knows", () => {
  assertThrows(
    () => parseBoard(".2...412..x4...."),
    SyntaxError,
    'Cannot read "x" at position 11 (row 3, column 3) as a cell: expected 1 to 4',
  );
  assertThrows(() => parseBoard("5".padEnd(16, ".")), SyntaxError, 'Cannot read "5" at position 1');
  assertThrows(() => parseBoard(" ".padEnd(16, ".")), SyntaxError, 'Cannot read " " at position 1');
  assertThrows(() => parseBoard("12"), SyntaxError, "2 characters: expected one of 16 (4x4)");
  assertThrows(() => parseBoard(""), SyntaxError, "0 characters");
});

Deno.test("conflicts() lists each contradicting pair once, in its first unit", () => {
  assertEquals(conflicts(puzzle), []);
  assertEquals(conflicts(parseBoard("1..1............")), [
    { digit: 1, cells: [0, 3], unit: "row 1" },
  ]);
  assertEquals(conflicts(parseBoard("...2.......2...2")), [
    { digit: 2, cells: [3, 11], unit: "column 4" },
    { digit: 2, cells: [3, 15], unit: "column 4" },
    { digit: 2, cells: [11, 15], unit: "column 4" },
  ]);
  assertEquals(conflicts(parseBoard("..........3....3")), [
    { digit: 3, cells: [10, 15], unit: "box 4" },
  ]);
});

Deno.test("isSolved() asks for every digit in every unit", () => {
  assertEquals(isSolved(solution), true);
  assertEquals(isSolved(puzzle), false);
  assertEquals(isSolved(parseBoard("1234123412341234")), false); // only the rows are right
  assertEquals(isSolved(parseBoard("1234234134124123")), false); // rows and columns, not boxes
  assertEquals(isSolved(solution.map((digit) => digit + 32)), false); // 1 << 33 is 1 << 1
});

Deno.test("isValidSolution() also asks for the clues", () => {
  assertEquals(isValidSolution(puzzle, solution), true);
  assertEquals(isValidSolution(puzzle, solution.map((digit) => 5 - digit)), false);
  assertEquals(isValidSolution(puzzle, puzzle), false);
  assertEquals(isValidSolution(puzzle, new Uint8Array(36)), false);
});

Deno.test("checkBoard() names the first cell above n", () => {
  checkBoard(puzzle);
  const bad = puzzle.slice();
  bad[6] = 7;
  assertThrows(() => checkBoard(bad), RangeError, "Cannot use 7 in row 2, column 3 of a 4x4 board");
  assertThrows(() => checkBoard(new Uint8Array(5)), RangeError, "5 cells");
});
