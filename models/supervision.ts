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
import type { Carry, States } from "./halting.ts";

/** Which cross-entropy: stablemax in float64 or softmax in float32. */
export type TokenLoss = "stablemax" | "softmax";

/** What a segment gives out. */
export interface Outputs {
  /** Logits of every position's token, `[B, L, V]`. */
  readonly logits: Tensor;
  /** Logit of halting, float32 `[B]`. */
  readonly qHalt: Tensor;
  /** Logit of going on, float32 `[B]`. */
  readonly qContinue: Tensor;
  /** What `qContinue` should have been, as a probability `[B]`; null if it is not trained. */
  readonly targetQContinue: Tensor | null;
}

/** Sums over the rows that halted in this segment; divide by `count`. All are scalars. */
export interface SegmentMetrics {
  /** Rows that halted. */
  readonly count: Tensor;
  /** Of their tokens, the share that is right. */
  readonly accuracy: Tensor;
  /** Of them, those with every token right. */
  readonly exactAccuracy: Tensor;
  /** Of them, those whose halting logit says rightly whether they are solved. */
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
  /** Cross-entropy of halting with "is solved". */
  readonly qHalt: Tensor;
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

/** The loss of a segment; divide by the batch size before going back. */
export function segmentLoss(outputs: Outputs, labels: Tensor, tokenLoss: TokenLoss): SegmentLoss {
  const { logits, qHalt, qContinue, targetQContinue } = outputs;
  const solved = noGrad(() => solvedRows(logits, labels).to(qHalt.dtype));
  const losses = tokenLosses[tokenLoss](logits, labels);
  const divisor = noGrad(() => countedTokens(labels).to(losses.dtype).unsqueeze(1));
  const lm = losses.div(divisor).sum();
  const halt = bceWithLogits([qHalt, solved]).sum();
  const goOn = targetQContinue === null ? null : bceWithLogits([qContinue, targetQContinue]).sum();
  const q = goOn === null ? halt : halt.add(goOn);
  return { loss: lm.add(q.mul(0.5).to(lm.dtype)), lm, qHalt: halt, qContinue: goOn };
}

/** How many tokens of each row count, at least 1; float32 `[B]`. */
function countedTokens(labels: Tensor): Tensor {
  return labels.ne(-100).sum(1).to("float32").maximum(1);
}

/** What is counted in a segment. */
export function segmentMetrics<S extends States>(
  carry: Carry<S>,
  { logits, qHalt }: Outputs,
): SegmentMetrics {
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
      qHaltAccuracy: valid.logicalAnd(qHalt.ge(0).eq(solved)).sum(),
      steps: valid.where(steps.to("float32"), zero).sum(),
    };
  });
}
