/**
 * The files of `torch.save`, as far as they hold a state dict: names and tensors.
 * Nothing in them is executed, and nothing is trusted.
 *
 * Layout: a zip archive of one folder, which holds `data.pkl`, a pickle of the
 * mapping; `data/0`, `data/1`, …, the bytes of the storages; `byteorder`; `version`.
 * A tensor is a view of a storage: offset, sizes and strides in elements. Several
 * may share one.
 *
 * Source: pytorch, torch/serialization.py `_save` and `_load`, torch/_utils.py
 * `_rebuild_tensor_v2`, caffe2/serialize/inline_container.cc.
 *
 * @module
 */
import type { FileEntry } from "@zip.js/zip.js";
import { bytesOf, type DType, requireDType } from "../dtype.ts";
import type { StoredTensor } from "../nn/module.ts";
import { contiguousStrides, formatShape, type Shape, sizeOf } from "../shape.ts";
import { PersistentId, type Picklable, pickle, PickleCall, PickleGlobal } from "./pickle.ts";
import { type PickleFunction, unpickle } from "./unpickle.ts";

/** What {@link decodeTorchFile} may be told. */
export interface DecodeTorchFileOptions {
  /** The file's name, for the error message. */
  readonly fileName?: string;
  /**
   * The most bytes that the tensors may take in memory, before anything is
   * unpacked; default 64 MiB and 8 times the size of the file.
   */
  readonly maxBytes?: number;
}

/** An element type of PyTorch that can be read; two have no dtype here and are widened. */
type TorchDType = DType | "int16" | "int8";

const ITEM_BYTES: Readonly<Record<TorchDType, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** The names of storages in a pickle. */
const STORAGES: readonly (readonly [global: string, dtype: TorchDType])[] = [
  ["torch FloatStorage", "float32"],
  ["torch DoubleStorage", "float64"],
  ["torch HalfStorage", "float16"],
  ["torch BFloat16Storage", "bfloat16"],
  ["torch LongStorage", "int64"],
  ["torch IntStorage", "int32"],
  ["torch ShortStorage", "int16"],
  ["torch CharStorage", "int8"],
  ["torch ByteStorage", "uint8"],
  ["torch BoolStorage", "bool"],
];

const UNTYPED = "torch.storage UntypedStorage";
const ORDERED_DICT = "collections OrderedDict";
const REBUILD_TENSOR = "torch._utils _rebuild_tensor_v2";

const MIB = 2 ** 20;
const MAX_PICKLE_BYTES = 64 * MIB;
const MAX_RECORDS = 2 ** 16;
const MAX_KEY_LENGTH = 64; // PyTorch counts storages: "0", "1", …
const MAX_AXES = 64; // of PyTorch itself
const ZIP_MAGIC = [0x50, 0x4b]; // "PK"
/** How a file starts that PyTorch wrote before version 1.6: a pickle of a number. */
const LEGACY_MAGIC = [
  0x80,
  2,
  0x8a,
  10,
  0x6c,
  0xfc,
  0x9c,
  0x46,
  0xf9,
  0x20,
  0x6a,
  0xa8,
  0x50,
  0x19,
];

/**
 * The tensors of a state dict that `torch.save` wrote, by their names. Views are
 * laid out row by row; where one is already, its `data` is a view of the storage
 * that it may share. `int16` and `int8` become `int32`.
 *
 * @throws {SyntaxError} when the file is damaged, exceeds a limit, or asks for
 * anything but data
 * @throws {TypeError} when it holds something other than names and tensors
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeTorchFile, encodeTorchFile } from "./torch_file.ts";
 *
 * const bias = { dtype: "uint8", shape: [3], data: Uint8Array.of(1, 2, 3) } as const;
 * const file = await encodeTorchFile(new Map([["bias", bias]]));
 * assertEquals((await decodeTorchFile(file)).get("bias"), bias);
 * ```
 */
