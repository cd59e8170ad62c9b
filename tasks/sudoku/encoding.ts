/**
 * Boards as the tokens of HRM's and TRM's Sudoku data: 0 pads, 1 is a blank and
 * digit d is d + 1. Labels are shifted like inputs and never 0.
 *
 * @module
 */

import { type Board, checkBoard } from "./board.ts";
import type { SudokuSize } from "./geometry.ts";

/** The token that fills up a batch. */
export const sudokuPad = 0;

/** The token of a blank cell. */
export const sudokuBlank = 1;

/** The number of tokens of a board size: padding, blank and n digits. */
export function sudokuVocabSize(size: SudokuSize): number {
  return size + 2;
}

/** The number of tokens of a board, n². */
export function sudokuSeqLen(size: SudokuSize): number {
  return size * size;
}

/**
 * The tokens of a board, written into `out` where one is given.
 *
 * @throws {RangeError} when a cell holds a number above n, or `out` is not as long as the board
 *
 * @example
 * ```ts
 * import { encodeBoard, parseBoard } from "@ponder/ponder/tasks";
 *
 * const tokens = encodeBoard(parseBoard("12.........4..21"));
 * console.log(tokens.subarray(0, 3)); // Uint8Array(3) [ 2, 3, 1 ]
 * ```
 */
export function encodeBoard(
  board: Board,
  out: Uint8Array = new Uint8Array(board.length),
): Uint8Array {
  checkBoard(board);
  checkLength(out, board.length);
  for (let cell = 0; cell < board.length; cell++) out[cell] = board[cell]! + sudokuBlank;
  return out;
}

/**
 * The board of n² tokens, as a model predicts them; a token that stands for no
 * digit (padding, blank, or past the last digit) becomes a blank.
 *
 * @throws {RangeError} when there are not n² tokens
 */
export function decodeBoard(tokens: ArrayLike<number>, size: SudokuSize): Board {
  checkLength(tokens, sudokuSeqLen(size));
  const board = new Uint8Array(tokens.length);
  for (let cell = 0; cell < board.length; cell++) {
    const digit = tokens[cell]! - sudokuBlank;
    board[cell] = digit >= 1 && digit <= size ? digit : 0;
  }
  return board;
}

function checkLength(tokens: ArrayLike<number>, length: number): void {
  if (tokens.length === length) return;
  throw new RangeError(
    `Cannot hold a board of ${length} cells in ${tokens.length} tokens: expected as many`,
  );
}
