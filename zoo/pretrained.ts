/**
 * Pretrained weights by name: from the clone, from the cache, or fetched into it,
 * checked against the hashes of the index before anything is read from them.
 *
 * @module
 */
import type { Device } from "../core/device.ts";
import type { Model } from "../models/model.ts";
import type { Task } from "./tasks/task.ts";
import { makeTask } from "./tasks/tasks.ts";
import { loadWeights, type SavedConfig } from "./weights.ts";
import { entryOf, type PretrainedEntry } from "./pretrained/index.ts";
import { obtain, type ObtainOptions } from "./pretrained/fetch.ts";

export type { ObtainOptions, WeightsProgress } from "./pretrained/fetch.ts";
export type { PlaceOptions } from "./pretrained/places.ts";
export {
  type PartMetrics,
  type PretrainedEntry,
  type PretrainedIndex,
  pretrainedIndex,
  type PretrainedMetrics,
  type WeightFile,
} from "./pretrained/index.ts";

/** Where to take weights from, and where the model goes. */
export interface LoadPretrainedOptions extends ObtainOptions {
  /** Where the model lies; default `cpu`. */
  readonly device?: Device | undefined;
}

/** A trained model. */
export interface Pretrained {
  /** The model. */
  readonly model: Model;
  /** The recipe, the preset and all its fields. */
  readonly saved: SavedConfig;
  /** What it was trained on. */
  readonly task: Task;
  /** What the index says of it. */
  readonly entry: PretrainedEntry;
  /** Where its files lie. */
  readonly folder: string;
}

/**
 * A trained model. Looks into the clone, then into the cache, then fetches: from
 * `baseUrl`, else `PONDER_WEIGHTS_URL`, else the address of the index, else the registry that
 * the package was loaded from, which has the weights of the same version.
 *
 * @throws {Error} when there is no such name, the weights are nowhere, or what arrives
 * is not what the index lists
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { evaluate } from "./evaluate.ts";
 * import { loadPretrained } from "./pretrained.ts";
 *
 * const { model, task, saved } = await loadPretrained("trm-sudoku");
 * const puzzles = task.heldOut(saved.config.run.seed).slice(0, 16);
 * assert(evaluate(task, model, puzzles).final.exact > 0.7);
 * ```
 */
export async function loadPretrained(
  name: string,
  options: LoadPretrainedOptions = {},
): Promise<Pretrained> {
  const entry = entryOf(name);
  const { folder } = await obtain(entry, options);
  const { model, saved } = loadWeights(folder, options.device);
  return { model, saved, task: makeTask(saved.config.task), entry, folder };
}
