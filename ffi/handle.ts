/**
 * Handles to libtorch's tensors: counted, freed once, refused after that. The
 * address never leaves this folder.
 *
 * @module
 */
import { torchError } from "./errors.ts";
import { symbols, textAt } from "./library.ts";

let tensors = 0;
let bytes = 0;
let peak = 0;

/** Tensors of libtorch that this process holds, views included. */
export function liveTensors(): number {
  return tensors;
}

/** Bytes of the storages that those tensors share. */
export function liveBytes(): number {
  return bytes;
}

/** The most that {@link liveBytes} has been since {@link resetPeakBytes}, or the start. */
export function peakBytes(): number {
  return peak;
}

/** From here on {@link peakBytes} looks anew. */
export function resetPeakBytes(): void {
  peak = bytes;
}

const scratch: BigInt64Array = new BigInt64Array(1);
const scratch32: Int32Array = new Int32Array(scratch.buffer);

/** Throws what libtorch says about a failed call of `operator`. */
export function check(code: number, operator: string): void {
  if (code !== 0) throw torchError(operator, lastErrorText());
}

function lastErrorText(): string {
  const { torch_exception_get_what_without_backtrace: what } = symbols();
  if (what === null) return "libtorch failed; its text is on stderr (2.13 or newer returns it)";
  const address = what();
  if (address === 0n) return "libtorch failed without a text";
  return textAt(address).trim().split("\n")[0]!;
}

/** What a tensor and its views have in common. */
export interface Storage {
  /** How often it was written to after it was made; a tape compares it. */
  version: number;
  /** How many handles share it. */
  handles: number;
  /** Its size. */
  readonly bytes: number;
  /** What is freed with it. */
  readonly companions: Set<Handle>;
}

function newStorage(size: number): Storage {
  const storage = { version: 0, handles: 0, bytes: size, companions: new Set<Handle>() };
  bytes += storage.bytes;
  peak = Math.max(peak, bytes);
  return storage;
}

/** What an undefined tensor has in place of a storage. */
const nowhere: { readonly storage: Storage } = {
  storage: { version: 0, handles: 1, bytes: 0, companions: new Set() },
};

/** A tensor that is not there: what some operators want or return in the place of one. */
export function undefinedTensor(): Handle {
  const address = new BigUint64Array(1);
  check(symbols().aoti_torch_new_uninitialized_tensor(address), "new handle");
  return new Handle(address[0]!, nowhere);
}

/** Takes over the address of one of several results, which may be a tensor that is not there. */
export function resultHandle(address: bigint): Handle {
  check(symbols().aoti_torch_is_defined(address, scratch), "is defined");
  return new Handle(address, (scratch32[0]! & 0xff) === 0 ? nowhere : null);
}

/**
 * One reference-counted handle. Whoever holds one calls {@link Handle.retain} or
 * was given it new, and calls {@link Handle.release} once.
 */
export class Handle {
  #address: bigint;
  #references = 1;
  /** The storage that this tensor shares with its views. */
  readonly storage: Storage;

  /**
   * Takes over the address of a new tensor; `viewOf` is the one whose storage it shares.
   * `opaqueBytes` is the size of one whose layout hides its storage.
   */
  constructor(address: bigint, viewOf: { readonly storage: Storage } | null, opaqueBytes?: number) {
    this.#address = address;
    this.storage = viewOf?.storage ?? newStorage(opaqueBytes ?? storageBytes(address));
    this.storage.handles++;
    tensors++;
  }

  /** Whether the tensor was freed. */
  get freed(): boolean {
    return this.#address === 0n;
  }

  /** The address, for a call of libtorch. Internal to ffi. */
  get address(): bigint {
    if (this.#address === 0n) throw new ReferenceError("internal: a freed handle was used");
    return this.#address;
  }

  /** Counts one more holder, and returns this. */
  retain(): this {
    if (this.#references === 0) throw new ReferenceError("internal: a freed handle was retained");
    this.#references++;
    return this;
  }

  /** Counts one holder less; the last one frees the tensor. */
  release(): void {
    if (this.#references === 0) throw new ReferenceError("internal: a handle was freed twice");
    if (--this.#references > 0) return;
    const address = this.#address;
    this.#address = 0n;
    tensors--;
    check(symbols().aoti_torch_delete_tensor_object(address), "delete");
    if (--this.storage.handles > 0) return;
    bytes -= this.storage.bytes;
    for (const companion of this.storage.companions) companion.release();
  }
}

function storageBytes(address: bigint): number {
  check(symbols().aoti_torch_get_storage_size(address, scratch), "storage size");
  return Number(scratch[0]);
}

/** The shape of a tensor. */
export function sizes(handle: Handle): number[] {
  return readInts(handle, "aoti_torch_get_sizes");
}

/** The strides of a tensor, in elements. */
export function strides(handle: Handle): number[] {
  return readInts(handle, "aoti_torch_get_strides");
}

const ints: BigInt64Array = new BigInt64Array(64);

function readInts(
  handle: Handle,
  reader: "aoti_torch_get_sizes" | "aoti_torch_get_strides",
): number[] {
  const library = symbols();
  check(library.aoti_torch_get_dim(handle.address, scratch), "dim");
  const rank = scratch32[0]!;
  if (rank === 0) return [];
  if (rank > ints.length) throw new RangeError(`Cannot read the shape of a tensor of ${rank} axes`);
  check(library[reader](handle.address, scratch), reader);
  library.memcpy_from(ints, scratch[0]!, BigInt(rank * 8));
  const result = new Array<number>(rank);
  for (let i = 0; i < rank; i++) result[i] = Number(ints[i]);
  return result;
}

/** Where a tensor starts in its storage, in elements. */
export function storageOffset(handle: Handle): number {
  check(symbols().aoti_torch_get_storage_offset(handle.address, scratch), "storage offset");
  return Number(scratch[0]);
}

/** How many bytes a tensor's whole storage has. */
export function storageSize(handle: Handle): number {
  return storageBytes(handle.address);
}

/** The code of a tensor's dtype, as `c10::ScalarType` numbers them. */
export function dtypeCode(handle: Handle): number {
  check(symbols().aoti_torch_get_dtype(handle.address, scratch32), "dtype");
  return scratch32[0]!;
}

/** The code of a tensor's kind of device, as `c10::DeviceType` numbers them, and its index. */
export function deviceCode(handle: Handle): { type: number; index: number } {
  const library = symbols();
  check(library.aoti_torch_get_device_type(handle.address, scratch32), "device type");
  const type = scratch32[0]!;
  check(library.aoti_torch_get_device_index(handle.address, scratch32), "device index");
  return { type, index: scratch32[0]! };
}
