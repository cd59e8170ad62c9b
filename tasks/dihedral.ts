/**
 * The eight rotations and reflections of a rectangular grid, by the ids that
 * HRM's and TRM's builders store: those of mazes and of ARC alike. The names are
 * numpy's, so that `x` below is an array of rows.
 *
 * | id | what it does | in numpy |
 * |---|---|---|
 * | 0 | nothing | `x` |
 * | 1, 2, 3 | a quarter turn counter-clockwise, so many times | `rot90(x, id)` |
 * | 4 | left and right exchanged | `fliplr(x)` |
 * | 5 | top and bottom exchanged | `flipud(x)` |
 * | 6 | rows and columns exchanged | `x.T` |
 * | 7 | the same across the other diagonal | `fliplr(rot90(x, 1))` |
 *
 * @module
 */

/** How many rotations and reflections there are: the ids run from 0 to 7. */
export const numDihedral = 8;

/** A rectangle of cells, row by row. */
export interface CellGrid {
  /** The cells, `rows · columns` of them. */
  readonly cells: Uint8Array;
  /** The number of rows. */
  readonly rows: number;
  /** The number of columns. */
  readonly columns: number;
}

/**
 * The id whose transform undoes that of `id`: a quarter turn is undone by three, every other one
 * by itself.
 *
 * @throws {RangeError} when `id` is not an integer from 0 to 7
 *
 * @example
 * ```ts
 * import { inverseDihedral } from "@ponder/ponder/tasks";
 *
 * console.log(inverseDihedral(1), inverseDihedral(4)); // 3 4
 * ```
 */
export function inverseDihedral(id: number): number {
  checkId(id);
  return id === 1 || id === 3 ? 4 - id : id;
}

/**
 * A new grid: `cells` turned or reflected. Ids 1, 3, 6 and 7 exchange the number of rows and the
 * number of columns.
 *
 * @throws {RangeError} when `id` is not an integer from 0 to 7, or there are not
 * `rows · columns` cells
 *
 * @example
 * ```ts
 * import { dihedral } from "@ponder/ponder/tasks";
 *
 * const { cells, rows, columns } = dihedral(Uint8Array.of(1, 2, 3, 4, 5, 6), 2, 3, 1);
 * console.log(rows, columns, cells.join(" ")); // 3 2 3 6 2 5 1 4
 * ```
 */
export function dihedral(
  cells: Uint8Array,
  rows: number,
  columns: number,
  id: number,
): { cells: Uint8Array; rows: number; columns: number } {
  const { first, down, right } = strides(rows, columns, id);
  if (cells.length !== rows * columns || !Number.isInteger(rows) || !Number.isInteger(columns)) {
    throw new RangeError(
      `Cannot transform ${cells.length} cells as ${rows}x${columns}: ` +
        `expected as many as rows times columns`,
    );
  }
  const exchanged = exchangesSides(id);
  const outRows = exchanged ? columns : rows, outColumns = exchanged ? rows : columns;
  const out = new Uint8Array(cells.length);
  for (let y = 0, i = 0; y < outRows; y++) {
    let from = first + y * down;
    for (let x = 0; x < outColumns; x++, from += right) out[i++] = cells[from]!;
  }
  return { cells: out, rows: outRows, columns: outColumns };
}

/**
 * Whether the transform exchanges the number of rows and the number of columns.
 *
 * @throws {RangeError} when `id` is not an integer from 0 to 7
 */
export function exchangesSides(id: number): boolean {
  checkId(id);
  return id === 1 || id === 3 || id >= 6;
}

/** Where the new first cell lies in the old grid, and how far one cell down or right leads there. */
interface Strides {
  readonly first: number;
  readonly down: number;
  readonly right: number;
}

function strides(rows: number, columns: number, id: number): Strides {
  checkId(id);
  const topRight = columns - 1, bottomLeft = (rows - 1) * columns;
  const last = bottomLeft + topRight;
  return [
    { first: 0, down: columns, right: 1 },
    { first: topRight, down: -1, right: columns }, // the last column becomes the first row
    { first: last, down: -columns, right: -1 },
    { first: bottomLeft, down: 1, right: -columns }, // the first column, upwards
    { first: topRight, down: columns, right: -1 },
    { first: bottomLeft, down: -columns, right: 1 },
    { first: 0, down: 1, right: columns },
    { first: last, down: -1, right: -columns }, // the last column, upwards
  ][id]!;
}

function checkId(id: number): void {
  if (Number.isInteger(id) && id >= 0 && id < numDihedral) return;
  throw new RangeError(`Cannot transform by dihedral id ${id}: expected an integer from 0 to 7`);
}
