/**
 * Sudoku, generated or read from files.
 *
 * @module
 */
import { Random } from "../../core/random.ts";
import {
  applySymmetry,
  augment,
  type Board,
  decodeBoard,
  drawBoard,
  drawSymmetry,
  encodeBoard,
  formatBoard,
  generateSudoku,
  geometryOf,
  identitySymmetry,
  invertSymmetry,
  isValidSolution,
  parseBoard,
  parsePuzzles,
  puzzleSignature,
  solve,
  type SudokuPuzzle,
  type SudokuSize,
  type SudokuSymmetry,
} from "../../tasks/mod.ts";
import { colours } from "../cli/terminal.ts";
import type { SudokuConfig } from "../recipe.ts";
import { EpochSampler } from "./epoch_sampler.ts";
import { isDatasetFolder, testExamples, trainingSampler } from "./_folder.ts";
import { cellLegend, chosen, paintCell, readText, sideBySide, splitOf } from "./_shared.ts";
import {
  type Judgement,
  type ReadOptions,
  type Sketch,
  type Task,
  type TaskData,
  type Tokens,
  unchanged,
} from "./task.ts";

// Random streams of one seed, apart from the model's (0) and exploration's (1).
const TRAIN_STREAM = 2, TEST_STREAM = 3;

/** The Sudokus that a config describes. */
export function sudokuTask(config: SudokuConfig): Task<SudokuPuzzle> {
  const size = config.size as SudokuSize;
  const heldOut = (seed: number) => heldOutSudokus(config, seed);
  const tokens = tokensOf(config);
  return {
    ...tokens,
    numPuzzleIdentifiers: 1,
    ratingTitle: "backtracks",
    heldOut,
    load: (seed, report): TaskData<SudokuPuzzle> => {
      const { trainFile } = config;
      if (trainFile !== null && isDatasetFolder(trainFile, "train")) {
        report(`Training on the data set "${trainFile}", as it is`);
        return { train: trainingSampler(trainFile, seed, tokens), test: heldOut(seed) };
      }
      const { train, test } = loadSudokus(config, seed, report);
      const encode = (puzzle: SudokuPuzzle, random: Random) =>
        encodeSudoku(
          config.augment ? augment(random, puzzle.puzzle, puzzle.solution) : puzzle,
          config.supervise,
        );
      return { train: new EpochSampler(train, seed, encode), test };
    },
    encode: (puzzle) => encodeSudoku(puzzle),
    decode: (tokens) => decodeBoard(tokens, size),
    judge,
    vary: (puzzle, count, random) => [
      unchanged(puzzle),
      ...Array.from({ length: count - 1 }, () => rearranged(puzzle, size, random)),
    ],
    read: (text, _seed, options) => readSudoku(text, size, options),
    draw,
    legend: cellLegend,
    format: formatBoard,
    question: ({ puzzle }) => puzzle,
    sketch,
  };
}

/** What the tokens of a config's boards are. */
function tokensOf({ size }: SudokuConfig): Pick<Task, "title" | "seqLen" | "vocabSize"> {
  return { title: `${size}×${size} Sudoku`, seqLen: size * size, vocabSize: size + 2 };
}

/** Puzzles to train on and puzzles held out. */
export interface SudokuData {
  /** To train on. */
  readonly train: readonly SudokuPuzzle[];
  /** Never trained on, nor any rearrangement of them that {@link puzzleSignature} tells. */
  readonly test: readonly SudokuPuzzle[];
}

/** The puzzles of a config: read from its files, or generated from the seed. */
export function loadSudokus(
  config: SudokuConfig,
  seed: number,
  report: (line: string) => void = () => {},
): SudokuData {
  const signatureOf = ({ puzzle, solution }: SudokuPuzzle) => puzzleSignature(puzzle, solution);
  return splitOf({
    test: heldOutSudokus(config, seed),
    // boards of 4×4 are too few to have puzzles of which none is a rearrangement of another
    signatureOf: config.size === 4 ? null : signatureOf,
    count: config.trainPuzzles,
    given: config.trainFile === null ? null : readSudokus(config.trainFile, config),
    generate: sudokuGenerator(config, new Random(seed, TRAIN_STREAM), config),
    report,
  });
}

/** The puzzles of a config that are never trained on. */
export function heldOutSudokus(config: SudokuConfig, seed: number): SudokuPuzzle[] {
  const { testFile, testPuzzles, testHardShare, testMinimalShare } = config;
  if (testFile !== null) {
    return isDatasetFolder(testFile, "test")
      ? testExamples(testFile, testPuzzles, tokensOf(config)).map(decodedPuzzle)
      : readSudokus(testFile, config).slice(0, testPuzzles);
  }
  const shares = { hardShare: testHardShare, minimalShare: testMinimalShare };
  const generate = sudokuGenerator(config, new Random(seed, TEST_STREAM), shares);
  return Array.from({ length: testPuzzles }, generate);
}

/** A puzzle of a data set, rated. */
function decodedPuzzle({ inputs, labels }: Tokens): SudokuPuzzle {
  const size = Math.sqrt(inputs.length) as SudokuSize;
  const [puzzle, solution] = [inputs, labels].map((tokens) => decodeBoard(tokens, size));
  return { puzzle: puzzle!, solution: solution!, rating: solve(puzzle!).backtracks };
}

