/**
 * Mazes as text and as numbers. A maze is a rectangle of free cells and walls
 * with a start and a goal, in which one moves up, down, left and right. Its edge
 * is the edge of the rectangle: there need not be walls around it.
 *
 * @module
 */

import type { CellGrid } from "../dihedral.ts";

/** The characters of cells by their number; 0, a cell that a model left unsaid, is `?`. */
export const mazeCharacters = "?# SGo";

/** What a cell can be; the numbers are the tokens of HRM's and TRM's maze data. */
export const mazeCell = { wall: 1, free: 2, start: 3, goal: 4, path: 5 } as const;

/** The most rows, and the most columns, of a maze. */
export const maxMazeSide = 64;

/**
 * A maze, or an answer to one: cells row by row, each a number of {@link mazeCell}.
 * In an answer of a model a cell can also be 0, which is neither.
 */
export type Maze = CellGrid;

/** A maze with one of its shortest paths. */
export interface MazePuzzle {
  /** The question: walls, free cells, start and goal. */
  readonly puzzle: Maze;
  /** The same maze with a shortest path marked between start and goal. */
  readonly solution: Maze;
  /** The number of steps from start to goal, one more than there are marks. */
  readonly pathLength: number;
}

/** Where a maze starts and where it ends, as cell indices. */
export interface MazeEnds {
  /** The cell of the start. */
  readonly start: number;
  /** The cell of the goal. */
  readonly goal: number;
}

/**
 * The maze written in `text`, a character a cell: `#` a wall, a space or `.` a
 * free cell, `S` the start, `G` the goal, `o` a cell of the path. Rows are lines,
 * or parted by `/`; a text without either is a square of n² characters.
 *
 * @throws {SyntaxError} naming the first bad character, when rows differ in
 * length, or when there is not one start and one goal
 *
 * @example
 * ```ts
 * import { parseMaze } from "@ponder/ponder/tasks";
 *
 * const { rows, columns, cells } = parseMaze("S#G/o#o/ooo");
 * console.log(rows, columns, cells.join("")); // 3 3 314515555
 * ```
 */
export function parseMaze(text: string): Maze {
  const lines = linesOf(text);
  const rows = lines.length, columns = lines[0]!.length;
  const cells = new Uint8Array(rows * columns);
  lines.forEach((line, row) => {
    if (line.length !== columns) {
      throw new SyntaxError(
        `Cannot read row ${row + 1} of ${line.length} characters: expected ${columns} as in row 1`,
      );
    }
    for (let column = 0; column < columns; column++) {
      const character = line[column]!;
      const cell = character === "." ? mazeCell.free : mazeCharacters.indexOf(character);
      if (cell < 1) {
        const where = cellName(row * columns + column, columns);
        throw new SyntaxError(
          `Cannot read "${character}" at ${where} as a cell: expected one of "# SGo."`,
        );
      }
      cells[row * columns + column] = cell;
    }
  });
  const maze = { cells, rows, columns };
  const why = sideTrouble(rows, columns) ?? endsTrouble(maze);
  if (why !== undefined) throw new SyntaxError(`Cannot read the maze: ${why}`);
  return maze;
}

/**
 * A maze as text, rows parted by `separator`; by default by nothing, as in the
 * official files. {@link parseMaze} reads it when the maze is square or the
 * separator a line feed or `/`.
 *
 * @example
 * ```ts
 * import { formatMaze, parseMaze } from "@ponder/ponder/tasks";
 *
 * console.log(formatMaze(parseMaze("S#G.#....")).length, formatMaze(parseMaze("S#/.G"), "/"));
 * // 9 S#/ G
 * ```
 */
export function formatMaze({ cells, rows, columns }: Maze, separator = ""): string {
  const lines: string[] = [];
  for (let row = 0; row < rows; row++) {
    let line = "";
    for (const cell of cells.subarray(row * columns, (row + 1) * columns)) {
      line += mazeCharacters[cell] ?? "?";
    }
    lines.push(line);
  }
  return lines.join(separator);
}

/**
 * The start and the goal of a maze.
 *
 * @throws {RangeError} when it has not one of each, its cells are not as many as
 * rows times columns, or one is no number of {@link mazeCell}
 */
export function mazeEnds(maze: Maze): MazeEnds {
  const { cells, rows, columns } = maze;
  const refuse = (why: string): never => {
    throw new RangeError(`Cannot use the maze: ${why}`);
  };
  const trouble = sideTrouble(rows, columns);
  if (trouble !== undefined) refuse(trouble);
  if (cells.length !== rows * columns) {
    refuse(`it has ${cells.length} cells, expected ${rows}x${columns} = ${rows * columns}`);
  }
  const bad = cells.findIndex((cell) => cell < 1 || cell >= mazeCharacters.length);
  if (bad >= 0) refuse(`it has ${cells[bad]} in ${cellName(bad, columns)}, expected 1 to 5`);
  const why = endsTrouble(maze);
  if (why !== undefined) refuse(why);
  return { start: cells.indexOf(mazeCell.start), goal: cells.indexOf(mazeCell.goal) };
}

/** Where a cell lies, in words: `"row 1, column 4"`. */
export function cellName(cell: number, columns: number): string {
  return `row ${Math.floor(cell / columns) + 1}, column ${cell % columns + 1}`;
}

/** What is wrong with the sides of a maze, if anything. */
export function sideTrouble(rows: number, columns: number): string | undefined {
  const isSide = (side: number): boolean =>
    Number.isInteger(side) && side >= 2 && side <= maxMazeSide;
  if (isSide(rows) && isSide(columns)) return undefined;
  return `it has ${rows} rows and ${columns} columns, expected 2 to ${maxMazeSide} of each`;
}

function linesOf(text: string): string[] {
  const lines = text.replace(/\r?\n$/, "").split(/\/|\r?\n/);
  if (lines.length > 1) return lines;
  const [line] = lines as [string];
  const side = Math.sqrt(line.length);
  if (line === "" || !Number.isInteger(side)) {
    throw new SyntaxError(
      `Cannot read a maze of ${line.length} characters: expected a square number of them, ` +
        `or rows parted by "/"`,
    );
  }
  return Array.from({ length: side }, (_, row) => line.slice(row * side, (row + 1) * side));
}

/** What is wrong with the start and the goal, if anything. */
function endsTrouble({ cells, columns }: Maze): string | undefined {
  for (
    const [kind, name] of [[mazeCell.start, "start (S)"], [mazeCell.goal, "goal (G)"]] as const
  ) {
    const first = cells.indexOf(kind);
    if (first < 0) return `it has no ${name}`;
    const second = cells.indexOf(kind, first + 1);
    if (second < 0) continue;
    return `it has more than one ${name}, in ${cellName(first, columns)} and ` +
      `${cellName(second, columns)}`;
  }
  return undefined;
}
