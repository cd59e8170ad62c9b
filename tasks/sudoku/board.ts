/**
 * Boards as text and as numbers, and what makes one right.
 *
 * @module
 */

import { sizeOfCells, type SudokuGeometry, sudokuGeometry, sudokuSizes } from "./geometry.ts";

/** The digits of n² cells, row by row: 0 for a blank, else 1 to n. */
export type Board = Uint8Array;

/** A puzzle with its one solution. */
export interface SudokuPuzzle {
  /** The clues, 0 where a cell is blank. */
  readonly puzzle: Board;
  /** The only board that agrees with the clues. */
  readonly solution: Board;
  /** How hard it is: the backtracks of `solve()`, or what the puzzle's source says. */
  readonly rating: number;
}

/** Two cells of one unit with the same digit. */
export interface Conflict {
  /** The digit. */
  readonly digit: number;
  /** The two cells, the lower index first. */
  readonly cells: readonly [number, number];
  /** The unit, the first that holds both, in words: `"row 3"`, `"column 1"` or `"box 9"`. */
  readonly unit: string;
}

/**
 * The geometry of a board, told by its length.
 *
 * @throws {RangeError} when no known board is as long
 */
export function geometryOf(board: Board): SudokuGeometry {
  return sudokuGeometry(sizeOfCells(board.length));
}

/**
 * The board written in `text`, one character a cell: a digit, or `.` or `0` for
 * a blank. The length tells the size. Clues may contradict: see {@link conflicts}.
 *
 * @throws {SyntaxError} when no board is as long, or naming the first bad character
 *
 * @example
 * ```ts
 * import { parseBoard } from "@ponder/ponder/tasks";
 *
 * console.log(parseBoard("12...........321").subarray(0, 4)); // Uint8Array(4) [ 1, 2, 0, 0 ]
 * ```
 */
export function parseBoard(text: string): Board {
  const size = sudokuSizes.find((size) => size * size === text.length);
  if (size === undefined) {
    const known = sudokuSizes.map((size) => `${size * size} (${size}x${size})`).join(", ");
    throw new SyntaxError(
      `Cannot read a board of ${text.length} characters: expected one of ${known}`,
    );
  }
  const board = new Uint8Array(text.length);
  for (let cell = 0; cell < text.length; cell++) {
    const character = text[cell]!;
    const digit = character === "." ? 0 : "0123456789".indexOf(character);
    if (digit < 0 || digit > size) {
      const where = `position ${cell + 1} (${cellName(cell, size)})`;
      const want = `expected 1 to ${size}, or "." or "0" for a blank`;
      throw new SyntaxError(`Cannot read "${character}" at ${where} as a cell: ${want}`);
    }
    board[cell] = digit;
  }
  return board;
}

/** A board in one line, row by row, `.` for a blank; {@link parseBoard} reads it. */
export function formatBoard(board: Board): string {
  let text = "";
  for (const digit of board) text += digit === 0 ? "." : digit;
  return text;
}

/** Where a cell lies, in words: `"row 1, column 4"`. */
export function cellName(cell: number, size: number): string {
  return `row ${Math.floor(cell / size) + 1}, column ${cell % size + 1}`;
}

/**
 * The pairs of cells that contradict each other, each pair once; empty when the
 * clues agree.
 *
 * @example
 * ```ts
 * import { conflicts, parseBoard } from "@ponder/ponder/tasks";
 *
 * console.log(conflicts(parseBoard("1..1............"))[0]?.unit); // "row 1"
 * ```
 */
export function conflicts(board: Board): Conflict[] {
  const { size, cells, peers, unitsOf } = geometryOf(board);
  const found: Conflict[] = [];
  for (let cell = 0; cell < cells; cell++) {
    const digit = board[cell]!;
    if (digit === 0) continue;
    for (const peer of peers[cell]!) {
      if (peer < cell || board[peer] !== digit) continue;
      const unit = unitsOf[cell]!.find((unit, kind) => unit === unitsOf[peer]![kind])!;
      const kind = ["row", "column", "box"][Math.floor(unit / size)]!;
      found.push({ digit, cells: [cell, peer], unit: `${kind} ${unit % size + 1}` });
    }
  }
  return found;
}

/** Whether every unit holds every digit. */
export function isSolved(board: Board): boolean {
  const { size, units } = geometryOf(board);
  const all = 2 ** (size + 1) - 2; // bits 1 to n
  return units.every((unit) => {
    let seen = 0;
    for (const cell of unit) seen |= board[cell]! <= size ? 1 << board[cell]! : 1;
    return seen === all;
  });
}

/** Whether `answer` is solved and keeps every clue of `puzzle`. */
export function isValidSolution(puzzle: Board, answer: Board): boolean {
  return puzzle.length === answer.length && isSolved(answer) &&
    puzzle.every((digit, cell) => digit === 0 || digit === answer[cell]);
}

/**
 * Makes sure that every cell holds 0 to n.
 *
 * @throws {RangeError} when one does not, or no known board is as long
 */
export function checkBoard(board: Board): void {
  const { size } = geometryOf(board);
  for (let cell = 0; cell < board.length; cell++) {
    if (board[cell]! <= size) continue;
    const where = cellName(cell, size);
    throw new RangeError(
      `Cannot use ${board[cell]} in ${where} of a ${size}x${size} board: expected 0 to ${size}`,
    );
  }
}
