/**
 * Weights from a Hugging Face hub: which files of a repository are wanted, and how
 * they get into a folder, whole and checked or not at all.
 *
 * `HF_ENDPOINT` names another hub than the client's own, `HF_TOKEN` is sent to it.
 * The hub's own client, npm:@huggingface/hub, is loaded when it is needed.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { ListFileEntry } from "@huggingface/hub";
import { basename, dirname, join } from "@std/path";
import { writeFileAtomic } from "../core/io/file.ts";

/** A repository, or a file in it. */
export interface HubAddress {
  /** Owner and name, `sapientinc/HRM-checkpoint-ARC-2`. */
  readonly repo: string;
  /** A branch, a tag or a commit; absent for `main`. */
  readonly revision?: string;
  /** A file's path; absent for the checkpoint and its config. */
  readonly file?: string;
}

/** What to download, and where to. */
export interface DownloadFromHubOptions {
  /** Where the files go, under their paths in the repository; made if need be. */
  readonly folder: string;
  /** A branch, a tag or a commit; default `main`. */
  readonly revision?: string | undefined;
  /** The paths of the files; absent for the one checkpoint, or the newest of `step_N`. */
  readonly files?: readonly string[] | undefined;
  /** Told what is done, a line each. */
  readonly report?: ((line: string) => void) | undefined;
  /** Told as bytes arrive. */
  readonly onProgress?: ((progress: HubProgress) => void) | undefined;
  /** Ends the download; nothing half-written is left. */
  readonly signal?: AbortSignal | undefined;
  /** The longest wait for an answer or for the next bytes, default 60,000. */
  readonly timeoutMs?: number | undefined;
}

/** How far the download of a file is. */
export interface HubProgress {
  /** Its path in the repository. */
  readonly path: string;
  /** Bytes that have arrived. */
  readonly received: number;
  /** Bytes of the whole file. */
  readonly total: number;
}

/** A file of a repository that is in place. */
export interface HubFile {
  /** Its path in the repository. */
  readonly path: string;
  /** Where it is. */
  readonly file: string;
  /** Its size. */
  readonly sizeBytes: number;
  /** False when it was there already. */
  readonly fetched: boolean;
}

/** Which repository of a hub, and how to ask. */
export interface ListHubOptions {
  /** The kind of repository; default `model`. */
  readonly type?: "model" | "dataset" | undefined;
  /** A branch, a tag or a commit; default `main`. */
  readonly revision?: string | undefined;
  /** Ends the request. */
  readonly signal?: AbortSignal | undefined;
  /** The longest wait for an answer, default 60,000. */
  readonly timeoutMs?: number | undefined;
}

/** A file as a hub lists it. */
export interface HubEntry {
  /** Its path in the repository. */
  readonly path: string;
  /** Its size. */
  readonly sizeBytes: number;
  /** Its SHA-256 in hex; absent for small files, which the hub knows by git's hash. */
  readonly sha256: string | undefined;
  /** Where its content is. */
  readonly url: string;
  /** Whether a file on disk has its size and its hash. */
  matches(file: string): Promise<boolean>;
}

/** The files of a repository, and how to ask for them. */
export interface HubListing {
  /** What errors call the repository. */
  readonly address: string;
  /** Its files. */
  readonly files: readonly HubEntry[];
  /** `fetch` with the token that the hub knows the user by, if there is one. */
  readonly fetch: typeof fetch;
}

const SCHEME = "hf:";
const NAME = /^[A-Za-z0-9][\w.-]{0,95}$/;
/** What describes a checkpoint, if it lies beside it. */
const CONFIGS = ["all_config.yaml", "config.json"];
/** Files of weights: by extension, or the names that the official training scripts give them. */
const WEIGHTS = /(\.(safetensors|pt|pth|bin|ckpt)|(^|\/)(checkpoint|step_\d+))$/;
const STEP = /^step_(\d+)(\.\w+)?$/;
const MAX_FILES = 10_000;

/**
 * The repository, revision and file in `hf:owner/repo[@revision][/file]`. A slash in
 * the revision is written `%2F`.
 *
 * @throws {SyntaxError} when it is no such address
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseHubAddress } from "./hub.ts";
 *
 * assertEquals(parseHubAddress("hf:sapientinc/HRM-checkpoint-ARC-2@main/checkpoint"), {
 *   repo: "sapientinc/HRM-checkpoint-ARC-2",
 *   revision: "main",
 *   file: "checkpoint",
 * });
 * ```
 */
