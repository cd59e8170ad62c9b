/**
 * Sudoku puzzles as a model reads them: where tasks and models meet.
 *
 * @module
 */
import type { Device } from "../core/device.ts";
import { Random } from "../core/random.ts";
import { type Batch, batchOf } from "../models/model.ts";
import {
  augment,
  encodeBoard,
  generateSudoku,
  parsePuzzles,
  puzzleSignature,
  shuffle,
  type SudokuPuzzle,
  type SudokuSize,
} from "../tasks/mod.ts";
import type { SudokuTask } from "./recipe.ts";

/** Puzzles to train on and puzzles held out. */
export interface SudokuData {
  /** To train on. */
  readonly train: readonly SudokuPuzzle[];
  /** Never trained on, nor any rearrangement of them that {@link puzzleSignature} tells. */
  readonly test: readonly SudokuPuzzle[];
}

// Random streams of one seed, apart from the model's (0) and exploration's (1).
const TRAIN_STREAM = 2, TEST_STREAM = 3, ORDER_STREAM = 4;
/** Streams from here on belong to the batches, one each. */
const BATCH_STREAM = 1 << 16;

/** The puzzles that a task describes: read from its files, or generated from the seed. */
export function sudokuData(
  task: SudokuTask,
  seed: number,
  report: (line: string) => void = () => {},
): SudokuData {
  const test = heldOutPuzzles(task, seed);
  report(`Held out ${test.length} puzzles`);
  const signatures = new Set(test.map(signatureOf));
  // boards of 4×4 are too few to have puzzles of which none is a rearrangement of another
  const isNew = (puzzle: SudokuPuzzle) => task.size === 4 || !signatures.has(signatureOf(puzzle));
  if (task.trainFile === null) {
    const train = generateTrain(task, new Random(seed, TRAIN_STREAM), isNew);
    report(`Generated ${train.length} puzzles to train on`);
    return { train, test };
  }
  const given = readPuzzles(task.trainFile, task).slice(0, task.trainPuzzles);
  const train = given.filter(isNew);
  const left = given.length - train.length;
  report(
    `Read ${train.length} puzzles to train on` + (left > 0 ? `, left out ${left} held out` : ""),
  );
  return { train, test };
}

function signatureOf({ puzzle, solution }: SudokuPuzzle): number {
  return puzzleSignature(puzzle, solution);
}

/** The puzzles of a task that are never trained on. */
export function heldOutPuzzles(task: SudokuTask, seed: number): SudokuPuzzle[] {
  if (task.testFile === null) return generateTest(task, new Random(seed, TEST_STREAM));
  return readPuzzles(task.testFile, task).slice(0, task.testPuzzles);
}

function readPuzzles(path: string, { size }: SudokuTask): SudokuPuzzle[] {
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

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new Deno.errors.NotFound(`Cannot find the puzzles "${path}"`, { cause });
  }
}

function generateTest(task: SudokuTask, random: Random): SudokuPuzzle[] {
  const { testPuzzles, testHardShare, testMinimalShare } = task;
  return Array.from(
    { length: testPuzzles },
    () => generate(task, random, drawKind(random, testHardShare, testMinimalShare)),
  );
}

/** Puzzles of the kinds that the task wants, each of them new. */
function generateTrain(
  task: SudokuTask,
  random: Random,
  isNew: (puzzle: SudokuPuzzle) => boolean,
): SudokuPuzzle[] {
  const { trainPuzzles, hardShare, minimalShare } = task;
  const puzzles: SudokuPuzzle[] = [];
  while (puzzles.length < trainPuzzles) {
    const puzzle = generate(task, random, drawKind(random, hardShare, minimalShare));
    if (isNew(puzzle)) puzzles.push(puzzle);
  }
  return puzzles;
}

type Kind = "hard" | "minimal" | "any";

function drawKind(random: Random, hardShare: number, minimalShare: number): Kind {
  const u = random.uniform();
  return u < hardShare ? "hard" : u < hardShare + minimalShare ? "minimal" : "any";
}

/** A hard puzzle, one from which no clue can be taken away, or one with a random number of clues. */
function generate(
  task: SudokuTask,
  random: Random,
  kind: Kind,
): SudokuPuzzle {
  const { size, minClues, maxClues, hardRating } = task;
  return generateSudoku(random, {
    size: size as SudokuSize,
    clues: [minClues, maxClues],
    minimal: kind !== "any",
    ...(kind === "hard" ? { rating: [hardRating, Infinity] as const } : {}),
  });
}

/** How puzzles become batches: fields of the task. */
export type SamplerOptions = Pick<SudokuTask, "augment" | "supervise">;

/**
 * Batches in a fixed order: each epoch permutes the puzzles, drops the last
 * partial batch, and rearranges every puzzle at random. Batch `step` depends on
 * the seed and on `step` alone, so there is no state to save.
 */
export class SudokuSampler {
  readonly #puzzles: readonly SudokuPuzzle[];
  readonly #seed: number;
  readonly #how: SamplerOptions;
  #epoch = -1;
  #order: Uint32Array = new Uint32Array();

  /** Draws from `puzzles`. */
  constructor(puzzles: readonly SudokuPuzzle[], seed: number, how: SamplerOptions) {
    this.#puzzles = puzzles;
    this.#seed = seed;
    this.#how = how;
  }

  /** The batch of `step`, `size` rows. */
  batch(step: number, size: number, device: Device): Batch {
    const perEpoch = Math.floor(this.#puzzles.length / size);
    if (perEpoch === 0) {
      throw new RangeError(`Cannot fill a batch of ${size} from ${this.#puzzles.length} puzzles`);
    }
    this.#permute(Math.floor(step / perEpoch));
    const start = (step % perEpoch) * size;
    const chosen = Array.from(this.#order.subarray(start, start + size), (i) => this.#puzzles[i]!);
    const { augment: isAugmented, supervise } = this.#how;
    if (!isAugmented) return puzzleBatch(chosen, device, supervise);
    const random = new Random(this.#seed, BATCH_STREAM + step);
    return puzzleBatch(
      chosen.map(({ puzzle, solution }) => augment(random, puzzle, solution)),
      device,
      supervise,
    );
  }

  #permute(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    const random = new Random(this.#seed + 2 ** 32 * (epoch + 1), ORDER_STREAM);
    this.#order = shuffle(random, Uint32Array.from(this.#puzzles, (_, i) => i));
  }
}

/**
 * Puzzles as tensors of tokens, all under the one puzzle identifier 0. Labels are
 * wanted of all cells, or of the blank ones alone.
 */
export function puzzleBatch(
  puzzles: readonly Pick<SudokuPuzzle, "puzzle" | "solution">[],
  device: Device,
  supervise: SudokuTask["supervise"] = "all",
): Batch {
  const length = puzzles[0]!.puzzle.length;
  const inputs = new Int32Array(puzzles.length * length);
  const labels = new Int32Array(puzzles.length * length);
  puzzles.forEach(({ puzzle, solution }, i) => {
    inputs.set(encodeBoard(puzzle), i * length);
    labels.set(encodeBoard(solution), i * length);
    if (supervise === "all") return;
    puzzle.forEach((digit, cell) => digit !== 0 && (labels[i * length + cell] = -100));
  });
  return batchOf(
    { inputs, labels, puzzleIdentifiers: new Int32Array(puzzles.length) },
    length,
    device,
  );
}
