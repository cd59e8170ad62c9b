/**
 * New mazes, by the procedure of Lehnert et al. 2024 (arXiv:2402.14083), from
 * which HRM's Maze-Hard comes: a share of walls drawn uniformly from 30 to 50 %,
 * that many walls in random places, start and goal in random free ones; and all
 * of it anew where the shortest path is too short or there is none.
 *
 * That is done by trial and error, or, where hardly any trial succeeds, by
 * `_directed.ts`, from the same distribution.
 *
 * @module
 */

import type { RandomSource } from "../random_source.ts";
import { DirectedDraw, directionOf } from "./_directed.ts";
import { type Floor, WALL } from "./_floor.ts";
import { type DrawnEnds, type MazeRequest, TrialDraw } from "./_trial.ts";
import { type Maze, mazeCell, type MazePuzzle, sideTrouble } from "./maze.ts";
import { solveMaze } from "./solver.ts";

/** The share of walls that {@link generateMaze} draws from unless told otherwise. */
export const defaultWallShare = [0.3, 0.5] as const;

const DEFAULT_ATTEMPTS = 10_000_000;

/** What {@link generateMaze} is to make. */
export interface GenerateMazeOptions {
  /** The number of rows, 2 to 64. */
  readonly rows: number;
  /** The number of columns, 2 to 64; as many as rows by default. */
  readonly columns?: number;
  /** The fewest steps of the shortest path; the larger of rows and columns by default. */
  readonly minPath?: number;
  /** The least and the greatest share of walls, 0.3 and 0.5 by default. */
  readonly wallShare?: readonly [least: number, greatest: number];
  /** Whether to make only mazes that have one shortest path, false by default. */
  readonly unique?: boolean;
  /** How many wall patterns to try before giving up, 10,000,000 by default. */
  readonly attempts?: number;
}

/** A maze made by {@link generateMaze}. */
export interface GeneratedMaze extends MazePuzzle {
  /** The number of walls. */
  readonly walls: number;
  /** The number of shortest paths, at most 2^53 - 1; the solution is drawn uniformly from them. */
  readonly paths: number;
}

/** What Maze-Hard was generated with: 30x30 and a shortest path of more than 110 steps. */
export const mazeHard = { rows: 30, columns: 30, minPath: 111 } as const;

/**
 * A random maze with a shortest path of `minPath` steps or more, and one of its
 * shortest paths, each equally likely. The number of walls is drawn uniformly,
 * then the walls, then start and goal; and what is too short is drawn anew, so
 * that among the mazes made not all numbers of walls are equally frequent.
 *
 * @throws {RangeError} when no such maze exists, or none is found in `attempts`
 *
 * @example
 * ```ts
 * import { Random } from "@ponder/ponder/core";
 * import { generateMaze, isShortestPath } from "@ponder/ponder/tasks";
 *
 * const { puzzle, solution, pathLength } = generateMaze(new Random(1), { rows: 9 });
 * console.log(pathLength >= 9, isShortestPath(puzzle, solution)); // true true
 * ```
 */
export function generateMaze(random: RandomSource, options: GenerateMazeOptions): GeneratedMaze {
  const request = requestOf(options);
  const direction = directionOf(request);
  const draw = direction === undefined
    ? new TrialDraw(request)
    : new DirectedDraw(request, direction);
  for (let attempt = 0; attempt < request.attempts; attempt++) {
    const ends = draw.tryDraw(random);
    if (ends === undefined) continue;
    const puzzle = mazeOf(draw.floor, ends);
    const { solution, pathLength, paths } = solveMaze(puzzle, { random });
    if (options.unique && paths > 1) continue;
    const walls = puzzle.cells.reduce((sum, cell) => sum + (cell === mazeCell.wall ? 1 : 0), 0);
    return { puzzle, solution: solution!, pathLength: pathLength!, walls, paths };
  }
  throw new RangeError(
    `Cannot generate ${describe(request)}: none in ${request.attempts} attempts, ` +
      `allow shorter paths or more attempts`,
  );
}

/** The request that options stand for, checked. */
export function requestOf(options: GenerateMazeOptions): MazeRequest {
  const { rows, columns = rows, wallShare = defaultWallShare } = options;
  const { minPath = Math.max(rows, columns), attempts = DEFAULT_ATTEMPTS } = options;
  const numCells = rows * columns;
  const [least, greatest] = wallShare;
  // The share times the cells may come out a little above a whole number, and is then rounded down.
  const walls = [
    Math.ceil(least * numCells - 1e-9),
    Math.floor(greatest * numCells + 1e-9),
  ] as const;
  const request = { rows, columns, minPath, walls, attempts };
  const refuse = (why: string): never => {
    throw new RangeError(`Cannot generate ${describe(request)}: ${why}`);
  };
  const trouble = sideTrouble(rows, columns);
  if (trouble !== undefined) refuse(trouble);
  if (!(least >= 0 && least <= greatest && greatest < 1)) {
    refuse(`wallShare must be two numbers from 0 to below 1, the lower first, not ${wallShare}`);
  }
  if (walls[0] > walls[1]) refuse(`no number of walls is a share of ${least} to ${greatest}`);
  if (!Number.isInteger(minPath) || minPath < 1) {
    refuse(`minPath must be a positive integer, not ${minPath}`);
  }
  const mostFree = numCells - walls[0], leastFree = numCells - walls[1];
  if (leastFree < 2) refuse("with the most walls, start and goal find no place");
  if (minPath >= mostFree) refuse(`no path has more than ${mostFree - 1} steps there`);
  if (!Number.isInteger(attempts) || attempts < 1) {
    refuse(`attempts must be a positive integer, not ${attempts}`);
  }
  return request;
}

/** The request in words. */
function describe({ rows, columns, minPath }: MazeRequest): string {
  return `a ${rows}x${columns} maze with a path of at least ${minPath} steps`;
}

function mazeOf({ rows, columns, places, plan }: Floor, { start, goal }: DrawnEnds): Maze {
  const cells = Uint8Array.from(places, (place) => {
    if (place === start) return mazeCell.start;
    if (place === goal) return mazeCell.goal;
    return plan[place] === WALL ? mazeCell.wall : mazeCell.free;
  });
  return { cells, rows, columns };
}
