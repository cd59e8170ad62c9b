/**
 * Where batches begin: the groups of one epoch after the other are put into
 * batches until each is full. A puzzle with more examples than there is space
 * left fills the batch, and the rest of it is not used; what the last epoch of an
 * iteration leaves of a batch is not used either.
 *
 * @module
 */

import type { EpochDraw, PuzzleOffsets } from "./_epoch.ts";

/** The place of a group: which of an epoch's order. */
export interface BatchPlace {
  /** The epoch, counted over all iterations. */
  readonly epoch: number;
  /** The place in the order of that epoch. */
  readonly slot: number;
}

/** Finds the batches. */
export interface BatchBorders {
  /** Where batch `step` begins. */
  place(step: number): BatchPlace;
  /** The number of batches of the first `runs` runs, each of which is some epochs of one set. */
  stepsBefore(runs: number): number;
}

/** What is cut into batches: run r is `epochsPerRun` epochs of set r modulo their number. */
export interface BatchPlan {
  /** The sets, which take turns. */
  readonly sets: readonly PuzzleOffsets[];
  /** The number of examples of a batch. */
  readonly batchSize: number;
  /** The number of epochs of each run. */
  readonly epochsPerRun: number;
}

/** The set of an epoch. */
export function setOfEpoch({ sets, epochsPerRun }: BatchPlan, epoch: number): number {
  return Math.floor(epoch / epochsPerRun) % sets.length;
}

/** The borders of a plan; `draw` gives what an epoch draws. */
export function bordersOf(plan: BatchPlan, draw: (epoch: number) => EpochDraw): BatchBorders {
  const sizes = plan.sets.map(uniformSize);
  return sizes.every((size) => size !== undefined)
    ? new UniformBorders(plan, sizes)
    : new ScannedBorders(plan, draw);
}

/** The number of examples of every puzzle; undefined when they differ or there are none. */
function uniformSize({ puzzleIndices }: PuzzleOffsets): number | undefined {
  const size = puzzleIndices[1] ?? 0;
  const isUniform = puzzleIndices.every((offset, puzzle) => offset === puzzle * size);
  return isUniform && size > 0 ? size : undefined;
}

/** Borders by arithmetic: every puzzle has the same number of examples, as in Sudokus and mazes. */
export class UniformBorders implements BatchBorders {
  readonly #plan: BatchPlan;
  readonly #slots: readonly number[]; // of a batch, by set
  readonly #steps: readonly number[]; // of a run, by set
  readonly #period: number;

  /** Borders for puzzles of `sizes[set]` examples. */
  constructor(plan: BatchPlan, sizes: readonly number[]) {
    this.#plan = plan;
    this.#slots = sizes.map((size) => Math.ceil(plan.batchSize / size));
    this.#steps = plan.sets.map((set, i) =>
      Math.floor(numGroupsOf(set) * plan.epochsPerRun / this.#slots[i]!)
    );
    this.#period = this.#steps.reduce((a, b) => a + b, 0);
  }

  /** See {@link BatchBorders.place}. */
  place(step: number): BatchPlace {
    const { sets, epochsPerRun } = this.#plan;
    let run = Math.floor(step / this.#period) * sets.length, left = step % this.#period, set = 0;
    while (left >= this.#steps[set]!) {
      left -= this.#steps[set++]!;
      run++;
    }
    const slot = left * this.#slots[set]!, numGroups = numGroupsOf(sets[set]!);
    return { epoch: run * epochsPerRun + Math.floor(slot / numGroups), slot: slot % numGroups };
  }

  /** See {@link BatchBorders.stepsBefore}. */
  stepsBefore(runs: number): number {
    const rest = this.#steps.slice(0, runs % this.#steps.length).reduce((a, b) => a + b, 0);
    return Math.floor(runs / this.#steps.length) * this.#period + rest;
  }
}

/** How far the batches are. */
interface Mark extends BatchPlace {
  /** The number of full batches; the next one begins at `epoch` and `slot`. */
  readonly step: number;
  /** The number of examples that it has by now. */
  readonly filled: number;
}

/**
 * Borders by drawing the epochs one after the other, once each: where puzzles
 * differ in size, a border depends on all draws before it. What is kept is the
 * mark at the beginning of each epoch.
 */
export class ScannedBorders implements BatchBorders {
  readonly #plan: BatchPlan;
  readonly #draw: (epoch: number) => EpochDraw;
  readonly #marks: Mark[] = [{ step: 0, filled: 0, epoch: 0, slot: 0 }];

  /** Borders for any puzzles. */
  constructor(plan: BatchPlan, draw: (epoch: number) => EpochDraw) {
    this.#plan = plan;
    this.#draw = draw;
  }

  /** See {@link BatchBorders.place}. */
  place(step: number): BatchPlace {
    while (this.#marks.at(-1)!.step <= step) this.#extend();
    const epoch = this.#lastMarkBy(step); // in which the batch becomes full
    const mark = this.#marks[epoch]!;
    return mark.step === step && mark.filled > 0 ? mark : this.#advance(epoch, step);
  }

  /** See {@link BatchBorders.stepsBefore}. */
  stepsBefore(runs: number): number {
    const epochs = runs * this.#plan.epochsPerRun;
    while (this.#marks.length <= epochs) this.#extend();
    return this.#marks[epochs]!.step;
  }

  #extend(): void {
    const epoch = this.#marks.length; // the one that the new mark is before
    const mark = this.#advance(epoch - 1, Infinity);
    const endsRun = epoch % this.#plan.epochsPerRun === 0;
    this.#marks.push(endsRun ? { step: mark.step, filled: 0, epoch, slot: 0 } : mark);
  }

  /** From the beginning of `epoch` to where batch `until` begins, or to the end of the epoch. */
  #advance(epoch: number, until: number): Mark {
    const { batchSize } = this.#plan;
    const draw = this.#draw(epoch), numSlots = draw.puzzles.length;
    let { step, filled, epoch: beginEpoch, slot: beginSlot } = this.#marks[epoch]!;
    for (let slot = 0; slot < numSlots; slot++) {
      if (filled === 0) {
        beginEpoch = epoch;
        beginSlot = slot;
        if (step === until) break;
      }
      filled += draw.size(slot);
      if (filled < batchSize) continue;
      filled = 0;
      step++;
    }
    return { step, filled, epoch: beginEpoch, slot: beginSlot };
  }

  #lastMarkBy(step: number): number {
    let low = 0, high = this.#marks.length - 1; // the last mark is after it
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#marks[middle]!.step <= step) low = middle;
      else high = middle;
    }
    return low;
  }
}

/** The number of groups of a set. */
function numGroupsOf({ groupIndices }: PuzzleOffsets): number {
  return groupIndices.length - 1;
}
