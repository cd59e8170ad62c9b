/**
 * Data sets in the official layout, as what is trained and tested on.
 *
 * @module
 */
import { join } from "@std/path";
import { isFile } from "../../core/io/file.ts";
import { batchOf } from "../../models/model.ts";
import { openPuzzleDataset, type PuzzleDataset, PuzzleSampler } from "../../tasks/mod.ts";
import { epochRandom } from "./epoch_sampler.ts";
import type { Sampler, Task, Tokens } from "./task.ts";

/** Whether a path is a folder with a split of a data set. */
export function isDatasetFolder(path: string, split: "train" | "test"): boolean {
  return isFile(join(path, split, "dataset.json"));
}

/** Batches as the official code draws them: of each group one arrangement an epoch. */
export function datasetSampler(folder: string, seed: number): Sampler {
  const dataset = openPuzzleDataset(folder, "train");
  const randomOf = (epoch: number) => epochRandom(seed, epoch);
  const samplers = new Map<number, PuzzleSampler>();
  return {
    batch: (step, size, device) => {
      let sampler = samplers.get(size);
      if (sampler === undefined) {
        sampler = new PuzzleSampler(dataset, { globalBatchSize: size, randomOf });
        samplers.set(size, sampler);
      }
      return batchOf(sampler.batch(step), dataset.metadata.seqLen, device);
    },
  };
}

/**
 * The first examples of a data set's test split.
 *
 * @throws {TypeError} when its tokens are not those of the task
 */
export function testExamples(
  folder: string,
  count: number,
  task: Pick<Task, "title" | "seqLen" | "vocabSize">,
): Tokens[] {
  using dataset = openPuzzleDataset(folder, "test");
  requireTokens(dataset, task);
  const examples: Tokens[] = [];
  for (const set of dataset.sets) {
    for (let i = 0; i < set.numExamples && examples.length < count; i++) {
      const puzzleIdentifier = set.puzzleIdentifiers[set.puzzleOf(i)]!;
      examples.push({ ...set.readExample(i), puzzleIdentifier });
    }
  }
  return examples;
}

/** A sampler of a data set's training split, whose tokens are checked. */
export function trainingSampler(
  folder: string,
  seed: number,
  task: Pick<Task, "title" | "seqLen" | "vocabSize">,
): Sampler {
  using dataset = openPuzzleDataset(folder, "train");
  requireTokens(dataset, task);
  return datasetSampler(folder, seed);
}

function requireTokens(
  { folder, metadata }: PuzzleDataset,
  { title, seqLen, vocabSize }: Pick<Task, "title" | "seqLen" | "vocabSize">,
): void {
  if (metadata.seqLen === seqLen && metadata.vocabSize === vocabSize) return;
  throw new TypeError(
    `Cannot use "${folder}": it has ${metadata.seqLen} tokens of ${metadata.vocabSize} kinds, ` +
      `${title} ${seqLen} of ${vocabSize}`,
  );
}
