/**
 * `deno task train <recipe>`.
 *
 * @module
 */
import { join } from "@std/path";
import { countParameters } from "../../core/nn/module.ts";
import { scope } from "../../core/scope.ts";
import { makeModel } from "../../models/family.ts";
import { Interrupted, parseCommand, UsageError } from "../cli/flags.ts";
import { formatCount, formatDuration, formatPercent, print } from "../cli/terminal.ts";
import type { Group } from "../distributed.ts";
import { recipes } from "../recipes.ts";
import { showAnswer, showEvaluation } from "../show.ts";
import type { TaskData } from "../tasks/task.ts";
import { makeTask } from "../tasks/tasks.ts";
import { tensorBoardWriter } from "../tensorboard.ts";
import { think } from "../thinking.ts";
import type { TrainResult } from "../train.ts";
import { presetProblem } from "../validate.ts";
import { loadWeights, NoRandom, type SavedConfig } from "../weights.ts";
import { hardest } from "./solve.ts";
import {
  continuedRun,
  type Groups,
  newRun,
  requireNewFolder,
  resumedRun,
  timestamp,
} from "./_requested_run.ts";
import { computeFlags, openLibrary, RUNS, userPath } from "./_shared.ts";
import { describeDepth } from "./_describe.ts";
import { together } from "./_together.ts";
import { trainVisibly } from "./_visible_training.ts";

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
    "micro-batch": {
      type: "integer",
      min: 1,
      help: "rows that go through the model at a time, for less memory; the steps stay the same",
    },
    distributed: {
      type: "boolean",
      help: "share every batch among the processes that mpirun starts (docs/scale.md)",
    },
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
    log: {
      type: "choice",
      choices: ["tensorboard"],
      help: "write the metrics for it too, into the run's folder",
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
  const request = parseCommand(declaration, args);
  if (!request.flags.distributed) return await trainRequested(request, null);
  await together((group) => trainRequested(request, group));
}

type Request = ReturnType<typeof parseCommand<typeof declaration>>;

/** Trains in this process, or along with others, of which the first alone speaks and writes. */
async function trainRequested(request: Request, group: Group | null): Promise<void> {
  const { flags } = request;
  const speaks = group?.isFirst ?? true;
  const say = speaks ? print : () => {};
  const asked = () => askedFor(request);
  const { saved, folder, resume } = group === null ? asked() : await group.fromFirst(asked);

  const threads = flags.threads ?? await threadsOf(group);
  const sharesGpus = group !== null && flags.device === "cuda";
  say(openLibrary({ threads, device: sharesGpus ? "cpu" : flags.device })); // else all on the first
  const device = sharesGpus ? await group.takeGpu() : flags.device;
  if (group !== null) say(`${group.size} processes by ${group.version}`);
  if (speaks) describe(saved);
  const task = makeTask(saved.config.task);
  const prepare = async () => await task.prepare?.(saved.config.run.seed, say);
  await group?.fromFirst(prepare); // before the others look for its files
  if (!group?.isFirst) await prepare();
  const data = task.load(saved.config.run.seed, say);
  say(`Run in "${folder}"${resume ? ", resumed" : ""}`);
  const { minutes } = flags;
  const result = await trainVisibly({
    ...{ saved, data, folder, device, resume },
    ...(minutes === undefined ? {} : { minutes }),
    microBatch: flags["micro-batch"],
    ...(group === null ? {} : { group }),
    ...(flags.log === undefined ? {} : { onMetrics: tensorBoardWriter(folder) }),
  });
  if (speaks || result.evaluation === null) finish(result, saved, data, folder);
}

/** Threads for each process of a group; as many as ever where there is none, or the user has chosen. */
async function threadsOf(group: Group | null): Promise<number | undefined> {
  if (group === null || Deno.env.get("OMP_NUM_THREADS") !== undefined) return undefined;
  return await group.threads();
}

/** The run that is asked for, and where it is kept. */
function askedFor(
  { flags, positionals: { recipe }, groups }: Request,
): { saved: SavedConfig; folder: string; resume: boolean } {
  const resumed = flags.resume === undefined ? null : resumedRun(recipe, flags.resume);
  const saved = resumed === null
    ? newRun(recipe, flags, groups)
    : continuedRun(recipe, resumed, flags, groups);
  const problem = presetProblem(saved.config);
  if (problem !== null) throw new UsageError(problem);
  const folder = resumed ?? userPath(flags.out ?? join(RUNS, recipe, timestamp()));
  if (resumed === null) requireNewFolder(folder);
  return { saved, folder, resume: resumed !== null };
}

/** The names of what may be set in a group, in any recipe. */
export function fieldsOf(group: keyof Groups): string {
  const names = Object.values(recipes).flatMap(({ presets }) => Object.keys(presets.cpu[group]));
  return [...new Set(names)].join(", ");
}

function describe({ recipe, preset, config: { model, task, optim, run } }: SavedConfig): void {
  using _ = scope();
  const size = formatCount(countParameters(makeModel(model, { random: new NoRandom(0) })));
  print(
    `${recipe}, preset ${preset}: ${size} parameters, width ${model.hiddenSize}, ` +
      `${describeDepth(model)}, ${model.forwardDtype}`,
  );
  print(
    `${makeTask(task).title}, batches of ${run.batchSize}, ${run.steps} steps, ` +
      `lr ${optim.lr}, seed ${run.seed}`,
  );
  const claim = recipes[recipe]?.presets[preset]?.claim;
  if (claim?.ours != null) {
    print(
      `This preset reached ${formatPercent(claim.ours)} ${claim.metric} in ${claim.hardware}`,
    );
  }
}

/** Shows what was reached, and says where the weights are. */
function finish(
  { evaluation, step, seconds, stopped }: TrainResult,
  { recipe, config }: SavedConfig,
  data: TaskData,
  folder: string,
): void {
  const goOn = `go on by deno task train ${recipe} --resume="${folder}"`;
  if (evaluation === null) throw new Interrupted(`Stopped at step ${step} and saved; ${goOn}`);
  const { model } = loadWeights(join(folder, "final"));
  const task = makeTask(config.task), puzzle = hardest(data.test);
  const answer = think(task, [model], [puzzle]).at(-1)!.answers[0]!;
  print(`\n${showEvaluation(evaluation)}\n\n${showAnswer(task, puzzle, answer)}\n`);
  print(`${step} steps in ${formatDuration(seconds)}; weights in "${join(folder, "final")}"`);
  if (stopped) print(`That was step ${step} of ${config.run.steps}; ${goOn}`);
}
