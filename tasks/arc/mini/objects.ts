/**
 * Families about objects: cells of one colour that touch.
 *
 * @module
 */

import { below, type RandomSource } from "../../random_source.ts";
import type { ArcGrid } from "../grid.ts";
import { type ArcMiniFamily, combinations, family, paints } from "./_family.ts";
import {
  between,
  blankGrid,
  cellsOf,
  cutOut,
  drawBlank,
  drawColours,
  drawShape,
  flood,
  gridOf,
  neighbours,
  objectsOf,
  pick,
  place,
  scatter,
} from "./_grids.ts";

/** Objects get an outline. */
export const outline: ArcMiniFamily = family<{ colour: number; corners: boolean }>({
  summary: "Objects get an outline, with or without its corners",
  rules: combinations({ colour: paints, corners: [false, true] }),
  draw: (random, { colour }, size) => {
    const grid = drawBlank(random, 5, size);
    const numObjects = between(random, 1, 3);
    for (const other of drawColours(random, numObjects, [colour])) {
      place(random, grid, drawShape(random, between(random, 1, 4), other));
    }
    return grid;
  },
  apply: ({ colour, corners }, grid) =>
    recoloured(grid, colour, (cell) =>
      grid.cells[cell] === 0 &&
      neighbours(grid, cell, corners).some((next) => grid.cells[next] !== 0)),
});

/** Holes are filled. */
export const fill: ArcMiniFamily = family<{ colour: number }>({
  summary: "Background that is enclosed is filled",
  rules: combinations({ colour: paints }),
  draw: (random, { colour }, size) => {
    const grid = drawBlank(random, 5, size);
    const colours = drawColours(random, 2, [colour]);
    const numRings = between(random, 1, 3);
    for (let i = 0; i < numRings; i++) {
      const ring = drawRing(random, Math.min(5, size - 1), pick(random, colours));
      if (i > 0 && below(random, 3) === 0) openRing(random, ring);
      place(random, grid, ring);
    }
    scatter(random, grid, colours, between(random, 0, 2));
    return grid;
  },
  apply: ({ colour }, grid) => {
    const seen = new Uint8Array(grid.cells.length);
    flood(grid, cellsOf(grid, 0).filter((cell) => isOnBorder(grid, cell)), seen, false);
    return recoloured(grid, colour, (cell) => grid.cells[cell] === 0 && seen[cell] === 0);
  },
});

/** The grid is cut down to one colour. */
export const crop: ArcMiniFamily = family<{ colour: number }>({
  summary: "What remains is the smallest rectangle that holds one colour",
  rules: combinations({ colour: paints }),
  draw: (random, { colour }, size) => {
    const grid = drawBlank(random, 5, size);
    place(random, grid, drawShape(random, between(random, 3, 8), colour));
    const others = drawColours(random, between(random, 1, 3), [colour]);
    for (const other of others) {
      place(random, grid, drawShape(random, between(random, 2, 6), other));
    }
    scatter(random, grid, others, between(random, 1, 5));
    return grid;
  },
  apply: ({ colour }, grid) => {
    const cells = cellsOf(grid, colour);
    return cells.length === 0 ? null : cutOut(grid, cells);
  },
});

/** Which of the objects. */
type Which = "largest" | "smallest";

/** The largest or the smallest object changes colour. */
export const largest: ArcMiniFamily = family<{ which: Which; colour: number }>({
  summary: "The largest, or the smallest, object takes another colour",
  rules: combinations({ which: ["largest", "smallest"] as const, colour: paints }),
  draw: (random, { colour }, size) => drawObjects(random, size, [colour]),
  apply: ({ which, colour }, grid) => {
    const object = objectBySize(grid, which);
    return object === null ? null : recoloured(grid, colour, (cell) => object.includes(cell));
  },
});

/** The largest or the smallest object is cut out. */
export const extract: ArcMiniFamily = family<{ which: Which }>({
  summary: "What remains is the largest, or the smallest, object",
  rules: combinations({ which: ["largest", "smallest"] as const }),
  draw: (random, _rule, size) => drawObjects(random, size, []),
  apply: ({ which }, grid) => {
    const object = objectBySize(grid, which);
    if (object === null) return null;
    const alone = blankGrid(grid.rows, grid.columns);
    for (const cell of object) alone.cells[cell] = grid.cells[cell]!;
    return cutOut(alone, object);
  },
});

/** Lone cells go. */
export const denoise: ArcMiniFamily = family<{ colour: number }>({
  summary: "Cells that touch no other are erased, or take one colour",
  rules: combinations({ colour: [0, ...paints] }),
  draw: (random, { colour }, size) => {
    const grid = drawBlank(random, 5, size);
    const colours = drawColours(random, 3, [colour]);
    const numObjects = between(random, 1, 2);
    for (let i = 0; i < numObjects; i++) {
      place(random, grid, drawShape(random, between(random, 3, 8), colours[i]!));
    }
    const dot = (): ArcGrid => gridOf(1, 1, () => pick(random, colours));
    for (let i = between(random, 2, 5); i > 0; i--) place(random, grid, dot());
    return grid;
  },
  apply: ({ colour }, grid) =>
    recoloured(grid, colour, (cell) =>
      grid.cells[cell] !== 0 &&
      neighbours(grid, cell, true).every((next) => grid.cells[next] === 0)),
});

/** A new grid in which the chosen cells have `colour`. */
function recoloured(grid: ArcGrid, colour: number, isChosen: (cell: number) => boolean): ArcGrid {
  return { ...grid, cells: grid.cells.map((old, cell) => isChosen(cell) ? colour : old) };
}

/** The one object that is larger, or smaller, than all others; `null` where there is none. */
function objectBySize(grid: ArcGrid, which: Which): number[] | null {
  const sign = which === "largest" ? -1 : 1;
  const [first, second] = objectsOf(grid).sort((a, b) => sign * (a.length - b.length));
  if (first === undefined || second === undefined) return null;
  return first.length === second.length ? null : first;
}

/** A grid of two to four objects. */
function drawObjects(random: RandomSource, size: number, except: readonly number[]): ArcGrid {
  const grid = drawBlank(random, 5, size);
  const colours = drawColours(random, 2, except);
  for (let i = between(random, 2, 4); i > 0; i--) {
    place(random, grid, drawShape(random, between(random, 1, 8), pick(random, colours)));
  }
  return grid;
}

/** The border of a rectangle of at most `most` cells either way. */
function drawRing(random: RandomSource, most: number, colour: number): ArcGrid {
  const rows = between(random, 3, most), columns = between(random, 3, most);
  const ring = blankGrid(rows, columns);
  for (const cell of ring.cells.keys()) if (isOnBorder(ring, cell)) ring.cells[cell] = colour;
  return ring;
}

/** Takes a cell from the border of a ring, not from its corners. */
function openRing(random: RandomSource, { rows, columns, cells }: ArcGrid): void {
  const column = between(random, 1, columns - 2);
  cells[pick(random, [0, rows - 1]) * columns + column] = 0;
}

function isOnBorder({ rows, columns }: ArcGrid, cell: number): boolean {
  const y = Math.floor(cell / columns), x = cell % columns;
  return y === 0 || x === 0 || y === rows - 1 || x === columns - 1;
}
