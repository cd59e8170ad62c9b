/**
 * What the models are trained and tested on: puzzles as typed arrays. Nothing
 * here knows a tensor or needs a permission.
 *
 * @module
 */

export { below, type RandomSource, shuffle, type Shuffleable } from "./random_source.ts";
export * from "./sudoku/mod.ts";
