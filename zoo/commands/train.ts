/**
 * `deno task train <recipe>`.
 *
 * @module
 */
import { join } from "@std/path";
import { countParameters } from "../../core/nn/module.ts";
import { scope } from "../../core/scope.ts";
import { Hrm } from "../../models/hrm.ts";
import { Interrupted, parseCommand, setFields, type Settings, UsageError } from "../cli/flags.ts";
import { formatCount, formatDuration, formatPercent, ProgressLine } from "../cli/terminal.ts";
import type { Evaluation } from "../evaluate.ts";
import { think } from "../evaluate.ts";
import type { Preset, SudokuTask } from "../recipe.ts";
import { recipes } from "../recipes.ts";
import { showAnswer, showEvaluation } from "../show.ts";
import type { StepReport } from "../step.ts";
import { type SudokuData, sudokuData } from "../sudoku_data.ts";
import { hasCheckpoint } from "../checkpoint.ts";
import { train, type TrainResult } from "../train.ts";
import { presetProblem } from "../validate.ts";
import { loadWeights, NoRandom, readConfig, type SavedConfig, savedConfig } from "../weights.ts";
import { computeFlags, newestRun, openLibrary, RUNS, userPath } from "./_shared.ts";

const presetNames = [...new Set(Object.values(recipes).flatMap((r) => Object.keys(r.presets)))];

const declaration = {
  name: "train",
  summary: "Train a recipe, evaluate it on held-out puzzles, and save its weights",
  positionals: [{ name: "recipe", help: "what to train", choices: Object.keys(recipes) }],
  flags: {
    preset: {
      type: "choice",
      choices: presetNames,
      help: "how large; cpu if left out, paper with --device=cuda",
    },
    steps: { type: "integer", min: 1, help: "optimiser steps; the learning rate ends with them" },
    minutes: { type: "number", min: 0, help: "stop after so many minutes of training" },
    seed: { type: "integer", min: 0, max: 2 ** 31 - 1, help: "where random numbers start" },
    dtype: {
      type: "choice",
      choices: ["float32", "bfloat16", "float64"],
      help: "in what the model computes",
    },
    ...computeFlags,
    out: {
      type: "string",
      placeholder: "folder",
      help: `where to keep the run; a new one in ${RUNS}/`,
    },
    resume: { type: "string", placeholder: "run|last", help: "go on with a run that stopped" },
  },
  groups: {
    model: { help: `the model: ${fieldsOf("model")}` },
    optim: { help: `the optimisation: ${fieldsOf("optim")}` },
    task: { help: `the puzzles: ${fieldsOf("task")}` },
    run: { help: `the run: ${fieldsOf("run")}` },
  },
} as const;

/** Trains, shows how it goes, and says where the weights are. */
export async function trainCommand(args: readonly string[]): Promise<void> {
  const { flags, positionals: { recipe }, groups } = parseCommand(declaration, args);
  const resumed = flags.resume === undefined ? null : resumedRun(recipe, flags.resume);
  const saved = resumed === null
    ? newRun(recipe, flags, groups)
    : continuedRun(recipe, resumed, flags, groups);
  const problem = presetProblem(saved.config);
  if (problem !== null) throw new UsageError(problem);
  const folder = resumed ?? userPath(flags.out ?? join(RUNS, recipe, timestamp()));
  if (resumed === null) requireNewFolder(folder);

  console.log(openLibrary(flags));
  describe(saved);
  const data = sudokuData(saved.config.task, saved.config.run.seed, console.log);
  console.log(`Run in "${folder}"${resumed === null ? "" : ", resumed"}`);
  const result = await run(saved, data, folder, flags.minutes, resumed !== null, flags.device);
  finish(result, saved, data, folder);
}

/** The names of what may be set in a group, in any recipe. */
function fieldsOf(group: keyof Groups): string {
  const names = Object.values(recipes).flatMap(({ cpu }) => Object.keys(cpu[group]));
  return [...new Set(names)].join(", ");
}

