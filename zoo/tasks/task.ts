/**
 * What a kind of puzzle offers, so that any model can be trained and tested on it.
 *
 * @module
 */
import type { Device } from "../../core/device.ts";
import type { Random } from "../../core/random.ts";
import { type Batch, batchOf } from "../../models/model.ts";

/** A puzzle with its answer. */
export interface Puzzle {
  /** How hard it is; what that counts is the task's to say. */
  readonly rating: number;
}

/** A puzzle as a model sees it. */
export interface Tokens {
  /** The question, `[L]`. */
  readonly inputs: ArrayLike<number>;
  /** The answer, `[L]`; −100 where none is wanted. */
  readonly labels: ArrayLike<number>;
  /** Which puzzle it is to the puzzle embedding. */
  readonly puzzleIdentifier: number;
}

/** How right an answer is. */
export interface Judgement {
  /** Whether all of it is. */
  readonly exact: boolean;
  /** Whether it obeys the rules, though it may be another answer than the stored one. */
  readonly valid: boolean;
  /** Cells of the answer. */
  readonly cells: number;
  /** Of them, how many are right. */
  readonly cellsRight: number;
  /** Cells that the question leaves open. */
  readonly blanks: number;
  /** Of them, how many are right. */
  readonly blanksRight: number;
}

/** A puzzle asked otherwise: the same but for a symmetry. */
export interface Variant<P extends Puzzle> {
  /** What is asked. */
  readonly puzzle: P;
  /** The answer to the puzzle itself, from that to the variant. */
  undo(answer: Uint8Array): Uint8Array;
}

/** Batches to train on; batch `step` depends on the seed and on `step` alone. */
export interface Sampler {
  /** The batch of `step`, `size` rows. */
  batch(step: number, size: number, device: Device): Batch;
}

/** What a model is trained and tested on. */
export interface TaskData<P extends Puzzle = Puzzle> {
  /** To train on. */
  readonly train: Sampler;
  /** Never trained on. */
  readonly test: readonly P[];
}

/** Where a user's puzzle stands. */
export interface ReadOptions {
  /** The file that the text is the content of; else the text is the puzzle itself, or its name. */
  readonly file?: string | undefined;
  /** Which puzzle of a file, or which test pair of an ARC task; default 1. */
  readonly number?: number | undefined;
}

/** What a model has to learn before it can be asked a puzzle. */
export interface Lesson<P extends Puzzle = Puzzle> {
  /** Batches of the demonstrations, under the puzzle identifier of the puzzle. */
  readonly batches: Sampler;
  /** The demonstrations as puzzles, each with its answer. */
  readonly demonstrations: readonly P[];
}

/** A puzzle or an answer as a grid, to be drawn as a picture. */
export interface Sketch {
  /** How many rows. */
  readonly rows: number;
  /** How many columns. */
  readonly columns: number;
  /** Rows and columns of the boxes that are ruled heavily; all of it if left out. */
  readonly box?: readonly [rows: number, columns: number];
  /** The cells row by row: a character or none, on a colour of CSS. */
  readonly cells: readonly { readonly text: string; readonly fill: string }[];
}

/** A kind of puzzle at one size. */
export interface Task<P extends Puzzle = Puzzle> {
  /** In a few words, `6×6 Sudoku`. */
  readonly title: string;
  /** Tokens of a puzzle, `L`. */
  readonly seqLen: number;
  /** Kinds of tokens, `V`. */
  readonly vocabSize: number;
  /** Puzzle identifiers, 0 included. */
  readonly numPuzzleIdentifiers: number;
  /** What the rating counts, `backtracks`. */
  readonly ratingTitle: string;
  /** Puts on disk what {@link Task.load} reads, for those tasks that need it. */
  prepare?(seed: number, report: (line: string) => void): Promise<void>;
  /** Makes or reads the puzzles. */
  load(seed: number, report: (line: string) => void): TaskData<P>;
  /** The puzzles that are never trained on. */
  heldOut(seed: number): readonly P[];
  /** A puzzle as a model sees it. */
  encode(puzzle: P): Tokens;
  /** The answer in a model's tokens, as the task writes answers. */
  decode(tokens: Int32Array, puzzle: P): Uint8Array;
  /** How right an answer is. */
  judge(puzzle: P, answer: Uint8Array): Judgement;
  /** The puzzle itself and, of `count` in all, others that are the same but for a symmetry. */
  vary(puzzle: P, count: number, random: Random): readonly Variant<P>[];
  /** A puzzle that a user wrote, solved. */
  read(text: string, seed: number, options?: ReadOptions): P;
  /** What has to be learnt before a puzzle can be asked; null where nothing has to. */
  lesson?(puzzle: P, seed: number): Lesson<P> | null;
  /** A puzzle and an answer side by side, wrong cells marked; of a later answer, what has changed, too. */
  draw(puzzle: P, answer: Uint8Array, changed?: ReadonlySet<number>): string;
  /** What the marks in a drawing mean. */
  readonly legend?: string;
  /** The cells of an answer that are not as in the one before; those bytes, if left out. */
  changed?(answer: Uint8Array, before: Uint8Array): readonly number[];
  /** A puzzle or an answer on one line. */
  format(cells: Uint8Array): string;
  /** The question of a puzzle, written as answers are. */
  question(puzzle: P): Uint8Array;
  /** A puzzle or an answer as a picture; a task without it is shown as text. */
  sketch?(cells: Uint8Array): Sketch;
  /** The name of what a puzzle is a part of, where several belong together. */
  group?(puzzle: P): string;
  /** The answers to puzzles, the best first, as a competition wants them. */
  submission?(puzzles: readonly P[], ranked: readonly (readonly Uint8Array[])[]): unknown;
}

/** Rows of tokens as a batch. */
export function tokenBatch(rows: readonly Tokens[], device: Device): Batch {
  const length = rows[0]!.inputs.length;
  const inputs = new Int32Array(rows.length * length);
  const labels = new Int32Array(rows.length * length);
  rows.forEach((row, i) => {
    inputs.set(row.inputs, i * length);
    labels.set(row.labels, i * length);
  });
  const puzzleIdentifiers = Int32Array.from(rows, (row) => row.puzzleIdentifier);
  return batchOf({ inputs, labels, puzzleIdentifiers }, length, device);
}

/** The cells of an answer that are not as in the one before; none where there is none before. */
export function changedCells(
  task: Task,
  answer: Uint8Array,
  before: Uint8Array | undefined,
): ReadonlySet<number> {
  if (before === undefined) return new Set();
  const bytes = () => [...answer.keys()].filter((cell) => answer[cell] !== before[cell]);
  return new Set(task.changed?.(answer, before) ?? bytes());
}

/** A variant that changes nothing. */
export function unchanged<P extends Puzzle>(puzzle: P): Variant<P> {
  return { puzzle, undo: (answer) => answer };
}
