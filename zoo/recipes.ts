/**
 * Every recipe by its name.
 *
 * @module
 */
import type { Recipe } from "./recipe.ts";
import { actv2Sudoku } from "./recipes/actv2_sudoku.ts";
import { hrmSudoku } from "./recipes/hrm_sudoku.ts";
import { lOnlySudoku } from "./recipes/l_only_sudoku.ts";
import { loopedSudoku } from "./recipes/looped_sudoku.ts";
import { recurrentSudoku } from "./recipes/recurrent_sudoku.ts";
import { transformerSudoku } from "./recipes/transformer_sudoku.ts";
import { trmMlpSudoku, trmSudoku } from "./recipes/trm_sudoku.ts";

/** The recipes that `deno task train` knows. */
export const recipes: Readonly<Record<string, Recipe>> = {
  "hrm-sudoku": hrmSudoku,
  "l-only-sudoku": lOnlySudoku,
  "trm-sudoku": trmSudoku,
  "trm-mlp-sudoku": trmMlpSudoku,
  "transformer-sudoku": transformerSudoku,
  "actv2-sudoku": actv2Sudoku,
  "recurrent-sudoku": recurrentSudoku,
  "looped-sudoku": loopedSudoku,
};