interface RunFlags {
  readonly preset?: string | undefined;
  readonly steps?: number | undefined;
  readonly seed?: number | undefined;
  readonly dtype?: string | undefined;
  readonly device: string;
  readonly out?: string | undefined;
}

type Groups = Readonly<Record<"model" | "optim" | "task" | "run", Settings>>;

/** The preset, with what the command line changes. */
function newRun(recipe: string, flags: RunFlags, groups: Groups): SavedConfig {
  const { presets } = recipes[recipe]!;
  const name = flags.preset ?? (flags.device === "cuda" ? "paper" : "cpu");
  const preset = presets[name];
  if (preset === undefined) {
    throw new UsageError(
      `No preset ${name} of ${recipe}, one of: ${Object.keys(presets).join(", ")}`,
    );
  }
  const task = withUserPaths(setFields("task", preset.task, groups.task));
  const fitted = { ...preset.model, seqLen: task.size ** 2, vocabSize: task.size + 2 };
  const model = setFields("model", fitted, groups.model);
  const run = setFields("run", preset.run, groups.run);
  return savedConfig(recipe, name, {
    ...preset,
    task,
    model: flags.dtype === undefined
      ? model
      : { ...model, forwardDtype: flags.dtype as Preset["model"]["forwardDtype"] },
    optim: setFields("optim", preset.optim, groups.optim),
    run: { ...run, steps: flags.steps ?? run.steps, seed: flags.seed ?? run.seed },
  });
}

/** The task with its files' paths as the user meant them. */
function withUserPaths(task: SudokuTask): SudokuTask {
  const whole = (path: string | null) => typeof path === "string" ? userPath(path) : path;
  return { ...task, trainFile: whole(task.trainFile), testFile: whole(task.testFile) };
}

/** The config of a run that goes on: only how long it runs and what it reports may change. */
function continuedRun(
  recipe: string,
  folder: string,
  flags: RunFlags,
  groups: Groups,
): SavedConfig {
  const fixed = (["preset", "seed", "dtype", "out"] as const).find((f) => flags[f] !== undefined) ??
    (["model", "optim", "task"] as const).find((group) => groups[group].size > 0) ??
    ["run.seed", "run.batchSize"].find((field) => groups.run.has(field.slice("run.".length)));
  if (fixed !== undefined) {
    throw new UsageError(
      `Cannot change --${fixed} of a run that goes on: only --steps, --minutes, --run.<field>, ` +
        `--device and --threads`,
    );
  }
  const saved = readConfig(folder);
  if (saved.recipe !== recipe) {
    throw new UsageError(`Cannot resume "${folder}" as ${recipe}: it is a run of ${saved.recipe}`);
  }
  const run = setFields("run", saved.config.run, groups.run);
  return {
    ...saved,
    config: { ...saved.config, run: { ...run, steps: flags.steps ?? run.steps } },
  };
}

function resumedRun(recipe: string, name: string): string {
  const folder = name === "last" ? newestRun(recipe) : userPath(name);
  if (hasCheckpoint(folder)) return folder;
  throw new UsageError(`No checkpoint in "${folder}": name the folder of a run, or last`);
}

function requireNewFolder(folder: string): void {
  try {
    if ([...Deno.readDirSync(folder)].length === 0) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (!(error instanceof Deno.errors.NotADirectory)) throw error;
    throw new UsageError(`Cannot use --out="${folder}": it is not a folder`);
  }
  const hint = hasCheckpoint(folder) ? `; --resume="${folder}" goes on with it` : "";
  throw new UsageError(`Cannot use --out="${folder}": it is not empty${hint}`);
}

function timestamp(): string {
  return new Date().toISOString().slice(0, 19).replaceAll(":", "-");
}

