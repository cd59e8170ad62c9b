/**
 * The only door to NCCL, which adds up and exchanges what lies on several GPUs, through its C ABI.
 * Opened when {@link openNccl} is called, never before.
 *
 * What is asked for is queued on libtorch's own stream, behind the kernels that make it and before
 * those that use it: nothing waits. A GPU is a matter of the thread that calls, so every call is
 * made on JavaScript's.
 *
 * Source: `nccl.h` of NCCL 2.29; what is called here is in every version since 2.13.
 *
 * @module
 */
import { join } from "@std/path";
import type { Stream } from "./cuda.ts";
import { LibraryError } from "./errors.ts";
import type { Handle } from "./handle.ts";
import { loadLibrary, openDevice, textAt } from "./library.ts";
import { libraryFile } from "./locate.ts";
import { dataAddress } from "./memory.ts";

/** Bytes of what processes know each other by. */
const ID_BYTES = 128;

/** `typedef struct { char internal[128]; } ncclUniqueId`, handed over by value. */
const uniqueId: Deno.NativeStructType = { struct: new Array(ID_BYTES).fill("u8") };

/** Symbols of `libnccl.so.2`; `ncclResult_t`, `ncclDataType_t` and `ncclRedOp_t` are ints. */
export const ncclTable = {
  // ncclResult_t ncclGetVersion(int* version)
  ncclGetVersion: { parameters: ["buffer"], result: "i32" },
  // ncclResult_t ncclGetUniqueId(ncclUniqueId* id)
  ncclGetUniqueId: { parameters: ["buffer"], result: "i32" },
  // ncclResult_t ncclCommInitRank(ncclComm_t* out, int nranks, ncclUniqueId id, int rank)
  ncclCommInitRank: { parameters: ["buffer", "i32", uniqueId, "i32"], result: "i32" },
  // ncclResult_t ncclCommGetAsyncError(ncclComm_t, ncclResult_t* error)
  ncclCommGetAsyncError: { parameters: ["usize", "buffer"], result: "i32" },
  // ncclResult_t ncclCommDestroy(ncclComm_t)
  ncclCommDestroy: { parameters: ["usize"], result: "i32" },
  // ncclResult_t ncclAllReduce(const void* from, void* to, size_t count, ncclDataType_t, ncclRedOp_t,
  //                            ncclComm_t, cudaStream_t)
  ncclAllReduce: {
    parameters: ["usize", "usize", "usize", "i32", "i32", "usize", "usize"],
    result: "i32",
  },
  // ncclResult_t ncclBroadcast(const void* from, void* to, size_t count, ncclDataType_t, int root,
  //                            ncclComm_t, cudaStream_t)
  ncclBroadcast: {
    parameters: ["usize", "usize", "usize", "i32", "i32", "usize", "usize"],
    result: "i32",
  },
  // ncclResult_t ncclGroupStart(), ncclResult_t ncclGroupEnd(): the calls in between are one
  ncclGroupStart: { parameters: [], result: "i32" },
  ncclGroupEnd: { parameters: [], result: "i32" },
  // const char* ncclGetErrorString(ncclResult_t)
  ncclGetErrorString: { parameters: ["i32"], result: "usize" },
  // const char* ncclGetLastError(ncclComm_t), of all of them for null
  ncclGetLastError: { parameters: ["usize"], result: "usize" },
} as const satisfies Deno.ForeignLibraryInterface;

type Symbols = Deno.StaticForeignLibraryInterface<typeof ncclTable>;

/** `ncclSum`. */
const SUM = 0;

/** `ncclDataType_t`, and the bytes of an element. */
const types = {
  uint8: { code: 1, bytes: 1 },
  int32: { code: 2, bytes: 4 },
  int64: { code: 4, bytes: 8 },
  float16: { code: 6, bytes: 2 },
  float32: { code: 7, bytes: 4 },
  float64: { code: 8, bytes: 8 },
  bfloat16: { code: 9, bytes: 2 },
} as const;

/** What NCCL can add up. */
export type NcclType = keyof typeof types;

/** Whether NCCL can add it up. */
export function isNcclType(name: string): name is NcclType {
  return Object.hasOwn(types, name);
}

/** NCCL's library, not yet joined to other processes. */
export class Nccl {
  /** Which one, `NCCL 2.29.7`. */
  readonly version: string;
  readonly #symbols: Symbols;

  /** Internal to ffi: use {@link openNccl}. */
  constructor(symbols: Symbols) {
    this.#symbols = symbols;
    const out = new Int32Array(1);
    check(symbols, "ncclGetVersion", symbols.ncclGetVersion(out));
    const code = out[0]!;
    const numbers = [Math.floor(code / 10000), Math.floor(code / 100) % 100, code % 100];
    this.version = `NCCL ${numbers.join(".")}`;
  }

