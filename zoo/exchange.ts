/**
 * How processes exchange tensors: over MPI from the CPU's memory, or by NCCL from GPU to GPU.
 *
 * @module
 */
import { noGrad } from "../core/autograd.ts";
import { empty, fromBytes } from "../core/create.ts";
import { bytesOf } from "../core/dtype.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Stream } from "../ffi/cuda.ts";
import type { Mpi } from "../ffi/mpi.ts";
import { isNcclType, type Nccl, type NcclGroup, type NcclType } from "../ffi/nccl.ts";

/** What carries tensors from process to process. All processes ask for the same in the same order. */
export interface Exchange {
  /** Which library. */
  readonly version: string;
  /** Replaces a contiguous tensor by its sum over all processes, bit for bit the same in each. */
  sum(tensor: Tensor): Promise<void>;
  /** The rows of all processes, in the order of their ranks; each has so many. */
  joinRows(rows: Tensor, counts: readonly number[]): Promise<Tensor>;
  /** Waits until what was asked for is done, and serves signals meanwhile. */
  settled(): Promise<void>;
  /** Is not used again. */
  leave(): void;
}

/** Over MPI, between tensors on the CPU. */
export class MpiExchange implements Exchange {
  readonly #mpi: Mpi;

  /** Of all processes that MPI started. */
  constructor(mpi: Mpi) {
    this.#mpi = mpi;
  }

  get version(): string {
    return this.#mpi.version;
  }

  async sum({ handle, dtype, device, size }: Tensor): Promise<void> {
    if (device !== "cpu" || (dtype !== "float32" && dtype !== "float64")) {
      throw new TypeError(`Cannot sum ${dtype} on ${device} over processes by MPI`);
    }
    await this.#mpi.sumMemory(handle, size, dtype);
  }

  async joinRows(rows: Tensor): Promise<Tensor> {
    const parts = await this.#mpi.gatherAll(rows.toBytes());
    const { dtype, device } = rows;
    return fromBytes(joined(parts), rowsShape(rows, parts), { dtype, device });
  }

  async settled(): Promise<void> {}

  leave(): void {}
}

/**
 * By NCCL, between GPUs: what is asked for is queued there behind what was computed, and a promise
 * is kept before it is done.
 */
export class GpuExchange implements Exchange {
  readonly #group: NcclGroup;

  private constructor(group: NcclGroup) {
    this.#group = group;
  }

  /** Of the present GPUs of all processes that MPI started; each says where it is given its work. */
  static async join(mpi: Mpi, nccl: Nccl, stream: Stream): Promise<GpuExchange> {
    const id = await mpi.broadcast(mpi.rank === 0 ? nccl.uniqueId() : null);
    return new GpuExchange(nccl.join({ id, rank: mpi.rank, size: mpi.size, stream }));
  }

  get version(): string {
    return this.#group.version;
  }

  // deno-lint-ignore require-await
  async sum(tensor: Tensor): Promise<void> {
    this.#group.sum(tensor.handle, tensor.size, typeOf(tensor));
  }

  // deno-lint-ignore require-await
  async joinRows(rows: Tensor, counts: readonly number[]): Promise<Tensor> {
    const rest = rows.shape.slice(1), perRow = rest.reduce((product, n) => product * n, 1);
    const { dtype, device } = rows;
    const all = empty([counts.reduce((sum, n) => sum + n, 0), ...rest], { dtype, device });
    const own = noGrad(() => rows.detach().contiguous());
    this.#group.gather(own.handle, all.handle, counts.map((n) => n * perRow), typeOf(rows));
    return all;
  }

  async settled(): Promise<void> {
    await this.#group.settled();
  }

  leave(): void {
    this.#group.leave();
  }
}

function typeOf({ dtype, device }: Tensor): NcclType {
  if (isNcclType(dtype)) return dtype;
  throw new TypeError(`Cannot exchange ${dtype} on ${device} between processes`);
}

/** The shape of `rows` with as many rows as all parts together have. */
export function rowsShape(rows: Tensor, parts: readonly Uint8Array[]): number[] {
  const rest = rows.shape.slice(1);
  const perRow = rest.reduce((product, n) => product * n, bytesOf(rows.dtype));
  return [parts.reduce((sum, { length }) => sum + length, 0) / perRow, ...rest];
}

/** Bytes one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
