/**
 * Where files are kept that all projects of a user share.
 *
 * @module
 */
import { dirname, join, resolve } from "@std/path";
import { cacheRoot } from "../ffi/locate.ts";

/** The folder `kind` of `PONDER_CACHE`, else beside the cache of libtorch. */
export function cacheFolder(kind: "data" | "weights"): string {
  const named = Deno.env.get("PONDER_CACHE");
  if (named) return resolve(named, kind);
  const root = cacheRoot();
  if ("directory" in root) return join(dirname(root.directory), kind);
  throw new Error(`Cannot place a cache: ${root.problem}; PONDER_CACHE names a folder for it`);
}
