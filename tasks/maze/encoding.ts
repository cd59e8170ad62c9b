/**
 * Mazes as the tokens of HRM's and TRM's maze data: 0 pads, then `#`, space, `S`,
 * `G` and `o` are 1 to 5. These are the numbers that cells have anyway.
 *
 * @module
 */

import { cellName, type Maze, mazeCharacters } from "./maze.ts";

/** The token that fills up a batch. */
export const mazePad = 0;

/** The number of tokens: padding and the five kinds of cell. */
export const mazeVocabSize: number = mazeCharacters.length;

/** The number of tokens of a maze. */
export function mazeSeqLen(rows: number, columns: number = rows): number {
  return rows * columns;
}

/**
 * The tokens of a maze, written into `out` where one is given.
 *
 * @throws {RangeError} when a cell is none of the five kinds, or `out` is not as long as the maze
 *
 * @example
 * ```ts
 * import { encodeMaze, parseMaze } from "@ponder/ponder/tasks";
 *
 * console.log(encodeMaze(parseMaze("S#/.G"))); // Uint8Array(4) [ 3, 1, 2, 4 ]
 * ```
 */
export function encodeMaze(
  maze: Maze,
  out: Uint8Array = new Uint8Array(maze.cells.length),
): Uint8Array {
  const { cells, columns } = maze;
  checkLength(out, cells.length);
  const bad = cells.findIndex((cell) => cell === mazePad || cell >= mazeVocabSize);
  if (bad >= 0) {
    throw new RangeError(
      `Cannot encode ${cells[bad]} in ${cellName(bad, columns)} of a maze: expected 1 to 5`,
    );
  }
  out.set(cells);
  return out;
}

/**
 * The maze of `rows · columns` tokens, as a model predicts them; a token that
 * stands for no kind of cell becomes 0, which is right nowhere.
 *
 * @throws {RangeError} when there are not `rows · columns` tokens
 */
export function decodeMaze(
  tokens: ArrayLike<number>,
  rows: number,
  columns: number = rows,
): Maze {
  checkLength(tokens, rows * columns);
  const cells = Uint8Array.from(
    tokens,
    (token) => Number.isInteger(token) && token > mazePad && token < mazeVocabSize ? token : 0,
  );
  return { cells, rows, columns };
}

function checkLength(tokens: ArrayLike<number>, length: number): void {
  if (tokens.length === length) return;
  throw new RangeError(
    `Cannot hold a maze of ${length} cells in ${tokens.length} tokens: expected as many`,
  );
}
