/**
 * Files of mazes, given as text. Three forms are read:
 *
 * - one maze a line, its rows parted by `/`; a solution may follow, after white
 *   space. Free cells are `.`, so that nothing depends on spaces;
 * - the official Maze-Hard form, whose first line is
 *   `source,question,answer,rating`; mazes are square, rows follow one another
 *   without a break, and free cells are spaces;
 * - drawings, a row a line, parted from each other by empty lines; free cells are
 *   spaces or `.`, and spaces at the ends of rows may be missing. A line reader knows them not.
 *
 * Empty lines are skipped, and in the plain form lines that begin with `;`, since
 * a `#` begins a maze.
 *
 * @module
 */

import {
  cellName,
  formatMaze,
  type Maze,
  mazeCell,
  mazeCharacters,
  type MazePuzzle,
  parseMaze,
} from "./maze.ts";
import { markedPathLength } from "./judge.ts";
import { shortestPathLength, solveMaze } from "./solver.ts";

/** A maze read from a file. */
export interface MazeFilePuzzle extends MazePuzzle {
  /** Where the maze comes from, as the file says; only the official form does. */
  readonly source?: string;
  /** How hard the file says the maze is; only the official form does. */
  readonly rating?: number;
}

/** Reads the lines of one file, one after the other; see {@link mazeLineReader}. */
export type MazeLineReader = (line: string) => MazeFilePuzzle | undefined;

/** How {@link formatMazes} writes. */
export interface FormatMazesOptions {
  /** Whether to write the official form; the plain one by default. */
  readonly official?: boolean;
}

const header = "source,question,answer,rating";

/**
 * The mazes of a file.
 *
 * A solution must mark one path from start to goal, through free cells of the
 * question. It need not be a shortest, and `pathLength` is the length of a
 * shortest in any case. A solution that the file does not give is computed, by
 * the rule of `solveMaze()`.
 *
 * @param text the content of the file
 * @param name what the errors call it
 * @throws {SyntaxError} naming the first line that cannot be read, and why
 *
 * @example
 * ```ts
 * import { parseMazes } from "@ponder/ponder/tasks";
 *
 * const [first] = parseMazes("; a small one\nS../.#./..G\n", "small.txt");
 * console.log(first?.pathLength); // 4
 * ```
 */
export function parseMazes(text: string, name: string): MazeFilePuzzle[] {
  const read = mazeLineReader(name);
  return withoutDrawings(text.replace(/^\uFEFF/, "").split("\n")).map(read).filter((maze) =>
    maze !== undefined
  );
}

