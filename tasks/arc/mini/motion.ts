/**
 * Families about moving.
 *
 * @module
 */

import { type ArcMiniFamily, combinations, family } from "./_family.ts";
import {
  between,
  blankGrid,
  cellsOf,
  type Direction,
  directions,
  drawBlank,
  drawColours,
  drawShape,
  facing,
  gridOf,
  place,
  scatter,
} from "./_grids.ts";

/** Cells fall. */
export const gravity: ArcMiniFamily = family<{ direction: Direction }>({
  summary: "Coloured cells fall to one side and pile up there",
  rules: combinations({ direction: directions }),
  draw: (random, _rule, size) => {
    const grid = drawBlank(random, 4, size);
    const count = between(random, 3, Math.floor(grid.cells.length / 3));
    scatter(random, grid, drawColours(random, between(random, 1, 3)), count);
    return grid;
  },
  apply: ({ direction }, grid) =>
    facing(direction, grid, (turned) => {
      const { rows, columns, cells } = turned;
      const fallen = blankGrid(rows, columns);
      for (let x = 0; x < columns; x++) {
        let floor = rows - 1;
        for (let y = rows - 1; y >= 0; y--) {
          const colour = cells[y * columns + x]!;
          if (colour !== 0) fallen.cells[floor-- * columns + x] = colour;
        }
      }
      return fallen;
    }),
});

/** Cells shoot rays. */
export const extend: ArcMiniFamily = family<{ direction: Direction }>({
  summary: "Every coloured cell becomes a line to the border, or to the next coloured cell",
  rules: combinations({ direction: directions }),
  draw: (random, _rule, size) => {
    const grid = drawBlank(random, 4, size);
    scatter(random, grid, drawColours(random, between(random, 1, 4)), between(random, 2, 5));
    return grid;
  },
  apply: ({ direction }, grid) =>
    facing(direction, grid, (turned) => {
      const { rows, columns } = turned, cells = turned.cells.slice();
      for (let cell = columns; cell < cells.length; cell++) cells[cell] ||= cells[cell - columns]!;
      return { rows, columns, cells };
    }),
});

/** The picture moves. */
export const shift: ArcMiniFamily = family<{ down: number; right: number }>({
  summary: "The picture moves; what leaves on one side comes back on the other",
  rules: combinations({ down: [-2, -1, 0, 1, 2], right: [-2, -1, 0, 1, 2] })
    .filter(({ down, right }) => down !== 0 || right !== 0),
  draw: (random, _rule, size) => {
    const grid = drawBlank(random, 5, size);
    const colours = drawColours(random, between(random, 1, 3));
    for (const colour of colours) {
      place(random, grid, drawShape(random, between(random, 2, 6), colour));
    }
    if (cellsOf(grid).length === 0) scatter(random, grid, colours, 2);
    return grid;
  },
  apply: ({ down, right }, { rows, columns, cells }) =>
    gridOf(rows, columns, (y, x) => {
      const v = (y - down + 2 * rows) % rows, u = (x - right + 2 * columns) % columns;
      return cells[v * columns + u]!;
    }),
});
