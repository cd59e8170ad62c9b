/**
 * What papers report of models and of large language models, as they report it: not run
 * here, on other puzzles than ours, and never in one table with our own numbers.
 *
 * @module
 */
import type { TaskConfig } from "./recipe.ts";

/** What was solved. */
export interface Benchmark {
  /** The task of ours that is of its kind. */
  readonly task: TaskConfig["kind"];
  /** Its name, and what counts. */
  readonly title: string;
  /** Its name in the head of a column. */
  readonly short: string;
}

/** The benchmarks by name. */
export const benchmarks = {
  "sudoku-extreme": {
    task: "sudoku",
    title: "Sudoku-Extreme, 1,000 puzzles to train on",
    short: "Extreme",
  },
  "sudoku-satnet": {
    task: "sudoku",
    title: "SATNet's Sudokus, 9,000 to train on",
    short: "SATNet",
  },
  "sudoku-rrn": {
    task: "sudoku",
    title: "RRN's Sudokus, 9,000 to train on",
    short: "RRN",
  },
  "maze-hard": {
    task: "maze",
    title: "Maze-Hard, 30×30, 1,000 mazes to train on",
    short: "Maze-Hard",
  },
  "arc-agi-1": { task: "arc", title: "ARC-AGI-1, two attempts", short: "ARC-1" },
  "arc-agi-2": { task: "arc", title: "ARC-AGI-2, two attempts", short: "ARC-2" },
  "arc-agi-1-once": { task: "arc", title: "ARC-AGI-1, one attempt", short: "ARC-1 once" },
  "arc-agi-2-once": { task: "arc", title: "ARC-AGI-2, one attempt", short: "ARC-2 once" },
} as const satisfies Record<string, Benchmark>;

/** A number that somebody has published. */
export interface PublishedFigure {
  /** Who solved the puzzles. */
  readonly name: string;
  /** Trained numbers, or null where the source doesn't say. */
  readonly parameters: number | null;
  /** A model trained on the puzzles alone, or a large language model. */
  readonly kind: "model" | "llm";
  /** What was solved. */
  readonly benchmark: keyof typeof benchmarks;
  /** The share that was solved, in `[0, 1]`. */
  readonly exact: number;
  /** Where it stands. */
  readonly source: string;
}

const hrmPaper = "Wang et al. 2025, arXiv:2506.21734, figure 1";
const trmPaper = "Jolicoeur-Martineau 2025, arXiv:2510.04871";
const urm = "Gao et al. 2025, arXiv:2512.14693: re-runs, all with attention";
const l1r32h4 = "Yang et al. 2023, arXiv:2307.04895: the logs beside its code";

/** A solver's shares by benchmark. */
function figures(
  kind: PublishedFigure["kind"],
  name: string,
  parameters: number | null,
  source: string,
  shares: Partial<Record<PublishedFigure["benchmark"], number>>,
): PublishedFigure[] {
  return Object.entries(shares).map(([benchmark, exact]) => ({
    ...{ name, parameters, kind, exact, source },
    benchmark: benchmark as PublishedFigure["benchmark"],
  }));
}

/** All of them. */
export const published: readonly PublishedFigure[] = [
  ...figures("model", "HRM", 27e6, hrmPaper, {
    ...{ "sudoku-extreme": 0.55, "maze-hard": 0.745, "arc-agi-1": 0.403, "arc-agi-2": 0.05 },
  }),
  ...figures("model", "Direct prediction", 27e6, hrmPaper, {
    ...{ "sudoku-extreme": 0, "maze-hard": 0, "arc-agi-1": 0.21, "arc-agi-2": 0 },
  }),
  ...figures("model", "TRM, attention", 7e6, trmPaper, {
    ...{ "sudoku-extreme": 0.747, "maze-hard": 0.853 },
  }),
  ...figures("model", "TRM, MLP", 5e6, trmPaper, { "sudoku-extreme": 0.874 }),
  ...figures("model", "TRM, MLP", 19e6, trmPaper, { "maze-hard": 0 }),
  ...figures("model", "TRM, attention", 7e6, trmPaper, { "arc-agi-1": 0.446, "arc-agi-2": 0.078 }),
  ...figures("model", "TRM, MLP", 19e6, trmPaper, { "arc-agi-1": 0.296, "arc-agi-2": 0.024 }),
  ...figures("model", "HRM, re-run for URM", null, urm, {
    ...{ "sudoku-extreme": 0.639, "arc-agi-1-once": 0.344, "arc-agi-2-once": 0.054 },
  }),
  ...figures("model", "TRM, re-run for URM", null, urm, {
    ...{ "sudoku-extreme": 0.668, "arc-agi-1-once": 0.4, "arc-agi-2-once": 0.046 },
  }),
  ...figures("model", "URM", null, urm, {
    ...{ "sudoku-extreme": 0.776, "arc-agi-1-once": 0.538, "arc-agi-2-once": 0.16 },
  }),
  ...figures("model", "L1R32H4", null, l1r32h4, { "sudoku-satnet": 1, "sudoku-rrn": 0.799 }),
  ...figures("llm", "DeepSeek R1", null, trmPaper, { "sudoku-extreme": 0, "maze-hard": 0 }),
  ...figures("llm", "DeepSeek R1", null, trmPaper, { "arc-agi-1": 0.158, "arc-agi-2": 0.013 }),
  ...figures("llm", "o3-mini-high", null, trmPaper, { "sudoku-extreme": 0, "maze-hard": 0 }),
  ...figures("llm", "o3-mini-high", null, trmPaper, { "arc-agi-1": 0.345, "arc-agi-2": 0.03 }),
  ...figures("llm", "Claude 3.7, 8K", null, hrmPaper, {
    ...{ "sudoku-extreme": 0, "maze-hard": 0, "arc-agi-1": 0.212 },
  }),
  ...figures("llm", "Claude 3.7, 16K", null, trmPaper, { "arc-agi-1": 0.286, "arc-agi-2": 0.007 }),
  ...figures("llm", "Gemini 2.5 Pro, 32K", null, trmPaper, {
    ...{ "arc-agi-1": 0.37, "arc-agi-2": 0.049 },
  }),
  ...figures("llm", "Grok-4", null, trmPaper, { "arc-agi-1": 0.667, "arc-agi-2": 0.16 }),
  ...figures("llm", "Grok-4, bespoke system", null, trmPaper, {
    ...{ "arc-agi-1": 0.796, "arc-agi-2": 0.294 },
  }),
];

/** Those of the benchmarks that are of a task's kind. */
export function publishedOf(task: TaskConfig["kind"]): PublishedFigure[] {
  return published.filter(({ benchmark }) => benchmarks[benchmark].task === task);
}
