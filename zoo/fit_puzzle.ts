/**
 * A puzzle embedding for a task that a model was not trained on, learnt from the task's
 * demonstrations with all weights frozen. The official code learns those of the evaluated
 * tasks in training, together with the weights.
 *
 * @module
 */
import type { Device } from "../core/device.ts";
import { Random } from "../core/random.ts";
import { scope } from "../core/scope.ts";
import { carryTensors, type Model } from "../models/model.ts";
import type { OptimConfig } from "./recipe.ts";
import { type StepReport, trainStep } from "./step.ts";
import type { Sampler } from "./tasks/task.ts";
import { firstCarry } from "./train.ts";

/** How to learn a puzzle embedding. */
export interface FitOptions {
  /** Steps of sign-SGD; the learning rate falls to 0 with them. */
  readonly steps: number;
  /** The loss, and the learning rate and the decay of puzzle embeddings. */
  readonly optim: Pick<OptimConfig, "loss" | "puzzleEmbLr" | "puzzleEmbWeightDecay">;
  /** Rows in a batch; default 16. */
  readonly batchSize?: number;
  /** Where the random numbers of exploration start; default 0. */
  readonly seed?: number;
  /** Where the model lies. */
  readonly device?: Device;
  /** Told after every step. */
  readonly onStep?: (step: number, report: StepReport) => void;
}

/**
 * Trains the rows of the puzzle table that the batches look up, and nothing else.
 *
 * @throws {TypeError} when the model has no puzzle embeddings
 */
export function fitPuzzle(model: Model, batches: Sampler, options: FitOptions): void {
  const { steps, optim, batchSize = 16, seed = 0, device = "cpu", onStep } = options;
  if (model.puzzleTable === null) {
    throw new TypeError(
      "Cannot learn a new task: the model has no puzzle embeddings; it needs a model that was " +
        "trained with --model.puzzleEmbNdim above 0",
    );
  }
  using _ = scope();
  const { loss, puzzleEmbLr, puzzleEmbWeightDecay } = optim;
  const learner = { model, optimizer: null, ema: null, loss, clipNorm: 0, puzzleEmbWeightDecay };
  const random = new Random(seed, 1);
  let carry = firstCarry(model, batches, batchSize, device);
  for (let step = 0; step < steps; step++) {
    const batch = batches.batch(step, batchSize, device);
    const lr = puzzleEmbLr * (1 - step / steps);
    const result = trainStep(learner, carry, batch, { lr: 0, puzzleEmbLr: lr }, { random, step });
    for (const tensor of Object.values(batch)) tensor.dispose();
    carry = result.carry;
    onStep?.(step + 1, result.report);
  }
  for (const tensor of Object.values(carryTensors(carry))) tensor.dispose();
}
