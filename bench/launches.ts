// deno run -A bench/launches.ts [recipe] [--preset=paper] [--batch=384] [--threads=1] [--json=FILE]
//
// Whether JavaScript or the GPU bounds a training step, told without a GPU. The step runs on
// `meta`, where it asks for the kernels that a GPU would be asked for, and computes nothing: so
// the time that it takes is the host's, of JavaScript, of FFI and of libtorch's dispatcher. A GPU
// adds what its driver takes to queue a kernel (--launch-us), and bounds the step where its
// own time, of the step's matrix products at --tflops, is longer than the host's.
import { countFlops } from "../core/flops.ts";
import { scope } from "../core/scope.ts";
import { countLaunches, liveBytes, peakBytes, resetPeakBytes } from "../ffi/mod.ts";
import { loadLibrary } from "../ffi/mod.ts";
import { Random } from "../core/random.ts";
import { parseCommand, runMain, UsageError } from "../zoo/cli/flags.ts";
import { formatBytes, table } from "../zoo/cli/terminal.ts";
import { type Preset, queueStep, recipes } from "../zoo/mod.ts";
import { disposeTrainee, makeTrainee } from "../zoo/train.ts";
import { batchOf, type Carry } from "../models/model.ts";
import { threadsFlag } from "./figures.ts";

const declaration = {
  name: "launches",
  summary: "Count what a training step asks of a GPU, and time the asking",
  positionals: [{ name: "recipe", help: "of what; hrm-sudoku if left out", rest: true }],
  flags: {
    preset: { type: "string", default: "paper", help: "of which size" },
    batch: { type: "integer", min: 1, default: 384, help: "rows of the batch" },
    dtype: {
      type: "choice",
      choices: ["bfloat16", "float32"],
      default: "bfloat16",
      help: "in what the model computes",
    },
    steps: { type: "integer", min: 1, default: 30, help: "steps that are timed" },
    tflops: { type: "number", min: 0, default: 400, help: "what the GPU does in matrix products" },
    "launch-us": { type: "number", min: 0, default: 4, help: "what the driver takes for a kernel" },
    threads: threadsFlag,
    json: { type: "string", placeholder: "file", help: "write the figures there too" },
  },
} as const;

/** What a step asks for. */
export interface Launches {
  /** Calls of operators, by operator. */
  readonly byOperator: Readonly<Record<string, number>>;
  /** All of them. */
  readonly launches: number;
  /** Floating-point operations of its matrix products. */
  readonly flops: number;
  /** Milliseconds of the host, the least of the steps: other programs only add to it. */
  readonly hostMs: number;
  /** The most bytes of tensors that live at once, weights and optimiser included. */
  readonly peakBytes: number;
}

/** Runs steps of a preset on `meta`. */
export function launchesOf(preset: Preset, rows: number, steps: number): Launches {
  using _ = scope();
  const before = liveBytes();
  const trainee = makeTrainee(preset, "meta");
  const { seqLen } = preset.model;
  const zeros = (count: number) => new Int32Array(count);
  const batch = () =>
    batchOf(
      {
        inputs: zeros(rows * seqLen),
        labels: zeros(rows * seqLen),
        puzzleIdentifiers: zeros(rows),
      },
      seqLen,
      "meta",
    );
  let carry: Carry = trainee.model.initialCarry(batch());
  const run = (step: number): void => {
    const rates = { lr: 1e-4, puzzleEmbLr: 1e-4 };
    const given = batch();
    const result = queueStep(trainee, carry, given, rates, { random: new Random(1), step });
    for (const tensor of [result.report.numbers, ...Object.values(given)]) tensor.dispose();
    carry = result.carry;
  };
  try {
    run(0);
    resetPeakBytes();
    let counts: ReadonlyMap<string, number> = new Map();
    const flops = countFlops(() => counts = countLaunches(() => run(1)));
    const peak = peakBytes() - before;
    const times = Array.from({ length: steps }, (_, i) => {
      const began = performance.now();
      run(2 + i);
      return performance.now() - began;
    });
    return {
      byOperator: Object.fromEntries([...counts].sort(([, a], [, b]) => b - a)),
      launches: [...counts.values()].reduce((sum, n) => sum + n, 0),
      flops,
      hostMs: Math.min(...times),
      peakBytes: peak,
    };
  } finally {
    disposeTrainee(trainee);
  }
}

function main(args: readonly string[]): void {
  const { flags, positionals: { recipe: [recipe = "hrm-sudoku"] } } = parseCommand(
    declaration,
    args,
  );
  const preset = recipes[recipe]?.presets[flags.preset];
  if (preset === undefined) throw new UsageError(`No preset ${flags.preset} of ${recipe}`);
  loadLibrary({ threads: flags.threads });
  const model = { ...preset.model, forwardDtype: flags.dtype };
  const { byOperator, ...found } = launchesOf({ ...preset, model }, flags.batch, flags.steps);
  const { launches, flops, hostMs } = found;
  const queueMs = hostMs + launches * flags["launch-us"] / 1000;
  const gpuMs = flops / flags.tflops / 1e9;
  const rows = Object.entries(byOperator).map(([operator, calls]) => ({
    operator,
    calls: `${calls}`,
  }));
  console.log(table(rows, [{ key: "operator" }, { key: "calls", align: "right" }]));
  console.log(
    [
      `${recipe}, preset ${flags.preset}, ${flags.dtype}, batch ${flags.batch}:`,
      `  ${launches} launches, ${(flops / 1e12).toFixed(2)} TFLOP in matrix products`,
      `  ${formatBytes(found.peakBytes)} of tensors at most`,
      `  host ${hostMs.toFixed(1)} ms, ${(hostMs * 1000 / launches).toFixed(1)} µs a launch; ` +
      `with ${flags["launch-us"]} µs of the driver for each ${queueMs.toFixed(1)} ms`,
      `  GPU ${gpuMs.toFixed(1)} ms at ${flags.tflops} TFLOP/s, products alone`,
      `  bound by ${gpuMs > queueMs ? "the GPU" : "the host"}`,
    ].join("\n"),
  );
  if (flags.json !== undefined) {
    const figures = { ...found, queueMs, gpuMs, byOperator };
    Deno.writeTextFileSync(flags.json, JSON.stringify(figures, null, 2) + "\n");
  }
}

if (import.meta.main) await runMain(() => main(Deno.args));
