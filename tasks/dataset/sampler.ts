/**
 * Batches as the official `PuzzleDataset` makes them.
 *
 * In training, every epoch puts the groups in a new order and draws one puzzle of
 * each; its examples, in a random order, go into the batch as far as there is
 * space. What does not fit is left out in this epoch, and so is a last batch that
 * does not get full. `epochsPerIteration` epochs form one such sequence, so that
 * only the last batch of all of them is lost, and a batch may span epochs. In a
 * test, rows come in their order and the last batch is padded.
 *
 * Where we differ: the official sampler permutes and picks puzzles with one
 * generator per iteration and orders examples with an unseeded one; here each
 * epoch has its own source for all three, so that any batch can be made at any
 * time from its step alone.
 *
 * Source: SamsungSAILMontreal/TinyRecursiveModels@e7b6871 puzzle_dataset.py.
 *
 * @module
 */

import type { RandomSource } from "../random_source.ts";
import { type BatchBorders, type BatchPlan, bordersOf, setOfEpoch } from "./_borders.ts";
import { EpochDraw, type PuzzleOffsets } from "./_epoch.ts";
import type { PuzzleDataset, PuzzleSet } from "./layout.ts";

/** The label that no loss is computed of, whatever a data set writes for it. */
export const ignoredLabel: -100 = -100;

/** How large batches are, and who takes which part. */
export interface BatchShare {
  /** The number of rows of a batch over all replicas, which it is a multiple of. */
  readonly globalBatchSize: number;
  /** Which part to take, from 0; 0 unless given. */
  readonly rank?: number;
  /** The number of parts; 1 unless given. */
  readonly numReplicas?: number;
}

/** How {@link PuzzleSampler} draws. */
export interface PuzzleSamplerOptions extends BatchShare {
  /** The random numbers of an epoch, counted from 0 over all iterations; the same at every call. */
  readonly randomOf: (epoch: number) => RandomSource;
  /** The number of epochs between which batches are not cut; 1 unless given. */
  readonly epochsPerIteration?: number;
}

/** The rows of a batch that one replica takes. */
export interface PuzzleBatch {
  /** The name of the set that they are from. */
  readonly set: string;
  /** The number of rows, padding included. */
  readonly numRows: number;
  /** The number of rows over all replicas that are examples, not padding. */
  readonly numExamples: number;
  /** Input tokens, `[numRows · seqLen]`. */
  readonly inputs: Int32Array<ArrayBuffer>;
  /** Label tokens, `[numRows · seqLen]`, {@link ignoredLabel} where no loss is computed. */
  readonly labels: Int32Array<ArrayBuffer>;
  /** The puzzle identifier of each row, `[numRows]`. */
  readonly puzzleIdentifiers: Int32Array<ArrayBuffer>;
}

/** Which examples make up a batch over all replicas. */
export interface BatchComposition {
  /** The set that they are from. */
  readonly set: PuzzleSet;
  /** The epoch that the batch begins in, counted over all iterations. */
  readonly epoch: number;
  /** The examples, `[globalBatchSize]`. */
  readonly examples: Uint32Array;
  /** The puzzle of each, `[globalBatchSize]`. */
  readonly puzzles: Uint32Array;
}

