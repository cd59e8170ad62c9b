/**
 * Mazes, generated or read from files.
 *
 * @module
 */
import { Random } from "../../core/random.ts";
import {
  augmentMaze,
  decodeMaze,
  drawMaze,
  encodeMaze,
  formatMaze,
  generateMaze,
  inverseDihedral,
  judgeMaze,
  markedPathLength,
  type Maze,
  type MazePuzzle,
  mazeSeqLen,
  mazeSignature,
  mazeVocabSize,
  numDihedral,
  parseMaze,
  parseMazes,
  solveMaze,
  transformMaze,
} from "../../tasks/mod.ts";
import type { MazeConfig } from "../recipe.ts";
import { isDatasetFolder, testExamples, trainingSampler } from "./_folder.ts";
import { cellLegend, chosen, paintCell, readText, sideBySide, splitOf } from "./_shared.ts";
import { EpochSampler } from "./epoch_sampler.ts";
import type { Judgement, Puzzle, ReadOptions, Sketch, Task, Tokens, Variant } from "./task.ts";

// Random streams of one seed, apart from the model's (0) and exploration's (1).
const TRAIN_STREAM = 2, TEST_STREAM = 3;

/** A maze with its solution; the rating is the length of its shortest path. */
export type RatedMaze = MazePuzzle & Puzzle;

/** The mazes that a config describes. */
export function mazeTask(config: MazeConfig): Task<RatedMaze> {
  const { size } = config;
  const tokens = {
    title: `${size}×${size} mazes`,
    seqLen: mazeSeqLen(size),
    vocabSize: mazeVocabSize,
  };
  const heldOut = (seed: number): RatedMaze[] => {
    const { testFile, testPuzzles } = config;
    if (testFile === null) return generated(config, new Random(seed, TEST_STREAM), testPuzzles);
    return isDatasetFolder(testFile, "test")
      ? testExamples(testFile, testPuzzles, tokens).map((example) => decodedMaze(example, size))
      : readMazes(testFile, config).slice(0, testPuzzles);
  };
  const gridOf = (cells: Uint8Array): Maze => ({ cells, rows: size, columns: size });
  return {
    ...tokens,
    numPuzzleIdentifiers: 1,
    ratingTitle: "path",
    heldOut,
    load: (seed, report) => {
      const { trainFile } = config;
      if (trainFile !== null && isDatasetFolder(trainFile, "train")) {
        report(`Training on the data set "${trainFile}", as it is`);
        return { train: trainingSampler(trainFile, seed, tokens), test: heldOut(seed) };
      }
      const random = new Random(seed, TRAIN_STREAM);
      const { train, test } = splitOf({
        test: heldOut(seed),
        signatureOf: ({ puzzle }) => mazeSignature(puzzle),
        count: config.trainPuzzles,
        given: config.trainFile === null ? null : readMazes(config.trainFile, config),
        generate: () => generated(config, random, 1)[0]!,
        report,
      });
      const encode = (maze: MazePuzzle, random: Random) =>
        encoded(config.augment ? augmentMaze(random, maze) : maze);
      return { train: new EpochSampler(train, seed, encode), test };
    },
    encode: encoded,
    decode: (tokens) => decodeMaze(tokens, size).cells,
    judge: (maze, answer): Judgement => {
      const verdict = judgeMaze(maze, gridOf(answer));
      return {
        exact: verdict.exact,
        valid: verdict.optimal,
        cells: answer.length,
        cellsRight: verdict.numRight,
        blanks: verdict.numBlanks,
        blanksRight: verdict.numBlanksRight,
      };
    },
    vary: (maze, count) =>
      Array.from({ length: Math.min(count, numDihedral) }, (_, id) => turned(maze, id, gridOf)),
    read: (text, _seed, options) => readMaze(text, size, options),
    draw: (maze, answer, changed) => draw(maze, gridOf(answer), changed),
    legend: cellLegend,
    format: (cells) => formatMaze(gridOf(cells), "/"),
    question: ({ puzzle }) => puzzle.cells,
    sketch: (cells) => sketch(gridOf(cells)),
  };
}

