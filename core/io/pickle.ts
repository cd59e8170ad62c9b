/**
 * Values as Python's pickle format, as far as checkpoints need it. Their reader is in
 * unpickle.ts.
 *
 * Source: CPython, Lib/pickletools.py and Lib/pickle.py, protocol 2.
 *
 * @module
 */
import { clipped, kindOf, MAX_DEPTH, PickleGlobal, STOP } from "./_pickle.ts";

export { PickleGlobal };

/** A value that {@link pickle} writes: an array as a tuple, a `Map` as a dict. */
export type Picklable =
  | null
  | boolean
  | number
  | string
  | readonly Picklable[]
  | ReadonlyMap<string, Picklable>
  | PickleGlobal
  | PickleCall
  | PersistentId;

/** A call that Python makes when it reads the pickle. */
export class PickleCall {
  /** What is called. */
  readonly callee: PickleGlobal;
  /** What with. */
  readonly args: readonly Picklable[];
  /** What the result, a dict of some kind, is filled with. */
  readonly items: ReadonlyMap<string, Picklable>;

  /** A call of `callee` with `args`, whose result is then given `items`. */
  constructor(
    callee: PickleGlobal,
    args: readonly Picklable[],
    items: ReadonlyMap<string, Picklable> = new Map(),
  ) {
    this.callee = callee;
    this.args = args;
    this.items = items;
  }
}

/** A reference to data outside of the pickle. */
export class PersistentId {
  /** By what Python finds it. */
  readonly id: Picklable;

  /** A reference by `id`. */
  constructor(id: Picklable) {
    this.id = id;
  }
}

/**
 * The pickle of a value, in protocol 2. A whole number is written as an int, any
 * other as a float.
 *
 * @throws {TypeError} when Python could not read it as it is: a string that is not
 * valid Unicode, or a value that nests deeper than 64 levels
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pickle } from "./pickle.ts";
 *
 * assertEquals(pickle([true, null]).toHex(), "8002884e862e");
 * ```
 */
export function pickle(value: Picklable): Uint8Array<ArrayBuffer> {
  const out = new Output();
  out.bytes(0x80, 2); // PROTO
  write(out, value, 0);
  out.bytes(STOP);
  return out.result();
}

function write(out: Output, value: Picklable, depth: number): void {
  if (depth > MAX_DEPTH) {
    throw new TypeError(`Cannot pickle a value that nests deeper than ${depth - 1} levels`);
  }
  if (value === null) out.bytes(0x4e);
  else if (typeof value === "boolean") out.bytes(value ? 0x88 : 0x89);
  else if (typeof value === "number") writeNumber(out, value);
  else if (typeof value === "string") writeText(out, value);
  else if (value instanceof PickleGlobal) writeGlobal(out, value);
  else if (value instanceof PickleCall) writeCall(out, value, depth);
  else if (value instanceof PersistentId) {
    write(out, value.id, depth + 1);
    out.bytes(0x51); // BINPERSID
  } else if (value instanceof Map) {
    out.bytes(0x7d); // EMPTY_DICT
    writeItems(out, value, depth);
  } else if (Array.isArray(value)) writeTuple(out, value, depth);
  else throw new TypeError(`Cannot pickle ${kindOf(value)}`);
}

function writeNumber(out: Output, value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    out.bytes(0x47); // BINFLOAT
    out.field(8, (view) => view.setFloat64(0, value));
  } else if (value >= 0 && value < 2 ** 8) out.bytes(0x4b, value); // BININT1
  else if (value >= -(2 ** 31) && value < 2 ** 31) {
    out.bytes(0x4a); // BININT
    out.field(4, (view) => view.setInt32(0, value, true));
  } else {
    out.bytes(0x8a, 8); // LONG1
    out.field(8, (view) => view.setBigInt64(0, BigInt(value), true));
  }
}

function writeText(out: Output, value: string): void {
  if (!value.isWellFormed()) {
    throw new TypeError(`Cannot pickle the string "${clipped(value)}": it is not valid Unicode`);
  }
  const text = new TextEncoder().encode(value);
  out.bytes(0x58); // BINUNICODE
  out.field(4, (view) => view.setUint32(0, text.length, true));
  out.append(text);
}

function writeGlobal(out: Output, { name }: PickleGlobal): void {
  out.bytes(0x63); // GLOBAL
  out.append(new TextEncoder().encode(`${name.replace(" ", "\n")}\n`));
}

function writeCall(out: Output, { callee, args, items }: PickleCall, depth: number): void {
  writeGlobal(out, callee);
  writeTuple(out, args, depth);
  out.bytes(0x52); // REDUCE
  writeItems(out, items, depth);
}

function writeTuple(out: Output, items: readonly Picklable[], depth: number): void {
  if (items.length === 0) return out.bytes(0x29); // EMPTY_TUPLE
  if (items.length > 3) out.bytes(0x28); // MARK
  for (const item of items) write(out, item, depth + 1);
  out.bytes([0x85, 0x86, 0x87][items.length - 1] ?? 0x74); // TUPLE1, 2, 3, or TUPLE
}

/** Fills the dictionary on the stack. */
function writeItems(out: Output, items: ReadonlyMap<string, Picklable>, depth: number): void {
  if (items.size === 0) return;
  out.bytes(0x28); // MARK
  for (const [key, item] of items) {
    writeText(out, key);
    write(out, item, depth + 1);
  }
  out.bytes(0x75); // SETITEMS
}

/** Bytes that are still growing. */
class Output {
  #bytes = new Uint8Array(1024);
  #length = 0;

  bytes(...values: readonly number[]): void {
    this.append(values);
  }

  append(values: ArrayLike<number>): void {
    const end = this.#length + values.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(values, this.#length);
    this.#length = end;
  }

  /** Appends `length` bytes that `set` fills. */
  field(length: number, set: (view: DataView) => void): void {
    const bytes = new Uint8Array(length);
    set(new DataView(bytes.buffer));
    this.append(bytes);
  }

  result(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}