  /** What processes that are to join each other must all be given, from one of them. */
  uniqueId(): Uint8Array<ArrayBuffer> {
    const id = new Uint8Array(ID_BYTES);
    check(this.#symbols, "ncclGetUniqueId", this.#symbols.ncclGetUniqueId(id));
    return id;
  }

  /**
   * Joins `size` processes, which all call this; it waits for them. Each has its own GPU, the
   * present one.
   */
  join(
    { id, rank, size, stream }: {
      readonly id: Uint8Array<ArrayBuffer>;
      readonly rank: number;
      readonly size: number;
      readonly stream: Stream;
    },
  ): NcclGroup {
    const out = new BigUint64Array(1);
    const code = this.#symbols.ncclCommInitRank(out, size, id, rank);
    check(this.#symbols, "ncclCommInitRank", code);
    return new NcclGroup(this.#symbols, this.version, out[0]!, rank, stream);
  }
}

/** The GPU of this process among those of all. */
export class NcclGroup {
  /** Which library, `NCCL 2.29.7`. */
  readonly version: string;
  readonly #symbols: Symbols;
  readonly #communicator: bigint;
  readonly #rank: number;
  readonly #stream: Stream;

  /** Internal to ffi: use {@link Nccl.join}. */
  constructor(
    symbols: Symbols,
    version: string,
    communicator: bigint,
    rank: number,
    stream: Stream,
  ) {
    this.version = version;
    this.#symbols = symbols;
    this.#communicator = communicator;
    this.#rank = rank;
    this.#stream = stream;
  }

  /** Replaces `count` elements at the start of a contiguous tensor by their sums over all. */
  sum(handle: Handle, count: number, type: NcclType): void {
    const at = dataAddress(handle), { code } = types[type];
    this.#check(
      "ncclAllReduce",
      this.#symbols.ncclAllReduce(
        ...[at, at, BigInt(count), code, SUM] as const,
        ...[this.#communicator, this.#stream.address] as const,
      ),
    );
    handle.storage.version++;
  }

  /**
   * Writes the elements that each process has, `counts` of them, one after the other into `all`;
   * both tensors are contiguous.
   */
  gather(own: Handle, all: Handle, counts: readonly number[], type: NcclType): void {
    const { ncclGroupStart, ncclBroadcast, ncclGroupEnd } = this.#symbols;
    const { code, bytes } = types[type], from = dataAddress(own);
    let to = dataAddress(all);
    this.#check("ncclGroupStart", ncclGroupStart());
    counts.forEach((count, root) => {
      const given = root === this.#rank ? from : to; // what is not given is not read
      const call = [given, to, BigInt(count), code, root] as const;
      const result = ncclBroadcast(...call, this.#communicator, this.#stream.address);
      this.#check("ncclBroadcast", result);
      to += BigInt(count * bytes);
    });
    this.#check("ncclGroupEnd", ncclGroupEnd());
    all.storage.version++;
  }

  /**
   * Waits until the GPU has done what was asked for. It does so beside JavaScript's thread, so that
   * signals and timers are still served.
   *
   * @throws {LibraryError} when another process is gone, as far as NCCL notices
   */
  async settled(): Promise<void> {
    while (!this.#isDone()) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  #isDone(): boolean {
    const isDone = this.#stream.isDone(), error = new Int32Array(1);
    const { ncclCommGetAsyncError } = this.#symbols;
    this.#check("ncclCommGetAsyncError", ncclCommGetAsyncError(this.#communicator, error));
    this.#check("A sum over GPUs", error[0]!);
    return isDone;
  }

  /** Leaves the others, once all that was asked for is done. */
  leave(): void {
    this.#check("ncclCommDestroy", this.#symbols.ncclCommDestroy(this.#communicator));
  }

  #check(name: string, code: number): void {
    check(this.#symbols, name, code);
  }
}

/**
 * The NCCL that libtorch's build for CUDA is linked with, or the library in a file.
 *
 * @throws {LibraryError} when there is none, or libtorch is built without CUDA
 */
export function openNccl(file?: string): Nccl {
  return new Nccl(open(file ?? cudaLibrary()));
}

/** libtorch's part for CUDA: symbols are looked up in what it needs too, and that is in memory. */
function cudaLibrary(): string {
  openDevice(1);
  return join(loadLibrary().directory, libraryFile("cuda"));
}

function open(file: string): Symbols {
  try {
    return Deno.dlopen(file, ncclTable).symbols;
  } catch (cause) {
    throw new LibraryError(
      `Cannot sum over GPUs by "${file}": it brings no NCCL along (${(cause as Error).message}); ` +
        `pip's builds of libtorch for CUDA do, as 'deno task setup --variant=cu130' takes them`,
      { cause },
    );
  }
}

function check(
  { ncclGetErrorString, ncclGetLastError }: Symbols,
  name: string,
  code: number,
): void {
  if (code === 0) return;
  const last = textAt(ncclGetLastError(0n)).trim();
  const why = last === "" ? "" : `, ${last}`;
  throw new LibraryError(`${name} failed: ${textAt(ncclGetErrorString(code))}${why}`);
}
