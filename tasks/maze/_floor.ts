/**
 * The floor of a maze, walked breadth first. Cells lie in rows one longer than
 * the maze's, with a row above and one below, so that every step from a cell
 * leads to a cell and the edge is a wall like any other. A *place* is an index into
 * this layout.
 *
 * @module
 */

/** The plan of a place that can be walked on. */
export const OPEN = -1;

/** The plan of a wall: more steps than any way has. */
export const WALL = 0x7fff;

/** The floor of one maze at a time. */
export class Floor {
  /** The number of rows. */
  readonly rows: number;
  /** The number of columns. */
  readonly columns: number;
  /** How far apart places in one column and neighbouring rows lie. */
  readonly stride: number;
  /** The place of each cell. */
  readonly places: Uint16Array;
  /** The cell of each place, where it has one. */
  readonly cells: Uint16Array;
  /** {@link OPEN} or {@link WALL} for each place; the edge is a wall. */
  readonly plan: Int16Array;
  /** The steps to each place from the start of the walk that reached it, or as in `plan`. */
  readonly steps: Int16Array;
  /** The places that the latest walk reached, nearest first. */
  readonly reached: Uint16Array;
  /** How many places the latest walk reached. */
  numReached = 0;

  /** A floor on which every cell is a wall. */
  constructor(rows: number, columns: number) {
    this.rows = rows;
    this.columns = columns;
    this.stride = columns + 1; // the cell right of a row is the one left of the next
    const numPlaces = (rows + 2) * this.stride + 1;
    this.places = new Uint16Array(rows * columns);
    this.cells = new Uint16Array(numPlaces);
    for (let cell = 0; cell < rows * columns; cell++) {
      const place = (Math.floor(cell / columns) + 1) * this.stride + cell % columns + 1;
      this.places[cell] = place;
      this.cells[place] = cell;
    }
    this.plan = new Int16Array(numPlaces).fill(WALL);
    this.steps = this.plan.slice();
    this.reached = new Uint16Array(rows * columns + 1); // one is written past the last
  }

  /** Walks everywhere from a free place; the number of steps to the farthest. */
  walk(from: number): number {
    this.clear();
    return this.spread(from);
  }

  /** Forgets all walks. */
  clear(): void {
    this.steps.set(this.plan);
  }

  /**
   * A {@link walk} that leaves the steps of earlier ones, for parts they did not
   * reach. Free of branches: on random walls they would be guessed wrong half the
   * time, and take most of it.
   */
  spread(from: number): number {
    const { steps, reached, stride } = this;
    steps[from] = 0;
    reached[0] = from;
    let end = 1, place = from;
    for (let next = 0; next < end; next++) {
      place = reached[next]!;
      const step = steps[place]! + 1;
      const up = place - stride, left = place - 1, right = place + 1, down = place + stride;
      const stepsUp = steps[up]!, stepsLeft = steps[left]!;
      const stepsRight = steps[right]!, stepsDown = steps[down]!;
      // x >> 31 is -1 where x is OPEN and 0 where it is not.
      steps[up] = stepsUp ^ ((stepsUp ^ step) & (stepsUp >> 31));
      reached[end] = up;
      end -= stepsUp >> 31;
      steps[left] = stepsLeft ^ ((stepsLeft ^ step) & (stepsLeft >> 31));
      reached[end] = left;
      end -= stepsLeft >> 31;
      steps[right] = stepsRight ^ ((stepsRight ^ step) & (stepsRight >> 31));
      reached[end] = right;
      end -= stepsRight >> 31;
      steps[down] = stepsDown ^ ((stepsDown ^ step) & (stepsDown >> 31));
      reached[end] = down;
      end -= stepsDown >> 31;
    }
    this.numReached = end;
    return steps[place]!;
  }

  /** The place that the latest walk reached last: none lies farther. */
  farthest(): number {
    return this.reached[this.numReached - 1]!;
  }

  /** How many places lie `steps` steps or more from the start of the latest walk. */
  countFrom(steps: number): number {
    let first = this.numReached;
    while (first > 0 && this.steps[this.reached[first - 1]!]! >= steps) first--;
    return this.numReached - first;
  }

  /** The first of the places up, left, right and down that is one step nearer to the start. */
  stepBack(place: number): number {
    const step = this.steps[place]! - 1;
    return this.around(place).find((near) => this.steps[near] === step)!;
  }

  /** The places up, left, right and down of a place. */
  around(place: number): [up: number, left: number, right: number, down: number] {
    return [place - this.stride, place - 1, place + 1, place + this.stride];
  }
}
