/**
 * Numbers in the sentences of findings.
 *
 * @module
 */
import type { Estimate } from "../compare/statistics.ts";

/** `93.5 %`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** `93.5 % (91.8 to 94.9)`. */
export function interval({ mean, low, high }: Estimate): string {
  return `${percent(mean)} (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
}

/** `a, b and c`. */
export function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

/** Whether one share is above another by more than both intervals allow. */
export function clearlyAbove(a: Estimate, b: Estimate): boolean {
  return a.low > b.high;
}
