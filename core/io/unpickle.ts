/**
 * Python's pickle format, as far as checkpoints need it. A pickle is a program;
 * this reader runs none of it: it builds plain values, and what a pickle wants to
 * call is looked up in a list that the caller wrote. Nothing else is called,
 * imported or set.
 *
 * | Python | here |
 * |---|---|
 * | None, bool, str | `null`, `boolean`, `string` |
 * | int, float | `number`; `bigint` beyond 2⁵³ |
 * | bytes, bytearray | `Uint8Array`, a view of the file |
 * | list, tuple | array |
 * | dict | `Map`, whose keys are strings, numbers, booleans or null |
 * | a call | what the listed function returns |
 *
 * Time and memory are linear in the length of the file. No value contains itself:
 * once a list or a dictionary lies in another, it cannot be changed any more.
 *
 * Source: CPython, Lib/pickletools.py and Lib/pickle.py; the opcodes that
 * torch/_weights_only_unpickler.py allows, and those of protocols 4 and 5.
 *
 * @module
 */
import { clipped, kindOf, MAX_DEPTH, PickleGlobal, STOP } from "./_pickle.ts";

/** What stands in for a Python function: our own, applied to the pickled arguments. */
export type PickleFunction = (args: readonly unknown[]) => unknown;

/** How much a pickle may ask for. */
export interface PickleLimits {
  /** The length of the pickle; default 64 MiB. */
  readonly sizeBytes: number;
  /** How many opcodes it may have; default 2²³. */
  readonly numOpcodes: number;
  /** How many lists, tuples, dictionaries and results of calls; default 2²⁰. */
  readonly numContainers: number;
  /** How many values may wait on the stack; default 2²⁰. */
  readonly stackSize: number;
  /** How many values may be remembered, and the largest number of one; default 2²⁰. */
  readonly memoSize: number;
  /** How many containers may lie in each other; default 64. */
  readonly depth: number;
}

/** What {@link unpickle} may do. */
export interface UnpickleOptions {
  /**
   * By module and name, such as `"collections OrderedDict"`: the function that is
   * called in its stead, or null for what may be named and not called.
   */
  readonly globals?: ReadonlyMap<string, PickleFunction | null>;
  /** The value of a persistent id; absent refuses them. */
  readonly persistentLoad?: (id: unknown) => unknown;
  /** Limits other than the defaults. */
  readonly limits?: Partial<PickleLimits>;
  /** What the error message calls the data, default `the pickle`. */
  readonly source?: string;
}

const DEFAULT_LIMITS: PickleLimits = {
  sizeBytes: 2 ** 26,
  numOpcodes: 2 ** 23,
  numContainers: 2 ** 20,
  stackSize: 2 ** 20,
  memoSize: 2 ** 20,
  depth: MAX_DEPTH,
};

const MAX_PROTOCOL = 5;
const MAX_NAME_BYTES = 256;
const MAX_LONG_BYTES = 255;

/**
 * The value in a pickle, without running anything that is not in `globals`.
 *
 * @throws {SyntaxError} when the pickle is damaged, exceeds a limit, or asks for
 * anything but data and the listed globals
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pickle } from "./pickle.ts";
 * import { unpickle } from "./unpickle.ts";
 *
 * assertEquals(unpickle(pickle(["step", 3, null])), ["step", 3, null]);
 * ```
 */
export function unpickle(bytes: Uint8Array, options: UnpickleOptions = {}): unknown {
  try {
    return new Machine(bytes, options).run();
  } catch (cause) {
    const { source = "the pickle" } = options;
    throw new SyntaxError(`Cannot read ${source}: ${(cause as Error).message}`, { cause });
  }
}

// Reading: every function below throws a SyntaxError that says what is wrong

function fail(problem: string): never {
  throw new SyntaxError(problem);
}

/** What is known of a list, a tuple, a dictionary or the result of a call. */
interface Container {
  /** How many containers lie in each other here, this one included. */
  depth: number;
  /** Whether it may still change. */
  isOpen: boolean;
  /** Whether it may be given attributes. */
  readonly isResult: boolean;
}

const EMPTY_TUPLE: readonly unknown[] = Object.freeze([]);

