/**
 * Sudoku at four sizes: what all recipes on it share.
 *
 * @module
 */
import type { ModelConfig } from "../../models/family.ts";
import type { OptimConfig, Preset, RunConfig, SudokuTask } from "../recipe.ts";

/** A preset without its model and its claim. */
export type Work = Pick<Preset, "task" | "optim" | "run">;

const task: SudokuTask = {
  size: 6,
  minClues: 8,
  maxClues: 20,
  hardRating: 1,
  hardShare: 0.3,
  minimalShare: 0.3,
  testHardShare: 0.5,
  testMinimalShare: 0.5,
  trainPuzzles: 40_000,
  testPuzzles: 1000,
  supervise: "all",
  augment: true,
  trainFile: null,
  testFile: null,
};

const optim: OptimConfig = {
  optimizer: "adam-atan2",
  convention: "imoneoi",
  loss: "softmax",
  lr: 1e-3,
  warmupSteps: 200,
  minRatio: 0.05,
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-8,
  weightDecay: 0.1,
  decay: "all",
  puzzleEmbLr: 1e-3,
  puzzleEmbWeightDecay: 0.1,
  clipNorm: 0,
  ema: 0.999,
};

const run: RunConfig = {
  batchSize: 64,
  steps: 11_000,
  seed: 1,
  reportEvery: 50,
  evalEvery: 1000,
  evalPuzzles: 256,
  checkpointEvery: 500,
};

const easy: Partial<SudokuTask> = {
  hardShare: 0,
  minimalShare: 0,
  testHardShare: 0,
  testMinimalShare: 0,
};

/** Minutes on two cores: 6×6 boards, of which half need a guess and half as many clues as they have. */
export const cpu: Work = { task, optim, run };

/** Seconds on a CPU: 4×4 boards, for tests and a first look. */
export const tiny: Work = {
  task: {
    ...task,
    ...easy,
    size: 4,
    minClues: 4,
    maxClues: 10,
    trainPuzzles: 2000,
    testPuzzles: 200,
  },
  optim: { ...optim, lr: 2e-3, warmupSteps: 50, ema: 0.99 },
  run: {
    ...run,
    steps: 1000,
    evalEvery: 250,
    evalPuzzles: 200,
    checkpointEvery: 250,
    reportEvery: 25,
  },
};

/** Half an hour on two cores: 9×9 boards with clues enough that most need no guess. */
export const cpu9: Work = {
  task: { ...task, ...easy, size: 9, minClues: 32, maxClues: 50 },
  optim,
  run: { ...run, batchSize: 32, steps: 19_000 },
};

/** As HRM was trained on 1,000 puzzles of Sudoku-Extreme; give its files as `--task.trainFile`. */
export const paper: Work = {
  task: {
    ...task,
    size: 9,
    minClues: 17,
    maxClues: 30,
    trainPuzzles: 1000,
    testPuzzles: 1000,
  },
  optim: {
    ...optim,
    loss: "stablemax",
    lr: 1e-4,
    warmupSteps: 2000,
    minRatio: 1,
    weightDecay: 1,
    puzzleEmbLr: 1e-4,
    puzzleEmbWeightDecay: 1,
    ema: 0,
  },
  run: { ...run, batchSize: 768, steps: 26_041, evalEvery: 2000 },
};

/** The measures of a model for minutes on a CPU. */
export const narrow = {
  puzzleEmbNdim: 64,
  hiddenSize: 64,
  numHeads: 4,
  mlpMultiple: 32,
  forwardDtype: "float32",
} as const satisfies Partial<ModelConfig>;

/** The most segments of such a model, by preset. */
export const segments = { tiny: { haltMaxSteps: 4 }, cpu: { haltMaxSteps: 8 } } as const;

/** A model for boards of n×n: n² tokens of n + 2 kinds. */
export function forBoards<C extends ModelConfig>(config: C, { task: { size } }: Work): C {
  return { ...config, vocabSize: size + 2, seqLen: size * size };
}

/** A claim that nobody has measured, of work that a paper reports. */
export function published(metric: string, paper: number, hardware: string): Preset["claim"] {
  return { metric, paper, ours: null, hardware };
}

/** A claim that a command in the docs measured. */
export function measured(ours: number, hardware: string): Preset["claim"] {
  return { metric: "exact", paper: null, ours, hardware };
}

/** No claim yet. */
export const unmeasured: Preset["claim"] = {
  metric: "exact",
  paper: null,
  ours: null,
  hardware: "2 cores of an AMD EPYC",
};
