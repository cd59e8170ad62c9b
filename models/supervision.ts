/**
 * The loss of one segment, and what is counted beside it.
 *
 * Source: sapientinc/HRM@42410da models/losses.py.
 *
 * @module
 */
import { noGrad } from "../core/autograd.ts";
import { scalar } from "../core/create.ts";
import { bceWithLogits, crossEntropy, stablemaxCrossEntropy } from "../core/ops/loss.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Carry, Outputs } from "./model.ts";

/** Which cross-entropy: stablemax in float64 or softmax in float32. */
export type TokenLoss = "stablemax" | "softmax";

/** Sums over the rows that halted in this segment; divide by `count`. All are scalars. */
export interface SegmentMetrics {
  /** Rows that halted. */
  readonly count: Tensor;
  /** Of their tokens, the share that is right. */
  readonly accuracy: Tensor;
  /** Of them, those with every token right. */
  readonly exactAccuracy: Tensor;
  /** Of them, those whose halting logit says rightly whether they are solved; 0 without one. */
  readonly qHaltAccuracy: Tensor;
  /** Their segments. */
  readonly steps: Tensor;
}

/** The parts of the loss, each summed over the batch. */
export interface SegmentLoss {
  /** `lm + ½ (qHalt + qContinue)`. */
  readonly loss: Tensor;
  /** Cross-entropy, the mean over each row's counted tokens. */
  readonly lm: Tensor;
  /** Cross-entropy of halting with "is solved"; null for a model that never halts. */
  readonly qHalt: Tensor | null;
  /** Cross-entropy of going on with its target; null if it is not trained. */
  readonly qContinue: Tensor | null;
}

const tokenLosses = { stablemax: stablemaxCrossEntropy, softmax: crossEntropy } as const;

/** Which rows have every counted token right, bool `[B]`; a row that counts none is right. */
export function solvedRows(logits: Tensor, labels: Tensor): Tensor {
  return allRight(rightTokens(logits, labels), labels);
}

function allRight(right: Tensor, labels: Tensor): Tensor {
  return right.sum(1).eq(labels.ne(-100).sum(1));
}

function rightTokens(logits: Tensor, labels: Tensor): Tensor {
  return labels.ne(-100).logicalAnd(logits.argmax(-1).eq(labels));
}

/** The loss of a training step; divide by the batch size before going back. */
export function segmentLoss(outputs: Outputs, labels: Tensor, tokenLoss: TokenLoss): SegmentLoss {
  const { logits, qHalt, qContinue, targetQContinue } = outputs;
  const lm = (outputs.supervised ?? [{ logits, weight: 1 }])
    .map(({ logits, weight }) => tokenLossOf(logits, labels, tokenLoss).mul(weight))
    .reduce((sum, loss) => sum.add(loss));
  if (qHalt === null) return { loss: lm, lm, qHalt: null, qContinue: null };
  const solved = noGrad(() => solvedRows(logits, labels).to(qHalt.dtype));
  const halt = bceWithLogits([qHalt, solved]).sum();
  const goOn = targetQContinue === null ? null : bceWithLogits([qContinue!, targetQContinue]).sum();
  const q = goOn === null ? halt : halt.add(goOn);
  return { loss: lm.add(q.mul(0.5).to(lm.dtype)), lm, qHalt: halt, qContinue: goOn };
}

/** Cross-entropy: the mean over each row's counted tokens, summed over the rows. */
function tokenLossOf(logits: Tensor, labels: Tensor, tokenLoss: TokenLoss): Tensor {
  const losses = tokenLosses[tokenLoss](logits, labels);
  const divisor = noGrad(() => countedTokens(labels).to(losses.dtype).unsqueeze(1));
  return losses.div(divisor).sum();
}

/** How many tokens of each row count, at least 1; float32 `[B]`. */
function countedTokens(labels: Tensor): Tensor {
  return labels.ne(-100).sum(1).to("float32").maximum(1);
}

/** What is counted in a segment. */
export function segmentMetrics(carry: Carry, { logits, qHalt }: Outputs): SegmentMetrics {
  return noGrad(() => {
    const { halted, steps, data: { labels } } = carry;
    const valid = halted.logicalAnd(labels.ne(-100).sum(1).gt(0));
    const right = rightTokens(logits, labels);
    const solved = allRight(right, labels);
    const share = right.sum(1).to("float32").div(countedTokens(labels));
    const zero = scalar(0, { device: steps.device });
    return {
      count: valid.sum(),
      accuracy: valid.where(share, zero).sum(),
      exactAccuracy: valid.logicalAnd(solved).sum(),
      qHaltAccuracy: qHalt === null ? zero : valid.logicalAnd(qHalt.ge(0).eq(solved)).sum(),
      steps: valid.where(steps.to("float32"), zero).sum(),
    };
  });
}