export async function decodeTorchFile(
  bytes: Uint8Array,
  options: DecodeTorchFileOptions = {},
): Promise<Map<string, StoredTensor>> {
  const { fileName, maxBytes = 64 * MIB + 8 * bytes.length } = options;
  const source = fileName === undefined ? "the checkpoint" : `"${fileName}"`;
  const archive = await reading(source, () => openArchive(bytes));
  const value = unpickle(archive.pickle, { ...pickleOptions(), source });
  const views = viewsOf(value, source);
  return await reading(source, () => load(archive, views, maxBytes));
}

/**
 * The file that `torch.save` would write of a state dict: `torch.load` reads it as
 * an OrderedDict, with `weights_only=True` too. The same state gives the same
 * bytes. Tensors with the same `data` share a storage.
 *
 * @throws {TypeError} when data and shape disagree, or a name is not valid Unicode
 */
export async function encodeTorchFile(
  state: ReadonlyMap<string, StoredTensor>,
): Promise<Uint8Array> {
  const storages = new Map<Uint8Array, { key: string; dtype: DType }>();
  const records: [name: string, data: Uint8Array][] = [];
  const items = new Map<string, Picklable>();
  for (const [name, tensor] of state) {
    requireTensor(name, tensor);
    const { data, dtype } = tensor;
    let storage = storages.get(data);
    if (storage?.dtype !== dtype) {
      storage = { key: `${records.length}`, dtype };
      storages.set(data, storage);
      records.push([`data/${storage.key}`, data]);
    }
    items.set(name, tensorCall(tensor, storage.key));
  }
  const text = new TextEncoder();
  return await archiveOf([
    ["data.pkl", pickle(new PickleCall(new PickleGlobal(ORDERED_DICT), [], items))],
    ["byteorder", text.encode("little")],
    ...records,
    ["version", text.encode("3\n")],
  ]);
}

// Reading: the functions below throw a SyntaxError that says what is wrong

function fail(problem: string): never {
  throw new SyntaxError(problem);
}

/** Runs `body`; whatever it finds wrong is said of `source`. */
async function reading<T>(source: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    throw new SyntaxError(`Cannot read ${source}: ${(cause as Error).message}`, { cause });
  }
}

/** The records of a file, by their names, and the one that is read first. */
interface Archive {
  readonly records: ReadonlyMap<string, FileEntry>;
  /** The folder of the records, with its slash. */
  readonly folder: string;
  readonly pickle: Uint8Array;
  /** The size of the whole file. */
  readonly sizeBytes: number;
}

async function openArchive(bytes: Uint8Array): Promise<Archive> {
  requireZip(bytes);
  const records = await recordsOf(bytes);
  const [pickled, ...others] = [...records.keys()].filter((name) => {
    return /^([^/]+\/)?data\.pkl$/.test(name);
  });
  if (pickled === undefined) return fail('it has no "data.pkl", as a file of torch.save does');
  if (others.length > 0) return fail(`it has both ${clipped(pickled)} and ${clipped(others[0]!)}`);
  const folder = pickled.slice(0, -"data.pkl".length);
  if (records.has(`${folder}constants.pkl`)) return fail("it is a TorchScript program");
  const read = async (name: string, limit: number): Promise<Uint8Array> => {
    const entry = records.get(folder + name)!;
    if (entry.uncompressedSize <= limit) return await unpack(entry, bytes.length);
    return fail(`its "${name}" claims ${entry.uncompressedSize} bytes, the limit is ${limit}`);
  };
  if (records.has(`${folder}byteorder`)) {
    const order = new TextDecoder().decode(await read("byteorder", 16));
    if (order !== "little") fail(`its byte order is ${clipped(order)}, expected "little"`);
  }
  const pickle = await read("data.pkl", MAX_PICKLE_BYTES);
  return { records, folder, pickle, sizeBytes: bytes.length };
}

function requireZip(bytes: Uint8Array): void {
  const startsWith = (magic: readonly number[]) => magic.every((byte, i) => bytes[i] === byte);
  if (startsWith(ZIP_MAGIC)) return;
  if (startsWith(LEGACY_MAGIC)) {
    fail(
      "it is in PyTorch's format from before version 1.6; " +
        "in Python, torch.save(torch.load(path, weights_only=True), path) converts it",
    );
  }
  const start = new TextDecoder().decode(bytes.subarray(0, 40));
  if (start.startsWith("version https://git-lfs")) {
    fail("it is a pointer to a file in Git LFS; git lfs pull fetches the file itself");
  }
  fail("it is no zip archive, as a file of torch.save is: truncated, or another format?");
}

