/**
 * Kernels called directly, without the dispatcher: half its overhead, and the
 * only way to pass a `Scalar`. They do not look at the device of a tensor, so
 * the device that core checked decides which library's kernel runs.
 *
 * @module
 */
import { check, Handle } from "./handle.ts";
import { kernels, symbols } from "./library.ts";

const out: BigUint64Array = new BigUint64Array(1);
const NO_ACTIVATION: Uint8Array<ArrayBuffer> = new TextEncoder().encode("none\0");
let hasOneDnn = true;

/** A kind of device that has direct kernels. */
export type KernelDevice = "cpu" | "cuda";

function fresh(code: number, name: string): Handle {
  check(code, name);
  return new Handle(out[0]!, null);
}

/** Direct kernels; every handle must be on `device`. */
export const direct = {
  /** `a · b`. */
  mul(device: KernelDevice, a: Handle, b: Handle): Handle {
    return fresh(kernels(device).mul_Tensor(a.address, b.address, out), "mul");
  },
  /** `a + alpha · b`, floating point only. */
  add(device: KernelDevice, a: Handle, b: Handle, alpha: number): Handle {
    return fresh(kernels(device).add_Tensor(a.address, b.address, alpha, out), "add");
  },
  /** `a + b` for a number, floating point only. */
  addScalar(device: KernelDevice, a: Handle, b: number): Handle {
    return fresh(kernels(device).add_Scalar(a.address, b, 1, out), "add");
  },
  /** `a · b` for a number, floating point only. */
  mulScalar(device: KernelDevice, a: Handle, b: number): Handle {
    return fresh(kernels(device).mul_Scalar(a.address, b, out), "mul");
  },
  /** `a ^ exponent`. */
  powScalar(device: KernelDevice, a: Handle, exponent: number): Handle {
    return fresh(kernels(device).pow_Tensor_Scalar(a.address, exponent, out), "pow");
  },
  /** `a @ bᵀ` by oneDNN, on the CPU; null where libtorch was built without it. */
  oneDnnProduct(a: Handle, b: Handle): Handle | null {
    const { _linear_pointwise: product } = kernels("cpu");
    if (product === null || !hasOneDnn) return null;
    if (product(a.address, b.address, 0n, NO_ACTIVATION, 0n, 0n, 0n, out) === 0) {
      return new Handle(out[0]!, null);
    }
    hasOneDnn = false; // it is exported, but refuses: never asked again
    return null;
  },
} as const;

/** Fills a tensor of any device with a number. */
export function fill(handle: Handle, value: number): void {
  handle.storage.version++;
  check(symbols().aoti_torch_aten_fill__Scalar(handle.address, value), "fill");
}

/** Copies `source` into `target`, converting dtype and device. */
export function copyInto(target: Handle, source: Handle): void {
  target.storage.version++;
  check(symbols().aoti_torch_copy_(target.address, source.address, 0), "copy");
}
