// What the benchmarks make of their measurements, and the flag that all of them have.

/** The flag for the number of threads. */
export const threadsFlag = {
  type: "integer",
  min: 1,
  default: Math.min(2, navigator.hardwareConcurrency),
  help: "threads for one operation",
} as const;

/** The value in the middle, or the mean of the two there. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The least and the largest value. */
export function extent(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)];
}

/** Numbers of which some may be missing. */
type Sparse = readonly (number | null)[];

/** The largest difference, relative to ours, as far as both go; null where there is nothing to compare. */
export function largestDifference(ours: Sparse, theirs: Sparse): number | null {
  const gaps = ours.slice(0, theirs.length).flatMap((own, i) => {
    const other = theirs[i]!;
    return own === null || other === null ? [] : [Math.abs(own - other) / Math.abs(own)];
  });
  return gaps.length === 0 ? null : Math.max(...gaps);
}
