/**
 * Training and test sets of generated puzzles, packed as tokens.
 *
 * @module
 */

import type { RandomSource } from "../random_source.ts";
import type { SudokuSymmetry } from "./augment.ts";
import { formatBoard, geometryOf, type SudokuPuzzle } from "./board.ts";
import { encodeBoard, sudokuBlank } from "./encoding.ts";
import { puzzleSignature } from "./equivalence.ts";
import { defaultAttempts, type GenerateOptions, generateSudoku } from "./generator.ts";
import { sudokuGeometry, type SudokuSize } from "./geometry.ts";

/** Puzzles of one size, one after the other. */
export interface SudokuDataset {
  /** The board size n. */
  readonly size: SudokuSize;
  /** The tokens of the puzzles, `[numPuzzles · n²]`. */
  readonly inputs: Uint8Array;
  /** The tokens of the solutions, `[numPuzzles · n²]`. */
  readonly labels: Uint8Array;
  /** The rating of each puzzle, `[numPuzzles]`. */
  readonly ratings: Uint32Array;
  /** The number of clues of each puzzle, `[numPuzzles]`. */
  readonly clues: Uint8Array;
}

/** What {@link buildSudokuDataset} is to make. */
export interface SudokuDatasetOptions extends GenerateOptions {
  /** The number of training puzzles. */
  readonly train: number;
  /** The number of test puzzles. */
  readonly test: number;
}

/** The two sets that {@link buildSudokuDataset} makes. */
export interface SudokuSplit {
  /** The puzzles to learn from. */
  readonly train: SudokuDataset;
  /** The puzzles to be tested on. */
  readonly test: SudokuDataset;
}

/** Where {@link writeExample} writes. */
export interface ExamplePlace {
  /** The input tokens of the batch. */
  readonly inputs: Uint8Array | Int32Array;
  /** The label tokens of the batch. */
  readonly labels: Uint8Array | Int32Array;
  /** The index of the example's first token in both. */
  readonly at: number;
}

/**
 * Generated training and test sets that share nothing.
 *
 * All puzzles differ, within each set too. No training puzzle is equivalent to a
 * test puzzle, so augmenting the training set cannot bring one in (told by
 * {@link puzzleSignature}, which leaves out a few more), and none has the
 * solution of one. The 288 boards of 4x4 are too few for that: there a training
 * puzzle may be equivalent to a test puzzle or share its solution, but is
 * never the same.
 *
 * The test set is made first, so that asking for more training puzzles changes
 * neither it nor the training puzzles that there were.
 *
 * @throws {RangeError} when there are no such puzzles, or `attempts` in a row
 * bring no new one
 *
 * @example
 * ```ts
 * import { Random } from "@ponder/ponder/core";
 * import { buildSudokuDataset } from "@ponder/ponder/tasks";
 *
 * const { train, test } = buildSudokuDataset(new Random(1), {
 *   size: 6,
 *   clues: [10, 20],
 *   train: 100,
 *   test: 10,
 * });
 * console.log(train.inputs.length, test.inputs.length); // 3600 360
 * ```
 */
export function buildSudokuDataset(
  random: RandomSource,
  options: SudokuDatasetOptions,
): SudokuSplit {
  const { size } = options;
  const puzzles = new Set<string>(), solutions = new Set<string>(), signatures = new Set<number>();
  const isApart = ({ puzzle, solution }: SudokuPuzzle): boolean =>
    size === 4 || !solutions.has(formatBoard(solution)) &&
      !signatures.has(puzzleSignature(puzzle, solution));

  const test = draw(random, options, options.test, puzzles, () => true);
  for (const { puzzle, solution } of test) {
    solutions.add(formatBoard(solution));
    signatures.add(puzzleSignature(puzzle, solution));
  }
  const train = draw(random, options, options.train, puzzles, isApart);
  return { train: packSudoku(size, train), test: packSudoku(size, test) };
}

/**
 * Puzzles of one size, packed.
 *
 * @throws {RangeError} when one has another size
 */
