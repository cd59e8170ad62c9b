/** Every kind of model, small. */
import { fromTypedArray, randn } from "../../core/create.ts";
import { namedTensors } from "../../core/nn/module.ts";
import { Random } from "../../core/random.ts";
import { type Actv2Config, actv2Paper } from "../../models/actv2.ts";
import type { BackboneConfig } from "../../models/backbone.ts";
import { makeModel, type ModelConfig } from "../../models/family.ts";
import { type LOnlyConfig, lOnlyPaper } from "../../models/l_only.ts";
import { type LoopedConfig, loopedPaper } from "../../models/looped.ts";
import type { Batch, Model } from "../../models/model.ts";
import { type RecurrentConfig, recurrentPaper } from "../../models/recurrent.ts";
import type { TokenConfig } from "../../models/token_network.ts";
import { type TransformerConfig, transformerPaper } from "../../models/transformer.ts";
import { type TrmConfig, trmPaper } from "../../models/trm.ts";
import { smallConfig as smallHrmConfig } from "./_small.ts";

/** Draws zeros, which is quicker. */
export class Zeros extends Random {
  override normal(): number {
    return 0;
  }
}

/** 5 tokens of 7 kinds, width 16, one prefix position. */
const tokens = {
  ...{ vocabSize: 7, seqLen: 5, numPuzzleIdentifiers: 3, puzzleEmbNdim: 16 },
  ...{ hiddenSize: 16, numHeads: 2, mlpMultiple: 8, forwardDtype: "float32" },
} as const satisfies Partial<TokenConfig>;

const halting = { haltMaxSteps: 4, haltExplorationProb: 0 };
const stack = { backbone: "post-norm", numLayers: 1, dropout: 0 } as const satisfies Partial<
  BackboneConfig
>;

const lOnly: LOnlyConfig = { ...lOnlyPaper, ...tokens, ...halting, lLayers: 2, cycles: 3 };
const trm: TrmConfig = {
  ...{ ...trmPaper, ...tokens, ...halting },
  ...{ puzzleEmbLen: 2, lLayers: 1, hCycles: 2, lCycles: 3 },
};
const trmMlp: TrmConfig = { ...trm, mixer: "mlp", posEncodings: "none" };
const actv2: Actv2Config = { ...actv2Paper, ...tokens, ...halting, hLayers: 2 };
const transformer: TransformerConfig = { ...transformerPaper, ...tokens, ...stack };
const recurrent: RecurrentConfig = {
  ...{ ...recurrentPaper, ...tokens, ...stack },
  ...{ recurrences: 4, gradientSteps: 4, lossAt: "every" },
};
const recurrentGpt: RecurrentConfig = { ...recurrent, backbone: "gpt", puzzleEmbNdim: 0 };
const looped: LoopedConfig = {
  ...{ ...loopedPaper, ...tokens, ...stack },
  ...{ loops: 4, loopsStart: 4, loopsIncrement: 1, loopsInterval: 10, window: 2 },
};

/** One config of each kind. */
export const small = {
  hrm: smallHrmConfig,
  lOnly,
  trm,
  trmMlp,
  actv2,
  transformer,
  recurrent,
  recurrentGpt,
  looped,
} as const;

/** The model of a config; no weight is what it starts as where that is a constant. */
export function familyModel(config: ModelConfig, seed = 1): Model {
  const model = makeModel(config, { random: new Random(seed) });
  const random = new Random(9);
  for (const [name, tensor] of namedTensors(model)) {
    if (!/q_head|puzzle_emb|embed_pos/.test(name)) continue;
    tensor.detach().copy_(randn(tensor.shape, random));
  }
  return model;
}

/** Rows of random tokens that suit a config. */
export function familyBatch({ vocabSize, seqLen }: ModelConfig, rows: number, seed = 1): Batch {
  const random = new Random(seed, 2);
  const tokens = () => Int32Array.from({ length: rows * seqLen }, () => random.below(vocabSize));
  return {
    inputs: fromTypedArray(tokens(), [rows, seqLen]),
    labels: fromTypedArray(tokens(), [rows, seqLen]),
    puzzleIdentifiers: fromTypedArray(Int32Array.from({ length: rows }, (_, i) => (i + seed) % 3)),
  };
}
