/**
 * HRM on Sudoku, from seconds to the paper.
 *
 * @module
 */
import { type HrmConfig, hrmPaper } from "../../models/hrm.ts";
import type { Recipe } from "../recipe.ts";
import {
  cpu,
  cpu9,
  forBoards,
  measured,
  narrow,
  paper,
  published,
  segments,
  tiny,
} from "./sudoku.ts";

const small: HrmConfig = { ...hrmPaper, ...narrow, ...segments.cpu, hLayers: 2, lLayers: 2 };

/** HRM on Sudoku. */
export const hrmSudoku: Recipe = {
  summary: "Hierarchical Reasoning Model on Sudoku",
  presets: {
    tiny: {
      ...tiny,
      model: forBoards({ ...small, ...segments.tiny }, tiny),
      claim: measured(0.56, "34 seconds on 2 cores of an AMD EPYC"),
    },
    cpu: {
      ...cpu,
      model: forBoards(small, cpu),
      claim: measured(0.937, "18 minutes on 2 cores of an AMD EPYC"),
    },
    "cpu-9x9": {
      ...cpu9,
      model: forBoards(small, cpu9),
      claim: measured(0.61, "32 minutes on 2 cores of an AMD EPYC"),
    },
    paper: {
      ...paper,
      model: hrmPaper,
      claim: published("exact", 0.55, "8 H100, 10 minutes (paper)"),
    },
  },
};
