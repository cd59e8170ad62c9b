/**
 * Data sets on disk as HRM's and TRM's builders lay them out and their
 * `PuzzleDataset` reads them, so that folders travel both ways.
 *
 *     DIR/identifiers.json               the names of the puzzle identifiers
 *     DIR/{train,test}/dataset.json      see metadata.ts
 *       {set}__inputs.npy                [numExamples, seqLen] tokens, uint8 or int64
 *       {set}__labels.npy                [numExamples, seqLen] tokens
 *       {set}__puzzle_identifiers.npy    [numPuzzles] int32
 *       {set}__puzzle_indices.npy        [numPuzzles + 1] int32, offsets into the examples
 *       {set}__group_indices.npy         [numGroups + 1] int32, offsets into the puzzles
 *
 * A group is a puzzle with its augmentations, a puzzle a few examples under one
 * identifier, an example a row of input tokens and a row of labels.
 *
 * Source: SamsungSAILMontreal/TinyRecursiveModels@e7b6871 puzzle_dataset.py and
 * dataset/build_{sudoku,maze,arc}_dataset.py.
 *
 * @module
 */

import { readTextIfThere } from "./_file.ts";
import { type PuzzleDatasetMetadata, type PuzzleSplit, readPuzzleMetadata } from "./metadata.ts";
import { type NpyFile, openNpy } from "./npy.ts";

/**
 * Opens a data set. Offsets and identifiers are read and checked at once, a few
 * bytes a puzzle; inputs and labels when they are asked for.
 *
 * @throws {Deno.errors.NotFound} when a file is missing
 * @throws {SyntaxError} naming the file and, where there is one, the row that is wrong
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openPuzzleDataset } from "./layout.ts";
 * import { writePuzzleDataset } from "./writer.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const examples = [{ inputs: [1, 2, 0], labels: [2, 1, 0] }];
 * await writePuzzleDataset(folder, "train", [[{ identifier: 0, examples }]], {
 *   vocabSize: 3,
 *   seqLen: 3,
 *   identifiers: ["<blank>"],
 * });
 *
 * using dataset = openPuzzleDataset(folder, "train");
 * const { inputs, labels } = dataset.sets[0]!.readExample(0);
 * assertEquals([[...inputs], [...labels]], [[1, 2, 0], [2, 1, 0]]);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export function openPuzzleDataset(folder: string, split: PuzzleSplit): PuzzleDataset {
  return new PuzzleDataset(folder, split);
}

/** A data set on disk. */
export class PuzzleDataset implements Disposable {
  /** The folder of both splits. */
  readonly folder: string;
  /** Which of them this is. */
  readonly split: PuzzleSplit;
  /** What the data set says about itself. */
  readonly metadata: PuzzleDatasetMetadata;
  /** Its sets, in the order of the metadata. */
  readonly sets: readonly PuzzleSet[];

