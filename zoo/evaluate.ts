/**
 * How well a model solves puzzles that it has not seen.
 *
 * @module
 */
import type { Depth, Model } from "../models/model.ts";
import type { Group } from "./distributed.ts";
import type { Judgement, Puzzle, Task } from "./tasks/task.ts";
import { joinThoughts, think, type ThinkOptions, type Thought } from "./thinking.ts";

/** Shares of puzzles or cells, each in `[0, 1]`. */
export interface Scores {
  /** Puzzles with every cell right. */
  readonly exact: number;
  /** Cells right among those that were blank. */
  readonly blanks: number;
  /** Cells right, those given included. */
  readonly cells: number;
  /** Puzzles whose answer obeys the rules. */
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
  /** What the rating counts. */
  readonly ratingTitle: string;
  /** Units that a puzzle took, in the mean. */
  readonly meanUnits: number;
  /**
   * Share of puzzles whose halting logit after the last unit says rightly whether it is
   * solved; null for a model that has none.
   */
  readonly qHalt: number | null;
  /** What is solved by the first K of several answers, where there are several. */
  readonly passAt: readonly PassAt[];
}

/** What is solved by the first K answers. */
export interface PassAt {
  /** How many answers count. */
  readonly k: number;
  /** Share of puzzles of which one of them is right. */
  readonly exact: number;
  /** Share of groups of puzzles that are solved whole: HRM's rule for ARC; where there are groups. */
  readonly wholeGroups?: number;
  /** The mean over groups of the share that is solved: TRM's rule for ARC; where there are groups. */
  readonly withinGroups?: number;
}

/** Numbers of answers of which one may be right. */
const PASS_AT = [1, 2, 5, 10, 100, 1000] as const;

/**
 * Evaluates a model, or several together, on puzzles.
 *
 * @throws {RangeError} when a model cannot think as deep, or never halts and should
 */
export function evaluate<P extends Puzzle>(
  task: Task<P>,
  models: Model | readonly Model[],
  puzzles: readonly P[],
  options: ThinkOptions = {},
): Evaluation {
  const all = [models].flat() as readonly Model[];
  return score(task, all[0]!.depth.unit, puzzles, think(task, all, puzzles, options));
}

/** The same by several processes, each of which thinks about its own share of the puzzles. */
export async function evaluateTogether<P extends Puzzle>(
  group: Group,
  task: Task<P>,
  model: Model,
  puzzles: readonly P[],
  options: ThinkOptions = {},
): Promise<Evaluation> {
  const { start, end } = group.share(puzzles.length);
  const own = start === end ? [] : think(task, [model], puzzles.slice(start, end), options);
  return score(task, model.depth.unit, puzzles, joinThoughts(await group.gatherAll(own)));
}

/** How right thoughts about puzzles are; `unit` is what a unit of them is called. */
export function score<P extends Puzzle>(
  task: Task<P>,
  unit: Depth["unit"],
  puzzles: readonly P[],
  thoughts: readonly Thought[],
): Evaluation {
  const judged = thoughts.map(({ answers }) =>
    puzzles.map((puzzle, i) => task.judge(puzzle, answers[i]!))
  );
  const last = thoughts.at(-1)!;
  const solved = judged.at(-1)!.map(({ exact }) => exact);
  const byUnit = judged.map(scoresOf);
  return {
    puzzles: puzzles.length,
    unit,
    final: byUnit.at(-1)!,
    byUnit,
    byRating: exactByRating(puzzles, solved),
    ratingTitle: task.ratingTitle,
    meanUnits: mean(last.units),
    qHalt: last.haltLogits === null
      ? null
      : mean(last.haltLogits.map((q, i) => Number(q >= 0 === solved[i]))),
    passAt: passAt(task, puzzles, last),
  };
}

function scoresOf(judgements: readonly Judgement[]): Scores {
  const sum = (count: (judgement: Judgement) => number) =>
    judgements.reduce((total, judgement) => total + count(judgement), 0);
  return {
    exact: sum(({ exact }) => Number(exact)) / judgements.length,
    blanks: sum(({ blanksRight }) => blanksRight) / Math.max(1, sum(({ blanks }) => blanks)),
    cells: sum(({ cellsRight }) => cellsRight) / sum(({ cells }) => cells),
    valid: sum(({ valid }) => Number(valid)) / judgements.length,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Empty where no puzzle had several answers. */
function passAt<P extends Puzzle>(
  task: Task<P>,
  puzzles: readonly P[],
  { ranked }: Thought,
): Evaluation["passAt"] {
  const most = Math.max(...ranked.map((answers) => answers.length));
  if (most === 1) return [];
  const places = puzzles.map((puzzle, i) =>
    ranked[i]!.findIndex(({ answer }) => task.judge(puzzle, answer).exact)
  );
  const groups = task.group === undefined
    ? null
    : [...Map.groupBy(puzzles.keys(), (i) => task.group!(puzzles[i]!)).values()];
  return PASS_AT.filter((k, i) => k <= most || (PASS_AT[i - 1] ?? 0) < most).map((k) => {
    const solved = places.map((place) => Number(place >= 0 && place < k));
    const shares = groups?.map((members) => mean(members.map((i) => solved[i]!)));
    return {
      k,
      exact: mean(solved),
      ...(shares === undefined ? {} : {
        wholeGroups: mean(shares.map((share) => Number(share === 1))),
        withinGroups: mean(shares),
      }),
    };
  });
}

/** Lower ends of the buckets of ratings. */
const RATINGS = [0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500] as const;

function exactByRating(
  puzzles: readonly Puzzle[],
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
