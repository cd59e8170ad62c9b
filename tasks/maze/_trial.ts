/**
 * Trial and error: the procedure itself.
 *
 * @module
 */

import { below, type RandomSource } from "../random_source.ts";
import { Floor, OPEN, WALL } from "./_floor.ts";
import { RandomOrder } from "./_order.ts";

/** What is asked for, with nothing left to a default. */
export interface MazeRequest {
  /** The number of rows. */
  readonly rows: number;
  /** The number of columns. */
  readonly columns: number;
  /** The fewest steps. */
  readonly minPath: number;
  /** The fewest and the most walls. */
  readonly walls: readonly [fewest: number, most: number];
  /** How many wall patterns to try. */
  readonly attempts: number;
}

/** What a draw came to: the walls are those of {@link DirectedDraw.floor}. */
export interface DrawnEnds {
  /** The place of the start. */
  readonly start: number;
  /** The place of the goal. */
  readonly goal: number;
}

/** One wall pattern, one start and one goal at a time. */
export class TrialDraw {
  /** The floor of the maze drawn. */
  readonly floor: Floor;

  readonly #request: MazeRequest;
  readonly #order: RandomOrder;

  /** Nothing drawn yet. */
  constructor(request: MazeRequest) {
    this.floor = new Floor(request.rows, request.columns);
    this.#request = request;
    this.#order = new RandomOrder(this.floor.places);
  }

  /** Tries one; where the path is long enough, the floor is left with its walls. */
  tryDraw(random: RandomSource): DrawnEnds | undefined {
    const { walls: [fewest, most], minPath } = this.#request;
    const { floor } = this;
    const numWalls = fewest + below(random, most - fewest + 1);
    this.#order.draw(random, [numWalls]);
    const { places } = this.#order;
    for (let i = 0; i < places.length; i++) floor.plan[places[i]!] = i < numWalls ? WALL : OPEN;
    const numFree = places.length - numWalls;
    const first = below(random, numFree), second = below(random, numFree - 1);
    const start = places[numWalls + first]!;
    const goal = places[numWalls + (second < first ? second : second + 1)]!;
    floor.walk(start);
    return floor.steps[goal]! >= minPath ? { start, goal } : undefined;
  }
}