  /** Opens the data set of `folder`; see {@link openPuzzleDataset}. */
  constructor(folder: string, split: PuzzleSplit) {
    this.folder = folder;
    this.split = split;
    const path = `${folder}/${split}`;
    this.metadata = readPuzzleMetadata(`${path}/dataset.json`);
    const sets: PuzzleSet[] = [];
    this.sets = sets;
    try {
      for (const name of this.metadata.sets) sets.push(new PuzzleSet(path, name, this.metadata));
      this.#checkGroups();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * The names of the puzzle identifiers, from the folder's `identifiers.json`;
   * undefined when there is no such file.
   *
   * @throws {SyntaxError} when it holds no list of at least as many names as there are identifiers
   */
  readIdentifiers(): readonly string[] | undefined {
    const path = `${this.folder}/identifiers.json`;
    const names = readIdentifierNames(path);
    const { numPuzzleIdentifiers } = this.metadata;
    if (names === undefined || names.length >= numPuzzleIdentifiers) return names;
    throw new SyntaxError(
      `Cannot use "${path}": it has ${names.length} names for ${numPuzzleIdentifiers} identifiers`,
    );
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    for (const set of this.sets) set[Symbol.dispose]();
  }

  #checkGroups(): void {
    const { totalGroups } = this.metadata;
    const found = this.sets.reduce((sum, set) => sum + set.numGroups, 0);
    if (found === totalGroups) return;
    throw new SyntaxError(
      `Cannot read data set "${this.folder}/${this.split}/dataset.json": its "total_groups" is ` +
        `${totalGroups}, the arrays have ${found}`,
    );
  }
}

/** Where {@link PuzzleSet.readExample} writes. */
export interface ExampleRows {
  /** The input tokens, `[…, seqLen]`. */
  readonly inputs: Int32Array;
  /** The label tokens, `[…, seqLen]`. */
  readonly labels: Int32Array;
}

/** One set of a data set: groups of puzzles of examples. */
export class PuzzleSet implements Disposable {
  /** Its name, `"all"` in all known data sets. */
  readonly name: string;
  /** The number of groups. */
  readonly numGroups: number;
  /** The number of puzzles. */
  readonly numPuzzles: number;
  /** The number of examples. */
  readonly numExamples: number;
  /** The first puzzle of each group, then the number of puzzles. */
  readonly groupIndices: Int32Array;
  /** The first example of each puzzle, then the number of examples. */
  readonly puzzleIndices: Int32Array;
  /** The identifier of each puzzle. */
  readonly puzzleIdentifiers: Int32Array;
  readonly #metadata: PuzzleDatasetMetadata;
  readonly #inputs: NpyFile;
  readonly #labels: NpyFile;

  /** Opens a set of the split in the folder `path`. */
  constructor(path: string, name: string, metadata: PuzzleDatasetMetadata) {
    const file = (field: string): string => `${path}/${name}__${field}.npy`;
    this.name = name;
    this.#metadata = metadata;
    this.puzzleIdentifiers = readVector(file("puzzle_identifiers"));
    this.puzzleIndices = readVector(file("puzzle_indices"));
    this.groupIndices = readVector(file("group_indices"));
    this.numPuzzles = this.puzzleIdentifiers.length;
    this.numGroups = this.groupIndices.length - 1;
    checkIdentifiers(this.puzzleIdentifiers, metadata, file("puzzle_identifiers"));
    checkOffsets(this.groupIndices, this.numPuzzles, "puzzles", file("group_indices"));
    this.#inputs = openTokens(file("inputs"), metadata);
    try {
      this.#labels = openTokens(file("labels"), metadata);
    } catch (error) {
      this.#inputs.close();
      throw error;
    }
    this.numExamples = this.#inputs.numRows;
    try {
      const path = file("puzzle_indices");
      checkOffsets(this.puzzleIndices, this.numExamples, "examples", path);
      checkCount(this.puzzleIndices, this.numPuzzles + 1, path);
      this.#checkLengths();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** The puzzle that an example belongs to. */
  puzzleOf(example: number): number {
    this.#check(example);
    // the last puzzle that begins at or before the example: puzzles may be empty
    let low = 0, high = this.numPuzzles;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.puzzleIndices[middle]! <= example) low = middle;
      else high = middle;
    }
    return low;
  }

  /**
   * Reads an example, into row `row` of `into` where that is given.
   *
   * @throws {RangeError} when there is no such example
   * @throws {SyntaxError} naming file and row, when a token is outside the vocabulary
   */
  readExample(example: number, into: ExampleRows = this.#newRow(), row: number = 0): ExampleRows {
    this.#check(example);
    const { seqLen, vocabSize, ignoreLabelId } = this.#metadata;
    this.#inputs.row(example, into.inputs, row * seqLen);
    this.#labels.row(example, into.labels, row * seqLen);
    for (let i = row * seqLen; i < (row + 1) * seqLen; i++) {
      const input = into.inputs[i]!, label = into.labels[i]!;
      if (!(input >= 0 && input < vocabSize)) throw this.#stray(this.#inputs, example, input);
      const isToken = label >= 0 && label < vocabSize || label === ignoreLabelId;
      if (!isToken) throw this.#stray(this.#labels, example, label);
    }
    return into;
  }

  /** Closes the files. */
  [Symbol.dispose](): void {
    this.#inputs.close();
    this.#labels.close();
  }

