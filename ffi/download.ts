/**
 * Downloads a large file: resumed where it stopped, checked by its SHA-256,
 * put in place only when whole. Memory stays at one chunk.
 *
 * @module
 */

import { withLock } from "./_lock.ts";
import { append, digest, openPart, type Part, restart, sha256OfFile } from "./_part.ts";
import { reasonOf } from "./_reason.ts";

/** How far a download is. */
export interface DownloadProgress {
  /** Bytes on disk, those of earlier runs included. */
  readonly received: number;
  /** Bytes of the whole file, where the server told. */
  readonly total?: number;
}

/** How to download. */
export interface DownloadOptions {
  /** The SHA-256 of the whole file, in hex. Only with it can an earlier run be resumed. */
  readonly sha256?: string | undefined;
  /** Called at most ten times a second, and at the end. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Used instead of the global `fetch`. */
  readonly fetch?: typeof fetch | undefined;
  /** Ends the download; what arrived is kept. */
  readonly signal?: AbortSignal | undefined;
  /** The longest wait for the next bytes, default 30,000. */
  readonly timeoutMs?: number | undefined;
  /** The longest wait for the server's first answer, default 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** How often in a row a try may bring nothing new, default 3. */
  readonly attempts?: number | undefined;
  /** The pause before another try, default 1,000; doubled each time. */
  readonly pauseMs?: number | undefined;
}

/** A file that is in place. */
export interface Downloaded {
  /** Where it is. */
  readonly file: string;
  /** Its SHA-256, in hex. */
  readonly sha256: string;
  /** Its size. */
  readonly sizeBytes: number;
  /** False when it was there already. */
  readonly fetched: boolean;
}

export { sha256OfFile, withLock };

/** A failure after which another try may succeed. */
class Interrupted extends Error {}

/**
 * The file at `url`, in `file`. A `.part` file beside it is continued if the server can; a file in
 * place whose checksum is right is not fetched again; two at once wait for each other.
 *
 * @throws {Error} when the server refuses, sends too little, too much or the wrong content, or
 * when the disk does not take it
 *
 * @example
 * ```ts ignore
 * import { download } from "./download.ts";
 *
 * await download("https://example.org/weights.bin", "cache/weights.bin", {
 *   sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
 *   onProgress: ({ received, total }) => console.log(received, "of", total),
 * });
 * ```
 */
