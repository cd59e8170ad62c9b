/**
 * The only door to libtorch: find it, open it, call it, fail clearly.
 *
 * ```ts
 * import { loadLibrary } from "@ponder/ponder/ffi";
 *
 * const { version, directory } = loadLibrary();
 * console.log(`libtorch ${version} in ${directory}`);
 * ```
 *
 * @module
 */
export { type DeviceMemory, deviceMemory, synchronize } from "./cuda.ts";
export { LibraryError, OutOfMemoryError, TorchError } from "./errors.ts";
export { countLaunches } from "./launches.ts";
export { type LibraryInfo, loadLibrary, type LoadOptions } from "./library.ts";
export {
  Handle,
  liveBytes,
  liveTensors,
  peakBytes,
  resetPeakBytes,
  type Storage,
} from "./handle.ts";
