/**
 * Adaptive computation: a model thinks in segments, and each row of a batch goes on
 * until it halts; then the row takes in the next puzzle. One segment is one
 * optimiser step (deep supervision), and nothing flows back across segments.
 *
 * Source: Wang et al. 2025, arXiv:2506.21734 §2; sapientinc/HRM@42410da
 * models/hrm/hrm_act_v1.py.
 *
 * @module
 */
import { fromTypedArray, full, zeros } from "../core/create.ts";
import type { Device } from "../core/device.ts";
import type { Random } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";

/** Puzzles as a model sees them; all integers are int32. */
export interface Batch {
  /** Tokens, `[B, L]`. */
  readonly inputs: Tensor;
  /** Wanted tokens, `[B, L]`; −100 where none is wanted. */
  readonly labels: Tensor;
  /** Which puzzle each row is, `[B]`. */
  readonly puzzleIdentifiers: Tensor;
}

/** The states of a recursive model, each `[B, …]`. */
export type States = Readonly<Record<string, Tensor>>;

/** What goes from one segment to the next. */
export interface Carry<S extends States> {
  /** What the model remembers. */
  readonly states: S;
  /** Segments done for each row, int32 `[B]`. */
  readonly steps: Tensor;
  /** Which rows are done and take in a new puzzle at the next segment, bool `[B]`. */
  readonly halted: Tensor;
  /** The puzzle that each row is working on. */
  readonly data: Batch;
}

/** When a row may halt. */
export interface HaltingConfig {
  /** The most segments for one puzzle, `M_max`. */
  readonly haltMaxSteps: number;
  /** How often a row must go on for a random number of segments. */
  readonly haltExplorationProb: number;
}

/** A carry with every row halted, so that the first segment takes in the whole batch. */
export function initialCarry<S extends States>(initial: S, batch: Batch): Carry<S> {
  const rows = batch.inputs.shape[0]!;
  const { device } = batch.inputs;
  const states = mapStates(initial, (z) => z.expand([rows, ...z.shape.slice(1)]).clone());
  return {
    states,
    steps: zeros([rows], { dtype: "int32", device }),
    halted: full([rows], 1, { dtype: "bool", device }),
    data: {
      inputs: batch.inputs.zerosLike(),
      labels: batch.labels.zerosLike(),
      puzzleIdentifiers: batch.puzzleIdentifiers.zerosLike(),
    },
  };
}

/** Gives every halted row the initial states, no segments, and the batch's row. */
export function refill<S extends States>(
  carry: Carry<S>,
  batch: Batch,
  initial: S,
): { states: S; steps: Tensor; data: Batch } {
  const { halted } = carry;
  const choose = (fresh: Tensor, kept: Tensor) =>
    halted.reshape([-1, ...kept.shape.slice(1).map(() => 1)]).where(fresh, kept);
  return {
    states: mapStates(carry.states, (z, name) => choose(initial[name]!, z)),
    steps: choose(zeros([], { dtype: "int32", device: carry.steps.device }), carry.steps),
    data: {
      inputs: choose(batch.inputs, carry.data.inputs),
      labels: choose(batch.labels, carry.data.labels),
      puzzleIdentifiers: choose(batch.puzzleIdentifiers, carry.data.puzzleIdentifiers),
    },
  };
}

/**
 * Which rows halt in training: those at the last segment, and those that want to,
 * unless exploration makes them go on. The draw is repeated at every segment, as
 * the reference does.
 *
 * @param steps segments done, this one included
 * @param wants which rows want to halt
 * @param last which rows are at the last segment
 */
export function haltInTraining(
  { steps, wants, last }: { steps: Tensor; wants: Tensor; last: Tensor },
  { haltMaxSteps, haltExplorationProb }: HaltingConfig,
  random: Random,
): Tensor {
  if (haltMaxSteps <= 1) return last;
  const halted = last.logicalOr(wants);
  if (haltExplorationProb <= 0) return halted;
  const least = explorationFloor(steps.size, { haltMaxSteps, haltExplorationProb }, random);
  return halted.logicalAnd(steps.ge(fromTypedArray(least).to(steps.device)));
}

/** The least number of segments for each row: with probability ε uniform in `2 … M_max`, else 0. */
function explorationFloor(
  rows: number,
  { haltMaxSteps, haltExplorationProb }: HaltingConfig,
  random: Random,
): Int32Array {
  return Int32Array.from({ length: rows }, () => {
    const explores = random.uniform() < haltExplorationProb;
    const floor = 2 + random.below(haltMaxSteps - 1);
    return explores ? floor : 0;
  });
}

/** Applies `map` to every state. */
export function mapStates<S extends States>(
  states: S,
  map: (z: Tensor, name: string) => Tensor,
): S {
  const mapped = Object.entries(states).map(([name, z]) => [name, map(z, name)]);
  return Object.fromEntries(mapped) as S;
}

/** Every tensor of a carry, by name: what outlives a segment, and what a checkpoint holds. */
export function carryTensors<S extends States>(carry: Carry<S>): Record<string, Tensor> {
  return { ...carry.states, steps: carry.steps, halted: carry.halted, ...carry.data };
}

/** The carry of tensors that {@link carryTensors} named. */
export function carryOf<S extends States>(tensors: Readonly<Record<string, Tensor>>): Carry<S> {
  const { steps, halted, inputs, labels, puzzleIdentifiers, ...states } = tensors;
  return {
    states: states as unknown as S,
    steps: steps!,
    halted: halted!,
    data: { inputs: inputs!, labels: labels!, puzzleIdentifiers: puzzleIdentifiers! },
  };
}

/** Integers of a batch on a device. */
export function batchOf(
  rows: { inputs: Int32Array; labels: Int32Array; puzzleIdentifiers: Int32Array },
  length: number,
  device: Device = "cpu",
): Batch {
  const shape = [rows.puzzleIdentifiers.length, length];
  return {
    inputs: fromTypedArray(rows.inputs, shape, { device }),
    labels: fromTypedArray(rows.labels, shape, { device }),
    puzzleIdentifiers: fromTypedArray(rows.puzzleIdentifiers, undefined, { device }),
  };
}
