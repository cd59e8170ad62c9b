/**
 * A comparison as a page: one file that needs neither network nor script.
 *
 * @module
 */
import { escapeMarkup } from "../../core/markup.ts";
import type { Column } from "../cli/terminal.ts";
import { drawChart } from "../chart.ts";
import { version } from "../version.ts";
import { sectionCharts, type TitledChart } from "./charts.ts";
import type { Comparison, Section } from "./rows.ts";
import { publishedTable, remarks, sectionTables, type TitledTable } from "./tables.ts";
import { sectionTitle } from "./text.ts";

const style = `
:root { color-scheme: light dark; --line: #8884; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: auto; padding: 1rem; }
h1, h2, h3 { line-height: 1.2; margin: 2rem 0 .5rem; }
p, figcaption { margin: .25rem 0 .75rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; text-align: left; white-space: nowrap; }
th { border-bottom: 1px solid var(--line); }
.right { text-align: right; }
.charts { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; background: #fff; color: #222; border-radius: 8px; padding: .75rem; max-width: 100%; box-sizing: border-box; }
figcaption { font-weight: 600; margin: 0 0 .5rem; }
figure svg { display: block; max-width: 100%; height: auto; }
`;

/** The comparison as HTML. */
export async function comparisonPage({ task, sections, published }: Comparison): Promise<string> {
  const { table, sources } = publishedTable(published);
  const title = [...new Set(sections.map(({ title }) => title))].join(", ") + ", model by model";
  const parts = [
    ...await Promise.all(sections.map(sectionHtml)),
    tableHtml(table, "h2"),
    `<ol>${sources.map((source) => `<li>${escapeMarkup(source)}</li>`).join("")}</ol>`,
    `<p>Made by Ponder ${escapeMarkup(version)}, <code>deno task compare ${
      escapeMarkup(task)
    }</code>.</p>`,
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeMarkup(title)}</h1>
${parts.join("\n")}
</body>
</html>
`;
}

async function sectionHtml(section: Section): Promise<string> {
  const charts = await Promise.all(sectionCharts(section).map(chartHtml));
  return [
    `<h2>${escapeMarkup(sectionTitle(section))}</h2>`,
    ...remarks(section).map((remark) => `<p>${escapeMarkup(remark)}</p>`),
    ...sectionTables(section).map((table) => tableHtml(table, "h3")),
    `<h3>Charts</h3>\n<div class="charts">\n${charts.join("\n")}\n</div>`,
  ].join("\n");
}

async function chartHtml({ title, spec }: TitledChart): Promise<string> {
  return `<figure><figcaption>${escapeMarkup(title)}</figcaption>${await drawChart(spec)}</figure>`;
}

function tableHtml({ title, caption, columns, rows }: TitledTable, heading: "h2" | "h3"): string {
  const cell = (tag: "th" | "td", { align }: Column, text: string) =>
    `<${tag}${align === "right" ? ' class="right"' : ""}>${escapeMarkup(text)}</${tag}>`;
  const head = columns.map((column) => cell("th", column, column.title ?? column.key));
  const body = rows.map((row) =>
    `<tr>${
      columns.map((column) => cell("td", column, String(row[column.key] ?? "–"))).join("")
    }</tr>`
  );
  return [
    `<${heading}>${escapeMarkup(title)}</${heading}>`,
    ...(caption === "" ? [] : [`<p>${escapeMarkup(caption)}.</p>`]),
    `<div class="scroll"><table>`,
    `<thead><tr>${head.join("")}</tr></thead>`,
    `<tbody>${body.join("\n")}</tbody>`,
    `</table></div>`,
  ].join("\n");
}
