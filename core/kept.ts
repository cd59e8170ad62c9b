/**
 * What is made of weights and kept until their elements change: a weight is used many
 * times between two updates, and converted once.
 *
 * @module
 */
import { type Handle, type Storage, storageSize } from "../ffi/handle.ts";
import { copyInto, direct } from "../ffi/kernels.ts";
import { reinterpret } from "../ffi/memory.ts";
import { aten } from "../ffi/operators.ts";
import { bytesOf, codeOf, type DType } from "./dtype.ts";
import type { Tensor } from "./tensor.ts";

/** What a storage held at one of its versions, as another dtype. */
interface Copy {
  readonly dtype: DType;
  readonly handle: Handle;
  version: number;
}

const copies: WeakMap<Storage, Copy> = new WeakMap();

/**
 * The elements of a tensor in another dtype, as a view of a copy that the whole storage
 * has: parameters that an optimiser keeps in one buffer are converted together. The copy is
 * freed with the storage. Internal to core.
 */
export function keptAs(tensor: Tensor, dtype: DType): Handle {
  const { handle, shape, strides, offset } = tensor;
  const copy = copyOf(handle, tensor.dtype, dtype);
  return reinterpret(copy, shape, strides, offset, bytesOf(dtype));
}

function copyOf(handle: Handle, from: DType, dtype: DType): Handle {
  const { storage } = handle;
  const copy = copies.get(storage);
  const fits = copy !== undefined && copy.dtype === dtype;
  if (fits && copy.version === storage.version) return copy.handle;
  const size = storageSize(handle) / bytesOf(from);
  const whole = reinterpret(handle, [size], [1], 0, bytesOf(from));
  try {
    if (fits) {
      copyInto(copy.handle, whole);
      copy.version = storage.version;
      return copy.handle;
    }
    const fresh = aten.toCopy(whole, codeOf(dtype), null, null, null, false, null);
    if (copy !== undefined) freeCompanion(storage, copy.handle);
    storage.companions.add(fresh);
    copies.set(storage, { dtype, handle: fresh, version: storage.version });
    return fresh;
  } finally {
    whole.release();
  }
}

/** How often a weight was multiplied by since it last changed, and its packed form by then. */
interface Packing {
  version: number;
  uses: number;
  packed: Handle | null;
}

/** By storage, then by where a weight lies in it. */
const packings: WeakMap<Storage, Map<string, Packing>> = new WeakMap();

/**
 * A weight is packed once it was multiplied by so often without a change: more often than
 * within a step of training, where packing takes what it saves.
 */
const USES = 32;

/**
 * A weight `[out, in]` in the layout that oneDNN multiplies `rows` rows by fastest, kept and
 * freed as copies are; null for one that is still too new, or can't be packed. Internal to core.
 */
export function keptPacked(weight: Tensor, rows: number): Handle | null {
  const { handle, shape, strides, offset } = weight;
  const { storage } = handle;
  let all = packings.get(storage);
  if (all === undefined) packings.set(storage, all = new Map());
  const key = `${offset}:${shape}:${strides}`;
  let packing = all.get(key);
  if (packing === undefined || packing.version !== storage.version) {
    if (packing?.packed) freeCompanion(storage, packing.packed);
    all.set(key, packing = { version: storage.version, uses: 0, packed: null });
  }
  if (packing.uses++ === USES) {
    packing.packed = direct.packWeight(handle, rows, weight.size * bytesOf(weight.dtype));
    if (packing.packed !== null) storage.companions.add(packing.packed);
  }
  return packing.packed;
}

function freeCompanion(storage: Storage, companion: Handle): void {
  storage.companions.delete(companion);
  companion.release();
}
