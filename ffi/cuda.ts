/**
 * What only a GPU has: memory of its own, and work that it has yet to do.
 *
 * @module
 */
import { TorchError } from "./errors.ts";
import { check } from "./handle.ts";
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
  checkCuda("cudaMemGetInfo", cuda.cudaMemGetInfo(free, total));
  return { usedBytes: Number(total[0]! - free[0]!), totalBytes: Number(total[0]!) };
}

/**
 * Waits until the GPU has done everything that it was given.
 *
 * @throws {TorchError} with what went wrong there in the meantime
 */
export function synchronize(): void {
  checkCuda("cudaDeviceSynchronize", cudaRuntime().cudaDeviceSynchronize());
}

/** Where a GPU is given its work, one piece after the other. */
export interface Stream {
  /** `cudaStream_t`; 0 is the first that there is. Internal to ffi. */
  readonly address: bigint;
  /**
   * Whether the GPU has done all of it.
   *
   * @throws {TorchError} with what went wrong there in the meantime
   */
  isDone(): boolean;
}

/** How many GPUs this process may see. */
export function countGpus(): number {
  const cuda = cudaRuntime();
  const count = new Int32Array(1);
  checkCuda("cudaGetDeviceCount", cuda.cudaGetDeviceCount(count));
  return count[0]!;
}

/** Makes a GPU the present one, and says where libtorch gives it work. */
export function useGpu(index: number): Stream {
  const { cudaSetDevice, cudaStreamQuery, aoti_torch_get_current_cuda_stream } = cudaRuntime();
  checkCuda("cudaSetDevice", cudaSetDevice(index));
  const out = new BigUint64Array(1);
  check(aoti_torch_get_current_cuda_stream(index, out), "current stream");
  const address = out[0]!;
  return {
    address,
    isDone() {
      const code = cudaStreamQuery(address);
      if (code !== NOT_READY) checkCuda("cudaStreamQuery", code);
      return code !== NOT_READY;
    },
  };
}

/** `cudaErrorNotReady`. */
const NOT_READY = 600;

function checkCuda(name: string, code: number): void {
  if (code !== 0) throw new TorchError(name, cudaErrorText(cudaRuntime(), code));
}
