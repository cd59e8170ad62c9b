// Times a model's training step in Ponder: one process, so that a peer can take turns with it.
//
//   deno run -A bench/step.ts FILE '{"model": {"kind": "hrm", …}, "batch": 32, …}'
//
// Writes the weights and the batch into FILE, trains on that batch at every step, and prints
// one line of JSON: step_ms and losses without the warm-up, first_loss with it, peak_rss_mb.
import { writeFileAtomic } from "../core/io/file.ts";
import { encodeSafetensors } from "../core/io/safetensors.ts";
import { namedParameters, stateDict, type StoredTensor, storeTensor } from "../core/nn/module.ts";
import { adamATan2 } from "../core/optim/adam.ts";
import { Random } from "../core/random.ts";
import { loadLibrary } from "../ffi/mod.ts";
import { makeModel, type ModelConfig } from "../models/family.ts";
import { type Batch, batchOf, type Carry } from "../models/model.ts";
import { trainStep } from "../zoo/step.ts";
import type { StepWork } from "./works.ts";

/** What is timed, and how. */
export interface StepPreset extends StepWork {
  /** Threads for one operation. */
  readonly threads: number;
  /** Steps that are timed, … */
  readonly steps: number;
  /** … after so many that are not. */
  readonly warmup: number;
}

/** The model with nothing random in training, and at its full depth from the first step on. */
function settled(model: ModelConfig): ModelConfig {
  if ("haltExplorationProb" in model) return { ...model, haltExplorationProb: 0 };
  if (model.kind !== "looped") return { ...model, dropout: 0 };
  if (model.objective === "window") return { ...model, dropout: 0, loopsStart: model.loops };
  throw new RangeError("Cannot time the progressive objective: it draws its numbers of loops");
}

function randomBatch({ batch, model: { seqLen, vocabSize } }: StepWork, random: Random): Batch {
  const tokens = (from: number) =>
    Int32Array.from({ length: batch * seqLen }, () => from + random.below(vocabSize - from));
  return batchOf(
    { inputs: tokens(0), labels: tokens(1), puzzleIdentifiers: new Int32Array(batch) },
    seqLen,
  );
}

async function main(file: string, preset: StepPreset): Promise<void> {
  loadLibrary({ threads: preset.threads });
  const model = makeModel(settled(preset.model), { random: new Random(1) });
  const batch = randomBatch(preset, new Random(2));
  const entries = new Map<string, StoredTensor>(stateDict(model, "model."));
  entries.set("batch/inputs", storeTensor(batch.inputs));
  entries.set("batch/labels", storeTensor(batch.labels));
  entries.set("batch/puzzle_identifiers", storeTensor(batch.puzzleIdentifiers));
  await writeFileAtomic(file, encodeSafetensors(entries));

  const optimizer = adamATan2(namedParameters(model), {
    betas: [0.9, 0.95],
    weightDecay: 1,
    convention: "imoneoi",
  });
  const trainee = {
    model,
    optimizer,
    ema: null,
    loss: "stablemax",
    clipNorm: 0,
    puzzleEmbWeightDecay: 1,
  } as const;
  const rates = { lr: 1e-4, puzzleEmbLr: 1e-4 };
  const times: number[] = [], losses: number[] = [];
  let firstLoss = NaN;
  let carry: Carry = model.initialCarry(batch);
  for (let step = 0; step < preset.warmup + preset.steps; step++) {
    const began = performance.now();
    const result = trainStep(trainee, carry, batch, rates, { random: new Random(3), step });
    const ms = performance.now() - began, loss = result.report.loss * preset.batch;
    if (step === 0) firstLoss = loss;
    if (step >= preset.warmup) {
      times.push(ms);
      losses.push(loss);
    }
    carry = result.carry;
  }
  const turn = { step_ms: times, losses, first_loss: firstLoss, peak_rss_mb: peakMegabytes() };
  console.log(JSON.stringify(turn));
}

/** The most memory that this process ever held. */
function peakMegabytes(): number | null {
  const status = Deno.readTextFileSync("/proc/self/status");
  const match = /VmHWM:\s+(\d+) kB/.exec(status);
  return match === null ? null : Number(match[1]) / 1024;
}

if (import.meta.main) await main(Deno.args[0]!, JSON.parse(Deno.args[1]!));
