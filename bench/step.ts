// Times a model in Ponder, a training step or so many segments of thinking: one process, so
// that a peer can take turns with it.
//
//   deno run -A bench/step.ts FILE '{"model": {"kind": "hrm", …}, "batch": 32, …}'
//
// Reads the weights and the batch of bench/weights.ts from FILE, computes on that batch at every
// step, and prints one line of JSON, a Turn: step_ms and losses without the warm-up, first_loss of
// the very first step, or of one segment; peak_rss_mb; flops of a step. With a "device" its steps
// are queued one behind the other, and step_ms has their mean alone.
import { fromBytes, randn } from "../core/create.ts";
import { countFlops } from "../core/flops.ts";
import { withSafetensors } from "../core/io/safetensors.ts";
import { loadStateDict, namedParameters } from "../core/nn/module.ts";
import { adamATan2 } from "../core/optim/adam.ts";
import { Random } from "../core/random.ts";
import { scope } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { loadLibrary, peakBytes, resetPeakBytes } from "../ffi/mod.ts";
import { makeModel, type ModelConfig } from "../models/family.ts";
import type { Batch, Carry, Model } from "../models/model.ts";
import { segmentLoss } from "../models/supervision.ts";
import {
  queueStep,
  readReports,
  type StepReport,
  type Trainee,
  trainStep,
  type UnreadReport,
} from "../zoo/step.ts";
import type { Turn } from "./turns.ts";
import type { StepWork } from "./works.ts";

/** What is timed, and how. */
export interface StepPreset extends StepWork {
  /** Threads for one operation. */
  readonly threads: number;
  /** Steps that are timed, … */
  readonly steps: number;
  /** … after so many that are not. */
  readonly warmup: number;
  /** Whether to measure how fast this machine multiplies matrices, after the steps. */
  readonly ceiling?: boolean;
}

/** The model with nothing random in training, and at its full depth from the first step on. */
function settled(model: ModelConfig): ModelConfig {
  if ("haltExplorationProb" in model) return { ...model, haltExplorationProb: 0 };
  if (model.kind !== "looped") return { ...model, dropout: 0 };
  if (model.objective === "window") return { ...model, dropout: 0, loopsStart: model.loops };
  throw new RangeError("Cannot time the progressive objective: it draws its numbers of loops");
}

/** The model and the batch that bench/weights.ts wrote. */
function readWork(
  file: string,
  { model: config, device = "cpu" }: StepPreset,
): { model: Model; batch: Batch } {
  return withSafetensors(file, ({ tensors }) => {
    const model = makeModel(settled(config), { random: new Random(1), device });
    const weights = [...tensors].filter(([name]) => name.startsWith("model."));
    loadStateDict(model, new Map(weights), "model.");
    const part = (name: string) => {
      const { data, shape, dtype } = tensors.get(`batch/${name}`)!;
      return fromBytes(data, shape, { dtype, device });
    };
    const batch = {
      inputs: part("inputs"),
      labels: part("labels"),
      puzzleIdentifiers: part("puzzle_identifiers"),
    };
    return { model, batch };
  });
}

function main(file: string, preset: StepPreset): void {
  loadLibrary({ threads: preset.threads });
  const { model, batch } = readWork(file, preset);
  if (preset.device !== undefined) {
    console.log(JSON.stringify(queuedTurn(model, batch, preset)));
    return;
  }
  const step = preset.segments === undefined
    ? trainer(model, batch)
    : thinker(model, batch, preset.segments);
  const afterOne = preset.segments === undefined ? null : thinker(model, batch, 1)();
  const times: number[] = [], losses: number[] = [];
  let flops = 0;
  for (let i = 0; i < preset.warmup + preset.steps; i++) {
    if (i === preset.warmup) resetPeakBytes();
    const began = performance.now();
    flops = countFlops(() => losses.push(step()));
    times.push(performance.now() - began);
  }
  const turn: Turn = {
    step_ms: times.slice(preset.warmup),
    losses: losses.slice(preset.warmup),
    first_loss: afterOne ?? losses[0]!,
    peak_rss_mb: peakMegabytes(), // before the products
    peak_tensor_bytes: peakBytes(),
    flops,
    product_gflops: preset.ceiling ? productSpeed(preset) : null,
  };
  console.log(JSON.stringify(turn));
}