/** The stack machine that a pickle is a program of. */
class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #limits: PickleLimits;
  readonly #listed: ReadonlyMap<string, PickleFunction | null>;
  readonly #persistentLoad: ((id: unknown) => unknown) | undefined;
  readonly #stack: unknown[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  readonly #containers = new Map<object, Container>();
  readonly #globals = new Map<string, PickleGlobal>();
  #at = 0;

  constructor(bytes: Uint8Array, { globals, persistentLoad, limits }: UnpickleOptions) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#listed = globals ?? new Map();
    this.#persistentLoad = persistentLoad;
  }

  /** The value that is left at the end. */
  run(): unknown {
    const { sizeBytes, numOpcodes } = this.#limits;
    if (this.#bytes.length > sizeBytes) {
      fail(`it has ${this.#bytes.length} bytes, more than the limit of ${sizeBytes}`);
    }
    for (let i = 0; i < numOpcodes; i++) {
      const code = this.byte();
      if (code === STOP) return this.#result();
      const run = OPCODES[code] ?? fail(refusedOpcode(code, this.#at - 1));
      run(this);
    }
    return fail(`it has more than ${numOpcodes} opcodes`);
  }

  #result(): unknown {
    const value = this.pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) fail("it ends with more than one value");
    const rest = this.#bytes.length - this.#at;
    if (rest > 0) fail(`it has ${rest} bytes after its end`);
    return value;
  }

  // Bytes

  /** The next byte. */
  byte(): number {
    return this.#bytes[this.#advance(1)]!;
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** Beyond 2⁵³ rounded, which is longer than any file in any case. */
  uint64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  float64(): number {
    return this.#view.getFloat64(this.#advance(8)); // the one big-endian field of the format
  }

  /** A view of the next bytes. */
  take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** The next bytes as text. */
  text(length: number): string {
    return utf8(this.take(length));
  }

  /** The text up to the end of the line. */
  line(): string {
    const window = this.#bytes.subarray(this.#at, this.#at + MAX_NAME_BYTES + 1);
    const length = window.indexOf(0x0a);
    if (length >= 0) return utf8(this.take(length + 1).subarray(0, length));
    if (window.length <= MAX_NAME_BYTES) fail("it ends within a name: truncated?");
    return fail(`it has a name of more than ${MAX_NAME_BYTES} bytes`);
  }

  /** Checks that a frame fits the file; nothing else of it is needed. */
  frame(): void {
    this.#require(this.uint64());
  }

  /** Where the next `length` bytes start, which are read with that. */
  #advance(length: number): number {
    this.#require(length);
    this.#at += length;
    return this.#at - length;
  }

  #require(length: number): void {
    const left = this.#bytes.length - this.#at;
    if (length <= left) return;
    fail(`it asks for ${length} bytes at ${this.#at}, ${left} follow: truncated?`);
  }

  // The stack

  push(value: unknown): void {
    if (this.#stack.length >= this.#limits.stackSize) {
      fail(`its stack exceeds ${this.#limits.stackSize} values`);
    }
    this.#stack.push(value);
  }

  pop(): unknown {
    this.top();
    return this.#stack.pop();
  }

  /** The uppermost value, which has to lie above the uppermost mark. */
  top(): unknown {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) {
      fail(`its stack is empty at ${this.#at - 1}`);
    }
    return this.#stack.at(-1);
  }

  mark(): void {
    if (this.#marks.length >= this.#limits.stackSize) {
      fail(`its stack exceeds ${this.#limits.stackSize} marks`);
    }
    this.#marks.push(this.#stack.length);
  }

  /** The values above the uppermost mark. */
  popMark(): unknown[] {
    const mark = this.#marks.pop() ?? fail(`it has no mark at ${this.#at - 1}`);
    return this.#stack.splice(mark);
  }

  /** Drops the uppermost value, or the mark if nothing lies above it. */
  drop(): void {
    if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
    else this.pop();
  }

  // The memo

  remember(index = this.#memo.size): void {
    const { memoSize } = this.#limits;
    if (index >= memoSize) fail(`its memo index ${index} exceeds the limit of ${memoSize}`);
    this.#memo.set(index, this.top());
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) fail(`it recalls the value ${index}, which it never stored`);
    this.push(this.#memo.get(index));
  }

  // Containers

  tuple(items: unknown[]): void {
    if (items.length === 0) this.push(EMPTY_TUPLE);
    else this.#pushNew(items, { depth: this.#enclose(items), isOpen: false, isResult: false });
  }

  /** A list or a dictionary that is still empty. */
  empty(container: unknown[] | Map<unknown, unknown>): void {
    this.#pushNew(container, { depth: 1, isOpen: true, isResult: false });
  }

  append(items: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list)) return fail(`it appends to ${kindOf(list)}`);
    this.#add(list, items);
    for (const item of items) list.push(item);
  }

  /** Sets items, given as key, value, key, value. */
  setItems(items: readonly unknown[]): void {
    const map = this.top();
    if (!(map instanceof Map)) return fail(`it sets an item of ${kindOf(map)}`);
    if (items.length % 2 === 1) fail("it sets a key without a value");
    this.#add(map, items);
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (!isKey(key)) fail(`it has ${kindOf(key)} as the key of a dictionary`);
      if (map.has(key)) fail(`it has a dictionary with the key ${clipped(String(key))} twice`);
      map.set(key, items[i + 1]);
    }
  }

  #pushNew(value: object, container: Container): void {
    const { numContainers } = this.#limits;
    if (this.#containers.size >= numContainers) {
      fail(`it has more than ${numContainers} lists, tuples and dictionaries`);
    }
    this.#containers.set(value, container);
    this.push(value);
  }

  /** Puts items into a container that may still change. */
  #add(target: object, items: readonly unknown[]): void {
    const container = this.#containers.get(target);
    const isWithin = items.includes(target);
    if (container === undefined || !container.isOpen || isWithin) {
      return fail(
        `it changes ${kindOf(target)} after its end, which only a value that contains itself needs`,
      );
    }
    container.depth = Math.max(container.depth, this.#enclose(items));
  }

  /** How deep a container of these items is; from here on they keep still. */
  #enclose(items: readonly unknown[]): number {
    let depth = 0;
    for (const item of items) {
      const container = this.#containers.get(item as object);
      if (container === undefined) continue;
      container.isOpen = false;
      depth = Math.max(depth, container.depth);
    }
    if (depth >= this.#limits.depth) fail(`it nests deeper than ${this.#limits.depth} levels`);
    return depth + 1;
  }

  // Globals and calls

  global(module: unknown, name: unknown): void {
    if (typeof module !== "string" || typeof name !== "string") {
      return fail(`it names a global by ${kindOf(module)} and ${kindOf(name)}`);
    }
    const key = `${module} ${name}`;
    if (!this.#listed.has(key)) {
      const shown = clipped(`${module}.${name}`);
      fail(
        `it asks for ${shown}, which is not on the list of what a checkpoint needs; ` +
          "torch.save(model.state_dict(), path) writes a file without it",
      );
    }
    if (!this.#globals.has(key)) this.#globals.set(key, new PickleGlobal(key));
    this.push(this.#globals.get(key));
  }

  call(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(callee instanceof PickleGlobal)) return fail(`it calls ${kindOf(callee)}`);
    if (!Array.isArray(args)) return fail(`it calls ${kindOf(callee)} with ${kindOf(args)}`);
    const run = this.#listed.get(callee.name);
    if (!run) return fail(`it calls ${kindOf(callee)}, which may only be named`);
    this.#pushResult(run(args), this.#enclose([args]));
  }

  persistent(): void {
    const id = this.pop();
    if (this.#persistentLoad === undefined) return fail("it refers to data outside of it");
    this.#pushResult(this.#persistentLoad(id), this.#enclose([id]));
  }

  #pushResult(result: unknown, depth: number): void {
    const isNew = typeof result === "object" && result !== null && !this.#containers.has(result);
    if (isNew) this.#pushNew(result, { depth, isOpen: true, isResult: true });
    else this.push(result);
  }

  /** Attributes of a dictionary that a call made: looked at by nobody, so left out. */
  build(): void {
    const state = this.pop();
    const target = this.top();
    const isResult = this.#containers.get(target as object)?.isResult === true;
    if (isResult && target instanceof Map && state instanceof Map) return;
    fail(`it sets attributes of ${kindOf(target)} from ${kindOf(state)}`);
  }
}

