/**
 * The charts of a comparison, as Vega-Lite specifications.
 *
 * @module
 */
import type { TopLevelSpec } from "../chart.ts";
import { plural } from "../show.ts";
import type { Row, Section } from "./rows.ts";
import type { Estimate } from "./statistics.ts";

/** A chart with a name for it. */
export interface TitledChart {
  /** What it shows. */
  readonly title: string;
  /** How to draw it. */
  readonly spec: TopLevelSpec;
}

const WIDTH = 380;

/** In per cent, as the axes are. */
function inPercent({ mean, low, high }: Estimate): Record<"exact" | "low" | "high", number> {
  return { exact: 100 * mean, low: 100 * low, high: 100 * high };
}

const exactAxis = {
  field: "exact",
  type: "quantitative",
  title: "exact, %",
  scale: { domainMin: 0, domainMax: 100 },
} as const;

/** All charts of a section. */
export function sectionCharts(section: Section): TitledChart[] {
  const { rows, ratingTitle } = section;
  return [
    { title: "Exact, with 95 % intervals", spec: exactChart(section) },
    { title: `Exact by ${ratingTitle}`, spec: ratingsChart(section) },
    ...(rows.some(({ exactByUnit }) => exactByUnit.length > 1)
      ? [{ title: "Exact as models think for longer", spec: unitsChart(section) }]
      : []),
    {
      title: "Exact against training compute",
      spec: costChart(section, "FLOPs of the training", ({ trainingFlops }) => trainingFlops),
    },
    {
      title: "Exact against parameters",
      spec: costChart(section, "parameters", ({ parameters }) => parameters),
    },
  ];
}

/** One colour and one shape a model, the same in all charts. */
function byModel({ rows }: Section) {
  const scale = { domain: rows.map(({ name }) => name) };
  const legend = { title: null, orient: "bottom", columns: 3 } as const;
  const channel = { field: "model", type: "nominal", scale, legend } as const;
  return { color: channel, shape: channel } as const;
}

function exactChart({ rows }: Section): TopLevelSpec {
  return {
    width: WIDTH,
    height: { step: 24 },
    data: { values: rows.map(({ name, exact }) => ({ model: name, ...inPercent(exact) })) },
    encoding: { y: { field: "model", type: "nominal", sort: null, title: null } },
    layer: [
      {
        mark: { type: "rule", strokeWidth: 2 },
        encoding: { x: { ...exactAxis, field: "low" }, x2: { field: "high" } },
      },
      { mark: { type: "point", filled: true, size: 70 }, encoding: { x: exactAxis } },
    ],
  };
}

function ratingsChart(section: Section): TopLevelSpec {
  const { rows, ratingTitle } = section;
  const values = rows.flatMap(({ name, byRating }) =>
    byRating.map(({ rating, exact }) => ({ model: name, rating, ...inPercent(exact) }))
  );
  const ratings = [...new Set(values.map(({ rating }) => rating))]
    .sort((a, b) => parseInt(a) - parseInt(b));
  const models = rows.map(({ name }) => name);
  const { color, shape } = byModel(section);
  return {
    width: WIDTH,
    height: 220,
    data: { values },
    encoding: {
      x: {
        ...{ field: "rating", type: "ordinal", sort: ratings, title: ratingTitle },
        axis: { labelAngle: 0 },
      },
      xOffset: { field: "model", type: "nominal", scale: { domain: models } },
      color,
    },
    layer: [
      { mark: "rule", encoding: { y: { ...exactAxis, field: "low" }, y2: { field: "high" } } },
      { mark: { type: "point", filled: true }, encoding: { y: exactAxis, shape } },
    ],
  };
}

function unitsChart(section: Section): TopLevelSpec {
  const deep = section.rows.filter(({ exactByUnit }) => exactByUnit.length > 1);
  return {
    width: WIDTH,
    height: 220,
    data: {
      values: deep.flatMap(({ name, exactByUnit }) =>
        exactByUnit.map((share, i) => ({ model: name, units: i + 1, exact: 100 * share }))
      ),
    },
    mark: { type: "line", point: true },
    encoding: {
      x: {
        ...{ field: "units", type: "quantitative" },
        title: [...new Set(deep.map(({ unit }) => plural(unit)))].join(", "),
        axis: { tickMinStep: 1 },
      },
      y: exactAxis,
      color: byModel(section).color,
    },
  };
}

function costChart(section: Section, title: string, costOf: (row: Row) => number): TopLevelSpec {
  const { color, shape } = byModel(section);
  return {
    width: WIDTH,
    height: 220,
    data: {
      values: section.rows.map((row) => ({
        model: row.name,
        cost: costOf(row),
        ...inPercent(row.exact),
      })),
    },
    encoding: {
      x: {
        ...{ field: "cost", type: "quantitative", title },
        scale: { type: "log", nice: false, padding: 20 },
        axis: { format: "~s", tickCount: 5 },
      },
      color,
    },
    layer: [
      { mark: "rule", encoding: { y: { ...exactAxis, field: "low" }, y2: { field: "high" } } },
      { mark: { type: "point", filled: true, size: 70 }, encoding: { y: exactAxis, shape } },
    ],
  };
}
