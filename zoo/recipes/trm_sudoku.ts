/**
 * TRM on Sudoku, with attention and with an MLP over the cells.
 *
 * @module
 */
import { type TrmConfig, trmMlpPaper, trmPaper } from "../../models/trm.ts";
import type { Preset, Recipe } from "../recipe.ts";
import {
  cpu,
  forBoards,
  narrow,
  paper,
  published,
  segments,
  tiny,
  unmeasured,
  type Work,
} from "./sudoku.ts";

/** Half of the parameters of HRM's presets, and as much computation. */
const small: TrmConfig = {
  ...trmPaper,
  ...narrow,
  ...segments.cpu,
  puzzleEmbLen: 4,
  hCycles: 2,
  lCycles: 3,
};

/** What the paper's runs on Sudoku share. */
const paperWork: Work = {
  ...paper,
  optim: { ...paper.optim, ema: 0.999 },
  run: { ...paper.run, steps: 65_104 },
};

function presets(
  part: Pick<TrmConfig, "mixer" | "posEncodings">,
  atPaperScale: Pick<Preset, "model" | "claim">,
): Recipe["presets"] {
  const model = { ...small, ...part };
  return {
    tiny: {
      ...tiny,
      model: forBoards({ ...model, ...segments.tiny }, tiny),
      claim: unmeasured,
    },
    cpu: { ...cpu, model: forBoards(model, cpu), claim: unmeasured },
    paper: { ...paperWork, ...atPaperScale },
  };
}

/** TRM with attention on Sudoku. */
export const trmSudoku: Recipe = {
  summary: "Tiny Recursive Model, with attention, on Sudoku",
  presets: presets({ mixer: "attention", posEncodings: "rope" }, {
    model: trmPaper,
    claim: published("exact", 0.747, "one L40S, below 36 hours (paper)"),
  }),
};

/** TRM with an MLP over the cells on Sudoku. */
export const trmMlpSudoku: Recipe = {
  summary: "Tiny Recursive Model, with an MLP over the cells, on Sudoku",
  presets: presets({ mixer: "mlp", posEncodings: "none" }, {
    model: trmMlpPaper,
    claim: published("exact", 0.874, "one L40S, below 36 hours (paper)"),
  }),
};
