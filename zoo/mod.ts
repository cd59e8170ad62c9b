/**
 * Recipes, training, evaluation and weights: where models and tasks meet.
 *
 * ```ts ignore
 * import { evaluate, loadWeights, sudokuData } from "@ponder/ponder/zoo";
 *
 * const { model, saved } = loadWeights("runs/hrm-sudoku/2026-11-23T14-00-00");
 * const { test } = sudokuData(saved.config.task, saved.config.run.seed);
 * console.log(evaluate(model, test).final.exact);
 * ```
 *
 * @module
 */
export { evaluate, type EvaluateOptions, type Evaluation, type Scores } from "./evaluate.ts";
export type { Claim, OptimConfig, Preset, Recipe, RunConfig, SudokuTask } from "./recipe.ts";
export { recipes } from "./recipes.ts";
export { type LearningRates, type StepReport, type Trainee, trainStep } from "./step.ts";
export { puzzleBatch, type SudokuData, sudokuData, SudokuSampler } from "./sudoku_data.ts";
export { makeTrainee, train, type TrainOptions, type TrainResult } from "./train.ts";
export { presetProblem } from "./validate.ts";
export { loadWeights, readConfig, type SavedConfig, savedConfig, saveWeights } from "./weights.ts";
export {
  type Candidate,
  type Choice,
  elect,
  think,
  type ThinkOptions,
  type Thought,
} from "./thinking.ts";
