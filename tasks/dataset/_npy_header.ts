/**
 * The header of a .npy file: which elements, how many, from where on.
 *
 * @module
 */

import { readAt } from "./_file.ts";
import { type Literal, parseLiteral } from "./_literal.ts";
import type { NpyArray, NpyDtype } from "./npy.ts";

/** What the header says. */
export interface NpyHeader {
  /** The dtype. */
  readonly dtype: NpyDtype;
  /** The shape. */
  readonly shape: readonly number[];
  /** The byte at which the elements begin. */
  readonly dataOffset: number;
}

/** Makes the typed array of a dtype. */
export type NpyConstructor = new (
  buffer: ArrayBuffer,
  offset?: number,
  length?: number,
) => NpyArray;

/** What is to know of a dtype. */
export interface NpyKind {
  /** NumPy's name, as in `<i4`. */
  readonly code: string;
  /** The size of an element. */
  readonly sizeBytes: number;
  /** Its typed array. */
  readonly array: NpyConstructor;
  /** The integers that it holds; absent where it holds others. */
  readonly range?: readonly [min: number, max: number];
}

/** Every dtype as NumPy knows it. */
export const npyKinds: { readonly [D in NpyDtype]: NpyKind } = {
  bool: { code: "b1", sizeBytes: 1, array: Uint8Array, range: [0, 1] },
  uint8: { code: "u1", sizeBytes: 1, array: Uint8Array, range: [0, 255] },
  int8: { code: "i1", sizeBytes: 1, array: Int8Array, range: [-128, 127] },
  int16: { code: "i2", sizeBytes: 2, array: Int16Array, range: [-(2 ** 15), 2 ** 15 - 1] },
  int32: { code: "i4", sizeBytes: 4, array: Int32Array, range: [-(2 ** 31), 2 ** 31 - 1] },
  int64: {
    code: "i8",
    sizeBytes: 8,
    array: BigInt64Array,
    range: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  },
  float16: { code: "f2", sizeBytes: 2, array: Float16Array },
  float32: { code: "f4", sizeBytes: 4, array: Float32Array },
  float64: { code: "f8", sizeBytes: 8, array: Float64Array },
};

const MAGIC = "\x93NUMPY";
const MAX_HEADER_BYTES = 65536;

// The header, written

/** The header of an array; as long for any number of rows. */
export function headerBytes(dtype: NpyDtype, shape: readonly number[]): Uint8Array {
  const { code, sizeBytes } = npyKinds[dtype];
  const order = sizeBytes === 1 ? "|" : "<";
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dict = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const grown = dict + " ".repeat(21 - `${shape[0]}`.length); // NumPy leaves room to append rows
  const prefix = MAGIC.length + 4, unpadded = prefix + grown.length + 1;
  const header = `${grown}${" ".repeat(64 - unpadded % 64)}\n`;
  const bytes = new Uint8Array(prefix + header.length);
  putLatin1(bytes, 0, `${MAGIC}\x01\x00`);
  new DataView(bytes.buffer).setUint16(MAGIC.length + 2, header.length, true);
  putLatin1(bytes, prefix, header);
  return bytes;
}

function putLatin1(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}

// The header, read

/** The header of an opened file, checked against its size. */
export function readHeader(file: Deno.FsFile, path: string): NpyHeader {
  try {
    const header = parseHeader(file);
    checkSize(header, file.statSync().size);
    return header;
  } catch (error) {
    if (error instanceof SyntaxError) throw unreadable(path, error.message, error);
    throw error;
  }
}

/** The error about the file at `path`. */
export function unreadable(path: string, why: string, cause?: unknown): SyntaxError {
  return new SyntaxError(`Cannot read .npy file "${path}": ${why}`, { cause });
}