export async function download(
  url: string | URL,
  file: string,
  options: DownloadOptions = {},
): Promise<Downloaded> {
  try {
    const work = () => downloadAlone(url, file, options);
    return await withLock(`${file}.lock`, work, { signal: options.signal });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new Error(`Cannot download ${url}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The download, while nobody else downloads the same file. */
async function downloadAlone(
  url: string | URL,
  file: string,
  options: DownloadOptions,
): Promise<Downloaded> {
  const wanted = options.sha256?.toLowerCase();
  const there = wanted === undefined ? undefined : await verified(file, wanted);
  if (there !== undefined) return there;

  const part = await openPart(`${file}.part`, wanted !== undefined);
  try {
    const wasResumed = part.sizeBytes > 0;
    await fillPart(part, url, options);
    if (wasResumed && digest(part) !== wanted) {
      await restart(part); // what an earlier run left belonged to something else
      await fillPart(part, url, options);
    }
    await part.handle.syncData();
  } finally {
    part.handle.close();
  }

  const sha256 = digest(part);
  if (wanted !== undefined && sha256 !== wanted) {
    await Deno.remove(part.path);
    throw new Error(`its SHA-256 is ${sha256}, not ${wanted}; what arrived was deleted`);
  }
  await Deno.rename(part.path, file);
  return { file, sha256, sizeBytes: part.sizeBytes, fetched: true };
}

/** The file in place, if its checksum is right. */
async function verified(file: string, wanted: string): Promise<Downloaded | undefined> {
  try {
    const { sha256, sizeBytes } = await sha256OfFile(file);
    return sha256 === wanted ? { file, sha256, sizeBytes, fetched: false } : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Requests until the part is whole; gives up after `attempts` in a row that brought nothing new. */
async function fillPart(part: Part, url: string | URL, options: DownloadOptions): Promise<void> {
  const { attempts = 3, pauseMs = 1_000, sha256 } = options;
  if (sha256 !== undefined && digest(part) === sha256.toLowerCase()) return;
  let most = part.sizeBytes;
  for (let failures = 0;;) {
    try {
      return await fillOnce(part, url, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      failures = part.sizeBytes > most ? 1 : failures + 1;
      most = Math.max(most, part.sizeBytes);
      if (!(error instanceof Interrupted) || failures >= attempts) throw error;
      if (sha256 === undefined) await restart(part); // nothing would tell a changed file
      await new Promise((resolve) => setTimeout(resolve, pauseMs * 2 ** (failures - 1)));
    }
  }
}

/** One request, from where the part ends to the end of the file. */
async function fillOnce(part: Part, url: string | URL, options: DownloadOptions): Promise<void> {
  const watch = new Watch(options.signal);
  try {
    const response = await ask(part, url, options, watch);
    const total = await agree(part, response);
    await drain(part, response, total, options, watch);
  } finally {
    watch.stop();
  }
}

/** The server's answer to a request for the rest of the file. */
async function ask(
  part: Part,
  url: string | URL,
  options: DownloadOptions,
  watch: Watch,
): Promise<Response> {
  const { connectTimeoutMs = 10_000 } = options;
  // A compressed body would make its length and its ranges mean something else.
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (part.sizeBytes > 0) headers["range"] = `bytes=${part.sizeBytes}-`;
  watch.expect(connectTimeoutMs, `no answer within ${connectTimeoutMs / 1000} s`);
  return await (options.fetch ?? fetch)(url, { headers, signal: watch.signal });
}

/** The size of the whole file, once the part is where the answer begins. */
async function agree(part: Part, response: Response): Promise<number | undefined> {
  const { status, statusText, headers } = response;
  if (status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "");
    if (range !== null && Number(range[1]) === part.sizeBytes) {
      return range[2] === "*" ? undefined : Number(range[2]);
    }
  }
  if (status === 200) { // the server ignores ranges: the whole file comes again
    await restart(part);
    const length = headers.get("content-length");
    return length === null ? undefined : Number(length);
  }
  await response.body?.cancel();
  if (status === 206 || status === 416) {
    await restart(part);
    throw new Interrupted(`the server answered a request to resume with another range`);
  }
  const text = `the server answered ${status} ${statusText}`.trim();
  throw status >= 500 || status === 429 ? new Interrupted(text) : new Error(text);
}

/** Appends the body to the part. */
async function drain(
  part: Part,
  response: Response,
  total: number | undefined,
  options: DownloadOptions,
  watch: Watch,
): Promise<void> {
  const { timeoutMs = 30_000 } = options;
  const report = reporter(total, options.onProgress);
  const reader = (response.body ?? new Response("").body!).getReader();
  const ended = () => `the connection ended after ${part.sizeBytes} of ${total ?? "?"} bytes`;
  try {
    while (true) {
      watch.expect(timeoutMs, `nothing arrived for ${timeoutMs / 1000} s`);
      const { done, value } = await reader.read().catch((error) => {
        throw watch.reason ?? new Interrupted(ended(), { cause: error });
      });
      if (done) break;
      if (total !== undefined && part.sizeBytes + value.length > total) {
        await restart(part);
        throw new Error(`the server sent more than the ${total} bytes that it announced`);
      }
      await append(part, value);
      report(part.sizeBytes, false);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
  if (total !== undefined && part.sizeBytes < total) throw new Interrupted(ended());
  report(part.sizeBytes, true);
}

/** Ends a request that brings nothing for too long. */
class Watch {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(outer?: AbortSignal) {
    const inner = this.#controller.signal;
    this.signal = outer === undefined ? inner : AbortSignal.any([outer, inner]);
  }

  /** Why the request was ended; absent when it was not. */
  get reason(): unknown {
    return this.signal.aborted ? this.signal.reason : undefined;
  }

  /** Allows `ms` until the next call. */
  expect(ms: number, otherwise: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(new Interrupted(otherwise)), ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** Tells progress at most ten times a second. */
function reporter(
  total: number | undefined,
  onProgress: DownloadOptions["onProgress"],
): (received: number, isLast: boolean) => void {
  let last = -Infinity;
  return (received, isLast) => {
    const now = performance.now();
    if (!isLast && now - last < 100) return;
    last = now;
    onProgress?.(total === undefined ? { received } : { received, total });
  };
}
