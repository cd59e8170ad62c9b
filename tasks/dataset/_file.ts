/**
 * Whole reads and whole writes: one system call may move only a part.
 *
 * @module
 */

/** Fills `bytes` from `offset` of the file on; how many there were. */
export function readAt(file: Deno.FsFile, offset: number, bytes: Uint8Array): number {
  file.seekSync(offset, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < bytes.length) {
    const count = file.readSync(filled === 0 ? bytes : bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return filled;
}

/** Writes all of `bytes` where the file stands. */
export function writeWhole(file: Deno.FsFile, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) written += file.writeSync(bytes.subarray(written));
}

/** A name beside `path` for what is to become it. */
export function temporaryOf(path: string): string {
  return `${path}.tmp-${crypto.randomUUID()}`;
}

/** Removes a file or a folder; the error that led here matters more than one from cleaning up. */
export function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // nothing was left, or nothing can be done
  }
}

/** Writes a file that is there whole or not at all. */
export function writeTextWhole(path: string, text: string): void {
  const temporary = temporaryOf(path);
  try {
    using file = Deno.openSync(temporary, { write: true, createNew: true });
    writeWhole(file, new TextEncoder().encode(text));
    file.syncSync();
  } catch (error) {
    removeQuietly(temporary);
    throw error;
  }
  Deno.renameSync(temporary, path);
}

/** The text of a file; undefined when there is none. */
export function readTextIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
