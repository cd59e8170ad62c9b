/**
 * What several tasks need.
 *
 * @module
 */
import { textWidth } from "../cli/_width.ts";
import { colours } from "../cli/terminal.ts";
import type { ReadOptions } from "./task.ts";

/** How to make two sets that share nothing. */
export interface SplitOptions<P> {
  /** The puzzles that are held out. */
  readonly test: readonly P[];
  /** Equal for puzzles that are the same but for a symmetry; null to tell none apart. */
  readonly signatureOf: ((puzzle: P) => unknown) | null;
  /** Puzzles to train on. */
  readonly count: number;
  /** Puzzles to take, those held out excepted; null to generate them. */
  readonly given: readonly P[] | null;
  /** Draws a puzzle. */
  readonly generate: () => P;
  /** Told what was made. */
  readonly report: (line: string) => void;
}

/** Puzzles to train on, none of them the same as one held out but for a symmetry. */
export function splitOf<P>(
  { test, signatureOf, count, given, generate, report }: SplitOptions<P>,
): { train: P[]; test: readonly P[] } {
  report(`Held out ${test.length} puzzles`);
  const signatures = new Set(signatureOf === null ? [] : test.map(signatureOf));
  const isNew = (puzzle: P) => signatureOf === null || !signatures.has(signatureOf(puzzle));
  if (given === null) {
    const train: P[] = [];
    while (train.length < count) {
      const puzzle = generate();
      if (isNew(puzzle)) train.push(puzzle);
    }
    report(`Generated ${train.length} puzzles to train on`);
    return { train, test };
  }
  const wanted = given.slice(0, count);
  const train = wanted.filter(isNew);
  const left = wanted.length - train.length;
  report(
    `Read ${train.length} puzzles to train on` + (left > 0 ? `, left out ${left} held out` : ""),
  );
  return { train, test };
}

/** The text of a file of puzzles. */
export function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new Deno.errors.NotFound(`Cannot find the puzzles "${path}"`, { cause });
  }
}

/** Two drawings of equal height beside each other, or one below the other where 80 columns are too few. */
export function sideBySide(left: string, right: string): string {
  const lines = right.split("\n");
  if (textWidth(left.split("\n")[0]! + lines[0]!) + 3 > 80) return `${left}\n${right}`;
  return left.split("\n").map((line, i) => `${line}   ${lines[i]}`).join("\n");
}

/**
 * The puzzle that a user asks for.
 *
 * @throws {TypeError} when there are fewer
 */
export function chosen<P>(puzzles: readonly P[], { file, number = 1 }: ReadOptions = {}): P {
  const puzzle = puzzles[number - 1];
  if (puzzle !== undefined) return puzzle;
  const where = file === undefined ? "" : ` of "${file}"`;
  throw new TypeError(`Cannot take puzzle ${number}${where}: there is ${puzzles.length || "none"}`);
}

/** What is told of a cell of an answer. */
export interface CellState {
  /** Whether it is not as in the question. */
  readonly isFilled: boolean;
  /** Whether it is not as in the solution. */
  readonly isWrong: boolean;
  /** Whether it is not as in the answer before. */
  readonly isNew: boolean;
}

/** What {@link paintCell} marks. */
export const cellLegend = "! wrong, ' changed, * changed and wrong";

/** A cell that ends in a mark where there is one: red where it is wrong, green where filled in. */
export function paintCell(text: string, { isFilled, isWrong, isNew }: CellState): string {
  const mark = isWrong ? isNew ? "*" : "!" : isNew ? "'" : "";
  const marked = text.slice(0, text.length - mark.length) + mark;
  if (isWrong) return colours.red(marked);
  return isFilled ? colours.green(marked) : marked;
}
