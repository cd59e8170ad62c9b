// deno run -A bench/growth.ts [axis …] [--steps=5] [--threads=2] [--out=docs/performance]
//
// How the cost of a training step grows: of the HRM of `hrm-tiny` (128 features, 2+2 blocks,
// 81 cells, 2×2 cycles, batch 32, float32) one measure is varied by factors of two while the
// others stay. Each point is a process of its own. Prints a table with the exponents found
// and writes growth.json, growth_time.svg and growth_memory.svg; the axes that are named are
// measured anew, and those that are not are kept from growth.json.
import { writeFileAtomic } from "../core/io/file.ts";
import { type HrmConfig, hrmPaper } from "../models/hrm.ts";
import { drawChart, type TopLevelSpec } from "../zoo/chart.ts";
import { parseCommand, runMain } from "../zoo/cli/flags.ts";
import { ProgressLine, table } from "../zoo/cli/terminal.ts";
import { extent, median, threadsFlag } from "./figures.ts";
import { ponderStep, type Turn, withWeights } from "./turns.ts";

/** The model in the middle. Its inner width rounds to 32, not 256, so as to grow with the width. */
const base: HrmConfig = {
  ...hrmPaper,
  ...{ hiddenSize: 128, puzzleEmbNdim: 128, numHeads: 4, hLayers: 2, lLayers: 2, mlpMultiple: 32 },
  forwardDtype: "float32",
};
const BATCH = 32, WARMUP = 2;

/** A size on an axis. */
interface Size {
  readonly size: number;
  readonly batch?: number;
  readonly model?: Partial<HrmConfig>;
}

const axes = {
  batch: [8, 16, 32, 64, 128].map((size): Size => ({ size, batch: size })),
  width: [64, 128, 256, 512].map((size): Size => ({
    size,
    model: { hiddenSize: size, puzzleEmbNdim: size },
  })),
  depth: [1, 2, 4, 8].map((size): Size => ({ size, model: { hLayers: size, lLayers: size } })),
  length: [20, 40, 81, 162, 324].map((size): Size => ({ size, model: { seqLen: size } })),
  cycles: ([[1, 1], [2, 1], [2, 2], [4, 2], [4, 4]] as const).map(([hCycles, lCycles]): Size => ({
    size: hCycles * lCycles,
    model: { hCycles, lCycles },
  })),
};

type AxisName = keyof typeof axes;

const axisNames = Object.keys(axes) as AxisName[];

/** What a step costs at a size. */
interface Point {
  readonly axis: AxisName;
  readonly size: number;
  /** Median, least and most milliseconds of a step. */
  readonly ms: number;
  readonly range: readonly [number, number];
  readonly tensorMiB: number;
  readonly processMiB: number;
}

/** `cost ∝ size^exponent`: the least squares of the logarithms over all sizes, and the last doubling. */
interface Growth {
  readonly axis: AxisName;
  readonly from: number;
  readonly to: number;
  readonly time: number;
  readonly lastTime: number;
  readonly tensors: number;
  readonly lastTensors: number;
  readonly process: number;
}

const declaration = {
  name: "growth",
  summary: "Measure how the cost of a training step grows",
  positionals: [{
    name: "axis",
    help: "what to vary; all unless named",
    choices: axisNames,
    rest: true,
  }],
  flags: {
    steps: { type: "integer", min: 1, default: 5, help: "steps that are timed" },
    threads: threadsFlag,
    out: { type: "string", default: "docs/performance", help: "the folder to write into" },
  },
} as const;

async function main(args: readonly string[]): Promise<void> {
  const { flags: { steps, threads, out }, positionals } = parseCommand(declaration, args);
  const asked = axisNames.filter((name) =>
    positionals.axis.length === 0 || positionals.axis.includes(name)
  );
  const kept = readPoints(`${out}/growth.json`).filter(({ axis }) => !asked.includes(axis));
  const found = await measureAll(asked, { threads, steps });
  const points = [...kept, ...found]
    .sort((a, b) => axisNames.indexOf(a.axis) - axisNames.indexOf(b.axis));
  const growth = axisNames.filter((axis) => points.some((point) => point.axis === axis))
    .map((axis) => fitGrowth(axis, points.filter((point) => point.axis === axis)));
  await Deno.mkdir(out, { recursive: true });
  const json = JSON.stringify({ threads, steps, points, growth }, null, 1);
  await writeFileAtomic(`${out}/growth.json`, json + "\n");
  await writeFileAtomic(`${out}/growth_time.svg`, await drawChart(timeChart(points, growth)));
  await writeFileAtomic(`${out}/growth_memory.svg`, await drawChart(memoryChart(points, growth)));
  printTables(points, growth);
}

