/**
 * From tasks to what a model is trained and tested on, in the terms of HRM's and
 * TRM's data: a group is a task, its puzzles are the task and its augmentations,
 * each with an identifier of its own, and the examples of a puzzle are its pairs.
 *
 * The training split has the demonstrations of every task, and the test pairs of
 * those that are not to be evaluated; the test split has the test pairs of those
 * that are, for all augmentations. A puzzle of an evaluated task has the same
 * identifier in both: its demonstrations are trained on.
 *
 * A thousand augmentations of a thousand tasks are several gigabytes of tokens.
 * Hence a plan, which holds only the names, and generators that make the examples
 * of one puzzle at a time.
 *
 * @module
 */

import { below, type RandomSource } from "../random_source.ts";
import { type ArcAugmentation, augmentArcGrid, drawArcAugmentations } from "./augment.ts";
import {
  type ArcOffset,
  arcOrigin,
  arcPad,
  arcSeqLen,
  drawArcOffset,
  encodeArcGrid,
} from "./encode.ts";
import { arcMaxSize, type ArcTask, type ArcTestPair } from "./grid.ts";
import { type ArcIdentifierStyle, formatArcIdentifier, parseArcIdentifier } from "./identifier.ts";

/** The name of identifier 0, which stands for no puzzle and fills up a batch. */
export const arcBlankIdentifier = "<blank>";

/** Tasks that are used alike. */
export interface ArcSubset {
  /** What the errors call it, such as `"training"`. */
  readonly name: string;
  /** The tasks. */
  readonly tasks: readonly ArcTask[];
  /** Whether the test pairs are kept for testing; else they are trained on like demonstrations. */
  readonly evaluated: boolean;
}

/** How {@link planArcPuzzles} plans. */
export interface ArcPuzzleOptions {
  /** How many augmentations of each task to try for, 1000 in the papers. */
  readonly augmentations: number;
  /** How the augmented tasks are named; as TRM does by default. */
  readonly style?: ArcIdentifierStyle;
  /** The rows and columns of the canvas, 30 by default. */
  readonly size?: number;
}

/** A task with the identifiers of its puzzles. */
export interface ArcPlannedTask {
  /** The task. */
  readonly task: ArcTask;
  /** Whether its test pairs are kept for testing. */
  readonly evaluated: boolean;
  /** The identifier of the task itself; those of its augmentations follow. */
  readonly firstIdentifier: number;
  /** How many puzzles there are: 1 and the augmentations found. */
  readonly numPuzzles: number;
}

/** How much there is of one split. */
export interface ArcSplitSize {
  /** The number of groups, one for each task. */
  readonly groups: number;
  /** The number of puzzles, all groups taken together. */
  readonly puzzles: number;
  /** The number of examples, all puzzles taken together. */
  readonly examples: number;
}

/** Which puzzles there are, before any of their tokens are made. */
export interface ArcPuzzlePlan {
  /** The rows and columns of the canvas. */
  readonly size: number;
  /** The tasks in the order of their subsets; a group each. */
  readonly tasks: readonly ArcPlannedTask[];
  /** The names of the puzzles; the index is the identifier, 0 is `"<blank>"`. */
  readonly identifiers: readonly string[];
  /** The size of the training split. */
  readonly train: ArcSplitSize;
  /** The size of the test split. */
  readonly test: ArcSplitSize;
}

/** One pair as tokens. */
export interface ArcExample {
  /** The tokens of the input, n². */
  readonly inputs: Uint8Array;
  /** The tokens of the output, n²; all padding where it is not known. */
  readonly labels: Uint8Array;
}

/** A task or an augmentation of it. */
export interface ArcPuzzle {
  /** The index of its name among the plan's identifiers, from 1. */
  readonly identifier: number;
  /** The pairs that belong to the split. */
  readonly examples: readonly ArcExample[];
}

/**
 * The puzzles of a task: itself, then its augmentations. They are made as they
 * are gone through, and anew each time.
 */
export interface ArcPuzzleGroup extends Iterable<ArcPuzzle> {
  /** The name of the task. */
  readonly task: string;
}

/**
 * Which puzzles there are: the augmentations of every task, drawn and numbered.
 *
 * @throws {RangeError} when two tasks have one name, a grid is larger than the
 * canvas, or the number of augmentations is not an integer from 0
 *
 * @example
 * ```ts
 * import { Random } from "@ponder/ponder/core";
 * import {
 *   arcTestGroups,
 *   arcTrainGroups,
 *   generateArcMini,
 *   planArcPuzzles,
 * } from "@ponder/ponder/tasks";
 *
 * const random = new Random(1);
 * const tasks = [generateArcMini(random, { pairs: [3, 3] })];
 * const subsets = [{ name: "mini", tasks, evaluated: true }];
 * const plan = planArcPuzzles(random, subsets, { augmentations: 4, size: 10 });
 * console.log(plan.train); // { groups: 1, puzzles: 5, examples: 15 }
 * for (const group of arcTrainGroups(random, plan)) {
 *   for (const { identifier, examples } of group) {
 *     console.log(plan.identifiers[identifier], examples[0]!.inputs.length);
 *   }
 * }
 * console.log([...arcTestGroups(plan)].length); // 1
 * ```
 */
