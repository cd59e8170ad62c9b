/**
 * `deno task runs`: the runs on disk, listed, plotted and compared.
 *
 * @module
 */
import { join } from "@std/path";
import { writeFileAtomic } from "../../core/io/file.ts";
import { curvesSpec, drawChart } from "../chart.ts";
import { chooseCommand, parseCommand, unknownName, UsageError } from "../cli/flags.ts";
import {
  type Column,
  formatBytes,
  formatDuration,
  formatPercent,
  print,
  table,
} from "../cli/terminal.ts";
import { recipes } from "../recipes.ts";
import {
  type Curve,
  curvesOf,
  differences,
  findRuns,
  isRun,
  type MetricCurves,
  readRun,
  type Run,
} from "../runs.ts";
import { MARKS, plotText } from "./_curves.ts";
import { newestRun, RUNS, userPath } from "./_shared.ts";

const commands = {
  list: { summary: "List the runs, the newest first; what is done if left out", run: listCommand },
  show: { summary: "Plot the curves of runs, and what differs between them", run: showCommand },
} as const;

/** Runs `runs list` or `runs show`. */
export async function runsCommand(args: readonly string[]): Promise<void> {
  const isBare = args.length === 0 || (args[0]!.startsWith("--") && args[0] !== "--help");
  const { name, rest } = chooseCommand(
    "deno task runs",
    commands,
    isBare ? ["list", ...args] : args,
  );
  await commands[name].run(rest);
}

// List

function listCommand(args: readonly string[]): void {
  const { flags, positionals } = parseCommand({
    name: "runs list",
    summary: "List the runs, the newest first",
    positionals: [{ name: "folder", help: `where they are; ${RUNS} if left out`, optional: true }],
    flags: { json: { type: "boolean", help: "print one JSON array" } },
  }, args);
  const folder = positionals.folder === undefined ? RUNS : userPath(positionals.folder);
  const runs = findRuns(folder);
  if (flags.json) return console.log(JSON.stringify(runs.map(summaryOf)));
  if (runs.length === 0) {
    return print(
      `No runs in "${folder}": train one by deno task train ${Object.keys(recipes)[0]}`,
    );
  }
  print([runsTable(runs), ...problemsOf(runs)].join("\n"));
}

/** A run without its metrics and config. */
function summaryOf(
  { lines: _lines, config: _config, ...summary }: Run,
): Omit<Run, "lines" | "config"> {
  return summary;
}

const columns = [
  { key: "run" },
  { key: "preset" },
  { key: "seed", align: "right" },
  { key: "steps", align: "right" },
  { key: "state" },
  { key: "loss", align: "right" },
  { key: "exact", align: "right" },
  { key: "time", align: "right" },
  { key: "size", align: "right" },
] as const satisfies readonly Column[];

/** Left out one after the other where the terminal is too narrow. */
const dispensable: readonly string[] = ["size", "seed", "preset", "time"];

function runsTable(runs: readonly Run[]): string {
  const rows = runs.map((run) => ({
    run: run.name,
    preset: run.preset,
    seed: run.seed,
    steps: `${run.step ?? 0}/${run.steps ?? "?"}`,
    state: run.isDone ? "done" : "unfinished",
    loss: run.loss?.toFixed(3),
    exact: run.exact === null ? null : formatPercent(run.exact),
    time: run.seconds === null ? null : formatDuration(run.seconds),
    size: formatBytes(run.sizeBytes),
  }));
  const width = Deno.stdout.isTerminal() ? Deno.consoleSize().columns : Infinity;
  const tables = [...dispensable, ""].map((_, i) => {
    const kept = columns.filter(({ key }) => !dispensable.slice(0, i).includes(key));
    return table(rows, kept, Infinity);
  });
  return tables.find((text) => text.split("\n")[1]!.length <= width) ?? tables.at(-1)!;
}

