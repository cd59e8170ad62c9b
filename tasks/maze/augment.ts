/**
 * Equivalent mazes: the eight rotations and reflections, the augmentation of
 * TRM's maze builder. Their ids are those of `dihedral()`.
 *
 * @module
 */

import { dihedral, exchangesSides, numDihedral } from "../dihedral.ts";
import { below, type RandomSource } from "../random_source.ts";
import type { Maze, MazePuzzle } from "./maze.ts";

/**
 * A maze turned or reflected.
 *
 * @throws {RangeError} when `id` is not an integer from 0 to 7
 *
 * @example
 * ```ts
 * import { formatMaze, parseMaze, transformMaze } from "@ponder/ponder/tasks";
 *
 * console.log(formatMaze(transformMaze(parseMaze("S#/.G"), 4), "/")); // #S/G
 * ```
 */
export function transformMaze({ cells, rows, columns }: Maze, id: number): Maze {
  return dihedral(cells, rows, columns, id);
}

/**
 * A random one of the rotations and reflections of a maze, with its solution; of
 * the four that leave rows and columns as many as they are, where these differ.
 *
 * @example
 * ```ts
 * import { Random } from "@ponder/ponder/core";
 * import { augmentMaze, isShortestPath, parseMaze } from "@ponder/ponder/tasks";
 *
 * const puzzle = parseMaze("S../.#./..G"), solution = parseMaze("Soo/.#o/..G");
 * const other = augmentMaze(new Random(1), { puzzle, solution, pathLength: 4 });
 * console.log(isShortestPath(other.puzzle, other.solution)); // true
 * ```
 */
export function augmentMaze(random: RandomSource, maze: MazePuzzle): MazePuzzle {
  const { puzzle, solution, pathLength } = maze;
  const ids = puzzle.rows === puzzle.columns ? allIds : upright;
  const id = ids[below(random, ids.length)]!;
  return {
    puzzle: transformMaze(puzzle, id),
    solution: transformMaze(solution, id),
    pathLength,
  };
}

const allIds: readonly number[] = Array.from({ length: numDihedral }, (_, id) => id);
const upright: readonly number[] = allIds.filter((id) => !exchangesSides(id));
