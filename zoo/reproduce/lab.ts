/**
 * Where experiments are done: models trained at one scale, each once, and kept.
 *
 * | scale | puzzles | training | for |
 * |---|---|---|---|
 * | `tiny` | 4×4 Sudoku | a few steps | tests: it runs, and shows nothing |
 * | `cpu` | 4×4 Sudoku of 4 to 6 clues; pretrained weights on 6×6 | 1,500 steps of 64 rows | minutes |
 * | `paper` | as the recipes' `paper` presets | the same | a GPU and days |
 *
 * @module
 */
import { createHash } from "node:crypto";
import { basename, join } from "@std/path";
import type { Device } from "../../core/device.ts";
import { isFile } from "../../core/io/file.ts";
import { Random } from "../../core/random.ts";
import { makeModel, type ModelConfig } from "../../models/family.ts";
import type { Model, ModelOptions } from "../../models/model.ts";
import { hasCheckpoint } from "../checkpoint.ts";
import { type Estimate, estimate } from "../compare/statistics.ts";
import { evaluate, type Evaluation } from "../evaluate.ts";
import { lastMetrics } from "../metrics.ts";
import { pretrainedIndex } from "../pretrained.ts";
import { obtain } from "../pretrained/fetch.ts";
import type { OwnPreset, Preset } from "../recipe.ts";
import { recipes, sizedFor } from "../recipes.ts";
import type { Puzzle, Task } from "../tasks/task.ts";
import { makeTask } from "../tasks/tasks.ts";
import type { ThinkOptions } from "../thinking.ts";
import { train } from "../train.ts";
import { loadWeights, NoRandom, restoreWeights, savedConfig } from "../weights.ts";

/** How large experiments are. */
export const scales = ["tiny", "cpu", "paper"] as const;

/** One of {@link scales}. */
export type Scale = typeof scales[number];

/** The models that experiments train. */
export type ModelName = "hrm" | "trm" | "transformer" | "recurrent" | "looped";

/** Fields of a config, by name. */
export type Fields = Readonly<Record<string, string | number | boolean>>;

/** What an experiment changes in a recipe. */
export interface Change {
  /** Fields of the model. */
  readonly model?: Fields;
  /** Fields of the task. */
  readonly task?: Fields;
  /** A model that the recipe cannot describe, and its name among the runs. */
  readonly own?: { readonly name: string; readonly make: MakeModel };
  /** A task in place of the recipe's. */
  readonly on?: OwnTask;
  /** Fields of the run. */
  readonly run?: Partial<Omit<Preset["run"], "seed">>;
  /** Trained models, one for each seed, whose weights are begun with. */
  readonly from?: readonly Trained[];
}

/** A task that a recipe cannot describe. */
export interface OwnTask {
  /** What defines it; saved beside the weights. */
  readonly config: OwnPreset["task"];
  /** The task, with the same number of tokens and identifiers as it is trained on. */
  readonly task: Task;
}

/** Makes a model of a config. */
export type MakeModel = (config: ModelConfig, options: ModelOptions) => Model;

/** A model that was trained, and the puzzles that it was not trained on. */
export interface Trained {
  /** The model. */
  readonly model: Model;
  /** What it was made of. */
  readonly config: Pick<Preset, "model" | "run">;
  /** What it was trained on. */
  readonly task: Task;
  /** Never trained on. */
  readonly puzzles: readonly Puzzle[];
  /** Where its run lies. */
  readonly folder: string;
}

/** How a {@link Lab} works. */
export interface LabOptions {
  /** How large. */
  readonly scale: Scale;
  /** How many seeds each model is trained from, 1, 2, …. */
  readonly seeds: number;
  /** Where trained models are kept. */
  readonly folder: string;
  /** Where to compute. */
  readonly device?: Device;
  /** Told what is being done. */
  readonly report: (line: string) => void;
  /** Told how far a training is. */
  readonly onStep?: (what: string, step: number, steps: number) => void;
  /** Stops after the present step. */
  readonly signal?: AbortSignal;
}

/** Trains and evaluates. What it makes belongs to the caller's scope. */
export class Lab {
  readonly #options: LabOptions;
  readonly #trainingSeconds: Map<string, number> = new Map();

  /** A lab that keeps its models in a folder. */
  constructor(options: LabOptions) {
    this.#options = options;
  }

  /** How large its experiments are. */
  get scale(): Scale {
    return this.#options.scale;
  }

  /** Where it computes. */
  get device(): Device {
    return this.#options.device ?? "cpu";
  }

