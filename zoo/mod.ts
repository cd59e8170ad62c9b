/**
 * Recipes, training, evaluation and weights: where models and tasks meet.
 *
 * ```ts
 * import { loadPretrained, think } from "@ponder/ponder/zoo";
 *
 * const { model, task } = await loadPretrained("trm-sudoku");
 * const puzzle = task.read("..2...1..3...6....4..16...6....1..3.", 0);
 * const [answer] = think(task, [model], [puzzle]).at(-1)!.answers;
 * console.log(task.draw(puzzle, answer!));
 * ```
 *
 * @module
 */
export { Picture, pictureOfAnswer, pictureOfRun, pictureOfThoughts } from "./display.ts";
export { Group, joinGroup, type Traffic } from "./distributed.ts";
export {
  evaluate,
  evaluateTogether,
  type Evaluation,
  type PassAt,
  score,
  type Scores,
} from "./evaluate.ts";
export { trainingFlops } from "./flops.ts";
export { type FitOptions, fitPuzzle } from "./fit_puzzle.ts";
export type { MetricsLine } from "./metrics.ts";
export {
  loadPretrained,
  type LoadPretrainedOptions,
  type ObtainOptions,
  type PartMetrics,
  type PlaceOptions,
  type Pretrained,
  type PretrainedEntry,
  type PretrainedIndex,
  pretrainedIndex,
  type PretrainedMetrics,
  type WeightFile,
  type WeightsProgress,
} from "./pretrained.ts";
export type {
  ArcConfig,
  Claim,
  MazeConfig,
  OptimConfig,
  OwnPreset,
  Preset,
  Recipe,
  RunConfig,
  SudokuConfig,
  TaskConfig,
} from "./recipe.ts";
export {
  type Benchmark,
  benchmarks,
  published,
  type PublishedFigure,
  publishedOf,
} from "./published.ts";
export { recipes } from "./recipes.ts";
export {
  type Learner,
  type LearningRates,
  queueStep,
  readReports,
  sharedStep,
  type StepOptions,
  type StepReport,
  type Trainee,
  trainStep,
  type UnreadReport,
} from "./step.ts";
export { EpochSampler } from "./tasks/epoch_sampler.ts";
export {
  encodeSudoku,
  heldOutSudokus,
  loadSudokus,
  type SudokuData,
  sudokuTask,
} from "./tasks/sudoku.ts";
export {
  type Judgement,
  type Lesson,
  type Puzzle,
  type ReadOptions,
  type Sampler,
  type Sketch,
  type Task,
  type TaskData,
  tokenBatch,
  type Tokens,
  type Variant,
} from "./tasks/task.ts";
export { makeTask } from "./tasks/tasks.ts";
export { tensorBoardWriter } from "./tensorboard.ts";
export { makeTrainee, train, type TrainOptions, type TrainResult } from "./train.ts";
export { presetProblem } from "./validate.ts";
export {
  loadWeights,
  readConfig,
  restoreWeights,
  type SavedConfig,
  savedConfig,
  saveWeights,
} from "./weights.ts";
export {
  type Candidate,
  type Choice,
  rank,
  think,
  type ThinkOptions,
  type Thought,
} from "./thinking.ts";
