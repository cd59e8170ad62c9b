/**
 * Grids as the tokens of HRM's and TRM's ARC data: a canvas of n x n, 0 where it
 * is empty, 1 at the end of the grid, and colour c is c + 2. The end is drawn one
 * cell to the right of the grid and one cell below it, where these lie on the
 * canvas; their corner stays empty.
 *
 * The canvas of the papers has 30 x 30 cells; smaller tasks do with a smaller one.
 *
 * @module
 */

import { below, type RandomSource } from "../random_source.ts";
import { type ArcGrid, arcMaxSize, arcNumColours, type ArcTestPair, checkArcGrid } from "./grid.ts";

/** The token of an empty cell, in inputs and labels; the loss ignores it. */
export const arcPad = 0;

/** The token of the line to the right of a grid and below it. */
export const arcEos = 1;

/** The token of colour 0; that of colour c is so many more. */
export const arcFirstColour = 2;

/** The number of tokens: padding, end and ten colours. */
export const arcVocabSize: number = arcFirstColour + arcNumColours;

/** The number of tokens of a canvas, n²: 900 for that of the papers. */
export function arcSeqLen(size: number = arcMaxSize): number {
  return checkSize(size) ** 2;
}

/** Where a grid lies on its canvas. */
export interface ArcOffset {
  /** The row of the grid's first cell, 0 at the top. */
  readonly row: number;
  /** The column of the grid's first cell, 0 at the left. */
  readonly column: number;
}

/** The top left corner of a canvas. */
export const arcOrigin: ArcOffset = { row: 0, column: 0 };

/** The canvas that {@link encodeArcGrid} draws on. */
export interface ArcCanvas {
  /** The number of rows and of columns, 30 by default. */
  readonly size?: number;
  /** Where the grid is to lie, at the origin by default. */
  readonly offset?: ArcOffset;
}

/**
 * The tokens of a grid, row by row, written into `out` where one is given.
 *
 * @throws {RangeError} when the grid does not lie within the canvas or is no grid,
 * or `out` has another length
 *
 * @example
 * ```ts
 * import { encodeArcGrid, parseArcGrid } from "@ponder/ponder/tasks";
 *
 * const tokens = encodeArcGrid(parseArcGrid("01/23"), { size: 3 });
 * console.log(tokens.join(" ")); // 2 3 1 4 5 1 1 1 0
 * ```
 */
export function encodeArcGrid(
  grid: ArcGrid,
  { size = arcMaxSize, offset = arcOrigin }: ArcCanvas = {},
  out: Uint8Array = new Uint8Array(arcSeqLen(size)),
): Uint8Array {
  const { rows, columns, cells } = grid;
  checkArcGrid(grid);
  checkPlace(grid, checkSize(size), offset);
  if (out.length !== size * size) {
    throw new RangeError(
      `Cannot hold a canvas of ${size}x${size} in ${out.length} tokens: expected ${size * size}`,
    );
  }
  const first = offset.row * size + offset.column;
  const hasRight = offset.column + columns < size, hasBelow = offset.row + rows < size;
  out.fill(arcPad);
  for (let y = 0; y < rows; y++) {
    const at = first + y * size;
    for (let x = 0; x < columns; x++) out[at + x] = cells[y * columns + x]! + arcFirstColour;
    if (hasRight) out[at + columns] = arcEos;
  }
  if (hasBelow) out.fill(arcEos, first + rows * size, first + rows * size + columns);
  return out;
}

/**
 * The grid that the tokens of a canvas show, as the evaluation of HRM and TRM
 * takes it: the largest rectangle in the top left corner that holds only colours,
 * of equally large ones that with the fewest rows. Where the first token is no
 * colour the grid has no rows and no columns, which equals no answer.
 *
 * @throws {RangeError} when there are not n² tokens, for an n from 1 to 30
 *
 * @example
 * ```ts
 * import { cropArcGrid, formatArcGrid } from "@ponder/ponder/tasks";
 *
 * console.log(formatArcGrid(cropArcGrid([2, 3, 1, 4, 5, 1, 1, 1, 0]))); // 01/23
 * ```
 */
export function cropArcGrid(tokens: ArrayLike<number>): ArcGrid {
  const size = Math.sqrt(tokens.length);
  if (!Number.isInteger(size) || size < 1 || size > arcMaxSize) {
    throw new RangeError(
      `Cannot read a canvas of ${tokens.length} tokens: expected a square from 1 to ${
        arcMaxSize ** 2
      }`,
    );
  }
  let rows = 0, columns = 0;
  for (let y = 0, width = size; y < size && width > 0; y++) {
    width = colourRun(tokens, y * size, width);
    if ((y + 1) * width <= rows * columns) continue;
    rows = y + 1;
    columns = width;
  }
  const cells = new Uint8Array(rows * columns);
  for (let cell = 0; cell < cells.length; cell++) {
    const y = Math.floor(cell / columns);
    cells[cell] = tokens[y * size + cell % columns]! - arcFirstColour;
  }
  return { rows, columns, cells };
}

/** How many of the `most` tokens from `from` on are colours, counted up to the first that is not. */
function colourRun(tokens: ArrayLike<number>, from: number, most: number): number {
  for (let x = 0; x < most; x++) {
    const token = tokens[from + x]!;
    if (!(token >= arcFirstColour && token < arcVocabSize)) return x;
  }
  return most;
}

/**
 * A random place on the canvas where both grids of a pair fit, each as likely as
 * the others: the translation of training examples.
 *
 * @throws {RangeError} when a grid is larger than the canvas
 */
export function drawArcOffset(
  random: RandomSource,
  { input, output }: ArcTestPair,
  size: number = arcMaxSize,
): ArcOffset {
  const other = output ?? input;
  checkPlace(input, checkSize(size), arcOrigin);
  checkPlace(other, size, arcOrigin);
  const row = below(random, size - Math.max(input.rows, other.rows) + 1);
  const column = below(random, size - Math.max(input.columns, other.columns) + 1);
  return { row, column };
}

function checkPlace({ rows, columns }: ArcGrid, size: number, { row, column }: ArcOffset): void {
  const fits = (at: number, length: number): boolean =>
    Number.isInteger(at) && at >= 0 && at + length <= size;
  if (fits(row, rows) && fits(column, columns)) return;
  throw new RangeError(
    `Cannot put a grid of ${rows}x${columns} at row ${row}, column ${column} ` +
      `of a canvas of ${size}x${size}: it must lie within`,
  );
}

function checkSize(size: number): number {
  if (Number.isInteger(size) && size >= 1 && size <= arcMaxSize) return size;
  throw new RangeError(`Cannot use a canvas of size ${size}: expected 1 to ${arcMaxSize}`);
}
