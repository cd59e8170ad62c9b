/**
 * A model is data: an object whose fields are tensors, other such objects, or
 * arrays of them. Its parameters are found by walking the fields, and their names
 * are the paths to them.
 *
 * @module
 */
import { fromBytes } from "../create.ts";
import type { DType } from "../dtype.ts";
import { formatShape, sameShape, type Shape } from "../shape.ts";
import { Tensor } from "../tensor.ts";

/** Anything whose fields hold tensors. */
export type Module = object;

/** Every tensor of a module by its path, such as `layers.0.mlp.weight`, in the order of the fields. */
export function namedTensors(module: Module, prefix = ""): [name: string, tensor: Tensor][] {
  return Object.entries(module).flatMap(([field, value]): [string, Tensor][] => {
    if (value instanceof Tensor) return [[prefix + field, value]];
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return [];
    return namedTensors(value, `${prefix}${field}.`);
  });
}

/** The tensors that are trained: those that require a gradient. */
export function namedParameters(module: Module, prefix = ""): [name: string, tensor: Tensor][] {
  return namedTensors(module, prefix).filter(([, tensor]) => tensor.requiresGrad);
}

/** The trained tensors, without their names. */
export function parameters(module: Module): Tensor[] {
  return namedParameters(module).map(([, tensor]) => tensor);
}

/** How many numbers are trained. */
export function countParameters(module: Module): number {
  return parameters(module).reduce((sum, { size }) => sum + size, 0);
}

/** Frees every tensor of a module. */
export function disposeModule(module: Module): void {
  for (const [, tensor] of namedTensors(module)) tensor.dispose();
}

/** A tensor as a file holds it. */
export interface StoredTensor {
  /** The element type. */
  readonly dtype: DType;
  /** The sizes of its axes. */
  readonly shape: Shape;
  /** Its elements, row by row, little-endian. */
  readonly data: Uint8Array;
}

/** Copies of all tensors of a module, by their names. */
export function stateDict(module: Module, prefix = ""): Map<string, StoredTensor> {
  return new Map(
    namedTensors(module, prefix).map(([name, tensor]) => [name, storeTensor(tensor)]),
  );
}

/** A copy of a tensor's elements. */
export function storeTensor(tensor: Tensor): StoredTensor {
  return { dtype: tensor.dtype, shape: tensor.shape, data: tensor.toBytes() };
}

/**
 * Copies stored tensors into a module's own, converting dtypes. All are checked
 * before the first is changed.
 *
 * @throws {TypeError} when a name is missing or unknown, or a shape differs
 */
export function loadStateDict(
  module: Module,
  state: ReadonlyMap<string, StoredTensor>,
  prefix = "",
): void {
  const own = new Map(namedTensors(module, prefix));
  const missing = [...own.keys()].filter((name) => !state.has(name));
  const unknown = [...state.keys()].filter((name) => !own.has(name));
  if (missing.length > 0 || unknown.length > 0) {
    throw new TypeError(
      `Cannot load weights: ${listNames("missing", missing)}${listNames("unknown", unknown)}` +
        `of ${own.size} tensors`,
    );
  }
  for (const [name, tensor] of own) {
    const { shape } = state.get(name)!;
    if (!sameShape(shape, tensor.shape)) {
      throw new TypeError(
        `Cannot load ${name}: it is ${formatShape(shape)} in the file, ` +
          `${formatShape(tensor.shape)} in the model`,
      );
    }
  }
  for (const [name, tensor] of own) restoreTensor(tensor, state.get(name)!);
}

function listNames(what: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const shown = names.slice(0, 3).join(", ");
  return `${names.length} ${what} (${shown}${names.length > 3 ? ", …" : ""}) `;
}

/**
 * Copies stored elements into a tensor.
 *
 * @throws {TypeError} when the shapes differ
 */
export function restoreTensor(tensor: Tensor, stored: StoredTensor): void {
  if (!sameShape(stored.shape, tensor.shape)) {
    throw new TypeError(
      `Cannot restore ${formatShape(tensor.shape)} from ${formatShape(stored.shape)}`,
    );
  }
  const source = fromBytes(stored.data, stored.shape, { dtype: stored.dtype });
  using target = tensor.detach();
  target.copy_(source);
  source.dispose();
}
