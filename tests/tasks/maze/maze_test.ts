import { assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4";
import { formatMaze, mazeCell, mazeEnds, parseMaze } from "../../../tasks/maze/maze.ts";
import { anyMaze } from "./_reference.ts";

Deno.test("parseMaze() reads a square without breaks, as the official files have it", () => {
  const { rows, columns, cells } = parseMaze("S#G  o###");
  assertEquals([rows, columns], [3, 3]);
  assertEquals(cells, Uint8Array.of(3, 1, 4, 2, 2, 5, 1, 1, 1));
});

Deno.test("parseMaze() reads rows parted by / or in lines, and dots as free cells", () => {
  const want = { rows: 2, columns: 3, cells: Uint8Array.of(3, 2, 1, 1, 5, 4) };
  for (const text of ["S #/#oG", "S.#/#oG", "S #\n#oG", "S #\n#oG\n", "S #\r\n#oG\r\n"]) {
    assertEquals(parseMaze(text), want);
  }
});

Deno.test("parseMaze() undoes formatMaze(), for every shape", () => {
  fc.assert(fc.property(anyMaze(9), (maze) => {
    assertEquals(parseMaze(formatMaze(maze, "/")), maze);
    assertEquals(parseMaze(formatMaze(maze, "\n") + "\n"), maze);
    if (maze.rows === maze.columns) assertEquals(parseMaze(formatMaze(maze)), maze);
  }));
});

Deno.test("formatMaze() writes ? for what is no cell", () => {
  assertEquals(formatMaze({ rows: 2, columns: 2, cells: Uint8Array.of(0, 6, 3, 5) }, "/"), "??/So");
});

Deno.test("parseMaze() says what is wrong and where", () => {
  const cases: [text: string, message: string][] = [
    ["S#G", "Cannot read a maze of 3 characters: expected a square number of them"],
    ["", "Cannot read a maze of 0 characters"],
    ["S#G/##", "Cannot read row 2 of 2 characters: expected 3 as in row 1"],
    ["S#G/#x#", 'Cannot read "x" at row 2, column 2 as a cell: expected one of "# SGo."'],
    ["S#G/#?#", 'Cannot read "?" at row 2, column 2'],
    ["##/#G", "Cannot read the maze: it has no start (S)"],
    ["##/S#", "Cannot read the maze: it has no goal (G)"],
    ["S#/GS", "it has more than one start (S), in row 1, column 1 and row 2, column 2"],
    ["GS/G#", "it has more than one goal (G), in row 1, column 1 and row 2, column 1"],
    ["SG/", "Cannot read row 2 of 0 characters: expected 2"],
    ["S/G", "it has 2 rows and 1 columns, expected 2 to 64 of each"],
    [`SG${"#".repeat(63)}/${"#".repeat(65)}`, "it has 2 rows and 65 columns"],
  ];
  for (const [text, message] of cases) {
    assertThrows(() => parseMaze(text), SyntaxError, message);
  }
  assertEquals(parseMaze(`SG${"#".repeat(64 * 64 - 2)}`).rows, 64);
});

Deno.test("mazeEnds() finds start and goal, and refuses what is no maze", () => {
  assertEquals(mazeEnds(parseMaze("##/GS")), { start: 3, goal: 2 });
  const fails = (cells: number[], rows: number, message: string): void => {
    const maze = { cells: Uint8Array.from(cells), rows, columns: 2 };
    assertThrows(() => mazeEnds(maze), RangeError, `Cannot use the maze: ${message}`);
  };
  fails([3, 4, 1], 2, "it has 3 cells, expected 2x2 = 4");
  fails([3, 4, 0, 1], 2, "it has 0 in row 2, column 1, expected 1 to 5");
  fails([3, 4, 1, 6], 2, "it has 6 in row 2, column 2");
  fails([3, 1, 1, 1], 2, "it has no goal (G)");
  fails([3, 4], 1, "it has 1 rows and 2 columns");
  assertEquals(Object.values(mazeCell), [1, 2, 3, 4, 5]);
});