export function parseHubAddress(text: string): HubAddress {
  const [owner = "", rest = "", ...path] = text.slice(SCHEME.length).split("/");
  const [name = "", ...revisions] = rest.split("@");
  const revision = revisions.length === 1 ? decoded(revisions[0]!) : undefined;
  const file = path.length > 0 ? path.join("/") : undefined;
  const isAddress = text.startsWith(SCHEME) && isRepo(`${owner}/${name}`) &&
    (revisions.length === 0 || isRevision(revision)) && (file === undefined || isSafePath(file));
  if (!isAddress) {
    throw new SyntaxError(
      `Cannot read ${quoted(text)} as an address: expected hf:owner/repo[@revision][/file]`,
    );
  }
  return {
    repo: `${owner}/${name}`,
    ...(revision === undefined ? {} : { revision }),
    ...(file === undefined ? {} : { file }),
  };
}

/** Whether a text means a hub and not a path: it begins with `hf:`. */
export function isHubAddress(text: string): boolean {
  return text.startsWith(SCHEME);
}

/**
 * Downloads files of a repository, each with the config that lies beside it. Every
 * file is checked by its size and hash before it takes its name; one that is there
 * already is not fetched again.
 *
 * @throws {RangeError} when a file is not in the repository, or it is not clear
 * which one is meant
 * @throws {Error} when the hub cannot be reached, refuses, or sends something else
 *
 * @example
 * ```ts ignore
 * import { downloadFromHub } from "./hub.ts";
 *
 * await downloadFromHub("sapientinc/HRM-checkpoint-ARC-2", { folder: "runs/hrm", report: console.log });
 * ```
 */
export async function downloadFromHub(
  repo: string,
  options: DownloadFromHubOptions,
): Promise<HubFile[]> {
  const { folder, revision = "main", files, report = () => {} } = options;
  if (!isRepo(repo) || !isRevision(revision)) {
    throw new RangeError(`Cannot download ${quoted(`${repo}@${revision}`)}: expected "owner/repo"`);
  }
  const connection = new Connection(repo, revision, options);
  const entries = await connection.list();
  const chosen = withConfigs(files ?? [chosenCheckpoint(entries, repo, report)], entries, repo);
  const done: HubFile[] = [];
  for (const entry of chosen) {
    const file = join(folder, ...entry.path.split("/"));
    const isThere = await isInPlace(file, entry);
    report(`${isThere ? "Found" : "Downloading"} ${entry.path} (${formatBytes(entry.size)})`);
    if (!isThere) {
      await Deno.mkdir(dirname(file), { recursive: true });
      await connection.fetch(entry, file);
    }
    done.push({ path: entry.path, file, sizeBytes: entry.size, fetched: !isThere });
  }
  return done;
}

/**
 * The files of a repository, for a caller that downloads them by itself.
 *
 * @throws {Error} when the hub cannot be reached or refuses
 *
 * @example
 * ```ts ignore
 * import { listHub } from "./hub.ts";
 *
 * const { files } = await listHub("sapientinc/sudoku-extreme", { type: "dataset" });
 * console.log(files.map(({ path, sizeBytes }) => `${path}: ${sizeBytes} bytes`));
 * ```
 */
export async function listHub(repo: string, options: ListHubOptions = {}): Promise<HubListing> {
  const { revision = "main" } = options;
  if (!isRepo(repo) || !isRevision(revision)) {
    throw new RangeError(`Cannot list ${quoted(`${repo}@${revision}`)}: expected "owner/repo"`);
  }
  const connection = new Connection(repo, revision, options);
  const entries = await connection.list();
  const { HUB_URL } = await import("@huggingface/hub");
  const base = `${connection.hub ?? HUB_URL}/${connection.designation}`;
  const files = [...entries.values()].map((entry): HubEntry => ({
    path: entry.path,
    sizeBytes: entry.size,
    sha256: entry.lfs?.oid.toLowerCase(),
    url: [base, "resolve", revision, ...entry.path.split("/")].map((part, i) =>
      i < 2 ? part : encodeURIComponent(part)
    ).join("/"),
    matches: (file) => isInPlace(file, entry),
  }));
  const token = environment("HF_TOKEN");
  return {
    address: connection.address,
    files,
    fetch: (input, init) => {
      const headers = new Headers(init?.headers);
      if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
      return fetch(input, { ...init, headers });
    },
  };
}

// Which files

type Entries = ReadonlyMap<string, ListFileEntry>;

/** The path of the checkpoint of a repository: the only one, or the newest of several steps. */
function chosenCheckpoint(
  entries: Entries,
  repo: string,
  report: (line: string) => void,
): string {
  const paths = [...entries.keys()].filter((path) => WEIGHTS.test(path));
  const [first] = paths;
  if (first === undefined) {
    throw new RangeError(
      `Cannot find a checkpoint in hf:${repo}: it holds ${listed([...entries.keys()])}`,
    );
  }
  if (paths.length === 1) return first;
  const steps = paths.map((path) => Number(STEP.exec(basename(path))?.[1] ?? NaN));
  const areSteps = paths.every((path, i) => dirname(path) === dirname(first) && steps[i]! >= 0);
  if (!areSteps) {
    throw new RangeError(
      `Cannot choose a checkpoint in hf:${repo} among ${listed(paths)}: ` +
        `name one, as in hf:${repo}/${first}`,
    );
  }
  const newest = paths[steps.indexOf(Math.max(...steps))]!;
  report(`Chose ${newest}, the newest of ${paths.length} checkpoints: ${listed(paths)}`);
  return newest;
}

