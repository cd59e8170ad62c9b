/**
 * Tables in plain text.
 *
 * @module
 */

import { clip, textWidth } from "./_width.ts";

/** A column of a {@link table}. */
export interface Column<Key extends string = string> {
  /** Which field of a row it shows. */
  readonly key: Key;
  /** What stands above it, its key if left out. */
  readonly title?: string;
  /** The side it is flush with, "left" if left out; numbers read best on the right. */
  readonly align?: "left" | "right";
}

/** What a row may hold; `null` and `undefined` are shown as `–`. */
export type Cell = string | number | null | undefined;

const GAP = "  ";
const MIN_WIDTH = 4;

/**
 * A table with titles and a line under them, at most `width` columns wide: what is
 * too wide is cut, the widest column first, none below four. Without a line break at
 * its end.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { table } from "./terminal.ts";
 *
 * const text = table(
 *   [{ recipe: "hrm-sudoku", exact: "55.0%" }, { recipe: "trm-maze", exact: null }],
 *   [{ key: "recipe" }, { key: "exact", align: "right" }],
 * );
 * assertEquals(text.split("\n")[2], "hrm-sudoku  55.0%");
 * ```
 */
export function table<Key extends string>(
  rows: readonly Readonly<Partial<Record<Key, Cell>>>[],
  columns: readonly Column<Key>[],
  width = 80,
): string {
  const titles = columns.map(({ key, title }) => title ?? key);
  const body = rows.map((row) => columns.map(({ key }) => cellText(row[key])));
  const natural = columns.map((_, i) => {
    return Math.max(...[titles, ...body].map((cells) => textWidth(cells[i]!)));
  });
  const widths = fitted(natural, width - GAP.length * (columns.length - 1));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => aligned(cell, widths[i]!, columns[i]!.align)).join(GAP).trimEnd();
  const rule = widths.map((width) => "─".repeat(width));
  return [titles, rule, ...body].map(line).join("\n");
}

function cellText(cell: Cell): string {
  return cell === null || cell === undefined ? "–" : String(cell).replaceAll(/\s+/g, " ");
}

function aligned(cell: string, width: number, align: Column["align"]): string {
  const text = clip(cell, width);
  const space = " ".repeat(width - textWidth(text));
  return align === "right" ? space + text : text + space;
}

/** The widths, the widest made smaller until together they fit into `total`. */
function fitted(widths: readonly number[], total: number): readonly number[] {
  const fit = [...widths];
  let excess = fit.reduce((sum, width) => sum + width, 0) - total;
  while (excess > 0 && Math.max(...fit) > MIN_WIDTH) {
    fit[fit.indexOf(Math.max(...fit))]! -= 1;
    excess--;
  }
  return fit;
}
