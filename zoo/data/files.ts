/**
 * Task files in memory: from a zip archive or from a folder, few and small enough
 * for that, and the checksum of what they hold, which does not depend on how they
 * were packed.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { type FileEntry, Uint8ArrayReader, ZipReader } from "@zip.js/zip.js";
import type { ArchiveSource } from "./sources.ts";

/** The bytes of files by their paths, `training/007bbfb7.json`, in the order of the paths. */
export type TaskFiles = ReadonlyMap<string, Uint8Array>;

/** Which files of a repository are meant. */
export type FileChoice = Pick<ArchiveSource, "root" | "subsets">;

/** The most bytes that an archive may have. */
export const MAX_ARCHIVE_BYTES = 64 * 2 ** 20;
const MAX_FILE_BYTES = 4 * 2 ** 20;
const MAX_TOTAL_BYTES = 64 * 2 ** 20;
const MAX_ENTRIES = 20_000;

/**
 * The SHA-256, in hex, of the list of files: for each, in the order of the paths,
 * `path\0`, the SHA-256 of its bytes in hex, and a line feed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { contentChecksum } from "./files.ts";
 *
 * const a = new Map([["a.json", Uint8Array.of(1)], ["b.json", Uint8Array.of(2)]]);
 * const b = new Map([...a].reverse());
 * assertEquals(contentChecksum(a), contentChecksum(b));
 * ```
 */
export function contentChecksum(files: TaskFiles): string {
  const whole = createHash("sha256");
  for (const path of [...files.keys()].sort()) {
    whole.update(`${path}\0${createHash("sha256").update(files.get(path)!).digest("hex")}\n`);
  }
  return whole.digest("hex");
}

/** The task files of a zip archive, or of a folder that has or is the repository's `root`. */
export async function readTaskFiles(path: string, choice: FileChoice): Promise<TaskFiles> {
  const files = (await Deno.stat(path)).isDirectory
    ? await filesOfFolder(path, choice)
    : await filesOfArchive(path, choice);
  const subsets = new Set([...files.keys()].map((name) => name.split("/")[0]!));
  const missing = (choice.subsets ?? []).find((subset) => !subsets.has(subset));
  if (missing === undefined && files.size > 0) return new Map([...files].sort(byPath));
  const wanted = missing === undefined ? "folders" : `a folder "${missing}"`;
  throw new Error(`Cannot use "${path}": expected it to have ${wanted} with JSON files of tasks`);
}

/** Writes files below `folder`, which is made. */
export async function writeTaskFiles(folder: string, files: TaskFiles): Promise<void> {
  for (const [path, bytes] of files) {
    await Deno.mkdir(join(folder, path, ".."), { recursive: true });
    await Deno.writeFile(join(folder, path), bytes);
  }
}

function byPath([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function filesOfFolder(
  folder: string,
  { root, subsets }: FileChoice,
): Promise<Map<string, Uint8Array>> {
  const base = await isFolder(join(folder, root)) ? join(folder, root) : folder;
  const files = new Map<string, Uint8Array>();
  let total = 0;
  for (const subset of subsets ?? await namesIn(base, "isDirectory")) {
    if (!await isFolder(join(base, subset))) continue;
    for (const name of await namesIn(join(base, subset), "isFile")) {
      if (!name.endsWith(".json")) continue;
      const path = join(base, subset, name);
      total = withinBounds(path, (await Deno.stat(path)).size, total);
      files.set(`${subset}/${name}`, await Deno.readFile(path));
    }
  }
  return files;
}

async function namesIn(folder: string, kind: "isFile" | "isDirectory"): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) if (entry[kind]) names.push(entry.name);
  return names.sort();
}

async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
}

/** GitHub puts all of a repository into one folder named after the commit. */
async function filesOfArchive(
  archive: string,
  { root, subsets }: FileChoice,
): Promise<Map<string, Uint8Array>> {
  const { size } = await Deno.stat(archive);
  if (size > MAX_ARCHIVE_BYTES) throw new Error(`Cannot unpack "${archive}": it is too large`);
  // one thread, and no workers to shut down
  const settings = { useWebWorkers: false, useCompressionStream: true, checkSignature: true };
  const zip = new ZipReader(new Uint8ArrayReader(await Deno.readFile(archive)), settings);
  const files = new Map<string, Uint8Array>();
  let total = 0, entries = 0;
  try {
    for await (const entry of zip.getEntriesGenerator()) {
      if (++entries > MAX_ENTRIES) throw new Error(`it has more than ${MAX_ENTRIES} entries`);
      const match = /^[^/]+\/(\w+)\/(\w+)\/([\w.-]+\.json)$/.exec(entry.filename);
      if (entry.directory || match === null) continue;
      const [, top = "", subset = "", name = ""] = match;
      if (top !== root || (subsets !== null && !subsets.includes(subset))) continue;
      total = withinBounds(entry.filename, entry.uncompressedSize, total);
      files.set(`${subset}/${name}`, await extract(entry));
    }
    return files;
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`Cannot unpack "${archive}": ${message}`, { cause: error });
  } finally {
    await zip.close();
  }
}

/** The bytes of an entry, which may not be more than it announces. */
async function extract(entry: FileEntry): Promise<Uint8Array> {
  const bytes = new Uint8Array(entry.uncompressedSize);
  let filled = 0;
  const write = (chunk: Uint8Array) => {
    if (filled + chunk.length > bytes.length) throw new Error(`${entry.filename} is too long`);
    bytes.set(chunk, filled);
    filled += chunk.length;
  };
  await entry.getData(new WritableStream({ write }));
  if (filled < bytes.length) throw new Error(`${entry.filename} is too short`);
  return bytes;
}

/** The bytes so far with those of one more file. */
function withinBounds(path: string, sizeBytes: number, total: number): number {
  if (sizeBytes > MAX_FILE_BYTES) throw new Error(`${path} has ${sizeBytes} bytes: too large`);
  if (total + sizeBytes > MAX_TOTAL_BYTES) throw new Error(`with ${path} it is too large`);
  return total + sizeBytes;
}
