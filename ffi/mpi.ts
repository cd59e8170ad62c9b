/**
 * The only door to MPI, through Open MPI's C ABI: several processes, on one machine or many,
 * that add up and exchange what they hold. Opened when {@link joinMpi} is called, never before.
 *
 * What waits for other processes does so beside JavaScript's thread, so that signals and timers
 * are still served. Tensors are summed in place; all else is copied.
 *
 * Source: Open MPI 4.1's `mpi.h`, in which a handle is the address of an exported object. MPICH
 * and its kin number their handles instead; they are refused.
 *
 * @module
 */
import { join } from "@std/path";
import { LibraryError } from "./errors.ts";
import type { Handle } from "./handle.ts";
import { dataAddress } from "./memory.ts";

/** Symbols of `libmpi.so.40`. */
const mpiTable = {
  // int MPI_Init_thread(int* argc, char*** argv, int required, int* provided)
  MPI_Init_thread: { parameters: ["usize", "usize", "i32", "buffer"], result: "i32" },
  // int MPI_Comm_rank(MPI_Comm, int* rank), int MPI_Comm_size(MPI_Comm, int* size)
  MPI_Comm_rank: { parameters: ["pointer", "buffer"], result: "i32" },
  MPI_Comm_size: { parameters: ["pointer", "buffer"], result: "i32" },
  // int MPI_Get_library_version(char* version, int* length)
  MPI_Get_library_version: { parameters: ["buffer", "buffer"], result: "i32" },
  // int MPI_Abort(MPI_Comm, int code), int MPI_Finalize()
  MPI_Abort: { parameters: ["pointer", "i32"], result: "i32" },
  MPI_Finalize: { parameters: [], result: "i32" },

  // int MPI_Allreduce(const void* from, void* to, int count, MPI_Datatype, MPI_Op, MPI_Comm)
  sum_memory: {
    name: "MPI_Allreduce",
    parameters: ["usize", "usize", "i32", "pointer", "pointer", "pointer"],
    result: "i32",
    nonblocking: true,
  },
  sum_buffer: {
    name: "MPI_Allreduce",
    parameters: ["usize", "buffer", "i32", "pointer", "pointer", "pointer"],
    result: "i32",
    nonblocking: true,
  },
  // int MPI_Bcast(void* buffer, int count, MPI_Datatype, int root, MPI_Comm)
  MPI_Bcast: {
    parameters: ["buffer", "i32", "pointer", "i32", "pointer"],
    result: "i32",
    nonblocking: true,
  },
  // int MPI_Gatherv(const void* from, int count, MPI_Datatype, void* to, const int* counts,
  //                 const int* starts, MPI_Datatype, int root, MPI_Comm)
  MPI_Gatherv: {
    parameters: [
      ...["buffer", "i32", "pointer", "buffer", "buffer", "buffer", "pointer"] as const,
      ...["i32", "pointer"] as const,
    ],
    result: "i32",
    nonblocking: true,
  },
  // int MPI_Allgatherv: the same without a root
  MPI_Allgatherv: {
    parameters: [
      ...["buffer", "i32", "pointer", "buffer", "buffer", "buffer", "pointer"] as const,
      "pointer",
    ],
    result: "i32",
    nonblocking: true,
  },

  // Predefined handles: the addresses of these objects.
  ompi_mpi_comm_world: { type: "pointer" },
  ompi_mpi_float: { type: "pointer" },
  ompi_mpi_double: { type: "pointer" },
  ompi_mpi_byte: { type: "pointer" },
  ompi_mpi_op_sum: { type: "pointer" },

  // int sched_getaffinity(pid_t, size_t, cpu_set_t*), of libc
  sched_getaffinity: { parameters: ["i32", "usize", "buffer"], result: "i32", optional: true },
} as const satisfies Deno.ForeignLibraryInterface;

type Symbols = Deno.StaticForeignLibraryInterface<typeof mpiTable>;

/** `MPI_IN_PLACE`: what is summed is where the sum goes. */
const IN_PLACE = 1n;
/** One thread at a time calls MPI, not always the same. */
const THREAD_SERIALIZED = 2;
/** The most that one call moves, in elements or bytes: its counts are `int`s. */
const MOST = 2 ** 30;

/** Where {@link joinMpi} looks for the library, and where `deno task setup` links it. */
export const MPI_LINK = ".mpi";

