/**
 * The safetensors format: named arrays of bytes with a dtype and a shape. No
 * tensors here, only bytes; nothing is executed and nothing is trusted.
 *
 * Layout: 8 bytes, the length N of the header, little-endian · N bytes of JSON,
 * `{"name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},…}`, padded with
 * spaces to a multiple of 8 · the data, without holes. What is written equals
 * what the reference implementation writes, byte for byte.
 *
 * Source: huggingface/safetensors, README.md and safetensors/src/tensor.rs.
 *
 * @module
 */

/** The element types of the format that Ponder reads and writes. */
export type SafetensorsDtype =
  | "int64"
  | "float64"
  | "float32"
  | "int32"
  | "bfloat16"
  | "float16"
  | "uint8"
  | "bool";

/** What the header says of one array. */
export interface SafetensorsSpec {
  /** Its element type. */
  readonly dtype: SafetensorsDtype;
  /** Its shape, `[]` for a scalar. */
  readonly shape: readonly number[];
}

/** One array: its spec and its elements, row-major, little-endian. */
export interface SafetensorsEntry extends SafetensorsSpec {
  /** The bytes, exactly as many as shape and dtype ask for. */
  readonly data: Uint8Array;
}

/** Free text about a file, saved in its header. */
export type SafetensorsMetadata = Readonly<Record<string, string>>;

/** What {@link decodeSafetensors} found. */
export interface Safetensors {
  /** The arrays by name, in the order of their data. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  /** The file's metadata, `{}` when it has none. */
  readonly metadata: SafetensorsMetadata;
}

/** How a file is laid out, before any of its data exists. */
export interface SafetensorsLayout {
  /** The first bytes of the file: length, JSON and padding. */
  readonly header: Uint8Array;
  /** The names in the order in which their data follows the header. */
  readonly names: readonly string[];
  /** The size of the whole file. */
  readonly sizeBytes: number;
}

/** Our name, the format's name and the size; in the order the reference writes them. */
const DTYPES: readonly (readonly [SafetensorsDtype, string, number])[] = [
  ["int64", "I64", 8],
  ["float64", "F64", 8],
  ["float32", "F32", 4],
  ["int32", "I32", 4],
  ["bfloat16", "BF16", 2],
  ["float16", "F16", 2],
  ["uint8", "U8", 1],
  ["bool", "BOOL", 1],
];

/** Valid in the format, unknown to Ponder. */
const UNSUPPORTED: readonly string[] = [
  ...["F4", "F6_E2M3", "F6_E3M2", "F8_E4M3", "F8_E4M3FNUZ", "F8_E5M2", "F8_E5M2FNUZ", "F8_E8M0"],
  ...["I8", "I16", "U16", "U32", "U64", "C64"],
];

const METADATA = "__metadata__";
const PREFIX_BYTES = 8;
const MAX_HEADER_BYTES = 100_000_000;

/**
 * The bytes of a safetensors file.
 *
 * @throws {TypeError} when a name occurs twice, or data and shape disagree
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";
 *
 * const data = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
 * const file = encodeSafetensors([["w", { dtype: "float32", shape: [3], data }]]);
 * assertEquals(decodeSafetensors(file).tensors.get("w")?.data, data);
 * ```
 */
