/**
 * Tensors, gradients, layers, optimisers and files.
 *
 * ```ts
 * import { tensor } from "@ponder/ponder/core";
 *
 * const x = tensor([[1, 2], [3, 4]]).requireGrad();
 * x.matmul(x).sum().backward();
 * console.log(x.grad!.toNumbers()); // [7, 11, 9, 13]
 * ```
 *
 * @module
 */
export * from "./autograd.ts";
