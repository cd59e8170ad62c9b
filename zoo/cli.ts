/**
 * The command line: `deno task train hrm-sudoku`, or, from JSR,
 * `deno run -A jsr:@ponder/ponder/cli train hrm-sudoku`.
 *
 * ```sh
 * deno task setup              # find or fetch libtorch
 * deno task train hrm-sudoku   # train, evaluate, save
 * deno task eval hrm-sudoku    # evaluate the newest run
 * deno task solve hrm-sudoku   # watch it solve a puzzle
 * ```
 *
 * @module
 */
import { chooseCommand, runMain } from "./cli/flags.ts";

/** A command: what it does, and how to run it. */
interface Entry {
  readonly summary: string;
  readonly load: () => Promise<(args: readonly string[]) => Promise<void>>;
}

/** Loaded when called, so that `--help` and `setup` need not load what training needs. */
const commands: Readonly<Record<string, Entry>> = {
  setup: {
    summary: "Find or fetch libtorch, and link it at ./.torch",
    load: async () => (await import("./commands/setup.ts")).setupCommand,
  },
  train: {
    summary: "Train a recipe",
    load: async () => (await import("./commands/train.ts")).trainCommand,
  },
  eval: {
    summary: "Evaluate weights on held-out puzzles",
    load: async () => (await import("./commands/eval.ts")).evalCommand,
  },
  solve: {
    summary: "Show the answer to a puzzle after every segment",
    load: async () => (await import("./commands/solve.ts")).solveCommand,
  },
  compare: {
    summary: "Hold models against each other: what they reach, and what they cost",
    load: async () => (await import("./commands/compare.ts")).compareCommand,
  },
  reproduce: {
    summary: "Test a claim of the article: train, measure, draw and say whether it holds",
    load: async () => (await import("./commands/reproduce.ts")).reproduceCommand,
  },
  runs: {
    summary: "List, plot and compare runs",
    load: async () => (await import("./commands/runs.ts")).runsCommand,
  },
  serve: {
    summary: "Open the playground: watch models think, and follow training runs",
    load: async () => (await import("./commands/serve.ts")).serveCommand,
  },
  data: {
    summary: "Build, inspect and download data sets",
    load: async () => (await import("./commands/data.ts")).dataCommand,
  },
  zoo: {
    summary: "Pretrained weights; weights from the official code and back",
    load: async () => (await import("./commands/zoo.ts")).zooCommand,
  },
};

/** Runs the command that `args` names. */
export async function main(args: readonly string[]): Promise<void> {
  const { name, rest } = chooseCommand("deno task", commands, args);
  const run = await commands[name]!.load();
  await run(rest);
}

if (import.meta.main) await runMain(() => main(Deno.args));
