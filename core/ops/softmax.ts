/**
 * Softmax, its logarithm, and normalisation.
 *
 * @module
 */
import { aten } from "../../ffi/operators.ts";
import { type Op, op, wrap } from "../autograd.ts";
import { isFloating } from "../dtype.ts";
import { formatShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

type Unary = readonly [Tensor];
interface AxisOption {
  /** The axis, counted from the front. */
  readonly axis: number;
}

function requireFloating([a]: Unary): void {
  if (!isFloating(a.dtype)) throw new TypeError(`Cannot normalise ${a.dtype}: expected a float`);
}

/** `eᵃ / Σ eᵃ` along an axis. */
export const softmax: Op<Unary, AxisOption> = op("softmax", {
  check: requireFloating,
  forward: ([a], { axis }) => aten.softmax(a.handle, axis, false),
  keeps: "y",
  // da = y (dy − Σ dy y)
  vjp: (dy, { y, options }) => [softmaxVjp([dy, y], options)],
});

/** The gradient through {@link softmax}, whose result was `y`. */
export const softmaxVjp: Op<readonly [dy: Tensor, y: Tensor], AxisOption> = op("softmaxVjp", {
  forward: ([dy, y], { axis }) => aten.softmaxBackward(dy.handle, y.handle, axis, y.dtypeCode),
  vjp: null,
});

/** `a − ln Σ eᵃ` along an axis. */
export const logSoftmax: Op<Unary, AxisOption> = op("logSoftmax", {
  check: requireFloating,
  forward: ([a], { axis }) => aten.logSoftmax(a.handle, axis, false),
  keeps: "y",
  // da = dy − eʸ Σ dy
  vjp: (dy, { y, options }) => [logSoftmaxVjp([dy, y], options)],
});

const logSoftmaxVjp: Op<readonly [dy: Tensor, y: Tensor], AxisOption> = op("logSoftmaxVjp", {
  forward: ([dy, y], { axis }) => aten.logSoftmaxBackward(dy.handle, y.handle, axis, y.dtypeCode),
  vjp: null,
});

/** How to normalise. */
export interface NormOptions {
  /** Added to the variance. */
  readonly eps: number;
}

/**
 * `(a + b) / √(mean((a + b)²) + ε)` over the last axis: a residual connection and
 * the RMS norm after it in one. Computed in float32 where the inputs are narrower.
 *
 * Source: Zhang and Sennrich 2019, arXiv:1910.07467, without a gain.
 */
export const addRmsNorm: Op<readonly [a: Tensor, b: Tensor], NormOptions> = op("addRmsNorm", {
  check: ([a, b]) => {
    requireFloating([a]);
    if (formatShape(a.shape) !== formatShape(b.shape) || a.dtype !== b.dtype) {
      throw new TypeError(
        `Cannot add ${a.dtype} ${formatShape(a.shape)} to ${b.dtype} ${formatShape(b.shape)}`,
      );
    }
  },
  composed: true,
  forward: ([a, b], { eps }, save) => rmsNormOf(a.add(b), eps, save),
  keeps: "y",
  vjp: (dy, { y, saved }) => {
    const da = rmsNormVjp(dy, y, saved);
    return [da, da];
  },
});

/** `a / √(mean(a²) + ε)` over the last axis, computed in float32 where `a` is narrower. */
export const rmsNorm: Op<readonly [a: Tensor], NormOptions> = op("rmsNorm", {
  check: requireFloating,
  composed: true,
  forward: ([a], { eps }, save) => rmsNormOf(a.device === "cpu" ? a.mul(1) : a, eps, save),
  keeps: "y",
  vjp: (dy, { y, saved }) => [rmsNormVjp(dy, y, saved)],
});

/** Normalises a sum that nobody else holds, in its own memory on the CPU. */
function rmsNormOf(sum: Tensor, eps: number, save: (...tensors: Tensor[]) => void): Tensor {
  if (sum.device !== "cpu") return fusedRmsNorm(sum, eps, save);
  const wide = widened(sum);
  const scale = wide.square().mean(-1, { keepDims: true }).add(eps).rsqrt();
  save(scale);
  wide.mul_(scale);
  return wide.dtype === sum.dtype ? wide : wide.to(sum.dtype);
}

/** The same by a kernel of CUDA, which reads and writes each element once. */
function fusedRmsNorm(sum: Tensor, eps: number, save: (...tensors: Tensor[]) => void): Tensor {
  const results = aten.fusedRmsNorm(sum.handle, [sum.shape.at(-1)!], null, eps);
  const [y, scale] = results.map((handle) => wrap(handle, "fusedRmsNorm"));
  save(scale!, sum);
  return y!;
}

/** With `y = s a`: `da = s (dy − y mean(dy y))`; `a` itself is saved for the kernel of CUDA. */
function rmsNormVjp(dy: Tensor, y: Tensor, [scale, a]: readonly Tensor[]): Tensor {
  if (a !== undefined) {
    const of = [a.handle, [a.shape.at(-1)!], scale!.handle, null] as const;
    const [da, none] = aten.fusedRmsNormBackward(dy.contiguous().handle, ...of, [true, false]);
    none.release();
    return wrap(da, "fusedRmsNormVjp");
  }
  const g = widened(dy), n = widened(y);
  const projection = g.mul(n).mean(-1, { keepDims: true });
  const da = g.sub(n.mul(projection)).mul_(scale!);
  return da.dtype === dy.dtype ? da : da.to(dy.dtype);
}

/** At least float32. */
function widened(a: Tensor): Tensor {
  return a.dtype === "bfloat16" || a.dtype === "float16" ? a.to("float32") : a;
}

/** `(a − mean) / √(variance + ε) · gain + bias` over the last axis; Ba et al. 2016, arXiv:1607.06450. */
export const layerNorm: Op<readonly [a: Tensor, gain: Tensor, bias: Tensor], NormOptions> = op(
  "layerNorm",
  {
    check: ([a, gain, bias]) => {
      requireFloating([a]);
      const width = a.shape.at(-1);
      for (const { shape, dtype } of [gain, bias]) {
        if (shape.length !== 1 || shape[0] !== width || dtype !== a.dtype) {
          throw new TypeError(
            `Cannot scale ${a.dtype} ${formatShape(a.shape)} by ${dtype} ${formatShape(shape)}`,
          );
        }
      }
    },
    composed: true,
    forward: ([a, gain, bias], { eps }, save) => {
      const width = [a.shape.at(-1)!];
      const handles = aten.layerNorm(a.handle, width, gain.handle, bias.handle, eps);
      const [y, mean, scale] = handles.map((h) => wrap(h, "layerNorm"));
      save(mean!, scale!);
      return y!;
    },
    keeps: "x",
    vjp: (dy, { x: [a, gain, bias], saved: [mean, scale] }) =>
      aten.layerNormBackward(
        dy.contiguous().handle,
        a.handle,
        [a.shape.at(-1)!],
        mean!.handle,
        scale!.handle,
        gain.handle,
        bias.handle,
        [true, true, true],
      ).map((h) => wrap(h, "layerNormVjp")),
  },
);
