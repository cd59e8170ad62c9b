/**
 * From the predictions for all augmentations of a task to two answers, as HRM's
 * and TRM's evaluation does: the predicted canvases are cropped, what the
 * augmentation did is undone, and equal grids are votes for one candidate.
 *
 * Candidates are ranked by the number of votes, then by the mean of
 * `sigmoid(q_halt)`, then by which came first.
 *
 * @module
 */

import { augmentArcGrid, invertArcAugmentation } from "./augment.ts";
import { cropArcGrid } from "./encode.ts";
import {
  type ArcGrid,
  arcGrid,
  arcGridKey,
  arcGridOfKey,
  arcRows,
  type ArcTask,
  sameArcGrid,
} from "./grid.ts";
import { parseArcIdentifier } from "./identifier.ts";

/** How many of the first candidates are looked at, in the reference repositories. */
export const arcPassKs: readonly number[] = [1, 2, 5, 10, 100, 1000];

/** What a model answers to one test input of one augmented task. */
export interface ArcPrediction {
  /** The name of the augmented task. */
  readonly identifier: string;
  /** The tokens of the input, n², not moved. */
  readonly inputs: ArrayLike<number>;
  /** The predicted tokens, n². */
  readonly tokens: ArrayLike<number>;
  /** The logit of halting, from which the model's confidence is computed. */
  readonly qHalt: number;
}

/** A grid that was predicted. */
export interface ArcCandidate {
  /** The grid, the augmentation undone. */
  readonly grid: ArcGrid;
  /** How many predictions came to it. */
  readonly votes: number;
  /** The mean of `sigmoid(q_halt)` over these. */
  readonly confidence: number;
}

/** Part of the test pairs solved, with K answers allowed. */
export interface ArcPassRate {
  /** The number K of answers. */
  readonly k: number;
  /** The part of the tasks that have all test inputs right: HRM's rule, and that of ARC-AGI. */
  readonly wholeTasks: number;
  /** The mean over tasks of the part of test inputs that are right: TRM's rule. */
  readonly withinTasks: number;
}

/** Two answers to one test input, in Kaggle's form. */
export interface ArcAttempts {
  /** The first answer, row by row. */
  readonly attempt_1: number[][];
  /** The second. */
  readonly attempt_2: number[][];
}

/** The votes for one candidate. */
interface Tally {
  votes: number;
  confidences: number;
}

/** Votes for the answers to the test inputs of many tasks. */
export class ArcVotes {
  /** The tallies by task, then by the key of the test input, then by that of the candidate. */
  readonly #tallies: Map<string, Map<string, Map<string, Tally>>> = new Map();

