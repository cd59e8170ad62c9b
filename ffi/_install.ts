/**
 * Archives of libtorch, unpacked into the cache: beside, then renamed, one
 * setup at a time.
 *
 * @module
 */

import { basename, join } from "@std/path";
import { accept } from "./_accept.ts";
import { exists, remove } from "./_files.ts";
import { withLock } from "./_lock.ts";
import { type Found, type Plan, tellProgress } from "./_plan.ts";
import { reasonOf } from "./_reason.ts";
import { unzip } from "./_unzip.ts";
import { buildInNames, libraryEntry } from "./_wheel.ts";
import { libraryFile } from "./locate.ts";

/** The library from the archives that `obtain` brings, in the cache, opened once. */
export async function install(
  plan: Plan,
  source: "archive" | "pip",
  obtain: (scratch: string) => Promise<string[]>,
): Promise<Found> {
  const name = `${plan.version}-${plan.variant}`;
  const home = join(plan.cache, name);
  const directory = join(home, "lib");
  const work = async (): Promise<Found> => {
    const ready = await accept(plan, directory).catch(() => undefined);
    if (ready !== undefined) return { directory, source: "cache", version: ready };
    await removeLeftovers(plan.cache, name);
    const scratch = join(plan.cache, `.${name}.${crypto.randomUUID().slice(0, 8)}`);
    try {
      await unpack(plan, await obtain(scratch), join(scratch, name));
      await remove(home);
      await Deno.rename(join(scratch, name), home);
      return { directory, source, version: await acceptOrRemove(plan, directory, home) };
    } finally {
      await remove(scratch);
    }
  };
  const onWait = () => plan.report(`waiting for another setup of ${name}`);
  return await withLock(`${home}.lock`, work, { signal: plan.signal, onWait });
}

/** Unpacks archives into `home/lib`, notes the build in `home/version`, deletes what is ours. */
async function unpack(plan: Plan, archives: readonly string[], home: string): Promise<void> {
  for (const archive of archives) {
    const what = `unpacking ${basename(archive)}`;
    plan.report(what);
    await unzip(archive, join(home, "lib"), {
      select: libraryEntry,
      signal: plan.signal,
      onProgress: ({ written, total }) => tellProgress(plan, what, written, total),
    });
  }
  if (!await exists(join(home, "lib", libraryFile()))) {
    throw new Error(`${archives.map((path) => basename(path)).join(", ")} has no ${libraryFile()}`);
  }
  const build = buildInNames(archives.map((path) => basename(path))) ??
    `${plan.version}+${plan.variant}`;
  await Deno.writeTextFile(join(home, "version"), `${build}\n`);
  for (const archive of archives) {
    if (archive.startsWith(plan.cache)) await remove(archive);
  }
  await Deno.remove(join(plan.cache, "downloads")).catch(() => {}); // once it is empty
}

/** What {@link accept} says; a library that it tried and refuses is not left in the cache. */
async function acceptOrRemove(plan: Plan, directory: string, home: string): Promise<string> {
  try {
    return await accept(plan, directory);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) await remove(home);
    throw new Error(`what was unpacked ${reasonOf(error)}`, { cause: error });
  }
}

/** Removes what setups that were cut short left behind; their lock is ours now. */
async function removeLeftovers(cache: string, name: string): Promise<void> {
  for (const entry of await Array.fromAsync(Deno.readDir(cache))) {
    if (entry.name.startsWith(`.${name}.`)) await remove(join(cache, entry.name));
  }
}
