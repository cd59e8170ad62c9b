/**
 * Reductions over axes.
 *
 * @module
 */
import type { Handle } from "../../ffi/handle.ts";
import { aten } from "../../ffi/operators.ts";
import { type Context, type Op, op } from "../autograd.ts";
import { codeOf, isFloating } from "../dtype.ts";
import { formatShape, reducedShape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

type Unary = readonly [Tensor];

/** What to reduce; axes counted from the front. */
export interface ReduceOptions {
  /** The axes. */
  readonly axes: readonly number[];
  /** Whether a reduced axis stays, with size 1. */
  readonly keepDims: boolean;
}

/** `dy` along the reduced axes again, as a view. */
function spread(dy: Tensor, { shapes, options }: Context<Unary, ReduceOptions>): Tensor {
  const [shape] = shapes;
  return dy.reshape(reducedShape(shape!, options.axes, true)).expand(shape!);
}

function requireElements(what: string): (x: Unary, options: ReduceOptions) => void {
  return ([a], { axes }) => {
    if (axes.some((axis) => a.shape[axis] === 0)) {
      throw new TypeError(`Cannot take the ${what} of ${formatShape(a.shape)}: an axis is empty`);
    }
  };
}

/** The sum; of integers and bools as int64. */
export const sum: Op<Unary, ReduceOptions> = op("sum", {
  forward: ([a], { axes, keepDims }) => aten.sum(a.handle, axes, keepDims, null),
  vjp: (dy, context) => [spread(dy, context)],
});

/** The mean. */
export const mean: Op<Unary, ReduceOptions> = op("mean", {
  check: (x, options) => {
    if (!isFloating(x[0].dtype)) {
      throw new TypeError(`Cannot take the mean of ${x[0].dtype}: convert to a float first`);
    }
    requireElements("mean")(x, options);
  },
  forward: ([a], { axes, keepDims }) => aten.mean(a.handle, axes, keepDims, null),
  vjp: (dy, context) => {
    const count = sizeOf(context.options.axes.map((axis) => context.shapes[0]![axis]!));
    return [spread(dy.mul(1 / count), context)];
  },
});

/** The gradient of an extremum, shared evenly by all elements that attain it. */
function extremumVjp(
  dy: Tensor,
  context: Context<Unary, ReduceOptions>,
): readonly [Tensor] {
  const { x: [a], y, options } = context;
  const attained = a.eq(spread(y, context)).to(dy.dtype);
  const count = attained.sum(options.axes as number[], { keepDims: true });
  return [attained.div(count).mul(spread(dy, context))];
}

/** The largest element. */
export const max: Op<Unary, ReduceOptions> = op("max", {
  check: requireElements("max"),
  forward: ([a], { axes, keepDims }) => aten.amax(a.handle, axes, keepDims),
  keeps: "xy",
  vjp: extremumVjp,
});

/** The smallest element. */
export const min: Op<Unary, ReduceOptions> = op("min", {
  check: requireElements("min"),
  forward: ([a], { axes, keepDims }) => aten.amin(a.handle, axes, keepDims),
  keeps: "xy",
  vjp: extremumVjp,
});

/** One axis to reduce. */
export interface AxisOptions {
  /** The axis, counted from the front. */
  readonly axis: number;
  /** Whether it stays, with size 1. */
  readonly keepDims: boolean;
}

/** A truth value as bool: libtorch gives one of uint8 as uint8. */
function truth(a: Tensor, result: Handle): Handle {
  if (a.dtype !== "uint8") return result;
  const converted = aten.toCopy(result, codeOf("bool"), null, null, null, false, null);
  result.release();
  return converted;
}

/** Whether all elements along an axis are true. */
export const all: Op<Unary, AxisOptions> = op("all", {
  forward: ([a], { axis, keepDims }) => truth(a, aten.all(a.handle, axis, keepDims)),
  vjp: null,
});

/** Whether any element along an axis is true. */
export const any: Op<Unary, AxisOptions> = op("any", {
  forward: ([a], { axis, keepDims }) => truth(a, aten.any(a.handle, axis, keepDims)),
  vjp: null,
});

/** Where along an axis the largest element is, the first if several; int64. */
export const argmax: Op<Unary, AxisOptions> = op("argmax", {
  check: ([a], { axis, keepDims }) => {
    if (a.dtype === "bool") throw new TypeError("Cannot take the argmax of bool: convert it first");
    requireElements("argmax")([a], { axes: [axis], keepDims });
  },
  forward: ([a], { axis, keepDims }) => aten.argmax(a.handle, axis, keepDims),
  vjp: null,
});

/** Running sums along an axis. */
export const cumsum: Op<Unary, { readonly axis: number }> = op("cumsum", {
  forward: ([a], { axis }) => aten.cumsum(a.handle, axis, null),
  // An element is in every sum from its own place on.
  vjp: (dy, { options: { axis } }) => [dy.flip(axis).cumsum(axis).flip(axis)],
});
