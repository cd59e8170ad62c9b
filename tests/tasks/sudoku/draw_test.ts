import { assertEquals, assertThrows } from "@std/assert";
import { parseBoard } from "../../../tasks/sudoku/board.ts";
import { drawBoard } from "../../../tasks/sudoku/draw.ts";

const puzzle = parseBoard(".2...412...4....");
const solution = parseBoard("1243341221344321");

Deno.test("drawBoard() rules the boxes and marks blanks", () => {
  assertEquals(
    drawBoard(puzzle),
    [
      "┌──────┬──────┐",
      "│ ·  2 │ ·  · │",
      "│ ·  4 │ 1  2 │",
      "├──────┼──────┤",
      "│ ·  · │ ·  4 │",
      "│ ·  · │ ·  · │",
      "└──────┴──────┘",
    ].join("\n"),
  );
});

Deno.test("drawBoard() marks the cells that are not clues", () => {
  const lines = drawBoard(solution, { clues: puzzle }).split("\n");
  assertEquals(lines[1], "│ 1' 2 │ 4' 3'│");
  assertEquals(lines[2], "│ 3' 4 │ 1  2 │");
});

Deno.test("drawBoard() leaves the marking to paint()", () => {
  const cells: number[] = [];
  const paint = (text: string, filled: boolean, cell: number): string => {
    cells.push(cell);
    return filled ? `<${text}>` : text;
  };
  const lines = drawBoard(solution, { clues: puzzle, paint }).split("\n");
  assertEquals(lines[1], "│< 1 > 2 │< 4 >< 3 >│");
  assertEquals(cells, Array.from({ length: 16 }, (_, cell) => cell));
});

Deno.test("drawBoard() draws the boxes of 6x6 two rows high and three columns wide", () => {
  const lines = drawBoard(new Uint8Array(36)).split("\n");
  assertEquals(lines.length, 10);
  assertEquals(lines[3], "├─────────┼─────────┤");
  assertEquals(lines[1], "│ ·  ·  · │ ·  ·  · │");
});

Deno.test("drawBoard() refuses clues of another size", () => {
  assertThrows(() => drawBoard(solution, { clues: new Uint8Array(81) }), RangeError, "16 cells");
});
