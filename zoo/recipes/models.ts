/**
 * The models at the sizes of the presets: `tiny` and `cpu` of 64 features for minutes
 * on a CPU, `paper` as published. How many tokens they see is the task's to say.
 *
 * @module
 */
import { actv2Paper } from "../../models/actv2.ts";
import type { ModelConfig } from "../../models/family.ts";
import { hrmPaper } from "../../models/hrm.ts";
import { lOnlyPaper } from "../../models/l_only.ts";
import { type LoopedConfig, loopedPaper } from "../../models/looped.ts";
import { recurrentPaper } from "../../models/recurrent.ts";
import { transformerPaper } from "../../models/transformer.ts";
import { trmMlpPaper, trmPaper } from "../../models/trm.ts";

/** A model at three sizes. */
export interface Sizes {
  /** What it is, in a few words. */
  readonly title: string;
  /** For seconds on a CPU. */
  readonly tiny: ModelConfig;
  /** For minutes on a CPU. */
  readonly cpu: ModelConfig;
  /** As published. */
  readonly paper: ModelConfig;
}

const narrow = {
  puzzleEmbNdim: 64,
  hiddenSize: 64,
  numHeads: 4,
  mlpMultiple: 32,
  forwardDtype: "float32",
} as const satisfies Partial<ModelConfig>;

/** The most segments. */
const few = { haltMaxSteps: 4 }, some = { haltMaxSteps: 8 };

const hrm = { ...hrmPaper, ...narrow, ...some, hLayers: 2, lLayers: 2 };

// as many parameters as HRM, and as much computation
const lOnly = { ...lOnlyPaper, ...narrow, ...some, lLayers: 4 };
// half of the parameters, and as much computation
const thrifty = { puzzleEmbLen: 4, hCycles: 2, lCycles: 3 };
const trm = { ...trmPaper, ...narrow, ...some, ...thrifty };
const trmMlp = { ...trmMlpPaper, ...narrow, ...some, ...thrifty };
// as many parameters
const actv2 = { ...actv2Paper, ...narrow, ...some, hLayers: 4 };
const transformer = { ...transformerPaper, ...narrow, numLayers: 4 };
// half of the parameters
const recurrent = {
  ...recurrentPaper,
  ...narrow,
  numLayers: 2,
  recurrences: 8,
  lossAt: "every",
  gradientSteps: 8,
} as const;
const looped: LoopedConfig = {
  ...loopedPaper,
  ...narrow,
  numLayers: 2,
  loops: 8,
  loopsStart: 4,
  loopsIncrement: 1,
  loopsInterval: 1000,
  window: 4,
};

/** The models by name. */
export const models = {
  hrm: {
    title: "Hierarchical Reasoning Model",
    tiny: { ...hrm, ...few },
    cpu: hrm,
    paper: hrmPaper,
  },
  "l-only": {
    title: "HRM without its high-level module",
    tiny: { ...lOnly, ...few },
    cpu: lOnly,
    paper: lOnlyPaper,
  },
  trm: {
    title: "Tiny Recursive Model, with attention,",
    tiny: { ...trm, ...few },
    cpu: trm,
    paper: trmPaper,
  },
  "trm-mlp": {
    title: "Tiny Recursive Model, with an MLP over the cells,",
    tiny: { ...trmMlp, ...few },
    cpu: trmMlp,
    paper: trmMlpPaper,
  },
  actv2: {
    title: "Plain transformer in HRM's outer loop",
    tiny: { ...actv2, ...few },
    cpu: actv2,
    paper: actv2Paper,
  },
  transformer: {
    title: "Plain transformer, one pass,",
    tiny: transformer,
    cpu: transformer,
    paper: transformerPaper,
  },
  recurrent: {
    title: "Recurrent transformer, the question only at its start,",
    tiny: { ...recurrent, recurrences: 4, gradientSteps: 4 },
    cpu: recurrent,
    paper: recurrentPaper,
  },
  looped: {
    title: "Looped transformer, the question injected at every loop,",
    tiny: { ...looped, loops: 4, loopsStart: 2, loopsInterval: 100, window: 2 },
    cpu: looped,
    paper: loopedPaper,
  },
} as const satisfies Record<string, Sizes>;

/** Variants of the looped transformer at the size of `cpu`. */
export const loopedVariants = {
  // without injection nothing of the question comes through loops that are not gone back through
  "no-injection": { ...looped, injection: "none", window: 8 },
  progressive: { ...looped, objective: "progressive" },
} as const satisfies Record<string, LoopedConfig>;
