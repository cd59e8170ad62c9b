/**
 * Sudokus as a data set: a group for each puzzle, in it the puzzle and, to train
 * on, so many rearrangements of it.
 *
 * Source: SamsungSAILMontreal/TinyRecursiveModels@e7b6871 dataset/build_sudoku_dataset.py.
 *
 * @module
 */
import { Random } from "../../core/random.ts";
import {
  type DatasetGroup,
  geometryOf,
  puzzleLineReader,
  puzzleSignature,
  solve,
  sudokuDatasetSpec,
  sudokuExtremeGroups,
  type SudokuFilePuzzle,
  type SudokuPuzzle,
  type SudokuSize,
} from "../../tasks/mod.ts";
import { firstRow, type RowReading } from "./csv.ts";
import { sources } from "./sources.ts";
import { type CsvFiles, onRead, type PuzzleChunks, splitCsv } from "./split.ts";
import { type BuildWatch, type DatasetPlan, type PlannedSplit, RatingCounter } from "./write.ts";

// A random stream of one seed; 0 and 1 are those of generated.ts.
const AUGMENT_STREAM = 2;

/** What is known of a data set of Sudokus. */
export interface SudokuPlanInfo {
  /** Its name. */
  readonly name: "sudoku" | "sudoku-extreme";
  /** Where the puzzles come from. */
  readonly source: string;
  /** What was asked for. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What ratings count. */
  readonly ratingTitle: string;
  /** Rearrangements of each puzzle that is trained on. */
  readonly aug: number;
  /** Where random numbers start. */
  readonly seed: number;
}

/** The data set of these puzzles. */
export function sudokuPlan(
  size: SudokuSize,
  train: PuzzleChunks<SudokuPuzzle>,
  test: PuzzleChunks<SudokuPuzzle>,
  { name, source, options, ratingTitle, aug, seed }: SudokuPlanInfo,
): DatasetPlan {
  const random = new Random(seed, AUGMENT_STREAM);
  const counters = { train: new RatingCounter(), test: new RatingCounter() };
  const split = (
    { puzzles, total }: PuzzleChunks<SudokuPuzzle>,
    numAug: number,
    counter: RatingCounter,
  ): PlannedSplit => ({ groups: groupsOf(puzzles, numAug, random, counter), total });
  return {
    spec: sudokuDatasetSpec(size),
    train: split(train, aug, counters.train),
    test: split(test, 0, counters.test),
    info: () => ({
      ...{ name, source, licence: sources[name].licence, options },
      ratings: {
        title: ratingTitle,
        train: counters.train.ratings(),
        test: counters.test.ratings(),
      },
    }),
  };
}

async function* groupsOf(
  chunks: PuzzleChunks<SudokuPuzzle>["puzzles"],
  numAug: number,
  random: Random,
  counter: RatingCounter,
): AsyncGenerator<DatasetGroup> {
  for await (const puzzles of chunks) {
    for (const { rating } of puzzles) counter.add(rating);
    yield* sudokuExtremeGroups(puzzles, { numAug, random });
  }
}

/** What to take of Sudoku-Extreme, or of files like it. */
export interface SudokuCsvRequest {
  /** Puzzles drawn to train on; null for all. */
  readonly subset: number | null;
  /** Puzzles drawn to test on; null for all. */
  readonly test: number | null;
  /** The least rating; null for any. */
  readonly minDifficulty: number | null;
  /** Rearrangements of each puzzle that is trained on. */
  readonly aug: number;
  /** Where random numbers start. */
  readonly seed: number;
  /** What to say of where the files come from. */
  readonly source: string;
}

/** The data set of these files. Every line is checked, and what is taken also to have one solution. */
export async function sudokuCsvPlan(
  files: CsvFiles,
  request: SudokuCsvRequest,
  watch: BuildWatch = {},
): Promise<DatasetPlan> {
  const { subset, test, minDifficulty, aug, seed, source } = request;
  const first = await firstRow({ file: files.train, reader: puzzleLineReader });
  const { size } = geometryOf(first.puzzle);
  const reading = (file: string): RowReading<SudokuFilePuzzle> => ({
    file,
    reader: puzzleLineReader,
    check: ({ puzzle }) => checkSize(puzzle.length, size * size),
    isWanted: ({ puzzle: { rating } }) => minDifficulty === null || rating >= minDifficulty,
    onRead: onRead(file, watch),
  });
  const signature = ({ puzzle, solution }: SudokuPuzzle) => puzzleSignature(puzzle, solution);
  const { train: trainChunks, test: testChunks } = await splitCsv(
    { files, subset, test, seed, reading, signature },
    checkUnique,
  );
  const { source: _, ...options } = request;
  return sudokuPlan(size, trainChunks, testChunks, {
    ...{ name: "sudoku-extreme", source, options, ratingTitle: "as the files say", aug, seed },
  });
}

function checkSize(cells: number, wanted: number): void {
  if (cells === wanted) return;
  throw new SyntaxError(`Cannot use a board of ${cells} cells: the first one has ${wanted}`);
}

/** Makes sure that a puzzle has the one solution that is given. */
function checkUnique({ puzzle }: SudokuPuzzle): void {
  const { solutions } = solve(puzzle);
  if (solutions === 1) return;
  throw new SyntaxError("Cannot use the puzzle: it has more than one solution");
}
