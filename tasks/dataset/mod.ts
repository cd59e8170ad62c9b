/**
 * Data sets on disk in the layout of HRM and TRM: NumPy arrays, their folders,
 * and the batches that are drawn from them. Opening and writing need permission
 * to read and to write.
 *
 * @module
 */

export {
  type NpyArray,
  type NpyArrays,
  type NpyDtype,
  NpyFile,
  NpyWriter,
  type NpyWriterOptions,
  openNpy,
} from "./npy.ts";
export { type PuzzleDatasetMetadata, type PuzzleSplit } from "./metadata.ts";
export { type ExampleRows, openPuzzleDataset, PuzzleDataset, PuzzleSet } from "./layout.ts";
export {
  type DatasetExample,
  type DatasetGroup,
  type DatasetPuzzle,
  type PuzzleDatasetSpec,
  writePuzzleDataset,
} from "./writer.ts";
export {
  type BatchComposition,
  type BatchShare,
  ignoredLabel,
  type PuzzleBatch,
  PuzzleSampler,
  type PuzzleSamplerOptions,
  PuzzleTestBatches,
} from "./sampler.ts";
export { sudokuDatasetSpec, sudokuExtremeGroups, type SudokuGroupsOptions } from "./sudoku.ts";
