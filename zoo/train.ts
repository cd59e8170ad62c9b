/**
 * Training: one loop, from a preset to weights.
 *
 * @module
 */
import { join } from "@std/path";
import type { Device } from "../core/device.ts";
import { namedParameters, stateDict } from "../core/nn/module.ts";
import { adamATan2, adamW } from "../core/optim/adam.ts";
import { Ema } from "../core/optim/ema.ts";
import { grouped, type Named } from "../core/optim/optimizer.ts";
import { warmupCosine } from "../core/optim/schedule.ts";
import { Random } from "../core/random.ts";
import { scope } from "../core/scope.ts";
import { makeModel, type ModelConfig } from "../models/family.ts";
import { type Carry, carryTensors, type Model, sliceCarry } from "../models/model.ts";
import { loadCheckpoint, readCheckpoint, saveCheckpoint, storedCarry } from "./checkpoint.ts";
import type { Group, Traffic } from "./distributed.ts";
import { evaluate, evaluateTogether, type Evaluation } from "./evaluate.ts";
import { appendMetrics, cutMetrics, type MetricsLine, MetricsWindow } from "./metrics.ts";
import type { OptimConfig, OwnPreset, Preset, RunConfig, TaskConfig } from "./recipe.ts";
import {
  queueSharedStep,
  queueStep,
  sharedStep,
  type StepReport,
  type Trainee,
  trainStep,
  UnreadReports,
} from "./step.ts";
import type { Puzzle, Sampler, Task, TaskData } from "./tasks/task.ts";
import { makeTask } from "./tasks/tasks.ts";
import { type SavedConfig, saveWeights, WEIGHT_PREFIX, writeConfig } from "./weights.ts";

/** A run to be done. */
export interface TrainOptions {
  /** What to train, and its names; saved beside the weights. */
  readonly saved: SavedConfig<OwnPreset>;
  /** A model of the caller's own to train; by default the one that the config describes. */
  readonly model?: Model;
  /** A task of the caller's own; by default the one that the config describes. */
  readonly task?: Task;
  /** The puzzles. */
  readonly data: TaskData;
  /** Where the run is kept. */
  readonly folder: string;
  /** Go on from the folder's checkpoint. */
  readonly resume?: boolean;
  /** Where to compute. */
  readonly device?: Device;
  /** The most rows that go through the model at a time; the whole batch unless given. */
  readonly microBatch?: number | undefined;
  /** The processes that share every batch; all of them are given the same options. */
  readonly group?: Group | undefined;
  /** Stop after so many minutes of training; default never. */
  readonly minutes?: number;
  /** Stop after the present step, and save. */
  readonly signal?: AbortSignal;
  /**
   * Steps after which their reports are read, at the latest: to read is to wait until they are
   * done. By default 1 on the CPU, where it costs nothing, and 10 on a GPU.
   */
  readonly readEvery?: number;
  /** Told after every step; of those that are read together, one after the other. */
  readonly onStep?: (
    step: number,
    report: StepReport & Partial<Traffic>,
    elapsed: { seconds: number },
  ) => void;
  /** Told after every evaluation. */
  readonly onEvaluation?: (step: number, evaluation: Evaluation) => void;
  /** Told every line of the metrics, such as `tensorBoardWriter(folder)`. */
  readonly onMetrics?: (line: MetricsLine) => void;
}

/** How a run ended. */
export interface TrainResult {
  /** Steps done in all. */
  readonly step: number;
  /** Seconds of training in all. */
  readonly seconds: number;
  /** Whether it was stopped before its last step. */
  readonly stopped: boolean;
  /** The last evaluation, on all held-out puzzles; null if it was interrupted. */
  readonly evaluation: Evaluation | null;
}

/** The model of a preset with what trains it, all from the preset's seed. */
export function makeTrainee({ model, optim, run }: Preset, device: Device): Trainee {
  return traineeOf(drawnModel(model, run, device), optim);
}

/** The model that a config describes, drawn from the run's seed. */
function drawnModel(config: ModelConfig, { seed }: RunConfig, device: Device): Model {
  return makeModel(config, { random: new Random(seed, 0), device });
}

