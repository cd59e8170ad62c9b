/**
 * Writes data sets in the official layout, one example after the other, so that
 * a million rows need no more memory than one.
 *
 * @module
 */

import { removeQuietly, temporaryOf, writeTextWhole } from "./_file.ts";
import { readIdentifierNames } from "./layout.ts";
import { formatPuzzleMetadata, type PuzzleDatasetMetadata, type PuzzleSplit } from "./metadata.ts";
import { NpyWriter } from "./npy.ts";

/** A question and its answer, `seqLen` tokens each. */
export interface DatasetExample {
  /** The tokens that a model is given. */
  readonly inputs: ArrayLike<number>;
  /** The tokens that it is to give. */
  readonly labels: ArrayLike<number>;
}

/** Examples under one puzzle identifier, at least one. */
export interface DatasetPuzzle {
  /** The identifier, an index of the names. */
  readonly identifier: number;
  /** The examples. */
  readonly examples: Iterable<DatasetExample>;
}

/** A puzzle and its augmentations, of which an epoch draws one; at least one. */
export type DatasetGroup = Iterable<DatasetPuzzle>;

/** What {@link writePuzzleDataset} cannot see from the groups. */
export interface PuzzleDatasetSpec {
  /** Tokens are integers from 0 and below this. */
  readonly vocabSize: number;
  /** The number of tokens of an example. */
  readonly seqLen: number;
  /**
   * The names of the puzzle identifiers, of which there are as many. Looked at
   * after the last group, so that they may grow while groups are made.
   */
  readonly identifiers: readonly string[];
  /** The input token of padding; 0 unless given. */
  readonly padId?: number;
  /** The label that no loss is computed of, null for none; 0 unless given. */
  readonly ignoreLabelId?: number | null;
  /** The puzzle identifier of padding; 0 unless given. */
  readonly blankIdentifierId?: number;
  /** The dtype of inputs and labels; `"uint8"` unless given. */
  readonly dtype?: "uint8" | "int32" | "int64";
}

/**
 * Writes one split of a data set, the set `"all"`: the folder `DIR/train` or
 * `DIR/test` is there whole or not at all. Also adds the names of identifiers to
 * `DIR/identifiers.json`, which both splits share.
 *
 * Groups, puzzles and examples are gone through once, in order, and not kept.
 *
 * @returns the metadata that was written
 * @throws {Deno.errors.AlreadyExists} when the split is there already
 * @throws {RangeError} naming the group and the puzzle, when one is empty, an example has another
 * length, or a token or an identifier is out of range
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type DatasetGroup, writePuzzleDataset } from "./writer.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const identifiers = ["<blank>"];
 * function* groups(): Generator<DatasetGroup> {
 *   for (let i = 0; i < 1000; i++) {
 *     const identifier = identifiers.push(`puzzle ${i}`) - 1;
 *     yield [{ identifier, examples: [{ inputs: [1, i % 10], labels: [i % 10, 1] }] }];
 *   }
 * }
 * const spec = { vocabSize: 10, seqLen: 2, identifiers };
 * const metadata = await writePuzzleDataset(folder, "train", groups(), spec);
 * assertEquals([metadata.totalGroups, metadata.numPuzzleIdentifiers], [1000, 1001]);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function writePuzzleDataset(
  folder: string,
  split: PuzzleSplit,
  groups: Iterable<DatasetGroup> | AsyncIterable<DatasetGroup>,
  spec: PuzzleDatasetSpec,
): Promise<PuzzleDatasetMetadata> {
  const path = `${folder}/${split}`;
  refuseExisting(path);
  Deno.mkdirSync(folder, { recursive: true });
  const temporary = temporaryOf(path);
  Deno.mkdirSync(temporary);
  try {
    const metadata = await writeSplit(temporary, groups, spec);
    writeIdentifiers(`${folder}/identifiers.json`, spec.identifiers);
    Deno.renameSync(temporary, path);
    return metadata;
  } catch (error) {
    removeQuietly(temporary);
    throw error;
  }
}

async function writeSplit(
  path: string,
  groups: Iterable<DatasetGroup> | AsyncIterable<DatasetGroup>,
  spec: PuzzleDatasetSpec,
): Promise<PuzzleDatasetMetadata> {
  using arrays = new ArraysWriter(path, spec);
  for await (const group of groups) arrays.append(group);
  const metadata = arrays.finish();
  writeTextWhole(`${path}/dataset.json`, formatPuzzleMetadata(metadata));
  return metadata;
}

/** The five arrays of a set, growing together. */
class ArraysWriter implements Disposable {
  readonly #spec: Required<PuzzleDatasetSpec>;
  readonly #stack = new DisposableStack();
  readonly #inputs: NpyWriter;
  readonly #labels: NpyWriter;
  readonly #identifiers: NpyWriter;
  readonly #puzzles: NpyWriter;
  readonly #groups: NpyWriter;
  #maxIdentifier = 0;