function parseHeader(file: Deno.FsFile): NpyHeader {
  const prefix = new Uint8Array(12);
  const available = readAt(file, 0, prefix);
  const magic = String.fromCharCode(...prefix.subarray(0, MAGIC.length));
  if (magic !== MAGIC) throw new SyntaxError(`it does not begin with "\\x93NUMPY"`);
  const [major, minor] = [prefix[6]!, prefix[7]!];
  if (!(major >= 1 && major <= 3 && minor === 0)) {
    throw new SyntaxError(`its version is ${major}.${minor}, expected 1.0, 2.0 or 3.0`);
  }
  const view = new DataView(prefix.buffer);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = major === 1 ? 10 : 12;
  if (available < start) throw new SyntaxError("it ends within the length of its header");
  if (length > MAX_HEADER_BYTES) {
    throw new SyntaxError(`its header claims ${length} bytes, more than ${MAX_HEADER_BYTES}`);
  }
  const bytes = new Uint8Array(length);
  const count = readAt(file, start, bytes);
  if (count < length) {
    throw new SyntaxError(`its header claims ${length} bytes, ${count} follow: truncated?`);
  }
  return { ...parseDict(headerText(bytes, major)), dataOffset: start + length };
}

function headerText(bytes: Uint8Array, major: number): string {
  try {
    return new TextDecoder(major === 3 ? "utf-8" : "latin1", { fatal: true }).decode(bytes);
  } catch {
    throw new SyntaxError("its header is not UTF-8");
  }
}

function parseDict(text: string): Omit<NpyHeader, "dataOffset"> {
  const dict = parsedHeader(text);
  const wanted = ["descr", "fortran_order", "shape"];
  if (!(dict instanceof Map) || [...dict.keys()].sort().join() !== wanted.join()) {
    throw new SyntaxError(`its header is not a dict of ${wanted.join(", ")}: ${shortened(text)}`);
  }
  const order = dict.get("fortran_order");
  if (typeof order !== "boolean") throw new SyntaxError("its fortran_order is no boolean");
  const dtype = dtypeOf(dict.get("descr"));
  if (order) {
    throw new SyntaxError("it is in Fortran order, save numpy.ascontiguousarray of it instead");
  }
  return { dtype, shape: shapeOf(dict.get("shape")) };
}

function parsedHeader(text: string): Literal {
  try {
    return parseLiteral(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(
      `its header is no Python literal, ${error.message}: ${shortened(text)}`,
      { cause: error },
    );
  }
}

function shortened(text: string): string {
  const trimmed = text.trim();
  return JSON.stringify(trimmed.length > 80 ? `${trimmed.slice(0, 80)}…` : trimmed);
}

function dtypeOf(descr: Literal | undefined): NpyDtype {
  if (Array.isArray(descr)) {
    throw new SyntaxError("its dtype is structured, expected plain numbers");
  }
  if (typeof descr !== "string") throw new SyntaxError("its dtype is no string");
  const order = descr[0]!, code = descr.slice(1);
  if (order === "|" && code.startsWith("O")) {
    throw new SyntaxError("it holds Python objects, which only Python could read");
  }
  const found = Object.entries(npyKinds).find(([, kind]) => kind.code === code);
  if (found === undefined || !"<>|".includes(order)) {
    const known = Object.values(npyKinds).map((kind) => kind.code).join(", ");
    throw new SyntaxError(`its dtype is '${descr}', expected one of ${known}`);
  }
  const [dtype, { sizeBytes }] = found;
  if (order === ">" && sizeBytes > 1) {
    throw new SyntaxError(`its dtype '${descr}' is big-endian, expected '<${code}'`);
  }
  if (order === "|" && sizeBytes > 1) {
    throw new SyntaxError(`its dtype '${descr}' names no byte order, expected '<${code}'`);
  }
  return dtype as NpyDtype;
}

function shapeOf(shape: Literal | undefined): readonly number[] {
  if (Array.isArray(shape) && shape.every(isSize)) return shape;
  const text = Array.isArray(shape) ? `(${shape.join(", ")})` : `${shape}`;
  throw new SyntaxError(`its shape is ${text}, expected a tuple of sizes from 0 on`);
}

/** Whether `value` can be the length of an axis. */
export function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function checkSize({ dtype, shape, dataOffset }: NpyHeader, sizeBytes: number): void {
  const { sizeBytes: each } = npyKinds[dtype];
  const claimed = product(shape) * each, found = sizeBytes - dataOffset;
  const isSound = Number.isSafeInteger(product(shape.slice(1)) * each); // rows may be 0
  if (claimed === found && isSound) return;
  throw new SyntaxError(
    `its shape (${
      shape.join(", ")
    }) of ${dtype} takes ${claimed} bytes, ${found} follow its header`,
  );
}

/** The number of elements of a shape. */
export function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}
