// Measures a training step of an HRM of one size: one process, so that its memory is its own.
//
//   deno run -A bench/growth_point.ts '{"model": {"kind": "hrm", …}, "batch": 32, "threads": 2, …}'
import { namedParameters } from "../core/nn/module.ts";
import { adamATan2 } from "../core/optim/adam.ts";
import { Random } from "../core/random.ts";
import { loadLibrary, peakBytes, resetPeakBytes } from "../ffi/mod.ts";
import { makeModel } from "../models/family.ts";
import type { HrmConfig } from "../models/hrm.ts";
import { type Batch, batchOf, type Carry } from "../models/model.ts";
import { trainStep } from "../zoo/step.ts";

/** What is measured. */
export interface PointOptions {
  readonly model: HrmConfig;
  readonly batch: number;
  readonly threads: number;
  /** Steps before the clock starts, and those that are timed. */
  readonly warmup: number;
  readonly steps: number;
}

/** A measurement. */
export interface PointCost {
  /** Milliseconds of each step. */
  readonly stepMs: readonly number[];
  /** The most bytes of tensors that lived at once in a step: weights, optimiser and activations. */
  readonly tensorBytes: number;
  /** The most memory that the process ever held. */
  readonly processBytes: number;
}

function randomBatch({ batch, model: { seqLen, vocabSize } }: PointOptions): Batch {
  const random = new Random(2);
  const tokens = () =>
    Int32Array.from({ length: batch * seqLen }, () => 1 + random.below(vocabSize - 1));
  const puzzleIdentifiers = new Int32Array(batch);
  return batchOf({ inputs: tokens(), labels: tokens(), puzzleIdentifiers }, seqLen);
}

function measure(options: PointOptions): PointCost {
  loadLibrary({ threads: options.threads });
  const model = makeModel(options.model, { random: new Random(1) });
  const optimizer = adamATan2(namedParameters(model), {
    betas: [0.9, 0.95],
    weightDecay: 1,
    convention: "imoneoi",
  });
  const trainee = {
    ...{ model, optimizer, ema: null, loss: "stablemax" as const },
    ...{ clipNorm: 0, puzzleEmbWeightDecay: 1 },
  };
  const batch = randomBatch(options), rates = { lr: 1e-4, puzzleEmbLr: 1e-4 };
  const stepMs: number[] = [];
  let carry: Carry = model.initialCarry(batch);
  for (let step = 0; step < options.warmup + options.steps; step++) {
    if (step === options.warmup) resetPeakBytes();
    const began = performance.now();
    ({ carry } = trainStep(trainee, carry, batch, rates, { random: new Random(3), step }));
    if (step >= options.warmup) stepMs.push(performance.now() - began);
  }
  return { stepMs, tensorBytes: peakBytes(), processBytes: peakResidentBytes() };
}

function peakResidentBytes(): number {
  const match = /VmHWM:\s+(\d+) kB/.exec(Deno.readTextFileSync("/proc/self/status"));
  return Number(match![1]) * 1024;
}

if (import.meta.main) console.log(JSON.stringify(measure(JSON.parse(Deno.args[0]!))));
