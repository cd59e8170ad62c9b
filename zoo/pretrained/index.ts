/**
 * The index of pretrained weights: what there is, how it was trained, what it
 * reaches, and the size and SHA-256 that every file must have.
 *
 * @module
 */
import { join } from "@std/path";
import json from "../weights/index.json" with { type: "json" };
import { unknownName } from "../cli/errors.ts";
import { readFrom } from "../weights.ts";

/** The files of every entry. */
export const WEIGHT_FILES = ["config.json", "model.safetensors"] as const;

/** What a file must be. */
export interface WeightFile {
  /** Its size. */
  readonly bytes: number;
  /** Its SHA-256, in hex. */
  readonly sha256: string;
}

/** Shares of the first held-out puzzles, or of all of them. */
export interface PartMetrics {
  /** How many puzzles. */
  readonly puzzles: number;
  /** Puzzles with every cell right. */
  readonly exact: number;
  /** Cells right among those that were blank. */
  readonly blanks: number;
}

/** What weights reach on their recipe's held-out puzzles. */
export interface PretrainedMetrics extends PartMetrics {
  /** Cells right, those given included. */
  readonly cells: number;
  /** Puzzles whose answer obeys the rules. */
  readonly valid: number;
  /** What a unit of thought is called. */
  readonly unit: string;
  /** Exact shares after each unit of thought. */
  readonly exactByUnit: readonly number[];
  /** The same on the first few of the puzzles, for a quick check. */
  readonly part: PartMetrics;
}

/** Pretrained weights, as the index lists them. */
export interface PretrainedEntry {
  /** The recipe. */
  readonly recipe: string;
  /** Its preset. */
  readonly preset: string;
  /** Where the files lie below `zoo/weights`, below a base URL and in a hub's repository. */
  readonly folder: string;
  /** The files. */
  readonly files: Readonly<Record<"config.json" | "model.safetensors", WeightFile>>;
  /** The element type on disk. */
  readonly dtype: "float32" | "bfloat16";
  /** Trained numbers. */
  readonly parameters: number;
  /** Where the random streams started. */
  readonly seed: number;
  /** Optimiser steps of the run. */
  readonly steps: number;
  /** How long the run took. */
  readonly minutes: number;
  /** What it ran on. */
  readonly hardware: string;
  /** What it was trained and tested on. */
  readonly data: string;
  /** The weights after the last step, or the best of the evaluations on the way. */
  readonly selection: "last" | "best";
  /** What they reach. */
  readonly metrics: PretrainedMetrics;
  /** The licence, by its SPDX identifier. */
  readonly licence: string;
}

/** The index. */
export interface PretrainedIndex {
  /** The version of this form. */
  readonly format: 1;
  /** Where the files can be fetched unless told otherwise: a base URL, `hf:owner/repo`, or null. */
  readonly source: string | null;
  /** The weights by name. */
  readonly entries: Readonly<Record<string, PretrainedEntry>>;
}

/** The name of the index in its folder. */
export const INDEX = "index.json";

let own: PretrainedIndex | undefined;

/**
 * The index of this version of Ponder.
 *
 * @example
 * ```ts
 * import { pretrainedIndex } from "./index.ts";
 *
 * for (const [name, { metrics }] of Object.entries(pretrainedIndex().entries)) {
 *   console.log(name, metrics.exact);
 * }
 * ```
 */
export function pretrainedIndex(): PretrainedIndex {
  return own ??= readFrom(`zoo/weights/${INDEX}`, () => parseIndex(json));
}

/**
 * The index in a folder; an empty one where there is none.
 *
 * @throws {SyntaxError} when it is damaged
 */
export function readIndex(folder: string): PretrainedIndex {
  const path = join(folder, INDEX);
  return readFrom(path, () => {
    try {
      return parseIndex(JSON.parse(Deno.readTextFileSync(path)));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return { format: 1, source: null, entries: {} };
      throw error;
    }
  });
}

