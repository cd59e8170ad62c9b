/**
 * Families about which colour is which.
 *
 * @module
 */

import type { RandomSource } from "../../random_source.ts";
import type { ArcGrid } from "../grid.ts";
import { type ArcMiniFamily, combinations, family, paints } from "./_family.ts";
import { between, cellsOf, drawBlank, drawColours, gridOf, pick, sprinkle } from "./_grids.ts";

/** One colour becomes another. */
export const recolour: ArcMiniFamily = family<{ from: number; to: number }>({
  summary: "Cells of one colour take another",
  rules: combinations({ from: paints, to: paints }).filter(({ from, to }) => from !== to),
  draw: (random, { from, to }, size) => drawMixed(random, [from], [to], size),
  apply: ({ from, to }, grid) => renamed(grid, (colour) => colour === from ? to : colour),
});

/** Two colours change places. */
export const swap: ArcMiniFamily = family<{ one: number; other: number }>({
  summary: "Two colours change places",
  rules: combinations({ one: paints, other: paints }).filter(({ one, other }) => one < other),
  draw: (random, { one, other }, size) => drawMixed(random, [one, other], [], size),
  apply: ({ one, other }, grid) =>
    renamed(grid, (colour) => colour === one ? other : colour === other ? one : colour),
});

/** The commonest or the rarest colour covers the grid. */
export const commonest: ArcMiniFamily = family<{ which: "commonest" | "rarest" }>({
  summary: "The commonest, or the rarest, colour covers the grid",
  rules: [{ which: "commonest" }, { which: "rarest" }],
  draw: (random, _rule, size) => drawMixed(random, [], [], size),
  apply: ({ which }, grid) => {
    const counts = paints.map((colour) => ({ colour, count: cellsOf(grid, colour).length }))
      .filter(({ count }) => count > 0)
      .sort((a, b) => which === "commonest" ? b.count - a.count : a.count - b.count);
    if (counts.length < 2 || counts[0]!.count === counts[1]!.count) return null;
    return renamed(grid, () => counts[0]!.colour);
  },
});

/** A grid of `sure` colours, each at least once, some of `maybe` and one to three others. */
function drawMixed(
  random: RandomSource,
  sure: readonly number[],
  maybe: readonly number[],
  size: number,
): ArcGrid {
  const grid = drawBlank(random, 3, size);
  const others = drawColours(random, between(random, 1, 3), [...sure, ...maybe]);
  const colours = [...sure, ...others, ...maybe.filter(() => pick(random, [true, false]))];
  sprinkle(random, grid, colours, between(random, 4, 9));
  sure.forEach((colour, i) => grid.cells[i] ||= colour); // likely there already
  return grid;
}

function renamed(grid: ArcGrid, rename: (colour: number) => number): ArcGrid {
  return gridOf(
    grid.rows,
    grid.columns,
    (y, x) => rename(grid.cells[y * grid.columns + x]!),
  );
}
