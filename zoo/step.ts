/**
 * One training step: thought, its loss, its gradients, an update.
 *
 * @module
 */
import { grad, noGrad } from "../core/autograd.ts";
import { zeros } from "../core/create.ts";
import { parameters } from "../core/nn/module.ts";
import { clipGradNorm, gradNorm } from "../core/optim/clip.ts";
import type { Ema } from "../core/optim/ema.ts";
import type { Optimizer } from "../core/optim/optimizer.ts";
import { signSgd } from "../core/optim/sign_sgd.ts";
import { Random } from "../core/random.ts";
import { scope, tidy } from "../core/scope.ts";
import { cat, stack, type Tensor } from "../core/tensor.ts";
import {
  type Batch,
  type Carry,
  carryTensors,
  joinCarries,
  type Model,
  sliceBatch,
  sliceCarry,
  type Training,
} from "../models/model.ts";
import { segmentLoss, segmentMetrics, type TokenLoss } from "../models/supervision.ts";
import type { Group, Traffic } from "./distributed.ts";

/** What is trained, and with what. */
export interface Trainee extends Learner {
  /** Updates its parameters. */
  readonly optimizer: Optimizer;
}

/** The same, where puzzle embeddings alone may be trained. */
export interface Learner {
  /** The model. */
  readonly model: Model;
  /** Updates its parameters; null to leave them as they are. */
  readonly optimizer: Optimizer | null;
  /** Averages of its parameters, if any. */
  readonly ema: Ema | null;
  /** Which cross-entropy. */
  readonly loss: TokenLoss;
  /** The most that the gradients' common length may be; 0 for no bound. */
  readonly clipNorm: number;
  /** Decay of the puzzle embeddings that were looked up. */
  readonly puzzleEmbWeightDecay: number;
}

/** How a step is done; its result is the same. */
export interface StepOptions {
  /** The most rows that go through the model at a time; all of them unless given. */
  readonly microBatch?: number | undefined;
}

/** The learning rates of one step. */
export interface LearningRates {
  /** Of the parameters. */
  readonly lr: number;
  /** Of the puzzle embeddings. */
  readonly puzzleEmbLr: number;
}

/** Numbers of one step. */
export interface StepReport {
  /** The loss over the batch size. */
  readonly loss: number;
  /** Its cross-entropy part. */
  readonly lmLoss: number;
  /** Its halting part; 0 if there is none. */
  readonly qHaltLoss: number;
  /** Its continuing part; 0 if there is none. */
  readonly qContinueLoss: number;
  /** The gradients' common length before clipping. */
  readonly gradNorm: number;
  /** Rows that halted in this segment. */
  readonly count: number;
  /** Over those rows, the sum of their shares of right tokens. */
  readonly accuracy: number;
  /** Of those rows, how many have every token right. */
  readonly exactAccuracy: number;
  /** Of those rows, for how many the halting logit says rightly whether they are solved. */
  readonly qHaltAccuracy: number;
  /** The sum of those rows' segments. */
  readonly steps: number;
}

/**
 * One step of training; returns the carry for the next; the old carry is freed.
 *
 * With a `microBatch` below the batch's rows, so many rows go through the model at a time,
 * and their gradients are added up: the same update from less memory, but for the order
 * in which sums are rounded, and for what a model draws at random for a whole batch
 * (dropout, the loops of the progressive objective).
 */
export function trainStep(
  learner: Learner,
  carry: Carry,
  batch: Batch,
  rates: LearningRates,
  training: Training,
  { microBatch = Infinity }: StepOptions = {},
): { carry: Carry; report: StepReport } {
  using s = scope();
  const rows = batch.inputs.shape[0]!;
  const { next, sums, ...update } = passOver(learner, carry, batch, rows, training, microBatch);
  const norm = lengthOf(learner, update);
  const [report] = readReports([{ numbers: reported(sums, norm), rows }]);
  applied(learner, update, rates, norm);
  for (const tensor of Object.values(carryTensors(carry))) tensor.dispose();
  s.keep(Object.values(carryTensors(next)));
  return { carry: next, report: report! };
}