function readPoints(file: string): readonly Point[] {
  try {
    return JSON.parse(Deno.readTextFileSync(file)).points;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function measureAll(
  asked: readonly AxisName[],
  timing: { readonly threads: number; readonly steps: number },
): Promise<Point[]> {
  const points: Point[] = [];
  using progress = new ProgressLine();
  for (const axis of asked) {
    for (const { size, batch = BATCH, model = {} } of axes[axis]) {
      progress.update(`${axis} ${size}`);
      const work = { model: { ...base, ...model }, batch };
      const preset = { ...work, ...timing, warmup: WARMUP };
      const turn = await withWeights(work, (file) => ponderStep(file, preset));
      points.push({ axis, size, ...summary(turn) });
    }
  }
  progress.finish();
  return points;
}

function summary({ step_ms, peak_tensor_bytes, peak_rss_mb }: Turn): Omit<Point, "axis" | "size"> {
  return {
    ms: median(step_ms),
    range: extent(step_ms),
    tensorMiB: peak_tensor_bytes! / 2 ** 20,
    processMiB: peak_rss_mb!,
  };
}

function fitGrowth(axis: AxisName, points: readonly Point[]): Growth {
  const slope = (cost: (point: Point) => number, of = points) =>
    logSlope(of.map((p) => [p.size, cost(p)]));
  const last = points.slice(-2);
  return {
    axis,
    from: points[0]!.size,
    to: points.at(-1)!.size,
    time: slope(({ ms }) => ms),
    lastTime: slope(({ ms }) => ms, last),
    tensors: slope(({ tensorMiB }) => tensorMiB),
    lastTensors: slope(({ tensorMiB }) => tensorMiB, last),
    process: slope(({ processMiB }) => processMiB),
  };
}

/** The slope of the line through `(ln x, ln y)` of the least squares. */
function logSlope(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (i: 0 | 1) => logs.reduce((sum, log) => sum + log[i], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const covariance = logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return covariance / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

const units: Readonly<Record<AxisName, string>> = {
  batch: "batch",
  width: "width (features)",
  depth: "depth (blocks in each module)",
  length: "length (tokens)",
  cycles: "cycles (N × T)",
};

function timeChart(points: readonly Point[], growth: readonly Growth[]): TopLevelSpec {
  const rows = points.map(({ axis, size, ms, range: [low, high] }) => ({
    axis,
    size,
    cost: ms,
    low,
    high,
  }));
  const title = "HRM training step: milliseconds";
  return panels(title, rows, (axis) => growth.find((one) => one.axis === axis)!.time);
}

function memoryChart(points: readonly Point[], growth: readonly Growth[]): TopLevelSpec {
  const rows = points.flatMap(({ axis, size, tensorMiB, processMiB }) => [
    { axis, size, cost: tensorMiB, of: "tensors" },
    { axis, size, cost: processMiB, of: "whole process" },
  ]);
  const title = "HRM training step: peak MiB";
  return panels(title, rows, (axis) => growth.find((one) => one.axis === axis)!.tensors);
}

type ChartRow = { readonly axis: AxisName; readonly size: number; readonly cost: number };

/** One panel for each axis, both scales logarithmic, the exponent above it. */
function panels(
  title: string,
  rows: readonly ChartRow[],
  exponent: (axis: AxisName) => number,
): TopLevelSpec {
  const scale = { type: "log" as const, base: 2, nice: false };
  const y = { type: "quantitative" as const, scale: { ...scale, padding: 8 }, title: null };
  const color = { field: "of", type: "nominal" as const, title: null };
  const panel = (axis: AxisName) => {
    const values = rows.filter((row) => row.axis === axis);
    const sizes = [...new Set(values.map(({ size }) => size))];
    const x = {
      field: "size",
      type: "quantitative" as const,
      title: units[axis],
      scale: { ...scale, padding: 12 },
      axis: { values: sizes, format: "d" },
    };
    const colored = values.some((row) => "of" in row) ? { color } : {};
    const bars = {
      mark: { type: "rule" as const, opacity: 0.5 },
      encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" } },
    };
    const lines = {
      mark: { type: "line" as const, point: true },
      encoding: { x, y: { ...y, field: "cost", axis: { format: ".3~s" } }, ...colored },
    };
    return {
      title: `∝ ${axis}^${exponent(axis).toFixed(2)}`,
      data: { values: [...values] },
      layer: values.some((row) => "low" in row) ? [bars, lines] : [lines],
      ...{ width: 200, height: 170 },
    };
  };
  const shown = axisNames.filter((axis) => rows.some((row) => row.axis === axis));
  return { title, concat: shown.map(panel), columns: 3, resolve: { scale: { color: "shared" } } };
}

function printTables(points: readonly Point[], growth: readonly Growth[]): void {
  const right = { align: "right" } as const;
  const sizes = points.map(({ axis, size, ms, range, tensorMiB, processMiB }) => ({
    ...{ axis, size: `${size}`, ms: ms.toFixed(1) },
    range: range.map((value) => value.toFixed(1)).join("–"),
    ...{ tensors: tensorMiB.toFixed(1), process: processMiB.toFixed(0) },
  }));
  console.log(table(sizes, [
    ...[{ key: "axis" }, { key: "size", ...right }, { key: "ms", ...right }],
    ...[{ key: "range", ...right }, { key: "tensors", title: "tensors MiB", ...right }],
    { key: "process", title: "process MiB", ...right },
  ], Infinity));
  const exponents = growth.map(({ axis, from, to, ...values }) => ({
    ...{ axis, over: `${from}–${to}` },
    ...Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value.toFixed(2)])),
  }));
  const titles = { time: "time", lastTime: "last doubling", tensors: "tensors" };
  console.log(table(exponents, [
    ...[{ key: "axis" }, { key: "over", ...right }],
    ...Object.entries(titles).map(([key, title]) => ({ key, title, ...right })),
    ...[{ key: "lastTensors", title: "last doubling", ...right }, { key: "process", ...right }],
  ], Infinity));
}

if (import.meta.main) await runMain(() => main(Deno.args));
