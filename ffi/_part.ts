/**
 * The beginning of a file that is still arriving, and the hash of what is there.
 *
 * @module
 */

import { createHash, type Hash } from "node:crypto";

/** The beginning of a file: what is on disk, and its hash so far. */
export interface Part {
  /** Where it is. */
  readonly path: string;
  /** The open file, positioned at its end. */
  readonly handle: Deno.FsFile;
  /** SHA-256 of its bytes. */
  hash: Hash;
  /** How many there are. */
  sizeBytes: number;
}

/** The part at `path`; empty unless what is there is kept. */
export async function openPart(path: string, keep: boolean): Promise<Part> {
  const handle = await Deno.open(path, { create: true, read: true, write: true, truncate: !keep });
  const empty = { hash: createHash("sha256"), sizeBytes: 0 };
  return { path, handle, ...(keep ? await hashRest(handle) : empty) };
}

/** Empties the part. */
export async function restart(part: Part): Promise<void> {
  if (part.sizeBytes === 0) return;
  await part.handle.truncate(0);
  await part.handle.seek(0, Deno.SeekMode.Start);
  part.hash = createHash("sha256");
  part.sizeBytes = 0;
}

/** Adds bytes to the part. */
export async function append(part: Part, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await part.handle.write(bytes.subarray(written));
  }
  part.hash.update(bytes);
  part.sizeBytes += bytes.length;
}

/** The SHA-256 of the part so far, in hex. */
export function digest(part: Part): string {
  return part.hash.copy().digest("hex");
}

/** The hash of what follows in an open file. */
async function hashRest(handle: Deno.FsFile): Promise<{ hash: Hash; sizeBytes: number }> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(1 << 20);
  let sizeBytes = 0;
  for (let n = await handle.read(buffer); n !== null; n = await handle.read(buffer)) {
    hash.update(buffer.subarray(0, n));
    sizeBytes += n;
  }
  return { hash, sizeBytes };
}

/** The SHA-256 of a file, in hex, and its size; never more than a mebibyte in memory. */
export async function sha256OfFile(path: string): Promise<{ sha256: string; sizeBytes: number }> {
  using handle = await Deno.open(path, { read: true });
  const { hash, sizeBytes } = await hashRest(handle);
  return { sha256: hash.digest("hex"), sizeBytes };
}
