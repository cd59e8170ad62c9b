/**
 * Charts: Vega-Lite specifications, drawn as SVG.
 *
 * @module
 */
import type { TopLevelSpec } from "vega-lite";
import type { MetricCurves } from "./runs.ts";

export type { TopLevelSpec } from "vega-lite";

/** What all charts look like: readable on white and on dark pages, in black and white, in print. */
const config = {
  background: "white",
  font: "system-ui, sans-serif",
  title: { anchor: "start", fontSize: 14, offset: 12 },
  axis: { labelFontSize: 11, titleFontSize: 12, gridColor: "#e5e5e5" },
  header: { labelFontSize: 12, labelFontWeight: "bold" },
  legend: { labelFontSize: 11, titleFontSize: 12, labelLimit: 0, symbolOpacity: 1 },
  view: { stroke: null },
} as const;

/**
 * The chart as an SVG document; the same text for the same specification.
 *
 * @throws {Error} when the specification is none of Vega-Lite's
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { drawChart } from "./chart.ts";
 *
 * const svg = await drawChart({
 *   data: { values: [{ segments: 1, exact: 0.1 }, { segments: 2, exact: 0.6 }] },
 *   mark: { type: "line", point: true },
 *   encoding: {
 *     x: { field: "segments", type: "quantitative" },
 *     y: { field: "exact", type: "quantitative" },
 *   },
 * });
 * assert(svg.startsWith("<svg"));
 * ```
 */
export async function drawChart(spec: TopLevelSpec): Promise<string> {
  // loaded when a chart is drawn: they are large, and most programs draw none
  const [vega, { compile }] = await Promise.all([import("vega"), import("vega-lite")]);
  const { spec: compiled } = compile(spec, { config });
  const view = new vega.View(vega.parse(compiled), { renderer: "none" });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** Curves of runs as one chart, a panel for each metric. */
export function curvesSpec(metrics: readonly MetricCurves[]): TopLevelSpec {
  return { vconcat: metrics.map(panel), resolve: { scale: { color: "shared" } } };
}

function panel({ metric, curves }: MetricCurves) {
  const values = [...curves].flatMap(([run, curve]) =>
    curve.map(([step, value]) => ({ run, step, value }))
  );
  return {
    width: 640,
    height: 200,
    data: { values },
    mark: { type: "line", point: values.length < 40 },
    encoding: {
      x: { field: "step", type: "quantitative" },
      y: { field: "value", type: "quantitative", title: metric, scale: { zero: false } },
      color: {
        field: "run",
        type: "nominal",
        sort: null,
        legend: { title: null, orient: "bottom", columns: 2 },
      },
    },
  } as const;
}
