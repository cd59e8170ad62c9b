/** Reference tensors: our own, from twins in PyTorch, and the official code's where they are at hand. */
import { fromBytes } from "../../core/create.ts";
import { decodeSafetensors, type SafetensorsEntry } from "../../core/io/safetensors.ts";
import { loadStateDict, namedTensors } from "../../core/nn/module.ts";
import { Random } from "../../core/random.ts";
import type { Tensor } from "../../core/tensor.ts";
import { actv2Paper } from "../../models/actv2.ts";
import { makeModel, type ModelConfig } from "../../models/family.ts";
import { hrmPaper } from "../../models/hrm.ts";
import { lOnlyPaper } from "../../models/l_only.ts";
import { loopedPaper } from "../../models/looped.ts";
import type { Batch, Model } from "../../models/model.ts";
import { recurrentPaper } from "../../models/recurrent.ts";
import type { TokenLoss } from "../../models/supervision.ts";
import { transformerPaper } from "../../models/transformer.ts";
import { trmPaper } from "../../models/trm.ts";

/** The tensors of one model, and how they were made. */
export interface Golden {
  readonly config: ModelConfig;
  readonly losses: readonly TokenLoss[];
  readonly hyper: Readonly<Record<string, number>>;
  /** Ranges of elements whose gradient is zero but for rounding, by parameter. */
  readonly roundingOnly: Readonly<Record<string, readonly [number, number]>>;
  tensor(name: string): Tensor;
  has(name: string): boolean;
}

/** A golden file that may be missing. */
export interface Case {
  readonly name: string;
  readonly read: () => Golden;
  readonly ignore: boolean;
}

// deno-lint-ignore no-explicit-any
type Json = any;

function tokensOf(c: Json) {
  return {
    vocabSize: c.vocab_size,
    seqLen: c.seq_len,
    numPuzzleIdentifiers: c.num_puzzle_identifiers,
    puzzleEmbNdim: c.puzzle_emb_ndim,
    hiddenSize: c.hidden_size,
    numHeads: c.num_heads,
    expansion: c.expansion,
    mlpMultiple: c.mlp_multiple ?? 256,
    posEncodings: c.pos_encodings,
    forwardDtype: "float32",
  } as const;
}

function configOf(model: string, c: Json): ModelConfig {
  const tokens = tokensOf(c);
  const halting = {
    haltMaxSteps: c.halt_max_steps,
    haltExplorationProb: c.halt_exploration_prob,
  };
  const cycles = { lLayers: c.L_layers, hCycles: c.H_cycles, lCycles: c.L_cycles };
  const stack = { backbone: c.backbone, numLayers: c.num_layers, dropout: 0 };
  switch (model) {
    case "HRM":
      return { ...hrmPaper, ...tokens, ...halting, ...cycles, hLayers: c.H_layers };
    case "TRM": {
      const own = { mixer: c.mlp_t ? "mlp" : "attention", puzzleEmbLen: c.puzzle_emb_len } as const;
      return { ...trmPaper, ...tokens, ...halting, ...cycles, ...own };
    }
    case "LOnly":
      return { ...lOnlyPaper, ...tokens, ...halting, lLayers: c.L_layers, cycles: c.cycles };
    case "ActV2":
      return { ...actv2Paper, ...tokens, ...halting, hLayers: c.H_layers };
    case "Transformer":
      return { ...transformerPaper, ...tokens, ...stack };
    case "Recurrent": {
      const own = { lossAt: c.loss_at, gradientSteps: c.gradient_steps };
      return { ...recurrentPaper, ...tokens, ...stack, ...own, recurrences: c.recurrences };
    }
    case "Looped": {
      const { injection, loops, objective, window, alpha = 0 } = c;
      const own = { injection, loops, loopsStart: loops, objective, window, alpha };
      return { ...loopedPaper, ...tokens, ...stack, ...own };
    }
  }
  throw new Error(`No model ${model}`);
}

