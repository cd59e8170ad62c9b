/**
 * ARC Prize's baseline, a plain transformer in HRM's outer loop, on Sudoku.
 *
 * @module
 */
import { type Actv2Config, actv2Paper } from "../../models/actv2.ts";
import type { Recipe } from "../recipe.ts";
import { cpu, forBoards, narrow, paper, segments, tiny, unmeasured } from "./sudoku.ts";

/** As many parameters as HRM's presets have. */
const small: Actv2Config = { ...actv2Paper, ...narrow, ...segments.cpu, hLayers: 4 };

/** A plain transformer in the outer loop on Sudoku. */
export const actv2Sudoku: Recipe = {
  summary: "Plain transformer in HRM's outer loop on Sudoku",
  presets: {
    tiny: {
      ...tiny,
      model: forBoards({ ...small, ...segments.tiny }, tiny),
      claim: unmeasured,
    },
    cpu: { ...cpu, model: forBoards(small, cpu), claim: unmeasured },
    paper: { ...paper, model: actv2Paper, claim: unmeasured },
  },
};
