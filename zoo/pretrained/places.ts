/**
 * Where pretrained weights lie on this machine: in the clone, or in a cache that all
 * projects of a user share. Either holds exactly what the index lists, or nothing.
 *
 *     zoo/weights/trm-sudoku/model.safetensors               the clone
 *     CACHE/trm-sudoku/1a2b3c4d-5e6f7a8b/model.safetensors   the hashes of its files begin so
 *
 * `CACHE` is `$PONDER_CACHE/weights`, else `weights` beside the cache of libtorch.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { fromFileUrl, join } from "@std/path";
import { cacheFolder } from "../cache.ts";
import { type PretrainedEntry, WEIGHT_FILES, type WeightFile } from "./index.ts";

/** Where to look. */
export interface PlaceOptions {
  /** The folder of the clone's weights, null to leave it out; `zoo/weights` unless given. */
  readonly clone?: string | null | undefined;
  /** The cache; `weightsCache()` unless given. */
  readonly cache?: string | undefined;
}

/** Weights that are on this machine, whole and checked. */
export interface Found {
  /** Where. */
  readonly place: "clone" | "cache";
  /** Their folder. */
  readonly folder: string;
}

/** The folder `zoo/weights` of a clone; null where Ponder does not run from one. */
export function cloneFolder(): string | null {
  const url = new URL("../weights/", import.meta.url);
  return url.protocol === "file:" ? fromFileUrl(url).replace(/[/\\]$/, "") : null;
}

/**
 * The address of `zoo/weights` where the package itself was loaded from, which holds the
 * weights of this very version; null where Ponder runs from a clone.
 */
export function packageAddress(): string | null {
  const url = new URL("../weights", import.meta.url);
  return url.protocol === "file:" ? null : url.href;
}

/** The folder under which all weights have a folder of their own. */
export function weightsCache(): string {
  return cacheFolder("weights");
}

/** The folder of an entry in the cache: another one for every version of its files. */
export function cachedFolder(entry: PretrainedEntry, cache: string = weightsCache()): string {
  const hashes = [...WEIGHT_FILES].reverse().map((file) => entry.files[file].sha256.slice(0, 8));
  return join(cache, entry.folder, hashes.join("-"));
}

/** The weights in the clone or in the cache; null, once `tell` has heard why, if in neither. */
export function findPretrained(
  entry: PretrainedEntry,
  { clone = cloneFolder(), cache }: PlaceOptions = {},
  tell: (problem: string) => void = () => {},
): Found | null {
  if (clone !== null) {
    const folder = join(clone, entry.folder);
    const problem = folderProblem(folder, entry);
    if (problem === null) return { place: "clone", folder };
    tell(problem);
  }
  const folder = cachedFolder(entry, cache);
  const problem = folderProblem(folder, entry);
  if (problem === null) return { place: "cache", folder };
  tell(problem);
  return null;
}

/** Why a folder does not hold what the index lists; null if it does. */
export function folderProblem(folder: string, { files }: PretrainedEntry): string | null {
  for (const name of WEIGHT_FILES) {
    const problem = fileProblem(join(folder, name), files[name]);
    if (problem !== null) return problem;
  }
  return null;
}

/** Why a file is not the one that the index lists; null if it is. */
export function fileProblem(path: string, { bytes, sha256 }: WeightFile): string | null {
  const content = contentOf(path);
  if (content === null) return `no file "${path}"`;
  if (content.length !== bytes) {
    return `"${path}" has ${content.length} bytes, not the ${bytes} of the index`;
  }
  const found = createHash("sha256").update(content).digest("hex");
  return found === sha256
    ? null
    : `"${path}" is not the file of the index: its SHA-256 is ${found}, not ${sha256}`;
}

function contentOf(path: string): Uint8Array | null {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return null;
    }
    throw error;
  }
}
