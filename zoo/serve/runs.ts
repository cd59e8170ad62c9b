/**
 * Training runs on disk: which there are, and what one of them reports as it goes.
 *
 * @module
 */
import { metricsFile, parseLine } from "../metrics.ts";
import { changedAt, locateRuns, readRun, type Run, type RunPlace } from "../runs.ts";

type Shown = "name" | "recipe" | "preset" | "step" | "steps" | "seconds" | "exact" | "isDone";

/** What the page is told of a run. */
export interface RunEntry extends Pick<Run, Shown> {
  /** Whether it has reported in the last two minutes, and is not done. */
  readonly isLive: boolean;
}

/** The most runs that are listed, the newest ones. */
const MOST_RUNS = 200;
const LIVE_MS = 120_000;

/** Where the newest runs in a folder are, the newest first. */
export function newestRuns(root: string): RunPlace[] {
  return locateRuns(root).slice(0, MOST_RUNS);
}

/** Lists runs again and again: one that has long been silent is not read anew. */
export class RunList {
  readonly #root: string;
  #read: ReadonlyMap<string, ReadRun> = new Map();

  /** The runs in a folder, none of them read yet. */
  constructor(root: string) {
    this.#root = root;
  }

  /** The newest runs; those without a config or a report are left out. */
  entries(): RunEntry[] {
    const now = Date.now();
    const places = newestRuns(this.#root);
    this.#read = new Map(places.map(({ folder }) => [folder, this.#latest(folder, now)]));
    return [...this.#read.values()].flatMap(({ shown, reported }) => {
      if (shown.step === null || shown.steps === null) return [];
      return [{ ...shown, isLive: !shown.isDone && now - reported < LIVE_MS }];
    });
  }

  #latest(folder: string, now: number): ReadRun {
    const reported = changedAt(metricsFile(folder))?.getTime() ?? 0;
    const before = this.#read.get(folder);
    if (before?.reported === reported && now - reported >= LIVE_MS) return before;
    const run = readRun(folder, this.#root);
    const { name, recipe, preset, step, steps, seconds, exact, isDone } = run;
    return { shown: { name, recipe, preset, step, steps, seconds, exact, isDone }, reported };
  }
}

/** A run as it was when it was read. */
interface ReadRun {
  readonly shown: Omit<RunEntry, "isLive">;
  /** When it had last reported, in milliseconds. */
  readonly reported: number;
}

/** How a file is followed. */
export interface FollowOptions {
  /** Where to go on, in bytes; default 0. */
  readonly from?: number;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Between two looks at the file; default 500. */
  readonly pollMs?: number;
  /** Between two signs of life while nothing is written; default 15,000. */
  readonly aliveMs?: number;
}

/** Bytes of a file read at a time: all that is kept of it in memory. */
const CHUNK = 64 * 1024;

/**
 * The lines of a run's metrics as server-sent events, and those that are added to it. The id of an
 * event is where the file goes on after it. Reads no further than the events are taken.
 */
export async function* metricEvents(
  file: string,
  { from = 0, signal, pollMs = 500, aliveMs = 15_000 }: FollowOptions,
): AsyncGenerator<string> {
  let at = from, quietMs = 0;
  yield "retry: 2000\n\n";
  while (!signal.aborted) {
    const size = await sizeOf(file);
    if (size < at) { // a run that was resumed drops what it is going to do again
      yield "event: reset\ndata:\n\n";
      at = 0;
    }
    const { text, end } = size > at ? await linesFrom(file, at) : { text: "", end: at };
    if (end > at) {
      at = end;
      quietMs = 0;
      yield `${eventsOf(text)}id: ${at}\ndata:\n\n`;
      continue;
    }
    if (quietMs >= aliveMs) {
      yield ": still here\n\n";
      quietMs = 0;
    }
    await sleep(pollMs, signal);
    quietMs += pollMs;
  }
}

/** An event for each line that is not damaged. */
function eventsOf(text: string): string {
  const lines = text.split("\n").filter((line) => parseLine(line) !== null);
  return lines.map((line) => `data: ${line.trim()}\n\n`).join("");
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await Deno.stat(file)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** The whole lines of a chunk, and where it ends; of a line longer than a chunk, nothing. */
async function linesFrom(file: string, at: number): Promise<{ text: string; end: number }> {
  using handle = await Deno.open(file);
  await handle.seek(at, Deno.SeekMode.Start);
  const bytes = new Uint8Array(CHUNK);
  let filled = 0;
  while (filled < CHUNK) {
    const read = await handle.read(bytes.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  const length = bytes.lastIndexOf(10, filled - 1) + 1;
  if (length === 0 && filled === CHUNK) return { text: "", end: at + CHUNK };
  return { text: new TextDecoder().decode(bytes.subarray(0, length)), end: at + length };
}

/** Waits, but no longer than until the signal. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
