/**
 * Matrix products.
 *
 * @module
 */
import type { Handle } from "../../ffi/handle.ts";
import { direct } from "../../ffi/kernels.ts";
import { aten } from "../../ffi/operators.ts";
import { type Op, op, wrap } from "../autograd.ts";
import { isFloating } from "../dtype.ts";
import { noteProduct } from "../flops.ts";
import { keptPacked } from "../kept.ts";
import { formatShape, matmulShape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

function requireSameFloat(what: string, x: readonly Tensor[]): void {
  const { dtype } = x[0]!;
  for (const other of x) {
    if (!isFloating(other.dtype) || other.dtype !== dtype) {
      throw new TypeError(`Cannot ${what} ${dtype} with ${other.dtype}: expected one float dtype`);
    }
  }
}

/** `a @ b`: matrices in the last two axes, the others broadcast. */
export const matmul: Op<readonly [a: Tensor, b: Tensor]> = op("matmul", {
  check: (x) => {
    requireSameFloat("matmul", x);
    matmulShape(x[0].shape, x[1].shape);
  },
  forward: ([a, b]) => {
    noteProduct(a.shape, b.shape);
    return oneDnnProduct(a, b) ?? aten.matmul(a.handle, b.handle);
  },
  keeps: "x",
  // d(ab) = da b + a db
  vjp: (dy, { x: [a, b], needs }) => [
    needs[0] ? dy.matmul(b.transpose(-1, -2)) : null,
    needs[1] ? a.transpose(-1, -2).matmul(dy) : null,
  ],
});

/**
 * The product of two float32 matrices on the CPU by oneDNN, which uses what the processor
 * has; libtorch itself takes MKL, on some processors half as fast. Null where it is not for this.
 */
function oneDnnProduct(a: Tensor, b: Tensor): Handle | null {
  if (a.dtype !== "float32" || !suitsOneDnn(a, b)) return null;
  using held = b.hold();
  using transposed = held.transpose(0, 1);
  return direct.oneDnnProduct(a.handle, transposed.handle);
}

/** Whether oneDNN multiplies `a` by `b` well: matrices on the CPU that are worth its call. */
export function suitsOneDnn(a: Tensor, b: Tensor): boolean {
  const [[m, k], n] = [a.shape, b.shape[1]];
  if (a.shape.length !== 2 || b.shape.length !== 2 || m! * k! * n! < LEAST_WORK) return false;
  return a.device === "cpu" && b.device === "cpu" && isPlainMatrix(a) && isPlainMatrix(b);
}

/** Multiplications below which the call of oneDNN costs more than it saves. */
const LEAST_WORK = 1 << 16;

/**
 * Whether a matrix is stored by rows or by columns without gaps: with gaps, oneDNN falls back
 * on a kernel a thousand times slower.
 */
function isPlainMatrix({ shape: [m, n], strides: [down, right] }: Tensor): boolean {
  return (right === 1 && down === n) || (down === 1 && right === m);
}

/** `x Wᵀ + b`, `[…, in]` by `[out, in]` to `[…, out]`; the bias may be absent. */
export const linear: Op<readonly Tensor[]> = op("linear", {
  check: (x) => {
    requireSameFloat("multiply", x);
    const [input, weight, bias] = x as [Tensor, Tensor, Tensor | undefined];
    if (weight.shape.length !== 2 || input.shape.at(-1) !== weight.shape[1]) {
      throw new TypeError(
        `Cannot apply a weight of ${formatShape(weight.shape)} to ${formatShape(input.shape)}: ` +
          `expected [out, ${input.shape.at(-1)}]`,
      );
    }
    if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== weight.shape[0])) {
      throw new TypeError(
        `Cannot add a bias of ${formatShape(bias.shape)} to ${weight.shape[0]} outputs`,
      );
    }
  },
  composed: true,
  forward: ([input, weight, bias], _, __, recorded) => {
    const y = timesWeight(rows(input!), weight!, recorded)
      .reshape([...input!.shape.slice(0, -1), weight!.shape[0]!]);
    return bias === undefined ? y : y.add(bias);
  },
  keeps: "x",
  // y = x Wᵀ: dx = dy W, dW = dyᵀ x
  vjp: (dy, { x: [input, weight, bias], needs }) => {
    const dyRows = rows(dy);
    return [
      needs[0] ? dyRows.matmul(weight!).reshape(input!.shape) : null,
      needs[1] ? dyRows.transpose(0, 1).matmul(rows(input!)) : null,
      bias !== undefined && needs[2] ? dyRows.sum(0) : null,
    ];
  },
});

/** `x Wᵀ`, `[N, in]` by `[out, in]`; for going back, the weight itself is needed. */
export function timesWeight(x: Tensor, weight: Tensor, recorded: boolean): Tensor {
  const packed = recorded ? null : packedFor(x, weight);
  const product = packed && direct.oneDnnProduct(x.handle, packed);
  if (product === null) return x.matmul(weight.transpose(0, 1));
  noteProduct(x.shape, [weight.shape[1]!, weight.shape[0]!]);
  return wrap(product, "linear");
}

/** The weight as oneDNN likes it best, for bfloat16: in float32 it gains a twentieth. */
export function packedFor(x: Tensor, weight: Tensor): Handle | null {
  if (x.dtype !== "bfloat16" || !suitsOneDnn(x, weight.transpose(0, 1))) return null;
  return keptPacked(weight, x.shape[0]!);
}

/** All axes but the last as one. */
export function rows(x: Tensor): Tensor {
  return x.reshape([sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]);
}
