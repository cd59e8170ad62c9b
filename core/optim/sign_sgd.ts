import { zeros } from "../create.ts";
import type { Tensor } from "../tensor.ts";
import { updating } from "./optimizer.ts";

/** Settings of {@link signSgd}. */
export interface SignSgdOptions {
  /** The learning rate. */
  readonly lr: number;
  /** Decoupled weight decay. */
  readonly weightDecay: number;
}

/**
 * Sign-SGD on the rows of a table that a batch looked up: gradients of equal rows
 * are summed, then `w ← (1 − lr λ) w − lr sign(Σ g)`; other rows stay as they are.
 *
 * Source: sapientinc/HRM@42410da models/sparse_embedding.py.
 *
 * @param table `[N, D]`
 * @param rows which row each gradient belongs to, `[B]`
 * @param gradients `[B, D]`
 */
export function signSgd(
  table: Tensor,
  rows: Tensor,
  gradients: Tensor,
  { lr, weightDecay }: SignSgdOptions,
): void {
  updating(() => {
    // Of every gradient, the first that belongs to the same row: nothing is read.
    const first = rows.unsqueeze(1).eq(rows.unsqueeze(0)).to("uint8").argmax(1);
    const summed = zeros(gradients.shape, table)
      .scatterAdd(0, first.unsqueeze(1).expand(gradients.shape), gradients)
      .indexSelect(0, first);
    const ids = rows.to("int64");
    const kept = table.detach().indexSelect(0, ids).mul(1 - lr * weightDecay);
    table.detach().indexCopy_(0, ids, kept.sub(summed.sign_().mul(lr))); // equal rows, equal values
  });
}
