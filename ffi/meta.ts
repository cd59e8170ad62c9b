/**
 * What operators return for tensors on `meta` where libtorch itself does not say: in C++ some
 * have no kernel for that device, as PyTorch adds theirs in Python. Only shapes, dtypes and
 * strides are made here; nothing is computed.
 *
 * Source: `torch/_meta_registrations.py` and `torch/_refs` of PyTorch 2.13.
 *
 * @module
 */
import type { Call } from "./dispatch.ts";
import { deviceCode, dtypeCode, Handle, sizes, undefinedTensor } from "./handle.ts";
import { asOneLaunch } from "./launches.ts";
import { isMetaInUse } from "./library.ts";
import { allocate } from "./memory.ts";
import type { Aten } from "./operators.ts";

/** `c10::DeviceType::Meta`. */
const META = 14;
/** Of `c10::ScalarType`. */
const INT64 = 4, FLOAT16 = 5, FLOAT32 = 6, BFLOAT16 = 15;

/** `call`, or `rule` in its place where one of the tensors is on `meta`. */
export function orOnMeta(name: string, call: Call, rule: Call): Call {
  return (...args) => {
    if (!isMetaInUse() || !args.some(isOnMeta)) return call(...args);
    return asOneLaunch(name, () => rule(...args));
  };
}

function isOnMeta(arg: unknown): boolean {
  return arg instanceof Handle && !arg.freed && deviceCode(arg).type === META;
}

/** The rules, made of operators that do know `meta` where there are such of the same shape. */
export function metaRules(aten: Aten): Partial<Aten> {
  const same = (x: Handle) => aten.mul(x, x);
  return {
    abs: same,
    relu: same,
    isfinite: (x) => aten.eq(x, x),
    logicalNot: (x) => aten.eq(x, x),
    logicalAnd: (a, b) => aten.eq(a, b),
    logicalOr: (a, b) => aten.eq(a, b),
    where: (condition, a, b) => {
      const both = aten.mul(a, b);
      const all = aten.mul(condition, both); // a bool changes no dtype
      both.release();
      return all;
    },
    flip: same,
    indexSelect: (x, axis, index) => {
      const shape = sizes(x), count = sizes(index).reduce((product, n) => product * n, 1);
      return like(x, shape.with(axis, count));
    },
    embedding: (weight, indices) => like(weight, [...sizes(indices), sizes(weight)[1]!]),
    embeddingBackward: (dy, _indices, rows) => like(dy, [rows, sizes(dy).at(-1)!]),
    layerNorm: (x, normalized) => {
      const dtype = widened(dtypeCode(x));
      const shape = sizes(x).map((n, i, all) => i < all.length - normalized.length ? n : 1);
      return [same(x), like(x, shape, dtype), like(x, shape, dtype)];
    },
    layerNormBackward: (_dy, x, normalized) => [same(x), like(x, normalized), like(x, normalized)],
    // libtorch knows it as a dozen of operations; on CUDA it is one
    fusedRmsNorm: (x) => {
      const shape = sizes(x).with(-1, 1);
      return [same(x), like(x, shape, widened(dtypeCode(x)))];
    },
    fusedRmsNormBackward: (_dy, x) => [same(x), undefinedTensor()],
    ...attentionRules,
  };
}

/** The fused kernels of CUDA. They keep queries, keys, values and results as `[B, L, H, d]`. */
const attentionRules: Partial<Aten> = {
  flashAttention: (q, k) => {
    const [batch, heads, length] = sizes(q) as [number, number, number];
    return [
      heldByPosition(q),
      like(q, [batch, heads, length], FLOAT32),
      undefinedTensor(),
      undefinedTensor(),
      length,
      sizes(k)[2]!,
      like(q, [2], INT64),
      like(q, [], INT64),
      like(q, [0]),
    ];
  },
  flashAttentionBackward: (_dy, q, k, v) => [
    heldByPosition(q),
    heldByPosition(k),
    heldByPosition(v),
  ],
  efficientAttention: (q) => {
    const [batch, heads, length] = sizes(q) as [number, number, number];
    const padded = Math.ceil(length / 32) * 32;
    return [
      heldByPosition(q),
      like(q, [batch, heads, padded], FLOAT32),
      like(q, [], INT64),
      like(q, [], INT64),
    ];
  },
  efficientAttentionBackward: (_dy, q, k, v) => [
    heldByPosition(q),
    heldByPosition(k),
    heldByPosition(v),
    undefinedTensor(),
  ],
};

/** `[B, H, L, d]`, stored as `[B, L, H, d]`. */
function heldByPosition(x: Handle): Handle {
  const shape = sizes(x);
  const [, heads, length, d] = shape as [number, number, number, number];
  return allocate(shape, [length * heads * d, d, heads * d, 1], dtypeCode(x), deviceCode(x));
}

/** A tensor beside `x`, stored row by row. */
function like(x: Handle, shape: readonly number[], dtype: number = dtypeCode(x)): Handle {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((product, n) => product * n, 1));
  return allocate(shape, strides, dtype, deviceCode(x));
}

/** What statistics of 16-bit floats are kept in on a GPU. */
function widened(dtype: number): number {
  return dtype === FLOAT16 || dtype === BFLOAT16 ? FLOAT32 : dtype;
}