function rated(maze: MazePuzzle): RatedMaze {
  return { ...maze, rating: maze.pathLength };
}

function generated(
  { size, minPath, unique }: MazeConfig,
  random: Random,
  count: number,
): RatedMaze[] {
  return Array.from(
    { length: count },
    () => rated(generateMaze(random, { rows: size, minPath, unique })),
  );
}

function readMazes(path: string, { size }: MazeConfig): RatedMaze[] {
  const mazes = parseMazes(readText(path), path);
  const odd = mazes.find(({ puzzle }) => puzzle.rows !== size || puzzle.columns !== size);
  if (odd !== undefined) {
    const { rows, columns } = odd.puzzle;
    throw new TypeError(
      `Cannot use "${path}": it has a maze of ${rows}×${columns}, the task ${size}×${size}`,
    );
  }
  if (mazes.length === 0) throw new TypeError(`Cannot use "${path}": it has no mazes`);
  return mazes.map(rated);
}

/** A maze of a data set; the rating is the path that it marks. */
function decodedMaze({ inputs, labels }: Tokens, size: number): RatedMaze {
  const [puzzle, solution] = [inputs, labels].map((tokens) => decodeMaze(tokens, size));
  const pathLength = markedPathLength(puzzle!, solution!) ?? 0;
  return rated({ puzzle: puzzle!, solution: solution!, pathLength });
}

function encoded({ puzzle, solution }: MazePuzzle): Tokens {
  return { inputs: encodeMaze(puzzle), labels: encodeMaze(solution), puzzleIdentifier: 0 };
}

/** The maze turned or reflected; its rotation 0 is the maze itself. */
function turned(
  maze: RatedMaze,
  id: number,
  gridOf: (cells: Uint8Array) => Maze,
): Variant<RatedMaze> {
  return {
    puzzle: {
      ...maze,
      puzzle: transformMaze(maze.puzzle, id),
      solution: transformMaze(maze.solution, id),
    },
    undo: (answer) => transformMaze(gridOf(answer), inverseDihedral(id)).cells,
  };
}

function readMaze(text: string, size: number, options: ReadOptions = {}): RatedMaze {
  const { file } = options;
  const written = file === undefined
    ? chosen([{ puzzle: parseMaze(text) }], options)
    : chosen(parseMazes(text, file), options);
  const { puzzle } = written;
  if (puzzle.rows !== size || puzzle.columns !== size) {
    throw new TypeError(
      `Cannot solve a maze of ${puzzle.rows}×${puzzle.columns}: these weights know ` +
        `${size}×${size}; give one of that size, or other weights`,
    );
  }
  if ("solution" in written) return rated(written);
  const { solution, pathLength } = solveMaze(puzzle);
  if (solution === undefined) {
    throw new TypeError(
      "Cannot judge the answer: no path leads from start to goal; give a maze that has one",
    );
  }
  return rated({ puzzle, solution, pathLength: pathLength! });
}

/** Colours and characters of padding, wall, free, start, goal and path. */
const fills = ["#bbb", "#333", "white", "#a6d8ff", "#b6e3b6", "#ffe08a"];
const texts = ["?", "", "", "S", "G", "•"];

function sketch({ cells, rows, columns }: Maze): Sketch {
  const drawn = Array.from(
    cells,
    (kind) => ({ text: texts[kind] ?? "?", fill: fills[kind] ?? "#bbb" }),
  );
  return { rows, columns, cells: drawn };
}

/** Question and answer. */
function draw(
  { puzzle, solution }: MazePuzzle,
  answer: Maze,
  changed: ReadonlySet<number> = new Set(),
): string {
  const paint = (text: string, isFilled: boolean, cell: number) => {
    const isWrong = answer.cells[cell] !== solution.cells[cell];
    return paintCell(text, { isFilled, isWrong, isNew: changed.has(cell) });
  };
  return sideBySide(drawMaze(puzzle), drawMaze(answer, { puzzle, paint }));
}
