/**
 * Runs on disk: what each was, how far it came, and its curves. Reads what it can of a
 * run that was killed or that another version wrote, and says what it could not.
 *
 * @module
 */
import { join, relative } from "@std/path";
import { isFile } from "../core/io/file.ts";
import { hasCheckpoint } from "./checkpoint.ts";
import { metricsFile, type MetricsLine, numbersOf, readLines } from "./metrics.ts";
import { version } from "./version.ts";

/** Where a run is kept. */
export interface RunPlace {
  /** Its folder, within the folder of all runs: `<recipe>/<stamp>` unless the user chose one. */
  readonly name: string;
  /** Its folder. */
  readonly folder: string;
  /** When it was started; null where nothing tells it. */
  readonly started: Date | null;
}

/** A run; null stands for what it does not say. */
export interface Run extends RunPlace {
  /** The recipe. */
  readonly recipe: string | null;
  /** The preset. */
  readonly preset: string | null;
  /** Where its random numbers started. */
  readonly seed: number | null;
  /** The last step that it reported. */
  readonly step: number | null;
  /** The steps that were asked for. */
  readonly steps: number | null;
  /** Whether it came to its last step; if not, it was stopped or still goes on. */
  readonly isDone: boolean;
  /** The last loss that it reported. */
  readonly loss: number | null;
  /** The share of held-out puzzles that was exact, last time. */
  readonly exact: number | null;
  /** Seconds of training. */
  readonly seconds: number | null;
  /** What its folder takes on disk. */
  readonly sizeBytes: number;
  /** The preset with everything that the command line changed. */
  readonly config: unknown;
  /** What it reported. */
  readonly lines: readonly MetricsLine[];
  /** What could not be read. */
  readonly problems: readonly string[];
}

/** The points of a metric: steps and values. */
export type Curve = readonly (readonly [step: number, value: number])[];

/** The curves of one metric. */
export interface MetricCurves {
  /** The name of the metric. */
  readonly metric: string;
  /** The curve of each run that has one, by the run's name. */
  readonly curves: ReadonlyMap<string, Curve>;
}

/** The runs in a folder and in its subfolders, the newest first. */
export function findRuns(root: string): Run[] {
  return locateRuns(root).map(({ folder }) => readRun(folder, root));
}

/** Where {@link findRuns} finds them, in its order; opens none of their files. */
export function locateRuns(root: string): RunPlace[] {
  const places = runFolders(root).map((folder) => placeOf(folder, root));
  const time = ({ started }: RunPlace) => started?.getTime() ?? 0;
  return places.sort((a, b) => time(b) - time(a) || a.name.localeCompare(b.name));
}

/** Whether a folder is that of a run: it has metrics, or a checkpoint. */
export function isRun(folder: string): boolean {
  return isFile(metricsFile(folder)) || hasCheckpoint(folder);
}

function runFolders(folder: string): string[] {
  if (isRun(folder)) return [folder];
  const folders = entriesOf(folder).filter(({ isDirectory }) => isDirectory);
  return folders.flatMap(({ name }) => runFolders(join(folder, name)));
}

/** A run, named by its place in `root`. */
export function readRun(folder: string, root: string): Run {
  const { saved, problem } = savedIn(folder);
  const { lines, damaged } = readLines(folder);
  const config = recordOf(saved["config"]);
  const { seed, steps } = recordOf(config["run"]);
  const { step = null, seconds } = lines.at(-1) ?? {};
  const numbers = lines.map(numbersOf);
  const problems = [
    ...problem === null ? [] : [problem],
    ...damaged === 0
      ? []
      : [`${damaged} line${damaged === 1 ? "" : "s"} of its metrics unreadable`],
  ];
  return {
    ...placeOf(folder, root),
    recipe: textOr(saved["recipe"]),
    preset: textOr(saved["preset"]),
    seed: numberOr(seed),
    step,
    steps: numberOr(steps),
    isDone: step !== null && step === steps && lines.at(-1)?.final !== undefined,
    loss: numbers.findLast(({ training }) => "loss" in training)?.training["loss"] ?? null,
    exact: numbers.findLast(({ heldOut }) => "exact" in heldOut)?.heldOut["exact"] ?? null,
    seconds: numberOr(seconds),
    sizeBytes: sizeOf(folder),
    config,
    lines,
    problems,
  };
}

/** The metrics of a run by name, of training and of held-out puzzles. */
export function curvesOf({ lines }: Run): ReadonlyMap<string, Curve> {
  const curves = new Map<string, [number, number][]>();
  for (const line of lines) {
    const { training, heldOut } = numbersOf(line);
    for (const [name, value] of Object.entries({ ...training, ...heldOut })) {
      if (!curves.has(name)) curves.set(name, []);
      curves.get(name)!.push([line.step, value]);
    }
  }
  return curves;
}

/** What differs between the configs of runs, claims aside: for each field, its value in every run. */
export function differences(runs: readonly Run[]): ReadonlyMap<string, readonly string[]> {
  const configs = runs.map(({ config }) => new Map(fieldsOf({ ...recordOf(config), claim: {} })));
  const fields = new Set(configs.flatMap((config) => [...config.keys()]));
  const rows = [...fields].map((field) =>
    [field, configs.map((config) => config.get(field) ?? "–")] as const
  );
  return new Map(rows.filter(([, values]) => new Set(values).size > 1));
}

/** `["run.seed", "1"]` of all that is no object itself. */
function fieldsOf(value: unknown, path: readonly string[] = []): [string, string][] {
  if (!(value instanceof Object) || Array.isArray(value)) {
    return [[path.join("."), typeof value === "string" ? value : JSON.stringify(value)]];
  }
  return Object.entries(value).flatMap(([name, part]) => fieldsOf(part, [...path, name]));
}

/** What `config.json` holds, and why it says less than it should. */
function savedIn(folder: string): { saved: Record<string, unknown>; problem: string | null } {
  let saved: Record<string, unknown>;
  try {
    saved = recordOf(JSON.parse(Deno.readTextFileSync(join(folder, "config.json"))));
  } catch (error) {
    return { saved: {}, problem: `no readable config.json: ${(error as Error).message}` };
  }
  const { ponder } = saved;
  const problem = ponder === version ? null : `written by Ponder ${ponder ?? "of unknown version"}`;
  return { saved, problem };
}

function placeOf(folder: string, root: string): RunPlace {
  return { name: nameOf(folder, root), folder, started: startOf(folder) };
}

/** The time in the folder's name, else that of its config. */
function startOf(folder: string): Date | null {
  const [, day, time] = /(\d{4}-\d\d-\d\d)T(\d\d-\d\d-\d\d)$/.exec(folder) ?? [];
  if (day !== undefined) return new Date(`${day}T${time!.replaceAll("-", ":")}Z`);
  return changedAt(join(folder, "config.json"));
}

/** When a file was last written; null for one that is gone. */
export function changedAt(path: string): Date | null {
  try {
    return Deno.statSync(path).mtime;
  } catch {
    return null;
  }
}

function nameOf(folder: string, root: string): string {
  const name = relative(root, folder);
  return name === "" || name.startsWith("..") ? folder : name;
}

function sizeOf(folder: string): number {
  const sizes = entriesOf(folder).map(({ name, isDirectory }) => {
    const path = join(folder, name);
    return isDirectory ? sizeOf(path) : fileSize(path);
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** 0 for a file that is gone: a run that goes on renames its files. */
function fileSize(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}

function entriesOf(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function recordOf(value: unknown): Record<string, unknown> {
  return value instanceof Object ? value as Record<string, unknown> : {};
}

function textOr(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function numberOr(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
