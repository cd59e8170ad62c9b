/**
 * Training that shows how it goes, and that Ctrl-C stops.
 *
 * @module
 */
import { deviceMemory, OutOfMemoryError, peakBytes, resetPeakBytes } from "../../ffi/mod.ts";
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
  resetPeakBytes();
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
    if (speaks) progress.log(memoryUsed(options));
    return result;
  } catch (error) {
    if (!(error instanceof OutOfMemoryError)) throw error;
    throw new Error(lessMemory(error, options), { cause: error });
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

/** The most that tensors took, and how full a GPU is: libtorch keeps there what was freed. */
function memoryUsed({ device = "cpu" }: Pick<TrainOptions, "device">): string {
  const tensors = `Memory: ${formatBytes(peakBytes())} of tensors at most`;
  if (!device.startsWith("cuda")) return tensors;
  const { usedBytes, totalBytes } = deviceMemory();
  return `${tensors}, ${formatBytes(usedBytes)} of ${formatBytes(totalBytes)} in use on ${device}`;
}

/** What to lower where there is not enough memory. */
function lessMemory(
  { text }: OutOfMemoryError,
  { device = "cpu", microBatch, saved: { recipe, config: { run } }, folder }: Omit<
    TrainOptions,
    "signal"
  >,
): string {
  const rows = Math.min(microBatch ?? Infinity, run.batchSize), half = Math.ceil(rows / 2);
  const goOn = `deno task train ${recipe} --resume="${folder}" --micro-batch=${half}`;
  return `Cannot train on ${device} with ${rows} rows at a time: ${text}\n` +
    `The same steps take less by ${goOn}\n` +
    `Other steps, from anew, by a lower --run.batchSize than ${run.batchSize}, or a smaller --preset`;
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
