/**
 * Movement of elements: views where memory allows, copies where it does not.
 *
 * @module
 */
import { reinterpret } from "../../ffi/memory.ts";
import { aten } from "../../ffi/operators.ts";
import { type Op, op } from "../autograd.ts";
import { bytesOf } from "../dtype.ts";
import { formatShape, sameShape, type Shape, viewStrides } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

type Unary = readonly [Tensor];

/** A tensor that shares the memory of `x`. */
function view(x: Tensor, shape: Shape, strides: Shape, offset: number = x.offset): Tensor {
  const handle = reinterpret(x.handle, shape, strides, offset, bytesOf(x.dtype));
  return x.like(handle, shape, strides);
}

/** The same elements under another shape. */
export const reshape: Op<Unary, { readonly shape: Shape }> = op("reshape", {
  composed: true,
  forward: ([a], { shape }) => {
    const strides = viewStrides(a.shape, a.strides, shape);
    if (strides !== null) return view(a, shape, strides);
    const copy = a.clone();
    return view(copy, shape, viewStrides(copy.shape, copy.strides, shape)!);
  },
  vjp: (dy, { shapes: [shape] }) => [dy.reshape(shape!)],
});

/** The axes in another order; a view. */
export const permute: Op<Unary, { readonly axes: readonly number[] }> = op("permute", {
  composed: true,
  forward: ([a], { axes }) => view(a, axes.map((i) => a.shape[i]!), axes.map((i) => a.strides[i]!)),
  vjp: (dy, { options: { axes } }) => [dy.permute(axes.map((_, i) => axes.indexOf(i)))],
});

/** Axes of size 1 repeated, and new ones in front; a view. */
export const expand: Op<Unary, { readonly shape: Shape }> = op("expand", {
  check: ([a], { shape }) => {
    const extra = shape.length - a.shape.length;
    const counts = shape.every((n) => Number.isSafeInteger(n) && n >= 0);
    if (!counts || extra < 0 || a.shape.some((n, i) => n !== 1 && n !== shape[i + extra])) {
      throw new TypeError(`Cannot expand ${formatShape(a.shape)} to ${formatShape(shape)}`);
    }
  },
  composed: true,
  forward: ([a], { shape }) => {
    const extra = shape.length - a.shape.length;
    const strides = shape.map((n, i) =>
      i < extra || (a.shape[i - extra] === 1 && n !== 1) ? 0 : a.strides[i - extra]!
    );
    return view(a, shape, strides);
  },
  vjp: (dy) => [dy], // the engine sums over what was repeated
});

/** A range of one axis. */
export interface SliceOptions {
  /** The axis, counted from the front. */
  readonly axis: number;
  /** The first index. */
  readonly start: number;
  /** One past the last index. */
  readonly end: number;
}

/** A range of one axis; a view. */
export const slice: Op<Unary, SliceOptions> = op("slice", {
  composed: true,
  forward: ([a], { axis, start, end }) => {
    const shape = a.shape.map((n, i) => i === axis ? end - start : n);
    return view(a, shape, a.strides, a.offset + start * a.strides[axis]!);
  },
  vjp: (dy, { shapes: [shape], options: { axis, start, end } }) => {
    const padding: [number, number] = [start, shape![axis]! - end];
    return [dy.pad(axis, padding)];
  },
});

/** How to {@link pad}. */
export interface PadOptions {
  /** The axis, counted from the front. */
  readonly axis: number;
  /** How many before and after. */
  readonly padding: readonly [before: number, after: number];
  /** With what. */
  readonly value: number;
}

/** One axis made longer on both sides. */
export const pad: Op<Unary, PadOptions> = op("pad", {
  composed: true,
  forward: ([a], { axis, padding: [before, after], value }) => {
    const n = a.shape[axis]!;
    const target = a.emptyLike(a.shape.map((m, i) => i === axis ? m + before + after : m));
    target.fill_(value);
    target.slice(axis, before, before + n).copy_(a);
    return target;
  },
  vjp: (dy, { shapes: [shape], options: { axis, padding: [before] } }) => [
    dy.slice(axis, before, before + shape![axis]!),
  ],
});

/** Tensors one after another along an axis. */
export const cat: Op<readonly Tensor[], { readonly axis: number }> = op("cat", {
  check: (x, { axis }) => {
    const [first] = x;
    if (first === undefined) throw new TypeError("Cannot concatenate no tensors");
    if (first.shape.length === 0) {
      throw new TypeError("Cannot concatenate tensors without axes: stack them");
    }
    for (const { shape, dtype } of x) {
      const fits = shape.length === first.shape.length &&
        sameShape(shape.with(axis, 0), first.shape.with(axis, 0));
      if (!fits || dtype !== first.dtype) {
        throw new TypeError(
          `Cannot concatenate ${first.dtype} ${formatShape(first.shape)} with ` +
            `${dtype} ${formatShape(shape)} along axis ${axis}`,
        );
      }
    }
  },
  forward: (x, { axis }) => aten.cat(x.map((t) => t.handle), axis),
  vjp: (dy, { shapes, options: { axis } }) => {
    let start = 0;
    return shapes.map((shape) => dy.slice(axis, start, start += shape[axis]!));
  },
});

/** Axes turned around. */
export const flip: Op<Unary, { readonly axes: readonly number[] }> = op("flip", {
  forward: ([a], { axes }) => aten.flip(a.handle, axes),
  vjp: (dy, { options: { axes } }) => [dy.flip(axes)],
});
