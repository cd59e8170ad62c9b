/**
 * What one folder of weights reaches, and what it cost.
 *
 * @module
 */
import { basename, dirname } from "@std/path";
import type { Device } from "../../core/device.ts";
import { countFlops } from "../../core/flops.ts";
import { countParameters } from "../../core/nn/module.ts";
import { scope } from "../../core/scope.ts";
import { liveBytes, peakBytes, resetPeakBytes } from "../../ffi/mod.ts";
import { evaluate, type Evaluation } from "../evaluate.ts";
import { trainingFlops } from "../flops.ts";
import { lastMetrics } from "../metrics.ts";
import { pretrainedIndex } from "../pretrained/index.ts";
import { findPretrained } from "../pretrained/places.ts";
import type { Puzzle } from "../tasks/task.ts";
import { makeTask } from "../tasks/tasks.ts";
import { loadWeights, type SavedConfig } from "../weights.ts";

/** What one trained model reaches, and what it cost. */
export interface Measurement {
  /** The folder. */
  readonly folder: string;
  /** What was trained, from which seed. */
  readonly saved: SavedConfig;
  /** Whether the weights were chosen by evaluations on the way, on some of the same puzzles. */
  readonly selected: boolean;
  /** Trained numbers. */
  readonly parameters: number;
  /** Floating-point operations of the whole training. */
  readonly trainingFlops: number;
  /** Floating-point operations of one answer, all units of thought. */
  readonly answerFlops: number;
  /** How long the training took; null where nobody wrote it down. */
  readonly minutes: number | null;
  /** What it trained on; null where nobody wrote it down. */
  readonly hardware: string | null;
  /** On the held-out puzzles, all units of thought. */
  readonly evaluation: Evaluation;
  /** The same, each puzzle halted where the model wants to; null for a model that never does. */
  readonly halting: Evaluation | null;
  /** Puzzles answered in a second by the former. */
  readonly puzzlesPerSecond: number;
  /** The most bytes of tensors that lived at once meanwhile, the weights among them. */
  readonly peakBytes: number;
}

/** How to measure. */
export interface MeasureOptions {
  /** How many of the held-out puzzles; all unless given. */
  readonly puzzles?: number | undefined;
  /** Where to compute. */
  readonly device?: Device | undefined;
}

/** Measures weights on the puzzles that were held out of their training. */
export function measureWeights(path: string, options: MeasureOptions = {}): Measurement {
  const { device = "cpu" } = options;
  using _ = scope();
  const before = liveBytes();
  const { model, saved, folder } = loadWeights(path, device);
  const task = makeTask(saved.config.task);
  const puzzles = heldOut(saved).slice(0, options.puzzles);
  const ask = (puzzles: readonly Puzzle[], halt = false) =>
    evaluate(task, model, puzzles, { device, halt });
  const answerFlops = countFlops(() => ask(puzzles.slice(0, 1)));
  resetPeakBytes();
  const began = performance.now();
  const evaluation = ask(puzzles);
  const seconds = (performance.now() - began) / 1000;
  return {
    ...{ folder, saved, selected: basename(folder) === "best" },
    ...{ parameters: countParameters(model), answerFlops, evaluation },
    puzzlesPerSecond: puzzles.length / seconds,
    peakBytes: peakBytes() - before,
    halting: model.depth.unit === "segment" ? ask(puzzles, true) : null,
    trainingFlops: trainingFlops(saved.config),
    ...effortOf(folder, saved),
  };
}

let lastHeldOut: { readonly key: string; readonly puzzles: readonly Puzzle[] } | null = null;

/** The puzzles held out of a run; made once for runs that follow each other. */
function heldOut({ config: { task, run } }: SavedConfig): readonly Puzzle[] {
  const key = JSON.stringify([task, run.seed]);
  if (lastHeldOut?.key !== key) lastHeldOut = { key, puzzles: makeTask(task).heldOut(run.seed) };
  return lastHeldOut.puzzles;
}

/** How long the training took: as the card of pretrained weights says, or the run that they lie in. */
function effortOf(
  folder: string,
  { recipe }: SavedConfig,
): Pick<Measurement, "minutes" | "hardware"> {
  const entry = Object.values(pretrainedIndex().entries)
    .find((entry) => entry.recipe === recipe && findPretrained(entry)?.folder === folder);
  if (entry !== undefined) return { minutes: entry.minutes, hardware: entry.hardware };
  const seconds = lastMetrics(dirname(folder))?.seconds;
  return { minutes: seconds === undefined ? null : seconds / 60, hardware: null };
}