  constructor(path: string, spec: PuzzleDatasetSpec) {
    const defaults = { padId: 0, ignoreLabelId: 0, blankIdentifierId: 0, dtype: "uint8" } as const;
    this.#spec = { ...defaults, ...spec };
    const { seqLen, dtype } = this.#spec;
    checkSpec(this.#spec);
    const begin = (field: string, kind: typeof dtype, rowShape: readonly number[]): NpyWriter =>
      this.#stack.use(new NpyWriter(`${path}/all__${field}.npy`, { dtype: kind, rowShape }));
    try {
      this.#inputs = begin("inputs", dtype, [seqLen]);
      this.#labels = begin("labels", dtype, [seqLen]);
      this.#identifiers = begin("puzzle_identifiers", "int32", []);
      this.#puzzles = begin("puzzle_indices", "int32", []);
      this.#groups = begin("group_indices", "int32", []);
      this.#puzzles.append([0]);
      this.#groups.append([0]);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  append(group: DatasetGroup): void {
    const before = this.#identifiers.numRows;
    for (const puzzle of group) this.#appendPuzzle(puzzle);
    if (this.#identifiers.numRows === before) throw this.#refused("it has no puzzles");
    this.#groups.append([this.#identifiers.numRows]);
  }

  /** Completes the arrays. */
  finish(): PuzzleDatasetMetadata {
    const { vocabSize, seqLen, padId, ignoreLabelId, blankIdentifierId, identifiers } = this.#spec;
    const numPuzzles = this.#identifiers.numRows;
    const most = Math.max(this.#maxIdentifier, blankIdentifierId);
    if (most >= identifiers.length) {
      throw new RangeError(
        `Cannot write a data set with the identifier ${most} and ${identifiers.length} names`,
      );
    }
    const arrays = [this.#inputs, this.#labels, this.#identifiers, this.#puzzles, this.#groups];
    for (const array of arrays) array.finish();
    return {
      padId,
      ignoreLabelId,
      blankIdentifierId,
      vocabSize,
      seqLen,
      numPuzzleIdentifiers: identifiers.length,
      totalGroups: this.#groups.numRows - 1,
      meanPuzzleExamples: numPuzzles === 0 ? 0 : this.#inputs.numRows / numPuzzles,
      totalPuzzles: numPuzzles,
      sets: ["all"],
    };
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }

  #appendPuzzle({ identifier, examples }: DatasetPuzzle): void {
    if (!Number.isInteger(identifier) || identifier < 0) {
      throw this.#refused(`its identifier is ${identifier}`);
    }
    const before = this.#inputs.numRows;
    for (const example of examples) this.#appendExample(example);
    if (this.#inputs.numRows === before) throw this.#refused("it has no examples");
    this.#maxIdentifier = Math.max(this.#maxIdentifier, identifier);
    this.#identifiers.append([identifier]);
    this.#puzzles.append([this.#inputs.numRows]);
  }

  #appendExample({ inputs, labels }: DatasetExample): void {
    const { seqLen, vocabSize, ignoreLabelId } = this.#spec;
    if (inputs.length !== seqLen || labels.length !== seqLen) {
      throw this.#refused(
        `an example has ${inputs.length} inputs and ${labels.length} labels, expected ${seqLen}`,
      );
    }
    for (let i = 0; i < seqLen; i++) {
      const input = inputs[i]!, label = labels[i]!;
      const isLabel = isToken(label, vocabSize) || label === ignoreLabelId;
      if (isLabel && isToken(input, vocabSize)) continue;
      const stray = isLabel ? `input ${input}` : `label ${label}`;
      throw this.#refused(`it has the ${stray}, the vocabulary has ${vocabSize}`);
    }
    this.#inputs.append(inputs);
    this.#labels.append(labels);
  }

  /** The error about the puzzle that comes next. */
  #refused(why: string): RangeError {
    const group = this.#groups.numRows - 1, puzzle = this.#identifiers.numRows;
    return new RangeError(`Cannot write puzzle ${puzzle} of group ${group}: ${why}`);
  }
}

function isToken(value: number, vocabSize: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < vocabSize;
}

function checkSpec({ vocabSize, padId, ignoreLabelId, dtype }: Required<PuzzleDatasetSpec>): void {
  if (!Number.isInteger(vocabSize) || vocabSize < 1 || !isToken(padId, vocabSize)) {
    throw new RangeError(
      `Cannot write a data set with a vocabulary of ${vocabSize} and the padding ${padId}`,
    );
  }
  if (dtype !== "uint8") return;
  if (vocabSize <= 256 && (ignoreLabelId === null || ignoreLabelId >= 0 && ignoreLabelId < 256)) {
    return;
  }
  throw new RangeError(
    `Cannot write tokens below ${vocabSize} and ${ignoreLabelId} for none as uint8: choose int32`,
  );
}

function refuseExisting(path: string): void {
  try {
    Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  throw new Deno.errors.AlreadyExists(
    `Cannot write data set "${path}": it is there already, remove it first`,
  );
}

/** Both splits name identifiers: the longer list stays, if they agree. */
function writeIdentifiers(path: string, names: readonly string[]): void {
  const present = readIdentifierNames(path) ?? [];
  const shared = Math.min(present.length, names.length);
  for (let i = 0; i < shared; i++) {
    if (present[i] === names[i]) continue;
    throw new TypeError(
      `Cannot name identifiers in "${path}": ${i} is "${present[i]}" there and "${
        names[i]
      }" here, ` +
        "remove it if it is of another data set",
    );
  }
  if (names.length > present.length) writeTextWhole(path, JSON.stringify(names));
}
