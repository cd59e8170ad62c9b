/**
 * What an epoch draws, before anything is cut into batches: an order of the
 * groups, a puzzle of each, an order of its examples. All of it comes from the
 * epoch's own random source, so that it can be drawn again at any time.
 *
 * @module
 */

import { below, type RandomSource, shuffle } from "../random_source.ts";
import type { PuzzleSet } from "./layout.ts";

/** The part of a set that tells which examples belong together. */
export type PuzzleOffsets = Pick<PuzzleSet, "groupIndices" | "puzzleIndices">;

/** One pass over the groups of a set. */
export class EpochDraw {
  /** The puzzle drawn of each group, in the order of the epoch. */
  readonly puzzles: Uint32Array;
  readonly #offsets: Int32Array;
  readonly #random: RandomSource;
  readonly #most: number;
  // where the examples of each puzzle begin in #examples; drawn when first asked for
  #starts: Uint32Array | undefined;
  #examples: Uint32Array = new Uint32Array();

  /** Draws order and puzzles; of no puzzle more than `most` examples can be asked for. */
  constructor({ groupIndices, puzzleIndices }: PuzzleOffsets, random: RandomSource, most: number) {
    this.#offsets = puzzleIndices;
    this.#random = random;
    this.#most = most;
    this.puzzles = Uint32Array.from({ length: groupIndices.length - 1 }, (_, group) => group);
    shuffle(random, this.puzzles);
    for (let slot = 0; slot < this.puzzles.length; slot++) {
      const group = this.puzzles[slot]!;
      const first = groupIndices[group]!, end = groupIndices[group + 1]!;
      this.puzzles[slot] = first + below(random, end - first);
    }
  }

  /** The number of examples of the puzzle in a place. */
  size(slot: number): number {
    const puzzle = this.puzzles[slot]!;
    return this.#offsets[puzzle + 1]! - this.#offsets[puzzle]!;
  }

  /** The `k`-th example drawn of the puzzle in a place; all `k` give different ones. */
  example(slot: number, k: number): number {
    this.#starts ??= this.#drawExamples();
    return this.#examples[this.#starts[slot]! + k]!;
  }

  #drawExamples(): Uint32Array {
    const starts = new Uint32Array(this.puzzles.length);
    let total = 0, largest = 0;
    for (let slot = 0; slot < starts.length; slot++) {
      const size = this.size(slot);
      starts[slot] = total;
      total += Math.min(size, this.#most);
      largest = Math.max(largest, size);
    }
    this.#examples = new Uint32Array(total);
    const items = new Uint32Array(largest);
    for (let slot = 0; slot < starts.length; slot++) this.#choose(slot, starts[slot]!, items);
    return starts;
  }

  /** As many examples of a puzzle as can be asked for, without replacement (Fisher and Yates). */
  #choose(slot: number, start: number, items: Uint32Array): void {
    const first = this.#offsets[this.puzzles[slot]!]!, size = this.size(slot);
    const count = Math.min(size, this.#most);
    for (let i = 0; i < size; i++) items[i] = first + i;
    for (let i = 0; i < count; i++) {
      const chosen = i < size - 1 ? i + below(this.#random, size - i) : i;
      this.#examples[start + i] = items[chosen]!;
      items[chosen] = items[i]!;
    }
  }
}
