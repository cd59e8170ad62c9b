/**
 * Checkpoints: everything that a run needs to go on bit for bit, in one file that
 * is either there whole or not at all.
 *
 * @module
 */
import { join } from "@std/path";
import { isFile, writeFileAtomic } from "../core/io/file.ts";
import { decodeSafetensors, safetensorsChunks } from "../core/io/safetensors.ts";
import {
  loadStateDict,
  restoreTensor,
  stateDict,
  type StoredTensor,
  storeTensor,
} from "../core/nn/module.ts";
import { Random, type RandomState } from "../core/random.ts";
import { type Carry, carryTensors } from "../models/model.ts";
import type { Trainee } from "./step.ts";
import { readFrom, WEIGHT_PREFIX } from "./weights.ts";

const FILE = join("checkpoint", "state.safetensors");

/** What is no tensor. */
export interface Progress {
  /** Steps done; also the position of the sampler. */
  readonly step: number;
  /** The random stream of exploration. */
  readonly exploration: RandomState;
  /** The best evaluation so far, or null. */
  readonly best: number | null;
  /** Seconds of training so far. */
  readonly seconds: number;
  /** Sums of the step reports since the last line of metrics. */
  readonly window: Readonly<Record<string, number>>;
}

/** What a file holds of a carry. */
export function storedCarry(carry: Carry): Map<string, StoredTensor> {
  const tensors = Object.entries(carryTensors(carry));
  return new Map(tensors.map(([name, tensor]) => [name, storeTensor(tensor)]));
}

/** Writes the checkpoint of a run. */
export async function saveCheckpoint(
  folder: string,
  { model, optimizer, ema }: Trainee,
  carry: ReadonlyMap<string, StoredTensor>,
  progress: Progress,
): Promise<void> {
  await Deno.mkdir(join(folder, "checkpoint"), { recursive: true });
  const entries = new Map<string, StoredTensor>(stateDict(model, WEIGHT_PREFIX));
  const add = (prefix: string, state: ReadonlyMap<string, StoredTensor>) => {
    for (const [name, tensor] of state) entries.set(prefix + name, tensor);
  };
  add("optimizer.", optimizer.state());
  if (ema !== null) add("ema.", ema.state());
  add("carry.", carry);
  const metadata = { progress: JSON.stringify(progress) };
  await writeFileAtomic(join(folder, FILE), safetensorsChunks(entries, metadata));
}

/** The checkpoint of a run, as it lies on disk. */
export function readCheckpoint(folder: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(join(folder, FILE));
}

/**
 * Restores a run from what {@link readCheckpoint} read.
 *
 * @throws {SyntaxError} when the file is damaged
 * @throws {TypeError} when it belongs to another model
 */
export function loadCheckpoint(
  bytes: Uint8Array<ArrayBuffer>,
  folder: string,
  trainee: Trainee,
  carry: Carry,
): { progress: Progress; exploration: Random } {
  const path = join(folder, FILE);
  const { tensors, metadata } = decodeSafetensors(bytes, { fileName: path });
  return readFrom(path, () => restore(tensors, metadata["progress"], trainee, carry));
}

/** Whether a folder is that of a run with a checkpoint. */
export function hasCheckpoint(folder: string): boolean {
  return isFile(join(folder, FILE));
}

function restore(
  tensors: ReadonlyMap<string, StoredTensor>,
  progressText: string | undefined,
  { model, optimizer, ema }: Trainee,
  carry: Carry,
): { progress: Progress; exploration: Random } {
  const part = (prefix: string) =>
    new Map<string, StoredTensor>(
      [...tensors].flatMap(([name, entry]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), entry]] : []
      ),
    );
  const progress = progressOf(progressText);
  loadStateDict(model, part(WEIGHT_PREFIX));
  optimizer.load(part("optimizer."));
  ema?.load(part("ema."));
  const stored = part("carry.");
  for (const [name, tensor] of Object.entries(carryTensors(carry))) {
    const entry = stored.get(name);
    if (entry === undefined || String(entry.shape) !== String(tensor.shape)) {
      throw new TypeError("its carry is of another batch size or model");
    }
    restoreTensor(tensor, entry);
  }
  return { progress, exploration: Random.from(progress.exploration) };
}

function progressOf(text = "{}"): Progress {
  const progress = JSON.parse(text) as Progress;
  const { step, seconds, exploration, window } = Object(progress) as Partial<Progress>;
  const isComplete = Number.isSafeInteger(step) && step! >= 0 && typeof seconds === "number" &&
    exploration instanceof Object && window instanceof Object;
  if (!isComplete) throw new SyntaxError("it does not say how far the run came");
  return progress;
}
