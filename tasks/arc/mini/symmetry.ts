/**
 * Families about turning, reflecting and repeating.
 *
 * @module
 */

import { below, type RandomSource, shuffle } from "../../random_source.ts";
import { type ArcGrid, arcMaxSize } from "../grid.ts";
import { type ArcMiniFamily, combinations, family } from "./_family.ts";
import {
  between,
  blankGrid,
  drawBlank,
  drawColours,
  gridOf,
  sprinkle,
  transformed,
} from "./_grids.ts";

/** The grid is reflected. */
export const reflect: ArcMiniFamily = family<{ dihedral: number }>({
  summary: "The grid is reflected in a line or a diagonal",
  rules: combinations({ dihedral: [4, 5, 6, 7] }),
  draw: (random, _rule, size) => drawPattern(random, size, size),
  apply: ({ dihedral }, grid) => transformed(grid, dihedral),
});

/** The grid is turned. */
export const rotate: ArcMiniFamily = family<{ dihedral: number }>({
  summary: "The grid makes one, two or three quarter turns",
  rules: combinations({ dihedral: [1, 2, 3] }),
  draw: (random, _rule, size) => drawPattern(random, size, size),
  apply: ({ dihedral }, grid) => transformed(grid, dihedral),
});

/** How often something is repeated each way. */
interface Repeats {
  readonly down: number;
  readonly across: number;
}

const repeats: readonly Repeats[] = combinations<Repeats>({ down: [1, 2, 3], across: [1, 2, 3] })
  .filter(({ down, across }) => down * across > 1);

/** The grid is repeated. */
export const tile: ArcMiniFamily = family<Repeats & { mirrored: boolean }>({
  summary: "The grid is repeated down and across, every second time mirrored or not",
  rules: repeats.flatMap((rule) => [{ ...rule, mirrored: false }, { ...rule, mirrored: true }]),
  draw: (random, rule, size) => drawToRepeat(random, rule, size),
  apply: ({ down, across, mirrored }, { rows, columns, cells }) =>
    tooLarge(rows * down, columns * across)
      ? null
      : gridOf(rows * down, columns * across, (y, x) => {
        const isOdd = (at: number, length: number): boolean =>
          mirrored && Math.floor(at / length) % 2 === 1;
        const v = isOdd(y, rows) ? rows - 1 - y % rows : y % rows;
        const u = isOdd(x, columns) ? columns - 1 - x % columns : x % columns;
        return cells[v * columns + u]!;
      }),
});

/** Every cell becomes a block. */
export const enlarge: ArcMiniFamily = family<Repeats>({
  summary: "Every cell becomes a block of cells",
  rules: repeats,
  draw: (random, rule, size) => drawToRepeat(random, rule, size),
  apply: ({ down, across }, { rows, columns, cells }) =>
    tooLarge(rows * down, columns * across) ? null : gridOf(
      rows * down,
      columns * across,
      (y, x) => cells[Math.floor(y / down) * columns + Math.floor(x / across)]!,
    ),
});

/** Which reflections a picture is to have. */
type Mirrors = "left-right" | "top-bottom" | "both" | "diagonal";

/** A damaged picture is completed. */
export const symmetrise: ArcMiniFamily = family<{ mirrors: Mirrors }>({
  summary: "Cells that are missing from a symmetric picture are filled in",
  rules: combinations({ mirrors: ["left-right", "top-bottom", "both", "diagonal"] as const }),
  draw: (random, { mirrors }, size) => {
    const side = between(random, 4, size);
    const grid = mirrors === "diagonal" ? blankGrid(side, side) : drawBlank(random, 4, size);
    sprinkle(random, grid, drawColours(random, between(random, 1, 3)), 4);
    for (const cell of grid.cells.keys()) { // symmetric, by the first of each orbit
      for (const image of imagesOf(mirrors, grid, cell)) grid.cells[image] = grid.cells[cell]!;
    }
    for (const cell of shuffle(random, [...grid.cells.keys()])) { // damaged, but never beyond repair
      const hasTwin = imagesOf(mirrors, grid, cell)
        .some((image) => image !== cell && grid.cells[image] !== 0);
      if (hasTwin && below(random, 2) === 0) grid.cells[cell] = 0;
    }
    return grid;
  },
  apply: ({ mirrors }, grid) => {
    if (mirrors === "diagonal" && grid.rows !== grid.columns) return null;
    const cells = grid.cells.slice();
    for (const cell of cells.keys()) {
      const colours = new Set(imagesOf(mirrors, grid, cell).map((image) => grid.cells[image]!));
      colours.delete(0);
      if (colours.size > 1) return null;
      for (const colour of colours) cells[cell] = colour;
    }
    return { ...grid, cells };
  },
});

/** The cells that mirrors make of one, itself first. */
function imagesOf(mirrors: Mirrors, { rows, columns }: ArcGrid, cell: number): number[] {
  const y = Math.floor(cell / columns), x = cell % columns;
  const beside = y * columns + columns - 1 - x, below = (rows - 1 - y) * columns + x;
  if (mirrors === "left-right") return [cell, beside];
  if (mirrors === "top-bottom") return [cell, below];
  if (mirrors === "diagonal") return [cell, x * columns + y];
  return [cell, beside, below, (rows - 1 - y) * columns + columns - 1 - x];
}

/** A random pattern of two to four colours. */
function drawPattern(random: RandomSource, mostRows: number, mostColumns: number): ArcGrid {
  const grid = blankGrid(between(random, 2, mostRows), between(random, 2, mostColumns));
  sprinkle(random, grid, drawColours(random, between(random, 2, 4)), between(random, 4, 8));
  return grid;
}

/** A pattern that, repeated, has at most `size` rows and columns. */
function drawToRepeat(random: RandomSource, { down, across }: Repeats, size: number): ArcGrid {
  const most = Math.max(2, Math.ceil(size / 2)); // room for a larger one says more than a larger grid
  return drawPattern(
    random,
    Math.min(most, Math.floor(size / down)),
    Math.min(most, Math.floor(size / across)),
  );
}

function tooLarge(rows: number, columns: number): boolean {
  return rows > arcMaxSize || columns > arcMaxSize;
}
