/** A run that takes a fraction of a second, and what the tests of runs share. */
import { join } from "@std/path";
import { decodeSafetensors } from "../../core/io/safetensors.ts";
import type { HrmConfig } from "../../models/hrm.ts";
import { main } from "../../zoo/cli.ts";
import { runMain } from "../../zoo/cli/flags.ts";
import type { Preset, SudokuConfig } from "../../zoo/recipe.ts";
import { recipes } from "../../zoo/recipes.ts";
import type { Task, TaskData } from "../../zoo/tasks/task.ts";
import { makeTask } from "../../zoo/tasks/tasks.ts";
import { type SavedConfig, savedConfig } from "../../zoo/weights.ts";

/** Some fields of a preset of HRM. */
export type Changes =
  & { readonly [G in "optim" | "run"]?: Partial<Preset[G]> }
  & { readonly task?: Partial<SudokuConfig>; readonly model?: Partial<HrmConfig> };

const small = {
  model: {
    ...{ hiddenSize: 16, numHeads: 2, puzzleEmbNdim: 16, mlpMultiple: 8, hLayers: 1, lLayers: 1 },
    ...{ haltMaxSteps: 3, haltExplorationProb: 0.5 },
  },
  // two batches an epoch, and two puzzles left over
  task: { size: 4, minClues: 6, maxClues: 10, trainPuzzles: 10, testPuzzles: 12, augment: true },
  optim: { warmupSteps: 4, ema: 0.9 },
  run: {
    ...{ batchSize: 4, steps: 24, seed: 7 },
    ...{ reportEvery: 5, evalEvery: 8, evalPuzzles: 6, checkpointEvery: 6 },
  },
} as const;

/** The tiny preset of HRM on Sudoku, made smaller still: 4×4, width 16, 24 steps of 4 puzzles. */
export function tinyConfig({ model, task, optim, run }: Changes = {}): SavedConfig {
  const preset = recipes["hrm-sudoku"]!.presets["tiny"]!;
  return savedConfig("hrm-sudoku", "tiny", {
    ...preset,
    model: { ...preset.model as HrmConfig, ...small.model, ...model },
    task: sudokuConfig(task),
    optim: { ...preset.optim, ...small.optim, ...optim },
    run: { ...preset.run, ...small.run, ...run },
  });
}

/** The Sudokus of {@link tinyConfig}. */
export function sudokuConfig(changes: Partial<SudokuConfig> = {}): SudokuConfig {
  const { task } = recipes["hrm-sudoku"]!.presets["tiny"]!;
  return { ...task as SudokuConfig, ...small.task, ...changes };
}

/** The task of a config. */
export function taskOf({ config }: SavedConfig): Task {
  return makeTask(config.task);
}

/** The puzzles of a config. */
export function dataOf(saved: SavedConfig): TaskData {
  return taskOf(saved).load(saved.config.run.seed, () => {});
}

/** The same smallness as flags of the command. */
export const tinyFlags: readonly string[] = [
  "--preset=tiny",
  ...Object.entries(small).flatMap(([group, fields]) =>
    Object.entries(fields).map(([field, value]) => `--${group}.${field}=${value}`)
  ),
];

/** The lines of `metrics.jsonl` without what depends on time. */
export function metricsOf(folder: string): Record<string, unknown>[] {
  const lines = Deno.readTextFileSync(join(folder, "metrics.jsonl")).trimEnd().split("\n");
  return lines.map((line) => {
    const { seconds: _, ...rest } = JSON.parse(line);
    return rest;
  });
}

/** What a checkpoint holds, without what depends on time; of each tensor, its bytes as text. */
export function checkpointOf(folder: string): {
  tensors: Record<string, string>;
  progress: Record<string, unknown>;
} {
  const { tensors, metadata } = decodeSafetensors(Deno.readFileSync(checkpointPath(folder)));
  const { seconds: _, ...progress } = JSON.parse(metadata["progress"]!);
  const texts = [...tensors].map(([name, { dtype, shape, data }]) =>
    [name, `${dtype} [${shape}] ${textOf(data)}`] as const
  );
  return { tensors: Object.fromEntries(texts), progress };
}

/** Bytes as text, which is compared much faster. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

/** Where a run's checkpoint lies. */
export function checkpointPath(folder: string): string {
  return join(folder, "checkpoint", "state.safetensors");
}

/** How a command ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of `deno task` in this process. */
export async function command(...args: string[]): Promise<Outcome> {
  const out: string[] = [], error: string[] = [];
  let code = -1;
  const { log } = console, write = Deno.stderr.writeSync;
  console.log = (text) => out.push(String(text));
  Deno.stderr.writeSync = (bytes) => error.push(new TextDecoder().decode(bytes)) && bytes.length;
  try {
    await runMain(() => main(args), {
      print: (text) => out.push(text),
      printError: (text) => error.push(text),
      exit: (given) => code = given,
    });
  } finally {
    console.log = log;
    Deno.stderr.writeSync = write;
  }
  return { code, stdout: out.join("\n"), stderr: error.join("\n") };
}