/** The numbers of a step where they were computed, float64: {@link readReports} reads them. */
export interface UnreadReport {
  /** In the order of a report's fields, the losses not yet divided by the rows. */
  readonly numbers: Tensor;
  /** Rows of the batch. */
  readonly rows: number;
  /** What it exchanged with other processes, if there are any. */
  readonly traffic?: Traffic;
}

/**
 * The same step as {@link trainStep}, of which nothing is read: on a GPU it returns as soon as
 * its kernels are queued, and the next step can be queued behind it. What is no number is found
 * when the report is read, so read it before what was trained is saved.
 */
export function queueStep(
  learner: Learner,
  carry: Carry,
  batch: Batch,
  rates: LearningRates,
  training: Training,
  { microBatch = Infinity }: StepOptions = {},
): { carry: Carry; report: UnreadReport } {
  using s = scope();
  const rows = batch.inputs.shape[0]!;
  const { next, sums, ...update } = passOver(learner, carry, batch, rows, training, microBatch);
  const norm = lengthOf(learner, update);
  const numbers = reported(sums, norm);
  applied(learner, update, rates, norm);
  for (const tensor of Object.values(carryTensors(carry))) tensor.dispose();
  s.keep([numbers, ...Object.values(carryTensors(next))]);
  return { carry: next, report: { numbers, rows } };
}

/** In the order in which a step computes them; the losses are divided by the rows. */
const losses = ["lmLoss", "qHaltLoss", "qContinueLoss"] as const;
const counts = ["count", "accuracy", "exactAccuracy", "qHaltAccuracy", "steps"] as const;
const reportNames = ["loss", ...losses, ...counts, "gradNorm"] as const;

/**
 * Reports of steps, read in one go and freed: it waits until the device has done them.
 *
 * @throws {RangeError} when a loss or the length of the gradients is no number
 */
export function readReports(
  unread: readonly UnreadReport[],
): (StepReport & Partial<Traffic>)[] {
  if (unread.length === 0) return [];
  const all = noGrad(() => tidy(() => stack(unread.map(({ numbers }) => numbers))));
  const values = all.toNumbers();
  for (const tensor of [all, ...unread.map(({ numbers }) => numbers)]) tensor.dispose();
  return unread.map(({ rows, traffic }, i) => {
    const report = Object.fromEntries(reportNames.map((name, j) => {
      const value = values[i * reportNames.length + j]!;
      return [name, (losses as readonly string[]).includes(name) ? value / rows : value];
    })) as unknown as StepReport;
    requireFinite("loss", report.loss);
    requireFinite("length of the gradients", report.gradNorm);
    return { ...report, ...traffic };
  });
}

/** Reports that wait to be read together. */
export class UnreadReports {
  #waiting: UnreadReport[] = [];

  /** Takes one in; the reports of all that wait if they are due, else none. */
  add(report: UnreadReport, isDue: boolean): (StepReport & Partial<Traffic>)[] {
    this.#waiting.push(report);
    return isDue ? this.read() : [];
  }

  /** The reports of all that wait. */
  read(): (StepReport & Partial<Traffic>)[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return readReports(waiting);
  }
}

/** A step's numbers as one tensor. */
function reported(sums: Tensor, norm: Tensor): Tensor {
  return noGrad(() => cat([sums, norm.to("float64").reshape([1])], 0));
}

/**
 * The same step by several processes, each of which has the carry of its own rows alone, and is
 * given the whole batch. The update and the report are those of one process, but for the order in
 * which sums are rounded, and for dropout, which draws other numbers in each process.
 */
export async function sharedStep(
  group: Group,
  learner: Learner,
  carry: Carry,
  batch: Batch,
  rates: LearningRates,
  training: Training,
  options: StepOptions = {},
): Promise<{ carry: Carry; report: StepReport & Partial<Traffic> }> {
  using s = scope();
  const { next, ...update } = await sharedPass(group, learner, carry, batch, training, options);
  const norm = lengthOf(learner, update);
  await group.settled();
  const [report] = readReports([sharedReport(group, update.sums, norm, batch)]);
  applied(learner, update, rates, norm);
  for (const tensor of Object.values(carryTensors(carry))) tensor.dispose();
  s.keep(Object.values(carryTensors(next)));
  return { carry: next, report: report! };
}

