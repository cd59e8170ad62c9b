/**
 * Finds libtorch on this machine without opening it: an explicit path, then
 * `PONDER_LIBTORCH`, then `./.torch`, then what `deno task setup` put in the
 * cache. Nothing here prompts: a permission that was not granted becomes a
 * reason that names the flag to add.
 *
 * @module
 */

import { basename, dirname, fromFileUrl, join, resolve } from "@std/path";

/** Where a libtorch was looked for. */
export type LibrarySource = "argument" | "PONDER_LIBTORCH" | "./.torch" | "cache";

/** An operating system, as in `Deno.build.os`. */
export type OperatingSystem = typeof Deno.build.os;

/** A folder that may hold libtorch. */
export interface LibraryCandidate {
  /** What named the folder. */
  readonly source: LibrarySource;
  /** The folder, absolute; symlinks are not resolved, since FFI permission is checked literally. */
  readonly directory: string;
  /** Why the folder is already known not to serve. */
  readonly problem?: string;
}

/** A folder that holds libtorch. */
export interface LibraryFound {
  /** What named the folder. */
  readonly source: LibrarySource;
  /** The folder that holds {@link libraryFile}, absolute, symlinks not resolved. */
  readonly directory: string;
  /** Set where the folder may be opened but not read, so that only opening it tells. */
  readonly unchecked?: true;
}

/** A folder that does not hold libtorch, and why. */
export interface LibraryFailure {
  /** What named the folder. */
  readonly source: LibrarySource;
  /** The folder that was tried. */
  readonly directory: string;
  /** Why it does not serve, in one line. */
  readonly reason: string;
}

/** What {@link locateLibrary} found, and what it tried before. */
export interface LibrarySearch {
  /** The first folder that serves; absent when none does. */
  readonly found?: LibraryFound;
  /** The folders that do not serve, in the order in which they were tried. */
  readonly tried: readonly LibraryFailure[];
}

/** Where to look; everything defaults to this process. */
export interface LocateOptions {
  /** The library or its folder, named explicitly. */
  readonly path?: string | undefined;
  /** Read instead of the environment of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The folder that relative paths start from. */
  readonly cwd?: string | undefined;
  /** The user's home folder. */
  readonly home?: string | undefined;
  /** The link to look at instead of each `./.torch`. */
  readonly link?: string | undefined;
  /** The cache; default `$XDG_CACHE_HOME/ponder/libtorch` or `~/.cache/ponder/libtorch`. */
  readonly cacheDirectory?: string | undefined;
  /** The system whose library is looked for. */
  readonly os?: OperatingSystem | undefined;
}

/**
 * The file name of libtorch's part for a kind of device: every libtorch folder holds
 * `libtorch_cpu.so`, `libtorch_cpu.dylib` or `torch_cpu.dll`, CUDA builds a `torch_cuda` too.
 *
 * @example
 * ```ts
 * import { libraryFile } from "./locate.ts";
 *
 * console.log(libraryFile("cpu", "windows")); // torch_cpu.dll
 * ```
 */
export function libraryFile(
  device: "cpu" | "cuda" = "cpu",
  os: OperatingSystem = Deno.build.os,
): string {
  if (os === "windows") return `torch_${device}.dll`;
  return `libtorch_${device}.${os === "darwin" ? "dylib" : "so"}`;
}

/** The cache folder of libtorch, or why it is not known. */
export function cacheRoot(
  options: LocateOptions = {},
): { directory: string } | { problem: string } {
  if (options.cacheDirectory !== undefined) {
    return { directory: resolve(options.cwd ?? Deno.cwd(), options.cacheDirectory) };
  }
  const xdg = variable("XDG_CACHE_HOME", options);
  if (xdg.value) return { directory: join(xdg.value, "ponder", "libtorch") };
  const name = (options.os ?? Deno.build.os) === "windows" ? "USERPROFILE" : "HOME";
  const home = options.home === undefined ? variable(name, options) : { value: options.home };
  if (home.value) return { directory: join(home.value, ".cache", "ponder", "libtorch") };
  if (home.denied) return { problem: `${name} may not be read: add --allow-env=${name}` };
  return { problem: `${name} is not set` };
}

/**
 * The folders that may hold libtorch, in the order in which they are tried.
 *
 * @example
 * ```ts
 * import { libraryCandidates } from "./locate.ts";
 *
 * for (const { source, directory } of libraryCandidates({ path: "/opt/libtorch" })) {
 *   console.log(source, directory);
 * }
 * ```
 */
export function libraryCandidates(options: LocateOptions = {}): LibraryCandidate[] {
  const cwd = options.cwd ?? Deno.cwd();
  const candidates: LibraryCandidate[] = [];
  if (options.path !== undefined) candidates.push(named("argument", options.path, cwd));
  const env = variable("PONDER_LIBTORCH", options);
  if (env.value) candidates.push(named("PONDER_LIBTORCH", env.value, cwd));
  if (env.denied) candidates.push(unreadableVariable());
  const links = options.link === undefined
    ? [cwd, packageFolder() ?? cwd].map((folder) => join(folder, ".torch"))
    : [resolve(cwd, options.link)];
  for (const directory of new Set(links)) candidates.push({ source: "./.torch", directory });
  return [...candidates, ...cached(options)];
}

/**
 * The first folder that holds libtorch, and what was tried before it. A folder that was named, by
 * argument or by `PONDER_LIBTORCH`, is used or refused, never silently replaced by another.
 *
 * @example
 * ```ts
 * import { locateLibrary, notFoundMessage } from "./locate.ts";
 *
 * const { found, tried } = locateLibrary();
 * console.log(found?.directory ?? notFoundMessage(tried));
 * ```
 */
