/**
 * Copies in another dtype that are kept until the elements change: a weight is used many
 * times between two updates, and converted once.
 *
 * @module
 */
import { type Handle, type Storage, storageSize } from "../ffi/handle.ts";
import { copyInto } from "../ffi/kernels.ts";
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
    storage.companion?.release();
    storage.companion = fresh;
    copies.set(storage, { dtype, handle: fresh, version: storage.version });
    return fresh;
  } finally {
    whole.release();
  }
}
