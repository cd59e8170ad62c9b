/**
 * How a training run is getting on, in one line.
 *
 * @module
 */
import { formatDuration, formatPercent } from "../cli/terminal.ts";
import type { StepReport } from "../step.ts";

/** The progress line: smoothed loss and accuracy, speed, time left. */
export class Pace {
  #loss: number | null = null;
  #exact: number | null = null;
  #first: { step: number; seconds: number } | null = null;

  /** Of a run of `steps`, `minutes` at most from now on. */
  constructor(
    readonly steps: number,
    readonly batchSize: number,
    readonly minutes: number | undefined,
  ) {}

  /** What there is to say after a step. */
  line(step: number, report: StepReport, seconds: number): string {
    this.#loss = smooth(this.#loss, report.loss);
    if (report.count > 0) this.#exact = smooth(this.#exact, report.exactAccuracy / report.count);
    this.#first ??= { step, seconds };
    const elapsed = seconds - this.#first.seconds; // of a run that goes on, only since then
    const perStep = step === this.#first.step ? 0 : elapsed / (step - this.#first.step);
    const left = (this.steps - step) * perStep;
    const bounded = this.minutes === undefined ? left : Math.min(left, this.minutes * 60 - elapsed);
    return [
      `step ${step}/${this.steps}`,
      `loss ${this.#loss.toFixed(3)}`,
      `exact ${this.#exact === null ? "–" : formatPercent(this.#exact)}`,
      perStep === 0 ? "– puzzles/s" : `${Math.round(this.batchSize / perStep)} puzzles/s`,
      perStep === 0 ? "– left" : `${formatDuration(Math.max(0, bounded))} left`,
    ].join("  ");
  }
}

function smooth(before: number | null, value: number): number {
  return before === null ? value : before + 0.05 * (value - before);
}