/**
 * Batches to train on. Batch `step` depends on the data set, the options and
 * `step` alone, so there is no state to save: training goes on where it stopped.
 *
 * Where all puzzles have equally many examples, as Sudokus and mazes have, any
 * step is found at once. Else the epochs before it are drawn once, without
 * reading an example.
 *
 * The sets of a data set take turns, an iteration each.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openPuzzleDataset } from "./layout.ts";
 * import { PuzzleSampler } from "./sampler.ts";
 * import { writePuzzleDataset } from "./writer.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const examples = [{ inputs: [1, 2], labels: [0, 1] }, { inputs: [2, 1], labels: [1, 0] }];
 * await writePuzzleDataset(folder, "train", [[{ identifier: 0, examples }]], {
 *   vocabSize: 3,
 *   seqLen: 2,
 *   identifiers: ["<blank>"],
 * });
 *
 * using dataset = openPuzzleDataset(folder, "train");
 * const sampler = new PuzzleSampler(dataset, {
 *   globalBatchSize: 2,
 *   randomOf: (epoch) => ({ uint32: () => epoch % 2 }), // use a generator seeded by the epoch
 * });
 * assertEquals(sampler.batch(0).inputs, Int32Array.of(1, 2, 2, 1));
 * assertEquals(sampler.batch(1).labels, Int32Array.of(1, -100, -100, 1)); // 0 is ignored
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class PuzzleSampler {
  readonly #dataset: PuzzleDataset;
  readonly #share: Required<BatchShare>;
  readonly #plan: BatchPlan;
  readonly #randomOf: (epoch: number) => RandomSource;
  readonly #borders: BatchBorders;
  readonly #draws: Map<number, EpochDraw> = new Map();

  /**
   * Draws from `dataset`, which stays open.
   *
   * @throws {RangeError} when the sizes do not fit together, or one iteration cannot fill a batch
   */
  constructor(dataset: PuzzleDataset, options: PuzzleSamplerOptions) {
    const { randomOf, epochsPerIteration = 1 } = options;
    if (!Number.isInteger(epochsPerIteration) || epochsPerIteration < 1) {
      throw new RangeError(`Cannot draw ${epochsPerIteration} epochs: expected an integer from 1`);
    }
    this.#dataset = dataset;
    this.#share = checkedShare(options);
    this.#randomOf = randomOf;
    const batchSize = this.#share.globalBatchSize;
    this.#plan = { sets: dataset.sets, batchSize, epochsPerRun: epochsPerIteration };
    const most = epochsPerIteration * Math.max(...dataset.sets.map(mostExamples));
    if (most < batchSize) {
      throw new RangeError(
        `Cannot fill a batch of ${batchSize} from "${dataset.folder}/${dataset.split}": ` +
          `${epochsPerIteration} epochs have ${most} examples`,
      );
    }
    this.#borders = bordersOf(this.#plan, (epoch) => this.#drawOf(epoch));
  }

  /** The rows of batch `step` that this replica takes. */
  batch(step: number): PuzzleBatch {
    const { set, examples, puzzles } = this.compose(step);
    const { rank, globalBatchSize, numReplicas } = this.#share;
    const numRows = globalBatchSize / numReplicas, from = rank * numRows;
    const batch = emptyBatch(this.#dataset, set.name, numRows, globalBatchSize);
    for (let row = 0; row < numRows; row++) {
      set.readExample(examples[from + row]!, batch, row);
      batch.puzzleIdentifiers[row] = set.puzzleIdentifiers[puzzles[from + row]!]!;
    }
    ignoreLabels(this.#dataset, batch.labels);
    return batch;
  }

  /** Which examples make up batch `step`, without reading them. */
  compose(step: number): BatchComposition {
    if (!Number.isSafeInteger(step) || step < 0) {
      throw new RangeError(`Cannot draw batch ${step}: expected an integer from 0`);
    }
    const { batchSize } = this.#plan;
    const examples = new Uint32Array(batchSize), puzzles = new Uint32Array(batchSize);
    const begin = this.#borders.place(step);
    let { epoch, slot } = begin;
    for (let filled = 0; filled < batchSize; epoch++, slot = 0) {
      const draw = this.#drawOf(epoch);
      for (; slot < draw.puzzles.length && filled < batchSize; slot++) {
        const count = Math.min(draw.size(slot), batchSize - filled);
        puzzles.fill(draw.puzzles[slot]!, filled, filled + count);
        for (let k = 0; k < count; k++) examples[filled++] = draw.example(slot, k);
      }
    }
    const set = this.#dataset.sets[setOfEpoch(this.#plan, begin.epoch)]!;
    return { set, epoch: begin.epoch, examples, puzzles };
  }

  /** The step of the first batch of an iteration, that is the number of batches of all before. */
  stepsBefore(iteration: number): number {
    if (!Number.isSafeInteger(iteration) || iteration < 0) {
      throw new RangeError(`Cannot find iteration ${iteration}: expected an integer from 0`);
    }
    return this.#borders.stepsBefore(iteration * this.#plan.sets.length);
  }

  /** What an epoch draws; a batch may span two, hence the last two are kept. */
  #drawOf(epoch: number): EpochDraw {
    const known = this.#draws.get(epoch);
    if (known !== undefined) return known;
    const { batchSize } = this.#plan;
    const set = this.#dataset.sets[setOfEpoch(this.#plan, epoch)]!;
    const draw = new EpochDraw(set, this.#randomOf(epoch), batchSize);
    if (this.#draws.size === 2) this.#draws.delete(this.#draws.keys().next().value!);
    this.#draws.set(epoch, draw);
    return draw;
  }
}

/**
 * Batches to test on: all rows in their order, one set after the other; the last
 * batch of a set is filled up with padding.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openPuzzleDataset } from "./layout.ts";
 * import { PuzzleTestBatches } from "./sampler.ts";
 * import { writePuzzleDataset } from "./writer.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const examples = [{ inputs: [1, 2], labels: [2, 1] }];
 * await writePuzzleDataset(folder, "test", [[{ identifier: 0, examples }]], {
 *   vocabSize: 3,
 *   seqLen: 2,
 *   identifiers: ["<blank>"],
 * });
 *
 * using dataset = openPuzzleDataset(folder, "test");
 * const [batch] = new PuzzleTestBatches(dataset, { globalBatchSize: 2 });
 * assertEquals(batch!.inputs, Int32Array.of(1, 2, 0, 0));
 * assertEquals(batch!.labels, Int32Array.of(2, 1, -100, -100));
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class PuzzleTestBatches implements Iterable<PuzzleBatch> {
  /** The number of batches. */
  readonly length: number;
  readonly #dataset: PuzzleDataset;
  readonly #share: Required<BatchShare>;

  /**
   * Reads from `dataset`, which stays open.
   *
   * @throws {RangeError} when the sizes do not fit together
   */
  constructor(dataset: PuzzleDataset, share: BatchShare) {
    this.#dataset = dataset;
    this.#share = checkedShare(share);
    this.length = dataset.sets.reduce((sum, set) => sum + this.#numBatches(set), 0);
  }

  /** The rows of batch `index` that this replica takes. */
  batch(index: number): PuzzleBatch {
    if (!Number.isInteger(index) || index < 0 || index >= this.length) {
      throw new RangeError(`Cannot read batch ${index} of ${this.length}`);
    }
    let left = index, i = 0;
    while (left >= this.#numBatches(this.#dataset.sets[i]!)) {
      left -= this.#numBatches(this.#dataset.sets[i++]!);
    }
    return this.#read(this.#dataset.sets[i]!, left * this.#share.globalBatchSize);
  }

  /** All batches, one after the other. */
  *[Symbol.iterator](): Generator<PuzzleBatch> {
    for (let index = 0; index < this.length; index++) yield this.batch(index);
  }

  #numBatches(set: PuzzleSet): number {
    return Math.ceil(set.numExamples / this.#share.globalBatchSize);
  }

  /** This replica's rows of the batch that begins with example `first`. */
  #read(set: PuzzleSet, first: number): PuzzleBatch {
    const { rank, globalBatchSize, numReplicas } = this.#share;
    const numRows = globalBatchSize / numReplicas, from = first + rank * numRows;
    const numExamples = Math.min(globalBatchSize, set.numExamples - first);
    const batch = emptyBatch(this.#dataset, set.name, numRows, numExamples);
    const numRead = Math.max(0, Math.min(numRows, set.numExamples - from));
    for (let row = 0; row < numRead; row++) {
      set.readExample(from + row, batch, row);
      batch.puzzleIdentifiers[row] = set.puzzleIdentifiers[set.puzzleOf(from + row)]!;
    }
    ignoreLabels(this.#dataset, batch.labels);
    return batch;
  }
}

function checkedShare(share: BatchShare): Required<BatchShare> {
  const { globalBatchSize, rank = 0, numReplicas = 1 } = share;
  if (!Number.isInteger(globalBatchSize) || globalBatchSize < 1) {
    throw new RangeError(`Cannot make batches of ${globalBatchSize}: expected an integer from 1`);
  }
  if (!Number.isInteger(numReplicas) || numReplicas < 1 || globalBatchSize % numReplicas !== 0) {
    throw new RangeError(
      `Cannot share batches of ${globalBatchSize} among ${numReplicas}: expected a divisor`,
    );
  }
  if (!Number.isInteger(rank) || rank < 0 || rank >= numReplicas) {
    throw new RangeError(`Cannot take part ${rank} of ${numReplicas}: parts count from 0`);
  }
  return { globalBatchSize, rank, numReplicas };
}

/** The largest number of examples that an epoch can bring. */
function mostExamples({ groupIndices, puzzleIndices }: PuzzleOffsets): number {
  let sum = 0;
  for (let group = 0; group + 1 < groupIndices.length; group++) {
    let most = 0;
    for (let puzzle = groupIndices[group]!; puzzle < groupIndices[group + 1]!; puzzle++) {
      most = Math.max(most, puzzleIndices[puzzle + 1]! - puzzleIndices[puzzle]!);
    }
    sum += most;
  }
  return sum;
}

/** A batch of nothing but padding. */
function emptyBatch(
  { metadata: { seqLen, padId, blankIdentifierId } }: PuzzleDataset,
  set: string,
  numRows: number,
  numExamples: number,
): PuzzleBatch {
  return {
    set,
    numRows,
    numExamples,
    inputs: new Int32Array(numRows * seqLen).fill(padId),
    labels: new Int32Array(numRows * seqLen).fill(ignoredLabel),
    puzzleIdentifiers: new Int32Array(numRows).fill(blankIdentifierId),
  };
}

function ignoreLabels({ metadata: { ignoreLabelId } }: PuzzleDataset, labels: Int32Array): void {
  if (ignoreLabelId === null || ignoreLabelId === ignoredLabel) return;
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] === ignoreLabelId) labels[i] = ignoredLabel;
  }
}
