/**
 * Unpacks chosen entries of a zip archive, streaming: an entry of 400 MB never
 * lies in memory whole.
 *
 * @module
 */

import { type FileEntry, Reader, ZipReader } from "@zip.js/zip.js";
import { basename, join } from "@std/path";
import { reasonOf } from "./_reason.ts";

/** What to unpack. */
export interface UnzipOptions {
  /** The file name to unpack an entry to; absent leaves it out. */
  readonly select: (entry: string) => string | undefined;
  /** Told as bytes are written. */
  readonly onProgress?: ((progress: UnzipProgress) => void) | undefined;
  /** Ends the unpacking. */
  readonly signal?: AbortSignal | undefined;
}

/** How far the unpacking is. */
export interface UnzipProgress {
  /** Bytes written. */
  readonly written: number;
  /** Bytes of all the chosen entries. */
  readonly total: number;
}

/** A file as zip.js reads it: at any offset. */
class FileReader extends Reader<Deno.FsFile> {
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile) {
    super(file);
    this.#file = file;
  }

  override async init(): Promise<void> {
    this.size = (await this.#file.stat()).size;
  }

  override async readUint8Array(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - offset)));
    await this.#file.seek(offset, Deno.SeekMode.Start);
    for (let filled = 0; filled < bytes.length;) {
      const n = await this.#file.read(bytes.subarray(filled));
      if (n === null) return bytes.subarray(0, filled);
      filled += n;
    }
    return bytes;
  }
}

/**
 * The names of the files that were unpacked into `directory`, checked by the archive's own CRC-32.
 *
 * @throws {Error} when the archive is damaged, or when the disk does not take it
 */
export async function unzip(
  archive: string,
  directory: string,
  { select, onProgress, signal }: UnzipOptions,
): Promise<string[]> {
  using file = await Deno.open(archive, { read: true });
  // One thread and Deno's own inflate: two seconds for the CPU wheel, and no workers to shut down.
  const settings = { useWebWorkers: false, useCompressionStream: true, checkSignature: true };
  const zip = new ZipReader(new FileReader(file), settings);
  try {
    const chosen: { entry: FileEntry; name: string }[] = [];
    for await (const entry of zip.getEntriesGenerator()) {
      if (entry.directory) continue;
      const name = select(entry.filename);
      if (name !== undefined) chosen.push({ entry, name });
    }
    const total = chosen.reduce((sum, { entry }) => sum + entry.uncompressedSize, 0);
    await Deno.mkdir(directory, { recursive: true });
    let written = 0;
    const count = (bytes: number) => onProgress?.({ written: written += bytes, total });
    for (const { entry, name } of chosen) {
      if (basename(name) !== name) throw new Error(`internal: "${name}" is not a file name`);
      await extract(entry, join(directory, name), count, signal);
    }
    return chosen.map(({ name }) => name);
  } catch (error) {
    signal?.throwIfAborted();
    throw new Error(`Cannot unpack ${archive}: ${reasonOf(error)}`, { cause: error });
  } finally {
    await zip.close();
  }
}

/** Writes an entry to a file, telling how many bytes each write took. */
async function extract(
  entry: FileEntry,
  path: string,
  onWrite: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true, truncate: true });
  let refusal: unknown; // zip.js passes on only that the stream has failed
  const write = async (bytes: Uint8Array) => {
    try {
      for (let n = 0; n < bytes.length;) n += await file.write(bytes.subarray(n));
    } catch (error) {
      throw refusal = error;
    }
    onWrite(bytes.length);
  };
  try {
    await entry.getData(new WritableStream({ write }), signal === undefined ? {} : { signal });
  } catch (error) {
    throw refusal ?? error;
  }
}
