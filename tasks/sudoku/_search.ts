/**
 * The search for solutions, on bit masks: a cell holds the set of its
 * candidates, bit d - 1 for digit d, or its digit once that is placed, the same
 * bit sixteen places higher. All states of one search lie in one array, a row
 * of n² cells for every guess in force, so that nothing is allocated on the way.
 *
 * @module
 */

import { below, type RandomSource } from "../random_source.ts";
import { sudokuGeometry, type SudokuSize } from "./geometry.ts";

const PLACED = 16;

/** The number of bits set in a mask. */
function count(mask: number): number {
  let n = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) n++;
  return n;
}

/**
 * One search at a time over the boards of one size: `load`, perhaps `forbid`,
 * then `run` or `tryFill`.
 */
export class Search {
  /** How many solutions were found. */
  solutions = 0;
  /** How many guesses ended in a contradiction. */
  backtracks = 0;
  /** The first solution found, of use while `solutions` is not 0; written over by the next run. */
  readonly found: Uint8Array;

  readonly #size: number;
  readonly #cells: number;
  /** The mask of all digits; a larger number in a cell is a placed digit. */
  readonly #all: number;
  /** The number of candidates in each mask. */
  readonly #counts: Uint8Array;
  readonly #numPeers: number;
  /** The tables of the geometry, each laid out flat. */
  readonly #peers: Uint8Array;
  readonly #units: Uint8Array;
  readonly #unitsOf: Uint8Array;
  /** The states, n² cells for each guess in force; `base` is where one begins. */
  readonly #states: Int32Array;
  /** The cells left with one candidate and not yet placed. */
  readonly #queue: Uint8Array;
  #queued = 0;
  /** 1 for each unit that lost a candidate since it was last looked at. */
  readonly #dirty: Uint8Array;
  #consistent = true;
  #maxSolutions = 1;

  /** An idle search. */
  constructor(size: SudokuSize) {
    const { cells, peers, units, unitsOf } = sudokuGeometry(size);
    this.found = new Uint8Array(cells);
    this.#size = size;
    this.#cells = cells;
    this.#all = 2 ** size - 1;
    this.#counts = Uint8Array.from({ length: 2 ** size }, (_, mask) => count(mask));
    this.#numPeers = peers[0]!.length;
    this.#peers = Uint8Array.from(peers.flatMap((list) => [...list]));
    this.#units = Uint8Array.from(units.flatMap((list) => [...list]));
    this.#unitsOf = Uint8Array.from(unitsOf.flatMap((list) => [...list]));
    this.#states = new Int32Array((cells + 1) * cells);
    this.#queue = new Uint8Array(3 * cells); // a cell is queued by a peer, a unit or forbid()
    this.#dirty = new Uint8Array(3 * size);
  }

  /** Starts over from the clues of `board`. */
  load(board: Uint8Array): void {
    this.solutions = 0;
    this.backtracks = 0;
    this.#states.fill(this.#all, 0, this.#cells);
    this.#queued = 0;
    this.#dirty.fill(1);
    this.#consistent = true;
    for (let cell = 0; cell < this.#cells && this.#consistent; cell++) {
      const digit = board[cell]!;
      if (digit === 0) continue;
      const bit = 1 << (digit - 1);
      this.#consistent = (this.#states[cell]! & bit) !== 0 && this.#place(cell, bit, 0);
    }
  }

