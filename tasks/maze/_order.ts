/**
 * Random orders of which little is asked.
 *
 * @module
 */

import { below, type RandomSource } from "../random_source.ts";

/**
 * A random order of places of which only the first so many matter, for a few
 * numbers known beforehand: one byte each sorts them, and only where such a number
 * parts places with the same byte are these shuffled.
 */
export class RandomOrder {
  /** The places in order. */
  readonly places: Uint16Array;
  readonly #all: Uint16Array;
  readonly #bytes: Uint8Array;
  /** Where the places with each byte begin. */
  readonly #begins: Uint16Array = new Uint16Array(257);
  readonly #ends: Uint16Array = new Uint16Array(256);

  /** The order in which the places are given. */
  constructor(places: Uint16Array) {
    this.#all = places;
    this.places = places.slice();
    this.#bytes = new Uint8Array(places.length);
  }

  /** Draws an order whose first `lengths[i]` places are a uniformly random set, for each i. */
  draw(random: RandomSource, lengths: readonly number[]): void {
    const bytes = this.#bytes, begins = this.#begins, ends = this.#ends;
    const numPlaces = bytes.length;
    begins.fill(0);
    for (let i = 0, word = 0; i < numPlaces; i++, word >>>= 8) {
      if (i % 4 === 0) word = random.uint32();
      const byte = word & 255;
      bytes[i] = byte;
      begins[byte + 1]!++;
    }
    for (let byte = 0; byte < 256; byte++) {
      begins[byte + 1]! += begins[byte]!;
      ends[byte] = begins[byte]!;
    }
    for (let i = 0; i < numPlaces; i++) this.places[ends[bytes[i]!]!++] = this.#all[i]!;
    for (let i = 0, byte = 0, last = -1; i < lengths.length; i++) {
      while (begins[byte + 1]! <= lengths[i]!) byte++;
      if (byte === last || begins[byte] === lengths[i]) continue;
      last = byte;
      this.#shuffle(random, begins[byte]!, begins[byte + 1]!);
    }
  }

  #shuffle(random: RandomSource, from: number, to: number): void {
    for (let last = to - 1; last > from; last--) {
      const chosen = from + below(random, last - from + 1);
      const place = this.places[last]!;
      this.places[last] = this.places[chosen]!;
      this.places[chosen] = place;
    }
  }
}
