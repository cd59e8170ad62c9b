/**
 * Equivalent tasks: the grids turned or reflected and their colours renamed, all
 * in the same way. The augmentation of HRM's and TRM's ARC builders: one of the
 * eight dihedral transforms and a permutation of the colours 1 to 9; 0 keeps its
 * name, so that the background stays the background.
 *
 * @module
 */

import { dihedral, inverseDihedral, numDihedral } from "../dihedral.ts";
import { below, type RandomSource, shuffle } from "../random_source.ts";
import { type ArcGrid, arcGridKey, arcNumColours, type ArcTask, type ArcTestPair } from "./grid.ts";

/** What is done to every grid of a task: `out = dihedral(colours[grid])`. */
export interface ArcAugmentation {
  /** The dihedral id, 0 to 7. */
  readonly dihedral: number;
  /** The new name of each colour, ten numbers; `colours[0] = 0`. */
  readonly colours: Uint8Array;
}

/** How many draws {@link drawArcAugmentations} makes for each augmentation asked for. */
export const arcAugmentRetries = 5;

/** The augmentation that changes nothing. */
export function identityArcAugmentation(): ArcAugmentation {
  return { dihedral: 0, colours: Uint8Array.from({ length: arcNumColours }, (_, i) => i) };
}

/** A uniformly random augmentation, one of 8 · 9!. */
export function drawArcAugmentation(random: RandomSource): ArcAugmentation {
  const augmentation = { ...identityArcAugmentation(), dihedral: below(random, numDihedral) };
  shuffle(random, augmentation.colours.subarray(1));
  return augmentation;
}

/**
 * The augmentation that undoes another. That it is one needs that colours and
 * places do not depend on each other.
 *
 * @example
 * ```ts
 * import { Random } from "@ponder/ponder/core";
 * import {
 *   augmentArcGrid,
 *   drawArcAugmentation,
 *   formatArcGrid,
 *   invertArcAugmentation,
 *   parseArcGrid,
 * } from "@ponder/ponder/tasks";
 *
 * const augmentation = drawArcAugmentation(new Random(1));
 * const grid = augmentArcGrid(augmentation, parseArcGrid("012/345"));
 * const back = augmentArcGrid(invertArcAugmentation(augmentation), grid);
 * console.log(formatArcGrid(back)); // 012/345
 * ```
 */
export function invertArcAugmentation(augmentation: ArcAugmentation): ArcAugmentation {
  const colours = new Uint8Array(arcNumColours);
  augmentation.colours.forEach((name, colour) => colours[name] = colour);
  return { dihedral: inverseDihedral(augmentation.dihedral), colours };
}

/**
 * A new grid, augmented.
 *
 * @throws {RangeError} when the dihedral id is none
 */
export function augmentArcGrid(augmentation: ArcAugmentation, grid: ArcGrid): ArcGrid {
  const { colours, dihedral: id } = augmentation;
  const renamed = new Uint8Array(grid.cells.length);
  for (let cell = 0; cell < renamed.length; cell++) renamed[cell] = colours[grid.cells[cell]!]!;
  return dihedral(renamed, grid.rows, grid.columns, id);
}

/** A new task of the same name with every grid augmented. */
export function augmentArcTask(augmentation: ArcAugmentation, task: ArcTask): ArcTask {
  const grid = (grid: ArcGrid): ArcGrid => augmentArcGrid(augmentation, grid);
  return {
    name: task.name,
    train: task.train.map(({ input, output }) => ({ input: grid(input), output: grid(output) })),
    test: task.test.map(({ input, output }) => {
      return { input: grid(input), output: output === null ? null : grid(output) };
    }),
  };
}

/**
 * The identity and then up to `count` random augmentations, under each of which
 * the task looks different: it has other pairs, demonstrations and tests taken
 * together and in any order. After five draws for each that was asked for the
 * search ends, so that symmetric tasks and tasks of few colours may have fewer.
 *
 * @throws {RangeError} when `count` is not an integer from 0
 *
 * @example
 * ```ts
 * import { Random } from "@ponder/ponder/core";
 * import { drawArcAugmentations, parseArcGrid } from "@ponder/ponder/tasks";
 *
 * const grid = parseArcGrid("1"); // nine colours, and no turn changes it
 * const task = { name: "dot", train: [{ input: grid, output: grid }], test: [] };
 * console.log(drawArcAugmentations(new Random(1), task, 1000).length); // 9
 * ```
 */
export function drawArcAugmentations(
  random: RandomSource,
  task: ArcTask,
  count: number,
): ArcAugmentation[] {
  if (!Number.isInteger(count) || count < 0) {
    throw new RangeError(`Cannot draw ${count} augmentations: expected an integer from 0`);
  }
  function* draws(): Generator<ArcAugmentation> {
    for (let i = 0; i < arcAugmentRetries * count; i++) yield drawArcAugmentation(random);
  }
  return distinctArcAugmentations(task, draws(), count);
}

/**
 * The identity and then the first `count` of `draws` under which the task looks
 * different from all before, or as many as there are.
 */
export function distinctArcAugmentations(
  task: ArcTask,
  draws: Iterable<ArcAugmentation>,
  count: number,
): ArcAugmentation[] {
  const identity = identityArcAugmentation();
  const kept = [identity];
  if (count === 0) return kept;
  const seen = new Set([taskKey(identity, task)]);
  for (const augmentation of draws) {
    const key = taskKey(augmentation, task);
    if (seen.has(key)) continue;
    seen.add(key);
    if (kept.push(augmentation) > count) break;
  }
  return kept;
}

/** A string that two augmentations share exactly when they make the same pairs of the task. */
function taskKey(augmentation: ArcAugmentation, { train, test }: ArcTask): string {
  const gridKey = (grid: ArcGrid): string => arcGridKey(augmentArcGrid(augmentation, grid));
  const pairKey = ({ input, output }: ArcTestPair): string =>
    gridKey(input) + (output === null ? "" : gridKey(output)); // a key tells its own length
  return [...train, ...test].map(pairKey).sort().join("");
}
