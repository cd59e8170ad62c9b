/**
 * One process at a time: a lock file that the system releases when its holder
 * ends, however it ends.
 *
 * @module
 */

import { dirname } from "@std/path";

/** How {@link withLock} waits. */
export interface LockOptions {
  /** Ends the waiting. */
  readonly signal?: AbortSignal | undefined;
  /** Called once when somebody else holds the lock. */
  readonly onWait?: (() => void) | undefined;
}

const POLL_MS = 100;

/** The result of `work`, done while nobody else holds the lock at `path`. */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const file = await acquire(path, options);
  try {
    return await work();
  } finally {
    // Windows cannot remove what another process has opened; there the empty file stays.
    if (Deno.build.os !== "windows") await Deno.remove(path).catch(() => {});
    file.close();
  }
}

/** The lock file, opened and locked. */
async function acquire(path: string, { signal, onWait }: LockOptions): Promise<Deno.FsFile> {
  for (let tries = 0;; tries++) {
    signal?.throwIfAborted();
    const file = await Deno.open(path, { create: true, write: true });
    if (await file.tryLock(true) && await isStillAt(path, file)) return file;
    file.close();
    if (tries === 0) onWait?.();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Whether `path` is still the file that was opened: its last holder may have removed it. */
async function isStillAt(path: string, file: Deno.FsFile): Promise<boolean> {
  try {
    const [opened, there] = await Promise.all([file.stat(), Deno.stat(path)]);
    return opened.ino === there.ino && opened.dev === there.dev;
  } catch {
    return false;
  }
}