/** The entry of a name; an error that lists the names if there is none. */
export function entryOf(
  name: string,
  { entries }: PretrainedIndex = pretrainedIndex(),
): PretrainedEntry {
  if (Object.hasOwn(entries, name)) return entries[name]!;
  throw unknownName("weights", name, Object.keys(entries));
}

/** Bytes of all files of an entry. */
export function sizeBytesOf({ files }: PretrainedEntry): number {
  return Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
}

// Checking

/** Throws unless the value, which stands at `at`, is as it should be. */
type Check = (value: unknown, at: string) => void;

/** What a name must be: part of a path and of a URL, nothing more. */
export const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;

const text = where("a text", (value) => typeof value === "string" && value.trim() !== "");
const name = where("small letters, digits and dashes", (value) => NAME.test(String(value)));
const sha256 = where("64 hex digits", (value) => /^[0-9a-f]{64}$/.test(String(value)));
const count = where(
  "an integer above 0",
  (value) => Number.isSafeInteger(value) && value as number > 0,
);
const seed = where(
  "an integer from 0",
  (value) => Number.isSafeInteger(value) && value as number >= 0,
);
const share = where("a share from 0 to 1", (value) => isNumber(value) && value >= 0 && value <= 1);
const positive = where("a number above 0", (value) => isNumber(value) && value > 0);

const part = { puzzles: count, exact: share, blanks: share };
const file = record({ bytes: count, sha256 });

const index = record({
  format: where("1, the form that this version reads", (value) => value === 1),
  source: where("an address or null", (value) => value === null || typeof value === "string"),
  entries: mapping(record({
    ...{ recipe: text, preset: text, folder: name },
    files: record({ "config.json": file, "model.safetensors": file }),
    dtype: oneOf("float32", "bfloat16"),
    ...{ parameters: count, seed, steps: count, minutes: positive, hardware: text, data: text },
    selection: oneOf("last", "best"),
    metrics: record({
      ...part,
      ...{ cells: share, valid: share, unit: text },
      exactByUnit: list(share),
      part: record(part),
    }),
    licence: text,
  })),
});

/**
 * A value as an index, once it is found to be one.
 *
 * @throws {SyntaxError} when it is none; the message says which field is wrong
 */
export function parseIndex(value: unknown): PretrainedIndex {
  index(value, "");
  return value as PretrainedIndex;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function where(wanted: string, isRight: (value: unknown) => boolean): Check {
  return (value, at) => {
    if (isRight(value)) return;
    throw new SyntaxError(`${at || "it"} is ${JSON.stringify(value)}, not ${wanted}`);
  };
}

function oneOf(...words: readonly string[]): Check {
  return where(`one of ${words.join(", ")}`, (value) => words.includes(value as string));
}

/** An object with exactly these fields. */
function record(checks: Readonly<Record<string, Check>>): Check {
  return (value, at) => {
    const fields = objectAt(value, at);
    for (const field of Object.keys(fields)) {
      if (Object.hasOwn(checks, field)) continue;
      const known = Object.keys(checks).join(", ");
      throw new SyntaxError(`${at || "it"} has an unknown field "${field}"; there are: ${known}`);
    }
    for (const [field, check] of Object.entries(checks)) {
      if (!Object.hasOwn(fields, field)) {
        throw new SyntaxError(`${at || "it"} has no field "${field}"`);
      }
      check(fields[field], within(at, field));
    }
  };
}

/** An object whose fields are names. */
function mapping(check: Check): Check {
  return (value, at) => {
    for (const [field, inner] of Object.entries(objectAt(value, at))) {
      name(field, `a name in ${at}`);
      check(inner, within(at, field));
    }
  };
}

function list(check: Check): Check {
  return (value, at) => {
    if (!Array.isArray(value) || value.length === 0) {
      throw new SyntaxError(`${at} is ${JSON.stringify(value)}, not a list`);
    }
    value.forEach((inner, i) => check(inner, `${at}[${i}]`));
  };
}

function objectAt(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new SyntaxError(`${at || "it"} is ${JSON.stringify(value)}, not an object`);
}

function within(at: string, field: string): string {
  return at === "" ? field : field.includes(".") ? `${at}["${field}"]` : `${at}.${field}`;
}
