/**
 * Solving and rating: naked and hidden singles as long as there are any, then a
 * guess, and the same again below it.
 *
 * @module
 */

import { searchOf } from "./_search.ts";
import { type Board, checkBoard, geometryOf } from "./board.ts";

/** How far {@link solve} searches. */
export interface SolveOptions {
  /**
   * Stop when this many solutions are found. The default, 2, is what it takes to
   * tell whether a solution is the only one.
   */
  readonly maxSolutions?: number;
}

/** What {@link solve} found. */
export interface SolveResult {
  /** The number of solutions, at most `maxSolutions`. */
  readonly solutions: number;
  /** The first solution found, when there is one. */
  readonly solution?: Board;
  /**
   * The rating: the number of guesses that ended in a contradiction.
   *
   * A guess puts a digit in the cell with the fewest candidates, or, when none
   * has only two, in one of the two places left for a digit in a unit. It counts
   * when naked and hidden singles alone then lead to a contradiction. The search
   * does not stop at the solution: the guesses that rule out a second one count
   * too. For a puzzle with one solution this is 0 exactly when singles alone
   * solve it, and does not depend on how the digits are named or on the order in
   * which they are tried; only moving rows and columns may change it, since
   * equally good places are taken in reading order.
   *
   * In the spirit of the guesses that tdoku counts for Sudoku-Extreme, but not
   * equal to them: tdoku also propagates between boxes and lines, so it guesses
   * less.
   */
  readonly backtracks: number;
}

/**
 * The solutions of a board, counted up to `maxSolutions`, and the first of them.
 *
 * @throws {RangeError} when the board holds a number above n, no known board is
 * as long, or `maxSolutions` is not a positive integer
 *
 * @example
 * ```ts
 * import { formatBoard, parseBoard, solve } from "@ponder/ponder/tasks";
 *
 * const { solutions, solution, backtracks } = solve(parseBoard(".2...412...4...."));
 * console.log(solutions, formatBoard(solution!), backtracks); // 1 1243341221344321 0
 * ```
 */
export function solve(board: Board, options: SolveOptions = {}): SolveResult {
  const { maxSolutions = 2 } = options;
  if (!Number.isInteger(maxSolutions) || maxSolutions < 1) {
    throw new RangeError(
      `Cannot search for ${maxSolutions} solutions: expected a positive integer`,
    );
  }
  checkBoard(board);
  const search = searchOf(geometryOf(board).size);
  search.load(board);
  search.run(maxSolutions);
  const { solutions, backtracks } = search;
  if (solutions === 0) return { solutions, backtracks };
  return { solutions, solution: search.found.slice(), backtracks };
}