  /**
   * Counts a prediction.
   *
   * @throws {RangeError} when the tokens form no canvas, or `qHalt` is not a number
   * @throws {SyntaxError} when the identifier cannot be read
   */
  add({ identifier, inputs, tokens, qHalt }: ArcPrediction): void {
    if (Number.isNaN(qHalt)) {
      throw new RangeError(`Cannot vote for an answer to "${identifier}": its q_halt is NaN`);
    }
    const { task, augmentation } = parseArcIdentifier(identifier);
    const inverse = invertArcAugmentation(augmentation);
    const keyOf = (canvas: ArrayLike<number>): string =>
      arcGridKey(augmentArcGrid(inverse, cropArcGrid(canvas)));
    const byInput = entry(this.#tallies, task, () => new Map<string, Map<string, Tally>>());
    const byGrid = entry(byInput, keyOf(inputs), () => new Map<string, Tally>());
    const tally = entry(byGrid, keyOf(tokens), () => ({ votes: 0, confidences: 0 }));
    tally.votes++;
    tally.confidences += 1 / (1 + Math.exp(-qHalt));
  }

  /** The candidates for a test input of a task, the best first. */
  rank(task: string, input: ArcGrid): ArcCandidate[] {
    const byGrid = this.#tallies.get(task)?.get(arcGridKey(input)) ?? [];
    return Array.from(byGrid, ([key, { votes, confidences }]) => {
      return { grid: arcGridOfKey(key), votes, confidence: confidences / votes };
    }).sort((a, b) => b.votes - a.votes || b.confidence - a.confidence);
  }
}

/**
 * Votes of all predictions, to be ranked by task and test input.
 *
 * @throws {RangeError} when tokens form no canvas, or a `qHalt` is not a number
 * @throws {SyntaxError} when an identifier cannot be read
 *
 * @example
 * ```ts
 * import { encodeArcGrid, formatArcGrid, parseArcGrid, voteArc } from "@ponder/ponder/tasks";
 *
 * const input = parseArcGrid("12"), answer = parseArcGrid("21"), other = parseArcGrid("22");
 * const inputs = encodeArcGrid(input);
 * const votes = voteArc([
 *   { identifier: "t", inputs, tokens: encodeArcGrid(other), qHalt: 9 },
 *   { identifier: "t", inputs, tokens: encodeArcGrid(answer), qHalt: -1 },
 *   { identifier: "t", inputs, tokens: encodeArcGrid(answer), qHalt: 1 },
 * ]);
 * const [best] = votes.rank("t", input);
 * console.log(formatArcGrid(best!.grid), best!.votes, best!.confidence); // 21 2 0.5
 * ```
 */
export function voteArc(predictions: Iterable<ArcPrediction>): ArcVotes {
  const votes = new ArcVotes();
  for (const prediction of predictions) votes.add(prediction);
  return votes;
}

/**
 * How much of the tasks is solved with 1, 2, … answers, in both rules of credit.
 * A test input without predictions is not solved.
 *
 * @throws {RangeError} when there are no tasks, or the output of a test pair is not known
 */
export function scoreArc(
  votes: ArcVotes,
  tasks: readonly ArcTask[],
  ks: readonly number[] = arcPassKs,
): ArcPassRate[] {
  if (tasks.length === 0) throw new RangeError("Cannot score no tasks: expected at least one");
  const places = tasks.map((task) => placesOfAnswers(votes, task));
  return ks.map((k) => {
    const solved = places.map((ofTask) => ofTask.filter((place) => place < k).length);
    const sum = (credit: (numSolved: number, numTests: number) => number): number =>
      solved.reduce((total, numSolved, i) => total + credit(numSolved, places[i]!.length), 0);
    return {
      k,
      wholeTasks: sum((numSolved, numTests) => numSolved === numTests ? 1 : 0) / tasks.length,
      withinTasks: sum((numSolved, numTests) => numSolved / numTests) / tasks.length,
    };
  });
}

/**
 * The first two candidates for every test input, by task: what Kaggle's
 * competition takes, once written as JSON. Where there is only one it is
 * given twice; where there is none, a single black cell.
 */
export function arcSubmission(
  votes: ArcVotes,
  tasks: readonly ArcTask[],
): Record<string, ArcAttempts[]> {
  const none = arcGrid([[0]]);
  return Object.fromEntries(tasks.map(({ name, test }) => {
    const attempts = test.map(({ input }) => {
      const [first = none, second = first] = votes.rank(name, input).map(({ grid }) => grid);
      return { attempt_1: arcRows(first), attempt_2: arcRows(second) };
    });
    return [name, attempts];
  }));
}

/** For each test pair of a task, how many candidates rank before the answer; Infinity if it is none. */
function placesOfAnswers(votes: ArcVotes, { name, test }: ArcTask): number[] {
  return test.map(({ input, output }, i) => {
    if (output === null) {
      throw new RangeError(
        `Cannot score task "${name}": the output of test pair ${i + 1} is not known`,
      );
    }
    const place = votes.rank(name, input).findIndex(({ grid }) => sameArcGrid(grid, output));
    return place < 0 ? Infinity : place;
  });
}

/** The value of a key, made and stored where there is none. */
function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
