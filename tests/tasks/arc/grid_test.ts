import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4";
import {
  arcGrid,
  arcGridKey,
  arcGridOfKey,
  arcRows,
  checkArcGrid,
  formatArcGrid,
  parseArcGrid,
  sameArcGrid,
} from "../../../tasks/arc/grid.ts";
import { grids } from "./_arbitrary.ts";

Deno.test("arcGrid() lays rows out one after the other, and arcRows() takes them apart", () => {
  const grid = arcGrid([[0, 1, 2], [3, 4, 9]]);
  assertEquals(grid, { rows: 2, columns: 3, cells: Uint8Array.of(0, 1, 2, 3, 4, 9) });
  assertEquals(arcRows(grid), [[0, 1, 2], [3, 4, 9]]);
});

Deno.test("arcGrid() refuses rows that form no grid", () => {
  const cases: [rows: number[][], message: string][] = [
    [[], "Cannot use a grid: it has no rows"],
    [[[]], "Cannot use a grid: row 1 has no cells"],
    [Array(31).fill([0]), "it has 31 rows: expected 1 to 30"],
    [[Array(31).fill(0)], "row 1 has 31 cells: expected 1 to 30"],
    [[[1, 2], [1]], "row 2 has 1 cells, row 1 has 2: expected as many"],
    [[[1], [10]], "row 2, column 1 is 10: expected a colour, an integer from 0 to 9"],
    [[[0, -1]], "row 1, column 2 is -1"],
    [[[0.5]], "row 1, column 1 is 0.5"],
    [[[NaN]], "row 1, column 1 is NaN"],
  ];
  for (const [rows, message] of cases) assertThrows(() => arcGrid(rows), RangeError, message);
  assertEquals(arcGrid(Array(30).fill(Array(30).fill(9))).cells.length, 900);
});

Deno.test("parseArcGrid() reads digits and dots, rows divided by / or line ends", () => {
  const want = arcGrid([[0, 1], [2, 3]]);
  for (const text of ["01/23", ".1/23", "0 1 / 2 3", "\n  01\n  23\n", "01\r\n23"]) {
    assertEquals(parseArcGrid(text), want, text);
  }
  assertThrows(() => parseArcGrid("01/2x"), SyntaxError, 'Cannot read "x" in row 2, column 2');
  assertThrows(() => parseArcGrid("01/2"), SyntaxError, "Cannot read a grid: row 2 has 1 cells");
  assertThrows(() => parseArcGrid(""), SyntaxError, "row 1 has no cells");
});

Deno.test("checkArcGrid() refuses sides that do not fit the cells, and cells that are no colours", () => {
  const cells = Uint8Array.of(1, 2, 3, 10);
  checkArcGrid({ rows: 1, columns: 3, cells: cells.subarray(0, 3) });
  assertThrows(
    () => checkArcGrid({ rows: 2, columns: 2, cells }),
    RangeError,
    "row 2, column 2 is 10",
  );
  for (const [rows, columns] of [[1, 3], [0, 4], [4, 1.5], [31, 1]] as const) {
    const grid = { rows, columns, cells };
    assertThrows(() => checkArcGrid(grid), RangeError, `Cannot use 4 cells as a grid of ${rows}x`);
  }
});

Deno.test("formatArcGrid() and arcGridKey() are read back, and equal for equal grids only", () => {
  fc.assert(fc.property(grids(30), grids(3), grids(3), (grid, a, b) => {
    assertEquals(parseArcGrid(formatArcGrid(grid)), grid);
    assertEquals(arcGridOfKey(arcGridKey(grid)), grid);
    assertEquals(arcGrid(arcRows(grid)), grid);
    const same = formatArcGrid(a) === formatArcGrid(b);
    assertEquals([sameArcGrid(a, b), arcGridKey(a) === arcGridKey(b)], [same, same]);
    assert(sameArcGrid(grid, arcGridOfKey(arcGridKey(grid))));
  }));
});

Deno.test("arcGridKey() tells grids of the same cells and another shape apart, and reads the empty one", () => {
  assert(arcGridKey(parseArcGrid("11")) !== arcGridKey(parseArcGrid("1/1")));
  const empty = { rows: 0, columns: 0, cells: new Uint8Array(0) };
  assertEquals(arcGridOfKey(arcGridKey(empty)), empty);
});
