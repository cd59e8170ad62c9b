/**
 * Mazes with a floor on the path length that hardly any maze reaches, drawn as if
 * by trial and error, only sooner.
 *
 * **What is wanted.** Trial and error draws the number of walls w, the walls W,
 * then start and goal among the F = N - w free cells, and accepts when they lie
 * `minPath` steps or more apart. With Q(W) the number of such ordered pairs, a
 * wall pattern is accepted with chance q(W) = Q(W) / F(F - 1), and all its pairs
 * are equally likely. For 30x30 and 111 steps q averages 1.3e-5: 77,000 tries.
 *
 * **What is drawn.** One random order of the cells holds a pattern for every w,
 * its first w cells, and each alone is uniform. The possible w are cut into
 * blocks; one w_b is drawn in each block b, uniformly. The order is accepted with
 * chance min(1, S / cap), where S = Σ_b |b| / Σ|b| · q(W_b); then b is drawn in
 * proportion to its term, and a pair uniformly among the Q(W_b). As long as
 * S <= cap, a given (w, W, start, goal) then comes out with chance
 *
 *     P(w_b = w) P(W) · S/cap · |b| q(W) / (S Σ|b|) · 1/Q(W) = P(W) / (Σ|b| · cap · F(F - 1)),
 *
 * which is that of trial and error, 1/cap times over. So nothing about the
 * accepted mazes changes, and with a cap of 1 this needs no condition. With a
 * smaller one, an order with S > cap comes out S/cap times too rarely, and the
 * distribution is off by E[max(0, S - cap)] / E[S] in total variation at most.
 * {@link directions} lists caps with that error as measured. (What only draws
 * patterns cannot be exact with fewer than 0.6 / E[q] of them, 46,000 here: a
 * snake has q = 0.6, and cannot be accepted more often than it is drawn.)
 *
 * **What makes it quick.** The cap, some hundred times E[S]; that neighbouring w
 * share an order; and that S is bounded before it is counted. In a component
 * whose cells lie e or fewer steps from some cell, none lie more than 2e apart;
 * and of a pair `minPath` apart, the distances to that cell add up to as much.
 * The order is first accepted with chance min(1, U / cap) by the bound U >= S this
 * gives, 0 for nearly all, and then with what is left of its chance.
 *
 * @module
 */

import { below, type RandomSource } from "../random_source.ts";
import { Floor, OPEN, WALL } from "./_floor.ts";
import { RandomOrder } from "./_order.ts";
import type { DrawnEnds, MazeRequest } from "./_trial.ts";
import { uniform } from "./_uniform.ts";

/** How to direct the drawing of mazes of one kind. */
export interface Direction {
  /** The first number of walls of each block, ascending, and one more than the last of all. */
  readonly blocks: readonly number[];
  /** The S of an order that is always accepted. */
  readonly cap: number;
}

/** The kinds of mazes that are drawn by direction; all others are, by trial and error. */
export const directions: readonly (Direction & Omit<MazeRequest, "attempts">)[] = [
  {
    // In 1,500,000 orders S was 1.30e-5 ± 0.015e-5 on average and 0.0203 at most, and above the
    // cap seven times: the error is 8e-4. About 1,150 orders make a maze.
    rows: 30,
    columns: 30,
    minPath: 111,
    walls: [270, 450],
    blocks: [270, 300, 316, 332, 348, 364, 380, 451],
    cap: 0.015,
  },
];

/** How to direct the drawing of what is asked for, if that is known. */
export function directionOf(request: MazeRequest): Direction | undefined {
  return directions.find(({ rows, columns, minPath, walls: [fewest, most] }) =>
    rows === request.rows && columns === request.columns && minPath === request.minPath &&
    fewest === request.walls[0] && most === request.walls[1]
  );
}

/** A block of an order that may hold pairs far enough apart. */
interface Hope {
  /** The number of walls. */
  readonly walls: number;
  /** The chance of each single pair in S. */
  readonly share: number;
  /** At least as many as there are pairs. */
  readonly bound: number;
  /** An end of a long way through each component that may hold some. */
  readonly components: readonly number[];
}

/** The places of one block that are far enough from others. */
interface Sources {
  readonly hope: Hope;
  readonly places: readonly number[];
  /** How many places are far enough from each. */
  readonly counts: readonly number[];
  readonly pairs: number;
}

/** Draws mazes of one size and floor. */
export class DirectedDraw {
  /** The floor of the maze drawn. */
  readonly floor: Floor;

  readonly #minPath: number;
  readonly #direction: Direction;
  /** The places, wall after wall. */
  readonly #order: RandomOrder;
  /** The places, those in the middle first. */
  readonly #fromMiddle: Uint16Array;
  /** The number of walls drawn in each block. */
  readonly #walls: number[];
  /** Scratch: how many places lie so many steps from the middle of a component. */
  readonly #histogram: Uint32Array;

  /** Nothing drawn yet. */
  constructor({ rows, columns, minPath }: MazeRequest, direction: Direction) {
    this.floor = new Floor(rows, columns);
    this.#minPath = minPath;
    this.#direction = direction;
    this.#order = new RandomOrder(this.floor.places);
    const { places, cells } = this.floor;
    const fromMiddle = (place: number): number =>
      Math.abs(2 * Math.floor(cells[place]! / columns) + 1 - rows) +
      Math.abs(2 * (cells[place]! % columns) + 1 - columns);
    this.#fromMiddle = places.toSorted((a, b) => fromMiddle(a) - fromMiddle(b));
    this.#walls = Array(direction.blocks.length - 1).fill(0);
    this.#histogram = new Uint32Array(places.length + 1);
  }

