// Writes what every contestant of a benchmark starts from: weights, drawn as in training, and a
// batch of random tokens.
//
//   deno run -A bench/weights.ts FILE '{"model": {"kind": "hrm", …}, "batch": 32}'
import { writeFileAtomic } from "../core/io/file.ts";
import { encodeSafetensors } from "../core/io/safetensors.ts";
import { stateDict, type StoredTensor, storeTensor } from "../core/nn/module.ts";
import { Random } from "../core/random.ts";
import { makeModel } from "../models/family.ts";
import { type Batch, batchOf } from "../models/model.ts";
import type { StepWork } from "./works.ts";

async function main(file: string, work: StepWork): Promise<void> {
  const model = makeModel(work.model, { random: new Random(1) });
  const { inputs, labels, puzzleIdentifiers } = randomBatch(work);
  const entries = new Map<string, StoredTensor>(stateDict(model, "model."));
  entries.set("batch/inputs", storeTensor(inputs));
  entries.set("batch/labels", storeTensor(labels));
  entries.set("batch/puzzle_identifiers", storeTensor(puzzleIdentifiers));
  await writeFileAtomic(file, encodeSafetensors(entries));
}

function randomBatch({ batch, model: { seqLen, vocabSize } }: StepWork): Batch {
  const random = new Random(2);
  const tokens = (from: number) =>
    Int32Array.from({ length: batch * seqLen }, () => from + random.below(vocabSize - from));
  return batchOf(
    { inputs: tokens(0), labels: tokens(1), puzzleIdentifiers: new Int32Array(batch) },
    seqLen,
  );
}

if (import.meta.main) await main(Deno.args[0]!, JSON.parse(Deno.args[1]!));
