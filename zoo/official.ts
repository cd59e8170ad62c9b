/**
 * Checkpoints of the official repositories, and ours as they would have written them:
 * the parameter names, and the settings in `all_config.yaml` beside them.
 *
 * Source: sapientinc/HRM@42410da pretrain.py, config/;
 * SamsungSAILMontreal/TinyRecursiveModels@e7b6871 pretrain.py, config/.
 *
 * @module
 */
import type { StoredTensor } from "../core/nn/module.ts";
import { decodeElements, encodeElements } from "../core/elements.ts";
import { actv2Paper } from "../models/actv2.ts";
import type { ModelConfig } from "../models/family.ts";
import { hrmPaper } from "../models/hrm.ts";
import { trmPaper } from "../models/trm.ts";
import type { OptimConfig } from "./recipe.ts";
import { WEIGHT_PREFIX } from "./weights.ts";

/** Weights under our names, and what `all_config.yaml` says that concerns us. */
export interface OfficialCheckpoint {
  /** The weights. */
  readonly weights: ReadonlyMap<string, StoredTensor>;
  /** The model. */
  readonly model: ModelConfig;
  /** How it was trained. */
  readonly optim: Partial<OptimConfig>;
}

/** What training compiled has before every name. */
const COMPILED = "_orig_mod.";

/** Settings of the architecture that all official models share, and their fields here. */
const sharedFields = {
  hidden_size: "hiddenSize",
  num_heads: "numHeads",
  expansion: "expansion",
  puzzle_emb_ndim: "puzzleEmbNdim",
  pos_encodings: "posEncodings",
  rms_norm_eps: "rmsNormEps",
  rope_theta: "ropeTheta",
  forward_dtype: "forwardDtype",
  halt_max_steps: "haltMaxSteps",
  halt_exploration_prob: "haltExplorationProb",
} as const;

/** An architecture of the official repositories. */
interface Architecture {
  /** What its name contains. */
  readonly name: string;
  /** The name that a config of ours is exported under. */
  readonly fullName: string;
  readonly paper: ModelConfig;
  /** Its own settings, and their fields here. */
  readonly fields: Readonly<Record<string, string>>;
}

const architectures: readonly Architecture[] = [
  {
    name: "HierarchicalReasoningModel_ACTV1",
    fullName: "hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1",
    paper: hrmPaper,
    fields: {
      H_layers: "hLayers",
      L_layers: "lLayers",
      H_cycles: "hCycles",
      L_cycles: "lCycles",
    },
  },
  {
    name: "TinyRecursiveReasoningModel_ACTV1",
    fullName: "recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1",
    paper: trmPaper,
    fields: {
      L_layers: "lLayers",
      H_cycles: "hCycles",
      L_cycles: "lCycles",
      puzzle_emb_len: "puzzleEmbLen",
    },
  },
  {
    name: "Model_ACTV2",
    fullName: "recursive_reasoning.transformers_baseline@Model_ACTV2",
    paper: actv2Paper,
    fields: { H_layers: "hLayers" },
  },
];

const optimFields = {
  lr: "lr",
  lr_min_ratio: "minRatio",
  lr_warmup_steps: "warmupSteps",
  weight_decay: "weightDecay",
  beta1: "beta1",
  beta2: "beta2",
  puzzle_emb_lr: "puzzleEmbLr",
  puzzle_emb_weight_decay: "puzzleEmbWeightDecay",
} as const;

/** Tokens of a puzzle by the kinds of its tokens: of the published Sudoku, maze and ARC sets. */
const publishedLengths: Readonly<Record<number, number>> = { 11: 81, 6: 900, 12: 900 };

/**
 * A checkpoint of the official code.
 *
 * @param state its tensors by name
 * @param settings what `all_config.yaml` holds
 * @param seqLen tokens of a puzzle, which neither tells; by default that of the published
 * set with as many kinds of tokens
 * @throws {SyntaxError} when the settings are not those of a known model, or do not fit the tensors
 */
export function fromOfficial(
  state: ReadonlyMap<string, StoredTensor>,
  settings: unknown,
  { seqLen }: { readonly seqLen?: number | undefined } = {},
): OfficialCheckpoint {
  const weights = new Map(
    [...state].map(([name, tensor]) =>
      [name.startsWith(COMPILED) ? name.slice(COMPILED.length) : name, tensor] as const
    ),
  );
  const sizeOf = (name: string) => weights.get(`${WEIGHT_PREFIX}inner.${name}`)?.shape[0];
  const vocabSize = sizeOf("embed_tokens.embedding_weight");
  if (vocabSize === undefined) {
    throw new SyntaxError(
      `Cannot import these tensors: none is called ${WEIGHT_PREFIX}inner.embed_tokens.embedding_weight`,
    );
  }
  const length = seqLen ?? publishedLengths[vocabSize];
  if (length === undefined) {
    throw new SyntaxError(
      `Cannot tell how long a puzzle of ${vocabSize} kinds of tokens is: name it by --seq-len`,
    );
  }
  const all = record(settings, "all_config.yaml");
  const model = modelOf(record(all["arch"], "arch"), {
    vocabSize,
    seqLen: length,
    numPuzzleIdentifiers: sizeOf("puzzle_emb.weights") ?? 1,
  });
  return { weights, model, optim: optimOf(all) };
}

