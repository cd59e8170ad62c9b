/**
 * ARC: grids and tasks, files, tokens, equivalent tasks, data sets, voting and
 * scores, drawing, and arc-mini, a generator of small tasks.
 *
 * @module
 */

export {
  type ArcGrid,
  arcGrid,
  arcGridKey,
  arcGridOfKey,
  arcMaxSize,
  arcNumColours,
  type ArcPair,
  arcRows,
  type ArcTask,
  type ArcTestPair,
  formatArcGrid,
  parseArcGrid,
  sameArcGrid,
} from "./grid.ts";
export {
  type ArcText,
  formatArcChallenges,
  formatArcSolutions,
  formatArcTask,
  parseArcChallenges,
  parseArcTask,
} from "./json.ts";
export {
  type ArcCanvas,
  arcEos,
  arcFirstColour,
  type ArcOffset,
  arcOrigin,
  arcPad,
  arcSeqLen,
  arcVocabSize,
  cropArcGrid,
  drawArcOffset,
  encodeArcGrid,
} from "./encode.ts";
export {
  type ArcAugmentation,
  arcAugmentRetries,
  augmentArcGrid,
  augmentArcTask,
  drawArcAugmentation,
  drawArcAugmentations,
  identityArcAugmentation,
  invertArcAugmentation,
} from "./augment.ts";
export {
  type ArcIdentifier,
  type ArcIdentifierStyle,
  arcSeparators,
  formatArcIdentifier,
  parseArcIdentifier,
} from "./identifier.ts";
export {
  arcBlankIdentifier,
  type ArcExample,
  type ArcPlannedTask,
  type ArcPuzzle,
  type ArcPuzzleGroup,
  type ArcPuzzleOptions,
  type ArcPuzzlePlan,
  type ArcSplitSize,
  type ArcSubset,
  arcTestGroups,
  arcTrainGroups,
  planArcPuzzles,
} from "./puzzles.ts";
export {
  type ArcAttempts,
  type ArcCandidate,
  arcPassKs,
  type ArcPassRate,
  type ArcPrediction,
  arcSubmission,
  ArcVotes,
  scoreArc,
  voteArc,
} from "./vote.ts";
export {
  type ArcDrawnPair,
  type ArcDrawOptions,
  type ArcDrawPairsOptions,
  type ArcPaint,
  drawArcGrid,
  drawArcPairs,
  drawArcTask,
} from "./draw.ts";
export {
  type ArcMiniExplanation,
  type ArcMiniOptions,
  arcMiniSize,
  explainArcMini,
  generateArcMini,
} from "./mini.ts";
export type { ArcMiniFamily } from "./mini/_family.ts";
export { arcMiniFamilies, type ArcMiniFamilyName, arcMiniFamilyNames } from "./mini/families.ts";
