/**
 * libtorch from PyTorch's own index of wheels, or from where
 * `PONDER_LIBTORCH_URL` says: an index like it, a wheel or a zip.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";
import { download } from "./download.ts";
import { install } from "./_install.ts";
import { sha256OfFile } from "./_part.ts";
import { type Found, type Plan, tellProgress, variableOf } from "./_plan.ts";
import { reasonOf } from "./_reason.ts";
import { chooseWheel, OFFICIAL_INDEX, type RemoteArchive, remoteArchive } from "./_wheel.ts";

const INDEX_TIMEOUT_MS = 10_000;

/** From PyTorch's own index, or from where `PONDER_LIBTORCH_URL` says. */
export async function fromArchive(plan: Plan): Promise<Found> {
  return await install(plan, "archive", async () => {
    const archive = await findArchive(plan);
    if (archive.url.protocol === "file:") return [await localArchive(archive)];
    const file = join(plan.cache, "downloads", archive.name);
    plan.report(`downloading ${archive.url}`);
    if (archive.sha256 === undefined) plan.report(`no SHA-256 is known for ${archive.name}`);
    await download(archive.url, file, {
      sha256: archive.sha256,
      signal: plan.signal,
      onProgress: ({ received, total }) =>
        tellProgress(plan, `downloading ${archive.name}`, received, total),
    });
    return [file];
  });
}

/** The archive to download: named outright, or the wheel of an index. */
async function findArchive(plan: Plan): Promise<RemoteArchive> {
  const { version, variant, platform, offline } = plan;
  const named = new URL(variableOf(plan, "PONDER_LIBTORCH_URL") ?? OFFICIAL_INDEX);
  if (offline && named.protocol !== "file:") throw new Error("not tried, to keep off the network");
  if (/\.(whl|zip)$/.test(named.pathname)) return remoteArchive(named);

  if (platform.os === "linux" && variant.startsWith("cu")) {
    throw new Error("a CUDA wheel needs a dozen of NVIDIA's wheels, which pip finds");
  }
  const page = `${named.href.replace(/\/$/, "")}/${variant}/torch/`;
  const archive = chooseWheel(await readPage(page, plan.signal), page, plan);
  if (archive === undefined) {
    throw new Error(`${page} has no torch ${version} for ${platform.os} ${platform.arch}`);
  }
  if (archive.sha256 === undefined) {
    throw new Error(`${page} publishes no SHA-256 for ${archive.name}`);
  }
  return archive;
}

/** The text of a web page. */
async function readPage(address: string, outer: AbortSignal | undefined): Promise<string> {
  const timeout = AbortSignal.timeout(INDEX_TIMEOUT_MS);
  const signal = outer === undefined ? timeout : AbortSignal.any([outer, timeout]);
  const { host } = new URL(address);
  try {
    const response = await fetch(address, { signal });
    const text = await response.text();
    if (!response.ok) throw new Error(`answered ${response.status} to ${address}`);
    return text;
  } catch (error) {
    const late = `did not answer within ${INDEX_TIMEOUT_MS / 1000} s`;
    throw new Error(`${host}: ${timeout.aborted ? late : reasonOf(error)}`, { cause: error });
  }
}

/** The path of an archive on this machine, its checksum right where one is known. */
async function localArchive({ url, sha256 }: RemoteArchive): Promise<string> {
  const path = fromFileUrl(url);
  const actual = sha256 === undefined ? undefined : (await sha256OfFile(path)).sha256;
  if (actual !== sha256) throw new Error(`the SHA-256 of ${path} is ${actual}, not ${sha256}`);
  return path;
}