/** Reads `name.json` and tensors of `files`, whose names each file's function maps to ours. */
function readGolden(
  directory: string,
  name: string,
  model: string | null = null,
  files: readonly (readonly [file: string, rename: (name: string) => string])[] = [
    [`${name}.safetensors`, (key) => key],
  ],
): Golden {
  const json: Json = JSON.parse(Deno.readTextFileSync(`${directory}/${name}.json`));
  const entries = new Map<string, SafetensorsEntry>();
  for (const [file, rename] of files) {
    const { tensors } = decodeSafetensors(Deno.readFileSync(`${directory}/${file}`));
    for (const [key, entry] of tensors) entries.set(rename(key), entry);
  }
  const has = (key: string) => entries.has(key);
  return {
    config: configOf(json.model ?? model, json.config),
    losses: (["stablemax", "softmax"] as const).filter((loss) => has(`train/${loss}/1/loss`)),
    hyper: json.hyperparams,
    roundingOnly: json.rounding_only ?? {},
    has,
    tensor: (key) => {
      const { data, shape, dtype } = entries.get(key)!;
      return fromBytes(data, shape, { dtype });
    },
  };
}

const own = new URL("../golden", import.meta.url).pathname;
const official = Deno.env.get("PONDER_TEST_GOLDEN");

/** Names of the files that are about one loss, made ours. */
const underLoss = (loss: string) => (name: string) =>
  name.replace(/^(grad|after1|after5)\//, `$1/${loss}/`);

const family = [
  ...["trm_tiny_attention", "trm_tiny_mlp", "l_only_tiny", "actv2_tiny"],
  ...["transformer_tiny_post", "transformer_tiny_pre", "transformer_tiny_gpt"],
  ...["recurrent_tiny_every", "recurrent_tiny_last", "recurrent_tiny_gpt"],
  ...["add", "multiply", "concat", "none", "progressive"].map((kind) => `looped_tiny_${kind}`),
];

/** Every file. */
export const cases: readonly Case[] = [
  ...["rope", "learned"].map((positions) => ({
    name: `hrm_tiny_${positions}`,
    read: () => readGolden(own, `hrm_tiny_${positions}`, "HRM"),
    ignore: false,
  })),
  ...family.map((name) => ({ name, read: () => readGolden(own, name), ignore: false })),
  {
    name: "the official HRM",
    read: () =>
      readGolden(official!, "hrm_a", "HRM", [
        ["hrm_a.safetensors", (name) => name],
        ...["stablemax", "softmax"].flatMap((loss) =>
          ["", "_after5"].map((part) =>
            [`hrm_a_${loss}${part}.safetensors`, underLoss(loss)] as const
          )
        ),
      ]),
    ignore: official === undefined,
  },
  {
    name: "the official TRM",
    read: () =>
      readGolden(
        official!,
        "trm_a",
        "TRM",
        ["trm_a.safetensors", "trm_a_ema.safetensors"].map((file) =>
          [file, underLoss("stablemax")] as const
        ),
      ),
    ignore: official === undefined,
  },
];

/** The model with the golden weights. */
export function loadGolden(golden: Golden): Model {
  const model = makeModel(golden.config, { random: new Random(0) });
  const state = new Map(
    namedTensors(model, "model.").map(([name]) => {
      const tensor = golden.tensor(name);
      return [name, { dtype: tensor.dtype, shape: tensor.shape, data: tensor.toBytes() }];
    }),
  );
  loadStateDict(model, state, "model.");
  return model;
}

/** Its `k`-th batch. */
export function goldenBatch(golden: Golden, k: number): Batch {
  return {
    inputs: golden.tensor(`batch/${k}/inputs`),
    labels: golden.tensor(`batch/${k}/labels`),
    puzzleIdentifiers: golden.tensor(`batch/${k}/puzzle_identifiers`),
  };
}