async function recordsOf(bytes: Uint8Array): Promise<Map<string, FileEntry>> {
  const { Uint8ArrayReader, ZipReader } = await import("@zip.js/zip.js");
  const settings = { useWebWorkers: false, useCompressionStream: true, checkCrc32: true };
  const zip = new ZipReader(new Uint8ArrayReader(bytes), settings);
  const records = new Map<string, FileEntry>();
  const entries = zip.getEntriesGenerator();
  for (let next = await nextOf(entries); !next.done; next = await nextOf(entries)) {
    const entry = next.value;
    if (entry.directory) continue;
    if (records.has(entry.filename)) fail(`it has the record ${clipped(entry.filename)} twice`);
    if (records.size >= MAX_RECORDS) fail(`it has more than ${MAX_RECORDS} records`);
    records.set(entry.filename, entry);
  }
  return records;
}

/** The next entry of an archive; what is wrong there is said as this file says it. */
async function nextOf<T>(entries: AsyncGenerator<T, boolean>): Promise<IteratorResult<T, boolean>> {
  try {
    return await entries.next();
  } catch (cause) {
    const { message } = cause as Error;
    throw new SyntaxError(`its archive is damaged (${message}): truncated?`, { cause });
  }
}

/** The bytes of a record, whose claimed size the caller has found acceptable. */
async function unpack(entry: FileEntry, fileBytes: number): Promise<Uint8Array> {
  const { compressedSize, uncompressedSize, compressionMethod, encrypted } = entry;
  const name = clipped(entry.filename);
  if (encrypted) fail(`its record ${name} is encrypted`);
  if (compressionMethod !== 0 && compressionMethod !== 8) {
    fail(`its record ${name} is packed by method ${compressionMethod}, known are 0 and 8`);
  }
  const isStored = compressionMethod === 0;
  if (compressedSize > fileBytes || (isStored && uncompressedSize !== compressedSize)) {
    fail(`its record ${name} claims ${uncompressedSize} bytes, more than there are: truncated?`);
  }
  const bytes = new Uint8Array(uncompressedSize);
  let length = 0;
  const write = (chunk: Uint8Array): void => {
    bytes.set(chunk, length); // throws, and so ends the unpacking, where there is more than claimed
    length += chunk.length;
  };
  try {
    await entry.getData(new WritableStream({ write }));
  } catch (cause) {
    throw new SyntaxError(`its record ${name} is damaged (${(cause as Error).message})`, { cause });
  }
  if (length < bytes.length) fail(`its record ${name} claims ${bytes.length} bytes, has ${length}`);
  return bytes;
}

// What the pickle says

/** A record with the elements of tensors. */
class Storage {
  constructor(
    readonly key: string,
    /** Null for one whose tensors bring their own dtype. */
    readonly dtype: TorchDType | null,
    readonly sizeBytes: number,
  ) {}
}

/** A tensor as a view of a storage; offset and strides count elements. */
class View {
  constructor(
    readonly storage: Storage,
    readonly dtype: TorchDType,
    readonly offset: number,
    readonly shape: Shape,
    readonly strides: readonly number[],
  ) {}
}

/** The few globals of a state dict; their arguments are as in torch/_utils.py. */
function pickleOptions(): {
  globals: ReadonlyMap<string, PickleFunction | null>;
  persistentLoad: (id: unknown) => unknown;
} {
  const storages = new Map<string, Storage>();
  const globals = new Map<string, PickleFunction | null>([
    [ORDERED_DICT, orderedDict],
    [REBUILD_TENSOR, (args) => viewOf(args, dtypeOf(args[0]))],
    ["torch._utils _rebuild_tensor_v3", (args) => viewOf(args, torchDType(args[6]))],
    ["torch._utils _rebuild_parameter", parameter],
    ["torch._utils _rebuild_parameter_with_state", parameter],
    [UNTYPED, null],
    ...STORAGES.map(([name]) => [name, null] as const),
    ...Object.keys(ITEM_BYTES).map((dtype) => [`torch ${dtype}`, null] as const),
  ]);
  return { globals, persistentLoad: (id) => storageOf(id, storages) };
}

