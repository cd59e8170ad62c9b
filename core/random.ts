/**
 * Seeded random numbers: a counter-based generator whose whole state is three
 * numbers, so that it is saved and restored exactly and never depends on when
 * or where it is asked.
 *
 * Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"
 * (Philox4x32-10).
 *
 * @module
 */

/** What a {@link Random} needs to continue exactly where it stopped. */
export interface RandomState {
  /** The seed, an integer in `[0, 2^53)`. */
  readonly seed: number;
  /** The stream, an integer in `[0, 2^32)`; streams of one seed are independent. */
  readonly stream: number;
  /** How many 32-bit words were drawn. */
  readonly drawn: number;
}

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const WORD = 0x1_0000_0000;

/** The high 32 bits of the 64-bit product of two 32-bit words. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff, aHigh = a >>> 16, bLow = b & 0xffff, bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/** A seeded stream of random numbers (Philox4x32-10). */
export class Random {
  readonly #seed: number;
  readonly #stream: number;
  #drawn = 0;
  readonly #block: Uint32Array = new Uint32Array(4);

  /**
   * A generator at the start of a stream.
   *
   * @param seed an integer in `[0, 2^53)`
   * @param stream an integer in `[0, 2^32)`; streams of one seed are independent
   * @throws {RangeError} when either lies outside its range
   */
  constructor(seed: number, stream = 0) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`Cannot seed with ${seed}: expected an integer from 0 to 2^53 - 1`);
    }
    if (!Number.isInteger(stream) || stream < 0 || stream >= WORD) {
      throw new RangeError(`Cannot use stream ${stream}: expected an integer from 0 to 2^32 - 1`);
    }
    this.#seed = seed;
    this.#stream = stream;
  }

  /** The generator that continues after `state`. */
  static from(state: RandomState): Random {
    const random = new Random(state.seed, state.stream);
    if (!Number.isSafeInteger(state.drawn) || state.drawn < 0) {
      throw new RangeError(`Cannot restore a random state that drew ${state.drawn} words`);
    }
    random.#drawn = state.drawn;
    if (state.drawn % 4 !== 0) random.#fill(Math.floor(state.drawn / 4));
    return random;
  }

  /** The state from which {@link Random.from} continues. */
  get state(): RandomState {
    return { seed: this.#seed, stream: this.#stream, drawn: this.#drawn };
  }

  /** A uniform integer in `[0, 2^32)`. */
  uint32(): number {
    const lane = this.#drawn % 4;
    if (lane === 0) this.#fill(Math.floor(this.#drawn / 4));
    this.#drawn++;
    return this.#block[lane]!;
  }

  /** A uniform number in `[0, 1)` with 53 random bits. */
  uniform(): number {
    return ((this.uint32() >>> 5) * 0x4000000 + (this.uint32() >>> 6)) / 0x20000000000000;
  }

  /** A uniform integer in `[0, bound)`, without bias; `bound` at most 2^32. */
  below(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > WORD) {
      throw new RangeError(`Cannot draw below ${bound}: expected an integer from 1 to 2^32`);
    }
    const limit = WORD - (WORD % bound);
    let word = this.uint32();
    while (word >= limit) word = this.uint32();
    return word % bound;
  }

  /** A standard normal number (Box and Muller 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** The four words of counter `block`. */
  #fill(block: number): void {
    let c0 = block >>> 0, c1 = Math.floor(block / WORD) >>> 0, c2 = this.#stream, c3 = 0;
    let k0 = this.#seed >>> 0, k1 = Math.floor(this.#seed / WORD) >>> 0;
    for (let round = 0; round < 10; round++) {
      const high0 = mulHigh(MULTIPLIER_0, c0), low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
      const high1 = mulHigh(MULTIPLIER_1, c2), low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
      [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
      k0 = (k0 + WEYL_0) >>> 0;
      k1 = (k1 + WEYL_1) >>> 0;
    }
    this.#block.set([c0, c1, c2, c3]);
  }
}