function problemsOf(runs: readonly Run[]): string[] {
  return runs.flatMap(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`));
}

// Show

/** What is plotted unless the user names something else. */
const usual = ["loss", "exactAccuracy", "exact"] as const;

async function showCommand(args: readonly string[]): Promise<void> {
  const { flags, positionals } = parseCommand({
    name: "runs show",
    summary: "Plot the curves of runs, and what differs between them",
    positionals: [{
      name: "runs",
      help: "their folders, or recipes for the newest run of each; the newest of all if left out",
      rest: true,
    }],
    flags: {
      metric: {
        type: "string",
        placeholder: "names",
        help: "what to plot; exact, blanks, cells and valid are of held-out puzzles; " +
          `${usual.join(", ")} if left out`,
      },
      svg: { type: "string", placeholder: "file", help: "write the chart as SVG" },
      html: { type: "string", placeholder: "file", help: "write it as a page" },
      json: { type: "boolean", help: "print one JSON object: the runs and their points" },
    },
  }, args);
  const runs = positionals.runs.length === 0 ? [newest()] : positionals.runs.map(namedRun);
  if (runs.length > MARKS.length) {
    throw new UsageError(`Cannot plot ${runs.length} runs together: ${MARKS.length} at most`);
  }
  const metrics = requestedCurves(runs, flags.metric?.split(","));
  await writeCharts(metrics, flags);
  if (flags.json) return console.log(JSON.stringify(jsonOf(runs, metrics)));
  print([
    runsTable(runs),
    ...problemsOf(runs),
    ...runs.length < 2 ? [] : ["", differencesTable(runs)],
    "",
    ...metrics.map((curves) => `${plotText(curves, marksOf(runs, curves))}\n`),
    runs.map(({ name }, i) => `${MARKS[i]} ${name}`).join("\n"),
  ].join("\n"));
}

function newest(): Run {
  const [run] = findRuns(RUNS);
  if (run === undefined) throw new UsageError(`No runs in "${RUNS}"`);
  return run;
}

/** The run that a user names: by its path, its place below the runs, or its recipe. */
function namedRun(name: string): Run {
  const folder = [userPath(name), join(RUNS, name)].find(isRun) ??
    (Object.hasOwn(recipes, name) ? newestRun(name) : null);
  if (folder !== null) return readRun(folder, RUNS);
  throw new UsageError(
    `No run "${name}": neither a folder, nor one in "${RUNS}", nor a recipe; deno task runs lists all`,
  );
}

/** The curves that were asked for, of the runs that have them; the usual ones if there are any. */
function requestedCurves(runs: readonly Run[], names?: readonly string[]): MetricCurves[] {
  const all = runs.map((run) => [run.name, curvesOf(run)] as const);
  const known = new Set(all.flatMap(([, curves]) => [...curves.keys()]));
  const wanted = names ?? usual.filter((metric) => known.has(metric));
  return wanted.map((metric) => {
    if (!known.has(metric)) throw unknownName("metric", metric, [...known]);
    const found = all.flatMap(([name, curves]) => {
      const curve = curves.get(metric);
      return curve === undefined ? [] : [[name, curve] as const];
    });
    return { metric, curves: new Map<string, Curve>(found) };
  });
}

/** The marks of the runs in a plot: the same run has the same mark in all. */
function marksOf(runs: readonly Run[], { curves }: MetricCurves): string[] {
  return runs.flatMap(({ name }, i) => curves.has(name) ? [MARKS[i]!] : []);
}

function differencesTable(runs: readonly Run[]): string {
  const rows = [...differences(runs)].map(([field, values]) => ({
    field,
    ...Object.fromEntries(values.map((value, i) => [MARKS[i], value])),
  }));
  if (rows.length === 0) return "Their configs are the same";
  return table(rows, [{ key: "field" }, ...runs.map((_, i) => ({ key: MARKS[i]! }))]);
}

async function writeCharts(
  metrics: readonly MetricCurves[],
  { svg, html }: { readonly svg?: string | undefined; readonly html?: string | undefined },
): Promise<void> {
  if (svg === undefined && html === undefined) return;
  const chart = await drawChart(curvesSpec(metrics));
  if (svg !== undefined) await writeFileAtomic(userPath(svg), chart);
  if (html !== undefined) await writeFileAtomic(userPath(html), pageOf(chart));
}

function pageOf(chart: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Runs of Ponder</title>
<style>body { margin: 1rem; background: white; } svg { max-width: 100%; height: auto; }</style>
</head>
<body>
${chart}
</body>
</html>
`;
}

/** The runs, each with its points by metric. */
function jsonOf(runs: readonly Run[], metrics: readonly MetricCurves[]): object {
  return {
    runs: runs.map((run) => ({
      ...summaryOf(run),
      config: run.config,
      points: Object.fromEntries(
        metrics.map(({ metric, curves }) => [metric, curves.get(run.name) ?? []]),
      ),
    })),
  };
}
