/**
 * A comparison as text.
 *
 * @module
 */
import { colours, formatCount, table, wrap } from "../cli/terminal.ts";
import type { Comparison, Section } from "./rows.ts";
import { publishedTable, remarks, sectionTables, type TitledTable } from "./tables.ts";

const WIDTH = 80;

/** What the rows of a section have in common. */
export function sectionTitle({ title, rows }: Section): string {
  const [presets, puzzles, seeds] = [
    rows.map(({ preset }) => preset),
    rows.map(({ puzzles }) => formatCount(puzzles)),
    rows.map(({ seeds }) => seeds.length),
  ].map((values) => [...new Set(values as (string | number)[])].join(" or "));
  return `${title}: preset ${presets}, ${puzzles} held-out puzzles, ${seeds} seed${
    seeds === "1" ? "" : "s"
  }`;
}

/** The comparison in at most 80 columns. */
export function comparisonText({ sections, published }: Comparison): string {
  const { table: figures, sources } = publishedTable(published);
  const parts = [
    ...sections.flatMap((section) => [
      colours.bold(sectionTitle(section)),
      ...sectionTables(section).map(tableText),
      remarks(section).map((remark) => wrap(remark, WIDTH)).join("\n"),
    ]),
    tableText(figures),
    sources.map((source, i) => `[${i + 1}] ${source}`).join("\n"),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function tableText({ title, caption, columns, rows }: TitledTable): string {
  const lines = [colours.bold(title), ...(caption === "" ? [] : [wrap(caption, WIDTH)])];
  return [...lines, table(rows, columns)].join("\n");
}
