/**
 * HRM on Sudoku, from seconds to the paper.
 *
 * @module
 */
import { type HrmConfig, hrmPaper } from "../../models/hrm.ts";
import type { OptimConfig, Preset, Recipe, RunConfig, SudokuTask } from "../recipe.ts";

/** A board of 6×6 for a small model. */
const model6: HrmConfig = {
  ...hrmPaper,
  vocabSize: 8,
  seqLen: 36,
  puzzleEmbNdim: 64,
  hiddenSize: 64,
  numHeads: 4,
  mlpMultiple: 32,
  hLayers: 2,
  lLayers: 2,
  forwardDtype: "float32",
  haltMaxSteps: 8,
};

const task6: SudokuTask = {
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

const cpu: Preset = {
  model: model6,
  task: task6,
  optim,
  run,
  claim: {
    metric: "exact",
    paper: null,
    ours: 0.937,
    hardware: "18 minutes on 2 cores of an AMD EPYC",
  },
};

/** Seconds on a CPU: 4×4 boards, for tests and a first look. */
const tiny: Preset = {
  model: { ...model6, vocabSize: 6, seqLen: 16, haltMaxSteps: 4 },
  task: {
    ...task6,
    size: 4,
    minClues: 4,
    maxClues: 10,
    hardShare: 0,
    minimalShare: 0,
    testHardShare: 0,
    testMinimalShare: 0,
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
  claim: {
    metric: "exact",
    paper: null,
    ours: 0.56,
    hardware: "34 seconds on 2 cores of an AMD EPYC",
  },
};

/** Half an hour on two cores: 9×9 boards with clues enough that most need no guess. */
const cpu9: Preset = {
  model: { ...model6, vocabSize: 11, seqLen: 81 },
  task: {
    ...task6,
    size: 9,
    minClues: 32,
    maxClues: 50,
    hardShare: 0,
    minimalShare: 0,
    testHardShare: 0,
    testMinimalShare: 0,
  },
  optim,
  run: { ...run, batchSize: 32, steps: 19_000, evalEvery: 1000 },
  claim: {
    metric: "exact",
    paper: null,
    ours: 0.61,
    hardware: "32 minutes on 2 cores of an AMD EPYC",
  },
};

/** As published for 1,000 puzzles of Sudoku-Extreme; give its files as `--task.trainFile`. */
const paper: Preset = {
  model: hrmPaper,
  task: {
    ...task6,
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
  claim: { metric: "exact", paper: 0.55, ours: null, hardware: "8 H100, 10 minutes (paper)" },
};

/** HRM on Sudoku. */
export const hrmSudoku: Recipe = {
  summary: "Hierarchical Reasoning Model on Sudoku",
  cpu,
  presets: { tiny, cpu, "cpu-9x9": cpu9, paper },
};
