/**
 * Which run a command line asks for: a preset with its changes, or one that goes on.
 *
 * @module
 */
import { hasCheckpoint } from "../checkpoint.ts";
import { setFields, type Settings, UsageError } from "../cli/flags.ts";
import type { Preset, TaskConfig } from "../recipe.ts";
import { fittedTo, recipes } from "../recipes.ts";
import { taskProblem } from "../validate.ts";
import { readConfig, type SavedConfig, savedConfig } from "../weights.ts";
import { newestRun, userPath } from "./_shared.ts";

/** The flags that say which run. */
export interface RunFlags {
  readonly preset?: string | undefined;
  readonly steps?: number | undefined;
  readonly seed?: number | undefined;
  readonly dtype?: string | undefined;
  readonly device: string;
  readonly out?: string | undefined;
}

/** The fields that are set, by group. */
export type Groups = Readonly<Record<"model" | "optim" | "task" | "run", Settings>>;

/** The preset, with what the command line changes. */
export function newRun(recipe: string, flags: RunFlags, groups: Groups): SavedConfig {
  const { presets } = recipes[recipe]!;
  const name = flags.preset ?? (flags.device === "cuda" ? "paper" : "cpu");
  const preset = presets[name];
  if (preset === undefined) {
    throw new UsageError(
      `No preset ${name} of ${recipe}, one of: ${Object.keys(presets).join(", ")}`,
    );
  }
  const task = withUserPaths(setFields("task", preset.task, groups.task));
  for (const group of ["model", "task"] as const) {
    if (!groups[group].has("kind")) continue;
    throw new UsageError(
      `Cannot change --${group}.kind: ${recipe} is a recipe for ${preset[group].kind}`,
    );
  }
  const problem = taskProblem(task);
  if (problem !== null) throw new UsageError(problem);
  const model = setFields("model", fittedTo(task, preset.model), groups.model);
  const run = setFields("run", preset.run, groups.run);
  return savedConfig(recipe, name, {
    ...preset,
    task,
    model: flags.dtype === undefined
      ? model
      : { ...model, forwardDtype: flags.dtype as Preset["model"]["forwardDtype"] },
    optim: setFields("optim", preset.optim, groups.optim),
    run: { ...run, steps: flags.steps ?? run.steps, seed: flags.seed ?? run.seed },
  });
}

/** The task with its files' paths as the user meant them. */
function withUserPaths<C extends TaskConfig>(task: C): C {
  const whole = (path: string | null) => typeof path === "string" ? userPath(path) : path;
  return { ...task, trainFile: whole(task.trainFile), testFile: whole(task.testFile) };
}

/** The config of a run that goes on: only how long it runs and what it reports may change. */
export function continuedRun(
  recipe: string,
  folder: string,
  flags: RunFlags,
  groups: Groups,
): SavedConfig {
  const fixed = (["preset", "seed", "dtype", "out"] as const).find((f) => flags[f] !== undefined) ??
    (["model", "optim", "task"] as const).find((group) => groups[group].size > 0) ??
    ["run.seed", "run.batchSize"].find((field) => groups.run.has(field.slice("run.".length)));
  if (fixed !== undefined) {
    throw new UsageError(
      `Cannot change --${fixed} of a run that goes on: only --steps, --minutes, --run.<field>, ` +
        `--device and --threads`,
    );
  }
  const saved = readConfig(folder);
  if (saved.recipe !== recipe) {
    throw new UsageError(`Cannot resume "${folder}" as ${recipe}: it is a run of ${saved.recipe}`);
  }
  const run = setFields("run", saved.config.run, groups.run);
  return {
    ...saved,
    config: { ...saved.config, run: { ...run, steps: flags.steps ?? run.steps } },
  };
}

/** The folder of the run that goes on. */
export function resumedRun(recipe: string, name: string): string {
  const folder = name === "last" ? newestRun(recipe) : userPath(name);
  if (hasCheckpoint(folder)) return folder;
  throw new UsageError(`No checkpoint in "${folder}": name the folder of a run, or last`);
}

/** Refuses a folder that holds something already. */
export function requireNewFolder(folder: string): void {
  try {
    if ([...Deno.readDirSync(folder)].length === 0) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (!(error instanceof Deno.errors.NotADirectory)) throw error;
    throw new UsageError(`Cannot use --out="${folder}": it is not a folder`);
  }
  const hint = hasCheckpoint(folder) ? `; --resume="${folder}" goes on with it` : "";
  throw new UsageError(`Cannot use --out="${folder}": it is not empty${hint}`);
}

/** The name of a new run. */
export function timestamp(): string {
  return new Date().toISOString().slice(0, 19).replaceAll(":", "-");
}
