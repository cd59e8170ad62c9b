import { fromTypedArray, zeros } from "../create.ts";
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
    const ids = rows.toNumbers();
    const unique = [...new Set(ids)];
    const places = new Map(unique.map((id, i) => [id, i]));
    const { device } = table;
    const place = fromTypedArray(BigInt64Array.from(ids, (id) => BigInt(places.get(id)!)));
    const touched = fromTypedArray(BigInt64Array.from(unique, BigInt), undefined, { device });
    const summed = zeros([unique.length, table.shape[1]!], table).scatterAdd(
      0,
      place.to(device).unsqueeze(1).expand(gradients.shape),
      gradients,
    );
    const kept = table.detach().indexSelect(0, touched).mul(1 - lr * weightDecay);
    table.detach().indexCopy_(0, touched, kept.sub(summed.sign_().mul(lr)));
  });
}
