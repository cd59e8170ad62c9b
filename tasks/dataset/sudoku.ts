/**
 * Sudoku-Extreme as the official builder structures it: a group for each puzzle,
 * in it the puzzle itself and `numAug` random equivalents, all under the one
 * identifier 0.
 *
 * Source: SamsungSAILMontreal/TinyRecursiveModels@e7b6871 dataset/build_sudoku_dataset.py.
 *
 * @module
 */

import type { RandomSource } from "../random_source.ts";
import { augment } from "../sudoku/augment.ts";
import type { Board, SudokuPuzzle } from "../sudoku/board.ts";
import { encodeBoard, sudokuPad, sudokuSeqLen, sudokuVocabSize } from "../sudoku/encoding.ts";
import type { SudokuSize } from "../sudoku/geometry.ts";
import type { DatasetGroup, DatasetPuzzle, PuzzleDatasetSpec } from "./writer.ts";

/** How {@link sudokuExtremeGroups} augments. */
export interface SudokuGroupsOptions {
  /** The number of equivalents of each puzzle; 1000 in Sudoku-Extreme 1k, 0 in a test split. */
  readonly numAug: number;
  /** Where the equivalents come from. */
  readonly random: RandomSource;
}

/** What `writePuzzleDataset` has to know of Sudokus of a size. */
export function sudokuDatasetSpec(size: SudokuSize): PuzzleDatasetSpec {
  return {
    vocabSize: sudokuVocabSize(size),
    seqLen: sudokuSeqLen(size),
    padId: sudokuPad,
    ignoreLabelId: sudokuPad, // no label is: blanks and digits come after it
    identifiers: ["<blank>"],
  };
}

/**
 * The groups of puzzles and their equivalents, made one at a time. To be gone
 * through once and in order, as `writePuzzleDataset` does: each equivalent is
 * drawn when it is reached.
 *
 * @throws {RangeError} when `numAug` is no integer from 0 on
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Random } from "@ponder/ponder/core";
 * import { parseBoard } from "@ponder/ponder/tasks";
 * import { sudokuDatasetSpec, sudokuExtremeGroups } from "./sudoku.ts";
 * import { writePuzzleDataset } from "./writer.ts";
 *
 * const puzzle = parseBoard(".2...412...4...."), solution = parseBoard("1243341221344321");
 * const folder = await Deno.makeTempDir();
 * const groups = sudokuExtremeGroups([{ puzzle, solution }], { numAug: 9, random: new Random(1) });
 * const metadata = await writePuzzleDataset(folder, "train", groups, sudokuDatasetSpec(4));
 * assertEquals([metadata.totalGroups, metadata.totalPuzzles], [1, 10]);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export function* sudokuExtremeGroups(
  puzzles: Iterable<Pick<SudokuPuzzle, "puzzle" | "solution">>,
  { numAug, random }: SudokuGroupsOptions,
): Generator<DatasetGroup> {
  if (!Number.isInteger(numAug) || numAug < 0) {
    throw new RangeError(`Cannot make ${numAug} equivalents: expected an integer from 0`);
  }
  for (const { puzzle, solution } of puzzles) yield group(puzzle, solution, numAug, random);
}

function* group(
  puzzle: Board,
  solution: Board,
  numAug: number,
  random: RandomSource,
): Generator<DatasetPuzzle> {
  yield entry(puzzle, solution);
  for (let i = 0; i < numAug; i++) {
    const other = augment(random, puzzle, solution);
    yield entry(other.puzzle, other.solution);
  }
}

function entry(puzzle: Board, solution: Board): DatasetPuzzle {
  const example = { inputs: encodeBoard(puzzle), labels: encodeBoard(solution) };
  return { identifier: 0, examples: [example] };
}
