/**
 * Multi-head self-attention with rotary positions as one operation.
 *
 * @module
 */
import { direct } from "../../ffi/kernels.ts";
import { aten } from "../../ffi/operators.ts";
import { type Op, op } from "../autograd.ts";
import { tensor } from "../create.ts";
import { isFloating } from "../dtype.ts";
import { noteProduct } from "../flops.ts";
import { formatShape, sameShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { kernelDevice } from "./elementwise.ts";
import { type FusedAttention, fusedKernel, noteAttention } from "./fused_attention.ts";

/** Rotation angles of every position, `[L, d]` each, the second half of `d` repeating the first. */
export interface Rotary {
  /** Their cosines. */
  readonly cos: Tensor;
  /** Their sines. */
  readonly sin: Tensor;
}

/** How to attend. */
export interface AttentionOptions {
  /** How many heads share the width. */
  readonly heads: number;
  /** Rotary positions, or null for none. */
  readonly rotary: Rotary | null;
  /** Factors of the attention, `[B H, L, L]` in the dtype of `qkv`: dropout; null or left out for none. */
  readonly keep?: Tensor | null;
  /** What computes it; by default what suits device and dtype best. Without dropout only. */
  readonly kernel?: FusedAttention | null;
}

/**
 * `softmax(q kᵀ / √d) v` for every head, without a mask. `qkv` is `[B, L, 3 H d]`,
 * the queries of all heads, then the keys, then the values; the result is
 * `[B, L, H d]`. Queries and keys are rotated first (Su et al. 2021,
 * arXiv:2104.09864, pairing dimension `i` with `i + d/2`), in float32.
 */
export const selfAttention: Op<readonly [qkv: Tensor], AttentionOptions> = op("selfAttention", {
  check: ([qkv], { heads, rotary, keep = null }) => {
    const [, length, width] = qkv.shape;
    const fits = qkv.shape.length === 3 && Number.isInteger(heads) && heads > 0 &&
      width! % (3 * heads) === 0;
    if (!fits || !isFloating(qkv.dtype)) {
      throw new TypeError(
        `Cannot attend over ${qkv.dtype} ${formatShape(qkv.shape)} with ${heads} heads`,
      );
    }
    const wanted = [length!, width! / (3 * heads)];
    for (const { shape, dtype } of rotary === null ? [] : [rotary.cos, rotary.sin]) {
      if (sameShape(shape, wanted) && wanted[1]! % 2 === 0 && dtype === rotary!.cos.dtype) continue;
      throw new TypeError(
        `Cannot rotate ${formatShape(wanted)} by ${dtype} ${formatShape(shape)}: ` +
          `expected the same shape, an even width and one dtype`,
      );
    }
    const scores = [qkv.shape[0]! * heads, length!, length!];
    if (keep === null || (sameShape(keep.shape, scores) && keep.dtype === qkv.dtype)) return;
    throw new TypeError(
      `Cannot drop attention of ${qkv.dtype} ${formatShape(scores)} by ${keep.dtype} ` +
        formatShape(keep.shape),
    );
  },
  composed: true,
  forward: ([qkv], { heads, rotary, keep = null, kernel }, save, recorded) => {
    const parts = splitHeads(qkv, heads);
    if (keep === null) {
      const fused = kernel === undefined ? fusedKernel(qkv, parts.shape[4]!, recorded) : kernel;
      if (fused !== null) return fusedAttention(fused, parts, rotary, recorded ? save : null);
    }
    const turned = rotated(parts.slice(0, 0, 2), rotary, 1); // both at once
    const [q, k, v] = [turned.select(0, 0), turned.select(0, 1), parts.select(0, 2).clone()]
      .map(batched) as [Tensor, Tensor, Tensor];
    const scores = scaledProducts(q, k.transpose(1, 2), 1 / Math.sqrt(q.shape[2]!));
    aten.softmaxOut(scores.handle, 2, false, scores.handle);
    save(q, k, v, scores, ...(keep === null ? [] : [keep]));
    const attended = keep === null ? scores : scores.mul(keep);
    return joinHeads(attended.matmul(v), qkv.shape[0]!);
  },
  vjp: (dy, { saved, options: { heads, rotary, keep = null, kernel }, shapes: [shape] }) => {
    const fused = keep !== null
      ? null
      : kernel === undefined
      ? fusedKernel(dy, shape![2]! / (3 * heads), true)
      : kernel;
    if (fused !== null) return [fusedAttentionVjp(fused, dy, saved, heads, rotary)];
    const [q, k, v, p] = saved as [Tensor, Tensor, Tensor, Tensor];
    const dropped = (a: Tensor) => saved.length > 4 ? a.mul(saved[4]!) : a;
    const [batch, length] = shape as [number, number, number];
    const d = q.shape[2]!, scale = 1 / Math.sqrt(d);
    const dOut = batched(dy.reshape([batch, length, heads, d]).transpose(1, 2).contiguous());
    const dv = dropped(p).transpose(1, 2).matmul(dOut);
    const dp = dropped(dOut.matmul(v.transpose(1, 2)));
    const ds = dp.softmaxVjp(p);
    const dq = scaledProducts(ds, k, scale);
    const dk = scaledProducts(ds.transpose(1, 2), q, scale);
    return [joinedGradients(dy.emptyLike(shape), [dq, dk, dv], heads, rotary)];
  },
});

/** Turns the gradients of queries and keys back, and puts all three into that of `qkv`. */
function joinedGradients(
  dqkv: Tensor,
  gradients: readonly Tensor[],
  heads: number,
  rotary: Rotary | null,
): Tensor {
  const targets = splitHeads(dqkv, heads);
  gradients.forEach((g, i) => {
    const target = targets.select(0, i);
    rotateInto(target, g.reshape(target.shape), i < 2 ? rotary : null, -1);
  });
  return dqkv;
}

/** The same by a fused kernel, `[B, L, H d]`: nothing is copied but what rotates or is saved. */
function fusedAttention(
  kernel: FusedAttention,
  parts: Tensor,
  rotary: Rotary | null,
  save: ((...tensors: Tensor[]) => void) | null,
): Tensor {
  const [, batch, heads, length, d] = parts.shape as [number, number, number, number, number];
  const turned = rotary === null ? parts : rotated(parts.slice(0, 0, 2), rotary, 1);
  const q = turned.select(0, 0), k = turned.select(0, 1);
  const part = parts.select(0, 2), v = save === null ? part : part.clone();
  noteAttention(q, "forward");
  const { y, rest } = kernel.forward(q, k, v);
  save?.(q, k, v, y, ...rest);
  return y.transpose(1, 2).reshape([batch, length, heads * d]);
}

function fusedAttentionVjp(
  kernel: FusedAttention,
  dy: Tensor,
  [q, k, v, y, ...rest]: readonly Tensor[],
  heads: number,
  rotary: Rotary | null,
): Tensor {
  const [batch, length, width] = dy.shape as [number, number, number];
  const dOut = dy.reshape([batch, length, heads, width / heads]).transpose(1, 2);
  noteAttention(q!, "backward");
  const gradients = kernel.backward(dOut, { q: q!, k: k!, v: v!, y: y! }, rest);
  return joinedGradients(dy.emptyLike([batch, length, 3 * width]), gradients, heads, rotary);
}

/** `scale · a @ b`, `[N, m, k]` by `[N, k, n]`, off the tape. */
function scaledProducts(a: Tensor, b: Tensor, scale: number): Tensor {
  noteProduct(a.shape, b.shape);
  const product = a.emptyLike([a.shape[0]!, a.shape[1]!, b.shape[2]!]);
  direct.scaledProducts(kernelDevice([a, b]), product.handle, a.handle, b.handle, scale);
  return product;
}

/** Queries, keys and values as one view `[3, B, H, L, d]` of `[B, L, 3 H d]`. */
function splitHeads(qkv: Tensor, heads: number): Tensor {
  const [batch, length, width] = qkv.shape as [number, number, number];
  return qkv.reshape([batch, length, 3, heads, width / (3 * heads)]).permute([2, 0, 3, 1, 4]);
}

/** `[B, H, L, d]` as `[B H, L, d]`. */
function batched(x: Tensor): Tensor {
  const [batch, heads, length, d] = x.shape as [number, number, number, number];
  return x.reshape([batch * heads, length, d]);
}

/** `[B H, L, d]` as `[B, L, H d]`. */
function joinHeads(x: Tensor, batch: number): Tensor {
  const [both, length, d] = x.shape as [number, number, number];
  const heads = both / batch;
  return x.reshape([batch, heads, length, d]).transpose(1, 2).reshape([batch, length, heads * d]);
}

/** `x` rotated by its positions, in memory of its own, row by row. */
function rotated(x: Tensor, rotary: Rotary | null, direction: 1 | -1): Tensor {
  const target = x.emptyLike();
  rotateInto(target, x, rotary, direction);
  return target;
}

/** Writes `x` rotated by its positions, or back for direction −1, into `target`. */
function rotateInto(target: Tensor, x: Tensor, rotary: Rotary | null, direction: 1 | -1): void {
  if (rotary === null) {
    target.copy_(x);
    return;
  }
  if (x.dtype !== rotary.cos.dtype) { // narrower than the angles
    target.copy_(rotated(x.to(rotary.cos.dtype), rotary, direction));
    return;
  }
  // (x₁, x₂) → (x₁ cos − x₂ sin, x₂ cos + x₁ sin)
  aten.mulOut(x.handle, rotary.cos.handle, target.handle);
  const [t1, t2] = target.split(2, -1);
  const [x1, x2] = x.split(2, -1);
  const [sin1, sin2] = rotary.sin.split(2, -1);
  aten.foreachAddcmul_(
    [t1!.handle, t2!.handle],
    [x2!.handle, x1!.handle],
    [sin1!.handle, sin2!.handle],
    tensor([-direction, direction], { dtype: x.dtype }).handle,
  );
}
