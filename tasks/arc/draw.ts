/**
 * Grids and pairs drawn for a terminal.
 *
 * Plainly, a cell is its colour's digit, `·` for 0, and a wrong one a letter, `a`
 * for 0 to `j` for 9. A `paint` callback is handed blank cells to colour instead.
 *
 * @module
 */

import type { ArcGrid, ArcTask } from "./grid.ts";

/**
 * Gives a cell the background of a colour, 0 to 9.
 *
 * @param text as many characters as the cell is wide: spaces, or `><` and `x` where it is wrong
 */
export type ArcPaint = (text: string, colour: number, wrong: boolean) => string;

/** How {@link drawArcGrid} draws. */
export interface ArcDrawOptions {
  /** The right grid: cells that differ from it or lie beyond it are marked. */
  readonly answer?: ArcGrid | null;
  /** Colours the cells; without it they are digits. */
  readonly paint?: ArcPaint;
  /** How many characters wide a cell is, 2 by default, which is about square. */
  readonly cellWidth?: 1 | 2;
}

/** How {@link drawArcPairs} draws. */
export interface ArcDrawPairsOptions {
  /** Colours the cells; without it they are digits. */
  readonly paint?: ArcPaint;
  /** How many characters a line may have, 80 by default. */
  readonly width?: number;
}

/** What {@link drawArcPairs} draws: an input, an arrow and what it leads to. */
export interface ArcDrawnPair {
  /** The grid on the left. */
  readonly input: ArcGrid;
  /** The grid on the right, a `?` where there is none. */
  readonly output: ArcGrid | null;
  /** The right grid, where `output` is a prediction to be marked. */
  readonly answer?: ArcGrid | null;
}

/** Lines that are all equally wide on the screen, however many characters colour them. */
interface Block {
  readonly lines: readonly string[];
  readonly width: number;
}

const arrow = " → ", gap = "   ";

/**
 * A grid in lines.
 *
 * @example
 * ```ts
 * import { drawArcGrid, parseArcGrid } from "@ponder/ponder/tasks";
 *
 * const grid = parseArcGrid("012/345"), answer = parseArcGrid("012/355");
 * console.log(drawArcGrid(grid, { answer }));
 * // · 1 2
 * // 3 e 5
 * ```
 */
export function drawArcGrid(grid: ArcGrid, options: ArcDrawOptions = {}): string {
  return gridBlock(grid, options).lines.join("\n");
}

/**
 * Pairs, the input and the output of each side by side, and as many pairs beside
 * each other as the width allows. The cells are two characters wide where every
 * pair then fits in a line, else one; grids that do not fit even so lie below
 * each other.
 *
 * @example
 * ```ts
 * import { drawArcPairs, parseArcGrid } from "@ponder/ponder/tasks";
 *
 * const pair = { input: parseArcGrid("12/34"), output: parseArcGrid("21") };
 * console.log(drawArcPairs([pair, { ...pair, output: null }]));
 * // 1 2 → 2 1   1 2 → ?
 * // 3 4         3 4
 * ```
 */
export function drawArcPairs(
  pairs: readonly ArcDrawnPair[],
  options: ArcDrawPairsOptions = {},
): string {
  const { width = 80 } = options;
  const blocksOf = (cellWidth: 1 | 2): Block[] =>
    pairs.map((pair) => pairBlock(pair, { ...options, cellWidth }));
  const fit = (blocks: readonly Block[]): boolean => blocks.every((block) => block.width <= width);
  const wide = blocksOf(2);
  if (fit(wide)) return flow(wide, width);
  const narrow = blocksOf(1);
  if (fit(narrow)) return flow(narrow, width);
  return flow(pairs.map((pair) => stackedBlock(pair, { ...options, cellWidth: 1 })), width);
}

/**
 * A task: its demonstrations, a rule, and its test pairs, in whose place
 * predictions are drawn where they are given, with their wrong cells marked.
 */
export function drawArcTask(
  task: ArcTask,
  options: ArcDrawPairsOptions & { readonly predictions?: readonly ArcGrid[] } = {},
): string {
  const { predictions = [], width = 80 } = options;
  const test = task.test.map(({ input, output }, i) => {
    const prediction = predictions[i];
    return prediction === undefined
      ? { input, output }
      : { input, output: prediction, answer: output };
  });
  return [
    drawArcPairs(task.train, options),
    "─".repeat(width),
    drawArcPairs(test, options),
  ].join("\n");
}

function gridBlock(
  { rows, columns, cells }: ArcGrid,
  { answer, paint, cellWidth = 2 }: ArcDrawOptions,
): Block {
  const isWrong = (y: number, x: number): boolean => {
    if (answer === undefined || answer === null) return false;
    const isBeyond = y >= answer.rows || x >= answer.columns;
    return isBeyond || answer.cells[y * answer.columns + x] !== cells[y * columns + x];
  };
  const cell = (y: number, x: number): string => {
    const colour = cells[y * columns + x]!, wrong = isWrong(y, x);
    if (paint === undefined) return (wrong ? "abcdefghij" : "·123456789")[colour]!;
    const mark = cellWidth === 2 ? "><" : "x";
    return paint(wrong ? mark : " ".repeat(cellWidth), colour, wrong);
  };
  const between = paint === undefined ? " ".repeat(cellWidth - 1) : ""; // painted cells touch
  const lines = Array.from(
    { length: rows },
    (_, y) => Array.from({ length: columns }, (_, x) => cell(y, x)).join(between),
  );
  return { lines, width: columns * cellWidth - (columns > 0 ? between.length : 0) };
}

function outputBlock({ output, answer = null }: ArcDrawnPair, options: ArcDrawOptions): Block {
  if (output === null) return { lines: ["?"], width: 1 };
  if (output.rows === 0) return { lines: ["(nothing)"], width: "(nothing)".length };
  return gridBlock(output, { ...options, answer });
}

function pairBlock(pair: ArcDrawnPair, options: ArcDrawOptions): Block {
  return beside([gridBlock(pair.input, options), outputBlock(pair, options)], arrow);
}

function stackedBlock(pair: ArcDrawnPair, options: ArcDrawOptions): Block {
  const input = gridBlock(pair.input, options), output = outputBlock(pair, options);
  return {
    lines: [...input.lines, "↓", ...output.lines],
    width: Math.max(input.width, output.width),
  };
}

/** Blocks side by side, `between` them in the first line and space in the others. */
function beside(blocks: readonly Block[], between: string): Block {
  const height = Math.max(0, ...blocks.map(({ lines }) => lines.length));
  const lines = Array.from({ length: height }, (_, y) => {
    let line = "", space = "";
    for (const block of blocks) {
      const part = block.lines[y];
      if (part !== undefined) line += space + part;
      const after = y === 0 ? between : " ".repeat(between.length);
      space = part === undefined ? space + " ".repeat(block.width) + after : after;
    }
    return line;
  });
  const width = blocks.reduce((sum, block) => sum + block.width, 0) +
    between.length * Math.max(0, blocks.length - 1);
  return { lines, width };
}

/** Blocks side by side as far as the width allows, then below, an empty line between. */
function flow(blocks: readonly Block[], width: number): string {
  const shelves: Block[][] = [];
  let used = Infinity;
  for (const block of blocks) {
    used += gap.length + block.width;
    if (used > width) {
      shelves.push([]);
      used = block.width;
    }
    shelves.at(-1)!.push(block);
  }
  return shelves.map((shelf) => beside(shelf, gap).lines.join("\n")).join("\n\n");
}
