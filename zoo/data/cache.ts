/**
 * The files of the data sets that are fetched: in a cache that all projects of a
 * user share, each whole and checked, or not there.
 *
 *     CACHE/arc-1/training/007bbfb7.json    the checksum of all is in `sources.ts`
 *     CACHE/sudoku-extreme/train.csv        checked by the hash that the hub lists
 *
 * `CACHE` is `$PONDER_CACHE/data`, else `data` beside the cache of libtorch.
 * `PONDER_GITHUB_URL` names another host of archives, `HF_ENDPOINT` another hub.
 *
 * @module
 */
import { basename, dirname, join } from "@std/path";
import { writeFileAtomic } from "../../core/io/file.ts";
import { download, withLock } from "../../ffi/download.ts";
import { cacheFolder } from "../cache.ts";
import { type HubEntry, listHub } from "../hub.ts";
import {
  contentChecksum,
  MAX_ARCHIVE_BYTES,
  readTaskFiles,
  type TaskFiles,
  writeTaskFiles,
} from "./files.ts";
import {
  type ArchiveName,
  type ArchiveSource,
  type HubName,
  type HubSource,
  sources,
} from "./sources.ts";

/** Where archives come from: `URL/owner/name/zip/commit`. */
export const GITHUB_URL = "https://codeload.github.com";

/** How to come by the files of a data set. */
export interface FetchOptions {
  /** Keep off the network: what is not in the cache is missing. */
  readonly offline?: boolean | undefined;
  /** Files on disk to take instead: a folder, an archive, or one of the files. */
  readonly source?: string | undefined;
  /** Compare what is in the cache with what the hub lists now; only the network can tell. */
  readonly verify?: boolean | undefined;
  /** The cache; `dataCache()` unless given. */
  readonly cache?: string | undefined;
  /** Told what is done, a line each. */
  readonly report?: ((line: string) => void) | undefined;
  /** Told as bytes arrive. */
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
  /** Ends the download. */
  readonly signal?: AbortSignal | undefined;
  /** The longest wait for the next bytes, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** The pause before another try, in milliseconds. */
  readonly pauseMs?: number | undefined;
}

/** How far the download of a file is. */
export interface FetchProgress {
  /** What is downloaded. */
  readonly what: string;
  /** Bytes that have arrived. */
  readonly received: number;
  /** Bytes of the whole file, where the server told. */
  readonly total?: number;
}

/** The folder under which every data set has a folder of its own. */
export function dataCache(): string {
  return cacheFolder("data");
}

// Archives

/** The task files of a data set, from the cache, or fetched into it from where `source` says. */
export async function cachedTasks(
  name: ArchiveName,
  options: FetchOptions = {},
  source: ArchiveSource = sources[name],
): Promise<TaskFiles> {
  const folder = join(options.cache ?? dataCache(), name);
  const there = await intact(folder, source);
  if (there !== undefined && options.source === undefined) return there;
  if (options.offline && options.source === undefined) {
    throw missing(name, `its ${source.numFiles} files are not all in "${folder}", or changed`);
  }
  const work = async () => await intact(folder, source) ?? await fill(folder, source, options);
  return await withLock(`${folder}.lock`, work, { signal: options.signal });
}

/** The files in the cache, if they are the right ones. */
async function intact(folder: string, source: ArchiveSource): Promise<TaskFiles | undefined> {
  const files = await readTaskFiles(folder, source).catch(() => undefined);
  return files !== undefined && contentChecksum(files) === source.sha256 ? files : undefined;
}

/** Puts the files into the cache, while nobody else does. */
async function fill(
  folder: string,
  source: ArchiveSource,
  options: FetchOptions,
): Promise<TaskFiles> {
  const name = basename(folder), cache = dirname(folder);
  for await (const entry of Deno.readDir(cache)) { // of downloads that were cut short
    if (entry.name.startsWith(`.${name}.`)) await remove(join(cache, entry.name));
  }
  const scratch = join(cache, `.${name}.${crypto.randomUUID().slice(0, 8)}`);
  try {
    await Deno.mkdir(scratch);
    const from = options.source ?? await fetchArchive(name, source, scratch, options);
    const files = await readTaskFiles(from, source);
    const sha256 = contentChecksum(files);
    if (sha256 !== source.sha256) {
      throw new Error(
        `Cannot use ${options.source ?? "what arrived"} as ${name}: the checksum of its ` +
          `${files.size} files is ${sha256}, that of ${source.repo}@${source.commit.slice(0, 7)} ` +
          `with ${source.numFiles} files ${source.sha256}`,
      );
    }
    await writeTaskFiles(join(scratch, name), files);
    await remove(folder);
    await Deno.rename(join(scratch, name), folder);
    return files;
  } finally {
    await remove(scratch);
  }
}

