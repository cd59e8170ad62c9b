/**
 * Data-parallel training: processes that MPI started, each with its own rows of every batch.
 * Gradients and metrics are summed, the rows of puzzle embeddings gathered, and the first
 * process alone writes; every process holds all weights and makes the same update.
 *
 * What lies on GPUs goes from one to the other; all else, and what lies on the CPU, over MPI.
 *
 * @module
 */
import { noGrad } from "../core/autograd.ts";
import type { Device } from "../core/device.ts";
import { bytesOf } from "../core/dtype.ts";
import type { StoredTensor } from "../core/nn/module.ts";
import { tidy } from "../core/scope.ts";
import { cat, type Tensor } from "../core/tensor.ts";
import { countGpus, useGpu } from "../ffi/cuda.ts";
import { joinMpi, type Mpi } from "../ffi/mpi.ts";
import { openNccl } from "../ffi/nccl.ts";
import { type Carry, carryTensors } from "../models/model.ts";
import { type Exchange, GpuExchange, joined, MpiExchange, rowsShape } from "./exchange.ts";

/** What a step exchanged with other processes. */
export interface Traffic {
  /** Bytes that this process handed over to be summed or gathered. */
  readonly communicationBytes: number;
  /** Milliseconds in which it did that, or waited for the slowest process; its GPU does so later. */
  readonly communicationMs: number;
}

/** The processes of a job, seen from one of them. */
export class Group {
  readonly #mpi: Mpi;
  #exchange: Exchange;
  #bytes = 0;
  #ms = 0;

  /** Use {@link joinGroup}. */
  constructor(mpi: Mpi, exchange: Exchange = new MpiExchange(mpi)) {
    this.#mpi = mpi;
    this.#exchange = exchange;
  }

  /** The number of this process, from 0. */
  get rank(): number {
    return this.#mpi.rank;
  }

  /** How many processes there are. */
  get size(): number {
    return this.#mpi.size;
  }

  /** Whether this is the process that writes and reports. */
  get isFirst(): boolean {
    return this.rank === 0;
  }

