/**
 * `dataset.json`: what HRM's and TRM's data sets say about themselves.
 *
 * Source: SamsungSAILMontreal/TinyRecursiveModels@e7b6871 dataset/common.py;
 * sapientinc/HRM@42410da has the same fields without `total_puzzles`.
 *
 * @module
 */

import { readTextIfThere } from "./_file.ts";

/** The part that is learned from, or the part that is tested on. */
export type PuzzleSplit = "train" | "test";

/** The fields of `dataset.json`. */
export interface PuzzleDatasetMetadata {
  /** `pad_id`: the input token of rows that only fill up a batch. */
  readonly padId: number;
  /** `ignore_label_id`: the label that no loss is computed of, null when there is none. */
  readonly ignoreLabelId: number | null;
  /** `blank_identifier_id`: the puzzle identifier of rows that only fill up a batch. */
  readonly blankIdentifierId: number;
  /** `vocab_size`: tokens are integers from 0 and below this. */
  readonly vocabSize: number;
  /** `seq_len`: the number of tokens of an example. */
  readonly seqLen: number;
  /** `num_puzzle_identifiers`: identifiers are integers from 0 and below this. */
  readonly numPuzzleIdentifiers: number;
  /** `total_groups`: the number of groups of all sets. */
  readonly totalGroups: number;
  /** `mean_puzzle_examples`: the mean number of examples of a puzzle. */
  readonly meanPuzzleExamples: number;
  /**
   * `total_puzzles`: the number of puzzles of all sets; null in HRM's files, which
   * do not have it, and the number of groups in TRM's of Sudokus and mazes.
   */
  readonly totalPuzzles: number | null;
  /** `sets`: the names that the files of arrays begin with; `["all"]` in all known data sets. */
  readonly sets: readonly string[];
}

/**
 * The metadata in the `dataset.json` at `path`; fields of other names are skipped.
 *
 * @throws {SyntaxError} naming the file and the field, when one is missing or impossible
 */
export function readPuzzleMetadata(path: string): PuzzleDatasetMetadata {
  const text = readTextIfThere(path);
  if (text === undefined) throw new Deno.errors.NotFound(`Cannot find the data set "${path}"`);
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new SyntaxError(`Cannot read data set "${path}": ${cause.message}`, { cause });
  }
}

/** The content of a `dataset.json`, with the fields of both repositories. */
export function formatPuzzleMetadata(metadata: PuzzleDatasetMetadata): string {
  return JSON.stringify({
    pad_id: metadata.padId,
    ignore_label_id: metadata.ignoreLabelId,
    blank_identifier_id: metadata.blankIdentifierId,
    vocab_size: metadata.vocabSize,
    seq_len: metadata.seqLen,
    num_puzzle_identifiers: metadata.numPuzzleIdentifiers,
    total_groups: metadata.totalGroups,
    mean_puzzle_examples: metadata.meanPuzzleExamples,
    total_puzzles: metadata.totalPuzzles,
    sets: metadata.sets,
  });
}

type Fields = Readonly<Record<string, unknown>>;

function parse(text: string): PuzzleDatasetMetadata {
  const fields: unknown = JSON.parse(text);
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    throw new SyntaxError("it holds no object");
  }
  return checked({
    padId: integer(fields as Fields, "pad_id", 0),
    ignoreLabelId: integerOrNull(fields as Fields, "ignore_label_id", -Infinity),
    blankIdentifierId: integer(fields as Fields, "blank_identifier_id", 0),
    vocabSize: integer(fields as Fields, "vocab_size", 1),
    seqLen: integer(fields as Fields, "seq_len", 1),
    numPuzzleIdentifiers: integer(fields as Fields, "num_puzzle_identifiers", 1),
    totalGroups: integer(fields as Fields, "total_groups", 0),
    meanPuzzleExamples: mean(fields as Fields),
    totalPuzzles: integerOrNull(fields as Fields, "total_puzzles", 0),
    sets: sets(fields as Fields),
  });
}

function checked(metadata: PuzzleDatasetMetadata): PuzzleDatasetMetadata {
  const { padId, vocabSize, blankIdentifierId, numPuzzleIdentifiers } = metadata;
  if (padId >= vocabSize) {
    throw new SyntaxError(`its "pad_id" is ${padId} and its "vocab_size" ${vocabSize}`);
  }
  if (blankIdentifierId >= numPuzzleIdentifiers) {
    throw new SyntaxError(
      `its "blank_identifier_id" is ${blankIdentifierId} and its "num_puzzle_identifiers" ` +
        `${numPuzzleIdentifiers}`,
    );
  }
  return metadata;
}

function integer(fields: Fields, name: string, min: number): number {
  const value = fields[name];
  if (Number.isSafeInteger(value) && (value as number) >= min) return value as number;
  const from = min === -Infinity ? "" : ` from ${min} on`;
  throw refused(name, value, `an integer${from}`);
}

function integerOrNull(fields: Fields, name: string, min: number): number | null {
  return fields[name] === undefined || fields[name] === null ? null : integer(fields, name, min);
}

function mean(fields: Fields): number {
  const value = fields.mean_puzzle_examples;
  if (typeof value === "number" && value >= 0) return value;
  throw refused("mean_puzzle_examples", value, "a number from 0 on");
}

function sets(fields: Fields): readonly string[] {
  const names = fields.sets;
  const isList = Array.isArray(names) && names.length > 0 && names.every(isSetName);
  if (isList && new Set(names).size === names.length) return names;
  throw refused("sets", names, "a list of different names");
}

/** A set is part of a file name, and must not lead out of the folder. */
export function isSetName(name: unknown): name is string {
  return typeof name === "string" && /^[\w.-]+$/.test(name);
}

function refused(name: string, value: unknown, wanted: string): SyntaxError {
  const found = value === undefined ? "is missing" : `is ${JSON.stringify(value)}`;
  return new SyntaxError(`its "${name}" ${found}, expected ${wanted}`);
}
