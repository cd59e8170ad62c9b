/**
 * A number that a maze shares with its rotations and reflections, to keep a test
 * set apart from the training set.
 *
 * @module
 */

import { numDihedral } from "../dihedral.ts";
import { transformMaze } from "./augment.ts";
import { type Maze, mazeCell } from "./maze.ts";

/**
 * The signature of a maze, an integer in `[0, 2^53)`: the same for all eight
 * rotations and reflections, and whether or not a path is marked. Mazes with
 * different signatures are not equivalent; that two others share one is as
 * unlikely as 1 in 2^53 (FNV-1a twice, Fowler, Noll and Vo 1991).
 *
 * @example
 * ```ts
 * import { mazeSignature, parseMaze, transformMaze } from "@ponder/ponder/tasks";
 *
 * const maze = parseMaze("S../.#./..G");
 * console.log(mazeSignature(maze) === mazeSignature(transformMaze(maze, 1))); // true
 * ```
 */
export function mazeSignature(maze: Maze): number {
  let least = Infinity;
  for (let id = 0; id < numDihedral; id++) {
    least = Math.min(least, hash(transformMaze(maze, id)));
  }
  return least;
}

const PRIME = 0x01000193;

/** 53 bits that depend on every cell and on the number of rows. */
function hash({ cells, rows }: Maze): number {
  let low = 0x811c9dc5 ^ rows, high = 0x9e3779b9 ^ rows;
  for (const cell of cells) {
    const kind = cell === mazeCell.path ? mazeCell.free : cell;
    low = Math.imul(low ^ kind, PRIME);
    high = Math.imul(high ^ (kind + (low >>> 24)), 0x85ebca6b);
  }
  return (mix(high) >>> 11) * 0x1_0000_0000 + mix(low);
}

/** A word that differs in about half its bits for every other `word` (MurmurHash3, finalizer). */
function mix(word: number): number {
  let h = word ^ (word >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
