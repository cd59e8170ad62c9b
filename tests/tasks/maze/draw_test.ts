import { assertEquals, assertThrows } from "@std/assert";
import { drawMaze } from "../../../tasks/maze/draw.ts";
import { parseMaze } from "../../../tasks/maze/maze.ts";

const puzzle = parseMaze("S#G./.#../....");
const answer = parseMaze("S#G./o#.#/oo..");

Deno.test("drawMaze() draws two characters a cell in a frame", () => {
  assertEquals(
    drawMaze(parseMaze("S#G/o#o/ooo")),
    ["┌──────┐", "│S ██G │", "│• ██• │", "│• • • │", "└──────┘"].join("\n"),
  );
});

Deno.test("drawMaze() marks cells that are not as in the question, but not the path", () => {
  const wrong = { ...answer, cells: answer.cells.slice() };
  wrong.cells[1] = 2; // a wall left out
  wrong.cells[5] = 5; // a wall marked
  wrong.cells[11] = 0;
  const lines = drawMaze(wrong, { puzzle }).split("\n");
  assertEquals(lines[1], "│S  !G   │");
  assertEquals(lines[2], "│• •!  █!│");
  assertEquals(lines[3], "│• •   ?!│");
});

Deno.test("drawMaze() leaves the marking to paint()", () => {
  const cells: number[] = [];
  const paint = (text: string, changed: boolean, cell: number): string => {
    cells.push(cell);
    return changed ? `<${text}>` : text;
  };
  const lines = drawMaze(answer, { puzzle, paint }).split("\n");
  assertEquals(lines[2], "│<• >██  <██>│");
  assertEquals(cells, Array.from({ length: 12 }, (_, cell) => cell));
});

Deno.test("drawMaze() is 62 characters wide and 32 lines high for 30x30", () => {
  const lines = drawMaze({ cells: new Uint8Array(900), rows: 30, columns: 30 }).split("\n");
  assertEquals([lines.length, lines[0]!.length, lines[1]!.slice(0, 5)], [32, 62, "│????"]);
});

Deno.test("drawMaze() refuses a question of another size", () => {
  assertThrows(
    () => drawMaze(answer, { puzzle: parseMaze("SG/..") }),
    RangeError,
    "Cannot draw a maze of 3x4 beside a question of 2x2: expected the same size",
  );
});