export function locateLibrary(options: LocateOptions = {}): LibrarySearch {
  const tried: LibraryFailure[] = [];
  for (const candidate of libraryCandidates(options)) {
    const result = examine(candidate, options.os);
    if (!("reason" in result)) return { found: result, tried };
    tried.push(result);
    if (isNamed(candidate)) break;
  }
  return { tried };
}

/** Whether `candidate` holds libtorch, and in which of its folders. */
export function examine(
  candidate: LibraryCandidate,
  os: OperatingSystem = Deno.build.os,
): LibraryFound | LibraryFailure {
  const { source, directory, problem } = candidate;
  if (problem !== undefined) return { source, directory, reason: problem };
  const file = libraryFile("cpu", os);
  if (!granted({ name: "read", path: directory })) {
    if (granted({ name: "ffi", path: directory })) return { source, directory, unchecked: true };
    const reason = `may not be read: add --allow-read=${directory} and --allow-ffi=${directory}`;
    return { source, directory, reason };
  }
  try {
    const folders = [directory, join(directory, "lib"), join(directory, "torch", "lib")];
    const folder = folders.find((folder) => isFile(join(folder, file)));
    if (folder !== undefined) return { source, directory: folder };
    return { source, directory, reason: absence(directory, file) };
  } catch (error) {
    return { source, directory, reason: (error as Error).message };
  }
}

/** The text of the error for a libtorch that is nowhere: every path, why it failed, what to do. */
export function notFoundMessage(
  tried: readonly LibraryFailure[],
  os: OperatingSystem = Deno.build.os,
): string {
  const lines = tried.map(({ source, directory, reason }) =>
    `  ${source}: ${directory}: ${reason}`
  );
  return [
    `Cannot find libtorch (${libraryFile("cpu", os)}). Tried:`,
    ...lines,
    "Run `deno task setup` to find or fetch it, " +
    "or set PONDER_LIBTORCH to the folder that holds it",
  ].join("\n");
}

/** Whether the user named the candidate, so that nothing may stand in for it. */
function isNamed({ source, problem }: LibraryCandidate): boolean {
  return source === "argument" || (source === "PONDER_LIBTORCH" && problem === undefined);
}

/** The candidate for a library file or a folder. */
function named(source: LibrarySource, path: string, cwd: string): LibraryCandidate {
  const full = resolve(cwd, path);
  const isLibrary = /\.(so|dylib|dll)(\.\d+)*$/.test(basename(full));
  return { source, directory: isLibrary ? dirname(full) : full };
}

/** The candidate for a `PONDER_LIBTORCH` that may be set, which nobody may know. */
function unreadableVariable(): LibraryCandidate {
  return {
    source: "PONDER_LIBTORCH",
    directory: "$PONDER_LIBTORCH",
    problem: "may not be read: add --allow-env=PONDER_LIBTORCH",
  };
}

/** The candidates in the cache, newest version first; of one version, CUDA builds first. */
function cached(options: LocateOptions): LibraryCandidate[] {
  const source = "cache";
  const root = cacheRoot(options);
  if ("problem" in root) {
    return [{ source, directory: join("~", ".cache", "ponder", "libtorch"), ...root }];
  }
  const { directory } = root;
  if (!granted({ name: "read", path: directory })) {
    return [{ source, directory, problem: `may not be read: add --allow-read=${directory}` }];
  }
  const names = folderNames(directory).filter((name) => /^\d+\.\d+\.\d+-\w+$/.test(name));
  if (names.length === 0) {
    return [{ source, directory, problem: "holds no libtorch" }];
  }
  return names.sort(newestFirst).map((name) => ({
    source,
    directory: join(directory, name, "lib"),
  }));
}

/** Orders `2.13.0-cu126`, `2.13.0-cpu`, `2.9.1-cpu`. */
function newestFirst(a: string, b: string): number {
  const [left, right] = [a, b].map((name) => name.split(/[.-]/).slice(0, 3).map(Number));
  for (let i = 0; i < 3; i++) {
    if (left![i] !== right![i]) return right![i]! - left![i]!;
  }
  return a < b ? 1 : -1;
}

/** Why `directory` has no `file`. */
function absence(directory: string, file: string): string {
  try {
    if (Deno.statSync(directory).isDirectory) return `has no ${file}`;
    return "is not a folder";
  } catch {
    return danglingTarget(directory) ?? "no such folder";
  }
}

/** What to say about a link that points nowhere; absent for anything else. */
function danglingTarget(path: string): string | undefined {
  try {
    if (Deno.lstatSync(path).isSymlink) return "is a link to a folder that no longer exists";
  } catch {
    // not there at all
  }
  return undefined;
}

/** The names in a folder; none when it does not exist. */
function folderNames(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch {
    return [];
  }
}

/** Whether `path` is a file; throws when that may not be known. */
function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    const absent = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (absent) return false;
    throw error;
  }
}

/** A variable of the environment, or that it may not be read. */
function variable(
  name: string,
  options: LocateOptions,
): { value?: string | undefined; denied?: true } {
  if (options.env !== undefined) return { value: options.env[name] };
  if (!granted({ name: "env", variable: name })) return { denied: true };
  return { value: Deno.env.get(name) };
}

/** Whether a permission is there already; asking for it would prompt. */
function granted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}

/** The folder of Ponder's deno.json, where Ponder runs from files. */
function packageFolder(): string | undefined {
  if (!import.meta.url.startsWith("file:")) return undefined;
  return fromFileUrl(new URL("..", import.meta.url)).replace(/[\\/]$/, "");
}
