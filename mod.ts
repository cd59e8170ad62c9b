/**
 * Ponder: recursive reasoning models on libtorch, without Python.
 *
 * ```ts
 * import { tensor } from "@ponder/ponder";
 *
 * const x = tensor([1, 2, 3]).requireGrad();
 * x.square().sum().backward();
 * console.log(x.grad!.toNumbers()); // [2, 4, 6]
 * ```
 *
 * @module
 */
export * from "./core/mod.ts";
export {
  LibraryError,
  type LibraryInfo,
  loadLibrary,
  type LoadOptions,
  TorchError,
} from "./ffi/mod.ts";
export { liveBytes, liveTensors } from "./ffi/mod.ts";
