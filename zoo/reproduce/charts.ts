/**
 * The charts that several experiments draw.
 *
 * @module
 */
import type { TopLevelSpec } from "../chart.ts";
import type { Row } from "./experiment.ts";

/** An axis. */
export interface Axis {
  /** Which field of a row. */
  readonly field: string;
  /** What it is called. */
  readonly title: string;
  /** How it is divided; linear if left out. */
  readonly scale?: "linear" | "log";
  /** How its numbers are written, as d3-format does; `.0%` for shares. */
  readonly format?: string;
}

/** Lines through points. */
export interface LineChart {
  /** What the chart shows. */
  readonly title: string;
  /** The points. */
  readonly rows: readonly Row[];
  /** The horizontal axis. */
  readonly x: Axis;
  /** The vertical axis. */
  readonly y: Axis;
  /** The field that tells lines apart, and its title. */
  readonly series: { readonly field: string; readonly title: string };
  /** The field that tells panels apart, each with an axis of its own. */
  readonly panels?: string;
  /** Whether points are drawn; true if left out. */
  readonly points?: boolean;
}

/** A share from none to all. */
export const exactAxis: Axis = { field: "exact", title: "puzzles solved", format: ".0%" };

/**
 * Lines through points, one for each value of a field. Where rows have `low` and `high`,
 * a bar shows that interval.
 */
export function lineChart(chart: LineChart): TopLevelSpec {
  const { title, rows, x, y, series, panels, points = true } = chart;
  const color = { field: series.field, type: "nominal" as const, title: series.title, sort: null };
  const shared = { x: { ...encode(x), axis: { ...encode(x).axis, ...ticks(x, rows) } }, color };
  const lines = {
    mark: { type: "line" as const, point: points },
    encoding: { ...shared, y: encode(y) },
  };
  const hasInterval = rows.some(({ low, high }) => low !== undefined && high !== undefined);
  const bars = {
    mark: { type: "rule" as const, opacity: 0.5 },
    encoding: { ...shared, y: { ...encode(y), field: "low" }, y2: { field: "high" } },
  };
  const layer = hasInterval ? [bars, lines] : [lines];
  const size = { width: panels === undefined ? 420 : 260, height: 260 };
  const data = { values: [...rows] };
  if (panels === undefined) return { title, data, layer, ...size };
  return {
    title,
    data,
    facet: { field: panels, type: "nominal", title: null },
    spec: { layer, ...size },
    resolve: { scale: { x: "independent", y: "independent" } },
  };
}

function encode({ field, title, scale = "linear", format }: Axis) {
  return {
    field,
    title,
    type: "quantitative" as const,
    scale: scale === "log" ? { type: "log" as const, base: 2 } : { type: "linear" as const },
    axis: format === undefined ? {} : { format },
  };
}

/** On a logarithmic axis the powers of 2, where there are enough of them to read it by. */
function ticks({ field, scale }: Axis, rows: readonly Row[]): { readonly values?: number[] } {
  if (scale !== "log") return {};
  const logs = rows.map((row) => Math.log2(row[field] as number));
  const first = Math.ceil(Math.min(...logs)), last = Math.floor(Math.max(...logs));
  if (last - first < 2) return {};
  return { values: Array.from({ length: last - first + 1 }, (_, i) => 2 ** (first + i)) };
}

const header = { labelOrient: "top", labelAnchor: "start", labelFontWeight: "bold" } as const;

/** Bars of shares, one for each value of a field, grouped by another; as the rows are ordered. */
export function barChart(
  { title, rows, category, group }: {
    readonly title: string;
    readonly rows: readonly Row[];
    readonly category: string;
    readonly group: string;
  },
): TopLevelSpec {
  const groups = [...new Set(rows.map((row) => String(row[group])))];
  const labelled = `datum.${category} + ': ' + format(datum.exact, '.1%')`; // a bar of 0 % is none
  return {
    title,
    data: { values: [...rows] },
    transform: [{ calculate: labelled, as: "label" }],
    facet: { row: { field: group, type: "nominal", title: null, sort: groups, header } },
    spec: {
      width: 360,
      height: { step: 16 },
      mark: "bar",
      encoding: {
        y: { field: "label", type: "nominal", title: null, sort: null, axis: { labelLimit: 0 } },
        x: { field: "exact", type: "quantitative", title: "solved", axis: { format: ".0%" } },
        color: { field: "kind", type: "nominal", title: null, sort: null },
      },
    },
    resolve: { scale: { y: "independent" } },
  };
}
