/**
 * Where randomness comes in: anything that draws 32-bit words. The framework's
 * own `Random` is one, and so is an object literal in a test.
 *
 * @module
 */

/** A stream of uniform random 32-bit words. */
export interface RandomSource {
  /** The next uniform integer in `[0, 2^32)`. */
  uint32(): number;
}

const WORD = 0x1_0000_0000;

/**
 * A uniform integer in `[0, bound)`, without bias.
 *
 * @throws {RangeError} when `bound` is not an integer from 1 to 2^32
 *
 * @example
 * ```ts
 * import { below } from "@ponder/ponder/tasks";
 *
 * const die = 1 + below({ uint32: () => 10 }, 6);
 * console.log(die); // 5
 * ```
 */
export function below(random: RandomSource, bound: number): number {
  if (!Number.isInteger(bound) || bound < 1 || bound > WORD) {
    throw new RangeError(`Cannot draw below ${bound}: expected an integer from 1 to 2^32`);
  }
  const limit = WORD - (WORD % bound); // the words from here on would favour the small numbers
  let word = random.uint32();
  while (word >= limit) word = random.uint32();
  return word % bound;
}

/** What {@link shuffle} puts in order: an array or a typed array. */
export interface Shuffleable {
  /** How many items there are. */
  readonly length: number;
  /** The items. */
  [index: number]: unknown;
}

/**
 * `items` itself, its items in a uniformly random order (Fisher and Yates 1938).
 *
 * @example
 * ```ts
 * import { shuffle } from "@ponder/ponder/tasks";
 *
 * console.log(shuffle({ uint32: () => 0 }, [1, 2, 3])); // [2, 3, 1]
 * ```
 */
export function shuffle<A extends Shuffleable>(random: RandomSource, items: A): A {
  for (let last = items.length - 1; last > 0; last--) {
    const chosen = below(random, last + 1);
    [items[last], items[chosen]] = [items[chosen], items[last]];
  }
  return items;
}
