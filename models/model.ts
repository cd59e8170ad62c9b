/**
 * What the training loop, the evaluation and the commands ask of a model, and
 * what they hand it. A model knows no task: it sees tokens.
 *
 * @module
 */
import { fromTypedArray } from "../core/create.ts";
import type { Device } from "../core/device.ts";
import type { LayerOptions } from "../core/nn/linear.ts";
import type { Random } from "../core/random.ts";
import { cat, type Tensor } from "../core/tensor.ts";

/** Puzzles as a model sees them; all integers are int32. */
export interface Question {
  /** Tokens, `[B, L]`. */
  readonly inputs: Tensor;
  /** Which puzzle each row is, `[B]`. */
  readonly puzzleIdentifiers: Tensor;
}

/** Puzzles with their answers. */
export interface Batch extends Question {
  /** Wanted tokens, int32 `[B, L]`; −100 where none is wanted. */
  readonly labels: Tensor;
}

/** The states of a recursive model, each `[B, …]`. */
export type States = Readonly<Record<string, Tensor>>;

/** What goes from one training step to the next. */
export interface Carry<S extends States = States> {
  /** What the model remembers. */
  readonly states: S;
  /** Units of thought done for each row, int32 `[B]`. */
  readonly steps: Tensor;
  /** Which rows are done and take in a new puzzle at the next step, bool `[B]`. */
  readonly halted: Tensor;
  /** The puzzle that each row is working on. */
  readonly data: Batch;
}

/** What a model has to say after a unit of thought. */
export interface Thought<S extends States = States> {
  /** The states after it. */
  readonly states: S;
  /** Logits of every token, `[B, L, V]`. */
  readonly logits: Tensor;
  /** Logit of halting, float32 `[B]`; null for a model that has none. */
  readonly qHalt: Tensor | null;
  /** Which rows want to halt, bool `[B]`; null for a model that never does. */
  readonly wantsToHalt: Tensor | null;
}

/** What a training step gives out for the loss. */
export interface Outputs {
  /** Logits of the answer, `[B, L, V]`. */
  readonly logits: Tensor;
  /** What the token loss is taken of, each with its weight; the answer alone if left out. */
  readonly supervised?: readonly { readonly logits: Tensor; readonly weight: number }[];
  /** Logit of halting, float32 `[B]`; null for a model that has none. */
  readonly qHalt: Tensor | null;
  /** Logit of going on, float32 `[B]`; null for a model that has none. */
  readonly qContinue: Tensor | null;
  /** What `qContinue` should have been, as a probability `[B]`; null if it is not trained. */
  readonly targetQContinue: Tensor | null;
}

/** What a training step gives back. */
export interface Step<S extends States = States> {
  /** For the next step. */
  readonly carry: Carry<S>;
  /** For the loss. */
  readonly outputs: Outputs;
  /** The rows of the puzzle table that were used, `[B, puzzleEmbNdim]`: a leaf in training. */
  readonly puzzleRows: Tensor | null;
}

/** What a model needs to know of a training step. */
export interface Training {
  /** Draws whatever is random in training: exploration, dropout, numbers of loops. */
  readonly random: Random;
  /** Optimiser steps done so far. */
  readonly step: number;
  /** Rows of the same batch that go through the model elsewhere, before and after these ones. */
  readonly elsewhere?: { readonly before: number; readonly after: number };
  /** Draws what is dropped, where every process needs numbers of its own; `random` unless given. */
  readonly dropped?: Random;
}

/** How a step is run. */
export interface StepOptions {
  /** Given in training only. */
  readonly training?: Training;
}

/** How deep a model thinks. */
export interface Depth {
  /** What a unit of its thought is called. */
  readonly unit: "segment" | "recurrence" | "loop" | "pass";
  /** Units it is trained with. */
  readonly trained: number;
  /** The most units that it can do. */
  readonly most: number;
}

/** A model. */
export interface Model<S extends States = States> {
  /** How deep it thinks. */
  readonly depth: Depth;
  /** The table of puzzle embeddings, `[N, puzzleEmbNdim]`, which sign-SGD trains; null for none. */
  readonly puzzleTable: Tensor | null;
  /** A carry with every row halted, so that the first step takes in the whole batch. */
  initialCarry(batch: Batch): Carry;
  /** One optimiser step's worth of thought; halted rows first take in the batch's rows. */
  step(carry: Carry, batch: Batch, options?: StepOptions): Step;
  /** The states before the first unit of thought. */
  start(question: Question): S;
  /** One unit of thought. */
  think(states: S, question: Question): Thought<S>;
}

/** What every model is made with. */
export type ModelOptions = LayerOptions;

/** Applies `map` to every state. */
export function mapStates<S extends States>(
  states: S,
  map: (z: Tensor, name: string) => Tensor,
): S {
  const mapped = Object.entries(states).map(([name, z]) => [name, map(z, name)]);
  return Object.fromEntries(mapped) as S;
}

/** Some rows of a carry, as views: those from `start` up to `end`. */
export function sliceCarry(carry: Carry, start: number, end: number): Carry {
  return mapCarry(carry, (t) => t.slice(0, start, end));
}

/** Carries of some rows each as one of all. */
export function joinCarries(parts: readonly Carry[]): Carry {
  const tensors = parts.map(carryTensors);
  return mapCarry(parts[0]!, (_, name) => cat(tensors.map((part) => part[name]!), 0));
}

/** Some rows of a batch, as views: those from `start` up to `end`. */
export function sliceBatch(batch: Batch, start: number, end: number): Batch {
  return mapBatch(batch, (t) => t.slice(0, start, end));
}

function mapCarry(
  { states, steps, halted, data }: Carry,
  map: (t: Tensor, name: string) => Tensor,
): Carry {
  return {
    states: mapStates(states, map),
    steps: map(steps, "steps"),
    halted: map(halted, "halted"),
    data: mapBatch(data, map),
  };
}

function mapBatch(batch: Batch, map: (t: Tensor, name: string) => Tensor): Batch {
  return {
    inputs: map(batch.inputs, "inputs"),
    labels: map(batch.labels, "labels"),
    puzzleIdentifiers: map(batch.puzzleIdentifiers, "puzzleIdentifiers"),
  };
}

/** Every tensor of a carry, by name: what outlives a step, and what a checkpoint holds. */
export function carryTensors(carry: Carry): Record<string, Tensor> {
  return { ...carry.states, steps: carry.steps, halted: carry.halted, ...carry.data };
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