  /** Tries one order; where it is accepted, the floor is left with its walls. */
  tryDraw(random: RandomSource): DrawnEnds | undefined {
    const { cap } = this.#direction;
    const hopes = this.#drawOrder(random);
    const bound = hopes.reduce((sum, { share, bound }) => sum + share * bound, 0);
    if (bound === 0 || bound < cap && uniform(random) * cap >= bound) return undefined;

    const sources = hopes.map((hope) => this.#findSources(hope));
    const total = sources.reduce((sum, { hope, pairs }) => sum + hope.share * pairs, 0);
    if (total === 0 || uniform(random) * Math.min(bound, cap) >= total) return undefined;
    return this.#drawPair(random, sources, total);
  }

  /**
   * The S of a new order, for measuring {@link directions}; nothing is drawn from it.
   */
  measure(random: RandomSource): number {
    return this.#drawOrder(random).map((hope) => this.#findSources(hope))
      .reduce((sum, { hope, pairs }) => sum + hope.share * pairs, 0);
  }

  /** Draws an order and a number of walls in each block; the blocks that may hold pairs. */
  #drawOrder(random: RandomSource): Hope[] {
    const { blocks } = this.#direction;
    for (let b = 0; b < this.#walls.length; b++) {
      this.#walls[b] = blocks[b]! + below(random, blocks[b + 1]! - blocks[b]!);
    }
    this.#order.draw(random, this.#walls);
    const { plan, places } = this.floor;
    for (let i = 0; i < places.length; i++) plan[places[i]!] = OPEN;
    const numWalls = blocks.at(-1)! - blocks[0]!;
    const hopes: Hope[] = [];
    for (let b = 0, laid = 0; b < this.#walls.length; b++) {
      const walls = this.#walls[b]!;
      for (; laid < walls; laid++) plan[this.#order.places[laid]!] = WALL;
      const components = this.#longComponents(places.length - walls);
      if (components === undefined) break; // nor is one large enough when there are more walls
      const bound = components.reduce((sum, end) => sum + this.#boundPairs(end), 0);
      if (bound === 0) continue;
      const numFree = places.length - walls, size = blocks[b + 1]! - blocks[b]!;
      const share = size / numWalls / (numFree * (numFree - 1));
      hopes.push({ walls, share, bound, components });
    }
    return hopes;
  }

  /**
   * An end of a long way through each component that may hold places `minPath`
   * apart, as far as one walk can tell; nothing when no component has as many cells as that takes.
   */
  #longComponents(numFree: number): number[] | undefined {
    const { floor } = this;
    const found: number[] = [];
    let left = numFree, largest = 0, from = 0;
    floor.clear();
    while (left > this.#minPath) {
      while (floor.steps[this.#fromMiddle[from]!] !== OPEN) from++;
      const steps = floor.spread(this.#fromMiddle[from]!);
      left -= floor.numReached;
      largest = Math.max(largest, floor.numReached);
      if (floor.numReached <= this.#minPath || 2 * steps < this.#minPath) continue;
      found.push(floor.farthest());
    }
    return largest > this.#minPath ? found : undefined;
  }

  /** At least as many as there are pairs `minPath` apart in the component of `end`. */
  #boundPairs(end: number): number {
    const farthest = this.#walkFromCentre(end);
    if (2 * farthest < this.#minPath) return 0;
    const { steps, reached, numReached } = this.floor;
    const atLeast = this.#histogram;
    atLeast.fill(0, 0, farthest + 1);
    for (let i = 0; i < numReached; i++) atLeast[steps[reached[i]!]!]!++;
    for (let step = farthest; step > 0; step--) atLeast[step - 1]! += atLeast[step]!;
    let bound = 0;
    for (let i = numReached - 1; i >= 0; i--) {
      const other = this.#minPath - steps[reached[i]!]!;
      if (other > farthest) break;
      bound += atLeast[Math.max(other, 0)]!;
    }
    return bound;
  }

  /** Walks from the middle of a way as long as any, or nearly so; the steps to the farthest. */
  #walkFromCentre(end: number): number {
    const { floor } = this;
    const across = floor.walk(end);
    let centre = floor.farthest();
    for (let step = across; step > across / 2; step--) centre = floor.stepBack(centre);
    return floor.walk(centre);
  }

  /** The places of a block that have others `minPath` away. */
  #findSources(hope: Hope): Sources {
    this.#lay(hope.walls);
    const places: number[] = [], counts: number[] = [];
    let pairs = 0;
    for (const end of hope.components) {
      const farthest = this.#walkFromCentre(end);
      const { reached, numReached, steps } = this.floor;
      const least = this.#minPath - farthest;
      const candidates = reached.slice(0, numReached).filter((place) => steps[place]! >= least);
      for (const place of candidates) {
        this.floor.walk(place);
        const count = this.floor.countFrom(this.#minPath);
        if (count === 0) continue;
        places.push(place);
        counts.push(count);
        pairs += count;
      }
    }
    return { hope, places, counts, pairs };
  }

  /** A block, then a pair of it. */
  #drawPair(random: RandomSource, sources: readonly Sources[], total: number): DrawnEnds {
    let rest = uniform(random) * total;
    const withPairs = sources.filter(({ pairs }) => pairs > 0);
    const { hope, places, counts, pairs } =
      withPairs.find(({ hope, pairs }) => (rest -= hope.share * pairs) < 0) ?? withPairs.at(-1)!;
    let index = below(random, pairs), source = 0;
    while (index >= counts[source]!) index -= counts[source++]!;
    this.#lay(hope.walls);
    const start = places[source]!;
    this.floor.walk(start);
    return { start, goal: this.floor.reached[this.floor.numReached - 1 - index]! };
  }

  #lay(walls: number): void {
    this.#order.places.forEach((place, i) => this.floor.plan[place] = i < walls ? WALL : OPEN);
  }
}
