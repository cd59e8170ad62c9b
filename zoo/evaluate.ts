/**
 * How well a model solves puzzles that it has not seen.
 *
 * @module
 */
import type { Depth, Model } from "../models/model.ts";
import { isValidSolution, type SudokuPuzzle } from "../tasks/mod.ts";
import { think, type ThinkOptions } from "./thinking.ts";

/** Shares of puzzles or cells, each in `[0, 1]`. */
export interface Scores {
  /** Puzzles with every cell right. */
  readonly exact: number;
  /** Cells right among those that were blank. */
  readonly blanks: number;
  /** Cells right, clues included. */
  readonly cells: number;
  /** Puzzles whose answer obeys the rules and keeps the clues. */
  readonly valid: number;
}

/** The result of an evaluation. */
export interface Evaluation {
  /** How many puzzles. */
  readonly puzzles: number;
  /** What a unit of thought is called. */
  readonly unit: Depth["unit"];
  /** Scores after the last unit of thought. */
  readonly final: Scores;
  /** Scores after each unit, the first at index 0. */
  readonly byUnit: readonly Scores[];
  /** Exact share after the last unit by rating, and how many puzzles have it. */
  readonly byRating: readonly {
    readonly rating: string;
    readonly puzzles: number;
    readonly exact: number;
  }[];
  /** Units that a puzzle took, in the mean. */
  readonly meanUnits: number;
  /**
   * Share of puzzles whose halting logit after the last unit says rightly whether it is
   * solved; null for a model that has none.
   */
  readonly qHalt: number | null;
}

/** How to evaluate. */
export interface EvaluateOptions extends ThinkOptions {
  /** Puzzles at a time; default 256. */
  readonly batchSize?: number;
}

/** What is counted of one puzzle after one segment. */
interface Count {
  exact: number;
  blanksRight: number;
  blanks: number;
  cellsRight: number;
  cells: number;
  valid: number;
}

const emptyCount = (): Count => ({
  exact: 0,
  blanksRight: 0,
  blanks: 0,
  cellsRight: 0,
  cells: 0,
  valid: 0,
});

/**
 * Evaluates a model, or several together, on puzzles.
 *
 * @throws {RangeError} when the model cannot think as deep, or never halts and should
 */
export function evaluate(
  models: Model | readonly Model[],
  puzzles: readonly SudokuPuzzle[],
  { batchSize = 256, ...how }: EvaluateOptions = {},
): Evaluation {
  const all = [models].flat() as readonly Model[];
  const { unit } = all[0]!.depth;
  const counts: Count[] = [];
  const solved: boolean[] = [];
  let haltsRight: number | null = 0, units = 0;
  for (let start = 0; start < puzzles.length; start += batchSize) {
    const part = puzzles.slice(start, start + batchSize);
    const thoughts = think(all, part, how);
    const last = thoughts.at(-1)!;
    const most = Math.max(thoughts.length, counts.length);
    while (counts.length < most) counts.push({ ...(counts.at(-1) ?? emptyCount()) });
    counts.forEach((count, i) => {
      const { answers } = thoughts[i] ?? last; // a part that halted early stays as it is
      part.forEach((puzzle, k) => countAnswer(count, puzzle, answers[k]!));
    });
    part.forEach((puzzle, i) => {
      const right = equalBoards(last.answers[i]!, puzzle.solution);
      solved.push(right);
      units += last.units[i]!;
      if (last.haltLogits === null) haltsRight = null;
      else if (last.haltLogits[i]! >= 0 === right) haltsRight!++;
    });
  }
  const byUnit = counts.map((count) => scoresOf(count, puzzles.length));
  return {
    puzzles: puzzles.length,
    unit,
    final: byUnit.at(-1)!,
    byUnit,
    byRating: exactByRating(puzzles, solved),
    meanUnits: units / puzzles.length,
    qHalt: haltsRight === null ? null : haltsRight / puzzles.length,
  };
}

function equalBoards(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((digit, cell) => digit === b[cell]);
}

function countAnswer(count: Count, { puzzle, solution }: SudokuPuzzle, answer: Uint8Array): void {
  let right = 0;
  for (let cell = 0; cell < solution.length; cell++) {
    const isRight = answer[cell] === solution[cell];
    if (isRight) right++;
    if (puzzle[cell] !== 0) continue;
    count.blanks++;
    if (isRight) count.blanksRight++;
  }
  count.cells += solution.length;
  count.cellsRight += right;
  if (right === solution.length) count.exact++;
  if (isValidSolution(puzzle, answer)) count.valid++;
}

function scoresOf(count: Count, puzzles: number): Scores {
  return {
    exact: count.exact / puzzles,
    blanks: count.blanksRight / Math.max(1, count.blanks),
    cells: count.cellsRight / count.cells,
    valid: count.valid / puzzles,
  };
}

/** Lower ends of the buckets of ratings. */
const RATINGS = [0, 1, 2, 3, 5, 10, 20, 50] as const;

function exactByRating(
  puzzles: readonly SudokuPuzzle[],
  solved: readonly boolean[],
): Evaluation["byRating"] {
  return RATINGS.flatMap((from, i) => {
    const to = RATINGS[i + 1] ?? Infinity;
    const inside = solved.filter((_, k) => puzzles[k]!.rating >= from && puzzles[k]!.rating < to);
    if (inside.length === 0) return [];
    const rating = to === from + 1 ? `${from}` : to === Infinity ? `${from}+` : `${from}-${to - 1}`;
    const exact = inside.filter(Boolean).length / inside.length;
    return [{ rating, puzzles: inside.length, exact }];
  });
}
