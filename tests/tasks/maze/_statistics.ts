/**
 * Whether samples come from the same distribution: Pearson's chi-square, its
 * chance turned into a normal deviation (Wilson and Hilferty 1931).
 *
 * @module
 */

/** How often each outcome came up. */
export function tally<T>(outcomes: Iterable<T>): Map<T, number> {
  const counts = new Map<T, number>();
  for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return counts;
}

/**
 * How many standard deviations chi-square lies above what it is on average, for
 * two samples; outcomes that come up less than 20 times in all are taken together.
 */
export function deviationOfTwo<T>(first: readonly T[], second: readonly T[]): number {
  const a = tally(first), b = tally(second);
  const rare: [number, number] = [0, 0], cells: [number, number][] = [];
  for (const outcome of new Set([...a.keys(), ...b.keys()])) {
    const pair: [number, number] = [a.get(outcome) ?? 0, b.get(outcome) ?? 0];
    if (pair[0] + pair[1] >= 20) cells.push(pair);
    else rare[0] += pair[0], rare[1] += pair[1];
  }
  if (rare[0] + rare[1] >= 20) cells.push(rare);
  const numFirst = first.length, numSecond = second.length;
  const chiSquare = cells.reduce(
    (sum, [x, y]) =>
      sum +
      (x * Math.sqrt(numSecond / numFirst) - y * Math.sqrt(numFirst / numSecond)) ** 2 / (x + y),
    0,
  );
  return normalized(chiSquare, cells.length - 1);
}

/** The same for a sample and the chances it should have. */
export function deviationFrom<T>(sample: readonly T[], chances: ReadonlyMap<T, number>): number {
  const counts = tally(sample);
  for (const outcome of counts.keys()) if (!chances.has(outcome)) return Infinity;
  let chiSquare = 0;
  for (const [outcome, chance] of chances) {
    const want = chance * sample.length;
    chiSquare += ((counts.get(outcome) ?? 0) - want) ** 2 / want;
  }
  return normalized(chiSquare, chances.size - 1);
}

function normalized(chiSquare: number, freedom: number): number {
  const spread = 2 / (9 * freedom);
  return (Math.cbrt(chiSquare / freedom) - (1 - spread)) / Math.sqrt(spread);
}
