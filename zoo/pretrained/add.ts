/**
 * Puts weights of a run beside the pretrained ones: files, card, entry of the index.
 *
 * @module
 */
import { basename, dirname, join } from "@std/path";
import { fromBytes } from "../../core/create.ts";
import type { Device } from "../../core/device.ts";
import { writeFileAtomic } from "../../core/io/file.ts";
import {
  countParameters,
  stateDict,
  type StoredTensor,
  storeTensor,
} from "../../core/nn/module.ts";
import { scope } from "../../core/scope.ts";
import { sha256OfFile } from "../../ffi/download.ts";
import { lastMetrics, metricsFile } from "../metrics.ts";
import type { Preset } from "../recipe.ts";
import { makeTask } from "../tasks/tasks.ts";
import { loadWeights, saveWeights, WEIGHT_PREFIX } from "../weights.ts";
import { modelCard } from "./card.ts";
import {
  INDEX,
  NAME,
  parseIndex,
  type PretrainedEntry,
  readIndex,
  type WeightFile,
} from "./index.ts";
import { measure } from "./measure.ts";

/** What to add, and what the run itself does not tell. */
export interface AddOptions {
  /** The folder with the index. */
  readonly folder: string;
  /** What to call the weights; as their recipe unless given. */
  readonly name?: string | undefined;
  /** The element type on disk; default float32. */
  readonly dtype?: PretrainedEntry["dtype"] | undefined;
  /** How long the run took; as its last line of metrics says unless given. */
  readonly minutes?: number | undefined;
  /** What it ran on; as its preset says unless given. */
  readonly hardware?: string | undefined;
  /** Whether weights of the same name give way. */
  readonly replace?: boolean | undefined;
  /** Where to compute. */
  readonly device?: Device | undefined;
}

/** Adds the best weights of a run, or those of a folder; evaluates them on all held-out puzzles. */
export async function addPretrained(
  path: string,
  options: AddOptions,
): Promise<{ readonly name: string; readonly entry: PretrainedEntry }> {
  const { dtype = "float32", device = "cpu" } = options;
  using _ = scope();
  const { model, saved, folder: from } = loadWeights(path);
  const { recipe, preset, config } = saved;
  const name = options.name ?? recipe;
  const { entries, ...index } = readIndex(options.folder);
  if (!NAME.test(name)) {
    throw new RangeError(
      `Cannot name weights "${name}": expected small letters, digits and dashes`,
    );
  }
  if (Object.hasOwn(entries, name) && !options.replace) {
    throw new RangeError(
      `Cannot add "${name}": it is there already; --replace puts new ones there`,
    );
  }
  const { steps, minutes } = effortOf(from, config, options);
  const hardware = options.hardware ?? config.claim.hardware;
  if (hardware === "") {
    throw new RangeError(`Cannot add "${name}": name what it ran on by --hardware`);
  }

  const scratch = join(options.folder, `.${name}.${crypto.randomUUID().slice(0, 8)}`);
  try {
    const state = stateDict(model, WEIGHT_PREFIX);
    await saveWeights(scratch, dtype === "float32" ? state : rounded(state), saved);
    const entry: PretrainedEntry = {
      ...{ recipe, preset, folder: name },
      files: {
        "config.json": await specOf(join(scratch, "config.json")),
        "model.safetensors": await specOf(join(scratch, "model.safetensors")),
      },
      ...{ dtype, parameters: countParameters(model), seed: config.run.seed, steps, minutes },
      ...{ hardware, data: dataText(config) },
      selection: basename(from) === "best" ? "best" : "last",
      metrics: measure(scratch, device),
      licence: "MIT",
    };
    await writeFileAtomic(join(scratch, "README.md"), modelCard(name, entry, saved));
    const sorted = Object.entries({ ...entries, [name]: entry }).sort(([a], [b]) => a < b ? -1 : 1);
    const json = parseIndex({ ...index, entries: Object.fromEntries(sorted) });
    const target = join(options.folder, name);
    await Deno.remove(target, { recursive: true }).catch(ignoreMissing);
    await Deno.rename(scratch, target);
    await writeFileAtomic(join(options.folder, INDEX), JSON.stringify(json, null, 2) + "\n");
    return { name, entry };
  } finally {
    await Deno.remove(scratch, { recursive: true }).catch(ignoreMissing);
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

async function specOf(path: string): Promise<WeightFile> {
  const { sha256, sizeBytes } = await sha256OfFile(path);
  return { bytes: sizeBytes, sha256 };
}

/** The same tensors, each float32 one rounded to bfloat16. */
function rounded(state: ReadonlyMap<string, StoredTensor>): Map<string, StoredTensor> {
  return new Map(
    [...state].map(([name, stored]): [string, StoredTensor] => {
      if (stored.dtype !== "float32") return [name, stored];
      using _ = scope();
      const { data, shape, dtype } = stored;
      return [name, storeTensor(fromBytes(data, shape, { dtype }).to("bfloat16"))];
    }),
  );
}

/** Steps and minutes, from the last line that the run reported. */
function effortOf(
  folder: string,
  { run }: Preset,
  { minutes }: AddOptions,
): { readonly steps: number; readonly minutes: number } {
  if (minutes !== undefined) return { steps: run.steps, minutes };
  const path = metricsFile(dirname(folder));
  const last = lastMetrics(dirname(folder));
  if (last === null) {
    throw new RangeError(
      `Cannot tell how long "${folder}" took to train: no report in "${path}"; say it by --minutes`,
    );
  }
  const { step, seconds = 0 } = last;
  if (!(step > 0 && seconds > 0)) {
    throw new SyntaxError(`Cannot use "${path}": its last line has no step and seconds`);
  }
  return { steps: step, minutes: Number((seconds / 60).toPrecision(3)) };
}

/** What a run was trained and tested on, in words. */
function dataText({ task, run }: Preset): string {
  const { title } = makeTask(task);
  const [train, test] = [task.trainPuzzles, task.testPuzzles].map((n) => n.toLocaleString("en-US"));
  const generated = `generated from seed ${run.seed}`;
  if (task.trainFile === null && task.testFile === null) {
    return `${title}, ${generated}: ${train} to train on, ${test} held out`;
  }
  const source = (file: string | null) => file === null ? generated : `from ${basename(file)}`;
  return `${title}: ${train} to train on, ${source(task.trainFile)}; ` +
    `${test} held out, ${source(task.testFile)}`;
}