/** Draws hard puzzles, puzzles from which no clue can be taken away, and others, by their shares. */
function sudokuGenerator(
  { size, minClues, maxClues, hardRating }: SudokuConfig,
  random: Random,
  { hardShare, minimalShare }: Pick<SudokuConfig, "hardShare" | "minimalShare">,
): () => SudokuPuzzle {
  return () => {
    const u = random.uniform();
    return generateSudoku(random, {
      size: size as SudokuSize,
      clues: [minClues, maxClues],
      minimal: u < hardShare + minimalShare,
      ...(u < hardShare ? { rating: [hardRating, Infinity] as const } : {}),
    });
  };
}

function readSudokus(path: string, { size }: SudokuConfig): SudokuPuzzle[] {
  const puzzles = parsePuzzles(readText(path), path);
  const odd = puzzles.find(({ puzzle }) => puzzle.length !== size * size);
  if (odd !== undefined) {
    throw new TypeError(
      `Cannot use "${path}": it has a puzzle of ${odd.puzzle.length} cells, the task ${
        size * size
      }`,
    );
  }
  if (puzzles.length === 0) throw new TypeError(`Cannot use "${path}": it has no puzzles`);
  return puzzles;
}

/**
 * A puzzle as tokens, under the one puzzle identifier 0. Labels are wanted of all
 * cells, or of the blank ones alone.
 */
export function encodeSudoku(
  { puzzle, solution }: Pick<SudokuPuzzle, "puzzle" | "solution">,
  supervise: SudokuConfig["supervise"] = "all",
): Tokens {
  const labels = Int32Array.from(encodeBoard(solution));
  if (supervise === "blanks") puzzle.forEach((digit, cell) => digit !== 0 && (labels[cell] = -100));
  return { inputs: encodeBoard(puzzle), labels, puzzleIdentifier: 0 };
}

function judge({ puzzle, solution }: SudokuPuzzle, answer: Uint8Array): Judgement {
  let cellsRight = 0, blanks = 0, blanksRight = 0;
  for (let cell = 0; cell < solution.length; cell++) {
    const isRight = answer[cell] === solution[cell];
    if (isRight) cellsRight++;
    if (puzzle[cell] !== 0) continue;
    blanks++;
    if (isRight) blanksRight++;
  }
  const cells = solution.length;
  const valid = isValidSolution(puzzle, answer);
  return { exact: cellsRight === cells, valid, cells, cellsRight, blanks, blanksRight };
}

function rearranged(puzzle: SudokuPuzzle, size: SudokuSize, random: Random) {
  const symmetry = identitySymmetry(size);
  drawSymmetry(random, symmetry);
  const inverse = invertSymmetry(symmetry);
  return {
    puzzle: {
      puzzle: applied(symmetry, puzzle.puzzle),
      solution: applied(symmetry, puzzle.solution),
      rating: puzzle.rating,
    },
    undo: (answer: Uint8Array) => applied(inverse, answer),
  };
}

function applied(symmetry: SudokuSymmetry, board: Board): Board {
  const out = new Uint8Array(board.length);
  applySymmetry(symmetry, board, out);
  return out;
}

function readSudoku(text: string, size: SudokuSize, options: ReadOptions = {}): SudokuPuzzle {
  const { file } = options;
  const written = file === undefined
    ? chosen([{ puzzle: parseBoard(text) }], options)
    : chosen(parsePuzzles(text, file), options);
  const { puzzle } = written;
  if (puzzle.length !== size * size) {
    throw new TypeError(
      `Cannot solve ${puzzle.length} cells: these weights know boards of ${
        size * size
      }; give one ` +
        `of ${size}×${size}, or other weights`,
    );
  }
  if ("solution" in written) return written;
  const { solutions, solution, backtracks } = solve(puzzle);
  if (solution === undefined || solutions !== 1) {
    const found = solutions === 0 ? "no" : "more than one";
    throw new TypeError(
      `Cannot judge the answer: the puzzle has ${found} solution; give one that has exactly one`,
    );
  }
  return { puzzle, solution, rating: backtracks };
}

function sketch(board: Board): Sketch {
  const { size, boxRows, boxColumns } = geometryOf(board);
  const cells = Array.from(
    board,
    (digit) => ({ text: digit === 0 ? "" : `${digit}`, fill: "white" }),
  );
  return { rows: size, columns: size, box: [boxRows, boxColumns], cells };
}

function draw(
  puzzle: SudokuPuzzle,
  answer: Uint8Array,
  changed: ReadonlySet<number> = new Set(),
): string {
  const drawn = drawBoard(answer, {
    clues: puzzle.puzzle,
    paint: (text, isFilled, cell) => {
      const isWrong = answer[cell] !== puzzle.solution[cell], isNew = changed.has(cell);
      const painted = paintCell(text, { isFilled, isWrong, isNew });
      return isFilled || isWrong ? painted : colours.bold(painted);
    },
  });
  return sideBySide(drawBoard(puzzle.puzzle), drawn);
}
