/**
 * Recurrent transformers on Sudoku.
 *
 * @module
 */
import { l1r32h4, type RecurrentConfig, recurrentPaper } from "../../models/recurrent.ts";
import type { Recipe } from "../recipe.ts";
import { cpu, forBoards, narrow, paper, published, tiny, unmeasured, type Work } from "./sudoku.ts";

/** Half of the parameters of HRM's presets. */
const small: RecurrentConfig = {
  ...recurrentPaper,
  ...narrow,
  numLayers: 2,
  recurrences: 8,
  lossAt: "every",
  gradientSteps: 8,
};

/** As L1R32H4 was trained on 9,000 puzzles; the rate is that of the published logs. */
const l1r32h4Work: Work = {
  task: { ...paper.task, trainPuzzles: 9000, supervise: "blanks", augment: false },
  optim: {
    ...paper.optim,
    optimizer: "adamw",
    loss: "softmax",
    lr: 6e-4,
    warmupSteps: 0,
    weightDecay: 0.1,
    decay: "matrices",
    clipNorm: 1,
  },
  run: { ...paper.run, batchSize: 16, steps: 112_400 }, // 200 epochs of 562 batches
};

/** A recurrent transformer on Sudoku. */
export const recurrentSudoku: Recipe = {
  summary: "Recurrent transformer, the question only at its start, on Sudoku",
  presets: {
    tiny: {
      ...tiny,
      model: forBoards({ ...small, recurrences: 4, gradientSteps: 4 }, tiny),
      claim: unmeasured,
    },
    cpu: { ...cpu, model: forBoards(small, cpu), claim: unmeasured },
    l1r32h4: {
      ...l1r32h4Work,
      model: l1r32h4,
      claim: published("exact", 1, "SATNet's 9,000 puzzles (logs of the reference)"),
    },
    paper: { ...paper, model: recurrentPaper, claim: unmeasured },
  },
};
