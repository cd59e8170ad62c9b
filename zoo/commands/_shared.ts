/**
 * What several commands need.
 *
 * @module
 */
import { isAbsolute, join, resolve } from "@std/path";
import { type Device, zeros } from "../../core/mod.ts";
import { loadLibrary } from "../../ffi/mod.ts";
import { UsageError } from "../cli/flags.ts";
import { printError } from "../cli/terminal.ts";
import { pretrainedIndex } from "../pretrained/index.ts";
import { findPretrained } from "../pretrained/places.ts";
import { recipes } from "../recipes.ts";

/** Flags that every command that computes has. */
export const computeFlags = {
  device: { type: "choice", choices: ["cpu", "cuda"], default: "cpu", help: "where to compute" },
  threads: {
    type: "integer",
    min: 1,
    max: 1024,
    help: "threads for one operation; all if left out",
  },
} as const;

/** A path as the user meant it: relative to where the command was typed. */
export function userPath(path: string): string {
  if (isAbsolute(path)) return path;
  return resolve(Deno.env.get("INIT_CWD") ?? Deno.cwd(), path);
}

/**
 * Loads libtorch, and says which.
 *
 * @throws {Error} when it can't compute on the device
 */
export function openLibrary(
  { threads, device }: { readonly threads?: number | undefined; readonly device: Device },
): string {
  const isShared = isBusy();
  const { version, directory, threads: used } = loadLibrary({
    ...(threads === undefined ? {} : { threads }),
    ...(isShared ? { waitPolicy: "passive" } : {}),
  });
  const where = realPath(directory);
  zeros([1], { device }).dispose(); // which says why, if it can't be
  return `libtorch ${version} in ${where}, ${used} thread${used === 1 ? "" : "s"}` +
    (isShared ? ", sharing the cores with other programs" : "");
}

/**
 * Whether other programs keep the cores busy. Then threads that wait had better sleep than
 * spin: spinning made a training step seven times as slow (docs/performance.md).
 */
function isBusy(): boolean {
  if (Deno.env.get("OMP_WAIT_POLICY") !== undefined) return false; // the user has chosen
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "loadavg" });
  return state === "granted" && Deno.loadavg()[0]! > 0.75;
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}

/** Where runs are kept. */
export const RUNS = "runs";

/** The folder of a recipe's newest run. */
export function newestRun(recipe: string): string {
  const newest = findNewestRun(recipe);
  if (newest !== null) return newest;
  throw new UsageError(
    `No run of ${recipe} in "${join(RUNS, recipe)}": train one by deno task train ${recipe}`,
  );
}

function findNewestRun(recipe: string): string | null {
  const folder = join(RUNS, recipe);
  const newest = [...listFolders(folder)].sort().at(-1);
  return newest === undefined ? null : join(folder, newest);
}

function* listFolders(folder: string): Generator<string> {
  try {
    for (const entry of Deno.readDirSync(folder)) if (entry.isDirectory) yield entry.name;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * The folder that a user names: by a path; by a recipe, for its newest run; where there is
 * none, or by a name of the zoo, for the pretrained weights. Says which of the two.
 */
export function weightsPath(name: string): string {
  const { entries } = pretrainedIndex();
  const isRecipe = Object.hasOwn(recipes, name);
  const run = isRecipe ? findNewestRun(name) : null;
  if (run !== null) return telling(`Taking the newest run, "${run}"`, run);
  if (Object.hasOwn(entries, name)) {
    const folder = findPretrained(entries[name]!)?.folder;
    const absence = `No run of ${name} in "${RUNS}"`;
    if (folder !== undefined) {
      return telling(`${absence}: taking the pretrained weights, "${folder}"`, folder);
    }
    throw new UsageError(
      `${absence}, and its pretrained weights are not on this machine: ` +
        `deno task zoo pull ${name} fetches them`,
    );
  }
  if (isRecipe) return newestRun(name); // says that there is none
  const path = userPath(name);
  try {
    Deno.statSync(path);
  } catch {
    const known = new Set([...Object.keys(recipes), ...Object.keys(entries)]);
    throw new UsageError(
      `No weights "${name}": neither a folder nor a recipe, one of: ${[...known].join(", ")}`,
    );
  }
  return path;
}

/** `path`, once standard error has said what it is. */
function telling(what: string, path: string): string {
  printError(what);
  return path;
}
