import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4";
import { Random } from "../../../core/random.ts";
import {
  arcEos,
  arcPad,
  arcSeqLen,
  arcVocabSize,
  cropArcGrid,
  drawArcOffset,
  encodeArcGrid,
} from "../../../tasks/arc/encode.ts";
import { arcGrid, parseArcGrid } from "../../../tasks/arc/grid.ts";
import { grids } from "./_arbitrary.ts";

/** Tokens, a character each: `#` for the end, `_` for padding, a letter for a colour. */
function canvas(text: string): number[] {
  return Array.from(text.replaceAll(/[\s/]/g, ""), (c) => "_#abcdefghij".indexOf(c));
}

Deno.test("the sizes are those of the official data", () => {
  assertEquals([arcPad, arcEos, arcVocabSize, arcSeqLen(), arcSeqLen(10)], [0, 1, 12, 900, 100]);
});

Deno.test("encodeArcGrid() draws the end below and right of the grid, but not at their corner", () => {
  const grid = parseArcGrid("012/349");
  assertEquals([...encodeArcGrid(grid, { size: 5 })], canvas("abc#_/dej#_/###__/_____/_____"));
  assertEquals(
    [...encodeArcGrid(grid, { size: 5, offset: { row: 2, column: 1 } })],
    canvas("_____/_____/_abc#/_dej#/_###_"),
  );
});

Deno.test("encodeArcGrid() leaves out the ends that do not fit", () => {
  const grid = parseArcGrid("012/349");
  assertEquals([...encodeArcGrid(grid, { size: 3 })], canvas("abc/dej/###"));
  assertEquals(
    [...encodeArcGrid(grid, { size: 4, offset: { row: 2, column: 0 } })],
    canvas("____/____/abc#/dej#"),
  );
  assertEquals(
    [...encodeArcGrid(grid, { size: 4, offset: { row: 2, column: 1 } })],
    canvas("____/____/_abc/_dej"),
  );
  const full = arcGrid(Array(30).fill(Array(30).fill(4)));
  assertEquals(encodeArcGrid(full), new Uint8Array(900).fill(6));
});

Deno.test("encodeArcGrid() writes over all of a given array, and refuses what does not fit", () => {
  const grid = parseArcGrid("01/23"), out = new Uint8Array(9).fill(7);
  assertEquals(encodeArcGrid(grid, { size: 3 }, out), out);
  assertEquals([...out], canvas("ab#/cd#/##_"));
  const refuse = (message: string, ...args: Parameters<typeof encodeArcGrid>): unknown =>
    assertThrows(() => encodeArcGrid(...args), RangeError, message);
  refuse("Cannot hold a canvas of 3x3 in 8 tokens: expected 9", grid, { size: 3 }, out.subarray(1));
  refuse("Cannot put a grid of 2x2 at row 0, column 0 of a canvas of 1x1", grid, { size: 1 });
  for (const [row, column] of [[2, 0], [0, 2], [-1, 0], [0.5, 0], [NaN, 0]] as const) {
    refuse(`at row ${row}, column ${column}`, grid, { size: 3, offset: { row, column } });
  }
  for (const size of [0, 31, 2.5]) refuse(`Cannot use a canvas of size ${size}`, grid, { size });
  refuse("row 1, column 1 is 12", { rows: 1, columns: 1, cells: Uint8Array.of(12) });
});

Deno.test("cropArcGrid() reads back what encodeArcGrid() writes, on any canvas", () => {
  fc.assert(fc.property(grids(12), fc.nat(18), (grid, more) => {
    const size = Math.max(grid.rows, grid.columns) + more;
    assertEquals(cropArcGrid(encodeArcGrid(grid, { size })), grid);
    assertEquals(cropArcGrid(encodeArcGrid(grid)), grid);
  }));
});

Deno.test("cropArcGrid() takes the largest rectangle of colours at the top left", () => {
  const cases: [tokens: string, grid: string][] = [
    ["aaa/aaa/aaa", "000/000/000"],
    ["abc/d#e/fgh", "012"], // 1x3 before 3x1, both of area 3
    ["ab#/c#d/#fg", "01"], // 1x2 before 2x1
    ["a#b/cde/fgh", "0/2/5"], // 3x1 is larger than 1x1
    ["abc/ab#/###", "01/01"],
    ["ab_/cd_/e__", "01/23"],
    ["abc#/d___/e___/____", "012"], // a lone column does not outgrow the first row
    ["abc#/de#_/fg#_/____", "01/34/56"],
    ["abcd/ef#_/g_#_/____", "0123"], // 4 of the first row against 2x2 and 3x1
  ];
  for (const [tokens, grid] of cases) {
    assertEquals(cropArcGrid(canvas(tokens)), parseArcGrid(grid), tokens);
  }
});

Deno.test("cropArcGrid() finds no grid where the first token is no colour", () => {
  const empty = { rows: 0, columns: 0, cells: new Uint8Array(0) };
  for (const tokens of ["_aa/aaa/aaa", "#aa/aaa/aaa"]) {
    assertEquals(cropArcGrid(canvas(tokens)), empty);
  }
  assertEquals(cropArcGrid(new Uint8Array(900)), empty);
  assertEquals(cropArcGrid([12, 2, 2, 2]), empty); // past the vocabulary
  assertEquals(cropArcGrid(Int32Array.of(2, -1, 300, 2)), parseArcGrid("0"));
  for (const length of [0, 2, 899, 31 * 31]) {
    const tokens = new Uint8Array(length);
    assertThrows(() => cropArcGrid(tokens), RangeError, `a canvas of ${length} tokens`);
  }
});

Deno.test("cropArcGrid() finds what trying every rectangle finds", () => {
  const tokens = fc.integer({ min: 0, max: 12 }).map((token) => token === 12 ? 1 : token);
  const canvases = fc.array(tokens, { minLength: 25, maxLength: 25 });
  fc.assert(fc.property(canvases, (tokens) => {
    const allColours = (rows: number, columns: number): boolean =>
      tokens.every((token, i) => Math.floor(i / 5) >= rows || i % 5 >= columns || token >= 2);
    let rows = 0, columns = 0;
    for (let height = 1; height <= 5; height++) {
      for (let width = 1; width <= 5; width++) {
        if (allColours(height, width) && height * width > rows * columns) {
          [rows, columns] = [height, width];
        }
      }
    }
    const found = cropArcGrid(tokens);
    assertEquals([found.rows, found.columns], [rows, columns]);
    found.cells.forEach((colour, i) => {
      assertEquals(colour, tokens[Math.floor(i / columns) * 5 + i % columns]! - 2);
    });
  }));
});

Deno.test("drawArcOffset() draws every place where both grids fit, and no other", () => {
  const random = new Random(1);
  const pair = { input: parseArcGrid("000"), output: parseArcGrid("0/0") };
  const seen = new Map<string, number>();
  for (let i = 0; i < 1200; i++) {
    const offset = drawArcOffset(random, pair, 5);
    encodeArcGrid(pair.input, { size: 5, offset });
    encodeArcGrid(pair.output, { size: 5, offset });
    const key = `${offset.row} ${offset.column}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  assertEquals(seen.size, 4 * 3);
  for (const count of seen.values()) assert(count > 60 && count < 150, `${count}`);
  assertEquals(drawArcOffset(random, { ...pair, output: null }, 3).column, 0);
  assertThrows(() => drawArcOffset(random, pair, 2), RangeError, "Cannot put a grid of 1x3");
});