/** This process among those that `mpirun` started. */
export class Mpi {
  /** The number of this process, from 0. */
  readonly rank: number;
  /** How many processes there are. */
  readonly size: number;
  /** Which library, `Open MPI v4.1.4`. */
  readonly version: string;
  readonly #symbols: Symbols;

  /** Internal to ffi: use {@link joinMpi}. */
  constructor(symbols: Symbols) {
    this.#symbols = symbols;
    const out = new Int32Array(1);
    check("MPI_Init_thread", symbols.MPI_Init_thread(0n, 0n, THREAD_SERIALIZED, out));
    if (out[0]! < THREAD_SERIALIZED) {
      throw new LibraryError("Cannot use this Open MPI: only one thread may call it");
    }
    const world = symbols.ompi_mpi_comm_world;
    check("MPI_Comm_rank", symbols.MPI_Comm_rank(world, out));
    this.rank = out[0]!;
    check("MPI_Comm_size", symbols.MPI_Comm_size(world, out));
    this.size = out[0]!;
    const text = new Uint8Array(256); // MPI_MAX_LIBRARY_VERSION_STRING
    check("MPI_Get_library_version", symbols.MPI_Get_library_version(text, out));
    this.version = new TextDecoder().decode(text.subarray(0, out[0])).split(",")[0]!;
  }

  /** Replaces `count` elements at the start of a contiguous CPU tensor by their sums over all. */
  async sumMemory(handle: Handle, count: number, dtype: "float32" | "float64"): Promise<void> {
    const { sum_memory, ompi_mpi_float, ompi_mpi_double, ompi_mpi_op_sum, ompi_mpi_comm_world } =
      this.#symbols;
    const [type, bytes] = dtype === "float32" ? [ompi_mpi_float, 4] : [ompi_mpi_double, 8];
    handle.retain(); // whoever holds it may be gone before the others are there
    try {
      const address = dataAddress(handle);
      for (let done = 0; done < count; done += MOST) {
        const at = address + BigInt(done * bytes), part = Math.min(MOST, count - done);
        check(
          "MPI_Allreduce",
          await sum_memory(IN_PLACE, at, part, type, ompi_mpi_op_sum, ompi_mpi_comm_world),
        );
      }
      handle.storage.version++;
    } finally {
      handle.release();
    }
  }

  /** Replaces numbers by their sums over all processes. */
  async sumNumbers(numbers: Float64Array<ArrayBuffer>): Promise<void> {
    const { sum_buffer, ompi_mpi_double: type, ompi_mpi_op_sum, ompi_mpi_comm_world } =
      this.#symbols;
    const { length } = numbers;
    const code = await sum_buffer(
      ...[IN_PLACE, numbers, length] as const,
      ...[type, ompi_mpi_op_sum, ompi_mpi_comm_world] as const,
    );
    check("MPI_Allreduce", code);
  }

  /** The bytes that process 0 gives, in all processes. */
  async broadcast(given: Uint8Array<ArrayBuffer> | null): Promise<Uint8Array<ArrayBuffer>> {
    const length = new Float64Array([given?.length ?? 0]);
    await this.#broadcast(new Uint8Array(length.buffer));
    const bytes = given ?? new Uint8Array(length[0]!);
    for (let done = 0; done < bytes.length; done += MOST) {
      await this.#broadcast(bytes.subarray(done, done + MOST));
    }
    return bytes;
  }

