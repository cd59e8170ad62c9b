/**
 * Data sets made from a seed. The test puzzles are made first, so that they do not
 * depend on how many there are to train on; no two puzzles are the same, nor, but
 * for Sudokus of 4×4, of which there are too few, equivalent.
 *
 * @module
 */
import { Random } from "../../core/random.ts";
import {
  type ArcTask,
  formatArcTask,
  formatBoard,
  generateArcMini,
  generateMaze,
  generateSudoku,
  mazeSignature,
  puzzleSignature,
  type SudokuPuzzle,
  type SudokuSize,
} from "../../tasks/mod.ts";
import { arcPlan } from "./arc.ts";
import { mazePlan } from "./maze.ts";
import { sources } from "./sources.ts";
import { sudokuPlan } from "./sudoku.ts";
import { breathing, type BuildWatch, type DatasetPlan } from "./write.ts";

/** Which Sudokus. */
export interface SudokuRequest {
  /** Cells along a side. */
  readonly size: SudokuSize;
  /** The fewest clues. */
  readonly minClues: number;
  /** The most clues. */
  readonly maxClues: number;
  /** The share of puzzles with a rating of `hardRating` or more. */
  readonly hardShare: number;
  /** The share of puzzles, hard ones apart, from which no clue can be taken away. */
  readonly minimalShare: number;
  /** The least rating, in backtracks, of a puzzle that counts as hard. */
  readonly hardRating: number;
}

/** Which mazes. */
export interface MazeRequest {
  /** Rows and columns. */
  readonly size: number;
  /** The fewest steps of the shortest path. */
  readonly minPath: number;
}

/** How many puzzles. */
export interface SetRequest {
  /** Puzzles to train on. */
  readonly train: number;
  /** Puzzles to test on. */
  readonly test: number;
  /** Where random numbers start. */
  readonly seed: number;
}

// Random streams of one seed; those of augmentation are in the files of the plans.
const TEST_STREAM = 0, TRAIN_STREAM = 1;

/** How often in a row a new puzzle may be one that is there already. */
const MAX_MISSES = 10_000;

/** Sudokus, and `aug` rearrangements of each that is trained on. */
export async function generatedSudokus(
  request: SudokuRequest & SetRequest & { readonly aug: number },
  watch: BuildWatch = {},
): Promise<DatasetPlan> {
  const { size, minClues, maxClues, hardShare, minimalShare, hardRating } = request;
  const make = (random: Random): SudokuPuzzle => {
    const u = random.uniform();
    return generateSudoku(random, {
      size,
      clues: [minClues, maxClues],
      minimal: u < hardShare + minimalShare,
      ...(u < hardShare ? { rating: [hardRating, Infinity] as const } : {}),
    });
  };
  const keysOf = ({ puzzle, solution }: SudokuPuzzle) => [
    size === 4 ? formatBoard(puzzle) : puzzleSignature(puzzle, solution),
  ];
  const { train, test } = await drawBoth(request, make, keysOf, watch);
  const { aug, seed } = request;
  return sudokuPlan(size, { puzzles: [train] }, { puzzles: [test] }, {
    ...{ name: "sudoku", source: `seed ${seed}`, aug, seed, ratingTitle: "backtracks" },
    options: { ...request },
  });
}

/** Mazes; with `aug` each that is trained on in all its rotations and reflections. */
export async function generatedMazes(
  request: MazeRequest & SetRequest & { readonly aug: boolean },
  watch: BuildWatch = {},
): Promise<DatasetPlan> {
  const { size, minPath, aug } = request;
  const make = (random: Random) => generateMaze(random, { rows: size, minPath });
  const { train, test } = await drawBoth(
    request,
    make,
    ({ puzzle }) => [mazeSignature(puzzle)],
    watch,
  );
  return mazePlan(size, { puzzles: [train] }, { puzzles: [test] }, {
    ...{ name: "maze", source: `seed ${request.seed}`, aug, options: { ...request } },
  });
}

/** Tasks of arc-mini, and `aug` augmentations of each. */
export async function generatedArc(
  request: SetRequest & { readonly size: number; readonly aug: number },
  watch: BuildWatch = {},
): Promise<DatasetPlan> {
  const { size, aug, seed } = request;
  const make = (random: Random) => generateArcMini(random, { size });
  const keysOf = (task: ArcTask) => [task.name, formatArcTask(task)];
  const { train, test } = await drawBoth(request, make, keysOf, watch);
  const subsets = [
    { name: "training", tasks: train, evaluated: false },
    { name: "evaluation", tasks: test, evaluated: true },
  ];
  const { licence } = sources["arc-mini"];
  const info = { name: "arc-mini", source: `seed ${seed}`, licence, options: { ...request } };
  return await arcPlan(subsets, { size, aug, seed, info }, watch);
}

/** Puzzles to test on and then puzzles to train on, all with different keys. */
async function drawBoth<P>(
  { train, test, seed }: SetRequest,
  make: (random: Random) => P,
  keysOf: (puzzle: P) => readonly (string | number)[],
  watch: BuildWatch,
): Promise<{ train: P[]; test: P[] }> {
  const taken = new Set<string | number>();
  const breathe = breathing(watch.signal);
  const draw = async (what: string, count: number, random: Random): Promise<P[]> => {
    const puzzles: P[] = [];
    for (let misses = 0; puzzles.length < count;) {
      if (await breathe()) watch.onProgress?.(`Making ${what}: ${puzzles.length} of ${count}`);
      const puzzle = make(random), keys = keysOf(puzzle);
      if (keys.every((key) => !taken.has(key))) {
        for (const key of keys) taken.add(key);
        puzzles.push(puzzle);
        misses = 0;
      } else if (++misses === MAX_MISSES) {
        throw new RangeError(
          `Cannot make ${count} puzzles for ${what}: after ${puzzles.length} no new one came in ` +
            `${MAX_MISSES} attempts; ask for fewer or for others`,
        );
      }
    }
    return puzzles;
  };
  const testPuzzles = await draw("test", test, new Random(seed, TEST_STREAM));
  return { train: await draw("train", train, new Random(seed, TRAIN_STREAM)), test: testPuzzles };
}
