/**
 * Whether a preset can be run, said before anything is.
 *
 * @module
 */
import type { Preset } from "./recipe.ts";
import { recipes } from "./recipes.ts";

const groups = ["model", "task", "optim", "run"] as const;

/** Fields that hold one of a few words. */
const choices: Readonly<Record<string, readonly string[]>> = {
  "model.posEncodings": ["rope", "learned"],
  "model.forwardDtype": ["float32", "bfloat16", "float64"],
  "optim.optimizer": ["adam-atan2", "adamw"],
  "optim.convention": ["imoneoi", "lucidrains"],
  "optim.loss": ["stablemax", "softmax"],
};

/** Fields that hold a path or null. */
const paths: readonly string[] = ["task.trainFile", "task.testFile"];

/** Fields that may be 0, or have a fraction; all other numbers are integers of at least 1. */
const ranges: Readonly<Record<string, readonly [min: number, max: number, integer: boolean]>> = {
  "model.puzzleEmbNdim": [0, 2 ** 20, true],
  "model.expansion": [0.01, 64, false],
  "model.rmsNormEps": [0, 1, false],
  "model.ropeTheta": [1, 1e12, false],
  "model.haltExplorationProb": [0, 1, false],
  "task.hardRating": [0, 2 ** 31, true],
  "task.hardShare": [0, 1, false],
  "task.minimalShare": [0, 1, false],
  "task.testHardShare": [0, 1, false],
  "task.testMinimalShare": [0, 1, false],
  "optim.lr": [0, 100, false],
  "optim.warmupSteps": [0, 2 ** 40, true],
  "optim.minRatio": [0, 1, false],
  "optim.beta1": [0, 0.999999, false],
  "optim.beta2": [0, 0.999999, false],
  "optim.eps": [0, 1, false],
  "optim.weightDecay": [0, 1000, false],
  "optim.puzzleEmbLr": [0, 100, false],
  "optim.puzzleEmbWeightDecay": [0, 1000, false],
  "optim.clipNorm": [0, 1e12, false],
  "optim.ema": [0, 0.999999999, false],
  "run.seed": [0, 2 ** 31 - 1, true],
};

/** What is wrong with a preset, in one line that says what would do; null if nothing is. */
export function presetProblem(preset: Preset): string | null {
  for (const group of groups) {
    for (const [field, value] of Object.entries(preset[group])) {
      const problem = fieldProblem(`${group}.${field}`, value);
      if (problem !== null) return problem;
    }
  }
  return relationProblem(preset);
}

/** Why something is no config that a run saved; null if it is one. */
export function savedProblem(saved: unknown): string | null {
  const { recipe, preset, config } = recordOf(saved);
  if (typeof recipe !== "string" || typeof preset !== "string") {
    return "it is no config that Ponder wrote";
  }
  const known = Object.hasOwn(recipes, recipe) ? recipes[recipe]!.cpu : null;
  if (known === null) return `${recipe} is no recipe of ${Object.keys(recipes).join(", ")}`;
  for (const group of groups) {
    const given = recordOf(recordOf(config)[group]);
    for (const [field, value] of Object.entries(known[group])) {
      if (typeof given[field] === typeof value || paths.includes(`${group}.${field}`)) continue;
      return `${group}.${field} is ${JSON.stringify(given[field])}, not a ${typeof value}`;
    }
  }
  return presetProblem(config as Preset);
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}

function fieldProblem(name: string, value: unknown): string | null {
  if (paths.includes(name)) {
    return value === null || typeof value === "string"
      ? null
      : `Cannot use --${name}=${value}: expected a path, such as ./${value}`;
  }
  const words = choices[name];
  if (words !== undefined) {
    return words.includes(value as string)
      ? null
      : `Unknown --${name}=${value}: expected one of ${words.join(", ")}`;
  }
  if (typeof value !== "number") return null;
  const [min, max, integer] = ranges[name] ?? [1, 2 ** 40, true];
  if (value >= min && value <= max && (!integer || Number.isInteger(value))) return null;
  return `Cannot use --${name}=${value}: expected ${integer ? "an integer" : "a number"} ` +
    `from ${min} to ${max}`;
}

function relationProblem({ model, task, run }: Preset): string | null {
  if (![4, 6, 9].includes(task.size)) {
    return `Unknown --task.size=${task.size}: expected one of 4, 6, 9`;
  }
  if (model.hiddenSize % (2 * model.numHeads) !== 0) {
    return `Cannot use --model.hiddenSize=${model.hiddenSize}: expected a multiple of ` +
      `${2 * model.numHeads}, two for each of --model.numHeads=${model.numHeads}`;
  }
  if (model.seqLen !== task.size ** 2 || model.vocabSize !== task.size + 2) {
    return `Cannot use --model.seqLen=${model.seqLen} and --model.vocabSize=${model.vocabSize}: ` +
      `a board of size ${task.size} has ${task.size ** 2} tokens of ${task.size + 2} kinds`;
  }
  if (task.minClues > task.maxClues || task.maxClues > task.size ** 2) {
    return `Cannot use --task.minClues=${task.minClues} and --task.maxClues=${task.maxClues}: ` +
      `expected the first to be at most the second, and that at most ${task.size ** 2}`;
  }
  if (task.trainFile === null && run.batchSize > task.trainPuzzles) {
    return `Cannot fill --run.batchSize=${run.batchSize} from --task.trainPuzzles=${task.trainPuzzles}`;
  }
  return null;
}
