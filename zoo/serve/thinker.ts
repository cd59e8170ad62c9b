/**
 * Models that think about one puzzle at a time: what the worker of the playground does.
 *
 * @module
 */
import { join } from "@std/path";
import type { Device } from "../../core/device.ts";
import { apart, type Scope, scope } from "../../core/scope.ts";
import { type Answers, infer } from "../../models/inference.ts";
import type { Model } from "../../models/model.ts";
import type { ArcQuestion } from "../tasks/arc.ts";
import type { TaskConfig } from "../recipe.ts";
import { changedCells, type Puzzle, type Task, tokenBatch } from "../tasks/task.ts";
import { makeTask } from "../tasks/tasks.ts";
import { loadWeights } from "../weights.ts";
import {
  type Grid,
  type ModelDetails,
  MOST_UNITS,
  Refusal,
  type Sample,
  type SolveReply,
  type SolveRequest,
  type UnitReply,
} from "./protocol.ts";

/** How many models stay in memory. */
const MOST_MODELS = 6;
/** How many held-out puzzles are shown, and how many they are picked from. */
const SAMPLES = 24, DRAWN = 96;

interface Loaded {
  readonly model: Model;
  /** Owns all tensors of the model. */
  readonly owner: Scope;
  readonly config: TaskConfig;
  readonly task: Task;
  readonly seed: number;
  /** When the weights were written: a run may write better ones. */
  readonly written: number;
}

/** Loads models when they are asked, keeps the latest, and lets them think. */
export class Thinker {
  readonly #device: Device;
  readonly #loaded = new Map<string, Loaded>();

  /** One that has loaded nothing yet. */
  constructor(device: Device = "cpu") {
    this.#device = device;
  }

  /** What is known of the model in a folder, with held-out puzzles. */
  describe(folder: string): ModelDetails {
    const { model: { depth }, config, task, seed } = this.#load(folder);
    return {
      ...{ kind: config.kind, title: task.title, size: config.size, ratingTitle: task.ratingTitle },
      ...{ unit: depth.unit, trained: depth.trained, most: Math.min(depth.most, MOST_UNITS) },
      samples: samplesOf(config, seed),
    };
  }

  /**
   * What the model in a folder answers after each unit of thought, until `stopped` says so.
   *
   * @throws {Refusal} when the puzzle cannot be read, or the model cannot think as deep
   */
  solve(
    folder: string,
    { puzzle: text, number, units }: Omit<SolveRequest, "model">,
    stopped: () => boolean = () => false,
  ): SolveReply {
    const { model, config, task, seed } = this.#load(folder);
    const puzzle = refusing(() => task.read(text, seed, { number }));
    const { inputs, labels, puzzleIdentifier } = task.encode(puzzle);
    using _ = scope();
    const question = tokenBatch([{ inputs, labels, puzzleIdentifier }], this.#device);
    const answers = refusing(() =>
      infer(model, question, {
        ...(units === undefined ? {} : { units }),
        ...{ probabilities: true, stopped },
      })
    );
    const replies = answersInTurn(task, puzzle, answers, (cells) => gridOf(config, cells));
    const known = Int32Array.from(labels, (token) => Math.max(0, token)); // −100: no cell
    return {
      question: gridOf(config, task.question(puzzle)),
      solution: known.some((token) => token > 0)
        ? gridOf(config, task.decode(known, puzzle))
        : null,
      rating: puzzle.rating,
      units: replies,
    };
  }

  #load(folder: string): Loaded {
    const before = this.#loaded.get(folder);
    const written = writtenAt(folder);
    this.#loaded.delete(folder);
    if (before?.written === written) {
      this.#loaded.set(folder, before); // now the latest
      return before;
    }
    before?.owner[Symbol.dispose]();
    for (const [name, { owner }] of this.#loaded) {
      if (this.#loaded.size < MOST_MODELS) break;
      owner[Symbol.dispose]();
      this.#loaded.delete(name);
    }
    const loaded = { ...loadApart(folder, this.#device), written };
    this.#loaded.set(folder, loaded);
    return loaded;
  }
}

/** A model whose tensors live until their owner is disposed, not until the caller's scope ends. */
function loadApart(folder: string, device: Device): Omit<Loaded, "written"> {
  return apart(() => {
    const owner = scope();
    const { model, saved: { config } } = loadWeights(folder, device);
    return {
      model,
      owner,
      config: config.task,
      task: makeTask(config.task),
      seed: config.run.seed,
    };
  });
}

function writtenAt(folder: string): number {
  return Deno.statSync(join(folder, "model.safetensors")).mtime?.getTime() ?? 0;
}

/** Runs `body`; what it cannot use is what the user gave. */
function refusing<T>(body: () => T): T {
  try {
    return body();
  } catch (cause) {
    const isUsers = [TypeError, SyntaxError, RangeError].some((kind) => cause instanceof kind);
    throw isUsers ? new Refusal((cause as Error).message, { cause }) : cause;
  }
}

function answersInTurn(
  task: Task,
  puzzle: Puzzle,
  answers: readonly Answers[],
  grid: (cells: Uint8Array) => Grid,
): UnitReply[] {
  let before: Uint8Array | undefined;
  return answers.map(({ tokens, haltLogits, probabilities }) => {
    const answer = task.decode(tokens, puzzle);
    const { cells, valid } = task.judge(puzzle, answer);
    const changed = [...changedCells(task, answer, before)];
    before = answer;
    return {
      ...{ answer: grid(answer), changed },
      haltLogit: haltLogits?.[0] ?? null,
      probabilities: Array.from(probabilities!, (p) => Math.round(p * 1000)),
      solved: cells === 0 ? null : valid,
    };
  });
}

/** Cells as a task writes them, as a grid; those of ARC begin with rows and columns. */
function gridOf({ kind, size }: TaskConfig, cells: Uint8Array): Grid {
  if (kind !== "arc") return { rows: size, columns: size, cells: [...cells] };
  return { rows: cells[0]!, columns: cells[1]!, cells: [...cells.subarray(2)] };
}

/** Held-out puzzles of all ratings, the easiest first; none where their file is missing. */
function samplesOf(config: TaskConfig, seed: number): Sample[] {
  // generated ones come in a fixed order; of ARC, the number decides which task is which
  const few = config.kind === "arc"
    ? config
    : { ...config, testPuzzles: Math.min(config.testPuzzles, DRAWN) };
  const task = makeTask(few);
  let puzzles: readonly Puzzle[];
  try {
    puzzles = task.heldOut(seed);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  const sorted = puzzles.toSorted((a, b) => a.rating - b.rating);
  const count = Math.min(SAMPLES, sorted.length);
  const places = Array.from(
    { length: count },
    (_, i) => Math.round(i * (sorted.length - 1) / Math.max(1, count - 1)),
  );
  return places.map((place) => sampleOf(task, config, sorted[place]!));
}

function sampleOf(task: Task, config: TaskConfig, puzzle: Puzzle): Sample {
  const question = gridOf(config, task.question(puzzle));
  const { rating } = puzzle;
  if (config.kind !== "arc") {
    return { puzzle: task.format(task.question(puzzle)), number: 1, rating, question };
  }
  const { task: { name, train }, test } = puzzle as ArcQuestion;
  const plain = (
    { rows, columns, cells }: Grid | ArcQuestion["task"]["train"][number]["input"],
  ) => ({ rows, columns, cells: [...cells] });
  const demonstrations = train.map(({ input, output }) => {
    return { input: plain(input), output: plain(output) };
  });
  return { puzzle: name, number: test + 1, rating, question, demonstrations };
}
