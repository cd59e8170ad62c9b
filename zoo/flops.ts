/**
 * What it costs to train a model.
 *
 * @module
 */
import { countFlops } from "../core/flops.ts";
import { Random } from "../core/random.ts";
import { scope } from "../core/scope.ts";
import type { Preset } from "./recipe.ts";
import { trainStep } from "./step.ts";
import { tokenBatch } from "./tasks/task.ts";
import { makeTask } from "./tasks/tasks.ts";
import { disposeTrainee, makeTrainee } from "./train.ts";

/** Steps to look at where not all steps are alike. */
const STEPS_SEEN = 64;

/**
 * Floating-point operations of all steps of a run, as `countFlops` counts them: a step with
 * one puzzle is done, and multiplied by rows and steps. Of the looped transformer, whose
 * loops become more while it trains, 64 steps spread evenly are done.
 */
export function trainingFlops(preset: Preset): number {
  const { model: { kind }, run: { steps, batchSize, seed } } = preset;
  using _ = scope();
  const task = makeTask({ ...preset.task, testPuzzles: 1 });
  const batch = tokenBatch([task.encode(task.heldOut(seed)[0]!)], "cpu");
  const trainee = makeTrainee(preset, "cpu");
  const random = new Random(seed);
  const seen = kind === "looped" ? Math.min(steps, STEPS_SEEN) : 1;
  try {
    let carry = trainee.model.initialCarry(batch);
    const flops = countFlops(() => {
      for (let i = 0; i < seen; i++) {
        const training = { random, step: Math.floor((i + 0.5) * steps / seen) };
        ({ carry } = trainStep(trainee, carry, batch, { lr: 0, puzzleEmbLr: 0 }, training));
      }
    });
    return flops / seen * batchSize * steps;
  } finally {
    disposeTrainee(trainee);
  }
}
