/**
 * One training step: thought, its loss, its gradients, an update.
 *
 * @module
 */
import { grad } from "../core/autograd.ts";
import { parameters } from "../core/nn/module.ts";
import { clipGradNorm, gradNorm } from "../core/optim/clip.ts";
import type { Ema } from "../core/optim/ema.ts";
import type { Optimizer } from "../core/optim/optimizer.ts";
import { signSgd } from "../core/optim/sign_sgd.ts";
import { Random } from "../core/random.ts";
import { scope } from "../core/scope.ts";
import { cat, type Tensor } from "../core/tensor.ts";
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
  const length = applied(learner, update, rates);
  for (const tensor of Object.values(carryTensors(carry))) tensor.dispose();
  s.keep(Object.values(carryTensors(next)));
  return { carry: next, report: { ...sums, gradNorm: length } };
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
  { microBatch = Infinity }: StepOptions = {},
): Promise<{ carry: Carry; report: StepReport & Traffic }> {
  using s = scope();
  const rows = batch.inputs.shape[0]!, { start, end } = group.share(rows);
  const own = {
    ...training,
    elsewhere: { before: start, after: rows - end },
    dropped: droppedBy(group.rank, training),
  };
  const part = sliceBatch(batch, start, end);
  const { next, sums, ...update } = passOver(learner, carry, part, rows, own, microBatch);
  group.resetTraffic();
  const length = applied(learner, await summed(group, update), rates);
  const report = await totals(group, sums);
  for (const tensor of Object.values(carryTensors(carry))) tensor.dispose();
  s.keep(Object.values(carryTensors(next)));
  return { carry: next, report: { ...report, gradNorm: length, ...group.traffic } };
}

/** The update that all processes make: gradients summed, rows of the puzzle table gathered. */
async function summed(group: Group, { gradients, looked }: Update): Promise<Update> {
  const sums = await group.sumTensors(gradients);
  if (looked === null) return { gradients: sums, looked };
  const rows = await group.joinRows(looked.rows);
  return { gradients: sums, looked: { rows, gradients: await group.joinRows(looked.gradients) } };
}

/** The report of all rows. */
async function totals(group: Group, own: Sums): Promise<Sums> {
  const sums = await group.sumNumbers(Object.values(own));
  return Object.fromEntries(Object.keys(own).map((name, i) => [name, sums[i]])) as unknown as Sums;
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
): Update & { readonly next: Carry; readonly sums: Sums } {
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

/** Updates what is learnt; returns the gradients' common length before clipping. */
function applied(
  { model, optimizer, ema, clipNorm, puzzleEmbWeightDecay }: Learner,
  { gradients, looked }: Update,
  { lr, puzzleEmbLr }: LearningRates,
): number {
  const norm = gradNorm(optimizer === null && looked !== null ? [looked.gradients] : gradients);
  const length = requireFinite("length of the gradients", norm);
  if (looked !== null) {
    const settings = { lr: puzzleEmbLr, weightDecay: puzzleEmbWeightDecay };
    signSgd(model.puzzleTable!, looked.rows, looked.gradients, settings);
  }
  optimizer?.step(clipNorm > 0 ? clipGradNorm(gradients, clipNorm, norm) : gradients, lr);
  ema?.update();
  return length;
}

/** The part of a report that adds up over the rows of a batch. */
type Sums = Omit<StepReport, "gradNorm">;

/** What some rows of a batch contribute to a step. */
interface Pass {
  /** Their carry after it; several where passes were added. */
  readonly parts: readonly Carry[];
  /** Of the parameters that are trained. */
  readonly gradients: readonly Tensor[];
  /** Of the rows of the puzzle table that they looked up, `[b, puzzleEmbNdim]`; none without a table. */
  readonly puzzleGradients: readonly Tensor[];
  /** Their share of the report. */
  readonly sums: Sums;
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
  const value = requireFinite("loss", loss);
  const all = grad(loss, puzzleRows === null ? trained : [...trained, puzzleRows]);
  const gradients = all.slice(0, trained.length), puzzleGradients = all.slice(trained.length);
  s.keep([...all, ...Object.values(carryTensors(step.carry))]);
  const sums = {
    loss: value,
    lmLoss: parts.lm.item() / rows,
    qHaltLoss: (parts.qHalt?.item() ?? 0) / rows,
    qContinueLoss: (parts.qContinue?.item() ?? 0) / rows,
    count: metrics.count.item(),
    accuracy: metrics.accuracy.item(),
    exactAccuracy: metrics.exactAccuracy.item(),
    qHaltAccuracy: metrics.qHaltAccuracy.item(),
    steps: metrics.steps.item(),
  };
  return { parts: [step.carry], gradients, puzzleGradients, sums };
}

/** Both passes together; frees gradients that are in the sum. */
function added(a: Pass, b: Pass): Pass {
  const gradients = a.gradients.map((gradient, i) => {
    const sum = gradient.add(b.gradients[i]!);
    gradient.dispose();
    b.gradients[i]!.dispose();
    return sum;
  });
  const names = Object.keys(a.sums) as (keyof Sums)[];
  return {
    parts: [...a.parts, ...b.parts],
    gradients,
    puzzleGradients: [...a.puzzleGradients, ...b.puzzleGradients],
    sums: Object.fromEntries(
      names.map((name) => [name, a.sums[name] + b.sums[name]]),
    ) as unknown as Sums,
  };
}

/** Stops before what is no number spoils the weights. */
function requireFinite(what: string, number: Tensor): number {
  const value = number.item();
  if (!Number.isFinite(value)) {
    throw new RangeError(
      `Cannot go on training: the ${what} is ${value}; start anew with a lower --optim.lr`,
    );
  }
  return value;
}
