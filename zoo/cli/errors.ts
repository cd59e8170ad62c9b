/**
 * What a command line can end with besides success.
 *
 * @module
 */

/** A command line that makes no sense: one line that says what is wrong; exit code 2. */
export class UsageError extends Error {
  /** The name of the class. */
  override readonly name = "UsageError";
}

/** Thrown for `--help`: the message is the text to print; exit code 0. */
export class HelpRequested extends Error {
  /** The name of the class. */
  override readonly name = "HelpRequested";
}

/** Thrown by whoever stopped early on Ctrl-C, having saved what is worth saving; exit code 130. */
export class Interrupted extends Error {
  /** The name of the class. */
  override readonly name = "Interrupted";
}

/**
 * The error for a name that does not exist: what was asked for, the close one,
 * and all there are.
 *
 * @param kind what it should have named, "recipe"
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { unknownName } from "./errors.ts";
 *
 * assertEquals(
 *   unknownName("recipe", "hrm-sodoku", ["hrm-sudoku", "trm-maze"]).message,
 *   'Unknown recipe "hrm-sodoku", did you mean "hrm-sudoku"? There are: hrm-sudoku, trm-maze',
 * );
 * ```
 */
export function unknownName(kind: string, name: string, known: readonly string[]): UsageError {
  if (known.length === 0) return new UsageError(`Unknown ${kind} "${name}": there are none`);
  const close = closest(name, known);
  const hint = close === undefined ? "; there are:" : `, did you mean "${close}"? There are:`;
  return new UsageError(`Unknown ${kind} "${name}"${hint} ${known.join(", ")}`);
}

/** The known name that `name` most likely meant, if any is close. */
function closest(name: string, known: readonly string[]): string | undefined {
  const bare = (text: string): string => text.replace(/^-+/, "").toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.floor(bare(name).length / 3)) + 0.5;
  for (const candidate of known) {
    const distance = editDistance(bare(name), bare(candidate));
    if (distance >= least) continue;
    best = candidate;
    least = distance;
  }
  return best;
}

/** How many letters must be added, removed, changed or swapped with their neighbour. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = swap ? before[j - 2]! + 1 : Infinity;
      row.push(Math.min(change, swapped, above[j]! + 1, row[j - 1]! + 1));
    }
    before = above;
    above = row;
  }
  return above[b.length]!;
}
