/**
 * Files of puzzles, given as text. Two forms are read:
 *
 * - one puzzle a line, blanks `.` or `0`; its solution and a rating may follow,
 *   each after white space or a comma;
 * - the official Sudoku-Extreme form, whose first line is
 *   `source,question,answer,rating`.
 *
 * Empty lines and lines that begin with `#` are skipped.
 *
 * @module
 */

import {
  type Board,
  cellName,
  conflicts,
  isSolved,
  parseBoard,
  type SudokuPuzzle,
} from "./board.ts";
import { solve } from "./solver.ts";

/** A puzzle read from a file. */
export interface SudokuFilePuzzle extends SudokuPuzzle {
  /** Where the puzzle comes from, as the file says; only the official form does. */
  readonly source?: string;
}

/** Reads the lines of one file, one after the other; see {@link puzzleLineReader}. */
export type PuzzleLineReader = (line: string) => SudokuFilePuzzle | undefined;

const header = "source,question,answer,rating";

/**
 * The puzzles of a file.
 *
 * A solution that the file does not give is computed, and so is a rating; in
 * either case the puzzle must have one solution. A puzzle that comes with both is
 * only checked to fit its solution, which keeps millions of them quick to read.
 *
 * @param text the content of the file
 * @param name what the errors call it
 * @throws {SyntaxError} naming the first line that cannot be read, and why
 *
 * @example
 * ```ts
 * import { parsePuzzles } from "@ponder/ponder/tasks";
 *
 * const [first] = parsePuzzles("# an easy one\n.2...412...4....\n", "easy.txt");
 * console.log(first?.rating); // 0
 * ```
 */
export function parsePuzzles(text: string, name: string): SudokuFilePuzzle[] {
  const read = puzzleLineReader(name);
  return text.split("\n").map(read).filter((puzzle) => puzzle !== undefined);
}

/**
 * A reader to be called with every line of a file in turn, for a file too large
 * for one string. It returns the puzzle of the line, if it has one.
 *
 * @param name what the errors call the file
 */
export function puzzleLineReader(name: string): PuzzleLineReader {
  let number = 0;
  let official = false;
  let begun = false;
  return (line) => {
    number++;
    const content = line.replace(/^\uFEFF/, "").trim();
    if (content === "" || content.startsWith("#")) return undefined;
    const isFirst = !begun;
    begun = true;
    if (isFirst && content === header) {
      official = true;
      return undefined;
    }
    try {
      return official ? readOfficial(content) : readPlain(content);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new SyntaxError(`${name}:${number}: ${error.message}`, { cause: error });
    }
  };
}

function readOfficial(line: string): SudokuFilePuzzle {
  const fields = line.split(",");
  const rating = fields.pop(), answer = fields.pop(), question = fields.pop();
  if (question === undefined || fields.length === 0) {
    throw new SyntaxError(`Cannot read "${line}": expected ${header}`);
  }
  const source = fields.join(",").replace(/^"(.*)"$/, "$1"); // a quoted source may hold commas
  return { ...readFields(question, answer, rating), source };
}

function readPlain(line: string): SudokuFilePuzzle {
  const [question, answer, rating, ...more] = line.split(/\s*,\s*|\s+/);
  if (more.length > 0) {
    throw new SyntaxError(`Cannot read "${more[0]}": expected a puzzle, a solution and a rating`);
  }
  return readFields(question!, answer, rating);
}

function readFields(question: string, answer = "", rating = ""): SudokuPuzzle {
  const puzzle = parseBoard(question);
  const given = answer === "" ? undefined : parseBoard(answer);
  checkClues(puzzle);
  if (given !== undefined) checkAnswer(puzzle, given);
  if (rating !== "" && !/^\d+$/.test(rating)) {
    throw new SyntaxError(`Cannot read "${rating}" as a rating: expected a whole number`);
  }
  if (given !== undefined && rating !== "") return { puzzle, solution: given, rating: +rating };

  const { solutions, solution, backtracks } = solve(puzzle);
  if (solution === undefined) throw new SyntaxError("Cannot solve the puzzle: it has no solution");
  if (solutions > 1) {
    throw new SyntaxError("Cannot use the puzzle: it has more than one solution");
  }
  return { puzzle, solution, rating: rating === "" ? backtracks : +rating };
}

function checkClues(puzzle: Board): void {
  const [conflict] = conflicts(puzzle);
  if (conflict === undefined) return;
  const { digit, unit } = conflict;
  throw new SyntaxError(`Cannot use the puzzle: its clues contradict, ${digit} twice in ${unit}`);
}

function checkAnswer(puzzle: Board, answer: Board): void {
  const refuse = (why: string): never => {
    throw new SyntaxError(`Cannot use the solution: ${why}`);
  };
  if (answer.length !== puzzle.length) {
    refuse(`it has ${answer.length} cells and the puzzle ${puzzle.length}`);
  }
  const size = Math.sqrt(puzzle.length);
  const cell = puzzle.findIndex((digit, cell) => digit !== 0 && digit !== answer[cell]);
  if (cell >= 0) {
    refuse(`it has ${answer[cell]} in ${cellName(cell, size)}, where the clue is ${puzzle[cell]}`);
  }
  if (isSolved(answer)) return;
  const blank = answer.indexOf(0);
  if (blank >= 0) refuse(`it leaves ${cellName(blank, size)} blank`);
  const { digit, unit } = conflicts(answer)[0]!;
  refuse(`it has ${digit} twice in ${unit}`);
}
