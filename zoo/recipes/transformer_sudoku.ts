/**
 * Plain transformers on Sudoku: direct prediction.
 *
 * @module
 */
import { type TransformerConfig, transformerPaper } from "../../models/transformer.ts";
import type { Recipe } from "../recipe.ts";
import { cpu, forBoards, narrow, paper, published, tiny, unmeasured } from "./sudoku.ts";

/** As many parameters as HRM's presets have. */
const small: TransformerConfig = { ...transformerPaper, ...narrow, numLayers: 4 };

/** A plain transformer on Sudoku. */
export const transformerSudoku: Recipe = {
  summary: "Plain transformer, one pass, on Sudoku",
  presets: {
    tiny: { ...tiny, model: forBoards(small, tiny), claim: unmeasured },
    cpu: { ...cpu, model: forBoards(small, cpu), claim: unmeasured },
    "cpu-pre-norm": {
      ...cpu,
      model: forBoards({ ...small, backbone: "pre-norm" }, cpu),
      claim: unmeasured,
    },
    paper: {
      ...paper,
      model: transformerPaper,
      claim: published("exact", 0, "as HRM (paper)"),
    },
  },
};
