/**
 * Mazes drawn for a terminal.
 *
 * @module
 */

import { type Maze, mazeCell } from "./maze.ts";

/** How {@link drawMaze} draws. */
export interface DrawMazeOptions {
  /** The question: cells that differ from it count as changed. Without it no cell does. */
  readonly puzzle?: Maze;
  /**
   * The two characters of a cell, coloured: `changed` says whether the cell is not
   * as in the question. Without it a changed cell is marked by a `!`, unless it is a
   * free one that the path was led through.
   */
  readonly paint?: (text: string, changed: boolean, cell: number) => string;
}

/** Two characters for each kind of cell, about as wide together as a line is high. */
const pictures = ["??", "██", "  ", "S ", "G ", "• "] as const;

/**
 * A maze in lines, framed, two characters a cell.
 *
 * @throws {RangeError} when `puzzle` differs from the maze in size
 *
 * @example
 * ```ts
 * import { drawMaze, parseMaze } from "@ponder/ponder/tasks";
 *
 * console.log(drawMaze(parseMaze("S#G/o#o/ooo")));
 * // ┌──────┐
 * // │S ██G │
 * // │• ██• │
 * // │• • • │
 * // └──────┘
 * ```
 */
export function drawMaze(maze: Maze, options: DrawMazeOptions = {}): string {
  const { cells, rows, columns } = maze;
  const { puzzle = maze, paint } = options;
  if (puzzle.rows !== rows || puzzle.columns !== columns) {
    throw new RangeError(
      `Cannot draw a maze of ${rows}x${columns} beside a question of ` +
        `${puzzle.rows}x${puzzle.columns}: expected the same size`,
    );
  }
  const drawCell = (cell: number): string => {
    const kind = cells[cell]!, before = puzzle.cells[cell]!;
    const text = pictures[kind] ?? pictures[0];
    if (paint !== undefined) return paint(text, kind !== before, cell);
    const isLed = kind === mazeCell.path && before === mazeCell.free;
    return kind === before || isLed ? text : text[0] + "!";
  };
  const lines = [`┌${"──".repeat(columns)}┐`];
  for (let row = 0; row < rows; row++) {
    let line = "│";
    for (let column = 0; column < columns; column++) line += drawCell(row * columns + column);
    lines.push(line + "│");
  }
  lines.push(`└${"──".repeat(columns)}┘`);
  return lines.join("\n");
}
