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
export { Block, type BlockConfig, Level } from "./block.ts";
export {
  type Batch,
  batchOf,
  type Carry,
  carryOf,
  carryTensors,
  type HaltingConfig,
  haltInTraining,
  initialCarry,
  mapStates,
  refill,
  type States,
} from "./halting.ts";
export {
  Hrm,
  type HrmConfig,
  HrmInner,
  hrmPaper,
  type HrmStates,
  type HrmStep,
  type Segment,
  type SegmentOptions,
} from "./hrm.ts";
export {
  type Outputs,
  type SegmentLoss,
  segmentLoss,
  type SegmentMetrics,
  segmentMetrics,
  solvedRows,
  type TokenLoss,
} from "./supervision.ts";
