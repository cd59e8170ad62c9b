/**
 * How sure a measured share is.
 *
 * @module
 */

/** A share of solved puzzles, as one trained model reached it. */
export interface Share {
  /** Of how many puzzles. */
  readonly puzzles: number;
  /** The share itself, in `[0, 1]`. */
  readonly exact: number;
}

/** A share with its 95 % confidence interval. */
export interface Estimate {
  /** The mean over seeds. */
  readonly mean: number;
  /** The lower end. */
  readonly low: number;
  /** The upper end. */
  readonly high: number;
  /** What the interval is over: seeds (Student's t), or the puzzles of one model (Wilson). */
  readonly over: "seeds" | "puzzles";
}

/** The 97.5 % quantile of the normal distribution. */
const Z = 1.959964;

/** The 97.5 % quantiles of Student's t, from one degree of freedom on; the last holds from there on. */
const T = [
  ...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179],
  ...[2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06],
  ...[2.056, 2.052, 2.048, 2.045, 2.042],
] as const;

/**
 * The mean of the shares that models of different seeds reached. Its interval is over
 * seeds, by Student's t; for one seed, or where all reach the very same, it is over
 * puzzles, by Wilson's score: it says nothing then about another seed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { estimate } from "./statistics.ts";
 *
 * const { low, high, over } = estimate([{ puzzles: 1000, exact: 0 }]);
 * assertEquals([low, high.toFixed(4), over], [0, "0.0038", "puzzles"]);
 * ```
 */
export function estimate(shares: readonly Share[]): Estimate {
  const values = shares.map(({ exact }) => exact);
  const mean = meanOf(values);
  if (values.every((value) => value === values[0])) {
    return { mean, ...wilson(mean, sumOf(shares.map(({ puzzles }) => puzzles))), over: "puzzles" };
  }
  const n = values.length;
  const variance = sumOf(values.map((value) => (value - mean) ** 2)) / (n - 1);
  const half = T[Math.min(n - 1, T.length) - 1]! * Math.sqrt(variance / n);
  return { mean, low: Math.max(0, mean - half), high: Math.min(1, mean + half), over: "seeds" };
}

/** Wilson's score interval of a share among `n`. Wilson 1927, doi:10.2307/2276774. */
function wilson(share: number, n: number): { readonly low: number; readonly high: number } {
  const centre = (share + Z ** 2 / (2 * n)) / (1 + Z ** 2 / n);
  const half = Z / (1 + Z ** 2 / n) * Math.sqrt(share * (1 - share) / n + Z ** 2 / (4 * n ** 2));
  return {
    low: share === 0 ? 0 : Math.max(0, centre - half),
    high: share === 1 ? 1 : Math.min(1, centre + half),
  };
}

/** The mean of numbers. */
export function meanOf(values: readonly number[]): number {
  return sumOf(values) / values.length;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