/** The files of these paths, and the configs beside them. */
function withConfigs(paths: readonly string[], entries: Entries, repo: string): ListFileEntry[] {
  const missing = paths.find((path) => !entries.has(path));
  if (missing !== undefined) {
    throw new RangeError(
      `Cannot find ${quoted(missing)} in hf:${repo}: it holds ${listed([...entries.keys()])}`,
    );
  }
  const beside = paths.flatMap((path) => {
    return CONFIGS.map((name) => [...path.split("/").slice(0, -1), name].join("/"));
  });
  const wanted = new Set([...beside.filter((path) => entries.has(path)), ...paths]);
  return [...wanted].map((path) => entries.get(path)!);
}

function listed(paths: readonly string[]): string {
  const shown = paths.slice(0, 8).join(", ");
  return paths.length === 0 ? "no files" : paths.length > 8 ? `${shown}, …` : shown;
}

// The hub

/** A repository at a hub, while its files are fetched. */
class Connection {
  readonly #revision: string;
  readonly #options: ListHubOptions & Pick<DownloadFromHubOptions, "onProgress">;
  /** The hub that was named, if any. */
  readonly hub: string | undefined;
  /** How the client and the addresses of files name the repository. */
  readonly designation: string;
  readonly #stalled = new AbortController();
  readonly #responses: Response[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    repo: string,
    revision: string,
    options: ListHubOptions & Pick<DownloadFromHubOptions, "onProgress">,
  ) {
    this.designation = options.type === "dataset" ? `datasets/${repo}` : repo;
    this.#revision = revision;
    this.#options = options;
    this.hub = environment("HF_ENDPOINT")?.replace(/\/+$/, "");
  }

  /** What the errors call the repository. */
  get address(): string {
    return `hf:${this.designation}`;
  }

  /** What the errors call the hub. */
  get #name(): string {
    return this.hub ?? "the hub";
  }

  /** The files of the repository by their paths. */
  async list(): Promise<Entries> {
    return await this.#explained(this.address, async () => {
      const { listFiles } = await import("@huggingface/hub");
      const entries = new Map<string, ListFileEntry>();
      const revision = encodeURIComponent(this.#revision); // the client does not
      for await (const entry of listFiles({ ...this.#request(), revision, recursive: true })) {
        if (entry.type !== "file") continue;
        const isFile = typeof entry.path === "string" && isSafePath(entry.path) &&
          Number.isSafeInteger(entry.size) && entry.size >= 0;
        if (!isFile) throw new Error(`it lists a file ${quoted(String(entry.path))}`);
        if (entries.size >= MAX_FILES) throw new Error(`it has more than ${MAX_FILES} files`);
        entries.set(entry.path, entry);
      }
      return entries;
    });
  }

  /** Puts a file into place once all of it has arrived and is right. */
  async fetch(entry: ListFileEntry, file: string): Promise<void> {
    await this.#explained(`${this.address}/${entry.path}`, async () => {
      const { downloadFile } = await import("@huggingface/hub");
      const path = entry.path.split("/").map(encodeURIComponent).join("/"); // the client does not
      const revision = this.#revision;
      // Plain HTTP: one way for all hubs and mirrors, and the hash is checked here in any case.
      const blob = await downloadFile({ ...this.#request(), revision, path, xet: false });
      if (blob === null) throw new Error("the hub lists it and does not have it");
      await writeFileAtomic(file, this.#checked(blob.stream(), entry));
    });
  }

  /** The chunks of a file; an error at the end unless they are what the hub listed. */
  async *#checked(
    chunks: ReadableStream<Uint8Array>,
    entry: ListFileEntry,
  ): AsyncGenerator<Uint8Array> {
    const { path, size: total } = entry;
    const digest = new Digest(entry);
    let received = 0;
    for await (const chunk of chunks) {
      this.#expect();
      received += chunk.length;
      if (received > total) throw new Error(`the hub sent more than the ${total} bytes it listed`);
      digest.update(chunk);
      yield chunk;
      this.#options.onProgress?.({ path, received, total });
    }
    if (received < total) {
      throw new Error(`the connection ended after ${received} of ${total} bytes`);
    }
    const problem = digest.problem();
    if (problem !== null) throw new Error(problem);
  }

  /** What every request of the client needs. */
  #request(): { repo: string; hubUrl?: string; accessToken?: string; fetch: typeof fetch } {
    const accessToken = environment("HF_TOKEN");
    const { signal } = this.#options;
    const signals = [this.#stalled.signal, ...(signal === undefined ? [] : [signal])];
    return {
      repo: this.designation,
      ...(this.hub === undefined ? {} : { hubUrl: this.hub }),
      ...(accessToken === undefined ? {} : { accessToken }),
      fetch: async (input, init) => {
        this.#expect();
        const request = fetch(input, { ...init, signal: AbortSignal.any(signals) });
        const response = await request.catch((cause) => this.#refuse(cause));
        this.#responses.push(response);
        return response;
      },
    };
  }

  /** Allows the time until the next sign of life. */
  #expect(): void {
    const { timeoutMs = 60_000 } = this.#options;
    const reason = new Error(`nothing arrived for ${timeoutMs / 1000} s`);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#stalled.abort(reason), timeoutMs);
  }

  /** Runs `work`; what goes wrong is said of `address`. */
  async #explained<T>(address: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      this.#options.signal?.throwIfAborted();
      const { signal } = this.#stalled;
      const reason = signal.aborted ? signal.reason.message : this.#reasonOf(cause);
      throw new Error(`Cannot download ${address}: ${reason}`, { cause });
    } finally {
      clearTimeout(this.#timer);
      await this.#release();
    }
  }

  /** Says of a failed request that there was no answer at all. */
  #refuse(cause: unknown): never {
    if (!(cause instanceof TypeError)) throw cause; // a missing permission, or told to end
    const { message } = cause.cause instanceof Error ? cause.cause : cause;
    throw new Error(
      `${this.#name} cannot be reached (${message}); HF_ENDPOINT names another hub`,
      {
        cause,
      },
    );
  }

  /** Closes the answers that the client left unread, as it does where it only asks for a size. */
  async #release(): Promise<void> {
    for (const { body } of this.#responses.splice(0)) {
      if (body?.locked === false) await body.cancel().catch(() => {}); // may have failed before
    }
  }

  #reasonOf(error: unknown): string {
    if (!(error instanceof Error)) return String(error); // from a stream of the client
    const { statusCode } = error as { statusCode?: unknown };
    if (statusCode === 404) return `${this.#name} has no such repository, revision or file`;
    if (statusCode === 401) {
      return `${this.#name} shows it to nobody without leave: private, gated or not there; ` +
        "a token in HF_TOKEN may help";
    }
    if (statusCode === 403) {
      return `it is gated: ask for access at ${this.#name}/${this.designation}, ` +
        "and put a token of that account into HF_TOKEN";
    }
    if (typeof statusCode === "number") return `${this.#name} answered ${statusCode}`;
    return error.message;
  }
}

