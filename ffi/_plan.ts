/**
 * What a setup is asked for, and what it decides from that.
 *
 * @module
 */

import { resolve } from "@std/path";
import type { Platform } from "./_wheel.ts";
import { cacheRoot, type LibrarySource } from "./locate.ts";

/** The release that is fetched by default. */
export const DEFAULT_VERSION = "2.13.0";

/** The oldest release that Ponder works with. */
export const OLDEST_VERSION = "2.11.0";

/** A way to come by libtorch. */
export type ProvisionStep = "existing" | "archive" | "python" | "pip";

/** How far a long step is. */
export interface ProvisionProgress {
  /** What is being done, such as `downloading torch-2.13.0+cpu-….whl`. */
  readonly what: string;
  /** Bytes done. */
  readonly done: number;
  /** Bytes in all, where known. */
  readonly total?: number;
}

/** How to provision. */
export interface ProvisionOptions {
  /** The build: `cpu`, `cu126`, `cu130`, …; without it any build that is there serves. */
  readonly variant?: string | undefined;
  /** The release; without it any from {@link OLDEST_VERSION} that is there serves. */
  readonly version?: string | undefined;
  /** The link to make, default `./.torch`; a link that is named is the only one looked at. */
  readonly link?: string | undefined;
  /** Where libraries are kept; default `~/.cache/ponder/libtorch`. */
  readonly cacheDirectory?: string | undefined;
  /** Told in one line what is done and what failed. */
  readonly report: (line: string) => void;
  /** Told how far a download or an unpacking is, many times a second. */
  readonly onProgress?: ((progress: ProvisionProgress) => void) | undefined;
  /** Opens the library in a folder and says its version; throws when it does not work. */
  readonly check: (directory: string) => Promise<{ version: string }>;
  /** The ways to try, in order; default all. */
  readonly sources?: readonly ProvisionStep[] | undefined;
  /** Whether to keep off the network. */
  readonly offline?: boolean | undefined;
  /** Read instead of the environment of this process, and given to Python and pip. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Ends the setup. */
  readonly signal?: AbortSignal | undefined;
}

/** The libtorch that is linked now. */
export interface Provisioned {
  /** The folder that holds it. */
  readonly directory: string;
  /** The link to the folder. */
  readonly link: string;
  /** Whence it comes. */
  readonly source: LibrarySource | Exclude<ProvisionStep, "existing">;
  /** Its version, as `check` said. */
  readonly version: string;
}

/** The options, with nothing left open. */
export interface Plan extends ProvisionOptions {
  /** The build to fetch. */
  readonly variant: string;
  /** The release to fetch. */
  readonly version: string;
  /** The link, absolute. */
  readonly link: string;
  /** The cache, absolute. */
  readonly cache: string;
  /** This machine. */
  readonly platform: Platform;
  /** What was asked for explicitly, so that nothing else may serve. */
  readonly asked: Pick<ProvisionOptions, "variant" | "version" | "link">;
}

/** A library that opens, before it is linked. */
export type Found = Omit<Provisioned, "link">;

/** The plan that the options leave open. */
export function planOf(options: ProvisionOptions): Plan {
  const { variant = "cpu", version = DEFAULT_VERSION, link = "./.torch" } = options;
  if (!/^\d+\.\d+\.\d+$/.test(version)) {
    throw new RangeError(`Cannot set up libtorch "${version}": expected a release such as 2.13.0`);
  }
  if (!/^(cpu|cu\d+)$/.test(variant)) {
    throw new RangeError(`Cannot set up "${variant}": expected cpu or a CUDA build such as cu126`);
  }
  const root = cacheRoot(options);
  if ("problem" in root) throw new Error(`Cannot place a cache: ${root.problem}`);
  return {
    ...options,
    variant,
    version,
    link: resolve(link),
    cache: root.directory,
    platform: { os: Deno.build.os, arch: Deno.build.arch },
    asked: options,
  };
}

/** Tells progress, leaving out a total that is not known. */
export function tellProgress(
  { onProgress }: Plan,
  what: string,
  done: number,
  total?: number,
): void {
  onProgress?.(total === undefined ? { what, done } : { what, done, total });
}

/** A variable of the environment; absent when it is empty. */
export function variableOf({ env }: ProvisionOptions, name: string): string | undefined {
  return (env === undefined ? Deno.env.get(name) : env[name]) || undefined;
}
