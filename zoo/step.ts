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
import { scope } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import {
  type Batch,
  type Carry,
  carryTensors,
  type Model,
  type Training,
} from "../models/model.ts";
import { segmentLoss, segmentMetrics, type TokenLoss } from "../models/supervision.ts";

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

/** One step of training; returns the carry for the next; the old carry is freed. */
export function trainStep(
  { model, optimizer, ema, loss: tokenLoss, clipNorm, puzzleEmbWeightDecay }: Learner,
  carry: Carry,
  batch: Batch,
  { lr, puzzleEmbLr }: LearningRates,
  training: Training,
): { carry: Carry; report: StepReport } {
  using s = scope();
  const rows = batch.inputs.shape[0]!;
  const step = model.step(carry, batch, { training });
  const { outputs, puzzleRows } = step;
  const parts = segmentLoss(outputs, step.carry.data.labels, tokenLoss);
  const metrics = segmentMetrics(step.carry, outputs);

  const trained = optimizer === null ? [] : parameters(model);
  const targets = puzzleRows === null ? trained : [...trained, puzzleRows];
  const loss = parts.loss.mul(1 / rows);
  const value = requireFinite("loss", loss);
  const gradients = grad(loss, targets);
  const own = gradients.slice(0, trained.length);
  const norm = gradNorm(optimizer === null ? gradients : own);
  const normValue = requireFinite("length of the gradients", norm);
  if (puzzleRows !== null) {
    const { puzzleIdentifiers } = step.carry.data;
    const settings = { lr: puzzleEmbLr, weightDecay: puzzleEmbWeightDecay };
    signSgd(model.puzzleTable!, puzzleIdentifiers, gradients[trained.length]!, settings);
  }
  optimizer?.step(clipNorm > 0 ? clipGradNorm(own, clipNorm, norm) : own, lr);
  ema?.update();

  for (const tensor of Object.values(carryTensors(carry))) tensor.dispose();
  s.keep(Object.values(carryTensors(step.carry)));
  const report = {
    loss: value,
    lmLoss: parts.lm.item() / rows,
    qHaltLoss: (parts.qHalt?.item() ?? 0) / rows,
    qContinueLoss: (parts.qContinue?.item() ?? 0) / rows,
    gradNorm: normValue,
    count: metrics.count.item(),
    accuracy: metrics.accuracy.item(),
    exactAccuracy: metrics.exactAccuracy.item(),
    qHaltAccuracy: metrics.qHaltAccuracy.item(),
    steps: metrics.steps.item(),
  };
  return { carry: step.carry, report };
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
