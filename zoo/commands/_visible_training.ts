/**
 * Training that shows how it goes, and that Ctrl-C stops.
 *
 * @module
 */
import { formatBytes, formatPercent, ProgressLine } from "../cli/terminal.ts";
import type { Traffic } from "../distributed.ts";
import { train, type TrainOptions, type TrainResult } from "../train.ts";
import { Pace } from "./_pace.ts";

/** Ctrl-C; for several processes also what mpirun makes of it, and a signal that it hands on. */
const signals = { alone: ["SIGINT"], together: ["SIGINT", "SIGTERM", "SIGUSR2"] } as const;

/** Trains until it is done or told to stop; of several processes, the first one says how it goes. */
export async function trainVisibly(
  options: Omit<TrainOptions, "signal" | "onStep" | "onEvaluation">,
): Promise<TrainResult> {
  using progress = new ProgressLine();
  const { group, saved: { config: { run: { steps, batchSize } } }, minutes } = options;
  const speaks = group?.isFirst ?? true;
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) Deno.exit(130);
    if (speaks) progress.log(stopping(options));
    controller.abort();
  };
  const heard = group === undefined ? signals.alone : signals.together;
  for (const signal of heard) Deno.addSignalListener(signal, interrupt);
  try {
    const pace = new Pace(steps, batchSize, minutes);
    const traffic = new MeanTraffic();
    const result = await train({
      ...options,
      signal: controller.signal,
      onStep: (step, report, { seconds }) => {
        traffic.add(report);
        if (speaks) progress.update(pace.line(step, report, seconds));
      },
      onEvaluation: (step, { final, byUnit, unit }) => {
        if (!speaks) return;
        progress.log(
          `step ${step}: ${formatPercent(final.exact)} of held-out puzzles exact` +
            (byUnit.length > 1 ? `, ${formatPercent(byUnit[0]!.exact)} after one ${unit}` : ""),
        );
      },
    });
    if (group?.isFirst) progress.log(`${group.size} processes: ${traffic}`);
    return result;
  } finally {
    for (const signal of heard) Deno.removeSignalListener(signal, interrupt);
  }
}

/** What is said when a run is told to stop: it can't, where another process is gone already. */
function stopping({ group, saved: { recipe }, folder }: Omit<TrainOptions, "signal">): string {
  if (group === undefined) return "Stopping after this step; again to stop at once";
  return `Stopping all ${group.size} processes after this step. If one of them is gone, go on from ` +
    `the last checkpoint by deno task train ${recipe} --resume="${folder}"`;
}

/** What a step exchanges, in the mean. */
class MeanTraffic {
  #steps = 0;
  #bytes = 0;
  #ms = 0;

  /** Takes a step in. */
  add({ communicationBytes = 0, communicationMs = 0 }: Partial<Traffic>): void {
    this.#steps++;
    this.#bytes += communicationBytes;
    this.#ms += communicationMs;
  }

  /** In words. */
  toString(): string {
    const ms = this.#ms / Math.max(1, this.#steps), bytes = this.#bytes / Math.max(1, this.#steps);
    return `each hands over ${formatBytes(bytes)} a step, ` +
      `which takes ${ms.toFixed(1)} ms with the waiting for others`;
  }
}
