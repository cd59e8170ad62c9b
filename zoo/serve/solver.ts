/**
 * The worker as the server sees it: asked for one thing at a time, told when that is no
 * longer wanted, and replaced when it does not heed.
 *
 * @module
 */
import type { Device } from "../../core/device.ts";
import { type ModelDetails, Refusal, type SolveReply, type SolveRequest } from "./protocol.ts";
import { Queue } from "./queue.ts";
import type { Job, Reply, Setting } from "./worker.ts";

/** Who loads models and lets them think. */
export interface Solver {
  /** What is known of the model in a folder. */
  describe(folder: string, signal: AbortSignal): Promise<ModelDetails>;
  /** What the model in a folder answers. */
  solve(
    folder: string,
    request: Omit<SolveRequest, "model">,
    signal: AbortSignal,
  ): Promise<SolveReply>;
}

/** How a {@link WorkerSolver} works. */
export interface WorkerSolverOptions {
  /** Where to compute; default `cpu`. */
  readonly device?: Device;
  /** Threads for one operation; all if left out. */
  readonly threads?: number | undefined;
  /** Jobs that may wait; default 32. */
  readonly waiting?: number;
  /** How long a job that is no longer wanted may go on before its worker is replaced. */
  readonly graceMs?: number;
}

/** Asks a worker, which is started with the first job. */
export class WorkerSolver implements Solver {
  readonly #options: WorkerSolverOptions;
  readonly #queue: Queue;
  readonly #unwanted = new Int32Array(new SharedArrayBuffer(4));
  #worker: Worker | null = null;
  #jobs = 0;

  /** One whose worker is not started yet. */
  constructor(options: WorkerSolverOptions = {}) {
    this.#options = options;
    this.#queue = new Queue(options.waiting ?? 32);
  }

  /** {@inheritDoc Solver.describe} */
  async describe(folder: string, signal: AbortSignal): Promise<ModelDetails> {
    return await this.#ask({ folder, solve: null }, signal) as ModelDetails;
  }

  /** {@inheritDoc Solver.solve} */
  async solve(
    folder: string,
    request: Omit<SolveRequest, "model">,
    signal: AbortSignal,
  ): Promise<SolveReply> {
    return await this.#ask({ folder, solve: request }, signal) as SolveReply;
  }

  /** Ends the worker. */
  [Symbol.dispose](): void {
    this.#worker?.terminate();
    this.#worker = null;
  }

  /** The reply to a job; fails as soon as the signal says, though the worker may be busy still. */
  #ask(job: Omit<Job, "id">, signal: AbortSignal): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    this.#queue.run(() => this.#run(job, signal), signal).then(resolve, reject);
    return promise.finally(() => signal.removeEventListener("abort", abort));
  }

  /** Settles only when the worker is free again. */
  #run(job: Omit<Job, "id">, signal: AbortSignal): Promise<unknown> {
    const worker = this.#worker ??= this.#started();
    const id = ++this.#jobs;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    let grace: ReturnType<typeof setTimeout> | undefined;
    const replace = (why: string) => {
      this[Symbol.dispose]();
      reject(new Error(why));
    };
    const stop = () => {
      Atomics.store(this.#unwanted, 0, id);
      const { graceMs = 10_000 } = this.#options;
      grace = setTimeout(() => replace("The worker did not stop"), graceMs);
    };
    signal.addEventListener("abort", stop, { once: true });
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      if (data.id !== id) return;
      if ("value" in data) resolve(data.value);
      else reject(data.isRefusal ? new Refusal(data.error) : new Error(data.error));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      replace(`The worker failed: ${event.message}`);
    };
    worker.postMessage({ id, ...job });
    return promise.finally(() => {
      clearTimeout(grace);
      signal.removeEventListener("abort", stop);
    });
  }

  #started(): Worker {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    const { device = "cpu", threads } = this.#options;
    worker.postMessage({ device, threads, unwanted: this.#unwanted } satisfies Setting);
    return worker;
  }
}