function describe({ recipe, preset, config: { model, task, optim, run } }: SavedConfig): void {
  using _ = scope();
  const size = formatCount(countParameters(new Hrm(model, { random: new NoRandom(0) })));
  console.log(
    `${recipe}, preset ${preset}: ${size} parameters, width ${model.hiddenSize}, ` +
      `${model.hLayers}+${model.lLayers} blocks, ${model.hCycles}×${model.lCycles} cycles, ` +
      `up to ${model.haltMaxSteps} segments, ${model.forwardDtype}`,
  );
  console.log(
    `${task.size}×${task.size} Sudoku, batches of ${run.batchSize}, ${run.steps} steps, ` +
      `lr ${optim.lr}, seed ${run.seed}`,
  );
  const claim = recipes[recipe]?.presets[preset]?.claim;
  if (claim?.ours != null) {
    console.log(
      `This preset reached ${formatPercent(claim.ours)} ${claim.metric} in ${claim.hardware}`,
    );
  }
}

/** Trains until it is done or Ctrl-C is pressed. */
async function run(
  saved: SavedConfig,
  data: SudokuData,
  folder: string,
  minutes: number | undefined,
  resume: boolean,
  device: "cpu" | "cuda",
): Promise<TrainResult> {
  using progress = new ProgressLine();
  const { run: { steps, batchSize } } = saved.config;
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) Deno.exit(130);
    progress.log("Stopping after this step; again to stop at once");
    controller.abort();
  };
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    const pace = new Pace(steps, batchSize, minutes);
    return await train({
      saved,
      data,
      folder,
      resume,
      device,
      signal: controller.signal,
      ...(minutes === undefined ? {} : { minutes }),
      onStep: (step, report, { seconds }) => progress.update(pace.line(step, report, seconds)),
      onEvaluation: (step, { final, bySegment }: Evaluation) =>
        progress.log(
          `step ${step}: ${formatPercent(final.exact)} of held-out puzzles exact, ` +
            `${formatPercent(bySegment[0]!.exact)} after one segment`,
        ),
    });
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
}

/** The progress line: smoothed loss and accuracy, speed, time left. */
class Pace {
  #loss: number | null = null;
  #exact: number | null = null;
  #first: { step: number; seconds: number } | null = null;

  constructor(
    readonly steps: number,
    readonly batchSize: number,
    readonly minutes: number | undefined,
  ) {}

  line(step: number, report: StepReport, seconds: number): string {
    this.#loss = smooth(this.#loss, report.loss);
    if (report.count > 0) this.#exact = smooth(this.#exact, report.exactAccuracy / report.count);
    this.#first ??= { step, seconds };
    const elapsed = seconds - this.#first.seconds; // of a run that goes on, only since then
    const perStep = step === this.#first.step ? 0 : elapsed / (step - this.#first.step);
    const left = (this.steps - step) * perStep;
    const bounded = this.minutes === undefined ? left : Math.min(left, this.minutes * 60 - elapsed);
    return [
      `step ${step}/${this.steps}`,
      `loss ${this.#loss.toFixed(3)}`,
      `exact ${this.#exact === null ? "–" : formatPercent(this.#exact)}`,
      perStep === 0 ? "– puzzles/s" : `${Math.round(this.batchSize / perStep)} puzzles/s`,
      perStep === 0 ? "– left" : `${formatDuration(Math.max(0, bounded))} left`,
    ].join("  ");
  }
}

function smooth(before: number | null, value: number): number {
  return before === null ? value : before + 0.05 * (value - before);
}

/** Shows what was reached, and says where the weights are. */
function finish(
  { evaluation, step, seconds, stopped }: TrainResult,
  { recipe, config }: SavedConfig,
  data: SudokuData,
  folder: string,
): void {
  const goOn = `go on by deno task train ${recipe} --resume="${folder}"`;
  if (evaluation === null) throw new Interrupted(`Stopped at step ${step} and saved; ${goOn}`);
  const { model } = loadWeights(join(folder, "final"));
  const hardest = data.test.reduce((a, b) => b.rating > a.rating ? b : a);
  const answer = think(model, [hardest], model.config.haltMaxSteps).at(-1)!.answers[0]!;
  console.log(`\n${showEvaluation(evaluation)}\n\n${showAnswer(hardest, answer)}\n`);
  console.log(`${step} steps in ${formatDuration(seconds)}; weights in "${join(folder, "final")}"`);
  if (stopped) console.log(`That was step ${step} of ${config.run.steps}; ${goOn}`);
}