  /** How many models were trained for it, now or before, and how long that took. */
  get training(): { readonly models: number; readonly seconds: number } {
    const times = [...this.#trainingSeconds.values()];
    return { models: times.length, seconds: times.reduce((sum, time) => sum + time, 0) };
  }

  /** What a model is trained with, before an experiment changes it. */
  preset(name: ModelName): Preset {
    const { presets } = recipes[`${name}-sudoku`]!;
    const { tiny, paper } = presets as Record<string, Preset>;
    switch (this.scale) {
      case "tiny":
        return atScale(tiny!, { trainPuzzles: 64, testPuzzles: 16 }, {
          ...{ batchSize: 8, steps: 4, reportEvery: 1 },
        });
      case "cpu":
        return atScale(tiny!, { trainPuzzles: 2000, testPuzzles: 1000 }, { steps: 1500 });
      case "paper":
        return paper!;
    }
  }

  /** The model of that preset. */
  model<K extends ModelName>(kind: K): Extract<ModelConfig, { kind: K }> {
    return this.preset(kind).model as Extract<ModelConfig, { kind: K }>;
  }

  /** A model of every seed, trained; a run that is done is not done again. */
  async train(name: ModelName, change: Change = {}): Promise<Trained[]> {
    const trained: Trained[] = [];
    for (let seed = 1; seed <= this.#options.seeds; seed++) {
      trained.push(await this.#train(name, change, seed));
    }
    return trained;
  }

  /**
   * The best known weights of a model on Sudoku: at `cpu` the pretrained ones, for
   * which nothing is trained.
   */
  async known(name: ModelName): Promise<Trained> {
    if (this.scale !== "cpu") return (await this.train(name))[0]!;
    const entry = pretrainedIndex().entries[`${name}-sudoku`];
    if (entry === undefined) throw new RangeError(`No pretrained weights ${name}-sudoku`);
    const { folder } = await obtain(entry, { report: this.#options.report });
    const { model, saved: { config } } = loadWeights(folder, this.device);
    const task = makeTask(config.task);
    return { model, folder, config, task, puzzles: task.heldOut(config.run.seed) };
  }

  /** How well models of several seeds solve what they were not trained on. */
  evaluate(trained: readonly Trained[], options: ThinkOptions = {}): Evaluated {
    const evaluations = trained.map(({ model, task, puzzles }) =>
      evaluate(task, model, puzzles, { ...options, device: this.device })
    );
    const shares = evaluations.map(({ puzzles, final: { exact } }) => ({ puzzles, exact }));
    return { evaluations, exact: estimate(shares) };
  }

  async #train(name: ModelName, change: Change, seed: number): Promise<Trained> {
    const { own, on } = change;
    const begin = change.from?.[seed - 1]?.folder;
    const base = this.preset(name);
    const taskConfig = on?.config ?? { ...base.task, ...change.task } as Preset["task"];
    const task = on?.task ?? makeTask(taskConfig as Preset["task"]);
    const run = { ...base.run, ...change.run };
    const config = {
      ...base,
      task: taskConfig,
      model: { ...sizedFor(task, base.model), ...change.model } as ModelConfig,
      run: { ...run, seed, evalEvery: run.steps },
    };
    const saved = savedConfig(`${name}-${taskConfig.kind}`, this.scale, config);
    const from = begin === undefined ? [] : [basename(begin)];
    const what = `${own?.name ?? name}-${shortHash([config, own?.name, ...from])}`;
    const folder = join(this.#options.folder, what);
    const make = own?.make ?? makeModel;
    const { report, onStep, signal } = this.#options;
    if (!isFile(join(folder, "final", "model.safetensors"))) {
      const resume = hasCheckpoint(folder);
      report(`${resume ? "Going on with" : "Training"} ${what}: ${describe(name, change, seed)}`);
      const data = task.load(seed, () => {});
      const model = make(config.model, { random: new Random(seed, 0), device: this.device });
      if (begin !== undefined) restoreWeights(model, join(begin, "final"));
      const { stopped } = await train({
        ...{ saved, task, data, folder, resume, model, device: this.device },
        ...(signal === undefined ? {} : { signal }),
        onStep: (step) => onStep?.(what, step, config.run.steps),
      });
      if (stopped) throw new DOMException(`Stopped while training ${what}`, "AbortError");
    }
    const model = make(config.model, { random: new NoRandom(0), device: this.device });
    restoreWeights(model, join(folder, "final"));
    this.#trainingSeconds.set(folder, lastMetrics(folder)!.seconds!);
    return { model, folder, config, task, puzzles: task.heldOut(seed) };
  }
}

/** What models of several seeds reach. */
export interface Evaluated {
  /** Of each seed. */
  readonly evaluations: readonly Evaluation[];
  /** The exact share of all. */
  readonly exact: Estimate;
}

/** A preset on 4×4 boards with hardly a clue too many, which take a chain of deductions. */
function atScale(
  preset: Preset,
  puzzles: { readonly trainPuzzles: number; readonly testPuzzles: number },
  run: Partial<Preset["run"]>,
): Preset {
  const task = { ...preset.task, minClues: 4, maxClues: 6, ...puzzles } as Preset["task"];
  return { ...preset, task, run: { ...preset.run, ...run } };
}

/** A name for what it is made of. */
function shortHash(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 10);
}

function describe(
  name: string,
  { model, task, run, own, on, from }: Change,
  seed: number,
): string {
  const changed = { ...model, ...task, ...run };
  const fields = Object.entries(changed).map(([field, value]) => `${field} ${value}`);
  const what = [own?.name ?? name, ...(on === undefined ? [] : [on.task.title]), ...fields];
  const begun = from === undefined ? [] : [`from ${basename(from[seed - 1]!.folder)}`];
  return [...what, `seed ${seed}`, ...begun].join(", ");
}