export function encodeSafetensors(
  entries: Iterable<readonly [name: string, entry: SafetensorsEntry]>,
  metadata: SafetensorsMetadata = {},
): Uint8Array<ArrayBuffer> {
  const chunks = [...safetensorsChunks(entries, metadata)];
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/**
 * The same bytes in pieces, none of them copied: the header, then the data of
 * one entry after the other.
 *
 * @throws {TypeError} when a name occurs twice, or data and shape disagree
 */
export function* safetensorsChunks(
  entries: Iterable<readonly [name: string, entry: SafetensorsEntry]>,
  metadata: SafetensorsMetadata = {},
): Generator<Uint8Array> {
  const list = [...entries];
  const { header, names } = safetensorsHeader(list, metadata);
  for (const [name, entry] of list) {
    const wanted = byteLength(entry);
    if (entry.data.length === wanted) continue;
    throw new TypeError(
      `Cannot write tensor "${name}": ${describe(entry)} takes ${wanted} bytes, ` +
        `got ${entry.data.length}`,
    );
  }
  yield header;
  const byName = new Map(list);
  for (const name of names) yield byName.get(name)!.data;
}

/**
 * The header of a file and the order in which the data has to follow it, for
 * files too big to hold twice: write `header`, then the data of each of `names`.
 *
 * @throws {TypeError} when a name occurs twice or is reserved, or a spec is invalid
 * @throws {RangeError} when the header exceeds the format's 100 MB
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { safetensorsHeader } from "./safetensors.ts";
 *
 * const { names, sizeBytes, header } = safetensorsHeader([
 *   ["small", { dtype: "uint8", shape: [3] }],
 *   ["wide", { dtype: "float64", shape: [2] }],
 * ]);
 * assertEquals(names, ["wide", "small"]); // widest dtype first keeps the data aligned
 * assertEquals(sizeBytes, header.length + 19);
 * ```
 */
export function safetensorsHeader(
  specs: Iterable<readonly [name: string, spec: SafetensorsSpec]>,
  metadata: SafetensorsMetadata = {},
): SafetensorsLayout {
  const sorted = sortedSpecs(specs);
  const fields: string[] = [];
  if (Object.keys(metadata).length > 0) fields.push(metadataField(metadata));
  let end = 0;
  for (const [name, spec] of sorted) {
    const begin = end;
    end += byteLength(spec);
    const info = { dtype: codeOf(spec.dtype), shape: spec.shape, data_offsets: [begin, end] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`);
  }
  const header = framed(`{${fields.join(",")}}`);
  return { header, names: sorted.map(([name]) => name), sizeBytes: header.length + end };
}

/**
 * The arrays and the metadata of a safetensors file, strictly checked. The data
 * is not copied: each `data` is a view of `bytes`, and starts at a multiple of
 * its element size in files that were written as the reference does.
 *
 * @param options.fileName the file's name, for the error message
 * @throws {SyntaxError} when the file is truncated, damaged or lies about itself
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  options: { readonly fileName?: string } = {},
): Safetensors {
  const { fileName } = options;
  const source = { size: bytes.length, read: bytes.subarray.bind(bytes) };
  return decode(source, fileName === undefined ? "data" : `file "${fileName}"`);
}

/**
 * Runs `body` with the arrays and the metadata of a safetensors file, checked as
 * {@link decodeSafetensors} checks them, but read one by one: each access to `data` reads
 * it anew, so that weights never lie in memory as a whole beside the model.
 *
 * @param body synchronous: the file is closed behind it
 * @throws {SyntaxError} when the file is truncated, damaged or lies about itself
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodeSafetensors, withSafetensors } from "./safetensors.ts";
 *
 * const file = await Deno.makeTempFile();
 * const data = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
 * await Deno.writeFile(file, encodeSafetensors([["w", { dtype: "float32", shape: [3], data }]]));
 * assertEquals(withSafetensors(file, ({ tensors }) => tensors.get("w")!.data), data);
 * await Deno.remove(file);
 * ```
 */
export function withSafetensors<T>(fileName: string, body: (file: Safetensors) => T): T {
  using file = Deno.openSync(fileName);
  const { size } = file.statSync();
  const read = (begin: number, end: number) => readRange(file, begin, end);
  return body(decode({ size, read }, `file "${fileName}"`));
}

/** Where a file's bytes come from. */
interface Source {
  readonly size: number;
  readonly read: (begin: number, end: number) => Uint8Array;
}

function readRange(file: Deno.FsFile, begin: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - begin);
  file.seekSync(begin, Deno.SeekMode.Start);
  for (let filled = 0; filled < bytes.length;) {
    const count = file.readSync(bytes.subarray(filled));
    if (count === null) throw new SyntaxError("it was cut while it was read");
    filled += count;
  }
  return bytes;
}

// Writing

type Named = readonly [name: string, spec: SafetensorsSpec];

/** The specs by dtype, widest first, then by the UTF-8 bytes of their names. */
function sortedSpecs(specs: Iterable<Named>): Named[] {
  const utf8 = new TextEncoder();
  const rows: { named: Named; rank: number; key: Uint8Array }[] = [];
  const seen = new Set<string>();
  for (const named of specs) {
    const [name, spec] = named;
    checkSpec(name, spec);
    if (seen.has(name)) throw new TypeError(`Cannot write tensor "${name}" twice`);
    seen.add(name);
    const rank = DTYPES.findIndex(([dtype]) => dtype === spec.dtype);
    rows.push({ named, rank, key: utf8.encode(name) });
  }
  rows.sort((a, b) => a.rank - b.rank || compareBytes(a.key, b.key));
  return rows.map((row) => row.named);
}

function checkSpec(name: string, { dtype, shape }: SafetensorsSpec): void {
  if (name === METADATA || !name.isWellFormed()) {
    throw new TypeError(`Cannot name a tensor "${name}": the format reserves or forbids it`);
  }
  if (!DTYPES.some(([known]) => known === dtype)) {
    const known = DTYPES.map(([ours]) => ours).join(", ");
    throw new TypeError(`Cannot write tensor "${name}" of dtype "${dtype}": expected ${known}`);
  }
  if (!shape.every(isSize) || !Number.isSafeInteger(byteLength({ dtype, shape }))) {
    throw new TypeError(`Cannot write tensor "${name}" of shape [${shape.join(", ")}]`);
  }
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}

function metadataField(metadata: SafetensorsMetadata): string {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== "string") {
      throw new TypeError(`Cannot write metadata "${key}": expected a string, got ${typeof value}`);
    }
    if (!key.isWellFormed() || !value.isWellFormed()) {
      throw new TypeError(`Cannot write metadata "${key}": it is not valid Unicode`);
    }
  }
  return `"${METADATA}":${JSON.stringify(metadata)}`;
}

/** The JSON between its length and the padding to 8 bytes. */
function framed(json: string): Uint8Array {
  const text = new TextEncoder().encode(json);
  const padded = Math.ceil(text.length / 8) * 8;
  if (padded > MAX_HEADER_BYTES) {
    throw new RangeError(`Cannot write a header of ${padded} bytes: the format allows 100 MB`);
  }
  const header = new Uint8Array(PREFIX_BYTES + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(text, PREFIX_BYTES);
  return header;
}

// Reading: every function below throws a SyntaxError that says what is wrong

/** Where one array lies, relative to the end of the header. */
interface Placed extends SafetensorsSpec {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

function decode(source: Source, what: string): Safetensors {
  try {
    return decodeFrom(source);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`Cannot read safetensors ${what}: ${error.message}`, { cause: error });
  }
}

function decodeFrom({ size, read }: Source): Safetensors {
  const headerEnd = PREFIX_BYTES + headerLength({ size, read });
  const { [METADATA]: metadata, ...infos } = parseHeader(read(PREFIX_BYTES, headerEnd));
  const placed = Object.entries(infos).map(([name, info]) => placedTensor(name, info));
  placed.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCover(placed, size - headerEnd);
  const tensors = new Map(placed.map(({ name, dtype, shape, begin, end }) => {
    const entry = {
      dtype,
      shape,
      get data() {
        return read(headerEnd + begin, headerEnd + end);
      },
    };
    return [name, entry];
  }));
  return { tensors, metadata: checkedMetadata(metadata) };
}

function headerLength({ size, read }: Source): number {
  if (size < PREFIX_BYTES) {
    throw new SyntaxError(`it ends after ${size} bytes, within the header's length`);
  }
  const start = read(0, Math.min(PREFIX_BYTES + 1, size));
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw new SyntaxError(`its header claims ${length} bytes, the format allows 100 MB`);
  }
  const available = size - PREFIX_BYTES;
  if (length > available) {
    throw new SyntaxError(`its header claims ${length} bytes, ${available} follow: truncated?`);
  }
  if (length === 0n || start[PREFIX_BYTES] !== 0x7b) {
    throw new SyntaxError(`its header does not start with "{"`);
  }
  return Number(length);
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  const json = headerText(bytes);
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(json);
  } catch (error) {
    throw new SyntaxError(`its header is not JSON (${(error as Error).message})`);
  }
  rejectDuplicateKeys(json);
  return header;
}