/** The same step by several processes, of which nothing is read: as {@link queueStep} does it. */
export async function queueSharedStep(
  group: Group,
  learner: Learner,
  carry: Carry,
  batch: Batch,
  rates: LearningRates,
  training: Training,
  options: StepOptions = {},
): Promise<{ carry: Carry; report: UnreadReport }> {
  using s = scope();
  const { next, ...update } = await sharedPass(group, learner, carry, batch, training, options);
  const norm = lengthOf(learner, update);
  const report = sharedReport(group, update.sums, norm, batch);
  applied(learner, update, rates, norm);
  for (const tensor of Object.values(carryTensors(carry))) tensor.dispose();
  s.keep([report.numbers, ...Object.values(carryTensors(next))]);
  return { carry: next, report };
}

/**
 * What the rows of all processes come to, of which each has done its own: gradients and metrics
 * summed, rows of the puzzle table gathered.
 */
async function sharedPass(
  group: Group,
  learner: Learner,
  carry: Carry,
  batch: Batch,
  training: Training,
  { microBatch = Infinity }: StepOptions,
): Promise<Update & { readonly next: Carry; readonly sums: Tensor }> {
  const rows = batch.inputs.shape[0]!, { start, end } = group.share(rows);
  const own = {
    ...training,
    elsewhere: { before: start, after: rows - end },
    dropped: droppedBy(group.rank, training),
  };
  const part = sliceBatch(batch, start, end);
  const pass = passOver(learner, carry, part, rows, own, microBatch);
  group.resetTraffic();
  const gradients = await group.sumTensors(pass.gradients);
  const [sums] = await group.sumTensors([pass.sums]);
  const looked = pass.looked === null ? null : {
    rows: await group.joinRows(pass.looked.rows, rows),
    gradients: await group.joinRows(pass.looked.gradients, rows),
  };
  return { next: pass.next, sums: sums!, gradients, looked };
}

function sharedReport(group: Group, sums: Tensor, norm: Tensor, batch: Batch): UnreadReport {
  return { numbers: reported(sums, norm), rows: batch.inputs.shape[0]!, traffic: group.traffic };
}

/** Streams from here on belong to the steps, for what a process drops at random. */
const DROPOUT_STREAM = 2 ** 25;

/** The random numbers by which one of several processes drops. */
function droppedBy(rank: number, { random, step }: Training): Random {
  return new Random(random.state.seed + 2 ** 32 * (rank + 1), DROPOUT_STREAM + step);
}

/** What an update is made of. */
interface Update {
  /** Of the parameters that are trained. */
  readonly gradients: readonly Tensor[];
  /** Which rows of the puzzle table were looked up, `[B]`, and their gradients; null without one. */
  readonly looked: { readonly rows: Tensor; readonly gradients: Tensor } | null;
}

/** What the rows of a batch come to, so many at a time. */
function passOver(
  learner: Learner,
  carry: Carry,
  batch: Batch,
  rows: number,
  training: Training,
  microBatch: number,
): Update & { readonly next: Carry; readonly sums: Tensor } {
  const own = batch.inputs.shape[0]!;
  const { before, after } = training.elsewhere ?? { before: 0, after: 0 };
  let total: Pass | null = null;
  for (let start = 0; start < own; start += microBatch) {
    const end = Math.min(start + microBatch, own);
    const isWhole = start === 0 && end === own;
    const elsewhere = { before: start === 0 ? before : 0, after: end === own ? after : 0 };
    const pass = gradientsOf(
      learner,
      isWhole ? carry : sliceCarry(carry, start, end),
      isWhole ? batch : sliceBatch(batch, start, end),
      rows,
      { ...training, elsewhere },
    );
    total = total === null ? pass : added(total, pass);
  }
  const { parts, gradients, puzzleGradients, sums } = total!;
  const next = parts.length === 1 ? parts[0]! : joinCarries(parts);
  const looked = puzzleGradients.length === 0
    ? null
    : { rows: next.data.puzzleIdentifiers, gradients: cat(puzzleGradients, 0) };
  return { next, sums, gradients, looked };
}