/** A model with what trains it. */
function traineeOf(model: Model, optim: OptimConfig): Trainee {
  const { beta1, beta2, eps, weightDecay, convention } = optim;
  const betas = [beta1, beta2] as const;
  const make = (named: readonly Named[], decay: number) =>
    optim.optimizer === "adamw"
      ? adamW(named, { betas, weightDecay: decay, eps })
      : adamATan2(named, { betas, weightDecay: decay, convention });
  const named = namedParameters(model);
  return {
    model,
    optimizer: optim.decay === "all"
      ? make(named, weightDecay)
      : grouped(named, isProjection, (group, decays) => make(group, decays ? weightDecay : 0)),
    ema: optim.ema > 0 ? new Ema(model, optim.ema) : null,
    loss: optim.loss,
    clipNorm: optim.clipNorm,
    puzzleEmbWeightDecay: optim.puzzleEmbWeightDecay,
  };
}

/**
 * Trains until the last step, the time or the signal; leaves a checkpoint and weights.
 * A model of the caller's own is left with the weights of the last step, not averaged.
 *
 * @throws {TypeError} when there is no model or task of the config's kind, and none is given
 * @throws {RangeError} when the loss is no longer a number, or fewer steps are asked for than are done
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { saved, data, folder, device = "cpu", minutes = Infinity, signal, microBatch } = options;
  const { group = null, readEvery = device === "cpu" ? 1 : 10 } = options;
  const isWriter = group?.isFirst ?? true;
  const { run, optim } = saved.config;
  if (group !== null) requireRows(group, run);
  const task = options.task ?? makeTask(saved.config.task as TaskConfig);
  await breathe(); // what follows has a scope that the caller does not share
  using _ = scope();
  const model = options.model ?? drawnModel(saved.config.model as ModelConfig, run, device);
  const trainee = traineeOf(model, optim);
  using _buffers = { [Symbol.dispose]: () => disposeTrainee(trainee) };
  const schedule = { ...optim, totalSteps: run.steps };

  let carry = firstCarry(trainee.model, data.train, run.batchSize, device);
  let exploration = new Random(run.seed, 1);
  let step = 0, seconds = 0, best: number | null = null;
  const window = new MetricsWindow(), unread = new UnreadReports();
  if (options.resume) {
    const read = () => readCheckpoint(folder);
    const bytes = group === null ? read() : await group.bytesFromFirst(read);
    const restored = loadCheckpoint(bytes, folder, trainee, carry);
    ({ step, seconds, best } = restored.progress);
    exploration = restored.exploration;
    window.restore(restored.progress.window);
    if (step > run.steps) {
      throw new RangeError(`Cannot train for ${run.steps} steps: the run has done ${step} already`);
    }
    if (isWriter) await cutMetrics(folder, step);
  }
  if (isWriter) await writeConfig(folder, saved);
  if (group !== null) carry = ownRows(group, carry);
  const report = (line: MetricsLine) => {
    if (!isWriter) return;
    appendMetrics(folder, line);
    options.onMetrics?.(line);
  };
  const save = async () => {
    const whole = group === null ? storedCarry(carry) : await group.gatherCarry(carry);
    const progress = { step, seconds, best, exploration: exploration.state, window: window.sums };
    if (isWriter) await saveCheckpoint(folder, trainee, whole, progress);
  };
  const saveAs = async (name: string) => {
    if (isWriter) await saveTrainee(join(folder, name), trainee, saved);
  };

  if (!options.resume) await save(); // a run can be resumed from its first moment
  const limit = seconds + minutes * 60;
  const agreed = async () =>
    await agreement(group, { seconds, exploration, isStopped: signal?.aborted ?? false });
  let { isStopped } = await agreed();
  while (step < run.steps && seconds < limit && !isStopped) {
    const began = performance.now();
    const batch = data.train.batch(step, run.batchSize, device);
    const lr = warmupCosine(schedule, step + 1); // the official loop counts from 1
    const puzzleEmbLr = lr / optim.lr * optim.puzzleEmbLr;
    const training = { random: exploration, step };
    const given = [trainee, carry, batch, { lr, puzzleEmbLr }, training, { microBatch }] as const;
    const result = group !== null
      ? await (readEvery === 1 ? sharedStep : queueSharedStep)(group, ...given)
      : readEvery === 1
      ? trainStep(...given)
      : queueStep(...given);
    for (const tensor of Object.values(batch)) tensor.dispose();
    carry = result.carry;
    step++;
    const isDue = [readEvery, run.reportEvery, run.evalEvery, run.checkpointEvery, run.steps]
      .some((every) => step % every === 0);
    if (isDue) await group?.settled();
    const reports = "numbers" in result.report ? unread.add(result.report, isDue) : [result.report];
    seconds += (performance.now() - began) / 1000;

    reports.forEach((report, i) => {
      window.add(report);
      options.onStep?.(step - reports.length + 1 + i, report, { seconds });
    });
    if (step % run.reportEvery === 0) {
      report({ step, seconds, lr, ...window.take() });
    }
    if (step % run.evalEvery === 0 && step < run.steps) {
      const some = data.test.slice(0, run.evalPuzzles);
      const evaluation = await evaluateTrainee(trainee, task, some, device, group);
      options.onEvaluation?.(step, evaluation);
      report({ step, seconds, evaluation: evaluation.final });
      if (best === null || evaluation.final.exact >= best) {
        best = evaluation.final.exact;
        await saveAs("best");
      }
    }
    if (step % run.checkpointEvery === 0) await save();
    await breathe();
    ({ seconds, exploration, isStopped } = await agreed());
  }

  await group?.settled();
  for (const report of unread.read()) window.add(report);
  await save();
  const stopped = step < run.steps;
  if (isStopped) return { step, seconds, stopped, evaluation: null };
  const evaluation = await evaluateTrainee(trainee, task, data.test, device, group);
  report({ step, seconds, final: evaluation });
  await saveAs("final");
  if (best === null || evaluation.final.exact >= best) await saveAs("best");
  return { step, seconds, stopped, evaluation };
}

/** Whether a parameter is the matrix of a linear layer: no embedding, gain or bias. */
function isProjection([name, { shape }]: Named): boolean {
  return name.endsWith(".weight") && shape.length === 2;
}