  #check(example: number): void {
    if (Number.isInteger(example) && example >= 0 && example < this.numExamples) return;
    throw new RangeError(
      `Cannot read example ${example} of "${this.#inputs.path}": it has ${this.numExamples}`,
    );
  }

  #checkLengths(): void {
    const { path, numRows } = this.#labels;
    if (numRows === this.numExamples) return;
    throw new SyntaxError(
      `Cannot read "${path}": it has ${numRows} rows, "${this.#inputs.path}" ${this.numExamples}`,
    );
  }

  #newRow(): ExampleRows {
    const { seqLen } = this.#metadata;
    return { inputs: new Int32Array(seqLen), labels: new Int32Array(seqLen) };
  }

  #stray(file: NpyFile, example: number, token: number): SyntaxError {
    const { vocabSize } = this.#metadata;
    return new SyntaxError(
      `Cannot use "${file.path}": row ${example} holds the token ${token}, the vocabulary ` +
        `has ${vocabSize}`,
    );
  }
}

/** The names in an `identifiers.json`; undefined when there is no such file. */
export function readIdentifierNames(path: string): readonly string[] | undefined {
  const text = readTextIfThere(path);
  if (text === undefined) return undefined;
  const names: unknown = parseJson(text, path);
  if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  throw new SyntaxError(`Cannot read "${path}": it holds no list of names`);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(`Cannot read "${path}": ${(cause as Error).message}`, { cause });
  }
}

function readVector(path: string): Int32Array {
  using array = openNpy(path);
  checkIntegers(array);
  if (array.shape.length !== 1) throw misshapen(array, "one axis");
  return array.readIntegers();
}

function openTokens(path: string, { seqLen }: PuzzleDatasetMetadata): NpyFile {
  const array = openNpy(path);
  try {
    checkIntegers(array);
    if (array.shape.length === 2 && array.rowLength === seqLen) return array;
    throw misshapen(array, `[examples, ${seqLen}]`);
  } catch (error) {
    array.close();
    throw error;
  }
}

function misshapen({ path, shape }: NpyFile, wanted: string): SyntaxError {
  return new SyntaxError(
    `Cannot use "${path}": its shape is [${shape.join(", ")}], expected ${wanted}`,
  );
}

function checkIntegers({ path, dtype }: NpyFile): void {
  if (/^u?int/.test(dtype)) return;
  throw new SyntaxError(`Cannot use "${path}": it holds ${dtype}, expected integers`);
}

function checkIdentifiers(
  identifiers: Int32Array,
  { numPuzzleIdentifiers }: PuzzleDatasetMetadata,
  path: string,
): void {
  const row = identifiers.findIndex((id) => id < 0 || id >= numPuzzleIdentifiers);
  if (row < 0) return;
  throw new SyntaxError(
    `Cannot use "${path}": row ${row} holds the identifier ${identifiers[row]}, ` +
      `"num_puzzle_identifiers" is ${numPuzzleIdentifiers}`,
  );
}

function checkCount({ length }: Int32Array, wanted: number, path: string): void {
  if (length === wanted) return;
  throw new SyntaxError(
    `Cannot use "${path}": it has ${length} rows, expected ${wanted}, one more than puzzles`,
  );
}

/** Groups are not empty: a puzzle is drawn from each. Puzzles may be. */
function checkOffsets(offsets: Int32Array, count: number, of: string, path: string): void {
  const refuse = (row: number, wanted: string): never => {
    throw new SyntaxError(
      `Cannot use "${path}": row ${row} holds the offset ${offsets[row]}, expected ${wanted}`,
    );
  };
  if (offsets.length === 0) throw new SyntaxError(`Cannot use "${path}": it has no rows`);
  if (offsets[0] !== 0) refuse(0, "0");
  const step = of === "puzzles" ? 1 : 0;
  for (let row = 1; row < offsets.length; row++) {
    const least = offsets[row - 1]! + step;
    if (offsets[row]! < least) refuse(row, `at least ${least}`);
  }
  const last = offsets.length - 1;
  if (offsets[last] !== count) refuse(last, `${count}, the number of ${of}`);
}
