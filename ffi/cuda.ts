/**
 * What only a GPU has: memory of its own, and work that it has yet to do.
 *
 * @module
 */
import { TorchError } from "./errors.ts";
import { cudaErrorText, cudaRuntime } from "./library.ts";

/** Memory of the present GPU, of this process and of all others, in bytes. */
export interface DeviceMemory {
  /** What is in use, what libtorch keeps for later included. */
  readonly usedBytes: number;
  /** What there is. */
  readonly totalBytes: number;
}

/**
 * How much memory of the GPU is in use.
 *
 * @throws {LibraryError} when there is no GPU
 */
export function deviceMemory(): DeviceMemory {
  const cuda = cudaRuntime();
  const free = new BigUint64Array(1), total = new BigUint64Array(1);
  const code = cuda.cudaMemGetInfo(free, total);
  if (code !== 0) throw new TorchError("cudaMemGetInfo", cudaErrorText(cuda, code));
  return { usedBytes: Number(total[0]! - free[0]!), totalBytes: Number(total[0]!) };
}

/**
 * Waits until the GPU has done everything that it was given.
 *
 * @throws {TorchError} with what went wrong there in the meantime
 */
export function synchronize(): void {
  const cuda = cudaRuntime();
  const code = cuda.cudaDeviceSynchronize();
  if (code !== 0) throw new TorchError("cudaDeviceSynchronize", cudaErrorText(cuda, code));
}
