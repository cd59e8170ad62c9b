/**
 * The solver's definition written out slowly, on arrays of sets and with none of
 * its machinery, to compare it with.
 *
 * @module
 */

import { type Board, geometryOf } from "../../../tasks/sudoku/board.ts";

type Candidates = readonly ReadonlySet<number>[];

/** What the reference found; the fields are those of `SolveResult`. */
export interface ReferenceResult {
  /** All solutions. */
  readonly solutions: Board[];
  /** Guesses that ended in a contradiction. */
  readonly backtracks: number;
}

/** All solutions of a board, and the guesses that failed on the way. */
export function referenceSolve(board: Board): ReferenceResult {
  const { size } = geometryOf(board);
  const digits = Array.from({ length: size }, (_, i) => i + 1);
  const start = Array.from(board, (digit) => new Set(digit === 0 ? digits : [digit]));
  const closed = closure(board, start);
  const solutions: Board[] = [];
  return { backtracks: closed === undefined ? 0 : search(board, closed, solutions), solutions };
}

/** Whether naked and hidden singles alone solve a board. */
export function singlesSolve(board: Board): boolean {
  const { backtracks, solutions } = referenceSolve(board);
  return backtracks === 0 && solutions.length === 1;
}

function search(board: Board, candidates: Candidates, solutions: Board[]): number {
  if (candidates.every((set) => set.size === 1)) {
    solutions.push(Uint8Array.from(candidates, (set) => [...set][0]!));
    return 0;
  }
  let backtracks = 0;
  for (const [cell, digit] of guesses(board, candidates)) {
    const guessed = candidates.map((set, i) => i === cell ? new Set([digit]) : set);
    const closed = closure(board, guessed);
    backtracks += closed === undefined ? 1 : search(board, closed, solutions);
  }
  return backtracks;
}

/** The alternatives of the next guess, pairs of cell and digit. */
function guesses(board: Board, candidates: Candidates): [number, number][] {
  const { size, units } = geometryOf(board);
  const open = candidates.map((set, cell) => ({ set, cell })).filter(({ set }) => set.size > 1);
  const fewest = Math.min(...open.map(({ set }) => set.size));
  const { set, cell } = open.find(({ set }) => set.size === fewest)!;
  if (fewest === 2) return Array.from(set, (digit) => [cell, digit]);
  for (const unit of units) {
    const pairs: { digit: number; places: number[] }[] = [];
    for (let digit = 1; digit <= size; digit++) {
      const places = [...unit].filter((cell) => candidates[cell]!.has(digit));
      if (places.length === 2) pairs.push({ digit, places });
    }
    pairs.sort((a, b) => a.places[0]! - b.places[0]! || a.places[1]! - b.places[1]!);
    const [first] = pairs;
    if (first !== undefined) return first.places.map((cell) => [cell, first.digit]);
  }
  return Array.from(set, (digit) => [cell, digit]);
}

/** The candidates once no single is left, or nothing on a contradiction. */
function closure(board: Board, candidates: Candidates): Candidates | undefined {
  const { size, units, peers } = geometryOf(board);
  const sets = candidates.map((set) => new Set(set));
  for (let changed = true; changed;) {
    changed = false;
    for (const [cell, set] of sets.entries()) {
      if (set.size === 0) return undefined;
      if (set.size > 1) continue;
      for (const peer of peers[cell]!) changed = sets[peer]!.delete([...set][0]!) || changed;
    }
    for (const unit of units) {
      for (let digit = 1; digit <= size; digit++) {
        const places = [...unit].filter((cell) => sets[cell]!.has(digit));
        if (places.length === 0) return undefined;
        if (places.length > 1 || sets[places[0]!]!.size === 1) continue;
        sets[places[0]!] = new Set([digit]);
        changed = true;
      }
    }
  }
  return sets;
}