export function planArcPuzzles(
  random: RandomSource,
  subsets: readonly ArcSubset[],
  options: ArcPuzzleOptions,
): ArcPuzzlePlan {
  const { augmentations, style = "trm", size = arcMaxSize } = options;
  arcSeqLen(size); // refuses a size that is none
  const subsetOf = new Map<string, string>();
  const identifiers = [arcBlankIdentifier];
  const tasks: ArcPlannedTask[] = [];
  for (const { name: subset, tasks: members, evaluated } of subsets) {
    for (const task of members) {
      checkTask(task, subset, subsetOf, size);
      subsetOf.set(task.name, subset);
      const firstIdentifier = identifiers.length;
      for (const augmentation of drawArcAugmentations(random, task, augmentations)) {
        identifiers.push(formatArcIdentifier(task.name, augmentation, style));
      }
      const numPuzzles = identifiers.length - firstIdentifier;
      tasks.push({ task, evaluated, firstIdentifier, numPuzzles });
    }
  }
  const train = splitSize(tasks, trainPairs), test = splitSize(tasks, testPairs);
  return { size, tasks, identifiers, train, test };
}

/**
 * The training split. Every example is moved by a random offset, the same for
 * input and output, except one random example of each puzzle, which stays in the
 * corner where the test examples lie.
 *
 * Going through a puzzle again draws other offsets; one passed over draws none.
 */
export function* arcTrainGroups(
  random: RandomSource,
  plan: ArcPuzzlePlan,
): Generator<ArcPuzzleGroup> {
  yield* groups(plan, trainPairs, (pairs) => {
    const still = below(random, pairs.length);
    return pairs.map((pair, i) =>
      encodePair(pair, plan.size, i === still ? arcOrigin : drawArcOffset(random, pair, plan.size))
    );
  });
}

/** The test split; no example is moved. */
export function* arcTestGroups(plan: ArcPuzzlePlan): Generator<ArcPuzzleGroup> {
  const { size } = plan;
  yield* groups(plan, testPairs, (pairs) => pairs.map((pair) => encodePair(pair, size, arcOrigin)));
}

type Pairs = readonly ArcTestPair[];

/** What is trained on; a pair without an output teaches nothing. */
function trainPairs({ task, evaluated }: ArcPlannedTask): Pairs {
  if (evaluated) return task.train;
  return [...task.train, ...task.test.filter(({ output }) => output !== null)];
}

/** What is tested on. */
function testPairs({ task, evaluated }: ArcPlannedTask): Pairs {
  return evaluated ? task.test : [];
}

function* groups(
  plan: ArcPuzzlePlan,
  pairsOf: (planned: ArcPlannedTask) => Pairs,
  encode: (pairs: Pairs) => ArcExample[],
): Generator<ArcPuzzleGroup> {
  for (const planned of plan.tasks) {
    const pairs = pairsOf(planned);
    if (pairs.length === 0) continue;
    yield {
      task: planned.task.name,
      [Symbol.iterator]: () => puzzlesOf(plan, planned, pairs, encode),
    };
  }
}

function* puzzlesOf(
  { identifiers }: ArcPuzzlePlan,
  { firstIdentifier, numPuzzles }: ArcPlannedTask,
  pairs: Pairs,
  encode: (pairs: Pairs) => ArcExample[],
): Generator<ArcPuzzle> {
  for (let i = 0; i < numPuzzles; i++) {
    const identifier = firstIdentifier + i;
    const { augmentation } = parseArcIdentifier(identifiers[identifier]!);
    yield { identifier, examples: encode(pairs.map((pair) => augmentPair(augmentation, pair))) };
  }
}

function augmentPair(augmentation: ArcAugmentation, { input, output }: ArcTestPair): ArcTestPair {
  return {
    input: augmentArcGrid(augmentation, input),
    output: output === null ? null : augmentArcGrid(augmentation, output),
  };
}

function encodePair({ input, output }: ArcTestPair, size: number, offset: ArcOffset): ArcExample {
  const inputs = encodeArcGrid(input, { size, offset });
  if (output === null) return { inputs, labels: new Uint8Array(inputs.length).fill(arcPad) };
  return { inputs, labels: encodeArcGrid(output, { size, offset }) };
}

function splitSize(
  tasks: readonly ArcPlannedTask[],
  pairsOf: (planned: ArcPlannedTask) => Pairs,
): ArcSplitSize {
  const numPairs = tasks.map((planned) => pairsOf(planned).length);
  const sum = (term: (planned: ArcPlannedTask, pairs: number) => number): number =>
    tasks.reduce((total, planned, i) => {
      return numPairs[i] === 0 ? total : total + term(planned, numPairs[i]!);
    }, 0);
  return {
    groups: sum(() => 1),
    puzzles: sum(({ numPuzzles }) => numPuzzles),
    examples: sum(({ numPuzzles }, pairs) => numPuzzles * pairs),
  };
}

function checkTask(
  { name, train, test }: ArcTask,
  subset: string,
  subsetOf: ReadonlyMap<string, string>,
  size: number,
): void {
  const refuse = (why: string): never => {
    throw new RangeError(`Cannot plan task "${name}" of subset "${subset}": ${why}`);
  };
  const other = subsetOf.get(name);
  if (name === arcBlankIdentifier) refuse("its name stands for no task");
  if (other !== undefined) refuse(`subset "${other}" has a task of that name`);
  for (const { input, output } of [...train, ...test]) {
    for (const grid of [input, output]) {
      if (grid === null || grid.rows <= size && grid.columns <= size) continue;
      refuse(`a grid of ${grid.rows}x${grid.columns} is larger than the canvas of ${size}x${size}`);
    }
  }
}
