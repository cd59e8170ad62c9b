/**
 * NumPy's .npy files, read and written a few rows at a time: an array of a
 * million rows is opened without being read.
 *
 * Layout: `\x93NUMPY`, the version (1.0, 2.0 or 3.0), the length of the header,
 * little-endian (2 bytes in 1.0, else 4) · the header, a Python dict
 * `{'descr': '<i4', 'fortran_order': False, 'shape': (3, 81), }`, padded so that
 * the data begins at a multiple of 64 · the elements. What {@link NpyWriter}
 * writes equals what `numpy.save` writes, byte for byte.
 *
 * Source: numpy/lib/_format_impl.py (NumPy 2), "NPY format".
 *
 * @module
 */

import { readAt, removeQuietly, temporaryOf, writeWhole } from "./_file.ts";
import {
  headerBytes,
  isSize,
  type NpyKind,
  npyKinds,
  product,
  readHeader,
  unreadable,
} from "./_npy_header.ts";

/** The typed array that holds the elements of each dtype. */
export interface NpyArrays {
  /** One byte each, 0 or 1. */
  readonly bool: Uint8Array;
  /** Bytes. */
  readonly uint8: Uint8Array;
  /** Signed bytes. */
  readonly int8: Int8Array;
  /** 16-bit integers. */
  readonly int16: Int16Array;
  /** 32-bit integers. */
  readonly int32: Int32Array;
  /** 64-bit integers; {@link NpyFile.readIntegers} makes numbers of them. */
  readonly int64: BigInt64Array;
  /** Half precision. */
  readonly float16: Float16Array;
  /** Single precision. */
  readonly float32: Float32Array;
  /** Double precision. */
  readonly float64: Float64Array;
}

/** The dtypes that are read and written. */
export type NpyDtype = keyof NpyArrays;

/** The elements of an array of any dtype. */
export type NpyArray = NpyArrays[NpyDtype];

/** What {@link NpyWriter} is to write. */
export interface NpyWriterOptions {
  /** The dtype of the file. */
  readonly dtype: NpyDtype;
  /** The shape of one row, `[]` for an array of one axis. */
  readonly rowShape: readonly number[];
}

const BUFFER_BYTES = 65536;
const WORD = 0x1_0000_0000;

/**
 * Opens an array without reading its elements.
 *
 * @throws {SyntaxError} when the file is no .npy file, lies about its size, or
 * holds what is not read here: Fortran order, big-endian numbers, objects,
 * strings or structures
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { NpyWriter, openNpy } from "./npy.ts";
 *
 * const path = await Deno.makeTempFile({ suffix: ".npy" });
 * using writer = new NpyWriter(path, { dtype: "uint8", rowShape: [3] });
 * writer.append([1, 2, 3]);
 * writer.append([4, 5, 6]);
 * writer.finish();
 *
 * using array = openNpy(path);
 * assertEquals(array.shape, [2, 3]);
 * assertEquals(array.readRows(1, 2), Uint8Array.of(4, 5, 6));
 * await Deno.remove(path);
 * ```
 */
export function openNpy(path: string): NpyFile {
  return new NpyFile(path);
}

/**
 * An array on disk, its rows read as they are asked for: one after the other
 * they come from a buffer of 64 KiB, in any order from one read each.
 */
export class NpyFile implements Disposable {
  /** The path of the file, as given. */
  readonly path: string;
  /** The dtype of its elements. */
  readonly dtype: NpyDtype;
  /** Its shape, `[]` for a scalar. */
  readonly shape: readonly number[];
  /** The length of the first axis; 1 for a scalar. */
  readonly numRows: number;
  /** The number of elements of a row. */
  readonly rowLength: number;
  readonly #file: Deno.FsFile;
  readonly #kind: NpyKind;
  readonly #dataOffset: number;
  readonly #rowBytes: number;
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array();
  // the rows that the buffer holds
  #from = 0;
  #to = 0;
  #closed = false;

