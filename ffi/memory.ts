/**
 * Memory of tensors: made, viewed, filled from and read into typed arrays. Blobs
 * are always copied, so nothing of JavaScript's heap is ever lent to libtorch.
 *
 * @module
 */
import { TorchError } from "./errors.ts";
import { check, deviceCode, Handle, storageOffset, storageSize } from "./handle.ts";
import { openDevice, symbols } from "./library.ts";

const MAX_RANK = 64;
const sizeScratch: BigInt64Array = new BigInt64Array(MAX_RANK);
const strideScratch: BigInt64Array = new BigInt64Array(MAX_RANK);
const out: BigUint64Array = new BigUint64Array(1);

function writeInts(target: BigInt64Array, values: readonly number[]): void {
  if (values.length > MAX_RANK) {
    throw new RangeError(`Cannot make a tensor of ${values.length} axes: at most ${MAX_RANK}`);
  }
  for (let i = 0; i < values.length; i++) target[i] = BigInt(values[i]!);
}

/** A new tensor whose contents are whatever was there. Codes as `c10` numbers them. */
export function allocate(
  shape: readonly number[],
  strides: readonly number[],
  dtype: number,
  device: { readonly type: number; readonly index: number },
): Handle {
  openDevice(device.type);
  writeInts(sizeScratch, shape);
  writeInts(strideScratch, strides);
  const code = symbols().aoti_torch_empty_strided(
    BigInt(shape.length),
    sizeScratch,
    strideScratch,
    dtype,
    device.type,
    device.index,
    out,
  );
  check(code, "empty");
  return new Handle(out[0]!, null);
}

/**
 * Another view of a tensor's storage. libtorch does not check bounds here, so
 * this does: `offset` counts elements from the start of the storage.
 *
 * @throws {RangeError} when the view would leave the storage
 */
export function reinterpret(
  handle: Handle,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
  elementBytes: number,
): Handle {
  requireInside(handle, shape, strides, offset, elementBytes);
  writeInts(sizeScratch, shape);
  writeInts(strideScratch, strides);
  const code = symbols().aoti_torch__reinterpret_tensor(
    handle.address,
    BigInt(shape.length),
    sizeScratch,
    strideScratch,
    BigInt(offset - storageOffset(handle)), // libtorch wants the increment
    out,
  );
  check(code, "view");
  return new Handle(out[0]!, handle);
}

function requireInside(
  handle: Handle,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
  elementBytes: number,
): void {
  let last = offset, empty = false;
  for (let i = 0; i < shape.length; i++) {
    if (shape[i]! < 0 || strides[i]! < 0) {
      throw new RangeError(`Cannot view with shape [${shape}] and strides [${strides}]`);
    }
    if (shape[i] === 0) empty = true;
    last += (shape[i]! - 1) * strides[i]!;
  }
  if (offset < 0 || (!empty && (last + 1) * elementBytes > storageSize(handle))) {
    throw new RangeError(
      `Cannot view shape [${shape}] with strides [${strides}] at ${offset}: it leaves the storage`,
    );
  }
}

/** Where the elements of a tensor start in memory. */
export function dataAddress(handle: Handle): bigint {
  check(symbols().aoti_torch_get_data_ptr(handle.address, out), "data pointer");
  return out[0]!;
}

/** Copies bytes into a contiguous tensor on the CPU that has just as many. */
export function writeBytes(handle: Handle, bytes: Uint8Array): void {
  if (bytes.byteLength === 0) return;
  requireBytes(handle, bytes.byteLength);
  handle.storage.version++;
  symbols().memcpy_to(dataAddress(handle), bytes, BigInt(bytes.byteLength));
}

/** Copies a contiguous tensor on the CPU out into bytes. */
export function readBytes(handle: Handle, bytes: Uint8Array): void {
  if (bytes.byteLength === 0) return;
  requireBytes(handle, bytes.byteLength);
  symbols().memcpy_from(bytes, dataAddress(handle), BigInt(bytes.byteLength));
}

function requireBytes(handle: Handle, count: number): void {
  const { type } = deviceCode(handle);
  if (type !== 0) {
    throw new TorchError("copy", `the tensor is not on the CPU, but on device ${type}`);
  }
  const size = storageSize(handle);
  if (count > size) {
    throw new TorchError("copy", `${count} bytes do not fit a storage of ${size} bytes`);
  }
}