function orderedDict(args: readonly unknown[]): Map<unknown, unknown> {
  if (args.length > 0) fail("it makes an OrderedDict in a way that torch.save does not");
  return new Map();
}

function parameter([tensor]: readonly unknown[]): View {
  return tensor instanceof View
    ? tensor
    : fail("it makes a parameter of something else than a tensor");
}

/** The storage of a persistent id: `("storage", type, key, location, number of elements)`. */
function storageOf(id: unknown, known: Map<string, Storage>): Storage {
  const [kind, type, key, location, numel] = Array.isArray(id) ? id : [];
  const row = STORAGES.find(([name]) => type instanceof PickleGlobal && type.name === name);
  const isUntyped = type instanceof PickleGlobal && type.name === UNTYPED;
  if (kind !== "storage" || !(row || isUntyped)) {
    return fail("it refers to data of an unknown kind");
  }
  const isNamed = typeof key === "string" && key.length <= MAX_KEY_LENGTH;
  if (!isNamed || typeof location !== "string" || !isSize(numel)) {
    return fail("it refers to a storage without a name, a location or a size");
  }
  const dtype = row?.[1] ?? null;
  const sizeBytes = numel * (dtype === null ? 1 : ITEM_BYTES[dtype]);
  const storage = known.get(key) ?? new Storage(key, dtype, sizeBytes);
  if (storage.dtype !== dtype || storage.sizeBytes !== sizeBytes) {
    fail(`it describes the storage ${clipped(key)} in two ways`);
  }
  known.set(key, storage);
  return storage;
}

function dtypeOf(storage: unknown): TorchDType {
  const dtype = storage instanceof Storage ? storage.dtype : null;
  return dtype ?? fail("it makes a tensor of something else than a storage with a dtype");
}

function torchDType(value: unknown): TorchDType {
  const name = value instanceof PickleGlobal ? value.name.slice("torch ".length) : "";
  if (Object.hasOwn(ITEM_BYTES, name)) return name as TorchDType;
  return fail("it makes a tensor of an unknown dtype");
}

/** The view that a storage, an offset, sizes and strides describe, within the storage's bounds. */
function viewOf([storage, offset, shape, strides]: readonly unknown[], dtype: TorchDType): View {
  if (!(storage instanceof Storage)) {
    return fail("it makes a tensor of something else than a storage");
  }
  if (!isSize(offset) || !isSizes(shape) || !isSizes(strides) || strides.length !== shape.length) {
    return fail("it has a tensor whose offset, sizes or strides are no sizes");
  }
  if (shape.reduce((numel, length) => numel * Math.max(length, 1), 1) > Number.MAX_SAFE_INTEGER) {
    return fail(`it has a tensor ${formatShape(shape)}, which is impossibly big`);
  }
  const end = endOf(offset, shape, strides);
  const available = Math.floor(storage.sizeBytes / ITEM_BYTES[dtype]);
  if (!(end <= available)) {
    fail(
      `it has a tensor ${formatShape(shape)} with the strides ${formatShape(strides)} from ` +
        `element ${offset} of a storage that has ${available}`,
    );
  }
  return new View(storage, dtype, offset, shape, strides);
}

/** One more than the last element of a view; the offset if it has none. */
function endOf(offset: number, shape: Shape, strides: readonly number[]): number {
  if (shape.includes(0)) return offset;
  return shape.reduce((end, length, axis) => end + (length - 1) * strides[axis]!, offset + 1);
}

/**
 * The views of a state dict, by name.
 *
 * @throws {TypeError} when it is something else
 */
function viewsOf(value: unknown, source: string): Map<string, View> {
  if (!(value instanceof Map)) {
    throw new TypeError(`Cannot use ${source}: it holds ${kindOf(value)}, not names and tensors`);
  }
  const views = new Map<string, View>();
  for (const [name, item] of value) {
    if (typeof name === "string" && item instanceof View) {
      views.set(name, item);
      continue;
    }
    throw new TypeError(
      `Cannot use ${source}: its entry ${clipped(String(name))} is ${kindOf(item)}, ` +
        `not a tensor; ${adviceFor(value)}`,
    );
  }
  return views;
}

