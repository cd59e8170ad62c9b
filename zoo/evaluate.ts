/**
 * How well a model solves puzzles that it has not seen.
 *
 * @module
 */
import { noGrad } from "../core/autograd.ts";
import type { Device } from "../core/device.ts";
import { scope } from "../core/scope.ts";
import { carryTensors, initialCarry } from "../models/halting.ts";
import type { Hrm } from "../models/hrm.ts";
import { decodeBoard, isValidSolution, type SudokuPuzzle, type SudokuSize } from "../tasks/mod.ts";
import { puzzleBatch } from "./sudoku_data.ts";

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
  /** Scores after the last segment. */
  readonly final: Scores;
  /** Scores after each segment, the first at index 0. */
  readonly bySegment: readonly Scores[];
  /** Exact share after the last segment by rating, and how many puzzles have it. */
  readonly byRating: readonly {
    readonly rating: string;
    readonly puzzles: number;
    readonly exact: number;
  }[];
  /** Share of puzzles whose halting logit after the last segment says rightly whether it is solved. */
  readonly qHalt: number;
}

/** How to evaluate. */
export interface EvaluateOptions {
  /** Segments of thinking; by default the model's most. */
  readonly segments?: number;
  /** Puzzles at a time; default 256. */
  readonly batchSize?: number;
  /** Where the model lies. */
  readonly device?: Device;
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

/** Evaluates a model on puzzles; every one gets every segment. */
export function evaluate(
  model: Hrm,
  puzzles: readonly SudokuPuzzle[],
  { segments = model.config.haltMaxSteps, batchSize = 256, device = "cpu" }: EvaluateOptions = {},
): Evaluation {
  const counts = Array.from({ length: segments }, emptyCount);
  const solved: boolean[] = [];
  let haltsRight = 0;
  for (let start = 0; start < puzzles.length; start += batchSize) {
    const part = puzzles.slice(start, start + batchSize);
    const thoughts = think(model, part, segments, device);
    thoughts.forEach(({ answers }, segment) => {
      part.forEach((puzzle, i) => countAnswer(counts[segment]!, puzzle, answers[i]!));
    });
    const last = thoughts.at(-1)!;
    part.forEach((puzzle, i) => {
      const right = equalBoards(last.answers[i]!, puzzle.solution);
      solved.push(right);
      if (last.haltLogits[i]! >= 0 === right) haltsRight++;
    });
  }
  const bySegment = counts.map((count) => scoresOf(count, puzzles.length));
  return {
    puzzles: puzzles.length,
    final: bySegment.at(-1)!,
    bySegment,
    byRating: exactByRating(puzzles, solved),
    qHalt: haltsRight / puzzles.length,
  };
}

/** The boards that a model answers after one segment, 0 where it names no digit. */
export interface Thought {
  /** One board for each puzzle. */
  readonly answers: readonly Uint8Array[];
  /** The logit of halting for each puzzle. */
  readonly haltLogits: readonly number[];
}

/** What a model answers after each segment. */
export function think(
  model: Hrm,
  puzzles: readonly Pick<SudokuPuzzle, "puzzle" | "solution">[],
  segments: number,
  device: Device = "cpu",
): Thought[] {
  const length = puzzles[0]!.puzzle.length;
  const size = Math.sqrt(length) as SudokuSize;
  return noGrad(() => {
    using _ = scope();
    const batch = puzzleBatch(puzzles, device);
    let carry = initialCarry(model.initialStates(), batch);
    const thoughts: Thought[] = [];
    for (let segment = 0; segment < segments; segment++) {
      using inner = scope();
      const { carry: next, outputs } = model.step(carry, batch);
      const tokens = outputs.logits.argmax(-1).toNumbers();
      thoughts.push({
        answers: puzzles.map((_, i) =>
          decodeBoard(tokens.slice(i * length, (i + 1) * length), size)
        ),
        haltLogits: outputs.qHalt.toNumbers(),
      });
      for (const tensor of Object.values(carryTensors(carry))) tensor.dispose();
      carry = { ...next, halted: next.halted.zerosLike() }; // nobody leaves before the end
      inner.keep(Object.values(carryTensors(carry)));
    }
    return thoughts;
  });
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