function modelOf(
  arch: Readonly<Record<string, unknown>>,
  sizes: Pick<ModelConfig, "vocabSize" | "seqLen" | "numPuzzleIdentifiers">,
): ModelConfig {
  const name = String(arch["name"]);
  const known = architectures.find((a) => name.split("@").at(-1) === a.name);
  if (known === undefined) {
    const names = architectures.map((a) => a.fullName).join(", ");
    throw new SyntaxError(`Cannot import the architecture "${name}": expected one of ${names}`);
  }
  const model: Record<string, unknown> = { ...known.paper, ...sizes };
  for (const [setting, field] of Object.entries({ ...sharedFields, ...known.fields })) {
    if (arch[setting] !== undefined) model[field] = fieldOf(setting, arch[setting], model[field]);
  }
  if (known.paper.kind === "trm") {
    model["mixer"] = arch["mlp_t"] === true ? "mlp" : "attention";
    if (arch["no_ACT_continue"] === false) {
      throw new SyntaxError("Cannot import a TRM that learns to go on: no_ACT_continue is false");
    }
  } else if (arch["mlp_t"] === true) {
    throw new SyntaxError(`Cannot import ${name} with mlp_t: only TRM's is known`);
  }
  return model as unknown as ModelConfig;
}

/** A setting of the type that our field has. */
function fieldOf(setting: string, value: unknown, like: unknown): unknown {
  if (typeof value === typeof like) return value;
  throw new SyntaxError(
    `Cannot use the setting ${setting}=${JSON.stringify(value)}: expected a ${typeof like}`,
  );
}

function optimOf(settings: Readonly<Record<string, unknown>>): Partial<OptimConfig> {
  const numbers = Object.entries(optimFields).flatMap(([setting, field]) =>
    typeof settings[setting] === "number" ? [[field, settings[setting]]] : []
  );
  const { loss_type } = record(record(settings["arch"], "arch")["loss"] ?? {}, "arch.loss");
  const ema = settings["ema"] === true ? Number(settings["ema_rate"] ?? 0.999) : 0;
  return {
    ...Object.fromEntries(numbers),
    loss: loss_type === "softmax_cross_entropy" ? "softmax" : "stablemax",
    ema,
  };
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new SyntaxError(`Cannot read the settings: ${what} is no mapping`);
}

/**
 * A checkpoint as the official code writes it, and its settings. The fixed initial
 * states are of the dtype in which the model computes, as they are there.
 *
 * @throws {TypeError} when the official code has no such model
 */
export function toOfficial(
  model: ModelConfig,
  weights: ReadonlyMap<string, StoredTensor>,
  optim: OptimConfig,
  { compiled = true }: { readonly compiled?: boolean } = {},
): { state: Map<string, StoredTensor>; settings: Record<string, unknown> } {
  const known = architectures.find(({ paper }) => paper.kind === model.kind);
  if (known === undefined) {
    const kinds = architectures.map(({ paper }) => paper.kind).join(", ");
    throw new TypeError(
      `Cannot export ${model.kind}: the official code has ${kinds} alone`,
    );
  }
  const fixed = ["mlpMultiple"] as const;
  const odd = fixed.find((field) => model[field] !== known.paper[field]);
  if (odd !== undefined) {
    throw new TypeError(
      `Cannot export a model of ${odd} ${model[odd]}: the official code has ${known.paper[odd]}`,
    );
  }
  const state = new Map(
    [...weights].map(([name, tensor]) => [
      (compiled ? COMPILED : "") + name,
      name.endsWith("_init") ? converted(tensor, model.forwardDtype) : tensor,
    ]),
  );
  return { state, settings: settingsOf(known, model, optim) };
}

function converted(tensor: StoredTensor, dtype: ModelConfig["forwardDtype"]): StoredTensor {
  if (tensor.dtype === dtype) return tensor;
  const { bytes } = encodeElements(decodeElements(tensor.data, tensor.dtype), dtype);
  return { dtype, shape: tensor.shape, data: bytes };
}

function settingsOf(
  { fullName, fields }: Architecture,
  model: ModelConfig,
  optim: OptimConfig,
): Record<string, unknown> {
  const values = model as unknown as Readonly<Record<string, unknown>>;
  const arch: Record<string, unknown> = { name: fullName };
  for (const [setting, field] of Object.entries({ ...sharedFields, ...fields })) {
    arch[setting] = values[field];
  }
  if (model.kind === "hrm") return { arch: withLoss(arch, optim), ...settingsOfOptim(optim) };
  arch["H_cycles"] ??= 1; // named there, and not used
  if (model.kind === "trm") {
    Object.assign(arch, { H_layers: 0, mlp_t: model.mixer === "mlp", no_ACT_continue: true });
  }
  return {
    arch: withLoss(arch, optim),
    ...settingsOfOptim(optim),
    ema: optim.ema > 0,
    ...(optim.ema > 0 ? { ema_rate: optim.ema } : {}),
  };
}

function withLoss(arch: Record<string, unknown>, { loss }: OptimConfig): Record<string, unknown> {
  return { ...arch, loss: { name: "losses@ACTLossHead", loss_type: `${loss}_cross_entropy` } };
}

function settingsOfOptim(optim: OptimConfig): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(optimFields).map(([setting, field]) => [setting, optim[field]]),
  );
}
