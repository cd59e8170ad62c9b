/**
 * Files that are either there whole or not there at all.
 *
 * @module
 */

/** What {@link writeFileAtomic} writes: text as UTF-8, bytes, or chunks of bytes. */
export type FileContent =
  | string
  | Uint8Array
  | Iterable<Uint8Array>
  | AsyncIterable<Uint8Array>;

/**
 * Writes a file so that `path` holds either what it held before or all of
 * `content`, whatever happens in between: the bytes go to
 * `<path>.tmp-<unique>` beside it, are synced to the disk, and only then take
 * the name. On an error the temporary file is removed and the error passed on;
 * a process that is killed outright can leave the temporary file, never a
 * half-written `path`.
 *
 * Chunks are written as they come, so that a big file never has to lie in
 * memory as a whole.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { writeFileAtomic } from "./file.ts";
 *
 * const folder = await Deno.makeTempDir();
 * await writeFileAtomic(`${folder}/config.json`, '{"lr":0.001}\n');
 * assertEquals(await Deno.readTextFile(`${folder}/config.json`), '{"lr":0.001}\n');
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function writeFileAtomic(path: string, content: FileContent): Promise<void> {
  const temporary = `${path}.tmp-${crypto.randomUUID()}`;
  const file = await Deno.open(temporary, { write: true, createNew: true });
  try {
    try {
      for await (const chunk of chunksOf(content)) await writeAll(file, chunk);
      await file.sync();
    } finally {
      file.close(); // before the rename: Windows renames no open file
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await removeQuietly(temporary);
    throw error;
  }
}

/** Whether there is a file at a path; what cannot be looked at counts as none. */
export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function chunksOf(content: FileContent): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (typeof content === "string") return [new TextEncoder().encode(content)];
  return content instanceof Uint8Array ? [content] : content;
}

/** One `write` may take only a part of the bytes. */
async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) written += await file.write(bytes.subarray(written));
}

/** The error that led here matters more than one from cleaning up. */
async function removeQuietly(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch {
    // nothing was left, or nothing can be done
  }
}
