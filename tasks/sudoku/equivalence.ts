/**
 * A number that equivalent puzzles share, to keep a test set apart from the
 * training set: whatever renaming of digits and reordering of lines the
 * augmentation does, it stays the same. Puzzles with different signatures are
 * therefore not equivalent. Inequivalent ones may share a signature, but rarely.
 *
 * The cells are coloured, first by whether they hold a clue, then again and
 * again by the colours of the cells they share a row, a column, a box or a digit
 * with: colour refinement, Weisfeiler and Leman 1968.
 *
 * @module
 */

import { type Board, geometryOf } from "./board.ts";

const NUM_ROUNDS = 3;

/**
 * The signature of a puzzle with its only solution, an integer in `[0, 2^53)`.
 *
 * @throws {RangeError} when no known board is as long, or the two differ in length
 *
 * @example
 * ```ts
 * import { Random } from "@ponder/ponder/core";
 * import { augment, parseBoard, puzzleSignature } from "@ponder/ponder/tasks";
 *
 * const puzzle = parseBoard(".2...412...4...."), solution = parseBoard("1243341221344321");
 * const other = augment(new Random(1), puzzle, solution);
 * console.log(
 *   puzzleSignature(puzzle, solution) === puzzleSignature(other.puzzle, other.solution),
 * ); // true
 * ```
 */
export function puzzleSignature(puzzle: Board, solution: Board): number {
  const { size, cells, boxRows, boxColumns, unitsOf } = geometryOf(puzzle);
  if (solution.length !== cells) {
    throw new RangeError(
      `Cannot compare a puzzle of ${cells} cells with a solution of ${solution.length}`,
    );
  }
  const colours = Uint32Array.from(puzzle, (digit) => digit === 0 ? 1 : 2);
  const units = new Uint32Array(3 * size); // sums, which do not depend on the order of cells
  const digits = new Uint32Array(size + 1);
  for (let round = 0; round < NUM_ROUNDS; round++) {
    units.fill(0);
    digits.fill(0);
    for (let cell = 0; cell < cells; cell++) {
      const colour = mix(colours[cell]!);
      for (const unit of unitsOf[cell]!) units[unit]! += colour;
      digits[solution[cell]!]! += colour;
    }
    for (let cell = 0; cell < cells; cell++) {
      const [row, column, box] = unitsOf[cell]!;
      const across = mix(units[row!]!), down = mix(units[column!]!);
      // Where boxes are square rows may become columns: then the order must not matter.
      const lines = boxRows === boxColumns ? across + down : join(across, down);
      const others = join(units[box!]!, digits[solution[cell]!]!);
      colours[cell] = join(join(colours[cell]!, lines), others);
    }
  }
  let low = 0, high = 0;
  for (const colour of colours) {
    low = (low + mix(colour)) >>> 0;
    high = (high + mix(colour ^ 0x5bd1e995)) >>> 0;
  }
  return (high >>> 11) * 0x1_0000_0000 + low;
}

/** A word that differs in about half its bits for every other `word` (MurmurHash3, finalizer). */
function mix(word: number): number {
  let h = word ^ (word >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A word for the ordered pair of two. */
function join(first: number, second: number): number {
  return mix(Math.imul(first, 0x9e3779b1) + second);
}
