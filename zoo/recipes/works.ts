/**
 * What the models are trained on and how, at the sizes of the presets.
 *
 * @module
 */
import type {
  ArcConfig,
  MazeConfig,
  OptimConfig,
  Preset,
  RunConfig,
  SudokuConfig,
} from "../recipe.ts";

/** A preset without its model and its claim. */
export type Work = Pick<Preset, "task" | "optim" | "run">;

/** How a model is trained for minutes on a CPU. */
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

/** How a model is trained for seconds. */
const tinyOptim: OptimConfig = { ...optim, lr: 2e-3, warmupSteps: 50, ema: 0.99 };

const tinyRun: RunConfig = {
  ...run,
  steps: 1000,
  evalEvery: 250,
  evalPuzzles: 200,
  checkpointEvery: 250,
  reportEvery: 25,
};

/** As HRM was trained on 1,000 puzzles. */
const paperOptim: OptimConfig = {
  ...optim,
  loss: "stablemax",
  lr: 1e-4,
  warmupSteps: 2000,
  minRatio: 1,
  weightDecay: 1,
  puzzleEmbLr: 1e-4,
  puzzleEmbWeightDecay: 1,
  ema: 0,
};

const paperRun: RunConfig = { ...run, batchSize: 768, steps: 26_041, evalEvery: 2000 };

const sudoku6: SudokuConfig = {
  kind: "sudoku",
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

const easy = { hardShare: 0, minimalShare: 0, testHardShare: 0, testMinimalShare: 0 };

/** Sudoku. */
export const sudoku = {
  /** 4×4 boards. */
  tiny: {
    task: {
      ...sudoku6,
      ...easy,
      size: 4,
      minClues: 4,
      maxClues: 10,
      trainPuzzles: 2000,
      testPuzzles: 200,
    },
    optim: tinyOptim,
    run: tinyRun,
  },
  /** 6×6 boards, of which half need a guess and half have no clue to spare. */
  cpu: { task: sudoku6, optim, run },
  /** 9×9 boards with clues enough that most need no guess; half an hour. */
  "cpu-9x9": {
    task: { ...sudoku6, ...easy, size: 9, minClues: 32, maxClues: 50 },
    optim,
    run: { ...run, batchSize: 32, steps: 19_000 },
  },
  /** Sudoku-Extreme; give its files as `--task.trainFile` and `--task.testFile`. */
  paper: {
    task: { ...sudoku6, size: 9, minClues: 17, maxClues: 30, trainPuzzles: 1000 },
    optim: paperOptim,
    run: paperRun,
  },
} as const satisfies Record<string, Work>;

/** As L1R32H4 was trained on 9,000 Sudokus; the rate is that of the published logs. */
export const l1r32h4Sudoku: Work = {
  task: { ...sudoku.paper.task, trainPuzzles: 9000, supervise: "blanks", augment: false },
  optim: {
    ...paperOptim,
    optimizer: "adamw",
    loss: "softmax",
    lr: 6e-4,
    warmupSteps: 0,
    weightDecay: 0.1,
    decay: "matrices",
    clipNorm: 1,
  },
  run: { ...paperRun, batchSize: 16, steps: 112_400 }, // 200 epochs of 562 batches
};

const maze7: MazeConfig = {
  kind: "maze",
  size: 7,
  minPath: 10,
  unique: true,
  trainPuzzles: 20_000,
  testPuzzles: 1000,
  augment: true,
  trainFile: null,
  testFile: null,
};

/** Mazes. */
export const maze = {
  /** 5×5 with paths of 5 steps and more. */
  tiny: {
    task: { ...maze7, size: 5, minPath: 5, trainPuzzles: 4000, testPuzzles: 200 },
    optim: tinyOptim,
    run: tinyRun,
  },
  /** 7×7 with paths of 10 steps and more, one shortest path each. */
  cpu: { task: maze7, optim, run: { ...run, steps: 6000, evalEvery: 500 } },
  /** 30×30 with paths above 110 steps, not rearranged; Maze-Hard's files as `--task.trainFile`. */
  paper: {
    task: { ...maze7, size: 30, minPath: 111, unique: false, trainPuzzles: 1000, augment: false },
    optim: paperOptim,
    run: paperRun,
  },
} as const satisfies Record<string, Work>;

const arcMini: ArcConfig = {
  kind: "arc",
  size: 6,
  trainPuzzles: 300,
  testPuzzles: 60,
  augmentations: 0,
  minPairs: 3,
  maxPairs: 5,
  families: "recolour,swap,reflect,rotate,gravity,outline",
  trainFile: null,
  testFile: null,
};

/** The puzzle embeddings carry the rule of a task, and are seen less often than anything else. */
const arcOptim: OptimConfig = { ...optim, puzzleEmbLr: 1e-1 };

/** ARC. */
export const arc = {
  /** Tasks of our own, of two families, of at most 6×6 cells. */
  tiny: {
    task: { ...arcMini, trainPuzzles: 60, testPuzzles: 20, families: "recolour,swap" },
    optim: { ...tinyOptim, puzzleEmbLr: 1e-1 },
    run: tinyRun,
  },
  /** Six families, each task with 8 to 10 demonstrations. */
  cpu: {
    task: { ...arcMini, trainPuzzles: 500, testPuzzles: 100, minPairs: 8, maxPairs: 10 },
    optim: arcOptim,
    run: { ...run, steps: 5000, evalEvery: 500, evalPuzzles: 100 },
  },
  /** All families, of at most 10×10 cells, each task in four arrangements; longer than minutes. */
  "all-families": {
    task: {
      ...arcMini,
      size: 10,
      trainPuzzles: 1000,
      testPuzzles: 200,
      augmentations: 3,
      families: "",
    },
    optim: arcOptim,
    run: { ...run, batchSize: 32, steps: 60_000 },
  },
  /** ARC-AGI-1: give its folders as `--task.trainFile` and `--task.testFile`. */
  paper: {
    task: {
      ...arcMini,
      size: 30,
      trainPuzzles: 560,
      testPuzzles: 400,
      augmentations: 1000,
      families: "",
    },
    optim: {
      ...paperOptim,
      weightDecay: 0.1,
      puzzleEmbLr: 1e-2,
      puzzleEmbWeightDecay: 0.1,
    },
    run: { ...paperRun, steps: 518_000 }, // 100,000 epochs of the 960 tasks' examples
  },
} as const satisfies Record<string, Work>;
