/**
 * What the models are trained and tested on: puzzles as typed arrays. Nothing
 * here knows a tensor, and only data sets on disk need a permission.
 *
 * ```ts
 * import { drawBoard, parseBoard, solve } from "@ponder/ponder/tasks";
 *
 * const { solution, backtracks } = solve(parseBoard("12.........4..21"));
 * console.log(drawBoard(solution!), backtracks);
 * ```
 *
 * @module
 */

export { below, type RandomSource, shuffle, type Shuffleable } from "./random_source.ts";
export { type CellGrid, dihedral, inverseDihedral, numDihedral } from "./dihedral.ts";
export * from "./sudoku/mod.ts";
export * from "./maze/mod.ts";
export * from "./arc/mod.ts";
export * from "./dataset/mod.ts";
