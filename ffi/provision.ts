/**
 * Finds or fetches libtorch and links `./.torch` to it, for `deno task setup`:
 * one that is already there, else the official archive, else the torch of a
 * Python installation, else pip's own download of the wheel.
 *
 * Nothing is linked before it has been opened, and everything is put in place
 * by a rename, so a setup that is cut short leaves what was there before.
 *
 * Needs unscoped read and write (a link's target may lie anywhere), `env`,
 * `net` for the archive, `run` for Python and pip, and what `check` needs.
 *
 * @module
 */

import { join } from "@std/path";
import { accept, requireNew } from "./_accept.ts";
import { fromArchive } from "./_archive.ts";
import { install } from "./_install.ts";
import { assertLinkable, pointLink } from "./_link.ts";
import {
  type Found,
  OLDEST_VERSION,
  type Plan,
  planOf,
  type Provisioned,
  type ProvisionOptions,
  type ProvisionStep,
  variableOf,
} from "./_plan.ts";
import { findPythonTorch, pipDownload } from "./_python.ts";
import { reasonOf } from "./_reason.ts";
import { OFFICIAL_INDEX } from "./_wheel.ts";
import { examine, libraryCandidates } from "./locate.ts";

export {
  DEFAULT_VERSION,
  OLDEST_VERSION,
  type Provisioned,
  type ProvisionOptions,
  type ProvisionProgress,
  type ProvisionStep,
} from "./_plan.ts";

/** The ways to come by libtorch: each finds one that works, or throws the reason why not. */
const STEPS: Readonly<
  Record<ProvisionStep, { title: string; run: (plan: Plan) => Promise<Found> }>
> = {
  existing: { title: "already there", run: fromExisting },
  archive: { title: "official archive", run: fromArchive },
  python: { title: "Python's torch", run: fromPython },
  pip: { title: "pip", run: fromPip },
};

/**
 * A libtorch that works, with a link to it.
 *
 * @throws {Error} that lists what was tried, why each failed, and what would work
 *
 * @example
 * ```ts ignore
 * import { provision } from "./provision.ts";
 * import { loadLibrary } from "./mod.ts";
 *
 * const { directory, source, version } = await provision({
 *   report: console.log,
 *   check: (path) => Promise.resolve(loadLibrary({ path })),
 * });
 * console.log(`libtorch ${version} from ${source} in ${directory}`);
 * ```
 */
export async function provision(options: ProvisionOptions): Promise<Provisioned> {
  const plan = planOf(options);
  await assertLinkable(plan.link);
  const failures: string[] = [];
  for (const step of options.sources ?? Object.keys(STEPS) as ProvisionStep[]) {
    const { title, run } = STEPS[step];
    const found = await run(plan).catch((error) => {
      plan.signal?.throwIfAborted();
      failures.push(`${title}: ${reasonOf(error)}`);
      plan.report(failures.at(-1)!);
    });
    if (found !== undefined) return await linked(plan, found);
  }
  throw new Error(failureMessage(plan, failures));
}

/** Links to what was found. */
async function linked(plan: Plan, found: Found): Promise<Provisioned> {
  const { link, report } = plan;
  const directory = await Deno.realPath(found.directory);
  await pointLink(link, directory);
  const overriding = variableOf(plan, "PONDER_LIBTORCH");
  if (overriding && found.source !== "PONDER_LIBTORCH") {
    report(`PONDER_LIBTORCH still names ${overriding}, which does not serve: unset it`);
  }
  return { ...found, directory, link };
}

/** The first that is found, opens and is what was asked for. */
async function fromExisting(plan: Plan): Promise<Found> {
  const { env, cache: cacheDirectory, asked: { link } } = plan;
  const reasons: string[] = [];
  for (const candidate of libraryCandidates({ env, cacheDirectory, link })) {
    const result = examine(candidate);
    const { source, directory } = result;
    try {
      if ("reason" in result) throw new Error(result.reason);
      return { directory, source, version: await accept(plan, directory) };
    } catch (error) {
      plan.signal?.throwIfAborted();
      reasons.push(`${directory} ${reasonOf(error)}`);
    }
  }
  throw new Error(reasons.join("; "));
}

/** The first Python whose torch opens and is what was asked for; its files stay where they are. */
async function fromPython(plan: Plan): Promise<Found> {
  const { found, tried } = await findPythonTorch(plan);
  for (const { directory, version } of found) {
    try {
      if (version !== undefined) requireNew(version);
      return { directory, source: "python", version: await accept(plan, directory) };
    } catch (error) {
      plan.signal?.throwIfAborted();
      tried.push(`${directory} ${reasonOf(error)}`);
    }
  }
  throw new Error(tried.join("; "));
}

/** The wheels that pip downloads: from its caches, mirrors and folders as the user set them up. */
async function fromPip(plan: Plan): Promise<Found> {
  const { version, variant, platform, offline = false } = plan;
  const isCuda = platform.os === "linux" && variant !== "cpu";
  const download = async (requirement: string, scratch: string) => {
    plan.report(`asking pip for ${requirement}`);
    return await pipDownload({
      requirement,
      directory: join(scratch, "wheels"),
      index: `${OFFICIAL_INDEX}/${variant}`,
      withDependencies: isCuda,
      offline,
    }, plan);
  };
  // Only Linux has two builds of one release in pip's own index: the bare one is CUDA's.
  const isBare = platform.os !== "linux" && variant === "cpu";
  const named = `torch==${version}${isBare ? "" : `+${variant}`}`;
  return await install(plan, "pip", async (scratch) => {
    try {
      return await download(named, scratch);
    } catch (error) {
      plan.signal?.throwIfAborted();
      if (!isCuda) throw error;
      plan.report(reasonOf(error));
      return await download(`torch===${version}`, scratch); // exactly that, without a build
    }
  });
}

/** The text of the error when every way failed. */
function failureMessage(plan: Plan, failures: readonly string[]): string {
  const { version, variant, platform } = plan;
  return [
    `Cannot set up libtorch ${version} (${variant}) on ${platform.os} ${platform.arch}:`,
    ...failures.map((line) => `  ${line}`),
    "What would work, each followed by `deno task setup` again:",
    `  a connection to ${OFFICIAL_INDEX}, or PONDER_LIBTORCH_URL naming a mirror, a wheel or a zip`,
    `  pip install torch==${version} --index-url ${OFFICIAL_INDEX}/${variant}`,
    `  PONDER_LIBTORCH naming the folder of a libtorch from ${OLDEST_VERSION} that is elsewhere`,
  ].join("\n");
}
