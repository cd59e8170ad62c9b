/**
 * Sudoku of 4x4, 6x6 and 9x9: boards, solving and rating, generating, equivalent
 * puzzles, tokens, files and data sets.
 *
 * @module
 */

export {
  type Board,
  type Conflict,
  conflicts,
  formatBoard,
  geometryOf,
  isSolved,
  isValidSolution,
  parseBoard,
  type SudokuPuzzle,
} from "./board.ts";
export {
  type SudokuGeometry,
  sudokuGeometry,
  type SudokuShape,
  sudokuShapes,
  type SudokuSize,
  sudokuSizes,
} from "./geometry.ts";
export { drawBoard, type DrawOptions } from "./draw.ts";
export { solve, type SolveOptions, type SolveResult } from "./solver.ts";
export {
  type GeneratedSudoku,
  type GenerateOptions,
  generateSudoku,
  randomSolution,
} from "./generator.ts";
export {
  applySymmetry,
  augment,
  type AugmentedPuzzle,
  augmentInto,
  drawSymmetry,
  identitySymmetry,
  invertSymmetry,
  type SudokuSymmetry,
} from "./augment.ts";
export { puzzleSignature } from "./equivalence.ts";
export {
  decodeBoard,
  encodeBoard,
  sudokuBlank,
  sudokuPad,
  sudokuSeqLen,
  sudokuVocabSize,
} from "./encoding.ts";
export {
  parsePuzzles,
  type PuzzleLineReader,
  puzzleLineReader,
  type SudokuFilePuzzle,
} from "./file.ts";
