/**
 * Looped transformers on Sudoku, with and without injection.
 *
 * @module
 */
import { type LoopedConfig, loopedPaper } from "../../models/looped.ts";
import type { Recipe } from "../recipe.ts";
import { cpu, forBoards, narrow, paper, tiny, unmeasured } from "./sudoku.ts";

/** Half of the parameters of HRM's presets, and as much computation. */
const small: LoopedConfig = {
  ...loopedPaper,
  ...narrow,
  numLayers: 2,
  loops: 8,
  loopsStart: 4,
  loopsIncrement: 1,
  loopsInterval: 1000,
  window: 4,
};

/** Without injection nothing of the question comes through the loops that are not gone back through. */
const uninjected: Partial<LoopedConfig> = { injection: "none", window: 8 };

const tinyLoops: Partial<LoopedConfig> = { loops: 4, loopsStart: 2, loopsInterval: 100, window: 2 };

/** A looped transformer on Sudoku. */
export const loopedSudoku: Recipe = {
  summary: "Looped transformer, the question injected at every loop, on Sudoku",
  presets: {
    tiny: { ...tiny, model: forBoards({ ...small, ...tinyLoops }, tiny), claim: unmeasured },
    cpu: { ...cpu, model: forBoards(small, cpu), claim: unmeasured },
    "no-injection": {
      ...cpu,
      model: forBoards({ ...small, ...uninjected }, cpu),
      claim: unmeasured,
    },
    progressive: {
      ...cpu,
      model: forBoards({ ...small, objective: "progressive" }, cpu),
      claim: unmeasured,
    },
    paper: { ...paper, model: loopedPaper, claim: unmeasured },
  },
};
