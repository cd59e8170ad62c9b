/**
 * Reading and writing by indices, which are int64 or int32 tensors.
 *
 * @module
 */
import { aten } from "../../ffi/operators.ts";
import { type Op, op } from "../autograd.ts";
import { zeros } from "../create.ts";
import { formatShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

function requireIndex(index: Tensor, dtypes: readonly string[]): void {
  if (!dtypes.includes(index.dtype)) {
    throw new TypeError(`Cannot index with ${index.dtype}: expected ${dtypes.join(" or ")}`);
  }
}

const wide: readonly string[] = ["int64"];
const either: readonly string[] = ["int64", "int32"];

/** Rows of a table, `weight[indices]`: `[N, D]` by `[…]` to `[…, D]`. */
export const embedding: Op<readonly [weight: Tensor, indices: Tensor]> = op("embedding", {
  check: ([weight, indices]) => {
    requireIndex(indices, either);
    if (weight.shape.length !== 2) {
      throw new TypeError(`Cannot look up rows of ${formatShape(weight.shape)}: expected two axes`);
    }
    requireSome("look up", indices, weight, 0);
  },
  forward: ([weight, indices]) => aten.embedding(weight.handle, indices.handle, -1, false, false),
  keeps: "x",
  vjp: (dy, { x: [weight, indices] }) => [
    embeddingVjp([dy, indices], { rows: weight.shape[0]! }),
    null,
  ],
});

const embeddingVjp: Op<readonly [dy: Tensor, indices: Tensor], { readonly rows: number }> = op(
  "embeddingVjp",
  {
    forward: ([dy, indices], { rows }) =>
      aten.embeddingBackward(dy.handle, indices.handle, rows, -1, false),
    vjp: null,
  },
);

/** Of every position the element at its index along an axis; the index has the result's shape. */
export const gather: Op<readonly [a: Tensor, index: Tensor], { readonly axis: number }> = op(
  "gather",
  {
    check: ([a, index], { axis }) => {
      requireIndex(index, wide);
      requireWithin("gather", index, a, axis);
    },
    forward: ([a, index], { axis }) => aten.gather(a.handle, axis, index.handle, false),
    keeps: "x",
    vjp: (dy, { x: [a, index], options: { axis } }) => [
      zeros(a.shape, dy).scatterAdd(axis, index, dy),
      null,
    ],
  },
);

/** Slices of an axis in the order of a list of indices. */
export const indexSelect: Op<readonly [a: Tensor, index: Tensor], { readonly axis: number }> = op(
  "indexSelect",
  {
    check: ([a, index], { axis }) => {
      requireIndex(index, either);
      if (index.shape.length !== 1) {
        throw new TypeError(`Cannot select by an index of ${formatShape(index.shape)}: one axis`);
      }
      requireSome("select", index, a, axis);
    },
    forward: ([a, index], { axis }) => aten.indexSelect(a.handle, axis, index.handle),
    keeps: "x",
    vjp: (dy, { x: [a, index], options: { axis } }) => {
      const aligned = dy.shape.map((n, i) => i === axis ? n : 1);
      const places = index.to("int64").reshape(aligned).expand(dy.shape);
      return [zeros(a.shape, dy).scatterAdd(axis, places, dy), null];
    },
  },
);

/** `a` with the elements of a source added at its indices along an axis. */
export const scatterAdd: Op<
  readonly [a: Tensor, index: Tensor, source: Tensor],
  { readonly axis: number }
> = op("scatterAdd", {
  check: ([a, index, source], { axis }) => {
    requireIndex(index, wide);
    if (a.dtype !== source.dtype) {
      throw new TypeError(`Cannot scatter ${source.dtype} into ${a.dtype}`);
    }
    requireWithin("scatter", index, a, axis);
    requireWithin("scatter", index, source, -1);
  },
  forward: ([a, index, source], { axis }) =>
    aten.scatterAdd(a.handle, axis, index.handle, source.handle),
  keeps: "x",
  vjp: (dy, { x: [, index, source], options: { axis }, needs }) => {
    if (!needs[2]) return [dy, null, null];
    let ds = dy.gather(axis, index);
    index.shape.forEach((n, i) => ds = ds.pad(i, [0, source.shape[i]! - n])); // the rest was not read
    return [dy, null, ds];
  },
});

/** An axis without elements has none to be indexed. Also for what is no operation. */
export function requireSome(what: string, index: Tensor, a: Tensor, axis: number): void {
  if (index.size > 0 && a.shape[axis] === 0) {
    throw new TypeError(
      `Cannot ${what} ${formatShape(a.shape)} by an index of ${formatShape(index.shape)}: ` +
        `axis ${axis} is empty`,
    );
  }
}

/** `index` may not be larger than `a` along any axis but the one indexed. */
function requireWithin(what: string, index: Tensor, a: Tensor, axis: number): void {
  const fits = index.shape.length === a.shape.length &&
    index.shape.every((n, i) => i === axis || n <= a.shape[i]!);
  if (!fits) {
    throw new TypeError(
      `Cannot ${what} ${formatShape(a.shape)} by an index of ${formatShape(index.shape)}`,
    );
  }
  requireSome(what, index, a, axis);
}
