/**
 * Every recipe by its name.
 *
 * @module
 */
import type { Recipe } from "./recipe.ts";
import { hrmSudoku } from "./recipes/hrm_sudoku.ts";

/** The recipes that `deno task train` knows. */
export const recipes: Readonly<Record<string, Recipe>> = {
  "hrm-sudoku": hrmSudoku,
};
