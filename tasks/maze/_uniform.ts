/**
 * Real numbers from random words.
 *
 * @module
 */

import type { RandomSource } from "../random_source.ts";

/** A uniform number in `[0, 1)` with 53 random bits. */
export function uniform(random: RandomSource): number {
  return ((random.uint32() >>> 5) * 0x4000000 + (random.uint32() >>> 6)) / 0x20000000000000;
}
