/**
 * The worker of the playground: computes, so that the server stays free to answer.
 *
 * @module
 */
import type { Device } from "../../core/device.ts";
import { openLibrary } from "../commands/_shared.ts";
import { Refusal, type SolveRequest } from "./protocol.ts";
import { Thinker } from "./thinker.ts";

/** What the worker is asked. */
export interface Job {
  /** Stands in the reply to it. */
  readonly id: number;
  /** Where the model lies. */
  readonly folder: string;
  /** A puzzle to solve; null to describe the model. */
  readonly solve: Omit<SolveRequest, "model"> | null;
}

/** What it is told first. */
export interface Setting {
  /** Where to compute. */
  readonly device: Device;
  /** Threads for one operation; all if left out. */
  readonly threads?: number | undefined;
  /** Holds the id of a job that is no longer wanted. */
  readonly unwanted: Int32Array;
}

/** What it replies. */
export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string; readonly isRefusal: boolean };

/** The part of a worker's global scope that is used here. */
const self = globalThis as unknown as {
  onmessage: (event: MessageEvent) => void;
  postMessage: (reply: Reply) => void;
};

let setting: Setting | null = null;
let thinker: Thinker | null = null;

self.onmessage = ({ data }: MessageEvent<Setting | Job>) => {
  if ("unwanted" in data) setting = data;
  else self.postMessage(replyTo(data));
};

function replyTo({ id, folder, solve }: Job): Reply {
  try {
    thinker ??= opened();
    const stopped = () => Atomics.load(setting!.unwanted, 0) === id;
    const value = solve === null ? thinker.describe(folder) : thinker.solve(folder, solve, stopped);
    return { id, value };
  } catch (error) {
    const { message } = error as Error;
    return { id, error: message, isRefusal: error instanceof Refusal };
  }
}

/** Opens libtorch with the first job, so that a page without weights needs none. */
function opened(): Thinker {
  openLibrary(setting!);
  return new Thinker(setting!.device);
}