export function packSudoku(size: SudokuSize, puzzles: readonly SudokuPuzzle[]): SudokuDataset {
  const { cells } = sudokuGeometry(size);
  const inputs = new Uint8Array(puzzles.length * cells);
  const labels = new Uint8Array(puzzles.length * cells);
  const clues = new Uint8Array(puzzles.length);
  puzzles.forEach(({ puzzle, solution }, i) => {
    if (puzzle.length !== cells) {
      const { size: found } = geometryOf(puzzle);
      throw new RangeError(
        `Cannot pack puzzle ${i} of size ${found}x${found} with others of ${size}x${size}`,
      );
    }
    encodeBoard(puzzle, inputs.subarray(i * cells, (i + 1) * cells));
    encodeBoard(solution, labels.subarray(i * cells, (i + 1) * cells));
    clues[i] = puzzle.reduce((sum, digit) => sum + (digit === 0 ? 0 : 1), 0);
  });
  return { size, inputs, labels, ratings: Uint32Array.from(puzzles, (p) => p.rating), clues };
}

/**
 * Writes the tokens of one example into a batch, from index `at` on; rearranged
 * by `symmetry` where one is given, which is the augmentation without a copy.
 *
 * @throws {RangeError} when there is no such example, the batch has no room, or
 * the symmetry is of another size
 *
 * @example
 * ```ts
 * import { Random } from "@ponder/ponder/core";
 * import {
 *   buildSudokuDataset,
 *   drawSymmetry,
 *   identitySymmetry,
 *   writeExample,
 * } from "@ponder/ponder/tasks";
 *
 * const random = new Random(1);
 * const { train } = buildSudokuDataset(random, { size: 4, clues: [6, 9], train: 8, test: 0 });
 * const inputs = new Int32Array(2 * 16), labels = new Int32Array(2 * 16);
 * const symmetry = identitySymmetry(4);
 * for (let row = 0; row < 2; row++) {
 *   drawSymmetry(random, symmetry);
 *   writeExample(train, row, { inputs, labels, at: row * 16 }, symmetry);
 * }
 * ```
 */
export function writeExample(
  dataset: SudokuDataset,
  example: number,
  { inputs, labels, at }: ExamplePlace,
  symmetry?: SudokuSymmetry,
): void {
  const { cells } = sudokuGeometry(dataset.size);
  const numExamples = dataset.ratings.length;
  if (!(example >= 0 && example < numExamples)) {
    throw new RangeError(`Cannot write example ${example} of ${numExamples}`);
  }
  if (inputs.length < at + cells || labels.length < at + cells) {
    const room = `inputs ${inputs.length}, labels ${labels.length}`;
    throw new RangeError(`Cannot write ${cells} tokens from index ${at} on: room for ${room}`);
  }
  if (symmetry !== undefined && symmetry.size !== dataset.size) {
    const { size } = dataset, other = symmetry.size;
    throw new RangeError(
      `Cannot rearrange ${size}x${size} boards by a symmetry of ${other}x${other}`,
    );
  }
  const from = example * cells;
  for (let cell = 0; cell < cells; cell++) {
    const source = from + (symmetry === undefined ? cell : symmetry.cells[cell]!);
    inputs[at + cell] = renamed(dataset.inputs[source]!, symmetry);
    labels[at + cell] = renamed(dataset.labels[source]!, symmetry);
  }
}

/** The token of the digit that takes the place of a token's digit; blanks stay. */
function renamed(token: number, symmetry: SudokuSymmetry | undefined): number {
  if (symmetry === undefined) return token;
  return symmetry.digits[token - sudokuBlank]! + sudokuBlank;
}

/** `wanted` puzzles that are not in `puzzles`, which they are added to. */
function draw(
  random: RandomSource,
  options: SudokuDatasetOptions,
  wanted: number,
  puzzles: Set<string>,
  isApart: (puzzle: SudokuPuzzle) => boolean,
): SudokuPuzzle[] {
  if (!Number.isInteger(wanted) || wanted < 0) {
    throw new RangeError(`Cannot build a set of ${wanted} puzzles: expected an integer from 0`);
  }
  const { size, attempts = defaultAttempts } = options;
  const found: SudokuPuzzle[] = [];
  let misses = 0;
  while (found.length < wanted) {
    const made = generateSudoku(random, options);
    const key = formatBoard(made.puzzle);
    if (!puzzles.has(key) && isApart(made)) {
      puzzles.add(key);
      found.push(made);
      misses = 0;
    } else if (++misses === attempts) {
      throw new RangeError(
        `Cannot build a set of ${wanted} such ${size}x${size} puzzles: after ${found.length} ` +
          `no new one came in ${attempts} attempts, allow more numbers of clues or ask for fewer`,
      );
    }
  }
  return found;
}
