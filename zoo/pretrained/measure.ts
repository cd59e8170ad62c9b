/**
 * Whether pretrained weights reach what their card says.
 *
 * @module
 */
import type { Device } from "../../core/device.ts";
import { scope } from "../../core/scope.ts";
import { evaluate, type Evaluation } from "../evaluate.ts";
import { makeTask } from "../tasks/tasks.ts";
import { loadWeights } from "../weights.ts";
import type { PartMetrics, PretrainedMetrics } from "./index.ts";

/** How many puzzles make a quick check. */
export const PART = 64;

/** How to measure. */
export interface MeasureOptions {
  /** How many of the held-out puzzles; all unless given. */
  readonly puzzles?: number | undefined;
  /** Where to compute. */
  readonly device?: Device | undefined;
}

/** An evaluation of the weights in a folder on the first held-out puzzles of their recipe. */
export function evaluateFolder(folder: string, options: MeasureOptions = {}): Evaluation {
  using _ = scope();
  const { device = "cpu", puzzles = Infinity } = options;
  const { model, saved: { config } } = loadWeights(folder, device);
  const task = makeTask(config.task);
  const test = task.heldOut(config.run.seed).slice(0, puzzles);
  return evaluate(task, model, test, { device });
}

/** The numbers of a card: all held-out puzzles, and the first {@link PART} of them. */
export function measure(folder: string, device: Device = "cpu"): PretrainedMetrics {
  const { puzzles, unit, final, byUnit } = evaluateFolder(folder, { device });
  const part = evaluateFolder(folder, { device, puzzles: Math.min(PART, puzzles) });
  return {
    puzzles,
    ...rounded(final),
    cells: round(final.cells),
    valid: round(final.valid),
    unit,
    exactByUnit: byUnit.map(({ exact }) => round(exact)),
    part: { puzzles: part.puzzles, ...rounded(part.final) },
  };
}

function rounded({ exact, blanks }: Evaluation["final"]): Omit<PartMetrics, "puzzles"> {
  return { exact: round(exact), blanks: round(blanks) };
}

/** Six digits: enough to tell counts apart. */
function round(share: number): number {
  return Number(share.toFixed(6));
}

/**
 * Why an evaluation contradicts a card; null if it does not. All puzzles must be solved
 * as on the card; on a part of them, as far as three standard errors of a part that size allow.
 */
export function contradiction(
  card: PartMetrics,
  { puzzles, final }: Pick<Evaluation, "puzzles" | "final">,
): string | null {
  for (const metric of ["exact", "blanks"] as const) {
    const found = final[metric], said = card[metric];
    const most = puzzles === card.puzzles ? 1e-6 : tolerance(said, puzzles);
    if (Math.abs(found - said) <= most) continue;
    const digits = puzzles === card.puzzles ? 4 : 1;
    return `${metric} is ${percent(found, digits)} on ${puzzles} puzzles, ` +
      `${percent(said, digits)} on the card, and may be ${percent(most, digits)} off`;
  }
  return null;
}

/** Three standard errors of a share among `n`, and one puzzle. */
function tolerance(share: number, n: number): number {
  return 3 * Math.sqrt(share * (1 - share) / n) + 1 / n;
}

function percent(share: number, digits: number): string {
  return `${(100 * share).toFixed(digits)}%`;
}
