/**
 * The L-only ablation of HRM on Sudoku.
 *
 * @module
 */
import { type LOnlyConfig, lOnlyPaper } from "../../models/l_only.ts";
import type { Recipe } from "../recipe.ts";
import { cpu, forBoards, narrow, paper, segments, tiny, unmeasured } from "./sudoku.ts";

/** As many parameters as HRM's presets have, and as much computation. */
const small: LOnlyConfig = { ...lOnlyPaper, ...narrow, ...segments.cpu, lLayers: 4 };

/** HRM without its high-level module on Sudoku. */
export const lOnlySudoku: Recipe = {
  summary: "HRM without its high-level module on Sudoku",
  presets: {
    tiny: {
      ...tiny,
      model: forBoards({ ...small, ...segments.tiny }, tiny),
      claim: unmeasured,
    },
    cpu: { ...cpu, model: forBoards(small, cpu), claim: unmeasured },
    paper: { ...paper, model: lOnlyPaper, claim: unmeasured },
  },
};