function isKey(value: unknown): boolean {
  return value === null || ["string", "number", "bigint", "boolean"].includes(typeof value);
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function utf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    return fail("it has a string that is not UTF-8");
  }
}

/** Little-endian two's complement. */
function longOf(bytes: Uint8Array): number | bigint {
  if (bytes.length > MAX_LONG_BYTES) fail(`it has an integer of ${bytes.length} bytes`);
  if (bytes.length === 0) return 0;
  const digits = BigInt(`0x${bytes.slice().reverse().toHex()}`);
  const value = BigInt.asIntN(8 * bytes.length, digits);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** What runs each opcode; all others are refused. */
const OPCODES: { readonly [code: number]: (m: Machine) => void } = {
  0x80: (m) => checkProtocol(m.byte()), // PROTO
  0x95: (m) => m.frame(), // FRAME
  0x28: (m) => m.mark(), // MARK
  0x30: (m) => m.drop(), // POP
  0x31: (m) => m.popMark(), // POP_MARK
  0x32: (m) => m.push(m.top()), // DUP

  0x4e: (m) => m.push(null), // NONE
  0x88: (m) => m.push(true), // NEWTRUE
  0x89: (m) => m.push(false), // NEWFALSE
  0x4a: (m) => m.push(m.int32()), // BININT
  0x4b: (m) => m.push(m.byte()), // BININT1
  0x4d: (m) => m.push(m.uint16()), // BININT2
  0x8a: (m) => m.push(longOf(m.take(m.byte()))), // LONG1
  0x8b: (m) => m.push(longOf(m.take(m.uint32()))), // LONG4
  0x47: (m) => m.push(m.float64()), // BINFLOAT

  0x58: (m) => m.push(m.text(m.uint32())), // BINUNICODE
  0x8c: (m) => m.push(m.text(m.byte())), // SHORT_BINUNICODE
  0x8d: (m) => m.push(m.text(m.uint64())), // BINUNICODE8
  0x54: (m) => m.push(m.text(m.uint32())), // BINSTRING, of Python 2
  0x55: (m) => m.push(m.text(m.byte())), // SHORT_BINSTRING, of Python 2
  0x42: (m) => m.push(m.take(m.uint32())), // BINBYTES
  0x43: (m) => m.push(m.take(m.byte())), // SHORT_BINBYTES
  0x8e: (m) => m.push(m.take(m.uint64())), // BINBYTES8
  0x96: (m) => m.push(m.take(m.uint64())), // BYTEARRAY8

  0x29: (m) => m.tuple([]), // EMPTY_TUPLE
  0x74: (m) => m.tuple(m.popMark()), // TUPLE
  0x85: (m) => m.tuple([m.pop()]), // TUPLE1
  0x86: (m) => m.tuple([m.pop(), m.pop()].reverse()), // TUPLE2
  0x87: (m) => m.tuple([m.pop(), m.pop(), m.pop()].reverse()), // TUPLE3
  0x5d: (m) => m.empty([]), // EMPTY_LIST
  0x61: (m) => m.append([m.pop()]), // APPEND
  0x65: (m) => m.append(m.popMark()), // APPENDS
  0x7d: (m) => m.empty(new Map()), // EMPTY_DICT
  0x73: (m) => m.setItems([m.pop(), m.pop()].reverse()), // SETITEM
  0x75: (m) => m.setItems(m.popMark()), // SETITEMS

  0x71: (m) => m.remember(m.byte()), // BINPUT
  0x72: (m) => m.remember(m.uint32()), // LONG_BINPUT
  0x94: (m) => m.remember(), // MEMOIZE
  0x68: (m) => m.recall(m.byte()), // BINGET
  0x6a: (m) => m.recall(m.uint32()), // LONG_BINGET

  0x63: (m) => m.global(m.line(), m.line()), // GLOBAL
  0x93: (m) => stackGlobal(m), // STACK_GLOBAL
  0x52: (m) => m.call(), // REDUCE
  0x51: (m) => m.persistent(), // BINPERSID
  0x62: (m) => m.build(), // BUILD
};

/** Opcodes of the format that no checkpoint needs, by the error message's names for them. */
const REFUSED: { readonly [code: number]: string } = {
  0x69: "INST, which makes an object of any class",
  0x6f: "OBJ, which makes an object of any class",
  0x81: "NEWOBJ, which makes an object of any class",
  0x92: "NEWOBJ_EX, which makes an object of any class",
  0x82: "EXT1, which names a global by a number",
  0x83: "EXT2, which names a global by a number",
  0x84: "EXT4, which names a global by a number",
  0x8f: "EMPTY_SET, which makes a set",
  0x90: "ADDITEMS, which adds to a set",
  0x91: "FROZENSET, which makes a set",
  0x97: "NEXT_BUFFER, which refers to data outside of it",
  0x98: "READONLY_BUFFER, which refers to data outside of it",
  0x46: "FLOAT, of protocol 0",
  0x49: "INT, of protocol 0",
  0x4c: "LONG, of protocol 0",
  0x50: "PERSID, of protocol 0",
  0x53: "STRING, of protocol 0",
  0x56: "UNICODE, of protocol 0",
  0x64: "DICT, of protocol 0",
  0x67: "GET, of protocol 0",
  0x6c: "LIST, of protocol 0",
  0x70: "PUT, of protocol 0",
};

function refusedOpcode(code: number, at: number): string {
  const name = REFUSED[code];
  if (name !== undefined) return `it uses the opcode ${name}`;
  return `it has the byte 0x${code.toString(16).padStart(2, "0")} at ${at}, which is no opcode`;
}

function checkProtocol(protocol: number): void {
  if (protocol > MAX_PROTOCOL) fail(`its protocol is ${protocol}, known are up to ${MAX_PROTOCOL}`);
}

function stackGlobal(m: Machine): void {
  const name = m.pop();
  m.global(m.pop(), name);
}
