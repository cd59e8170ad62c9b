/** Every model on Sudoku, at the size of `_tiny.ts`. */
import type { ModelConfig } from "../../models/family.ts";
import type { MazeConfig, Preset } from "../../zoo/recipe.ts";
import { fittedTo, recipes } from "../../zoo/recipes.ts";
import { type SavedConfig, savedConfig } from "../../zoo/weights.ts";
import { type Changes, tinyConfig } from "./_tiny.ts";

/** The recipes for Sudoku, one of each family of models. */
export const families: readonly string[] = Object.keys(recipes).filter((name) =>
  name.endsWith("-sudoku")
);

/** 4×4, width 16, one block, three units of thought. */
export function smallModel(model: ModelConfig): ModelConfig {
  const narrow = { hiddenSize: 16, numHeads: 2, puzzleEmbNdim: 16, mlpMultiple: 8 };
  const halting = { haltMaxSteps: 3, haltExplorationProb: 0.5 };
  switch (model.kind) {
    case "hrm":
      return { ...model, ...narrow, ...halting, hLayers: 1, lLayers: 1 };
    case "l-only":
      return { ...model, ...narrow, ...halting, lLayers: 1, cycles: 2 };
    case "trm":
      return {
        ...model,
        ...narrow,
        ...halting,
        lLayers: 1,
        puzzleEmbLen: 2,
        hCycles: 2,
        lCycles: 2,
      };
    case "actv2":
      return { ...model, ...narrow, ...halting, hLayers: 1 };
    case "transformer":
      return { ...model, ...narrow, numLayers: 1 };
    case "recurrent":
      return { ...model, ...narrow, numLayers: 1, recurrences: 3, gradientSteps: 2 };
    case "looped":
      return {
        ...{ ...model, ...narrow, numLayers: 1 },
        ...{ loops: 3, loopsStart: 1, loopsInterval: 4, window: 2 },
      };
  }
}

/** A preset of a recipe for Sudoku, made small: 12 steps of 4 puzzles. */
export function smallRun(
  recipe: string,
  preset = "tiny",
  { model, ...others }: Omit<Changes, "model"> & { readonly model?: Record<string, unknown> } = {},
): SavedConfig {
  const { model: original } = recipes[recipe]!.presets[preset]!;
  const shape = tinyConfig({
    ...others,
    run: {
      ...{ steps: 12, reportEvery: 5, evalEvery: 4, evalPuzzles: 4, checkpointEvery: 3 },
      ...others.run,
    },
  }).config;
  const board = {
    ...{ vocabSize: 6, seqLen: 16, numPuzzleIdentifiers: 1 },
    forwardDtype: "float32" as const,
  };
  const config = { ...smallModel({ ...original, ...board }), ...model } as ModelConfig;
  return savedConfig(recipe, preset, { ...shape, model: config } satisfies Preset);
}

/** The same of a recipe for mazes, of 5×5. */
export function smallMazeRun(recipe: string): SavedConfig {
  const { model, task: original } = recipes[recipe]!.presets["tiny"]!;
  const task: MazeConfig = {
    ...original as MazeConfig,
    ...{ size: 5, minPath: 4, trainPuzzles: 10, testPuzzles: 12, augment: true },
  };
  const { config } = smallRun("hrm-sudoku");
  return savedConfig(recipe, "tiny", { ...config, task, model: fittedTo(task, smallModel(model)) });
}
