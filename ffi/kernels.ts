/**
 * Kernels called directly, without the dispatcher: half its overhead, and the
 * only way to pass a `Scalar`. They do not look at the device of a tensor, so
 * the device that core checked decides which library's kernel runs.
 *
 * @module
 */
import { operator } from "./dispatch.ts";
import { TorchError } from "./errors.ts";
import { check, dtypeCode, Handle } from "./handle.ts";
import { asOneLaunch, noteLaunch } from "./launches.ts";
import { kernels, symbols } from "./library.ts";
import { allocate } from "./memory.ts";
import { aten, opaqueSchemas } from "./operators.ts";

const out: BigUint64Array = new BigUint64Array(1);

/** What oneDNN does to each element of a product before it stores it. */
const afterwards = {
  none: cString("none"),
  silu: cString("swish"),
} as const;

/** How oneDNN gates each element of a product by that of another tensor. */
const TIMES = cString("mul");

/** Dtypes that oneDNN refused on this processor: they are not tried again. */
const refused = new Set<number>();

const packLinearWeight = operator(opaqueSchemas.packLinearWeight, (address) => address);

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text + "\0");
}

/** A kind of device: two have direct kernels, `meta` is served by the dispatcher. */
export type KernelDevice = "cpu" | "cuda" | "meta";

function fresh(code: number, name: string): Handle {
  noteLaunch(name);
  check(code, name);
  return new Handle(out[0]!, null);
}

/** The same by the dispatcher, which takes numbers as tensors only. */
const dispatched = {
  add(a: Handle, b: Handle, alpha: number): Handle {
    const { aoti_torch_aten_subtract_Tensor: subtract } = symbols();
    return fresh(subtract(a.address, b.address, -alpha, out), "add");
  },
  addScalar(a: Handle, b: number): Handle {
    return withNumber("add", a, b, (number) => dispatched.add(a, number, 1));
  },
  mulScalar(a: Handle, b: number): Handle {
    return withNumber("mul", a, b, (number) => aten.mul(a, number));
  },
  powScalar(a: Handle, exponent: number): Handle {
    return withNumber("pow", a, exponent, (number) => aten.powTensor(a, number));
  },
} as const;

/** With a number as a tensor without axes, on the CPU and of the dtype of `a`. */
function withNumber(
  name: string,
  a: Handle,
  value: number,
  body: (number: Handle) => Handle,
): Handle {
  const number = allocate([], [], dtypeCode(a), { type: 0, index: 0 });
  try {
    return asOneLaunch(name, () => {
      fill(number, value);
      return body(number);
    });
  } finally {
    number.release();
  }
}

/** Direct kernels, or what stands in for them; every handle must be on `device`. */
export const direct = {
  /** `a · b`. */
  mul(device: KernelDevice, a: Handle, b: Handle): Handle {
    if (device === "meta") return aten.mul(a, b);
    return fresh(kernels(device).mul_Tensor(a.address, b.address, out), "mul");
  },
  /** `a + alpha · b`, floating point only. */
  add(device: KernelDevice, a: Handle, b: Handle, alpha: number): Handle {
    if (device === "meta") return dispatched.add(a, b, alpha);
    return fresh(kernels(device).add_Tensor(a.address, b.address, alpha, out), "add");
  },
  /** `a + b` for a number, floating point only. */
  addScalar(device: KernelDevice, a: Handle, b: number): Handle {
    if (device === "meta") return dispatched.addScalar(a, b);
    return fresh(kernels(device).add_Scalar(a.address, b, 1, out), "add");
  },
  /** `a · b` for a number, floating point only. */
  mulScalar(device: KernelDevice, a: Handle, b: number): Handle {
    if (device === "meta") return dispatched.mulScalar(a, b);
    return fresh(kernels(device).mul_Scalar(a.address, b, out), "mul");
  },
  /** `a ^ exponent`. */
  powScalar(device: KernelDevice, a: Handle, exponent: number): Handle {
    if (device === "meta") return dispatched.powScalar(a, exponent);
    return fresh(kernels(device).pow_Tensor_Scalar(a.address, exponent, out), "pow");
  },
  /** `out ← alpha · a @ b` for batches of matrices, `[N, m, k]` by `[N, k, n]`. */
  scaledProducts(device: KernelDevice, out: Handle, a: Handle, b: Handle, alpha: number): void {
    if (device === "meta") return aten.bmmOut(a, b, out);
    out.storage.version++;
    const { baddbmm_out: product } = kernels(device);
    noteLaunch("baddbmm");
    check(product(out.address, out.address, a.address, b.address, 0, alpha), "baddbmm");
  },
  /**
   * `a @ bᵀ`, or `silu` of it, by oneDNN, on the CPU; null where libtorch was built without
   * it, or the processor lacks what it needs for the dtype.
   */
  oneDnnProduct(a: Handle, b: Handle, after: keyof typeof afterwards = "none"): Handle | null {
    const { _linear_pointwise: product } = kernels("cpu");
    if (product === null) return null;
    return unlessRefused(
      a,
      () => product(a.address, b.address, 0n, afterwards[after], 0n, 0n, 0n, out),
    );
  },
  /**
   * A weight of `bytes` bytes in the layout that those products like best for `rows` rows, on
   * the CPU; null likewise. It is good for nothing but to be their `b`.
   */
  packWeight(weight: Handle, rows: number, bytes: number): Handle | null {
    const dtype = dtypeCode(weight);
    if (kernels("cpu")._linear_pointwise === null || refused.has(dtype)) return null;
    try {
      return new Handle(packLinearWeight(weight, rows) as bigint, null, bytes);
    } catch (error) {
      if (!(error instanceof TorchError)) throw error;
      refused.add(dtype);
      return null;
    }
  },
  /** `(a @ bᵀ) ⊙ gate` likewise, stored once. */
  oneDnnGatedProduct(a: Handle, b: Handle, gate: Handle): Handle | null {
    const { _linear_pointwise_binary: product } = kernels("cpu");
    if (product === null) return null;
    return unlessRefused(
      a,
      () => product(a.address, gate.address, b.address, 0n, TIMES, out),
    );
  },
} as const;

/** What a call of oneDNN over the dtype of `a` returned, or null. */
function unlessRefused(a: Handle, call: () => number): Handle | null {
  const dtype = dtypeCode(a);
  if (refused.has(dtype)) return null;
  noteLaunch("_linear_pointwise");
  if (call() === 0) return new Handle(out[0]!, null);
  refused.add(dtype);
  return null;
}

/** Fills a tensor of any device with a number. */
export function fill(handle: Handle, value: number): void {
  noteLaunch("fill");
  handle.storage.version++;
  check(symbols().aoti_torch_aten_fill__Scalar(handle.address, value), "fill");
}

/** Copies `source` into `target`, converting dtype and device. */
export function copyInto(target: Handle, source: Handle): void {
  noteLaunch("copy");
  target.storage.version++;
  check(symbols().aoti_torch_copy_(target.address, source.address, 0), "copy");
}
