/**
 * The models, one file a paper.
 *
 * ```ts
 * import { Random } from "@ponder/ponder/core";
 * import { Hrm, hrmPaper } from "@ponder/ponder/models";
 *
 * const small = { ...hrmPaper, hiddenSize: 64, numHeads: 2, puzzleEmbNdim: 64 };
 * const model = new Hrm(small, { random: new Random(1) });
 * console.log(model.initialStates().zH.shape); // [1, 82, 64]
 * ```
 *
 * @module
 */
export { Actv2, type Actv2Config, Actv2Inner, actv2Paper, type Actv2States } from "./actv2.ts";
export {
  type Answer,
  type Backbone,
  type BackboneConfig,
  BackboneModel,
  makeBackbone,
} from "./backbone.ts";
export { Block, type BlockConfig, type Layer, Level, PreNormBlock } from "./block.ts";
export { makeModel, type ModelConfig } from "./family.ts";
export {
  type HaltingConfig,
  HaltingModel,
  type HaltingRule,
  haltInTraining,
  haltOnly,
  haltOrContinue,
  initialCarry,
  refill,
  type Segment,
  type SegmentNetwork,
} from "./halting.ts";
export { Hrm, type HrmConfig, HrmInner, hrmPaper, type HrmStates } from "./hrm.ts";
export { type Answers, infer, type InferenceOptions, type Noise } from "./inference.ts";
export { LOnly, type LOnlyConfig, LOnlyInner, lOnlyPaper, type LOnlyStates } from "./l_only.ts";
export { Looped, type LoopedConfig, loopedPaper, type LoopedStates } from "./looped.ts";
export {
  type Batch,
  batchOf,
  type Carry,
  carryTensors,
  type Depth,
  mapStates,
  type Model,
  type ModelOptions,
  type Outputs,
  type Question,
  type States,
  type Step,
  type StepOptions,
  type Thought,
  type Training,
} from "./model.ts";
export {
  l1r32h4,
  Recurrent,
  type RecurrentConfig,
  recurrentPaper,
  type RecurrentStates,
} from "./recurrent.ts";
export {
  type SegmentLoss,
  segmentLoss,
  type SegmentMetrics,
  segmentMetrics,
  solvedRows,
  type TokenLoss,
} from "./supervision.ts";
export { HaltingNetwork, type TokenConfig, TokenNetwork } from "./token_network.ts";
export {
  Transformer,
  type TransformerConfig,
  transformerPaper,
  type TransformerStates,
} from "./transformer.ts";
export { MixerBlock, Trm, type TrmConfig, TrmInner, trmMlpPaper, trmPaper } from "./trm.ts";
