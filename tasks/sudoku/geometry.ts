/**
 * The shapes of Sudoku: which cells form the units (rows, columns, boxes) and
 * which cells see each other. A board of size n has n² cells, numbered row by
 * row, and n² = n · boxRows · boxColumns.
 *
 * @module
 */

/** What distinguishes one Sudoku shape from another. */
export interface SudokuShape {
  /** The rows of a box. */
  readonly boxRows: number;
  /** The columns of a box. */
  readonly boxColumns: number;
  /** The fewest clues that any puzzle with one solution has, a proven bound. */
  readonly fewestClues: number;
}

/**
 * The known shapes by board size; another shape is another row.
 *
 * The bound of 17 clues is McGuire, Tugemann and Civario 2012, arXiv:1201.0749.
 * That of 4 is searched through by a test; that of 8 is the known result of such a
 * search and not repeated here.
 */
export const sudokuShapes = {
  4: { boxRows: 2, boxColumns: 2, fewestClues: 4 },
  6: { boxRows: 2, boxColumns: 3, fewestClues: 8 },
  9: { boxRows: 3, boxColumns: 3, fewestClues: 17 },
} as const satisfies Record<number, SudokuShape>;

/** A known board size: the number of rows, of columns, of boxes and of digits. */
export type SudokuSize = keyof typeof sudokuShapes;

/** A shape with its tables. */
export interface SudokuGeometry extends SudokuShape {
  /** The number n of rows, columns, boxes and digits. */
  readonly size: SudokuSize;
  /** The number of cells, n². */
  readonly cells: number;
  /** The 3n units, each n cells in order: n rows, then n columns, then n boxes. */
  readonly units: readonly Uint8Array[];
  /** The units of each cell: its row, column and box, as indices into `units`. */
  readonly unitsOf: readonly Uint8Array[];
  /** The cells that share a unit with each cell, in order, itself left out. */
  readonly peers: readonly Uint8Array[];
}

/** The known sizes, smallest first. */
export const sudokuSizes: readonly SudokuSize[] = Object.keys(sudokuShapes)
  .map((size) => Number(size) as SudokuSize);

const geometries = new Map<SudokuSize, SudokuGeometry>();

/**
 * The tables of a board size, built once.
 *
 * @throws {RangeError} when the size is not known
 *
 * @example
 * ```ts
 * import { sudokuGeometry } from "@ponder/ponder/tasks";
 *
 * console.log(sudokuGeometry(9).peers[0]!.length); // 20
 * ```
 */
export function sudokuGeometry(size: SudokuSize): SudokuGeometry {
  let geometry = geometries.get(size);
  if (geometry === undefined) {
    geometry = build(size);
    geometries.set(size, geometry);
  }
  return geometry;
}

/**
 * The board size that has `cells` cells.
 *
 * @throws {RangeError} when none has
 */
export function sizeOfCells(cells: number): SudokuSize {
  const size = sudokuSizes.find((size) => size * size === cells);
  if (size !== undefined) return size;
  const known = sudokuSizes.map((size) => `${size * size} (${size}x${size})`).join(", ");
  throw new RangeError(`Cannot form a Sudoku board of ${cells} cells: known are ${known}`);
}

function build(size: SudokuSize): SudokuGeometry {
  const shape = sudokuShapes[size];
  if (shape === undefined) {
    throw new RangeError(`Cannot use Sudoku size ${size}: known are ${sudokuSizes.join(", ")}`);
  }
  const cells = size * size;
  const all = Array.from({ length: cells }, (_, cell) => cell);
  const unitsOf = all.map((cell) => {
    const row = Math.floor(cell / size), column = cell % size;
    const band = Math.floor(row / shape.boxRows), stack = Math.floor(column / shape.boxColumns);
    const box = band * shape.boxRows + stack; // a band holds n / boxColumns = boxRows boxes
    return Uint8Array.of(row, size + column, 2 * size + box);
  });
  const units = Array.from(
    { length: 3 * size },
    (_, unit) => Uint8Array.from(all.filter((cell) => unitsOf[cell]!.includes(unit))),
  );
  const peers = all.map((cell) => {
    const near = new Set(Array.from(unitsOf[cell]!, (unit) => [...units[unit]!]).flat());
    near.delete(cell);
    return Uint8Array.from(near).sort();
  });
  return { size, cells, ...shape, units, unitsOf, peers };
}