function adviceFor(value: ReadonlyMap<unknown, unknown>): string {
  for (const [name, item] of value) {
    if (!(item instanceof Map) || !(item.values().next().value instanceof View)) continue;
    const key = clipped(String(name));
    return `it has tensors under ${key}: in Python, torch.save(torch.load(path)[${key}], path)`;
  }
  return "torch.save(model.state_dict(), path) writes tensors only";
}

// Elements

/** Reads the storages, each once, and lays the views out row by row. */
async function load(
  archive: Archive,
  views: ReadonlyMap<string, View>,
  maxBytes: number,
): Promise<Map<string, StoredTensor>> {
  const distinct = new Map([...views.values()].map((view) => [keyOf(view), view]));
  const storages = new Set([...distinct.values()].map(({ storage }) => storage));
  requireModest([...distinct.values()], [...storages], maxBytes);
  const entries = [...storages].map((storage) => [storage, recordOf(archive, storage)] as const);
  const records = new Map<Storage, Uint8Array>();
  for (const [storage, entry] of entries) {
    records.set(storage, await unpack(entry, archive.sizeBytes));
  }
  const tensors = new Map([...distinct].map(([key, view]) => {
    return [key, storedTensor(view, records.get(view.storage)!)];
  }));
  return new Map([...views].map(([name, view]) => [name, tensors.get(keyOf(view))!]));
}

/** The same for views of the same elements. */
function keyOf({ storage, dtype, offset, shape, strides }: View): string {
  return JSON.stringify([storage.key, dtype, offset, shape, strides]);
}

/** Checks, before anything is unpacked, that the tensors take no more than allowed. */
function requireModest(
  views: readonly View[],
  storages: readonly Storage[],
  maxBytes: number,
): void {
  const stored = storages.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (!(stored <= maxBytes)) {
    fail(`its tensors take ${stored} bytes, more than the limit of ${maxBytes} (maxBytes)`);
  }
  const copied = views.reduce((sum, view) => sum + copiedBytes(view), 0);
  if (copied <= Math.max(stored, MIB)) return;
  fail(
    `its tensors repeat ${stored} bytes to ${copied}; clone() or contiguous() before torch.save`,
  );
}

/** How many bytes a view takes that does not simply lie in its storage. */
function copiedBytes({ dtype, shape, strides }: View): number {
  const isAsStored = isRowMajor(shape, strides) && dtype !== "int8" && dtype !== "int16";
  return isAsStored ? 0 : sizeOf(shape) * ITEM_BYTES[dtype];
}

/** The record of a storage, which has to have its size. */
function recordOf({ records, folder }: Archive, { key, sizeBytes }: Storage): FileEntry {
  const name = `${folder}data/${key}`;
  const entry = records.get(name) ?? fail(`its record ${clipped(name)} is missing`);
  if (entry.uncompressedSize === sizeBytes) return entry;
  return fail(
    `its record ${
      clipped(name)
    } has ${entry.uncompressedSize} bytes, its tensors need ${sizeBytes}`,
  );
}

function storedTensor({ dtype, offset, shape, strides }: View, record: Uint8Array): StoredTensor {
  const itemBytes = ITEM_BYTES[dtype];
  const start = offset * itemBytes;
  const data = isRowMajor(shape, strides)
    ? record.subarray(start, start + sizeOf(shape) * itemBytes)
    : gathered(record.subarray(start), itemBytes, shape, strides);
  if (dtype !== "int16" && dtype !== "int8") return { dtype, shape, data };
  return { dtype: "int32", shape, data: widened(data, itemBytes) };
}

/** The elements of a view, row by row; `source` starts at its first element. */
function gathered(
  source: Uint8Array,
  itemBytes: number,
  shape: Shape,
  strides: readonly number[],
): Uint8Array {
  const target = new Uint8Array(sizeOf(shape) * itemBytes);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < target.length; to += itemBytes) {
    for (let i = 0; i < itemBytes; i++) target[to + i] = source[from + i]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) { // the last axis counts fastest
      from += strides[axis]! * itemBytes;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * itemBytes * shape[axis]!;
      index[axis] = 0;
    }
  }
  return target;
}

