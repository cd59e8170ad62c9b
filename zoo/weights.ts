/**
 * Weights on disk: safetensors under the official parameter names, and beside
 * them `config.json`, the complete preset.
 *
 * @module
 */
import { join } from "@std/path";
import type { Device } from "../core/device.ts";
import { writeFileAtomic } from "../core/io/file.ts";
import { safetensorsChunks, withSafetensors } from "../core/io/safetensors.ts";
import { loadStateDict, type StoredTensor } from "../core/nn/module.ts";
import { Random } from "../core/random.ts";
import { makeModel } from "../models/family.ts";
import type { Model } from "../models/model.ts";
import type { OwnPreset, Preset } from "./recipe.ts";
import { savedProblem } from "./validate.ts";
import { version } from "./version.ts";

/** What every official parameter name begins with. */
export const WEIGHT_PREFIX = "model.";

/** The name of the weights in their folder. */
const WEIGHTS = "model.safetensors";
const CONFIG = "config.json";

/** What `config.json` holds. */
export interface SavedConfig<Config extends OwnPreset = Preset> {
  /** The name of the recipe. */
  readonly recipe: string;
  /** The preset's name. */
  readonly preset: string;
  /** The preset with everything that the command line changed. */
  readonly config: Config;
  /** The version of Ponder that wrote it. */
  readonly ponder: string;
}

/** A config as a run saves it. */
export function savedConfig<Config extends OwnPreset>(
  recipe: string,
  preset: string,
  config: Config,
): SavedConfig<Config> {
  return { recipe, preset, config, ponder: version };
}

/** Writes a config into a folder, which is made if need be. */
export async function writeConfig(folder: string, config: SavedConfig<OwnPreset>): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await writeFileAtomic(join(folder, CONFIG), JSON.stringify(config, null, 2) + "\n");
}

/** Writes weights and their config into a folder. */
export async function saveWeights(
  folder: string,
  weights: ReadonlyMap<string, StoredTensor>,
  config: SavedConfig<OwnPreset>,
): Promise<void> {
  await writeConfig(folder, config);
  const { recipe, ponder } = config;
  await writeFileAtomic(join(folder, WEIGHTS), safetensorsChunks(weights, { recipe, ponder }));
}

/**
 * The config in a folder.
 *
 * @throws {SyntaxError} when it is no config of Ponder, or not complete
 */
export function readConfig(folder: string): SavedConfig {
  const path = join(folder, CONFIG);
  return readFrom(path, () => {
    const saved: unknown = JSON.parse(Deno.readTextFileSync(path));
    const problem = savedProblem(saved);
    if (problem !== null) throw new SyntaxError(problem);
    return saved as SavedConfig;
  });
}

/** Internal to zoo: runs `body`; what it finds wrong is said of `file`. */
export function readFrom<T>(file: string, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    const Problem = [SyntaxError, TypeError].find((kind) => cause instanceof kind);
    if (Problem === undefined) throw cause;
    throw new Problem(`Cannot use "${file}": ${(cause as Error).message}`, { cause });
  }
}

/** Internal to zoo: draws zeros, for weights that others take the place of at once. */
export class NoRandom extends Random {
  /** 0. */
  override normal(): number {
    return 0;
  }
}

/**
 * A model with the weights in a folder: one with {@link WEIGHTS}, or a run, of
 * which the best weights are taken, else the final ones.
 *
 * @throws {Deno.errors.NotFound} when there are none
 * @throws {SyntaxError} when a file is damaged
 * @throws {TypeError} when the weights are not those of the config
 */
export function loadWeights(
  path: string,
  device: Device = "cpu",
): { model: Model; saved: SavedConfig; folder: string } {
  const folder = weightsFolder(path);
  const saved = readConfig(folder);
  const model = makeModel(saved.config.model, { random: new NoRandom(0), device });
  restoreWeights(model, folder);
  return { model, saved, folder };
}

/**
 * Puts the weights in a folder, found as {@link loadWeights} finds them, into a model
 * that the caller made.
 *
 * @throws {Deno.errors.NotFound} when there are none
 * @throws {SyntaxError} when the file is damaged
 * @throws {TypeError} when the weights are not those of the model
 */
export function restoreWeights(model: Model, path: string): void {
  const file = join(weightsFolder(path), WEIGHTS);
  withSafetensors(file, ({ tensors }) => {
    readFrom(file, () => loadStateDict(model, tensors, WEIGHT_PREFIX));
  });
}

function weightsFolder(path: string): string {
  const folder = path.endsWith(`/${WEIGHTS}`) ? path.slice(0, -WEIGHTS.length - 1) : path;
  const tried = [folder, join(folder, "best"), join(folder, "final")];
  const found = tried.find((candidate) => isFile(join(candidate, WEIGHTS)));
  if (found === undefined) {
    throw new Deno.errors.NotFound(
      `Cannot find weights: no ${WEIGHTS} in ${tried.map((t) => `"${t}"`).join(", ")}`,
    );
  }
  return found;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}
