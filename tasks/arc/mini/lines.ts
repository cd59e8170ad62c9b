/**
 * Families about lines.
 *
 * @module
 */

import { below, type RandomSource } from "../../random_source.ts";
import type { ArcGrid } from "../grid.ts";
import { type ArcMiniFamily, combinations, family, paints } from "./_family.ts";
import { between, drawBlank, drawColours, gridOf, scatter } from "./_grids.ts";

/** Dots are joined. */
export const connect: ArcMiniFamily = family<{ colour: number }>({
  summary: "Dots of one colour in a row or column are joined, in their colour (0) or another",
  rules: combinations({ colour: [0, ...paints] }),
  draw: (random, { colour }, size) => {
    const grid = drawBlank(random, 4, size);
    const numPairs = between(random, 1, 3);
    for (const dot of drawColours(random, numPairs, [colour])) drawDots(random, grid, dot);
    return grid;
  },
  apply: ({ colour }, grid) => {
    const { rows, columns } = grid, cells = grid.cells.slice();
    for (let y = 0; y < rows; y++) joinDots(grid, cells, y * columns, 1, columns, colour);
    for (let x = 0; x < columns; x++) joinDots(grid, cells, x, columns, rows, colour);
    return { rows, columns, cells };
  },
});

/** The grid gets a border. */
export const frame: ArcMiniFamily = family<{ colour: number }>({
  summary: "The cells along the border take one colour",
  rules: combinations({ colour: paints }),
  draw: (random, { colour }, size) => {
    const grid = drawBlank(random, 4, size);
    const colours = drawColours(random, between(random, 1, 3), [colour]);
    scatter(random, grid, colours, between(random, 2, Math.floor(grid.cells.length / 4)));
    return grid;
  },
  apply: ({ colour }, { rows, columns, cells }) =>
    gridOf(rows, columns, (y, x) => {
      const isBorder = y === 0 || x === 0 || y === rows - 1 || x === columns - 1;
      return isBorder ? colour : cells[y * columns + x]!;
    }),
});

/** Draws two dots into one row or column where that is free, background between them. */
function drawDots(random: RandomSource, { rows, columns, cells }: ArcGrid, colour: number): void {
  const inRow = below(random, 2) === 0;
  const line = below(random, inRow ? rows : columns), length = inRow ? columns : rows;
  const from = below(random, length - 2), to = between(random, from + 2, length - 1);
  const cellAt = (at: number): number => inRow ? line * columns + at : at * columns + line;
  for (let at = from; at <= to; at++) if (cells[cellAt(at)] !== 0) return;
  cells[cellAt(from)] = colour;
  cells[cellAt(to)] = colour;
}

/** Joins the equal dots of one line of `grid`, with only background between them, in `cells`. */
function joinDots(
  grid: ArcGrid,
  cells: Uint8Array,
  first: number,
  step: number,
  length: number,
  colour: number,
): void {
  let last = -1; // where the last dot is
  for (let at = 0; at < length; at++) {
    const dot = grid.cells[first + at * step]!;
    if (dot === 0) continue;
    if (last >= 0 && grid.cells[first + last * step] === dot) {
      for (let i = last + 1; i < at; i++) cells[first + i * step] = colour === 0 ? dot : colour;
    }
    last = at;
  }
}
