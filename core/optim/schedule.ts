/**
 * Learning-rate schedules: pure functions from a step to a rate.
 *
 * Source: sapientinc/HRM@42410da pretrain.py
 * (`cosine_schedule_with_warmup_lr_lambda`).
 *
 * @module
 */

/** What {@link warmupCosine} needs to know besides the step. */
export interface WarmupCosine {
  /** The peak learning rate, reached at the end of the warm-up. */
  readonly lr: number;
  /** How many steps the rate climbs for; 0 starts at the peak. */
  readonly warmupSteps: number;
  /** The step at which the cosine ends, counted from 0, warm-up included. */
  readonly totalSteps: number;
  /** What is left at the end, as a fraction of `lr`, in `[0, 1]`; 1 keeps the peak. */
  readonly minRatio: number;
}

/**
 * The learning rate at `step`: `lr · step / warmup` while warming up, then
 * `lr · (r + (1 − r) · ½(1 + cos(π · progress)))`, where
 * `progress = (step − warmup) / max(1, total − warmup)` and r is `minRatio`.
 * Beyond `totalSteps` it stays at `lr · r`.
 *
 * Differs from the official code only there: the official cosine would climb
 * again.
 *
 * @throws {RangeError} when `step` is negative or not a number
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { warmupCosine } from "./schedule.ts";
 *
 * const schedule = { lr: 1e-3, warmupSteps: 10, totalSteps: 100, minRatio: 0.1 };
 * assertEquals(warmupCosine(schedule, 5), 5e-4); // halfway up
 * assertEquals(warmupCosine(schedule, 10), 1e-3); // the peak
 * assertEquals(warmupCosine(schedule, 100), 1e-4); // the end
 * ```
 */
export function warmupCosine(schedule: WarmupCosine, step: number): number {
  if (!(step >= 0)) {
    throw new RangeError(`Cannot schedule step ${step}: expected a number of 0 or more`);
  }
  const { lr, warmupSteps, totalSteps, minRatio } = schedule;
  if (step < warmupSteps) return lr * step / warmupSteps;
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
  return lr * (minRatio + (1 - minRatio) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}
