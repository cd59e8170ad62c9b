/**
 * How many kernels a computation asks for.
 *
 * @module
 */

/** Calls so far, by operator; null while nobody counts. */
let counted: Map<string, number> | null = null;

/**
 * The calls of libtorch's operators while `body` runs, by operator: each starts at least one
 * kernel. Views and what only asks a tensor for its shape start none and are left out. On `meta`
 * the calls are those of a GPU.
 *
 * @throws {TypeError} when `body` is asynchronous
 */
export function countLaunches(body: () => unknown): ReadonlyMap<string, number> {
  const before = counted;
  const own = counted = new Map<string, number>();
  try {
    if (body() instanceof Promise) {
      throw new TypeError("Cannot count an asynchronous function: await outside of it");
    }
  } finally {
    counted = before;
  }
  if (before !== null) { for (const [name, count] of own) add(before, name, count); }
  return own;
}

/** Internal to ffi: an operator is being called. */
export function noteLaunch(operator: string): void {
  if (counted !== null) add(counted, operator, 1);
}

/** Internal to ffi: runs what stands for one call, of which the calls inside do not count. */
export function asOneLaunch<T>(operator: string, body: () => T): T {
  noteLaunch(operator);
  const before = counted;
  counted = null;
  try {
    return body();
  } finally {
    counted = before;
  }
}

function add(counts: Map<string, number>, name: string, count: number): void {
  counts.set(name, (counts.get(name) ?? 0) + count);
}
