/**
 * Pretrained weights from elsewhere, into the cache: from a base URL, or from a
 * repository of a Hugging Face hub by the hub's own client.
 *
 *     BASE/trm-sudoku/model.safetensors
 *     hf:owner/repo[@revision][/path]  → path/trm-sudoku/model.safetensors in it
 *
 * `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` count, as everywhere in Deno.
 *
 * @module
 */
import { dirname, join } from "@std/path";
import { download, withLock } from "../../ffi/download.ts";
import { downloadFromHub, isHubAddress, parseHubAddress } from "../hub.ts";
import { type PretrainedEntry, pretrainedIndex, WEIGHT_FILES, type WeightFile } from "./index.ts";
import {
  cachedFolder,
  fileProblem,
  findPretrained,
  folderProblem,
  type Found,
  packageAddress,
  type PlaceOptions,
} from "./places.ts";

/** How far the download of a file is. */
export interface WeightsProgress {
  /** Which file, `trm-sudoku/model.safetensors`. */
  readonly path: string;
  /** Bytes that have arrived, those of an earlier run included. */
  readonly received: number;
  /** Bytes of the whole file. */
  readonly total: number;
}

/** Where to take weights from, and how. */
export interface ObtainOptions extends PlaceOptions {
  /** A base URL or `hf:owner/repo`; `PONDER_WEIGHTS_URL`, else the index's own, else where the package came from, unless given. */
  readonly baseUrl?: string | undefined;
  /** Keep off the network: what is not on this machine is missing. */
  readonly offline?: boolean | undefined;
  /** Told what is done, a line each. */
  readonly report?: ((line: string) => void) | undefined;
  /** Told as bytes arrive. */
  readonly onProgress?: ((progress: WeightsProgress) => void) | undefined;
  /** Ends the download; what arrived is kept for the next one. */
  readonly signal?: AbortSignal | undefined;
  /** The longest wait for the next bytes, in milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** The pause before another try, in milliseconds. */
  readonly pauseMs?: number | undefined;
}

/** Weights that are on this machine now. */
export interface Obtained extends Found {
  /** False when they were there already. */
  readonly fetched: boolean;
}

/**
 * Weights in a folder of this machine, fetched into the cache unless they are there
 * already; every file has the size and the SHA-256 of the index.
 *
 * @throws {Error} when they are nowhere, or what arrives is something else
 */
export async function obtain(
  entry: PretrainedEntry,
  options: ObtainOptions = {},
): Promise<Obtained> {
  const { report = () => {}, offline = false } = options;
  const problems: string[] = [];
  const found = findPretrained(entry, options, (problem) => {
    problems.push(problem);
    if (!problem.startsWith("no file")) report(`Passing over what is damaged: ${problem}`);
  });
  if (found !== null) return { ...found, fetched: false };

  const from = sourceOf(options);
  if (offline || from === null) {
    const why = offline
      ? "and offline nothing is fetched"
      : "and no address is known to fetch them from: baseUrl, --from or PONDER_WEIGHTS_URL names one";
    throw new Error(
      `Cannot find the weights "${entry.folder}": ${[...problems, why].join("; ")}`,
    );
  }
  const folder = cachedFolder(entry, options.cache);
  await makeFolder(dirname(folder));
  const fetched = await withLock(`${folder}.lock`, async () => {
    if (folderProblem(folder, entry) === null) return false; // somebody else has been quicker
    await (isHubAddress(from) ? fromHub : fromUrl)(from, folder, entry, options);
    return true;
  }, {
    signal: options.signal,
    onWait: () => report(`Waiting for another download of "${folder}"`),
  });
  return { place: "cache", folder, fetched };
}

async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (cause) {
    const { message } = cause as Error;
    throw new Error(`Cannot write to the cache: ${message}; PONDER_CACHE names another`, { cause });
  }
}

/** The address to fetch from, null if nobody named one. */
function sourceOf({ baseUrl }: ObtainOptions): string | null {
  const from = baseUrl || Deno.env.get("PONDER_WEIGHTS_URL") || pretrainedIndex().source ||
    packageAddress();
  if (from === null || isHubAddress(from)) return from;
  if (["http:", "https:"].includes(URL.parse(from)?.protocol ?? "")) return from;
  throw new SyntaxError(
    `Cannot fetch weights from "${from}": expected http://…, https://… or hf:owner/repo`,
  );
}

async function fromUrl(
  base: string,
  folder: string,
  entry: PretrainedEntry,
  options: ObtainOptions,
): Promise<void> {
  for (const name of WEIGHT_FILES) {
    const file = join(folder, name);
    if (fileProblem(file, entry.files[name]) === null) continue; // an earlier run came so far
    const url = new URL(base);
    const path = `${entry.folder}/${name}`;
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/${path}`;
    options.report?.(`Downloading ${url}`);
    const onProgress = (received: number) =>
      options.onProgress?.({ path, received, total: entry.files[name].bytes });
    await downloadChecked(url, file, entry.files[name], { ...options, onProgress });
  }
}

/** Downloads a file; ends as soon as the server is seen to have another one. */
async function downloadChecked(
  url: URL,
  file: string,
  { bytes, sha256 }: WeightFile,
  { signal, onProgress, timeoutMs, pauseMs }: Omit<ObtainOptions, "onProgress"> & {
    readonly onProgress: (received: number) => void;
  },
): Promise<void> {
  const wrong = new AbortController();
  const signals = [wrong.signal, ...(signal === undefined ? [] : [signal])];
  try {
    await download(url, file, {
      ...{ sha256, timeoutMs, pauseMs },
      signal: AbortSignal.any(signals),
      onProgress: ({ received, total = bytes }) => {
        if (Math.max(received, total) > bytes || total < bytes) {
          const size = received > bytes ? `more than ${bytes}` : `${total}`;
          wrong.abort(new Error(`it has ${size} bytes, in the index ${bytes}`));
        }
        onProgress(received);
      },
    });
  } catch (error) {
    if (!wrong.signal.aborted || signal?.aborted) throw error;
    await removeIfThere(`${file}.part`);
    throw new Error(`Cannot download ${url}: ${wrong.signal.reason.message}`, { cause: error });
  }
}

async function fromHub(
  address: string,
  folder: string,
  entry: PretrainedEntry,
  { report, onProgress, signal, timeoutMs }: ObtainOptions,
): Promise<void> {
  const { repo, revision, file: prefix } = parseHubAddress(address);
  const pathOf = (name: string) => [...(prefix?.split("/") ?? []), entry.folder, name].join("/");
  const scratch = `${folder}.hub`; // one process at a time: whoever is here holds the lock
  await downloadFromHub(repo, {
    folder: scratch,
    ...{ revision, report, onProgress, signal, timeoutMs },
    files: WEIGHT_FILES.map(pathOf),
  });
  try {
    for (const name of WEIGHT_FILES) {
      const problem = fileProblem(join(scratch, pathOf(name)), entry.files[name]);
      if (problem !== null) throw new Error(`Cannot use hf:${repo}/${pathOf(name)}: ${problem}`);
    }
    await Deno.mkdir(folder, { recursive: true });
    for (const name of WEIGHT_FILES) {
      await Deno.rename(join(scratch, pathOf(name)), join(folder, name));
    }
  } finally {
    await removeIfThere(scratch);
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
