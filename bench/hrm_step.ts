// Times HRM's training step in Ponder: one process, so that a peer can take turns with it.
//
//   deno run -A bench/hrm_step.ts FILE '{"hiddenSize": 128, …}'
//
// Writes the weights and the batch into FILE, trains on that batch at every step, and prints
// one line of JSON: step_ms and losses without the warm-up, peak_rss_mb.
import { writeFileAtomic } from "../core/io/file.ts";
import { encodeSafetensors } from "../core/io/safetensors.ts";
import { namedParameters, stateDict, type StoredTensor, storeTensor } from "../core/nn/module.ts";
import { adamATan2 } from "../core/optim/adam.ts";
import { Random } from "../core/random.ts";
import { loadLibrary } from "../ffi/mod.ts";
import { type Batch, batchOf, type Carry } from "../models/model.ts";
import { Hrm, hrmPaper } from "../models/hrm.ts";
import { trainStep } from "../zoo/step.ts";

/** What is timed. */
export interface HrmStepPreset {
  readonly hiddenSize: number;
  readonly numHeads: number;
  readonly hLayers: number;
  readonly lLayers: number;
  readonly hCycles: number;
  readonly lCycles: number;
  readonly seqLen: number;
  readonly vocabSize: number;
  readonly mlpMultiple: number;
  readonly batch: number;
  readonly forwardDtype: "float32" | "bfloat16";
  readonly threads: number;
  readonly steps: number;
  readonly warmup: number;
}

function randomBatch({ batch, seqLen, vocabSize }: HrmStepPreset, random: Random): Batch {
  const tokens = (from: number) =>
    Int32Array.from({ length: batch * seqLen }, () => from + random.below(vocabSize - from));
  return batchOf(
    { inputs: tokens(0), labels: tokens(1), puzzleIdentifiers: new Int32Array(batch) },
    seqLen,
  );
}

async function main(file: string, preset: HrmStepPreset): Promise<void> {
  loadLibrary({ threads: preset.threads });
  const config = {
    ...hrmPaper,
    ...preset,
    puzzleEmbNdim: preset.hiddenSize,
    haltExplorationProb: 0,
  };
  const model = new Hrm(config, { random: new Random(1) });
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
  let carry: Carry = model.initialCarry(batch);
  for (let step = 0; step < preset.warmup + preset.steps; step++) {
    const began = performance.now();
    const result = trainStep(trainee, carry, batch, rates, { random: new Random(3), step });
    if (step >= preset.warmup) {
      times.push(performance.now() - began);
      losses.push(result.report.loss * preset.batch);
    }
    carry = result.carry;
  }
  console.log(JSON.stringify({ step_ms: times, losses, peak_rss_mb: peakMegabytes() }));
}

/** The most memory that this process ever held. */
function peakMegabytes(): number | null {
  const status = Deno.readTextFileSync("/proc/self/status");
  const match = /VmHWM:\s+(\d+) kB/.exec(status);
  return match === null ? null : Number(match[1]) / 1024;
}

if (import.meta.main) await main(Deno.args[0]!, JSON.parse(Deno.args[1]!));
