/**
 * What models answer to puzzles, unit of thought by unit of thought, with what can be
 * done at test time to make the answers better: more units, halting, the same puzzle
 * asked in several ways, noise, several models.
 *
 * @module
 */
import type { Device } from "../core/device.ts";
import { Random } from "../core/random.ts";
import { scope } from "../core/scope.ts";
import { type Answers, infer, type Noise } from "../models/inference.ts";
import type { Model } from "../models/model.ts";
import { type Puzzle, type Task, tokenBatch, type Variant } from "./tasks/task.ts";

/** How to think. */
export interface ThinkOptions {
  /** The most units of thought; by default as many as in training. */
  readonly units?: number;
  /** Whether a puzzle is left alone once the model wants to halt on it. */
  readonly halt?: boolean;
  /** Where the models lie. */
  readonly device?: Device;
  /** Ways in which each puzzle is asked, as it is the first; default 1. */
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
  /** Where the random numbers of symmetries and noise start; default 0. */
  readonly seed?: number;
  /** Questions at a time; default 256. */
  readonly batchSize?: number;
}

/** Which of several answers counts. */
export type Choice = "vote" | "q";

/** One answer to one puzzle. */
export interface Candidate {
  /** As its task writes answers. */
  readonly answer: Uint8Array;
  /** The logit of halting; null for a model that has none. */
  readonly haltLogit: number | null;
  /** Units of thought that it took. */
  readonly units: number;
}

/** What is answered after one unit of thought. */
export interface Thought {
  /** One answer for each puzzle. */
  readonly answers: readonly Uint8Array[];
  /** The logit of halting for each puzzle; null for a model that has none. */
  readonly haltLogits: readonly number[] | null;
  /** Units of thought done for each puzzle, in the mean over what was chosen from. */
  readonly units: readonly number[];
  /** For each puzzle, the different answers that were chosen from, the chosen one first. */
  readonly ranked: readonly (readonly Candidate[])[];
}

/** The random stream of one seed that draws symmetries. */
const SYMMETRY_STREAM = 5;
/** Noise has a stream for each question, from here on; each run has a seed of its own. */
const NOISE_STREAM = 2 ** 24;

/** A puzzle asked in one way, and what came of it after each unit of thought. */
interface Trajectory {
  readonly owner: number;
  readonly candidates: readonly Candidate[];
}

/** What models answer after each unit of thought; of several answers, the one chosen. */
export function think<P extends Puzzle>(
  task: Task<P>,
  models: readonly Model[],
  puzzles: readonly P[],
  options: ThinkOptions = {},
): Thought[] {
  const { votes = 1, samples = 1, noise = 0, seed = 0 } = options;
  const random = new Random(seed, SYMMETRY_STREAM);
  const asked = puzzles.flatMap((puzzle, owner) =>
    task.vary(puzzle, votes, random).map((variant) => ({ owner, variant }))
  );
  const runs: Trajectory[] = [];
  for (const model of models) {
    for (let sample = 0; sample < samples; sample++) {
      const randomOf = (row: number) => new Random(seed + 2 ** 32 * sample, NOISE_STREAM + row);
      runs.push(...ask(task, model, asked, options, noise > 0 ? { std: noise, randomOf } : null));
    }
  }
  const rule = options.choose ??
    (samples > 1 && votes === 1 && models.length === 1 ? "q" : "vote");
  const byPuzzle = Map.groupBy(runs, ({ owner }) => owner);
  const length = Math.max(...runs.map(({ candidates }) => candidates.length));
  return Array.from({ length }, (_, unit) =>
    thoughtOf(
      puzzles.map((_, i) =>
        byPuzzle.get(i)!.map(({ candidates }) => candidates[unit] ?? candidates.at(-1)!)
      ),
      rule,
    ));
}

function thoughtOf(candidates: readonly Candidate[][], rule: Choice): Thought {
  const ranked = candidates.map((all) => rank(all, rule));
  const chosen = ranked.map((all) => all[0]!);
  const logits = chosen.map(({ haltLogit }) => haltLogit);
  return {
    answers: chosen.map(({ answer }) => answer),
    haltLogits: logits.includes(null) ? null : logits as number[],
    units: candidates.map((all) => all.reduce((sum, { units }) => sum + units, 0) / all.length),
    ranked,
  };
}

/** Thoughts about some puzzles each, of equal depth, as thoughts about all of them. */
export function joinThoughts(parts: readonly (readonly Thought[])[]): Thought[] {
  const given = parts.filter((thoughts) => thoughts.length > 0);
  return (given[0] ?? []).map((_, unit) => {
    const all = given.map((thoughts) => thoughts[unit]!);
    const logits = all.flatMap<number | null>(({ haltLogits }) => haltLogits ?? [null]);
    return {
      answers: all.flatMap(({ answers }) => answers),
      haltLogits: logits.includes(null) ? null : logits as number[],
      units: all.flatMap(({ units }) => units),
      ranked: all.flatMap(({ ranked }) => ranked),
    };
  });
}

interface Asked<P extends Puzzle> {
  readonly owner: number;
  readonly variant: Variant<P>;
}

/** What one model answers after each unit of thought. */
function ask<P extends Puzzle>(
  task: Task<P>,
  model: Model,
  asked: readonly Asked<P>[],
  { device = "cpu", batchSize = 256, units, halt = false }: ThinkOptions,
  noise: Noise | null,
): Trajectory[] {
  const trajectories: Trajectory[] = [];
  for (let start = 0; start < asked.length; start += batchSize) {
    using _ = scope();
    const part = asked.slice(start, start + batchSize);
    const question = tokenBatch(part.map(({ variant }) => task.encode(variant.puzzle)), device);
    const answers = infer(model, question, {
      ...(units === undefined ? {} : { units }),
      halt,
      noise: noise && { ...noise, randomOf: (row) => noise.randomOf(start + row) },
    });
    part.forEach(({ owner, variant }, row) => {
      const candidates = answers.map((all) => candidateOf(task, all, row, variant));
      trajectories.push({ owner, candidates });
    });
  }
  return trajectories;
}

function candidateOf<P extends Puzzle>(
  task: Task<P>,
  { tokens, haltLogits, units }: Answers,
  row: number,
  { puzzle, undo }: Variant<P>,
): Candidate {
  const length = tokens.length / units.length;
  const answer = undo(task.decode(tokens.subarray(row * length, (row + 1) * length), puzzle));
  return { answer, haltLogit: haltLogits?.[row] ?? null, units: units[row]! };
}

/**
 * The different answers among candidates, the best first; of each, the surest candidate.
 * By votes, ties are broken by the mean probability of being right that their halting
 * logits say.
 */
export function rank(candidates: readonly Candidate[], rule: Choice): Candidate[] {
  if (candidates.length === 1) return [...candidates];
  const groups = Map.groupBy(candidates, ({ answer }) => answer.join());
  const scored = [...groups.values()].map((group) => ({
    votes: group.length,
    sureness: group.reduce((sum, c) => sum + sigmoid(q(c)), 0) / group.length,
    best: group.reduce((a, b) => q(b) > q(a) ? b : a),
  }));
  scored.sort((a, b) =>
    rule === "q" ? q(b.best) - q(a.best) : b.votes - a.votes || b.sureness - a.sureness
  );
  return scored.map(({ best }) => best);
}

function q({ haltLogit }: Candidate): number {
  return haltLogit ?? 0;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
