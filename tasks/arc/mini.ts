/**
 * arc-mini: tasks in the manner of ARC, of at most 10 x 10 cells, made from a
 * seed. Each belongs to a family of concepts, such as gravity, and follows one
 * hidden rule of it, such as falling to the left.
 *
 * Whatever rule of any family explains all demonstrations of a task gives the
 * same answer to its test, so that the answer can be known.
 *
 * @module
 */

import { below, type RandomSource } from "../random_source.ts";
import {
  type ArcGrid,
  arcMaxSize,
  type ArcPair,
  type ArcTask,
  type ArcTestPair,
  sameArcGrid,
} from "./grid.ts";
import { arcMiniFamilies, type ArcMiniFamilyName, arcMiniFamilyNames } from "./mini/families.ts";

/** The rows and columns of a grid of arc-mini, at most, unless told otherwise. */
export const arcMiniSize = 10;

/** The smallest such bound in which every family has room. */
const leastSize = 6;

/** How many tasks, and how many inputs for each, are tried before giving up. */
const numAttempts = 1000;

/** What {@link generateArcMini} is to make. */
export interface ArcMiniOptions {
  /** The families to choose from, each as likely as the others; all by default. */
  readonly families?: readonly ArcMiniFamilyName[];
  /** The most rows and columns of a grid, 6 to 30; 10 by default. */
  readonly size?: number;
  /** The fewest and the most demonstrations, 3 to 5 by default. */
  readonly pairs?: readonly [fewest: number, most: number];
  /** What the task is called; by default its family and a random number. */
  readonly name?: string;
}

/** A rule that explains the demonstrations of a task. */
export interface ArcMiniExplanation {
  /** The family of the rule. */
  readonly family: ArcMiniFamilyName;
  /** The index of the rule in its family. */
  readonly rule: number;
  /** The parameters of the rule, in words. */
  readonly parameters: string;
  /** What the rule answers to each test input; `null` where it does not apply. */
  readonly answers: readonly (ArcGrid | null)[];
}

/**
 * A random task with one test pair.
 *
 * In every pair input and output differ and the output has a colour; no two
 * inputs are equal.
 *
 * @throws {RangeError} when a family is not known, the size or the number of
 * pairs is out of range, or no such task is found
 *
 * @example
 * ```ts
 * import { Random } from "@ponder/ponder/core";
 * import { explainArcMini, generateArcMini } from "@ponder/ponder/tasks";
 *
 * const task = generateArcMini(new Random(1), { families: ["gravity"], pairs: [3, 3] });
 * const [explanation] = explainArcMini(task);
 * console.log(task.train.length, explanation!.family); // 3 gravity
 * ```
 */
export function generateArcMini(random: RandomSource, options: ArcMiniOptions = {}): ArcTask {
  checkOptions(options);
  const { families = arcMiniFamilyNames, size = arcMiniSize, pairs: [fewest, most] = [3, 5] } =
    options;
  const family = families[below(random, families.length)]!;
  const word = random.uint32().toString(16).padStart(8, "0");
  const name = options.name ?? `${family}-${word}`;
  for (let attempt = 0; attempt < numAttempts; attempt++) {
    const rule = below(random, arcMiniFamilies[family].numRules);
    const numPairs = fewest + below(random, most - fewest + 1);
    const pairs = drawPairs(random, family, rule, size, numPairs + 1);
    if (pairs === undefined) continue;
    const task = { name, train: pairs.slice(0, numPairs), test: pairs.slice(numPairs) };
    if (isDetermined(task)) return task;
  }
  throw new RangeError(
    `Cannot generate a task of family "${family}" with ${fewest} to ${most} pairs of at most ` +
      `${size}x${size} cells: none in ${numAttempts} attempts, allow more pairs or larger grids`,
  );
}

/**
 * Every rule of arc-mini that explains all demonstrations of a task, in the order of the families:
 * a verifier of generated tasks, and a solver of those that have one such rule.
 */
export function explainArcMini(task: ArcTask): ArcMiniExplanation[] {
  const found: ArcMiniExplanation[] = [];
  for (const family of arcMiniFamilyNames) {
    const { numRules, apply, describe } = arcMiniFamilies[family];
    for (let rule = 0; rule < numRules; rule++) {
      if (!task.train.every((pair) => explains(family, rule, pair))) continue;
      const answers = task.test.map(({ input }) => apply(rule, input));
      found.push({ family, rule, parameters: describe(rule), answers });
    }
  }
  return found;
}

function explains(family: ArcMiniFamilyName, rule: number, { input, output }: ArcPair): boolean {
  const made = arcMiniFamilies[family].apply(rule, input);
  return made !== null && sameArcGrid(made, output);
}

/** Whether every rule that explains the demonstrations and applies to the tests answers them alike. */
function isDetermined(task: ArcTask): boolean {
  const agrees = (answer: ArcGrid | null, { output }: ArcTestPair): boolean =>
    answer === null || output === null || sameArcGrid(answer, output);
  return explainArcMini(task).every(({ answers }) =>
    answers.every((answer, i) => agrees(answer, task.test[i]!))
  );
}

/** So many pairs of a rule, all different; `undefined` when they are not found. */
function drawPairs(
  random: RandomSource,
  family: ArcMiniFamilyName,
  rule: number,
  size: number,
  count: number,
): ArcPair[] | undefined {
  const { draw, apply } = arcMiniFamilies[family];
  const pairs: ArcPair[] = [];
  for (let attempt = 0; attempt < numAttempts; attempt++) {
    const input = draw(random, rule, size);
    const output = apply(rule, input);
    if (output === null || !saysSomething(input, output, size)) continue;
    const isNew = !pairs.some((pair) => sameArcGrid(pair.input, input));
    if (isNew && pairs.push({ input, output }) === count) return pairs;
  }
  return undefined;
}

/** Whether the output differs from the input, is not all background and not too large. */
function saysSomething(input: ArcGrid, output: ArcGrid, size: number): boolean {
  return output.rows <= size && output.columns <= size && !sameArcGrid(input, output) &&
    output.cells.some((colour) => colour !== 0);
}

function checkOptions({ families, size = arcMiniSize, pairs = [3, 5] }: ArcMiniOptions): void {
  const refuse = (why: string): never => {
    throw new RangeError(`Cannot generate a task: ${why}`);
  };
  if (families?.length === 0) refuse("expected at least one family");
  const odd = families?.find((family) => !Object.hasOwn(arcMiniFamilies, family));
  if (odd !== undefined) refuse(`family "${odd}" is none of ${arcMiniFamilyNames.join(", ")}`);
  if (!Number.isInteger(size) || size < leastSize || size > arcMaxSize) {
    refuse(`size is ${size}: expected ${leastSize} to ${arcMaxSize}`);
  }
  const [fewest, most] = pairs;
  if (!Number.isInteger(fewest) || !Number.isInteger(most) || fewest < 1 || fewest > most) {
    refuse(`pairs are ${fewest} to ${most}: expected two integers from 1, the lower first`);
  }
}