  async #broadcast(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { MPI_Bcast, ompi_mpi_byte, ompi_mpi_comm_world } = this.#symbols;
    check(
      "MPI_Bcast",
      await MPI_Bcast(bytes, bytes.length, ompi_mpi_byte, 0, ompi_mpi_comm_world),
    );
  }

  /** What each process gives, in the order of their ranks, in all processes. */
  async gatherAll(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>[]> {
    return await this.#gathered(bytes, await this.#lengths(bytes), false);
  }

  /** What each process gives, in the order of their ranks, in process 0; nothing in the others. */
  async gather(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>[]> {
    return await this.#gathered(bytes, await this.#lengths(bytes), true);
  }

  async #lengths({ length }: Uint8Array): Promise<number[]> {
    const own = new Uint8Array(new Float64Array([length]).buffer);
    const all = await this.#gathered(own, new Array(this.size).fill(own.length), false);
    return all.map(({ buffer }) => new Float64Array(buffer)[0]!);
  }

  async #gathered(
    bytes: Uint8Array<ArrayBuffer>,
    lengths: readonly number[],
    atFirst: boolean,
  ): Promise<Uint8Array<ArrayBuffer>[]> {
    const receives = !atFirst || this.rank === 0;
    const parts = receives ? lengths.map((length) => new Uint8Array(length)) : [];
    const most = Math.floor(MOST / this.size);
    for (let done = 0; done < Math.max(...lengths); done += most) {
      const counts = Int32Array.from(lengths, (n) => Math.min(most, Math.max(0, n - done)));
      const starts = counts.map((_, i) => counts.subarray(0, i).reduce((sum, n) => sum + n, 0));
      const total = starts.at(-1)! + counts.at(-1)!;
      const all = new Uint8Array(receives ? total : 0);
      await this.#gatherPart(bytes.subarray(done, done + most), all, counts, starts, atFirst);
      parts.forEach((part, i) =>
        part.set(all.subarray(starts[i]!, starts[i]! + counts[i]!), Math.min(done, part.length))
      );
    }
    return parts;
  }

  async #gatherPart(
    part: Uint8Array<ArrayBuffer>,
    all: Uint8Array<ArrayBuffer>,
    counts: Int32Array<ArrayBuffer>,
    starts: Int32Array<ArrayBuffer>,
    atFirst: boolean,
  ): Promise<void> {
    const { MPI_Gatherv, MPI_Allgatherv, ompi_mpi_byte: byte, ompi_mpi_comm_world: world } =
      this.#symbols;
    const what = [part, part.length, byte, all, counts, starts, byte] as const;
    if (atFirst) check("MPI_Gatherv", await MPI_Gatherv(...what, 0, world));
    else check("MPI_Allgatherv", await MPI_Allgatherv(...what, world));
  }

  /** The cores that this process may run on, a bit each; null where the system does not say. */
  affinity(): Uint8Array<ArrayBuffer> | null {
    const mask = new Uint8Array(1024);
    const { sched_getaffinity } = this.#symbols;
    if (sched_getaffinity === null) return null;
    return sched_getaffinity(0, BigInt(mask.length), mask) === 0 ? mask : null;
  }

  /** Ends all processes with an exit code. */
  abort(code: number): never {
    this.#symbols.MPI_Abort(this.#symbols.ompi_mpi_comm_world, code);
    Deno.exit(code); // MPI_Abort does not return
  }

  /** Waits for the others and leaves; MPI cannot be used in this process again. */
  finalize(): void {
    check("MPI_Finalize", this.#symbols.MPI_Finalize());
  }
}

let joined: Mpi | undefined;

/**
 * Joins the processes that `mpirun` started along with this one; alone where it started none.
 *
 * @throws {LibraryError} when there is no Open MPI, or it cannot be opened
 */
export function joinMpi(): Mpi {
  return joined ??= new Mpi(openMpi());
}

function openMpi(): Symbols {
  const file = mpiLibrary();
  try {
    return Deno.dlopen(file, mpiTable).symbols;
  } catch (cause) {
    throw new LibraryError(openFailure(file, cause as Error), { cause });
  }
}

/** The library that `PONDER_MPI` names, else the one that is linked here. */
function mpiLibrary(): string {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "PONDER_MPI" });
  const named = state === "granted" ? Deno.env.get("PONDER_MPI") : undefined;
  return named || join(Deno.cwd(), MPI_LINK);
}

function openFailure(file: string, cause: Error): string {
  if (cause instanceof Deno.errors.NotCapable) {
    return `Cannot open "${file}": run again with --allow-ffi=${file}`;
  }
  if (/symbol ompi_/.test(cause.message)) {
    return `Cannot use "${file}": it is another MPI than Open MPI`;
  }
  return `Cannot open Open MPI's "${file}": ${cause.message}; where it is installed ` +
    `(Debian: openmpi-bin), 'deno task setup' links it, or PONDER_MPI names its libmpi.so.40`;
}

/** MPI ends the job by itself when a call fails, unless it was told otherwise. */
function check(name: string, code: number): void {
  if (code !== 0) throw new LibraryError(`${name} failed with code ${code}`);
}