  /** Opens the array at `path`; see {@link openNpy}. */
  constructor(path: string) {
    this.path = path;
    this.#file = openForReading(path);
    try {
      const { dtype, shape, dataOffset } = readHeader(this.#file, path);
      this.dtype = dtype;
      this.shape = shape;
      this.numRows = shape[0] ?? 1;
      this.rowLength = product(shape.slice(1));
      this.#kind = npyKinds[dtype];
      this.#dataOffset = dataOffset;
      this.#rowBytes = this.rowLength * this.#kind.sizeBytes;
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /**
   * The elements of the rows from `from` on and before `to`, in the file's dtype.
   *
   * @throws {RangeError} when there are no such rows
   */
  readRows(from: number = 0, to: number = this.numRows): NpyArray {
    this.#check(from, to);
    const bytes = new Uint8Array((to - from) * this.#rowBytes);
    this.#read(from, bytes);
    return new this.#kind.array(bytes.buffer);
  }

  /**
   * The elements of such rows as 32-bit integers, whatever integers the file holds.
   *
   * @throws {TypeError} when it holds no integers
   * @throws {RangeError} when there are no such rows, or a number does not fit
   */
  readIntegers(from: number = 0, to: number = this.numRows): Int32Array<ArrayBuffer> {
    const values = this.readRows(from, to);
    const integers = new Int32Array(values.length);
    this.#convert(values, integers, 0, from);
    return integers;
  }

  /**
   * Writes one row into `into`, from its index `at` on: an array of the file's
   * dtype, or an `Int32Array` where the file holds integers of any size.
   *
   * @throws {TypeError} when `into` is neither
   * @throws {RangeError} when there is no such row, or a number or the row does not fit
   */
  row(index: number, into: NpyArray, at: number = 0): void {
    this.#check(index, index + 1);
    if (!(at >= 0 && at + this.rowLength <= into.length)) {
      throw new RangeError(
        `Cannot read a row of ${this.rowLength} elements to index ${at} of ${into.length}`,
      );
    }
    if (this.rowLength === 0) return;
    if (index < this.#from || index >= this.#to) this.#load(index);
    const start = (index - this.#from) * this.#rowBytes;
    const values = new this.#kind.array(this.#buffer.buffer, start, this.rowLength);
    this.#convert(values, into, at, index);
  }

  /** Closes the file. */
  close(): void {
    this[Symbol.dispose]();
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }

  #check(from: number, to: number): void {
    const isRange = Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to;
    if (isRange && to <= this.numRows) return;
    throw new RangeError(
      `Cannot read rows ${from} to ${to} of "${this.path}": it has ${this.numRows}`,
    );
  }

  /** Fills the buffer from row `index` on: with one row, or many when the last ones came before. */
  #load(index: number): void {
    const capacity = Math.max(1, Math.floor(BUFFER_BYTES / this.#rowBytes));
    if (this.#buffer.length === 0) this.#buffer = new Uint8Array(capacity * this.#rowBytes);
    const wanted = index === this.#to ? capacity : 1;
    const count = Math.min(wanted, this.numRows - index);
    this.#from = this.#to = 0; // in case the read fails
    this.#read(index, this.#buffer.subarray(0, count * this.#rowBytes));
    this.#from = index;
    this.#to = index + count;
  }

  #read(row: number, bytes: Uint8Array): void {
    const offset = this.#dataOffset + row * this.#rowBytes;
    if (readAt(this.#file, offset, bytes) === bytes.length) return;
    throw unreadable(this.path, "it has become shorter since it was opened");
  }

  /** Copies `values` to `into`; where a number does not fit, its row, the first being `row`. */
  #convert(values: NpyArray, into: NpyArray, at: number, row: number): void {
    if (values instanceof BigInt64Array) {
      if (into instanceof BigInt64Array) return into.set(values, at);
      if (into instanceof Int32Array) return this.#narrow(values, into, at, row);
    } else if (
      into.constructor === this.#kind.array ||
      (into instanceof Int32Array && this.#kind.range !== undefined)
    ) {
      return (into as Int32Array).set(values, at);
    }
    const { dtype, path } = this;
    throw new TypeError(`Cannot read ${dtype} of "${path}" into ${into.constructor.name}`);
  }

  #narrow(values: BigInt64Array, into: Int32Array, at: number, row: number): void {
    const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
    for (let i = 0; i < values.length; i++) {
      const low = halves[2 * i]!;
      if (halves[2 * i + 1] !== low >> 31) { // the high half only repeats the sign
        const where = row + Math.floor(i / this.rowLength);
        throw new RangeError(
          `Cannot read row ${where} of "${this.path}" as 32-bit integers: it holds ${values[i]}`,
        );
      }
      into[at + i] = low;
    }
  }
}

/**
 * Writes an array row by row; `path` appears when {@link NpyWriter.finish} is
 * called, and is whole then. A writer that is disposed of before leaves nothing.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { NpyWriter, openNpy } from "./npy.ts";
 *
 * const path = await Deno.makeTempFile({ suffix: ".npy" });
 * using writer = new NpyWriter(path, { dtype: "int64", rowShape: [] });
 * for (let i = 0; i < 1000; i++) writer.append([i * i]);
 * writer.finish();
 *
 * using squares = openNpy(path);
 * assertEquals(squares.readRows(999), BigInt64Array.of(998001n));
 * await Deno.remove(path);
 * ```
 */
export class NpyWriter implements Disposable {
  /** The path that the array is going to have. */
  readonly path: string;
  readonly #options: NpyWriterOptions;
  readonly #kind: NpyKind;
  readonly #rowLength: number;
  readonly #temporary: string;
  readonly #file: Deno.FsFile;
  readonly #buffer: NpyArray;
  #filled = 0;
  #numElements = 0;
  #isOpen = true;

  /**
   * Begins an array that is going to be at `path`.
   *
   * @throws {RangeError} when a row has no elements or a size is no integer from 1 on
   */
  constructor(path: string, options: NpyWriterOptions) {
    const { dtype, rowShape } = options;
    if (!rowShape.every((size) => isSize(size) && size > 0)) {
      throw new RangeError(`Cannot write rows of shape [${rowShape.join(", ")}] to "${path}"`);
    }
    this.path = path;
    this.#options = { dtype, rowShape: [...rowShape] };
    this.#kind = npyKinds[dtype];
    this.#rowLength = product(rowShape);
    this.#buffer = new this.#kind.array(new ArrayBuffer(BUFFER_BYTES));
    this.#temporary = temporaryOf(path);
    this.#file = Deno.openSync(this.#temporary, { write: true, createNew: true });
    try {
      writeWhole(this.#file, this.#header());
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** How many rows were appended. */
  get numRows(): number {
    return this.#numElements / this.#rowLength;
  }

  /**
   * Appends whole rows: an array of the dtype, or numbers that it can hold.
   *
   * @throws {RangeError} when that is no whole number of rows, or a number is not in the dtype
   */
  append(values: NpyArray | ArrayLike<number>): void {
    if (!this.#isOpen) throw new TypeError(`Cannot append to "${this.path}": it is finished`);
    if (values.length % this.#rowLength !== 0) {
      throw new RangeError(
        `Cannot append ${values.length} elements to "${this.path}": a row has ${this.#rowLength}`,
      );
    }
    this.#checkValues(values);
    for (let from = 0; from < values.length;) {
      const count = Math.min(values.length - from, this.#buffer.length - this.#filled);
      this.#stage(values, from, count);
      this.#filled += count;
      from += count;
      if (this.#filled === this.#buffer.length) this.#flush();
    }
    this.#numElements += values.length;
  }

  /** Completes the array, which is at `path` from now on; what was there before is replaced. */
  finish(): void {
    if (!this.#isOpen) throw new TypeError(`Cannot finish "${this.path}" twice`);
    try {
      this.#flush();
      this.#file.seekSync(0, Deno.SeekMode.Start);
      writeWhole(this.#file, this.#header());
      this.#file.syncSync();
      this.#isOpen = false;
      this.#file.close(); // before the rename: Windows renames no open file
      Deno.renameSync(this.#temporary, this.path);
    } catch (error) {
      this[Symbol.dispose]();
      removeQuietly(this.#temporary);
      throw error;
    }
  }

  /** Gives up an array that was not finished. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#file.close();
    removeQuietly(this.#temporary);
  }

  /** The header for the rows so far; its length does not depend on their number. */
  #header(): Uint8Array {
    const { dtype, rowShape } = this.#options;
    return headerBytes(dtype, [this.numRows, ...rowShape]);
  }

  #checkValues(values: NpyArray | ArrayLike<number>): void {
    const { range, array } = this.#kind;
    if (values instanceof array && this.#options.dtype !== "bool") return;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      const fits = typeof value === "number" &&
        (range === undefined ||
          Number.isInteger(value) && value >= range[0] && value <= range[1]);
      if (fits) continue;
      const row = this.numRows + Math.floor(i / this.#rowLength);
      throw new RangeError(
        `Cannot write ${value} as ${this.#options.dtype} to row ${row} of "${this.path}"`,
      );
    }
  }

  #stage(values: NpyArray | ArrayLike<number>, from: number, count: number): void {
    if (values instanceof this.#kind.array) {
      // same class, hence same kind of elements
      return (this.#buffer as Uint8Array).set(
        (values as Uint8Array).subarray(from, from + count),
        this.#filled,
      );
    }
    const numbers = values as ArrayLike<number>;
    if (this.#buffer instanceof BigInt64Array) return this.#stageWide(numbers, from, count);
    for (let i = 0; i < count; i++) this.#buffer[this.#filled + i] = numbers[from + i]!;
  }

  /** Numbers as 64-bit integers, by halves: a BigInt for each would be slow. */
  #stageWide(numbers: ArrayLike<number>, from: number, count: number): void {
    const halves = new Int32Array(this.#buffer.buffer as ArrayBuffer);
    for (let i = 0; i < count; i++) {
      const value = numbers[from + i]!;
      halves[2 * (this.#filled + i)] = value % WORD;
      halves[2 * (this.#filled + i) + 1] = Math.floor(value / WORD);
    }
  }

  #flush(): void {
    const bytes = new Uint8Array(this.#buffer.buffer as ArrayBuffer);
    writeWhole(this.#file, bytes.subarray(0, this.#filled * this.#kind.sizeBytes));
    this.#filled = 0;
  }
}

function openForReading(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { read: true });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new Deno.errors.NotFound(`Cannot find the array "${path}"`, { cause });
  }
}
