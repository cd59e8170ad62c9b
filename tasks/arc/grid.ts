/**
 * Grids of colours and the tasks made of them.
 *
 * @module
 */

/** The most rows and columns of a grid. */
export const arcMaxSize = 30;

/** How many colours there are: 0 (black, the background) to 9. */
export const arcNumColours = 10;

/** A rectangle of colours. */
export interface ArcGrid {
  /** The number of rows, 1 to 30; 0 only where a prediction holds no grid. */
  readonly rows: number;
  /** The number of columns, likewise. */
  readonly columns: number;
  /** The colours 0 to 9, row by row; `rows · columns` of them. */
  readonly cells: Uint8Array;
}

/** A grid and what the hidden rule of its task makes of it. */
export interface ArcPair {
  /** What the rule is applied to. */
  readonly input: ArcGrid;
  /** What it gives. */
  readonly output: ArcGrid;
}

/** A grid to apply the rule to. */
export interface ArcTestPair {
  /** What the rule is to be applied to. */
  readonly input: ArcGrid;
  /** What it gives, `null` where that is not known. */
  readonly output: ArcGrid | null;
}

/** One hidden rule, shown by examples. */
export interface ArcTask {
  /** What the task is called, such as `"007bbfb7"`. */
  readonly name: string;
  /** The demonstrations. */
  readonly train: readonly ArcPair[];
  /** The grids to be answered. */
  readonly test: readonly ArcTestPair[];
}

/**
 * The grid of these rows of colours, as the JSON of ARC has them.
 *
 * @throws {RangeError} when there are no rows or cells or more than 30 either way,
 * the rows are not equally long, or a cell is no integer from 0 to 9
 *
 * @example
 * ```ts
 * import { arcGrid } from "@ponder/ponder/tasks";
 *
 * const { rows, columns, cells } = arcGrid([[0, 1, 2], [3, 4, 5]]);
 * console.log(rows, columns, cells.join(" ")); // 2 3 0 1 2 3 4 5
 * ```
 */
export function arcGrid(rows: readonly ArrayLike<number>[]): ArcGrid {
  const fault = arcRowsFault(rows);
  if (fault !== undefined) throw new RangeError(`Cannot use a grid: ${fault}`);
  const columns = rows[0]!.length;
  const cells = new Uint8Array(rows.length * columns);
  rows.forEach((row, y) => cells.set(row, y * columns));
  return { rows: rows.length, columns, cells };
}

/** The rows of a grid, as the JSON of ARC has them. */
export function arcRows({ rows, columns, cells }: ArcGrid): number[][] {
  return Array.from(
    { length: rows },
    (_, y) => [...cells.subarray(y * columns, (y + 1) * columns)],
  );
}

/**
 * The grid written in `text`, a digit for each cell, `.` for 0 too, rows divided
 * by `/` or line ends; spaces are skipped.
 *
 * @throws {SyntaxError} when a character stands for no colour, or the rows form no grid
 *
 * @example
 * ```ts
 * import { formatArcGrid, parseArcGrid } from "@ponder/ponder/tasks";
 *
 * console.log(formatArcGrid(parseArcGrid("..1 / .21"))); // 001/021
 * ```
 */
export function parseArcGrid(text: string): ArcGrid {
  const lines = text.replaceAll(/[ \t\r]/g, "").replaceAll(/^\n+|\n+$/g, "").split(/[/\n]/);
  const rows = lines.map((line, y) =>
    Array.from(line, (character, x) => {
      const colour = character === "." ? 0 : "0123456789".indexOf(character);
      if (colour >= 0) return colour;
      const where = `row ${y + 1}, column ${x + 1}`;
      throw new SyntaxError(
        `Cannot read "${character}" in ${where} as a cell: expected 0 to 9, or "." for 0`,
      );
    })
  );
  const fault = arcRowsFault(rows);
  if (fault !== undefined) throw new SyntaxError(`Cannot read a grid: ${fault}`);
  return arcGrid(rows);
}

/** A grid in one line, a digit for each cell, `/` between rows; {@link parseArcGrid} reads it. */
export function formatArcGrid(grid: ArcGrid): string {
  return arcRows(grid).map((row) => row.join("")).join("/");
}

/** Whether two grids have the same size and the same cells. */
export function sameArcGrid(a: ArcGrid, b: ArcGrid): boolean {
  return a.rows === b.rows && a.columns === b.columns &&
    a.cells.every((colour, cell) => colour === b.cells[cell]);
}

/**
 * A string that equal grids share and no others: one character each for the rows, the columns and
 * the cells. It takes the place of the hash that the reference repositories count votes by.
 */
export function arcGridKey({ rows, columns, cells }: ArcGrid): string {
  // apply() takes what is like an array, and is ten times as fast as spreading it
  const codes = String.fromCharCode.apply(null, cells as unknown as number[]);
  return String.fromCharCode(rows, columns) + codes;
}

/** The grid that {@link arcGridKey} made the string of. */
export function arcGridOfKey(key: string): ArcGrid {
  const codes = Uint8Array.from({ length: key.length }, (_, i) => key.charCodeAt(i));
  return { rows: codes[0]!, columns: codes[1]!, cells: codes.slice(2) };
}

/** What keeps rows from forming a grid, in words; `undefined` when nothing does. */
export function arcRowsFault(rows: readonly ArrayLike<unknown>[]): string | undefined {
  if (rows.length === 0) return "it has no rows";
  if (rows.length > arcMaxSize) return `it has ${rows.length} rows: expected 1 to ${arcMaxSize}`;
  const columns = rows[0]!.length;
  for (let y = 0; y < rows.length; y++) {
    const row = rows[y]!, where = `row ${y + 1}`;
    if (row.length === 0) return `${where} has no cells`;
    if (row.length > arcMaxSize) {
      return `${where} has ${row.length} cells: expected 1 to ${arcMaxSize}`;
    }
    if (row.length !== columns) {
      return `${where} has ${row.length} cells, row 1 has ${columns}: expected as many`;
    }
    for (let x = 0; x < columns; x++) {
      const colour = row[x];
      if (Number.isInteger(colour) && Number(colour) >= 0 && Number(colour) < arcNumColours) {
        continue;
      }
      const found = typeof colour === "number" ? colour : JSON.stringify(colour);
      return `${where}, column ${x + 1} is ${found}: expected a colour, an integer from 0 to 9`;
    }
  }
  return undefined;
}

/**
 * Makes sure that a grid has as many cells as its sides say, and only colours.
 *
 * @throws {RangeError} when it has not
 */
export function checkArcGrid({ rows, columns, cells }: ArcGrid): void {
  const isSide = (n: number): boolean => Number.isInteger(n) && n >= 1 && n <= arcMaxSize;
  if (!isSide(rows) || !isSide(columns) || cells.length !== rows * columns) {
    throw new RangeError(
      `Cannot use ${cells.length} cells as a grid of ${rows}x${columns}: ` +
        `expected rows times columns cells, 1 to ${arcMaxSize} of each`,
    );
  }
  const cell = cells.findIndex((colour) => colour >= arcNumColours);
  if (cell < 0) return;
  const where = `row ${Math.floor(cell / columns) + 1}, column ${cell % columns + 1}`;
  throw new RangeError(
    `Cannot use a grid: ${where} is ${cells[cell]}: expected a colour, an integer from 0 to 9`,
  );
}