/** Internal to zoo: frees what belongs to a trainee and to no scope. */
export function disposeTrainee({ optimizer, ema }: Trainee): void {
  optimizer.dispose();
  ema?.dispose();
}

/** Internal to zoo: a carry of all rows halted, of the shapes that the batches have. */
export function firstCarry(
  model: Model,
  sampler: Sampler,
  batchSize: number,
  device: Device,
): Carry {
  using s = scope();
  const carry = model.initialCarry(sampler.batch(0, batchSize, device));
  s.keep(Object.values(carryTensors(carry)));
  return carry;
}

/** @throws {RangeError} when a process would have no rows */
function requireRows({ size }: Group, { batchSize }: RunConfig): void {
  if (size <= batchSize) return;
  throw new RangeError(
    `Cannot share batches of ${batchSize} rows among ${size} processes: start ${batchSize} at most`,
  );
}

/** The rows of a carry that are this process's own; the others are freed. */
function ownRows(group: Group, carry: Carry): Carry {
  const { start, end } = group.share(carry.steps.shape[0]!);
  const own = sliceCarry(carry, start, end);
  for (const tensor of Object.values(carryTensors(carry))) tensor.dispose();
  return own;
}

/**
 * What all processes go by: the first one's clock and random numbers, of which each may have drawn
 * more for its micro-batches than another; and whether one of them was told to stop.
 */
async function agreement(group: Group | null, own: Agreement): Promise<Agreement> {
  if (group === null) return own;
  const { seconds, exploration, isStopped } = own;
  const { drawn, ...stream } = exploration.state;
  const firsts = group.isFirst ? [seconds, drawn] : [0, 0];
  const [clock, words, told] = await group.sumNumbers([...firsts, Number(isStopped)]);
  return {
    seconds: clock!,
    exploration: words === drawn ? exploration : Random.from({ ...stream, drawn: words! }),
    isStopped: told! > 0,
  };
}

interface Agreement {
  readonly seconds: number;
  readonly exploration: Random;
  readonly isStopped: boolean;
}

/** Evaluates with the averaged weights, if there are any; each process its own puzzles. */
async function evaluateTrainee(
  { model, ema }: Trainee,
  task: Task,
  puzzles: readonly Puzzle[],
  device: Device,
  group: Group | null,
): Promise<Evaluation> {
  const body = () =>
    group === null
      ? evaluate(task, model, puzzles, { device })
      : evaluateTogether(group, task, model, puzzles, { device });
  return await (ema === null ? body() : ema.applied(body));
}

/** Saves the averaged weights, if there are any, else the weights themselves. */
async function saveTrainee(
  folder: string,
  { model, ema }: Trainee,
  saved: SavedConfig<OwnPreset>,
): Promise<void> {
  const body = () => stateDict(model, WEIGHT_PREFIX);
  await saveWeights(folder, await (ema === null ? body() : ema.applied(body)), saved);
}

/** Lets signals and timers in between two steps. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