/** The common length of the gradients of what is learnt. */
function lengthOf({ optimizer }: Learner, { gradients, looked }: Update): Tensor {
  return gradNorm(optimizer === null && looked !== null ? [looked.gradients] : gradients);
}

/** Updates what is learnt, given the gradients' common length. */
function applied(
  { model, optimizer, ema, clipNorm, puzzleEmbWeightDecay }: Learner,
  { gradients, looked }: Update,
  { lr, puzzleEmbLr }: LearningRates,
  norm: Tensor,
): void {
  if (looked !== null) {
    const settings = { lr: puzzleEmbLr, weightDecay: puzzleEmbWeightDecay };
    signSgd(model.puzzleTable!, looked.rows, looked.gradients, settings);
  }
  optimizer?.step(clipNorm > 0 ? clipGradNorm(gradients, clipNorm, norm) : gradients, lr);
  ema?.update();
}

/** What some rows of a batch contribute to a step. */
interface Pass {
  /** Their carry after it; several where passes were added. */
  readonly parts: readonly Carry[];
  /** Of the parameters that are trained. */
  readonly gradients: readonly Tensor[];
  /** Of the rows of the puzzle table that they looked up, `[b, puzzleEmbNdim]`; none without a table. */
  readonly puzzleGradients: readonly Tensor[];
  /** Their share of the report: of all its numbers but the gradients' length, which do add up. */
  readonly sums: Tensor;
}

/** Thought, its loss and its gradients, for some of the `rows` of a step. */
function gradientsOf(
  { model, optimizer, loss: tokenLoss }: Learner,
  carry: Carry,
  batch: Batch,
  rows: number,
  training: Training,
): Pass {
  using s = scope();
  const step = model.step(carry, batch, { training });
  const { outputs, puzzleRows } = step;
  const parts = segmentLoss(outputs, step.carry.data.labels, tokenLoss);
  const metrics = segmentMetrics(step.carry, outputs);

  const trained = optimizer === null ? [] : parameters(model);
  const loss = parts.loss.mul(1 / rows);
  const all = grad(loss, puzzleRows === null ? trained : [...trained, puzzleRows]);
  const gradients = all.slice(0, trained.length), puzzleGradients = all.slice(trained.length);
  const none = zeros([], { device: loss.device });
  const sums = sumsOf([
    ...[loss, parts.lm, parts.qHalt ?? none, parts.qContinue ?? none],
    ...counts.map((name) => metrics[name]),
  ]);
  s.keep([sums, ...all, ...Object.values(carryTensors(step.carry))]);
  return { parts: [step.carry], gradients, puzzleGradients, sums };
}

/** Numbers of any dtype as one tensor. */
function sumsOf(numbers: readonly Tensor[]): Tensor {
  return noGrad(() => cat(numbers.map((number) => number.detach().to("float64").reshape([1])), 0));
}

/** Both passes together; frees gradients that are in the sum. */
function added(a: Pass, b: Pass): Pass {
  const gradients = a.gradients.map((gradient, i) => {
    const sum = gradient.add(b.gradients[i]!);
    gradient.dispose();
    b.gradients[i]!.dispose();
    return sum;
  });
  return {
    parts: [...a.parts, ...b.parts],
    gradients,
    puzzleGradients: [...a.puzzleGradients, ...b.puzzleGradients],
    sums: a.sums.add(b.sums),
  };
}

/** Stops before what is no number spoils the weights, or their checkpoint. */
function requireFinite(what: string, value: number): void {
  if (Number.isFinite(value)) return;
  throw new RangeError(
    `Cannot go on training: the ${what} is ${value}; start anew with a lower --optim.lr`,
  );
}
