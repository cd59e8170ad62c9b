/**
 * Drawing at random and taking apart: what the families share.
 *
 * @module
 */

import { dihedral, inverseDihedral } from "../../dihedral.ts";
import { below, type RandomSource, shuffle } from "../../random_source.ts";
import type { ArcGrid } from "../grid.ts";
import { paints } from "./_family.ts";

/** The grid whose cell in row y and column x is `colourAt(y, x)`. */
export function gridOf(
  rows: number,
  columns: number,
  colourAt: (y: number, x: number) => number,
): ArcGrid {
  const cells = new Uint8Array(rows * columns);
  for (let y = 0, cell = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) cells[cell++] = colourAt(y, x);
  }
  return { rows, columns, cells };
}

/** A grid of background. */
export function blankGrid(rows: number, columns: number): ArcGrid {
  return { rows, columns, cells: new Uint8Array(rows * columns) };
}

/** A grid of background with sides from `least` to `most`. */
export function drawBlank(random: RandomSource, least: number, most: number): ArcGrid {
  const rows = between(random, least, most);
  return blankGrid(rows, between(random, least, most));
}

/** A uniformly random integer from `least` to `most`. */
export function between(random: RandomSource, least: number, most: number): number {
  return least + below(random, Math.max(0, most - least) + 1);
}

/** One of `items`, each as likely as the others. */
export function pick<T>(random: RandomSource, items: readonly T[]): T {
  return items[below(random, items.length)]!;
}

/** So many different colours, none of those in `except`, nor the background. */
export function drawColours(
  random: RandomSource,
  count: number,
  except: readonly number[] = [],
): number[] {
  return shuffle(random, paints.filter((colour) => !except.includes(colour))).slice(0, count);
}

/** Fills each cell with one of `colours` with a chance of `tenths` in ten. */
export function sprinkle(
  random: RandomSource,
  { cells }: ArcGrid,
  colours: readonly number[],
  tenths: number,
): void {
  for (let cell = 0; cell < cells.length; cell++) {
    if (below(random, 10) < tenths) cells[cell] = pick(random, colours);
  }
}

/** Gives up to `count` cells of background a colour each of `colours`; how many it gave. */
export function scatter(
  random: RandomSource,
  { cells }: ArcGrid,
  colours: readonly number[],
  count: number,
): number {
  const free = Array.from(cells.keys()).filter((cell) => cells[cell] === 0);
  const chosen = shuffle(random, free).slice(0, count);
  for (const cell of chosen) cells[cell] = pick(random, colours);
  return chosen.length;
}

/** A connected shape of `area` cells of one colour, in a grid that just holds it. */
export function drawShape(random: RandomSource, area: number, colour: number): ArcGrid {
  const grown: [y: number, x: number][] = [[0, 0]];
  while (grown.length < area) {
    const [y, x] = pick(random, grown);
    const [dy, dx] = pick(random, sides);
    if (!grown.some(([v, u]) => v === y + dy && u === x + dx)) grown.push([y + dy, x + dx]);
  }
  const top = Math.min(...grown.map(([y]) => y)), left = Math.min(...grown.map(([, x]) => x));
  const rows = Math.max(...grown.map(([y]) => y)) - top + 1;
  const columns = Math.max(...grown.map(([, x]) => x)) - left + 1;
  const shape = blankGrid(rows, columns);
  for (const [y, x] of grown) shape.cells[(y - top) * columns + x - left] = colour;
  return shape;
}

/**
 * Draws `shape` into `grid` at a random place where it and the cells around it
 * meet only background, `margin` cells from the border; false where there is none.
 */
export function place(random: RandomSource, grid: ArcGrid, shape: ArcGrid, margin = 0): boolean {
  const found: [y: number, x: number][] = [];
  for (let y = margin; y + shape.rows + margin <= grid.rows; y++) {
    for (let x = margin; x + shape.columns + margin <= grid.columns; x++) {
      if (isFree(grid, y - 1, x - 1, shape.rows + 2, shape.columns + 2)) found.push([y, x]);
    }
  }
  if (found.length === 0) return false;
  const [top, left] = pick(random, found);
  for (let y = 0; y < shape.rows; y++) {
    const row = shape.cells.subarray(y * shape.columns, (y + 1) * shape.columns);
    grid.cells.set(row, (top + y) * grid.columns + left);
  }
  return true;
}