function headerText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SyntaxError("its header is not UTF-8");
  }
}

/** Refuses a key given twice in one object, where `JSON.parse` keeps the last; `json` is valid. */
function rejectDuplicateKeys(json: string): void {
  const open: (Set<string> | null)[] = []; // the keys of each open object, null for an array
  let atKey = false;
  for (let i = 0; i < json.length; i++) {
    const char = json[i];
    if (char === '"') {
      const end = closingQuote(json, i);
      if (atKey) addKey(open.at(-1)!, JSON.parse(json.slice(i, end + 1)));
      atKey = false;
      i = end;
    } else if (char === "{" || char === "[") {
      open.push(char === "{" ? new Set() : null);
      atKey = char === "{";
    } else if (char === "}" || char === "]") {
      open.pop();
    } else if (char === ",") {
      atKey = open.at(-1) !== null;
    }
  }
}

function closingQuote(json: string, start: number): number {
  let i = start + 1;
  while (json[i] !== '"') i += json[i] === "\\" ? 2 : 1;
  return i;
}

function addKey(keys: Set<string>, key: string): void {
  if (keys.has(key)) throw new SyntaxError(`its header has the key "${key}" twice`);
  keys.add(key);
}

function placedTensor(name: string, info: unknown): Placed {
  if (!isRecord(info)) throw new SyntaxError(`tensor "${name}" is not described by an object`);
  const { dtype: code, shape, data_offsets: offsets } = info;
  const dtype = dtypeOf(name, code);
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    throw new SyntaxError(`tensor "${name}" has the shape ${clipped(shape)}`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw new SyntaxError(`tensor "${name}" has the offsets ${clipped(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  const wanted = byteLength({ dtype, shape });
  if (!Number.isSafeInteger(wanted)) {
    throw new SyntaxError(`tensor "${name}", ${describe({ dtype, shape })}, is impossibly big`);
  }
  if (end - begin !== wanted) {
    throw new SyntaxError(
      `tensor "${name}", ${describe({ dtype, shape })}, takes ${wanted} bytes, ` +
        `its offsets [${begin}, ${end}] hold ${end - begin}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function dtypeOf(name: string, code: unknown): SafetensorsDtype {
  const row = DTYPES.find((row) => row[1] === code);
  if (row !== undefined) return row[0];
  const known = DTYPES.map((row) => row[1]).join(", ");
  const problem = UNSUPPORTED.some((other) => other === code)
    ? "which the format allows and Ponder does not support"
    : "which does not exist";
  throw new SyntaxError(
    `tensor "${name}" has dtype ${clipped(code)}, ${problem}; supported are ${known}`,
  );
}

/** The sorted tensors have to cover the data from its first byte to its last, each byte once. */
function checkCover(placed: readonly Placed[], dataBytes: number): void {
  let covered = 0;
  for (const { name, begin, end } of placed) {
    if (begin !== covered) {
      const problem = begin < covered ? "overlaps the tensor before it" : "leaves a hole before it";
      throw new SyntaxError(`tensor "${name}" ${problem}: starts at ${begin}, expected ${covered}`);
    }
    covered = end;
  }
  if (covered === dataBytes) return;
  const problem = covered > dataBytes ? "truncated?" : "trailing bytes";
  throw new SyntaxError(
    `its tensors take ${covered} bytes, ${dataBytes} follow the header: ${problem}`,
  );
}

function checkedMetadata(metadata: unknown): SafetensorsMetadata {
  if (metadata === undefined) return {};
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw new SyntaxError(`its "${METADATA}" is not an object of strings`);
  }
  return metadata as SafetensorsMetadata;
}

// Both

/** `shape × size of dtype`, not a safe integer when it overflows. */
function byteLength({ dtype, shape }: SafetensorsSpec): number {
  const [, , itemBytes] = DTYPES.find(([ours]) => ours === dtype)!;
  let size = itemBytes;
  for (const length of shape) {
    size *= length;
    if (!Number.isSafeInteger(size)) return Infinity;
  }
  return size;
}

function codeOf(dtype: SafetensorsDtype): string {
  return DTYPES.find(([ours]) => ours === dtype)![1];
}

function describe({ dtype, shape }: SafetensorsSpec): string {
  return `${dtype} [${shape.join(", ")}]`;
}

/** A non-negative integer that a number holds exactly. */
function isSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}

/** A value as JSON, short enough for an error message whatever the file holds. */
function clipped(value: unknown): string {
  const json = JSON.stringify(value) ?? "undefined";
  return json.length > 80 ? `${json.slice(0, 80)}…` : json;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
