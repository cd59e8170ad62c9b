/**
 * New puzzles: a random full board, from which clues are taken away in random
 * order as long as the solution stays the only one.
 *
 * @module
 */

import { below, type RandomSource, shuffle } from "../random_source.ts";
import { searchOf } from "./_search.ts";
import { type Board, geometryOf, type SudokuPuzzle } from "./board.ts";
import { sudokuGeometry, type SudokuSize } from "./geometry.ts";
import { solve } from "./solver.ts";

/** How many boards {@link generateSudoku} tries unless told otherwise. */
export const defaultAttempts = 10_000;

/** What {@link generateSudoku} is to make. */
export interface GenerateOptions {
  /** The board size. */
  readonly size: SudokuSize;
  /**
   * The fewest and the most clues. The number aimed at is drawn uniformly between
   * them; where no more clues can go before it is reached, any number in the range
   * will do. Random removal ends at about 10 clues for 6x6 and 24 for 9x9.
   */
  readonly clues: readonly [fewest: number, most: number];
  /** The lowest and the highest rating, in backtracks of `solve()`; any by default. */
  readonly rating?: readonly [lowest: number, highest: number];
  /** Take clues away until none can go, whatever number that leaves within `clues`. */
  readonly minimal?: boolean;
  /** Take clues away in pairs, so that their pattern is the same upside down. */
  readonly symmetric?: boolean;
  /** How many boards to try before giving up, 10,000 by default. */
  readonly attempts?: number;
}

/** A puzzle made by {@link generateSudoku}; its rating is the backtracks of `solve()`. */
export interface GeneratedSudoku extends SudokuPuzzle {
  /** The number of clues. */
  readonly clues: number;
}

/**
 * A random puzzle with one solution.
 *
 * @throws {RangeError} when no such puzzle exists, or none is found in `attempts`
 *
 * @example
 * ```ts
 * import { Random } from "@ponder/ponder/core";
 * import { generateSudoku } from "@ponder/ponder/tasks";
 *
 * const { clues } = generateSudoku(new Random(1), { size: 9, clues: [30, 30] });
 * console.log(clues); // 30
 * ```
 */
export function generateSudoku(random: RandomSource, options: GenerateOptions): GeneratedSudoku {
  checkOptions(options);
  const { size, clues: [fewest, most], rating: [lowest, highest] = [0, Infinity] } = options;
  const { minimal = false, symmetric = false, attempts = defaultAttempts } = options;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const aim = minimal ? 0 : fewest + below(random, most - fewest + 1);
    const solution = randomSolution(random, size);
    const puzzle = solution.slice();
    const clues = takeAway(random, puzzle, aim, symmetric);
    if (clues < fewest || clues > most) continue;
    const rating = solve(puzzle).backtracks;
    if (rating >= lowest && rating <= highest) return { puzzle, solution, clues, rating };
  }
  throw new RangeError(
    `Cannot generate ${describe(options)}: none in ${attempts} attempts, ` +
      `allow more clues, other ratings or more attempts`,
  );
}

/**
 * A random full board: random digits in random cells, with all that follows from
 * them, and from the beginning again where that ends in a contradiction.
 *
 * Equivalent boards are equally likely, but classes of them only roughly so: the
 * two of 4x4 come up 0.78 and 1.11 times as often as an even draw would have it,
 * the 49 of 6x6 between 0.3 and 1.4 times (measured).
 *
 * @throws {RangeError} when the size is not known
 */
export function randomSolution(random: RandomSource, size: SudokuSize): Board {
  const search = searchOf(size);
  const blank = new Uint8Array(size * size);
  do search.load(blank); while (!search.tryFill(random));
  return search.found.slice();
}

/** Takes clues from `puzzle`, in random order, down to `aim` or until none can go; how many stay. */
function takeAway(
  random: RandomSource,
  puzzle: Board,
  aim: number,
  symmetric: boolean,
): number {
  let clues = puzzle.length;
  for (const cell of shuffle(random, Uint8Array.from(puzzle.keys()))) {
    const twin = symmetric ? puzzle.length - 1 - cell : cell; // the cell half a turn away
    const left = clues - (twin === cell ? 1 : 2);
    if (cell > twin || left < aim) continue; // a pair is tried once
    const digit = puzzle[cell]!, twinDigit = puzzle[twin]!;
    puzzle[cell] = puzzle[twin] = 0;
    if (isForced(puzzle, cell, digit) && (twin === cell || isForced(puzzle, twin, twinDigit))) {
      clues = left;
    } else {
      puzzle[cell] = digit;
      puzzle[twin] = twinDigit;
    }
  }
  return clues;
}

/**
 * Whether every solution of `puzzle` has `digit` in `cell`, a blank one. Where
 * the solution was the only one before a clue went, it still is exactly when the
 * clue is forced, and that is told much sooner than by solving anew.
 */
function isForced(puzzle: Board, cell: number, digit: number): boolean {
  const { size, peers } = geometryOf(puzzle);
  let seen = 1 << digit;
  for (const peer of peers[cell]!) seen |= 1 << puzzle[peer]!;
  if ((seen | 1) === 2 ** (size + 1) - 1) return true; // the peers hold every other digit
  const search = searchOf(size);
  search.load(puzzle);
  search.forbid(cell, digit);
  search.run(1);
  return search.solutions === 0;
}

function checkOptions(options: GenerateOptions): void {
  const { size, clues: [fewest, most], rating: [lowest, highest] = [0, Infinity] } = options;
  const { attempts = 1 } = options;
  const { cells, fewestClues } = sudokuGeometry(size);
  const refuse = (why: string): never => {
    throw new RangeError(`Cannot generate ${describe(options)}: ${why}`);
  };
  if (!Number.isInteger(fewest) || !Number.isInteger(most) || fewest > most) {
    refuse("clues must be two integers, the lower first");
  }
  if (most < fewestClues) refuse(`with one solution it has at least ${fewestClues} clues`);
  if (fewest > cells) refuse(`it has only ${cells} cells`);
  if (!(lowest <= highest) || highest < 0) {
    refuse("ratings must be two numbers from 0, the lower first");
  }
  if (!Number.isInteger(attempts) || attempts < 1) {
    refuse(`attempts must be a positive integer, not ${attempts}`);
  }
}

/** The request in words. */
function describe({ size, clues, rating }: GenerateOptions): string {
  const rated = rating === undefined ? "" : ` and rating ${rating[0]} to ${rating[1]}`;
  return `a ${size}x${size} puzzle with ${clues[0]} to ${clues[1]} clues${rated}`;
}