/** `int8` or `int16` as `int32`. */
function widened(data: Uint8Array, itemBytes: number): Uint8Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const wide = new DataView(new ArrayBuffer((data.length / itemBytes) * 4));
  for (let i = 0; i * itemBytes < data.length; i++) {
    const value = itemBytes === 1 ? view.getInt8(i) : view.getInt16(2 * i, true);
    wide.setInt32(4 * i, value, true);
  }
  return new Uint8Array(wide.buffer);
}

/** Whether the elements lie row by row without gaps. */
function isRowMajor(shape: Shape, strides: readonly number[]): boolean {
  if (shape.includes(0)) return true;
  const wanted = contiguousStrides(shape);
  return shape.every((length, axis) => length === 1 || strides[axis] === wanted[axis]);
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Sizes or strides of a tensor. */
function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length <= MAX_AXES && value.every(isSize);
}

/** A value of the pickle, as an error message names it. */
function kindOf(value: unknown): string {
  if (value === null) return "None";
  if (value instanceof View) return "a tensor";
  if (value instanceof Storage) return "a storage";
  if (value instanceof PickleGlobal) return value.name.replace(" ", ".");
  if (value instanceof Map) return "a dictionary";
  if (Array.isArray(value)) return "a list or tuple";
  return value instanceof Uint8Array ? "bytes" : `a ${typeof value}`;
}

/** Text from a file, quoted, short and on one line. */
function clipped(text: string): string {
  return text.length > 100 ? `${JSON.stringify(text.slice(0, 100))}…` : JSON.stringify(text);
}

// Writing

function requireTensor(name: string, { dtype, shape, data }: StoredTensor): void {
  requireDType(dtype);
  if (!isSizes(shape)) throw new TypeError(`Cannot write "${name}" of shape ${formatShape(shape)}`);
  const wanted = sizeOf(shape) * bytesOf(dtype);
  if (data.length === wanted) return;
  throw new TypeError(
    `Cannot write "${name}": ${dtype} ${formatShape(shape)} takes ${wanted} bytes, ` +
      `got ${data.length}`,
  );
}

/** The call by which Python makes a tensor of a storage. */
function tensorCall({ dtype, shape, data }: StoredTensor, key: string): PickleCall {
  const [storage] = STORAGES.find((row) => row[1] === dtype)!;
  const numel = data.length / bytesOf(dtype);
  const id = new PersistentId(["storage", new PickleGlobal(storage), key, "cpu", numel]);
  const hooks = new PickleCall(new PickleGlobal(ORDERED_DICT), []);
  const view = [0, shape, contiguousStrides(shape), false, hooks] as const;
  return new PickleCall(new PickleGlobal(REBUILD_TENSOR), [id, ...view]);
}

const FOLDER = "archive/";
const ALIGNMENT = 64;
const LOCAL_HEADER_BYTES = 30;
/** The extra field by which PyTorch itself pads: "FB". */
const PADDING_ID = 0x4246;
const PADDING_HEADER_BYTES = 4;

/** A zip archive that only stores, dated 2000, each record at a multiple of 64 bytes. */
async function archiveOf(
  records: readonly (readonly [name: string, data: Uint8Array])[],
): Promise<Uint8Array> {
  const { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } = await import("@zip.js/zip.js");
  const zip = new ZipWriter(new Uint8ArrayWriter(), {
    level: 0,
    useWebWorkers: false,
    extendedTimestamp: false,
    dataDescriptor: false,
    lastModDate: new Date(2000, 0, 1), // a zip file knows no time zones
  });
  let end = 0;
  for (const [record, data] of records) {
    const name = FOLDER + record;
    const start = end + LOCAL_HEADER_BYTES + name.length + PADDING_HEADER_BYTES;
    const padding = new Uint8Array(-start & (ALIGNMENT - 1));
    await zip.add(name, new Uint8ArrayReader(data), {
      extraField: new Map([[PADDING_ID, padding]]),
    });
    end = start + padding.length + data.length;
  }
  return await zip.close();
}
