/**
 * Thinking about questions to the end: as many units of thought as are wanted, where
 * a row that halts keeps its answer while the others go on.
 *
 * @module
 */
import { noGrad } from "../core/autograd.ts";
import { fromTypedArray } from "../core/create.ts";
import type { Random } from "../core/random.ts";
import { scope } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { mapStates, type Model, type Question, type States, type Thought } from "./model.ts";

/** Noise in the recursion. */
export interface Noise {
  /** Its deviation. */
  readonly std: number;
  /** Draws that of a row, so that it does not depend on the rows beside it. */
  readonly randomOf: (row: number) => Random;
}

/** How to think. */
export interface InferenceOptions {
  /** The most units of thought; by default as many as in training. */
  readonly units?: number;
  /** Whether a row stops where it wants to; by default every row does all units. */
  readonly halt?: boolean;
  /** Added to the states before every unit, as in PTRM (Sghaier et al. 2026, arXiv:2605.19943). */
  readonly noise?: Noise | null;
  /** Whether answers come with the probability of every token; costs nothing where they do not. */
  readonly probabilities?: boolean;
  /** Asked before every unit but the first: whether the units so far are enough. */
  readonly stopped?: () => boolean;
}

/** The answers after a unit of thought; those of rows that have halted are as they were then. */
export interface Answers {
  /** The likeliest tokens, `[B, L]` row by row. */
  readonly tokens: Int32Array;
  /** How likely each token is, `[B, L, V]` row by row; null unless they are asked for. */
  readonly probabilities: Float32Array | null;
  /** The logit of halting of each row; null for a model that has none. */
  readonly haltLogits: Float64Array | null;
  /** Units of thought that each row has done. */
  readonly units: Uint32Array;
}

/** The rows that still think. */
interface Thinking {
  /** Where each of them is in the answers. */
  readonly places: readonly number[];
  readonly question: Question;
  readonly states: States;
}

/**
 * What a model answers after each unit of thought, until all rows have halted or the
 * units are used up. Rows that have halted are not computed any more.
 *
 * @throws {RangeError} when the model cannot think as deep, or never halts and should
 */
export function infer(
  model: Model,
  question: Question,
  options: InferenceOptions = {},
): Answers[] {
  const { most } = model.depth;
  const { units = model.depth.trained, halt = false, noise = null } = options;
  const { probabilities = false, stopped = () => false } = options;
  if (!Number.isInteger(units) || units < 1 || units > most) {
    throw new RangeError(`Cannot think for ${units} units: the model does 1 to ${most}`);
  }
  return noGrad(() => {
    using _ = scope();
    const [rows, length] = question.inputs.shape as [number, number];
    const answers: Answers[] = [];
    const drawNoise = noise === null ? null : noiseFor(rows, noise);
    let thinking: Thinking = {
      places: Array.from({ length: rows }, (_, i) => i),
      question: { // the caller's own are not freed below
        inputs: question.inputs.detach(),
        puzzleIdentifiers: question.puzzleIdentifiers.detach(),
      },
      states: model.start(question),
    };
    while (answers.length < units && thinking.places.length > 0) {
      if (answers.length > 0 && stopped()) break;
      using inner = scope();
      const { states, question, places } = thinking;
      const thought = model.think(
        drawNoise === null ? states : drawNoise(states, places),
        question,
      );
      const before = answers.at(-1) ?? blank(rows, length);
      answers.push(merged(before, places, thought, probabilities));
      const next = halt ? going(thinking, thought) : { ...thinking, states: thought.states };
      inner.keep(tensorsOf(next));
      const kept = new Set(tensorsOf(next));
      for (const tensor of tensorsOf(thinking)) if (!kept.has(tensor)) tensor.dispose();
      thinking = next;
    }
    return answers;
  });
}

function tensorsOf({ question, states }: Thinking): Tensor[] {
  return [...Object.values(question), ...Object.values(states)];
}

/** What adds noise to states, given the rows that they belong to. */
function noiseFor(
  rows: number,
  { std, randomOf }: Noise,
): (states: States, places: readonly number[]) => States {
  const randoms = Array.from({ length: rows }, (_, row) => randomOf(row));
  return (states, places) =>
    mapStates(states, (z) => {
      const size = z.size / places.length;
      const values = new Float32Array(z.size);
      places.forEach((place, row) => {
        const random = randoms[place]!;
        for (let i = 0; i < size; i++) values[row * size + i] = std * random.normal();
      });
      return z.add(fromTypedArray(values, z.shape, { dtype: z.dtype, device: z.device }));
    });
}

/** The rows that do not want to halt. */
function going({ places, question }: Thinking, { wantsToHalt, states }: Thought): Thinking {
  if (wantsToHalt === null) throw new RangeError("Cannot halt: the model has no halting head");
  const wants = wantsToHalt.toNumbers();
  const left = wants.flatMap((wantsTo, row) => wantsTo === 0 ? [row] : []);
  if (left.length === wants.length) return { places, question, states };
  const index = fromTypedArray(BigInt64Array.from(left, BigInt)).to(question.inputs.device);
  const select = (t: Tensor) => t.indexSelect(0, index);
  return {
    places: left.map((row) => places[row]!),
    question: {
      inputs: select(question.inputs),
      puzzleIdentifiers: select(question.puzzleIdentifiers),
    },
    states: mapStates(states, select),
  };
}

function blank(rows: number, length: number): Answers {
  return {
    tokens: new Int32Array(rows * length),
    probabilities: null,
    haltLogits: null,
    units: new Uint32Array(rows),
  };
}

/** The answers before, with those of the rows that still think in their places. */
function merged(
  before: Answers,
  places: readonly number[],
  thought: Thought,
  withProbabilities: boolean,
): Answers {
  const tokens = before.tokens.slice(), units = before.units.slice();
  const length = tokens.length / units.length;
  const fresh = thought.logits.argmax(-1).to("int32").toTypedArray() as Int32Array;
  const q = thought.qHalt?.toNumbers() ?? null;
  const haltLogits = q === null
    ? null
    : before.haltLogits?.slice() ?? new Float64Array(units.length);
  places.forEach((place, row) => {
    tokens.set(fresh.subarray(row * length, (row + 1) * length), place * length);
    units[place]!++;
    if (haltLogits !== null) haltLogits[place] = q![row]!;
  });
  const probabilities = withProbabilities
    ? mergedProbabilities(before, places, thought.logits)
    : null;
  return { tokens, probabilities, haltLogits, units };
}

function mergedProbabilities(
  { probabilities: before, units }: Answers,
  places: readonly number[],
  logits: Tensor,
): Float32Array {
  const fresh = logits.to("float32").softmax(-1).toTypedArray() as Float32Array;
  const size = fresh.length / places.length;
  const probabilities = before?.slice() ?? new Float32Array(units.length * size);
  places.forEach((place, row) =>
    probabilities.set(fresh.subarray(row * size, (row + 1) * size), place * size)
  );
  return probabilities;
}
