/**
 * Boards drawn for a terminal.
 *
 * @module
 */

import { type Board, geometryOf } from "./board.ts";

/** How {@link drawBoard} draws. */
export interface DrawOptions {
  /** The puzzle: cells that are blank in it count as filled in. Without it no cell does. */
  readonly clues?: Board;
  /**
   * The three characters of a cell, coloured: `filled` says whether the cell was
   * filled in. Without it a filled cell is marked by a `'` after its digit.
   */
  readonly paint?: (text: string, filled: boolean, cell: number) => string;
}

/**
 * A board in lines, boxes ruled, three characters a cell, `·` for a blank.
 *
 * @throws {RangeError} when `clues` is not as long as the board
 *
 * @example
 * ```ts
 * import { drawBoard, parseBoard } from "@ponder/ponder/tasks";
 *
 * console.log(drawBoard(parseBoard("12.........4..21")));
 * // ┌──────┬──────┐
 * // │ 1  2 │ ·  · │
 * // │ ·  · │ ·  · │
 * // ├──────┼──────┤
 * // │ ·  · │ ·  4 │
 * // │ ·  · │ 2  1 │
 * // └──────┴──────┘
 * ```
 */
export function drawBoard(board: Board, options: DrawOptions = {}): string {
  const { size, boxRows, boxColumns } = geometryOf(board);
  const { clues = board, paint } = options;
  if (clues.length !== board.length) {
    throw new RangeError(
      `Cannot draw a board of ${board.length} cells with clues of ${clues.length}: expected as many`,
    );
  }
  const drawCell = (cell: number): string => {
    const digit = board[cell]!;
    const filled = digit !== 0 && clues[cell] === 0;
    const text = ` ${digit === 0 ? "·" : digit}${filled && paint === undefined ? "'" : " "}`;
    return paint === undefined ? text : paint(text, filled, cell);
  };
  const stacks = size / boxColumns;
  const rule = (left: string, middle: string, right: string): string =>
    left + Array(stacks).fill("─".repeat(3 * boxColumns)).join(middle) + right;

  const lines = [rule("┌", "┬", "┐")];
  for (let row = 0; row < size; row++) {
    if (row > 0 && row % boxRows === 0) lines.push(rule("├", "┼", "┤"));
    let line = "│";
    for (let column = 0; column < size; column++) {
      line += drawCell(row * size + column);
      if ((column + 1) % boxColumns === 0) line += "│";
    }
    lines.push(line);
  }
  lines.push(rule("└", "┴", "┘"));
  return lines.join("\n");
}
