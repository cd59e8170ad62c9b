/**
 * The article's claims, by their numbers.
 *
 * @module
 */
import { intermediateAnswers, selfCorrection } from "./experiments/answers.ts";
import { recurrence, widthAndDepth } from "./experiments/depth.ts";
import { convergence } from "./experiments/dynamics.ts";
import { fewExamples, publishedBars } from "./experiments/examples.ts";
import { memory, stability } from "./experiments/gradients.ts";
import { injection, moreIterations } from "./experiments/iterations.ts";
import {
  adaptiveHalting,
  deepSupervision,
  haltingHead,
  inferenceScaling,
} from "./experiments/segments.ts";
import { tasksAndDimensions } from "./experiments/transfer.ts";

/** Every experiment that `deno task reproduce` knows. */
export const experiments = {
  e1: widthAndDepth,
  e2: recurrence,
  e3: moreIterations,
  e4: injection,
  e5: convergence,
  e6: memory,
  e7: stability,
  e8: deepSupervision,
  e9: adaptiveHalting,
  e10: inferenceScaling,
  e11: haltingHead,
  e12: fewExamples,
  e13: publishedBars,
  e14: intermediateAnswers,
  e15: selfCorrection,
  e16: tasksAndDimensions,
} as const;

/** The name of an experiment. */
export type ExperimentId = keyof typeof experiments;
