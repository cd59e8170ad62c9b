/**
 * Whether a preset can be run, said before anything is.
 *
 * @module
 */
import type { BackboneConfig } from "../models/backbone.ts";
import { type ModelConfig, modelKinds } from "../models/family.ts";
import type { Preset, TaskConfig } from "./recipe.ts";
import { arcMiniFamilyNames } from "../tasks/mod.ts";
import { makeTask, taskKinds } from "./tasks/tasks.ts";
import { recipes } from "./recipes.ts";

const groups = ["model", "task", "optim", "run"] as const;

/** Fields that hold one of a few words. */
const choices: Readonly<Record<string, readonly string[]>> = {
  "task.kind": taskKinds,
  "model.kind": modelKinds,
  "model.posEncodings": ["rope", "learned", "none"],
  "model.mixer": ["attention", "mlp"],
  "model.backbone": ["post-norm", "pre-norm", "gpt"],
  "model.lossAt": ["every", "last"],
  "model.injection": ["add", "multiply", "concat", "none"],
  "model.objective": ["window", "progressive"],
  "model.forwardDtype": ["float32", "bfloat16", "float64"],
  "optim.optimizer": ["adam-atan2", "adamw"],
  "optim.convention": ["imoneoi", "lucidrains"],
  "optim.loss": ["stablemax", "softmax"],
  "optim.decay": ["all", "matrices"],
  "task.supervise": ["all", "blanks"],
};

/** Fields that hold a path or null. */
const paths: readonly string[] = ["task.trainFile", "task.testFile"];

/** Fields that may be 0, or have a fraction; all other numbers are integers of at least 1. */
const ranges: Readonly<Record<string, readonly [min: number, max: number, integer: boolean]>> = {
  "model.puzzleEmbNdim": [0, 2 ** 20, true],
  "model.puzzleEmbLen": [0, 2 ** 16, true],
  "model.dropout": [0, 0.99, false],
  "model.alpha": [0, 1, false],
  "model.expansion": [0.01, 64, false],
  "model.rmsNormEps": [0, 1, false],
  "model.ropeTheta": [1, 1e12, false],
  "model.haltExplorationProb": [0, 1, false],
  "task.hardRating": [0, 2 ** 31, true],
  "task.augmentations": [0, 2 ** 20, true],
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
  const known = Object.hasOwn(recipes, recipe) ? recipes[recipe]!.presets.cpu : null;
  if (known === null) return `${recipe} is no recipe of ${Object.keys(recipes).join(", ")}`;
  for (const group of groups) {
    const given = recordOf(recordOf(config)[group]);
    for (const [field, value] of Object.entries(known[group])) {
      if (field === "kind" && given[field] !== value) {
        return `${group}.kind is ${JSON.stringify(given[field])}, not ${JSON.stringify(value)}`;
      }
      if (typeof given[field] === typeof value || paths.includes(`${group}.${field}`)) continue;
      return `${group}.${field} is ${JSON.stringify(given[field])}, not a ${typeof value}`;
    }
  }
  return presetProblem(config as Preset);
}

/** What does not go together in a task. */
export function taskProblem(task: TaskConfig): string | null {
  const { size } = task;
  switch (task.kind) {
    case "sudoku": {
      const { minClues, maxClues } = task;
      if (![4, 6, 9].includes(size)) return `Unknown --task.size=${size}: expected one of 4, 6, 9`;
      if (minClues <= maxClues && maxClues <= size ** 2) return null;
      return `Cannot use --task.minClues=${minClues} and --task.maxClues=${maxClues}: ` +
        `expected the first to be at most the second, and that at most ${size ** 2}`;
    }
    case "maze":
      return sizeProblem(size, 3, 64);
    case "arc":
      return sizeProblem(size, 6, 30) ?? familiesProblem(task.families) ??
        atMost("task.minPairs", task.minPairs, "task.maxPairs", task.maxPairs);
  }
}

function familiesProblem(families: string): string | null {
  const names: readonly string[] = arcMiniFamilyNames;
  const unknown = families.split(",").find((name) => name !== "" && !names.includes(name));
  if (unknown === undefined) return null;
  return `Unknown --task.families=${families}: expected some of ${names.join(", ")}`;
}

function sizeProblem(size: number, least: number, most: number): string | null {
  if (size >= least && size <= most) return null;
  return `Cannot use --task.size=${size}: expected an integer from ${least} to ${most}`;
}

/** What does not go together in a model. */
function modelProblem(model: ModelConfig): string | null {
  const { hiddenSize, numHeads, posEncodings, puzzleEmbNdim } = model;
  const isPublished = model.kind === "actv2" && hiddenSize >= 2 * numHeads &&
    Math.floor(hiddenSize / numHeads) % 2 === 0; // 12 heads of 42 in 512
  const step = posEncodings === "rope" ? 2 * numHeads : numHeads;
  if (hiddenSize % step !== 0 && !isPublished) {
    return `Cannot use --model.hiddenSize=${hiddenSize}: expected a multiple of ${step} with ` +
      `--model.numHeads=${numHeads} and --model.posEncodings=${posEncodings}`;
  }
  switch (model.kind) {
    case "trm":
      if (model.puzzleEmbLen > 0 && puzzleEmbNdim > model.puzzleEmbLen * hiddenSize) {
        return `Cannot use --model.puzzleEmbLen=${model.puzzleEmbLen}: a puzzle embedding of ` +
          `${puzzleEmbNdim} features fills more`;
      }
      return null;
    case "transformer":
      return dropoutProblem(model);
    case "recurrent":
      return dropoutProblem(model) ??
        atMost("model.gradientSteps", model.gradientSteps, "model.recurrences", model.recurrences);
    case "looped":
      return dropoutProblem(model) ??
        atMost("model.window", model.window, "model.loops", model.loops) ??
        atMost("model.loopsStart", model.loopsStart, "model.loops", model.loops);
    default:
      return null;
  }
}

function dropoutProblem({ backbone, dropout }: BackboneConfig): string | null {
  if (dropout === 0 || backbone === "gpt") return null;
  return `Cannot use --model.dropout=${dropout}: only --model.backbone=gpt drops anything`;
}

function atMost(field: string, value: number, bound: string, most: number): string | null {
  if (value <= most) return null;
  return `Cannot use --${field}=${value}: expected at most --${bound}=${most}`;
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
  const ofTask = taskProblem(task);
  if (ofTask !== null) return ofTask;
  const ofModel = modelProblem(model);
  if (ofModel !== null) return ofModel;
  const { title, seqLen, vocabSize, numPuzzleIdentifiers } = makeTask(task);
  if (model.seqLen !== seqLen || model.vocabSize !== vocabSize) {
    return `Cannot use --model.seqLen=${model.seqLen} and --model.vocabSize=${model.vocabSize}: ` +
      `${title} has ${seqLen} tokens of ${vocabSize} kinds`;
  }
  if (model.numPuzzleIdentifiers < numPuzzleIdentifiers) {
    return `Cannot use --model.numPuzzleIdentifiers=${model.numPuzzleIdentifiers}: ` +
      `${title} has ${numPuzzleIdentifiers}`;
  }
  if (task.kind !== "arc" && task.trainFile === null && run.batchSize > task.trainPuzzles) {
    return `Cannot fill --run.batchSize=${run.batchSize} from --task.trainPuzzles=${task.trainPuzzles}`;
  }
  return null;
}