/**
 * Steps that are queued one behind the other, as a run on a GPU does them: what they report is
 * read after the last. The time of one is that of all by their number.
 */
function queuedTurn(model: Model, batch: Batch, { device, warmup, steps }: StepPreset): Turn {
  const rows = batch.inputs.shape[0]!, trainee = traineeOf(model);
  let carry: Carry = model.initialCarry(batch), step = 0;
  const queue = (count: number): UnreadReport[] =>
    Array.from({ length: count }, () => {
      const training = { random: new Random(3), step: step++ };
      const result = queueStep(trainee, carry, batch, RATES, training);
      carry = result.carry;
      return result.report;
    });
  const first = readReports(queue(Math.max(1, warmup)));
  resetPeakBytes();
  const began = performance.now();
  let reports: StepReport[] = [];
  const flops = countFlops(() => reports = readReports(queue(steps))) / steps;
  const ms = (performance.now() - began) / steps;
  return {
    step_ms: [ms],
    losses: reports.map(({ loss }) => loss * rows),
    first_loss: first[0]!.loss * rows,
    peak_rss_mb: peakMegabytes(),
    peak_device_bytes: device === "cpu" ? null : peakBytes(),
    flops,
  };
}

const RATES = { lr: 1e-4, puzzleEmbLr: 1e-4 } as const;

function traineeOf(model: Model): Trainee {
  const optimizer = adamATan2(namedParameters(model), {
    betas: [0.9, 0.95],
    weightDecay: 1,
    convention: "imoneoi",
  });
  return {
    model,
    optimizer,
    ema: null,
    loss: "stablemax",
    clipNorm: 0,
    puzzleEmbWeightDecay: 1,
  };
}

/** Trains on the batch, a step a call, and returns the loss summed over its rows. */
function trainer(model: Model, batch: Batch): () => number {
  const trainee = traineeOf(model);
  let carry: Carry = model.initialCarry(batch), step = 0;
  return () => {
    const training = { random: new Random(3), step: step++ };
    const result = trainStep(trainee, carry, batch, RATES, training);
    carry = result.carry;
    return result.report.loss * batch.inputs.shape[0]!;
  };
}

/** Thinks about the batch from the start at every call, and returns the loss of the answer. */
function thinker(model: Model, batch: Batch, segments: number): () => number {
  return () => {
    using _ = scope();
    let states = model.start(batch), logits: Tensor | null = null;
    for (let segment = 0; segment < segments; segment++) {
      using inner = scope();
      const thought = model.think(states, batch);
      inner.keep([...Object.values(thought.states), thought.logits]);
      for (const old of [...Object.values(states), logits]) old?.dispose();
      ({ states, logits } = thought);
    }
    const supervised = [{ logits: logits!, weight: 1 }];
    const outputs = { logits: logits!, supervised, qHalt: null, qContinue: null };
    return segmentLoss({ ...outputs, targetQContinue: null }, batch.labels, "stablemax").lm.item();
  };
}

/**
 * Billions of operations a second in the faster of two products of about the size of the
 * step's largest, at its threads and dtype: a ceiling for what the step could do.
 */
function productSpeed({ model, batch }: StepPreset): number {
  using _ = scope();
  const { hiddenSize, seqLen, forwardDtype } = model;
  const random = new Random(4), rows = batch * (seqLen + 1), inner = 6 * hiddenSize;
  const [x, w, y] = [[rows, hiddenSize], [inner, hiddenSize], [rows, inner]]
    .map((shape) => randn(shape, random).to(forwardDtype)) as [Tensor, Tensor, Tensor];
  const seconds = [() => x.matmul(w.transpose(0, 1)), () => y.matmul(w)].flatMap((product) =>
    Array.from({ length: 15 }, () => {
      const began = performance.now();
      product().dispose();
      return (performance.now() - began) / 1e3;
    })
  );
  const operations = 2 * rows * hiddenSize * inner;
  return operations / Math.min(...seconds) / 1e9;
}

/** The most memory that this process ever held. */
function peakMegabytes(): number | null {
  const status = Deno.readTextFileSync("/proc/self/status");
  const match = /VmHWM:\s+(\d+) kB/.exec(status);
  return match === null ? null : Number(match[1]) / 1024;
}

if (import.meta.main) main(Deno.args[0]!, JSON.parse(Deno.args[1]!));