// Hashes

/** The hash by which the hub knows a file: SHA-256 of a big one, git's of a small one. */
class Digest {
  readonly #name: string;
  readonly #wanted: string | undefined;
  readonly #hash: ReturnType<typeof createHash>;

  constructor({ lfs, oid, size }: Pick<ListFileEntry, "path" | "size" | "lfs" | "oid">) {
    this.#name = lfs === undefined ? "git hash" : "SHA-256";
    this.#wanted = (lfs?.oid ?? oid)?.toLowerCase();
    this.#hash = createHash(lfs === undefined ? "sha1" : "sha256");
    if (lfs === undefined) this.#hash.update(`blob ${size}\0`);
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** What is wrong with the bytes so far, null if nothing. */
  problem(): string | null {
    const found = this.#hash.digest("hex");
    if (this.#wanted === undefined) return "the hub lists no hash to check it by";
    if (found === this.#wanted) return null;
    return `its ${this.#name} is ${found}, the hub lists ${quoted(this.#wanted)}`;
  }
}

/** Whether a file is there with the size and the hash that the hub lists. */
async function isInPlace(file: string, entry: ListFileEntry): Promise<boolean> {
  try {
    if ((await Deno.stat(file)).size !== entry.size) return false;
    using handle = await Deno.open(file);
    const digest = new Digest(entry);
    for await (const chunk of handle.readable) digest.update(chunk);
    return digest.problem() === null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

// Text

function isRepo(repo: string): boolean {
  const parts = repo.split("/");
  return parts.length === 2 && parts.every((part) => NAME.test(part) && !part.includes(".."));
}

function isRevision(revision: string | undefined): boolean {
  return revision !== undefined && revision.length < 256 && isSafePath(revision);
}

/** Whether a path stays within its folder, on every system. */
function isSafePath(path: string): boolean {
  // deno-lint-ignore no-control-regex
  if (/[\\:\x00-\x1f]/.test(path) || !path.isWellFormed()) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

function formatBytes(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** An environment variable, as if unset where it may not be read. */
function environment(name: string): string | undefined {
  try {
    return Deno.env.get(name) || undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}
