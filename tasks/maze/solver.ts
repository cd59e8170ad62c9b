/**
 * Shortest paths, by walking breadth first from the goal.
 *
 * @module
 */

import type { RandomSource } from "../random_source.ts";
import { Floor, OPEN, WALL } from "./_floor.ts";
import { type Maze, mazeCell, mazeEnds } from "./maze.ts";
import { uniform } from "./_uniform.ts";

/** How {@link solveMaze} chooses. */
export interface SolveMazeOptions {
  /**
   * Draws the path uniformly among the shortest. Without it the path is the one
   * that at every step goes up where some shortest path does, else left, else
   * right, else down.
   */
  readonly random?: RandomSource;
}

/** What {@link solveMaze} found. */
export interface SolveMazeResult {
  /** The number of shortest paths, at most 2^53 - 1; 0 when the goal is out of reach. */
  readonly paths: number;
  /** The number of steps from start to goal, when there is a path. */
  readonly pathLength?: number;
  /** The maze with one of the shortest paths marked, when there is one. */
  readonly solution?: Maze;
}

/**
 * The shortest paths of a maze, counted, and one of them. Path marks in `maze`
 * count as free cells.
 *
 * @throws {RangeError} when `maze` has not one start and one goal, or a cell that is none
 *
 * @example
 * ```ts
 * import { formatMaze, parseMaze, solveMaze } from "@ponder/ponder/tasks";
 *
 * const { paths, pathLength, solution } = solveMaze(parseMaze("S../.#./..G"));
 * console.log(paths, pathLength, formatMaze(solution!, "/")); // 2 4 Soo/ #o/  G
 * ```
 */
export function solveMaze(maze: Maze, options: SolveMazeOptions = {}): SolveMazeResult {
  const { start, goal } = mazeEnds(maze);
  const floor = floorOf(maze);
  floor.walk(floor.places[goal]!);
  const from = floor.places[start]!;
  const pathLength = floor.steps[from]!;
  if (pathLength === OPEN) return { paths: 0 };

  const counts = countPaths(floor, pathLength);
  const cells = maze.cells.map((cell) => cell === mazeCell.path ? mazeCell.free : cell);
  for (let place = from, step = pathLength - 1; step > 0; step--) {
    place = nextPlace(floor, counts, place, options.random);
    cells[floor.cells[place]!] = mazeCell.path;
  }
  const paths = Math.min(counts[from]!, Number.MAX_SAFE_INTEGER);
  return { paths, pathLength, solution: { ...maze, cells } };
}

/**
 * The number of steps of a shortest path, or nothing when the goal is out of
 * reach. Path marks count as free cells.
 *
 * @throws {RangeError} when `maze` has not one start and one goal, or a cell that is none
 */
export function shortestPathLength(maze: Maze): number | undefined {
  const { start, goal } = mazeEnds(maze);
  const floor = floorOf(maze);
  floor.walk(floor.places[start]!);
  const steps = floor.steps[floor.places[goal]!]!;
  return steps === OPEN ? undefined : steps;
}

function floorOf({ cells, rows, columns }: Maze): Floor {
  const floor = new Floor(rows, columns);
  cells.forEach((cell, i) => floor.plan[floor.places[i]!] = cell === mazeCell.wall ? WALL : OPEN);
  return floor;
}

/**
 * The number of shortest paths from each place to the start of the latest walk,
 * as far as `maxSteps`; as floats, which hold the largest, C(126, 63) = 6e36.
 */
function countPaths(floor: Floor, maxSteps: number): Float64Array {
  const { steps, reached, numReached } = floor;
  const counts = new Float64Array(steps.length);
  counts[reached[0]!] = 1;
  for (let i = 1; i < numReached; i++) {
    const place = reached[i]!, step = steps[place]!;
    if (step > maxSteps) break;
    for (const near of floor.around(place)) {
      if (steps[near] === step - 1) counts[place]! += counts[near]!;
    }
  }
  return counts;
}

/** A place one step nearer; drawn in proportion to the paths on from it, where `random` is given. */
function nextPlace(
  floor: Floor,
  counts: Float64Array,
  place: number,
  random: RandomSource | undefined,
): number {
  if (random === undefined) return floor.stepBack(place);
  const step = floor.steps[place]! - 1;
  const nearer = floor.around(place).filter((near) => floor.steps[near] === step);
  if (nearer.length === 1) return nearer[0]!;
  let rest = uniform(random) * counts[place]!;
  return nearer.find((near) => (rest -= counts[near]!) < 0) ?? nearer.at(-1)!;
}