  /** Forbids a digit in a blank cell; once at most, before {@link run}. */
  forbid(cell: number, digit: number): void {
    const left = this.#states[cell]! & ~(1 << (digit - 1));
    this.#consistent &&= left !== 0;
    if (this.#consistent) this.#restrict(cell, left, 0);
  }

  /** Searches until `maxSolutions` are found or no more exist. */
  run(maxSolutions: number): void {
    this.#maxSolutions = maxSolutions;
    if (this.#consistent && this.#propagate(0)) this.#search(0);
  }

  /**
   * Puts random candidates in random cells, with all that follows from them, and
   * never goes back. True when that ends in a solution, not in a contradiction.
   */
  tryFill(random: RandomSource): boolean {
    let consistent = this.#consistent && this.#propagate(0);
    while (consistent) {
      const cell = this.#randomOpenCell(random);
      if (cell < 0) break;
      let rest = this.#states[cell]!;
      for (let skip = below(random, this.#counts[rest]!); skip > 0; skip--) rest &= rest - 1;
      this.#restrict(cell, rest & -rest, 0);
      consistent = this.#propagate(0);
    }
    if (consistent) this.#keep(0);
    return consistent;
  }

  /** A random cell that holds no digit yet, or -1 when all do. */
  #randomOpenCell(random: RandomSource): number {
    const states = this.#states, all = this.#all;
    let numOpen = 0;
    for (let cell = 0; cell < this.#cells; cell++) if (states[cell]! <= all) numOpen++;
    if (numOpen === 0) return -1;
    let skip = below(random, numOpen);
    for (let cell = 0;; cell++) if (states[cell]! <= all && skip-- === 0) return cell;
  }

  /** Leaves `cell` with the candidates `mask`. */
  #restrict(cell: number, mask: number, base: number): void {
    this.#states[base + cell] = mask;
    if ((mask & (mask - 1)) === 0) this.#queue[this.#queued++] = cell;
    for (let i = 3 * cell; i < 3 * cell + 3; i++) this.#dirty[this.#unitsOf[i]!] = 1;
  }

  /** Places a digit and takes it from the peers; false when one is left with nothing. */
  #place(cell: number, bit: number, base: number): boolean {
    const states = this.#states, peers = this.#peers, unitsOf = this.#unitsOf;
    const dirty = this.#dirty, numPeers = this.#numPeers;
    states[base + cell] = bit << PLACED;
    for (let i = cell * numPeers; i < (cell + 1) * numPeers; i++) {
      const peer = peers[i]!;
      const before = states[base + peer]!;
      if ((before & bit) === 0) continue;
      const after = before ^ bit;
      if (after === 0) return false;
      states[base + peer] = after;
      if ((after & (after - 1)) === 0) this.#queue[this.#queued++] = peer;
      dirty[unitsOf[3 * peer]!] = 1;
      dirty[unitsOf[3 * peer + 1]!] = 1;
      dirty[unitsOf[3 * peer + 2]!] = 1;
    }
    return true;
  }

  /** Places naked and hidden singles until there are none; false on a contradiction. */
  #propagate(base: number): boolean {
    const dirty = this.#dirty;
    for (;;) {
      if (!this.#placeQueued(base)) return false;
      let unit = dirty.indexOf(1);
      if (unit < 0) return true;
      for (; unit < dirty.length && this.#queued === 0; unit++) {
        if (dirty[unit] === 0) continue;
        dirty[unit] = 0;
        if (!this.#queueHiddenSingles(unit, base)) return false;
      }
    }
  }

  /** Places the naked singles; false on a contradiction. */
  #placeQueued(base: number): boolean {
    while (this.#queued > 0) {
      const cell = this.#queue[--this.#queued]!;
      const mask = this.#states[base + cell]!;
      if (mask > this.#all) continue; // queued twice
      if (!this.#place(cell, mask, base)) return false;
    }
    return true;
  }

  /** Queues the digits that have one place in a unit; false when one has none. */
  #queueHiddenSingles(unit: number, base: number): boolean {
    const states = this.#states, units = this.#units, all = this.#all;
    const from = unit * this.#size, to = from + this.#size;
    let once = 0, twice = 0;
    for (let i = from; i < to; i++) {
      const mask = states[base + units[i]!]!;
      twice |= once & mask;
      once |= mask;
    }
    if (((once | (once >>> PLACED)) & all) !== all) return false;
    let hidden = once & ~twice & all;
    for (let i = from; hidden !== 0; i++) {
      const cell = units[i]!;
      const mask = states[base + cell]!;
      const bit = mask & hidden;
      if (bit === 0) continue;
      if ((bit & (bit - 1)) !== 0) return false; // two digits, one place
      hidden ^= bit;
      if (mask !== bit) this.#restrict(cell, bit, base);
    }
    return true;
  }

  /** Searches below a state that has no singles. */
  #search(base: number): void {
    const states = this.#states, cells = this.#cells, counts = this.#counts, all = this.#all;
    let best = -1, fewest = cells;
    for (let cell = 0; cell < cells && fewest > 2; cell++) {
      const mask = states[base + cell]!;
      if (mask > all || counts[mask]! >= fewest) continue;
      best = cell;
      fewest = counts[mask]!;
    }
    if (best < 0) return this.#keep(base);
    if (fewest > 2 && this.#searchPlaces(base)) return;
    for (let rest = states[base + best]!; rest !== 0;) {
      this.#guess(best, rest & -rest, base);
      rest &= rest - 1;
      if (this.solutions >= this.#maxSolutions) return;
    }
  }

  /** Searches both places of a digit that has two in some unit; false when none has. */
  #searchPlaces(base: number): boolean {
    const states = this.#states, units = this.#units, size = this.#size;
    for (let from = 0; from < units.length; from += size) {
      let once = 0, twice = 0, thrice = 0;
      for (let i = from; i < from + size; i++) {
        const mask = states[base + units[i]!]!;
        thrice |= twice & mask;
        twice |= once & mask;
        once |= mask;
      }
      const digits = twice & ~thrice & this.#all;
      if (digits === 0) continue;
      this.#searchTwoPlaces(from, digits, base);
      return true;
    }
    return false;
  }

  /**
   * Guesses, of the `digits` with two places in the unit that begins at `from`,
   * the one whose places come first. Digits with the same two places lead to the
   * same states, so that the search never depends on which digit is called what.
   */
  #searchTwoPlaces(from: number, digits: number, base: number): void {
    let rest = digits, first = -1, second = -1;
    for (let i = from; second < 0; i++) {
      const cell = this.#units[i]!;
      const here = this.#states[base + cell]! & rest;
      if (here === 0) continue;
      rest = here;
      if (first < 0) first = cell;
      else second = cell;
    }
    const bit = rest & -rest;
    this.#guess(first, bit, base);
    if (this.solutions < this.#maxSolutions) this.#guess(second, bit, base);
  }

  /** Searches on with a digit in a cell. */
  #guess(cell: number, bit: number, base: number): void {
    const next = base + this.#cells;
    this.#states.copyWithin(next, base, next);
    this.#queued = 0;
    this.#dirty.fill(0);
    this.#restrict(cell, bit, next);
    if (this.#propagate(next)) this.#search(next);
    else this.backtracks++;
  }

  /** Counts the solution of a full state, and keeps it when it is the first. */
  #keep(base: number): void {
    if (this.solutions++ > 0) return;
    for (let cell = 0; cell < this.#cells; cell++) {
      this.found[cell] = PLACED - Math.clz32(this.#states[base + cell]!); // bit d + 15 is digit d
    }
  }
}

const searches = new Map<SudokuSize, Search>();

/** The one search of a board size, for one caller at a time. */
export function searchOf(size: SudokuSize): Search {
  let search = searches.get(size);
  if (search === undefined) {
    search = new Search(size);
    searches.set(size, search);
  }
  return search;
}
