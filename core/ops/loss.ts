/**
 * Losses, elementwise: none reduces.
 *
 * @module
 */
import { type Op, op } from "../autograd.ts";
import { scalar } from "../create.ts";
import { isFloating } from "../dtype.ts";
import { formatShape, sameShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** `−t ln σ(a) − (1 − t) ln(1 − σ(a))`, of logits `a` and targets `t` of the same shape. */
export const bceWithLogits: Op<readonly [logits: Tensor, targets: Tensor]> = op("bceWithLogits", {
  check: ([logits, targets]) => {
    if (!sameShape(logits.shape, targets.shape) || logits.dtype !== targets.dtype) {
      throw new TypeError(
        `Cannot compare ${logits.dtype} ${formatShape(logits.shape)} with ` +
          `${targets.dtype} ${formatShape(targets.shape)}`,
      );
    }
  },
  composed: true,
  // max(a, 0) − a t + ln(1 + e^−|a|), which never overflows
  forward: ([a, t]) => a.relu().sub(a.mul(t)).add(a.abs().neg().exp().log1p()),
  keeps: "x",
  vjp: (dy, { x: [a, t], needs }) => [
    needs[0] ? dy.mul(a.sigmoid().sub(t)) : null,
    needs[1] ? dy.mul(a).neg() : null,
  ],
});

/** Which labels count. */
export interface CrossEntropyOptions {
  /** A label that is not counted: its loss is 0; default −100. */
  readonly ignore?: number;
}

function requireLabels(logits: Tensor, labels: Tensor): void {
  if (!isFloating(logits.dtype) || !["int64", "int32"].includes(labels.dtype)) {
    throw new TypeError(`Cannot score ${logits.dtype} logits by ${labels.dtype} labels`);
  }
  if (!sameShape(logits.shape.slice(0, -1), labels.shape)) {
    throw new TypeError(
      `Cannot score logits ${formatShape(logits.shape)} by labels ${formatShape(labels.shape)}`,
    );
  }
}

/** `−ln p[label]` for logarithms of probabilities `[…, C]` and labels `[…]`; 0 where ignored. */
function pick(logProbabilities: Tensor, labels: Tensor, ignore: number): Tensor {
  const counted = labels.ne(ignore);
  const safe = counted.where(
    labels.to("int64"),
    scalar(0, { dtype: "int64", device: labels.device }),
  );
  const picked = logProbabilities.gather(-1, safe.unsqueeze(-1)).squeeze(-1);
  const zero = scalar(0, { dtype: picked.dtype, device: picked.device });
  return counted.where(picked.neg(), zero);
}

/** Softmax cross-entropy in float32, `[…, C]` by labels `[…]` to `[…]`. */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  { ignore = -100 }: CrossEntropyOptions = {},
): Tensor {
  requireLabels(logits, labels);
  const wide = logits.dtype === "float64" ? logits : logits.to("float32");
  return pick(wide.logSoftmax(-1), labels, ignore);
}

/**
 * Stablemax cross-entropy in float64, `[…, C]` by labels `[…]` to `[…]`:
 * `p = s(a) / Σ s(a)` with `s(a) = a + 1` for `a ≥ 0` and `1 / (1 − a)` below.
 * Unlike softmax it leaves a gradient where the model is sure.
 *
 * Source: Prieto et al. 2025, arXiv:2501.04697; in float64 as in sapientinc/HRM@42410da losses.py.
 */
export function stablemaxCrossEntropy(
  logits: Tensor,
  labels: Tensor,
  { ignore = -100 }: CrossEntropyOptions = {},
): Tensor {
  requireLabels(logits, labels);
  const a = logits.to("float64");
  const below = a.neg().add(1 + 1e-30);
  // The branch not taken must stay finite: 1 − a is at least 1 where a < 0, else it is replaced.
  const negative = a.lt(0);
  const one = scalar(1, { dtype: "float64", device: a.device });
  const s = negative.where(negative.where(below, one).pow(-1), a.add(1));
  const logProbabilities = s.div(s.sum(-1, { keepDims: true })).log();
  return pick(logProbabilities, labels, ignore);
}
