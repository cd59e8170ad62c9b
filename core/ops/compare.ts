/**
 * Comparisons and logic: bool tensors, without gradients.
 *
 * @module
 */
import type { Handle } from "../../ffi/handle.ts";
import { aten } from "../../ffi/operators.ts";
import { type Op, op } from "../autograd.ts";
import { isFloating } from "../dtype.ts";
import { broadcastShapes } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

type Binary = readonly [a: Tensor, b: Tensor];

function comparison(name: string, forward: (a: Handle, b: Handle) => Handle): Op<Binary> {
  return op(name, {
    check: ([a, b]) => {
      broadcastShapes(a.shape, b.shape, name);
    },
    forward: ([a, b]) => forward(a.handle, b.handle),
    vjp: null,
  });
}

/** `a = b`. */
export const eq: Op<Binary> = comparison("eq", aten.eq);
/** `a ≠ b`. */
export const ne: Op<Binary> = comparison("ne", aten.ne);
/** `a < b`. */
export const lt: Op<Binary> = comparison("lt", aten.lt);
/** `a ≤ b`. */
export const le: Op<Binary> = comparison("le", aten.le);
/** `a > b`. */
export const gt: Op<Binary> = comparison("gt", aten.gt);
/** `a ≥ b`. */
export const ge: Op<Binary> = comparison("ge", aten.ge);
/** `a` and `b`, each taken as true where it is not 0. */
export const logicalAnd: Op<Binary> = comparison("logicalAnd", aten.logicalAnd);
/** `a` or `b`. */
export const logicalOr: Op<Binary> = comparison("logicalOr", aten.logicalOr);
/** Not `a`. */
export const logicalNot: Op<readonly [Tensor]> = op("logicalNot", {
  forward: ([a]) => aten.logicalNot(a.handle),
  vjp: null,
});
/** Whether each element is a number and finite. */
export const isFinite: Op<readonly [Tensor]> = op("isFinite", {
  check: ([a]) => {
    if (!isFloating(a.dtype)) throw new TypeError(`Cannot test ${a.dtype}: it is always finite`);
  },
  forward: ([a]) => aten.isfinite(a.handle),
  vjp: null,
});
