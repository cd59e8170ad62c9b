/**
 * Whether a library is what a setup was asked for, and works.
 *
 * @module
 */

import { dirname, join } from "@std/path";
import { exists } from "./_files.ts";
import { OLDEST_VERSION, type Plan } from "./_plan.ts";
import { libraryFile } from "./locate.ts";

/** The version of a library that opens and is what was asked for. */
export async function accept(plan: Plan, directory: string): Promise<string> {
  const file = libraryFile();
  if (!await exists(join(directory, file))) throw new Error(`has no ${file}`);
  const mismatch = await mismatchOf(plan, directory);
  if (mismatch !== undefined) throw new Error(mismatch);
  const { version } = await plan.check(directory);
  requireNew(version);
  return version;
}

/** How a library differs from what was asked for explicitly; absent when it does not. */
async function mismatchOf({ asked }: Plan, directory: string): Promise<string | undefined> {
  if (asked.version === undefined && asked.variant === undefined) return undefined;
  const [release, tag] = (await buildOf(directory) ?? "").split("+");
  if (asked.version !== undefined && release && release !== asked.version) {
    return `is ${release}, not ${asked.version}`;
  }
  if (asked.variant === undefined) return undefined;
  const isCuda = await exists(join(directory, libraryFile("cuda")));
  const variant = tag ?? (isCuda ? "a CUDA build" : "cpu");
  const fits = tag === undefined
    ? isCuda === asked.variant.startsWith("cu")
    : tag === asked.variant;
  return fits ? undefined : `is ${variant}, not ${asked.variant}`;
}

/** The build in a folder, such as `2.13.0+cpu`: Ponder's note, or that of PyTorch. */
async function buildOf(directory: string): Promise<string | undefined> {
  const above = dirname(await Deno.realPath(directory));
  for (const name of ["version", "build-version", "version.py"]) {
    const text = await Deno.readTextFile(join(above, name)).catch(() => "");
    const version = /\d+\.\d+\.\d+[\w.]*(\+\w+)?/.exec(text)?.[0];
    if (version !== undefined) return version;
  }
  return undefined;
}

/** Nothing, for a version that Ponder works with. */
export function requireNew(version: string): void {
  const [major, minor] = version.split(".").map(Number) as [number, number];
  const [oldestMajor, oldestMinor] = OLDEST_VERSION.split(".").map(Number) as [number, number];
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new Error(`is ${version}, older than ${OLDEST_VERSION}`);
}