/** The lines with each drawing on its first line, rows parted by `/`, and nothing on its others. */
function withoutDrawings(lines: readonly string[]): string[] {
  const out = lines.map((line) => line.replace(/\r$/, ""));
  const isRow = (line: string | undefined) => line !== undefined && /^[# SG.]+$/.test(line);
  for (let first = 0, next: number; first < out.length; first = next) {
    next = first + 1;
    if (!isRow(out[first])) continue;
    while (isRow(out[next])) next++;
    const text = out.slice(first, next).join("\n").trimEnd();
    // a maze on one line has a start and a goal of its own
    if (!text.includes("\n") || !/^[^S]*S[^S]*$/.test(text)) continue;
    const rows = text.split("\n");
    const columns = Math.max(...rows.map((row) => row.length));
    out.fill("", first, next);
    out[first] = rows.map((row) => row.padEnd(columns).replaceAll(" ", ".")).join("/");
  }
  return out;
}

/**
 * A reader to be called with every line of a file in turn, for a file too large
 * for one string. It returns the maze of the line, if it has one.
 *
 * @param name what the errors call the file
 */
export function mazeLineReader(name: string): MazeLineReader {
  let number = 0;
  let official = false;
  let begun = false;
  return (line) => {
    number++;
    const content = line.replace(/^\uFEFF/, "").replace(/\r$/, "");
    if (content.trim() === "" || !official && content.startsWith(";")) return undefined;
    const isFirst = !begun;
    begun = true;
    if (isFirst && content.trim() === header) {
      official = true;
      return undefined;
    }
    try {
      return official ? readOfficial(content) : readPlain(content.trim());
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new SyntaxError(`${name}:${number}: ${error.message}`, { cause: error });
    }
  };
}

/**
 * The text of a file that holds `mazes`, which {@link parseMazes} reads.
 *
 * @throws {RangeError} when the official form is asked for and a maze is not
 * square, or holds a cell that is of no kind
 *
 * @example
 * ```ts
 * import { formatMazes, parseMazes } from "@ponder/ponder/tasks";
 *
 * console.log(formatMazes(parseMazes("S../.#./..G\n", "small.txt"))); // S../.#./..G Soo/.#o/..G
 * ```
 */
export function formatMazes(
  mazes: readonly MazeFilePuzzle[],
  options: FormatMazesOptions = {},
): string {
  const { official = false } = options;
  const lines = mazes.map((maze, i) => {
    const cells = [...maze.puzzle.cells, ...maze.solution.cells];
    const bad = cells.find((cell) => cell < 1 || cell >= mazeCharacters.length);
    if (bad !== undefined) {
      throw new RangeError(`Cannot write maze ${i}: it holds ${bad}, expected 1 to 5`);
    }
    return official ? writeOfficial(maze, i) : writePlain(maze);
  });
  return [...official ? [header] : [], ...lines, ""].join("\n");
}

function readOfficial(line: string): MazeFilePuzzle {
  const fields = line.split(",");
  const rating = fields.pop(), answer = fields.pop(), question = fields.pop();
  if (
    question === undefined || answer === undefined || rating === undefined || fields.length === 0
  ) {
    throw new SyntaxError(`Cannot read "${line}": expected ${header}`);
  }
  const source = unquoted(fields.join(",")); // a quoted source may hold commas
  const maze = readFields(unquoted(question), unquoted(answer));
  const number = rating.trim() === "" ? undefined : Number(rating);
  if (number === undefined) return { ...maze, source };
  if (!Number.isFinite(number)) {
    throw new SyntaxError(`Cannot read "${rating}" as a rating: expected a number`);
  }
  return { ...maze, source, rating: number };
}

function readPlain(line: string): MazeFilePuzzle {
  const [question, answer = "", ...more] = line.split(/\s+/);
  if (more.length > 0) {
    throw new SyntaxError(
      `Cannot read "${more[0]}": expected a maze and a solution, with "." for free cells`,
    );
  }
  return readFields(question!, answer);
}

function readFields(question: string, answer: string): MazePuzzle {
  const puzzle = parseMaze(question);
  const mark = puzzle.cells.indexOf(mazeCell.path);
  if (mark >= 0) {
    const where = cellName(mark, puzzle.columns);
    throw new SyntaxError(`Cannot use the maze: it has a path mark in ${where} already`);
  }
  const given = answer === "" ? undefined : parseMaze(answer);
  if (given !== undefined) checkCells(puzzle, given);
  const pathLength = shortestPathLength(puzzle);
  if (pathLength === undefined) {
    throw new SyntaxError("Cannot solve the maze: no path leads from start to goal");
  }
  if (given === undefined) return { puzzle, solution: solveMaze(puzzle).solution!, pathLength };
  if (markedPathLength(puzzle, given) === undefined) {
    throw new SyntaxError("Cannot use the solution: its marks are not one path from start to goal");
  }
  return { puzzle, solution: given, pathLength };
}

/** Makes sure that the answer is the question with marks. */
function checkCells(puzzle: Maze, answer: Maze): void {
  if (answer.rows !== puzzle.rows || answer.columns !== puzzle.columns) {
    throw new SyntaxError(
      `Cannot use the solution: it is ${answer.rows}x${answer.columns} and the maze ` +
        `${puzzle.rows}x${puzzle.columns}`,
    );
  }
  const cell = answer.cells.findIndex((kind, cell) =>
    kind !== puzzle.cells[cell] &&
    !(kind === mazeCell.path && puzzle.cells[cell] === mazeCell.free)
  );
  if (cell < 0) return;
  const is = mazeCharacters[answer.cells[cell]!], was = mazeCharacters[puzzle.cells[cell]!];
  throw new SyntaxError(
    `Cannot use the solution: it has "${is}" in ${cellName(cell, puzzle.columns)}, ` +
      `where the maze has "${was}"`,
  );
}

function writeOfficial(
  { puzzle, solution, source = "ponder", rating }: MazeFilePuzzle,
  i: number,
): string {
  if (puzzle.rows !== puzzle.columns) {
    throw new RangeError(
      `Cannot write maze ${i} of ${puzzle.rows}x${puzzle.columns} in the official form: ` +
        `expected as many rows as columns`,
    );
  }
  const name = /[",\n]/.test(source) ? `"${source.replaceAll('"', '""')}"` : source;
  return [name, formatMaze(puzzle), formatMaze(solution), rating ?? ""].join(",");
}

function writePlain({ puzzle, solution }: MazeFilePuzzle): string {
  return [puzzle, solution].map((maze) => formatMaze(maze, "/").replaceAll(" ", ".")).join(" ");
}

/** A field of a CSV line without its quotes. */
function unquoted(field: string): string {
  return /^".*"$/.test(field) ? field.slice(1, -1).replaceAll('""', '"') : field;
}
