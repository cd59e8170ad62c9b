/**
 * Training that shows how it goes, and that Ctrl-C stops.
 *
 * @module
 */
import { formatPercent, ProgressLine } from "../cli/terminal.ts";
import { train, type TrainOptions, type TrainResult } from "../train.ts";
import { Pace } from "./_pace.ts";

/** Trains until it is done or Ctrl-C is pressed. */
export async function trainVisibly(
  options: Omit<TrainOptions, "signal" | "onStep" | "onEvaluation">,
): Promise<TrainResult> {
  using progress = new ProgressLine();
  const { saved: { config: { run: { steps, batchSize } } }, minutes } = options;
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) Deno.exit(130);
    progress.log("Stopping after this step; again to stop at once");
    controller.abort();
  };
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    const pace = new Pace(steps, batchSize, minutes);
    return await train({
      ...options,
      signal: controller.signal,
      onStep: (step, report, { seconds }) => progress.update(pace.line(step, report, seconds)),
      onEvaluation: (step, { final, byUnit, unit }) =>
        progress.log(
          `step ${step}: ${formatPercent(final.exact)} of held-out puzzles exact` +
            (byUnit.length > 1 ? `, ${formatPercent(byUnit[0]!.exact)} after one ${unit}` : ""),
        ),
    });
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
}
