/**
 * How much arithmetic a computation does.
 *
 * @module
 */
import { matmulShape, type Shape, sizeOf } from "./shape.ts";

/** Operations so far; null while nobody counts. */
let counted: number | null = null;

/**
 * Floating-point operations of the matrix products that are done while `body` runs, those
 * inside linear layers, attention and SwiGLU, forward and backward: `2 m k n` for `[m, k]`
 * by `[k, n]`. As PyTorch's `FlopCounterMode`, it leaves out all that grows with the
 * elements alone, such as norms, softmax and the optimiser's update.
 *
 * @throws {TypeError} when `body` is asynchronous
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { countFlops, ones } from "@ponder/ponder/core";
 *
 * assertEquals(countFlops(() => ones([2, 3]).matmul(ones([3, 4]))), 48);
 * ```
 */
export function countFlops(body: () => unknown): number {
  const before = counted;
  counted = 0;
  try {
    if (body() instanceof Promise) {
      throw new TypeError("Cannot count an asynchronous function: await outside of it");
    }
    return counted;
  } finally {
    counted = before === null ? null : before + counted;
  }
}

/** Internal to core: a product of matrices of these shapes is being done. */
export function noteProduct(a: Shape, b: Shape): void {
  if (counted !== null) counted += 2 * sizeOf(matmulShape(a, b)) * a.at(-1)!;
}
