/**
 * What models answer to puzzles, unit of thought by unit of thought, with what can be
 * done at test time to make the answers better: more units, halting, rearranged
 * puzzles, noise, several models.
 *
 * @module
 */
import type { Device } from "../core/device.ts";
import { Random } from "../core/random.ts";
import { scope } from "../core/scope.ts";
import { type Answers, infer, type InferenceOptions } from "../models/inference.ts";
import type { Model } from "../models/model.ts";
import {
  applySymmetry,
  decodeBoard,
  drawSymmetry,
  identitySymmetry,
  invertSymmetry,
  type SudokuPuzzle,
  type SudokuSize,
  type SudokuSymmetry,
} from "../tasks/mod.ts";
import { puzzleBatch } from "./sudoku_data.ts";

/** A puzzle as a model is asked it. */
export type Asked = Pick<SudokuPuzzle, "puzzle" | "solution">;

/** How to think. */
export interface ThinkOptions {
  /** The most units of thought; by default as many as in training. */
  readonly units?: number;
  /** Whether a puzzle is left alone once the model wants to halt on it. */
  readonly halt?: boolean;
  /** Where the model lies. */
  readonly device?: Device;
  /** Rearrangements of each puzzle that are answered, the puzzle itself the first; default 1. */
  readonly votes?: number;
  /** Runs of each of them; default 1. */
  readonly samples?: number;
  /** The deviation of the noise in each run; default 0. */
  readonly noise?: number;
  /**
   * Which of several answers counts: the one most often given (the surer of equals), or
   * the one that the halting logit is surest of; by default the second where the
   * answers differ by noise alone.
   */
  readonly choose?: Choice;
  /** Where the random numbers of rearrangements and noise start; default 0. */
  readonly seed?: number;
}

/** Which of several answers counts. */
export type Choice = "vote" | "q";

/** What is answered after one unit of thought. */
export interface Thought {
  /** One board for each puzzle, 0 where it names no digit. */
  readonly answers: readonly Uint8Array[];
  /** The logit of halting for each puzzle; null for a model that has none. */
  readonly haltLogits: readonly number[] | null;
  /** Units of thought done for each puzzle, in the mean over what was chosen from. */
  readonly units: readonly number[];
}

/** One answer to one puzzle. */
export interface Candidate {
  readonly answer: Uint8Array;
  readonly haltLogit: number | null;
  readonly units: number;
}

/** What models answer after each unit of thought; of several answers, the one chosen. */
export function think(
  models: readonly Model[],
  puzzles: readonly Asked[],
  { votes = 1, samples = 1, noise = 0, choose, seed = 0, device = "cpu", ...how }: ThinkOptions =
    {},
): Thought[] {
  const random = new Random(seed, 0);
  const trajectories: Candidate[][][] = []; // [which][unit][puzzle]
  for (let vote = 0; vote < votes; vote++) {
    const symmetries = puzzles.map(({ puzzle }) => symmetryOf(puzzle.length, vote, random));
    for (const model of models) {
      for (let sample = 0; sample < samples; sample++) {
        const inference = { ...how, noise: noise > 0 ? { std: noise, random } : null };
        trajectories.push(ask(model, puzzles, symmetries, device, inference));
      }
    }
  }
  const rule = choose ?? (samples > 1 && votes === 1 && models.length === 1 ? "q" : "vote");
  const length = Math.max(...trajectories.map((t) => t.length));
  return Array.from({ length }, (_, unit) => {
    const chosen = puzzles.map((_, i) =>
      elect(trajectories.map((t) => t[Math.min(unit, t.length - 1)]![i]!), rule)
    );
    return {
      answers: chosen.map(({ answer }) => answer),
      haltLogits: chosen.some(({ haltLogit }) => haltLogit === null)
        ? null
        : chosen.map(({ haltLogit }) => haltLogit!),
      units: chosen.map(({ units }) => units),
    };
  });
}

/** The first is the identity, the others are random. */
function symmetryOf(cells: number, vote: number, random: Random): SudokuSymmetry {
  const symmetry = identitySymmetry(Math.sqrt(cells) as SudokuSize);
  if (vote > 0) drawSymmetry(random, symmetry);
  return symmetry;
}

/** What one model answers to rearranged puzzles after each unit, arranged back. */
function ask(
  model: Model,
  puzzles: readonly Asked[],
  symmetries: readonly SudokuSymmetry[],
  device: Device,
  how: InferenceOptions,
): Candidate[][] {
  using _ = scope();
  const rearranged = puzzles.map(({ puzzle, solution }, i) => ({
    puzzle: rearrange(symmetries[i]!, puzzle),
    solution,
  }));
  const inverses = symmetries.map(invertSymmetry);
  return infer(model, puzzleBatch(rearranged, device), how).map((answers) =>
    inverses.map((inverse, i) => candidateOf(answers, i, inverse))
  );
}

function rearrange(symmetry: SudokuSymmetry, board: Uint8Array): Uint8Array {
  const out = new Uint8Array(board.length);
  applySymmetry(symmetry, board, out);
  return out;
}

function candidateOf(
  { tokens, haltLogits, units }: Answers,
  row: number,
  inverse: SudokuSymmetry,
): Candidate {
  const length = inverse.cells.length;
  const board = decodeBoard(tokens.subarray(row * length, (row + 1) * length), inverse.size);
  return {
    answer: rearrange(inverse, board),
    haltLogit: haltLogits?.[row] ?? null,
    units: units[row]!,
  };
}

/** The candidate that counts; its units are the mean over all. */
export function elect(candidates: readonly Candidate[], rule: Choice): Candidate {
  const first = candidates[0]!;
  if (candidates.length === 1) return first;
  const units = candidates.reduce((sum, candidate) => sum + candidate.units, 0) / candidates.length;
  const groups = new Map<string, { votes: number; sureness: number; best: Candidate }>();
  for (const candidate of candidates) {
    const key = candidate.answer.join();
    const group = groups.get(key) ?? { votes: 0, sureness: 0, best: candidate };
    group.votes++;
    group.sureness += sigmoid(candidate.haltLogit ?? 0);
    if (q(candidate) > q(group.best)) group.best = candidate;
    groups.set(key, group);
  }
  const ranked = [...groups.values()].sort((a, b) =>
    rule === "q"
      ? q(b.best) - q(a.best)
      : b.votes - a.votes || b.sureness / b.votes - a.sureness / a.votes
  );
  return { ...ranked[0]!.best, units };
}

function q({ haltLogit }: Candidate): number {
  return haltLogit ?? 0;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
