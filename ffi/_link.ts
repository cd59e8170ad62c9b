/**
 * A link to a folder that is replaced in one step.
 *
 * @module
 */

import { dirname, resolve } from "@std/path";

/**
 * Nothing, when `link` may be made or replaced.
 *
 * @throws {Error} when something that is not a link lies there
 */
export async function assertLinkable(link: string): Promise<void> {
  const there = await lstat(link);
  if (there === undefined || there.isSymlink) return;
  throw new Error(
    `Cannot link ${link}: a ${there.isDirectory ? "folder" : "file"} of that name is in the way; ` +
      `move it elsewhere, or set PONDER_LIBTORCH to it`,
  );
}

/** Makes `link` point to `target`; whether anything had to change. */
export async function pointLink(link: string, target: string): Promise<boolean> {
  const there = await lstat(link);
  if (there?.isSymlink && await leadsTo(link, target)) return false;
  await assertLinkable(link);
  await Deno.mkdir(dirname(link), { recursive: true });
  const beside = `${link}.${crypto.randomUUID().slice(0, 8)}`;
  await Deno.symlink(resolve(target), beside, { type: "junction" });
  try {
    // Windows does not rename a junction over another.
    if (Deno.build.os === "windows" && there !== undefined) await Deno.remove(link);
    await Deno.rename(beside, link);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw error;
  }
  return true;
}

/** Whether both are the same folder. */
async function leadsTo(link: string, target: string): Promise<boolean> {
  try {
    return await Deno.realPath(link) === await Deno.realPath(target);
  } catch {
    return false;
  }
}

/** What lies at `path`; absent for nothing. */
async function lstat(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
