import { assertEquals, assertThrows } from "@std/assert";
import {
  sizeOfCells,
  sudokuGeometry,
  type SudokuSize,
  sudokuSizes,
} from "../../../tasks/sudoku/geometry.ts";

Deno.test("sudokuGeometry() lists the units of 6x6: boxes of two rows and three columns", () => {
  const { units, unitsOf } = sudokuGeometry(6);
  assertEquals([...units[0]!], [0, 1, 2, 3, 4, 5]);
  assertEquals([...units[6]!], [0, 6, 12, 18, 24, 30]);
  assertEquals([...units[12]!], [0, 1, 2, 6, 7, 8]);
  assertEquals([...units[13]!], [3, 4, 5, 9, 10, 11]);
  assertEquals([...units[17]!], [27, 28, 29, 33, 34, 35]);
  assertEquals([...unitsOf[35]!], [5, 11, 17]);
});

Deno.test("sudokuGeometry() gives a cell of 4x4 its 7 peers", () => {
  assertEquals([...sudokuGeometry(4).peers[5]!], [0, 1, 4, 6, 7, 9, 13]);
});

for (const size of sudokuSizes) {
  Deno.test(`sudokuGeometry(${size}) puts each cell in a row, a column and a box of ${size} cells`, () => {
    const { cells, units, unitsOf, peers, boxRows, boxColumns } = sudokuGeometry(size);
    assertEquals(units.length, 3 * size);
    for (const unit of units) assertEquals(new Set(unit).size, size);
    for (let cell = 0; cell < cells; cell++) {
      assertEquals([...unitsOf[cell]!].map((unit) => Math.floor(unit / size)), [0, 1, 2]);
      for (const unit of unitsOf[cell]!) assertEquals(units[unit]!.includes(cell), true);
      assertEquals(peers[cell]!.length, 3 * (size - 1) - (boxRows - 1) - (boxColumns - 1));
      for (const peer of peers[cell]!) assertEquals(peers[peer]!.includes(cell), true);
    }
  });
}

Deno.test("sizeOfCells() and sudokuGeometry() refuse unknown sizes, naming the known ones", () => {
  assertEquals(sizeOfCells(36), 6);
  assertThrows(() => sizeOfCells(25), RangeError, "of 25 cells: known are 16 (4x4), 36 (6x6)");
  assertThrows(() => sudokuGeometry(5 as SudokuSize), RangeError, "size 5: known are 4, 6, 9");
});
