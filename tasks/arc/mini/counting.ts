/**
 * Families about how many, how long and both at once.
 *
 * @module
 */

import { below, shuffle } from "../../random_source.ts";
import { type ArcGrid, arcMaxSize } from "../grid.ts";
import { type ArcMiniFamily, combinations, family, paints } from "./_family.ts";
import {
  between,
  blankGrid,
  cellsOf,
  type Direction,
  directions,
  drawBlank,
  drawColours,
  facing,
  gridOf,
  pick,
  scatter,
  transformed,
  turnedBack,
} from "./_grids.ts";

/** Cells are counted. */
export const countBar: ArcMiniFamily = family<{ colour: number; bar: "row" | "column" }>({
  summary: "The cells of one colour are counted: that many form a bar",
  rules: combinations({ colour: paints, bar: ["row", "column"] as const }),
  draw: (random, { colour }, size) => {
    const grid = drawBlank(random, 4, size);
    scatter(random, grid, [colour], between(random, 1, size));
    const others = drawColours(random, between(random, 1, 2), [colour]);
    scatter(random, grid, others, between(random, 1, size));
    return grid;
  },
  apply: ({ colour, bar }, grid) => {
    const count = cellsOf(grid, colour).length;
    if (count === 0 || count > arcMaxSize) return null;
    return bar === "row" ? gridOf(1, count, () => colour) : gridOf(count, 1, () => colour);
  },
});

/** Bars are put in order. */
export const sortBars: ArcMiniFamily = family<{ order: "rising" | "falling"; base: Direction }>({
  summary: "Bars that stand on one side are put in order of their length",
  rules: combinations({ order: ["rising", "falling"] as const, base: directions }),
  draw: (random, { base }, size) => {
    const columns = between(random, 3, size - 1);
    const rows = between(random, columns, size); // so that all bars can differ
    const lengths = shuffle(random, Array.from({ length: rows }, (_, i) => i + 1));
    const colours = drawColours(random, between(random, 1, 4));
    const bars = blankGrid(rows, columns);
    for (let x = 0; x < columns; x++) {
      const colour = pick(random, colours);
      for (let i = 1; i <= lengths[x]!; i++) bars.cells[(rows - i) * columns + x] = colour;
    }
    return turnedBack(base, bars);
  },
  apply: ({ order, base }, grid) =>
    facing(base, grid, (turned) => {
      const bars = barsOf(turned);
      if (bars === null) return null;
      const sign = order === "rising" ? 1 : -1;
      bars.sort((a, b) => sign * (a.length - b.length));
      const { rows, columns } = turned;
      return gridOf(rows, columns, (y, x) => bars[x]![rows - 1 - y] ?? 0);
    }),
});

/** The colours of each column from the bottom up to its first background; `null` if more follow. */
function barsOf({ rows, columns, cells }: ArcGrid): number[][] | null {
  const bars: number[][] = [];
  for (let x = 0; x < columns; x++) {
    const column = Array.from({ length: rows }, (_, i) => cells[(rows - 1 - i) * columns + x]!);
    const end = column.indexOf(0);
    const bar = end < 0 ? column : column.slice(0, end);
    if (column.some((colour, i) => i >= bar.length && colour !== 0)) return null;
    bars.push(bar);
  }
  return bars;
}

/** What two truths make. */
const operations = {
  and: (a: boolean, b: boolean): boolean => a && b,
  or: (a: boolean, b: boolean): boolean => a || b,
  "exclusive or": (a: boolean, b: boolean): boolean => a !== b,
  neither: (a: boolean, b: boolean): boolean => !a && !b,
} as const;

type Operation = keyof typeof operations;

/** Two halves are laid over each other. */
export const combine: ArcMiniFamily = family<
  { operation: Operation; colour: number; halves: "left and right" | "top and bottom" }
>({
  summary: "Two halves divided by a line are laid over each other",
  rules: combinations({
    operation: Object.keys(operations) as Operation[],
    colour: paints,
    halves: ["left and right", "top and bottom"] as const,
  }),
  draw: (random, { halves }, size) => {
    const rows = between(random, 3, Math.min(6, size));
    const columns = between(random, 2, Math.min(5, Math.floor((size - 1) / 2)));
    const [line, left, right] = drawColours(random, 3);
    const grid = gridOf(rows, 2 * columns + 1, (_, x) => {
      if (x === columns) return line!;
      return below(random, 2) === 0 ? 0 : x < columns ? left! : right!;
    });
    return unfolded(halves, grid);
  },
  apply: ({ operation, colour, halves }, grid) => {
    const beside = unfolded(halves, grid);
    const { rows, columns, cells } = beside, half = (columns - 1) / 2;
    if (!Number.isInteger(half) || half === 0 || !isLine(beside, half)) return null;
    const combined = gridOf(rows, half, (y, x) => {
      const at = y * columns + x;
      return operations[operation](cells[at] !== 0, cells[at + half + 1] !== 0) ? colour : 0;
    });
    return unfolded(halves, combined);
  },
});

/** Halves that lie above each other, put beside each other, or the other way round. */
function unfolded(halves: "left and right" | "top and bottom", grid: ArcGrid): ArcGrid {
  return halves === "left and right" ? grid : transformed(grid, 6);
}

/** Whether all cells of a column have one colour, which no other cell has. */
function isLine(grid: ArcGrid, column: number): boolean {
  const colour = grid.cells[column]!;
  return colour !== 0 && cellsOf(grid, colour).length === grid.rows &&
    cellsOf(grid, colour).every((cell) => cell % grid.columns === column);
}
