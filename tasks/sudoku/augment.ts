/**
 * Equivalent puzzles: what may be done to a board so that it stays a Sudoku.
 * The augmentation of HRM's and TRM's Sudoku builders: digits renamed, half the
 * time rows and columns exchanged, bands and the rows within them reordered,
 * stacks and the columns within them likewise.
 *
 * Exchanging rows and columns turns boxes of r rows and c columns into boxes of
 * c rows and r columns. It is therefore left out where these differ, as in 6x6.
 *
 * @module
 */

import { below, type RandomSource } from "../random_source.ts";
import { type Board, geometryOf } from "./board.ts";
import { sudokuGeometry, type SudokuSize, sudokuSizes } from "./geometry.ts";

/** A rearrangement of the boards of one size: `out[i] = digits[board[cells[i]]]`. */
export interface SudokuSymmetry {
  /** The board size n. */
  readonly size: SudokuSize;
  /** For each cell the one its content comes from; n² cells. */
  readonly cells: Uint8Array;
  /** The new name of each digit, n + 1 numbers: blank stays blank, `digits[0] = 0`. */
  readonly digits: Uint8Array;
}

/** A puzzle and its solution, rearranged together. */
export interface AugmentedPuzzle {
  /** The rearranged clues. */
  readonly puzzle: Board;
  /** The rearranged solution. */
  readonly solution: Board;
}

/** The symmetry that changes nothing. */
export function identitySymmetry(size: SudokuSize): SudokuSymmetry {
  const { cells } = sudokuGeometry(size);
  return {
    size,
    cells: Uint8Array.from({ length: cells }, (_, cell) => cell),
    digits: Uint8Array.from({ length: size + 1 }, (_, digit) => digit),
  };
}

// Scratch of drawSymmetry, which allocates nothing: the row and the column that each comes from.
const rows: Uint8Array = new Uint8Array(Math.max(...sudokuSizes));
const columns: Uint8Array = new Uint8Array(rows.length);

/** Writes a uniformly random symmetry over `symmetry`. */
export function drawSymmetry(random: RandomSource, symmetry: SudokuSymmetry): void {
  const { size, cells, digits } = symmetry;
  const { boxRows, boxColumns } = sudokuGeometry(size);
  for (let i = 0; i <= size; i++) digits[i] = i;
  shuffleBlocks(random, digits, 1, size, 1);
  const transposed = boxRows === boxColumns && below(random, 2) === 1;
  drawLines(random, rows, size, boxRows);
  drawLines(random, columns, size, boxColumns);
  let cell = 0;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      cells[cell++] = transposed ? rows[x]! * size + columns[y]! : rows[y]! * size + columns[x]!;
    }
  }
}

/**
 * Writes the rearranged `board` into `out`.
 *
 * @throws {RangeError} when either is not as long as the symmetry's boards, or both are one array
 */
export function applySymmetry(symmetry: SudokuSymmetry, board: Board, out: Board): void {
  const { size, cells, digits } = symmetry;
  if (board.length !== cells.length || out.length !== cells.length) {
    throw new RangeError(
      `Cannot rearrange ${board.length} cells into ${out.length} as a ${size}x${size} board: ` +
        `expected ${cells.length} of each`,
    );
  }
  if (board === out) throw new RangeError("Cannot rearrange a board in place: expected two arrays");
  for (let cell = 0; cell < cells.length; cell++) out[cell] = digits[board[cells[cell]!]!]!;
}

/** The symmetry that undoes another. */
export function invertSymmetry({ size, cells, digits }: SudokuSymmetry): SudokuSymmetry {
  const inverse = identitySymmetry(size);
  cells.forEach((from, cell) => inverse.cells[from] = cell);
  digits.forEach((name, digit) => inverse.digits[name] = digit);
  return inverse;
}

/**
 * A random puzzle equivalent to `puzzle`, with its solution. The rating of one
 * may differ from that of the other, but not whether it is 0.
 *
 * @throws {RangeError} when no known board is as long as either
 *
 * @example
 * ```ts
 * import { Random } from "@ponder/ponder/core";
 * import { augment, isValidSolution, parseBoard } from "@ponder/ponder/tasks";
 *
 * const puzzle = parseBoard(".2...412...4...."), solution = parseBoard("1243341221344321");
 * const other = augment(new Random(1), puzzle, solution);
 * console.log(isValidSolution(other.puzzle, other.solution)); // true
 * ```
 */
export function augment(random: RandomSource, puzzle: Board, solution: Board): AugmentedPuzzle {
  const out = { puzzle: new Uint8Array(puzzle.length), solution: new Uint8Array(solution.length) };
  augmentInto(random, puzzle, solution, out);
  return out;
}

const drawn = new Map<SudokuSize, SudokuSymmetry>();

/**
 * Writes a random puzzle equivalent to `puzzle`, with its solution, into the
 * arrays of `out`, and allocates nothing.
 *
 * @throws {RangeError} when the four arrays are not four or not equally long
 */
export function augmentInto(
  random: RandomSource,
  puzzle: Board,
  solution: Board,
  out: AugmentedPuzzle,
): void {
  const { size } = geometryOf(puzzle);
  let symmetry = drawn.get(size);
  if (symmetry === undefined) {
    symmetry = identitySymmetry(size);
    drawn.set(size, symmetry);
  }
  drawSymmetry(random, symmetry);
  applySymmetry(symmetry, puzzle, out.puzzle);
  applySymmetry(symmetry, solution, out.solution);
}

/** Numbers `lines` from 0, then reorders its groups of `height` and the lines within each. */
function drawLines(random: RandomSource, lines: Uint8Array, size: number, height: number): void {
  for (let line = 0; line < size; line++) lines[line] = line;
  shuffleBlocks(random, lines, 0, size / height, height);
  for (let from = 0; from < size; from += height) shuffleBlocks(random, lines, from, height, 1);
}

/** Shuffles `numBlocks` blocks of `length` items each, the first at `from`. */
function shuffleBlocks(
  random: RandomSource,
  items: Uint8Array,
  from: number,
  numBlocks: number,
  length: number,
): void {
  for (let last = numBlocks - 1; last > 0; last--) {
    const chosen = below(random, last + 1);
    for (let i = 0; i < length; i++) {
      const a = from + last * length + i, b = from + chosen * length + i;
      const item = items[a]!;
      items[a] = items[b]!;
      items[b] = item;
    }
  }
}
