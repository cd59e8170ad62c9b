/**
 * Mazes as a data set: a group for each maze, in it the maze alone or, to train on,
 * all its rotations and reflections.
 *
 * Source: SamsungSAILMontreal/TinyRecursiveModels@e7b6871 dataset/build_maze_dataset.py.
 *
 * @module
 */
import {
  type DatasetGroup,
  encodeMaze,
  type MazeFilePuzzle,
  mazeLineReader,
  mazePad,
  type MazePuzzle,
  mazeSeqLen,
  mazeSignature,
  mazeVocabSize,
  numDihedral,
  transformMaze,
} from "../../tasks/mod.ts";
import { firstRow, type RowReading } from "./csv.ts";
import { sources } from "./sources.ts";
import { type CsvFiles, onRead, type PuzzleChunks, splitCsv } from "./split.ts";
import { type BuildWatch, type DatasetPlan, RatingCounter } from "./write.ts";

/** What is known of a data set of mazes. */
export interface MazePlanInfo {
  /** Its name. */
  readonly name: "maze" | "maze-hard";
  /** Where the mazes come from. */
  readonly source: string;
  /** What was asked for. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Whether mazes to train on are there in all rotations and reflections. */
  readonly aug: boolean;
}

/** The data set of these mazes; their ratings are the lengths of the shortest paths. */
export function mazePlan(
  size: number,
  train: PuzzleChunks<MazePuzzle>,
  test: PuzzleChunks<MazePuzzle>,
  { name, source, options, aug }: MazePlanInfo,
): DatasetPlan {
  const counters = { train: new RatingCounter(), test: new RatingCounter() };
  return {
    spec: {
      vocabSize: mazeVocabSize,
      seqLen: mazeSeqLen(size),
      padId: mazePad,
      ignoreLabelId: mazePad,
      identifiers: ["<blank>"],
    },
    train: {
      groups: groupsOf(train.puzzles, aug ? numDihedral : 1, counters.train),
      total: train.total,
    },
    test: { groups: groupsOf(test.puzzles, 1, counters.test), total: test.total },
    info: () => ({
      ...{ name, source, licence: sources[name].licence, options },
      ratings: {
        title: "steps of the shortest path",
        train: counters.train.ratings(),
        test: counters.test.ratings(),
      },
    }),
  };
}

async function* groupsOf(
  chunks: PuzzleChunks<MazePuzzle>["puzzles"],
  numPuzzles: number,
  counter: RatingCounter,
): AsyncGenerator<DatasetGroup> {
  for await (const mazes of chunks) {
    for (const maze of mazes) {
      counter.add(maze.pathLength);
      yield Array.from({ length: numPuzzles }, (_, id) => ({
        identifier: 0,
        examples: [{
          inputs: encodeMaze(transformMaze(maze.puzzle, id)),
          labels: encodeMaze(transformMaze(maze.solution, id)),
        }],
      }));
    }
  }
}

/** What to take of Maze-Hard, or of files like it. */
export interface MazeCsvRequest {
  /** Mazes drawn to train on; null for all. */
  readonly subset: number | null;
  /** Mazes drawn to test on; null for all. */
  readonly test: number | null;
  /** Whether mazes to train on are there in all rotations and reflections. */
  readonly aug: boolean;
  /** Where random numbers start. */
  readonly seed: number;
  /** What to say of where the files come from. */
  readonly source: string;
}

/** The data set of these files, every line of which is checked. */
export async function mazeCsvPlan(
  files: CsvFiles,
  request: MazeCsvRequest,
  watch: BuildWatch = {},
): Promise<DatasetPlan> {
  const { source, ...options } = request;
  const first = await firstRow({ file: files.train, reader: mazeLineReader });
  const size = first.puzzle.rows;
  const reading = (file: string): RowReading<MazeFilePuzzle> => ({
    file,
    reader: mazeLineReader,
    check: ({ puzzle: { rows, columns } }) => {
      if (rows === size && columns === size) return;
      throw new SyntaxError(
        `Cannot use a maze of ${rows}×${columns}: expected ${size}×${size}, square and as large as the first`,
      );
    },
    onRead: onRead(file, watch),
  });
  const signature = ({ puzzle }: MazePuzzle) => mazeSignature(puzzle);
  const { train, test } = await splitCsv({ files, ...options, reading, signature }, () => {});
  return mazePlan(size, train, test, { name: "maze-hard", source, options, aug: options.aug });
}
