/**
 * Training runs on disk: which there are, and what one of them reports as it goes.
 *
 * @module
 */
import { join } from "@std/path";
import { lastMetrics } from "../metrics.ts";
import type { SavedConfig } from "../weights.ts";

/** A run. */
export interface RunEntry {
  /** `<recipe>/<stamp>`. */
  readonly id: string;
  /** The name of the recipe. */
  readonly recipe: string;
  /** The preset's name. */
  readonly preset: string;
  /** Steps that it has reported. */
  readonly step: number;
  /** Steps that it is to do. */
  readonly steps: number;
  /** Seconds of training so far. */
  readonly seconds: number;
  /** Share of held-out puzzles solved at its end; null while it has none. */
  readonly exact: number | null;
  /** Whether it has reported in the last two minutes, and is not done. */
  readonly isLive: boolean;
}

/** The most runs that are listed, the newest ones. */
const MOST_RUNS = 200;
const LIVE_MS = 120_000;

/** The ids of the runs in a folder, the newest first. */
export function runIds(root: string): string[] {
  const ids = foldersIn(root).flatMap((recipe) =>
    foldersIn(join(root, recipe)).map((stamp) => `${recipe}/${stamp}`)
  );
  const stampOf = (id: string) => id.slice(id.indexOf("/") + 1);
  return ids.sort((a, b) => stampOf(b) < stampOf(a) ? -1 : 1).slice(0, MOST_RUNS);
}

/** The runs in a folder, the newest first; what is no run is left out. */
export function listRuns(root: string): RunEntry[] {
  return runIds(root).flatMap((id) => {
    try {
      return [runEntry(root, id)];
    } catch {
      return []; // no config, or damaged
    }
  });
}

function runEntry(root: string, id: string): RunEntry {
  const folder = join(root, id);
  const saved = JSON.parse(Deno.readTextFileSync(join(folder, "config.json"))) as SavedConfig;
  const last = lastLine(folder);
  const exact = last?.final?.final?.exact ?? null;
  const { mtime } = Deno.statSync(metricsFile(root, id));
  return {
    ...{ id, recipe: saved.recipe, preset: saved.preset, steps: saved.config.run.steps },
    ...{ step: last?.step ?? 0, seconds: last?.seconds ?? 0, exact },
    isLive: exact === null && Date.now() - (mtime?.getTime() ?? 0) < LIVE_MS,
  };
}

interface LastLine {
  readonly step?: number;
  readonly seconds?: number;
  readonly final?: { readonly final?: { readonly exact?: number } };
}

function lastLine(folder: string): LastLine | null {
  try {
    return lastMetrics(folder);
  } catch (error) {
    if (error instanceof SyntaxError) return null; // it is being written
    throw error;
  }
}

/** Where a run reports. */
export function metricsFile(root: string, id: string): string {
  return join(root, id, "metrics.jsonl");
}

function foldersIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].filter((e) => e.isDirectory).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
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
 * The lines of a file as server-sent events, and those that are added to it. The id of an
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

/** An event for each line that is whole. */
function eventsOf(text: string): string {
  return text.split("\n").filter(isJson).map((line) => `data: ${line.trim()}\n\n`).join("");
}

function isJson(line: string): boolean {
  try {
    return typeof JSON.parse(line) === "object";
  } catch {
    return false;
  }
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