function isFree(grid: ArcGrid, top: number, left: number, rows: number, columns: number): boolean {
  for (let y = Math.max(0, top); y < Math.min(grid.rows, top + rows); y++) {
    for (let x = Math.max(0, left); x < Math.min(grid.columns, left + columns); x++) {
      if (grid.cells[y * grid.columns + x] !== 0) return false;
    }
  }
  return true;
}

type Step = readonly [dy: number, dx: number];

const sides: readonly Step[] = [[-1, 0], [0, -1], [0, 1], [1, 0]];
const corners: readonly Step[] = [[-1, -1], [-1, 1], [1, -1], [1, 1]];
const allAround: readonly Step[] = [...sides, ...corners];

/** The cells that share a side with one, or with `diagonal` a side or a corner. */
export function neighbours(grid: ArcGrid, cell: number, diagonal: boolean): number[] {
  const y = Math.floor(cell / grid.columns), x = cell % grid.columns;
  const found: number[] = [];
  for (const [dy, dx] of diagonal ? allAround : sides) {
    const v = y + dy, u = x + dx;
    const isInside = v >= 0 && v < grid.rows && u >= 0 && u < grid.columns;
    if (isInside) found.push(v * grid.columns + u);
  }
  return found;
}

/** The cells of each object: equally coloured cells that touch, at corners too. */
export function objectsOf(grid: ArcGrid): number[][] {
  const seen = new Uint8Array(grid.cells.length);
  const objects: number[][] = [];
  for (let cell = 0; cell < seen.length; cell++) {
    if (grid.cells[cell] === 0 || seen[cell] === 1) continue;
    objects.push(flood(grid, [cell], seen, true));
  }
  return objects;
}

/** The cells reached from `from` through cells of the colour each begins with; marks them seen. */
export function flood(
  grid: ArcGrid,
  from: readonly number[],
  seen: Uint8Array,
  diagonal: boolean,
): number[] {
  const reached = [...from];
  for (const cell of from) seen[cell] = 1;
  for (let i = 0; i < reached.length; i++) {
    for (const next of neighbours(grid, reached[i]!, diagonal)) {
      if (seen[next] === 1 || grid.cells[next] !== grid.cells[reached[i]!]) continue;
      seen[next] = 1;
      reached.push(next);
    }
  }
  return reached;
}

/** The part of a grid that just holds the given cells, of which there is one at least. */
export function cutOut(grid: ArcGrid, cells: readonly number[]): ArcGrid {
  const ys = cells.map((cell) => Math.floor(cell / grid.columns));
  const xs = cells.map((cell) => cell % grid.columns);
  const top = Math.min(...ys), left = Math.min(...xs);
  return gridOf(
    Math.max(...ys) - top + 1,
    Math.max(...xs) - left + 1,
    (y, x) => grid.cells[(top + y) * grid.columns + left + x]!,
  );
}

/** The cells that have a colour of their own: `colour`, or any but the background. */
export function cellsOf(grid: ArcGrid, colour?: number): number[] {
  return Array.from(grid.cells.keys()).filter((cell) =>
    colour === undefined ? grid.cells[cell] !== 0 : grid.cells[cell] === colour
  );
}

/** A direction on the grid. */
export type Direction = "down" | "up" | "left" | "right";

/** The directions. */
export const directions: readonly Direction[] = ["down", "up", "left", "right"];

/** The transform that makes a direction point down. */
const turns = { down: 0, up: 5, left: 1, right: 3 } as const satisfies Record<Direction, number>;

/** What `change` makes of a grid turned so that `direction` points down, turned back. */
export function facing(
  direction: Direction,
  grid: ArcGrid,
  change: (turned: ArcGrid) => ArcGrid | null,
): ArcGrid | null {
  const changed = change(transformed(grid, turns[direction]));
  return changed === null ? null : turnedBack(direction, changed);
}

/** A grid turned so that what pointed down points in `direction`. */
export function turnedBack(direction: Direction, grid: ArcGrid): ArcGrid {
  return transformed(grid, inverseDihedral(turns[direction]));
}

/** A grid turned or reflected. */
export function transformed({ cells, rows, columns }: ArcGrid, id: number): ArcGrid {
  return dihedral(cells, rows, columns, id);
}
