/**
 * What an answer is worth. There may be several shortest paths: whether an answer
 * equals the stored one, and whether it is right, are two questions.
 *
 * @module
 */

import { type Maze, mazeCell, mazeEnds, type MazePuzzle } from "./maze.ts";
import { shortestPathLength } from "./solver.ts";

/** What {@link judgeMaze} found. */
export interface MazeVerdict {
  /** Whether every cell is as in the stored solution. */
  readonly exact: boolean;
  /** Whether walls, start and goal are kept and the marks form a path between the two. */
  readonly valid: boolean;
  /** Whether the answer is valid and no path is shorter. */
  readonly optimal: boolean;
  /** How many cells are as in the stored solution. */
  readonly numRight: number;
  /** How many cells there are. */
  readonly numCells: number;
  /** How many of the cells that are free in the question are as in the stored solution. */
  readonly numBlanksRight: number;
  /** How many cells are free in the question. */
  readonly numBlanks: number;
}

/**
 * How an answer compares with the stored solution, and whether it is right by
 * itself: see {@link markedPathLength} for what counts as a path.
 *
 * @throws {RangeError} when puzzle, solution and answer differ in size
 *
 * @example
 * ```ts
 * import { judgeMaze, parseMaze } from "@ponder/ponder/tasks";
 *
 * const puzzle = parseMaze("S../.#./..G"), solution = parseMaze("Soo/.#o/..G");
 * const { exact, optimal, numRight } = judgeMaze(
 *   { puzzle, solution, pathLength: 4 },
 *   parseMaze("S../o#./ooG"),
 * );
 * console.log(exact, optimal, numRight); // false true 3
 * ```
 */
export function judgeMaze(
  { puzzle, solution, pathLength }: MazePuzzle,
  answer: Maze,
): MazeVerdict {
  checkSameSize(puzzle, solution);
  checkSameSize(puzzle, answer);
  let numRight = 0, numBlanks = 0, numBlanksRight = 0;
  for (let cell = 0; cell < answer.cells.length; cell++) {
    const right = answer.cells[cell] === solution.cells[cell] ? 1 : 0;
    const blank = puzzle.cells[cell] === mazeCell.free ? 1 : 0;
    numRight += right;
    numBlanks += blank;
    numBlanksRight += right & blank;
  }
  const numCells = answer.cells.length;
  const length = markedPathLength(puzzle, answer);
  return {
    exact: numRight === numCells,
    valid: length !== undefined,
    optimal: length === pathLength,
    numRight,
    numCells,
    numBlanksRight,
    numBlanks,
  };
}

/**
 * Whether `answer` is `maze` with a shortest path marked; any of them counts.
 *
 * @throws {RangeError} when `maze` has not one start and one goal, or the two differ in size
 *
 * @example
 * ```ts
 * import { isShortestPath, parseMaze } from "@ponder/ponder/tasks";
 *
 * const maze = parseMaze("S../.#./..G");
 * console.log(isShortestPath(maze, parseMaze("S../o#./ooG"))); // true
 * ```
 */
export function isShortestPath(maze: Maze, answer: Maze): boolean {
  const length = markedPathLength(maze, answer);
  return length !== undefined && length === shortestPathLength(maze);
}

/**
 * The number of steps of the path marked in `answer`, or nothing when that is not
 * `maze` with one path marked.
 *
 * Every cell must be as in `maze`, but for free ones that are marked. Start and
 * goal must have one neighbour each on the path, every mark two, and all must
 * hang together. A way that runs along beside itself is none: its marks do not
 * tell in which order it goes. No shortest path does that.
 *
 * @throws {RangeError} when `maze` has not one start and one goal, or the two differ in size
 */
export function markedPathLength(maze: Maze, answer: Maze): number | undefined {
  const { start, goal } = mazeEnds(maze);
  checkSameSize(maze, answer);
  const { cells, columns } = answer;
  const isKept = cells.every((cell, i) =>
    cell === maze.cells[i] || cell === mazeCell.path && maze.cells[i] === mazeCell.free
  );
  if (!isKept) return undefined;

  let numMarks = 0;
  for (const cell of cells) if (cell === mazeCell.path) numMarks++;
  let steps = 0;
  for (let cell = start, before = -1; cell !== goal; steps++) {
    const onward = onPath(cells, cell, columns).filter((near) => near !== before);
    if (onward.length !== 1) return undefined; // an end, or a fork
    [before, cell] = [cell, onward[0]!];
    if (cell === start || steps > numMarks) return undefined; // in a circle
  }
  return onPath(cells, goal, columns).length === 1 && steps === numMarks + 1 ? steps : undefined;
}

/** The cells beside a cell that are start, goal or marked. */
function onPath(cells: Uint8Array, cell: number, columns: number): number[] {
  const column = cell % columns, near: number[] = [];
  if (cell >= columns) near.push(cell - columns);
  if (column > 0) near.push(cell - 1);
  if (column < columns - 1) near.push(cell + 1);
  if (cell + columns < cells.length) near.push(cell + columns);
  return near.filter((cell) => cells[cell]! >= mazeCell.start); // start, goal and path come last
}

function checkSameSize(maze: Maze, answer: Maze): void {
  if (
    answer.rows === maze.rows && answer.columns === maze.columns &&
    answer.cells.length === maze.cells.length
  ) return;
  throw new RangeError(
    `Cannot compare a maze of ${maze.rows}x${maze.columns} with an answer of ` +
      `${answer.rows}x${answer.columns}: expected the same size`,
  );
}
