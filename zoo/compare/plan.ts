/**
 * The runs that a comparison needs, and which of them are done.
 *
 *     runs/compare/sudoku-tiny-recipe/hrm-1     a run of its own each
 *
 * @module
 */
import { join } from "@std/path";
import { isFile } from "../../core/io/file.ts";
import { hasCheckpoint } from "../checkpoint.ts";
import { UsageError } from "../cli/errors.ts";
import type { TaskConfig } from "../recipe.ts";
import { readConfig, type SavedConfig } from "../weights.ts";
import { type Match, matched } from "./match.ts";
import { runKey } from "./rows.ts";

/** The model that others are made alike to. */
const REFERENCE = "hrm";

/** Which runs. */
export interface RunsWanted {
  /** The task. */
  readonly task: TaskConfig["kind"];
  /** The models. */
  readonly models: readonly string[];
  /** How many seeds, from 1 on. */
  readonly seeds: number;
  /** The preset. */
  readonly preset: string;
  /** In what models are made alike to HRM. */
  readonly match: Match;
  /** The folder that has one folder a comparison. */
  readonly folder: string;
  /** The config of a recipe with a seed, before it is made alike. */
  readonly configOf: (recipe: string, seed: number) => SavedConfig;
}

/** One of the runs. */
export interface ComparisonRun {
  /** The model. */
  readonly model: string;
  /** What to train. */
  readonly saved: SavedConfig;
  /** Where it is kept. */
  readonly folder: string;
  /** How far it is. */
  readonly state: "new" | "unfinished" | "finished";
}

/** All runs that are wanted, those of a seed together. */
export function comparisonRuns(wanted: RunsWanted): ComparisonRun[] {
  const { task, models, seeds, preset, match, folder, configOf } = wanted;
  const reference = configOf(`${REFERENCE}-${task}`, 1).config;
  const alike = models.map((model) => {
    const { config } = configOf(`${model}-${task}`, 1);
    const { run, ...like } = matched(config, reference, match);
    return { model, like, steps: run.steps };
  });
  return Array.from({ length: seeds }, (_, i) => i + 1).flatMap((seed) =>
    alike.map(({ model, like, steps }) => {
      const given = configOf(`${model}-${task}`, seed);
      const run = { ...given.config.run, steps };
      const saved = { ...given, config: { ...like, run } };
      const path = join(folder, `${task}-${preset}-${match}`, `${model}-${seed}`);
      return { model, saved, folder: path, state: stateOf(path, saved) };
    })
  );
}

/** The weights of a run that is done. */
export function finalWeights({ folder }: ComparisonRun): string {
  return join(folder, "final");
}

function stateOf(folder: string, saved: SavedConfig): ComparisonRun["state"] {
  if (!isFile(join(folder, "config.json"))) return "new";
  if (runKey(readConfig(folder)) !== runKey(saved)) {
    throw new UsageError(
      `Cannot go on with "${folder}": it was trained otherwise; move it away, or ask for the same`,
    );
  }
  if (isFile(join(folder, "final", "model.safetensors"))) return "finished";
  return hasCheckpoint(folder) ? "unfinished" : "new";
}