/** Downloads the archive of the commit, and says where it is. */
async function fetchArchive(
  name: string,
  { repo, commit }: ArchiveSource,
  folder: string,
  options: FetchOptions,
): Promise<string> {
  const host = (Deno.env.get("PONDER_GITHUB_URL") || GITHUB_URL).replace(/\/+$/, "");
  const url = `${host}/${repo}/zip/${commit}`;
  options.report?.(`Downloading ${url}`);
  const file = join(folder, `${basename(repo)}.zip`);
  await bounded(name, url, file, MAX_ARCHIVE_BYTES, undefined, options);
  return file;
}

// Files of a hub

/** The paths of the two CSV files of a data set, in the cache, fetched into it if need be. */
export async function cachedCsv(
  name: HubName,
  options: FetchOptions = {},
): Promise<{ readonly train: string; readonly test: string }> {
  const { files: { train, test } } = sources[name];
  const folder = join(options.cache ?? dataCache(), name);
  const paths = { train: join(folder, train), test: join(folder, test) };
  const absent = (await Promise.all([train, test].map(async (file) => {
    return await isThere(join(folder, file)) ? [] : [file];
  }))).flat();
  if (options.source !== undefined) {
    await withLock(`${folder}.lock`, () => copyCsv(name, folder, options.source!), options);
    return paths;
  }
  if (absent.length === 0 && (options.offline || !options.verify)) return paths;
  if (options.offline) throw missing(name, `"${folder}" lacks ${absent.join(" and ")}`);
  await withLock(`${folder}.lock`, () => fetchCsv(name, folder, options), options);
  return paths;
}

/** Puts files that a user has into the cache. */
async function copyCsv(name: HubName, folder: string, from: string): Promise<void> {
  const wanted: readonly string[] = Object.values(sources[name].files);
  const isFolder = (await Deno.stat(from)).isDirectory;
  if (!isFolder && !wanted.includes(basename(from))) {
    throw new Error(`Cannot take "${from}" for ${name}: expected ${wanted.join(" or ")}`);
  }
  await Deno.mkdir(folder, { recursive: true });
  for (const file of isFolder ? wanted : [basename(from)]) {
    using handle = await Deno.open(isFolder ? join(from, file) : from);
    await writeFileAtomic(join(folder, file), handle.readable);
  }
}

async function fetchCsv(name: HubName, folder: string, options: FetchOptions): Promise<void> {
  const { repo, revision, files }: HubSource = sources[name];
  const { signal, timeoutMs } = options;
  const hub = await listHub(repo, { type: "dataset", revision, signal, timeoutMs });
  await Deno.mkdir(folder, { recursive: true });
  for (const path of Object.values(files)) {
    const entry = hub.files.find((file) => file.path === path);
    if (entry === undefined) {
      const all = hub.files.map((file) => file.path).join(", ") || "no files";
      throw new Error(`Cannot find "${path}" in ${hub.address}: it holds ${all}`);
    }
    const file = join(folder, path);
    if (await entry.matches(file)) {
      options.report?.(`Found ${file}`);
      continue;
    }
    options.report?.(`Downloading ${entry.url}`);
    await fetchEntry(name, entry, file, hub.fetch, options);
  }
}

/** Downloads a file; one whose SHA-256 the hub lists goes on where an earlier run stopped. */
async function fetchEntry(
  name: HubName,
  entry: HubEntry,
  file: string,
  via: typeof fetch,
  options: FetchOptions,
): Promise<void> {
  const { sha256, sizeBytes, url } = entry;
  if (sha256 !== undefined) {
    return await bounded(name, url, file, sizeBytes, { sha256, fetch: via }, options);
  }
  const arriving = `${file}.tmp-${crypto.randomUUID()}`;
  try {
    await bounded(name, url, arriving, sizeBytes, { fetch: via }, options);
    if (!await entry.matches(arriving)) {
      throw new Error(`Cannot download ${url}: what arrived is not what the hub lists`);
    }
    await Deno.rename(arriving, file);
  } finally {
    for (const left of [arriving, `${arriving}.part`]) await remove(left);
  }
}

// Both

/** Downloads a file of at most `maxBytes`. */
async function bounded(
  name: string,
  url: string,
  file: string,
  maxBytes: number,
  how: { readonly sha256?: string; readonly fetch?: typeof fetch } = {},
  { onProgress, signal, timeoutMs, pauseMs }: FetchOptions,
): Promise<void> {
  const tooMuch = new AbortController();
  const signals = [tooMuch.signal, ...(signal === undefined ? [] : [signal])];
  try {
    await download(url, file, {
      ...how,
      ...{ timeoutMs, pauseMs },
      signal: AbortSignal.any(signals),
      onProgress: (progress) => {
        if (progress.received > maxBytes) tooMuch.abort();
        onProgress?.({ what: `${name}: ${basename(file)}`, ...progress });
      },
    });
  } catch (cause) {
    signal?.throwIfAborted();
    const said = tooMuch.signal.aborted
      ? `Cannot download ${url}: it has more than ${maxBytes} bytes`
      : (cause as Error).message;
    throw new Error(`${said}; --source takes what is on disk`, { cause });
  }
}

function missing(name: string, what: string): Error {
  return new Error(
    `Cannot use ${name} offline: ${what}; deno task data download ${name} fetches it, ` +
      `--source takes what is on disk`,
  );
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
