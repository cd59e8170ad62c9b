/**
 * What several commands need.
 *
 * @module
 */
import { isAbsolute, join, resolve } from "@std/path";
import { type Device, zeros } from "../../core/mod.ts";
import { loadLibrary } from "../../ffi/mod.ts";
import { UsageError } from "../cli/flags.ts";
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
  try {
    zeros([1], { device }).dispose();
  } catch (cause) {
    throw new Error(
      `Cannot compute on ${device}: libtorch ${version} in ${where} is built without CUDA or finds ` +
        `no GPU; 'deno task setup --variant=cu130' fetches one with CUDA`,
      { cause },
    );
  }
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
  const folder = join(RUNS, recipe);
  const names = [...listFolders(folder)].sort();
  const newest = names.at(-1);
  if (newest === undefined) {
    throw new UsageError(
      `No run of ${recipe} in "${folder}": train one by deno task train ${recipe}`,
    );
  }
  return join(folder, newest);
}

function* listFolders(folder: string): Generator<string> {
  try {
    for (const entry of Deno.readDirSync(folder)) if (entry.isDirectory) yield entry.name;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The folder that a user names by a recipe, for its newest run, or by a path. */
export function weightsPath(name: string): string {
  if (Object.hasOwn(recipes, name)) return newestRun(name);
  const path = userPath(name);
  try {
    Deno.statSync(path);
  } catch {
    throw new UsageError(
      `No weights "${name}": neither a folder nor a recipe, one of: ${
        Object.keys(recipes).join(", ")
      }`,
    );
  }
  return path;
}
