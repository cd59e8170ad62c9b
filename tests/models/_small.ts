/** A small HRM, and random numbers by a script. */
import { fromTypedArray, randn } from "../../core/create.ts";
import { Random } from "../../core/random.ts";
import type { Batch } from "../../models/model.ts";
import { Hrm, type HrmConfig, hrmPaper } from "../../models/hrm.ts";

/** 5 tokens of 7 kinds, width 16, one prefix position, 2 cycles of 3 steps. */
export const smallConfig: HrmConfig = {
  ...hrmPaper,
  ...{ vocabSize: 7, seqLen: 5, numPuzzleIdentifiers: 3, puzzleEmbNdim: 16 },
  ...{
    hiddenSize: 16,
    numHeads: 2,
    mlpMultiple: 8,
    hLayers: 1,
    lLayers: 2,
    hCycles: 2,
    lCycles: 3,
  },
  ...{ forwardDtype: "float32", haltMaxSteps: 4, haltExplorationProb: 0 },
};

/** A small HRM whose Q head and puzzle table are not what they start as, −5 and 0. */
export function smallHrm(changes: Partial<HrmConfig> = {}, seed = 1): Hrm {
  const model = new Hrm({ ...smallConfig, ...changes }, { random: new Random(seed) });
  const { q_head, puzzle_emb } = model.inner;
  const random = new Random(9);
  for (const tensor of [q_head.weight, puzzle_emb?.weights ?? []].flat()) {
    tensor.detach().copy_(randn(tensor.shape, random));
  }
  return model;
}

/** Rows of random tokens; `first` tells one batch from another. */
export function smallBatch(rows: number, first = 1): Batch {
  const random = new Random(first, 2);
  const tokens = () => Int32Array.from({ length: rows * 5 }, () => random.below(7));
  return {
    inputs: fromTypedArray(tokens(), [rows, 5]),
    labels: fromTypedArray(tokens(), [rows, 5]),
    puzzleIdentifiers: fromTypedArray(Int32Array.from({ length: rows }, (_, i) => (i + first) % 3)),
  };
}

/** A generator that gives out what a script says, and writes down what it was asked for. */
export class ScriptedRandom extends Random {
  /** `uniform`, or `below` and its bound. */
  readonly asked: string[] = [];
  readonly #uniform: number[];
  readonly #below: number[];

  constructor(uniform: readonly number[], below: readonly number[]) {
    super(0);
    this.#uniform = [...uniform];
    this.#below = [...below];
  }

  override uniform(): number {
    this.asked.push("uniform");
    return this.#uniform.shift()!;
  }

  override below(bound: number): number {
    this.asked.push(`below ${bound}`);
    return this.#below.shift()!;
  }
}
