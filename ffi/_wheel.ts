/**
 * PyTorch's wheels: which of an index fits this machine, its checksum, and
 * what of its content is libtorch. A wheel is a zip archive; no Python is run.
 *
 * @module
 */

import { basename } from "@std/path";
import type { OperatingSystem } from "./locate.ts";

/** The PyTorch project's own index of wheels; `PONDER_LIBTORCH_URL` stands in for it. */
export const OFFICIAL_INDEX = "https://download.pytorch.org/whl";

/**
 * SHA-256 of the wheels that `deno task setup` takes by default. The Python in the name does not
 * matter: libtorch is the same for each. The first was computed from the file; the others are as
 * the official index lists them.
 */
export const PINNED: Readonly<Record<string, string>> = {
  "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl":
    "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",
  "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_aarch64.whl":
    "84453b69508ec79902f899c5ed9495acb9e2bbe9fda5f1d5d6f19e3c3842e1a7",
  "torch-2.13.0+cpu-cp311-cp311-win_amd64.whl":
    "10717d8b3b67c45a4788bf7ffc0bab1ea1e5ebbedd24466be6100102d141fac1",
  "torch-2.13.0-cp311-cp311-macosx_14_0_arm64.whl":
    "e76f9bcecc52b8ff711239a2f7547d5353df95878ab232f0773c1d95928b92f8",
};

/** A machine, as in `Deno.build`. */
export interface Platform {
  /** Its system. */
  readonly os: OperatingSystem;
  /** Its processor. */
  readonly arch: typeof Deno.build.arch;
}

/** An archive on a server. */
export interface RemoteArchive {
  /** Its address. */
  readonly url: URL;
  /** Its file name. */
  readonly name: string;
  /** Its SHA-256, pinned here or published in the index. */
  readonly sha256?: string;
}

/** What to look for in an index. */
export interface WheelQuery {
  /** The release, such as `2.13.0`. */
  readonly version: string;
  /** The build, such as `cpu` or `cu126`. */
  readonly variant: string;
  /** The machine. */
  readonly platform: Platform;
}

/** The wheel in the index `page` (read from `address`) that fits; absent when none does. */
export function chooseWheel(
  page: string,
  address: string | URL,
  { version, variant, platform }: WheelQuery,
): RemoteArchive | undefined {
  const release = version.replaceAll(".", "\\.");
  const fits = new RegExp(
    `^torch-${release}(\\+${variant})?-cp\\d+-\\w+-${platformTag(platform)}\\.whl$`,
  );
  const archives = [...page.matchAll(/<a\s[^>]*?href="([^"]+)"/g)]
    .map(([, href]) => remoteArchive(new URL(href!.replaceAll("&amp;", "&"), address)))
    .filter(({ name }) => fits.test(name));
  return archives.find(({ name }) => name in PINNED) ?? archives[0];
}

/**
 * The archive at `url`, whose `#sha256=` is its checksum unless one is pinned here.
 *
 * @throws {Error} when the two differ
 */
export function remoteArchive(url: URL): RemoteArchive {
  const name = decodeURIComponent(basename(url.pathname));
  const published = /^#sha256=([0-9a-f]{64})$/i.exec(url.hash)?.[1]?.toLowerCase();
  const pinned = PINNED[name];
  const bare = new URL(url);
  bare.hash = "";
  if (pinned !== undefined && published !== undefined && pinned !== published) {
    throw new Error(`${bare.host} publishes SHA-256 ${published} for ${name}, not ${pinned}`);
  }
  const sha256 = pinned ?? published;
  return sha256 === undefined ? { url: bare, name } : { url: bare, name, sha256 };
}

/**
 * The build in the names of an archive of libtorch and of those that it needs, such as
 * `2.13.0+cpu`; absent where none is of libtorch. Where libtorch's own name does not say, that of
 * CUDA's runtime does: `nvidia_cuda_runtime-13.0.96-….whl` makes it `+cu130`.
 */
export function buildInNames(names: readonly string[]): string | undefined {
  const inFirst = (pattern: RegExp) =>
    names.map((name) => pattern.exec(name)).find((match) => match !== null);
  const build = inFirst(/^(?:lib)?torch-.*?(\d+\.\d+\.\d+(?:\+\w+)?)(?:-|\.zip$)/)?.[1];
  const runtime = inFirst(/^nvidia_cuda_runtime(?:_cu\d+)?-(\d+)\.(\d+)\./);
  if (build === undefined || build.includes("+") || runtime === undefined) return build;
  return `${build}+cu${runtime![1]}${runtime![2]}`;
}

/**
 * The file name under which an entry of an archive belongs into the library folder; absent for
 * what is not libtorch. Everything lands in one folder: each library looks beside itself.
 */
export function libraryEntry(entry: string): string | undefined {
  const [, name] = LIBRARY_FOLDERS.exec(entry) ?? [];
  if (name === undefined || !SHARED_LIBRARY.test(name) || UNNEEDED.test(name)) return undefined;
  return name;
}

/** In PyTorch's wheels, NVIDIA's wheels and the C++ archives. */
const LIBRARY_FOLDERS =
  /^(?:torch\/lib|torch\.libs|torch\/\.dylibs|libtorch\/lib|nvidia\/(?:[^/]+\/)*lib)\/([^/]+)$/;
const SHARED_LIBRARY = /\.(?:so(?:\.\d+)*|dylib|dll)$/;
/** Python's bindings, and what only they or PyTorch's own tests load. */
const UNNEEDED =
  /^(?:lib)?(?:torch_python|torch_global_deps|shm|aoti_custom_ops|backend_with_compiler|jitbackend_test|torchbind_test)\./;

/** How wheels call a machine, as a regular expression that matches nothing for an unknown one. */
function platformTag({ os, arch }: Platform): string {
  if (os === "linux") return `(?:many)?linux\\w*_${arch}`;
  if (os === "darwin") return `macosx_\\w+_${arch === "aarch64" ? "arm64" : arch}`;
  if (os === "windows") return `win_${arch === "aarch64" ? "arm64" : "amd64"}`;
  return "(?!)";
}