  /** What carries the messages, `Open MPI v4.1.4`, and what the tensors where that is another. */
  get version(): string {
    return [...new Set([this.#mpi.version, this.#exchange.version])].join(" and ");
  }

  /**
   * Takes a GPU of this machine for this process alone; from here on what is exchanged lies there.
   * All processes do so together, before they compute on one.
   *
   * @returns the device to compute on, such as `cuda:1`
   * @throws {LibraryError} when libtorch is built without CUDA or NCCL, or there is no GPU
   * @throws {RangeError} when the processes of a machine are more than its GPUs
   */
  async takeGpu(): Promise<Device> {
    const index = gpuOf(this.rank, await this.gatherAll(Deno.hostname()), countGpus());
    this.#exchange = await GpuExchange.join(this.#mpi, openNccl(), useGpu(index));
    return `cuda:${index}`;
  }

  /** This process's share of `count` rows: those from `start` up to `end`. */
  share(count: number): { start: number; end: number } {
    return this.#shareOf(this.rank, count);
  }

  #shareOf(rank: number, count: number): { start: number; end: number } {
    const at = (rank: number) => Math.floor(rank * count / this.size);
    return { start: at(rank), end: at(rank + 1) };
  }

  /** What has been exchanged since {@link Group.resetTraffic}. */
  get traffic(): Traffic {
    return { communicationBytes: this.#bytes, communicationMs: this.#ms };
  }

  /** Counts from here. */
  resetTraffic(): void {
    this.#bytes = this.#ms = 0;
  }

  /** The sums of tensors over all processes, bit for bit the same in each; in one message. */
  async sumTensors(tensors: readonly Tensor[]): Promise<Tensor[]> {
    if (tensors.length === 0) return [];
    const flat = noGrad(() => tidy(() => cat(tensors.map((t) => t.detach().reshape([t.size])))));
    await this.#timed(flat, () => this.#exchange.sum(flat));
    let offset = 0;
    const sums = tensors.map(({ shape, size }) => {
      const part = flat.slice(0, offset, offset + size);
      offset += size;
      return part.reshape(shape);
    });
    flat.dispose(); // its memory stays with the parts
    return sums;
  }

  /** The sums of numbers over all processes. */
  async sumNumbers(numbers: readonly number[]): Promise<number[]> {
    const sums = Float64Array.from(numbers);
    await this.#mpi.sumNumbers(sums);
    return [...sums];
  }

  /** The `count` rows of all processes, in the order of their ranks, of which each has its share. */
  async joinRows(rows: Tensor, count: number): Promise<Tensor> {
    const counts = Array.from({ length: this.size }, (_, rank) => {
      const { start, end } = this.#shareOf(rank, count);
      return end - start;
    });
    return await this.#timed(rows, () => this.#exchange.joinRows(rows, counts));
  }

  /** Waits until what was asked for is done: signals are served meanwhile, unlike by a read. */
  async settled(): Promise<void> {
    await this.#exchange.settled();
  }

  /** The tensors of a carry with the rows of all processes; in the first process, none elsewhere. */
  async gatherCarry(carry: Carry): Promise<Map<string, StoredTensor>> {
    const whole = new Map<string, StoredTensor>();
    for (const [name, rows] of Object.entries(carryTensors(carry))) {
      const parts = await this.#mpi.gather(rows.toBytes());
      if (!this.isFirst) continue;
      whole.set(name, { dtype: rows.dtype, shape: rowsShape(rows, parts), data: joined(parts) });
    }
    return whole;
  }

  /** What each process gives, in the order of their ranks; what JSON can say, and bytes. */
  async gatherAll<T>(value: T): Promise<T[]> {
    return (await this.#mpi.gatherAll(encode(value))).map((bytes) => decode(bytes) as T);
  }

  /** What the first process makes, in all of them; what JSON can say, and bytes. */
  async fromFirst<T>(make: () => T | Promise<T>): Promise<T> {
    const given = this.isFirst ? encode(await make()) : null;
    return decode(await this.#mpi.broadcast(given)) as T;
  }

  /** The bytes that the first process reads, in all of them. */
  async bytesFromFirst(read: () => Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#mpi.broadcast(this.isFirst ? read() : null);
  }

  /** How many of its cores each process can have for itself: shared with those that may run there. */
  async threads(): Promise<number> {
    const mask = this.#mpi.affinity();
    const cores = mask === null
      ? null
      : [...mask.keys()].flatMap((byte) => bitsOf(mask[byte]!, byte * 8));
    const all = await this.gatherAll({ host: Deno.hostname(), cores });
    const neighbours = all.filter(({ host, cores: theirs }) =>
      host === all[this.rank]!.host &&
      (cores === null || theirs === null || theirs.some((core) => cores.includes(core)))
    );
    const count = cores?.length ?? navigator.hardwareConcurrency;
    return Math.max(1, Math.floor(count / neighbours.length));
  }

  /** Waits for the others, and leaves. */
  leave(): void {
    this.#exchange.leave();
    this.#mpi.finalize();
  }

  /** Ends all processes with an exit code. */
  abort(code: number): never {
    return this.#mpi.abort(code);
  }

  async #timed<T>({ size, dtype }: Tensor, exchange: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const result = await exchange();
    this.#bytes += size * bytesOf(dtype);
    this.#ms += performance.now() - began;
    return result;
  }
}

/**
 * Joins the processes that `mpirun` started along with this one.
 *
 * @throws {LibraryError} when there is no Open MPI, or it cannot be opened
 */
export function joinGroup(): Group {
  return new Group(joinMpi());
}

/**
 * Which GPU is that of a process, given the machines of all: each has one of its own.
 *
 * @throws {RangeError} when a machine has fewer than processes
 */
export function gpuOf(rank: number, hosts: readonly string[], gpus: number): number {
  const host = hosts[rank]!;
  const neighbours = hosts.filter((other) => other === host).length;
  if (neighbours > gpus) {
    throw new RangeError(
      `Cannot give each of ${neighbours} processes on ${host} a GPU of its own: it sees ${gpus}; ` +
        `start ${gpus} at most there (mpirun --map-by ppr:${gpus}:node)`,
    );
  }
  return hosts.slice(0, rank).filter((other) => other === host).length;
}

/** The numbers of the bits that are set in a byte, from `first` on. */
function bitsOf(byte: number, first: number): number[] {
  return Array.from({ length: 8 }, (_, bit) => first + bit).filter((bit) =>
    byte >> (bit - first) & 1
  );
}

/** A value as JSON, bytes in it as base64. */
function encode(value: unknown): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(
    value ?? null,
    (_, item) => item instanceof Uint8Array ? { base64: item.toBase64() } : item,
  );
  return new TextEncoder().encode(text);
}

function decode(bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes);
  return JSON.parse(
    text,
    (_, item) => typeof item?.base64 === "string" ? Uint8Array.fromBase64(item.base64) : item,
  );
}
