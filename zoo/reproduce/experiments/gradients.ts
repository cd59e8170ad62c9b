/**
 * E6 and E7: what the one-step gradient costs, and how steady it is.
 *
 * @module
 */
import { Random } from "../../../core/random.ts";
import { scope } from "../../../core/scope.ts";
import { liveBytes } from "../../../ffi/mod.ts";
import { makeModel, type ModelConfig } from "../../../models/family.ts";
import { batchOf } from "../../../models/model.ts";
import { readMetrics } from "../../metrics.ts";
import { trainStep } from "../../step.ts";
import { disposeTrainee, makeTrainee } from "../../train.ts";
import { lineChart } from "../charts.ts";
import { type Experiment, type Row, verdictOf } from "../experiment.ts";
import type { Lab } from "../lab.ts";
import { listed } from "../text.ts";

/** E6: what a step holds before it goes back, and how long it takes. */
export const memory: Experiment = {
  title: "Memory of the one-step gradient",
  claim: "The one-step gradient needs the same memory however many steps the recursion has, " +
    "backpropagation through time needs more with every step (Wang et al. 2025, " +
    "arXiv:2506.21734, §2)",
  run: (lab) => {
    const schemes = schemesOf(lab);
    const depths = lab.scale === "tiny" ? [1, 4] : [1, 2, 4, 8, 16];
    const most = depths.at(-1)!;
    const { batchSize } = lab.preset("hrm").run;
    const measured = schemes.map(({ scheme, growing, configAt }) => ({
      ...{ scheme, growing },
      points: depths.map((depth) => ({
        depth,
        mebibytes: heldBytes(configAt(depth), batchSize) / 2 ** 20,
        seconds: stepSeconds(lab, configAt(depth)),
      })),
    }));
    const rows = measured.flatMap(({ scheme, points }) =>
      points.flatMap(({ depth, mebibytes, seconds }): Row[] => [
        { scheme, depth, panel: "MiB held before going back", value: mebibytes },
        { scheme, depth, panel: "seconds a step", value: seconds },
      ])
    );
    const growth = measured.map(({ points }) => points.at(-1)!.mebibytes / points[0]!.mebibytes);
    return Promise.resolve({
      rows,
      chart: lineChart({
        title: "What a training step holds and takes, by depth",
        rows,
        x: { field: "depth", title: "depth", scale: "log" },
        y: { field: "value", title: "" },
        series: { field: "scheme", title: "" },
        panels: "panel",
      }),
      measured: `From depth 1 to ${most} the tape of a step grows ${
        listed(measured.map(({ scheme }, i) => `${growth[i]!.toFixed(1)}-fold (${scheme})`))
      }.`,
      verdict: verdictOf(
        ...measured.map(({ growing }, i) => growing ? growth[i]! > most / 4 : growth[i]! < 1.1),
      ),
    });
  },
};

/** A way to take gradients. */
interface Scheme {
  readonly scheme: string;
  /** Whether what is gone back through grows with the depth. */
  readonly growing: boolean;
  readonly configAt: (depth: number) => ModelConfig;
}

function schemesOf(lab: Lab): Scheme[] {
  const [hrm, trm] = [lab.model("hrm"), lab.model("trm")];
  const recurrent = { ...lab.model("recurrent"), lossAt: "last" } as const;
  const looped = { ...lab.model("looped"), window: 1 };
  const constant = (scheme: string, configAt: Scheme["configAt"]) => ({
    ...{ scheme, configAt, growing: false },
  });
  const growing = (scheme: string, configAt: Scheme["configAt"]) => ({
    ...{ scheme, configAt, growing: true },
  });
  return [
    constant("HRM, one-step gradient, N = T", (n) => ({ ...hrm, hCycles: n, lCycles: n })),
    constant("TRM, last recursion whole, T", (hCycles) => ({ ...trm, hCycles })),
    growing("TRM, last recursion whole, n", (lCycles) => ({ ...trm, lCycles })),
    constant("recurrent, one-step gradient, R", (recurrences) => ({
      ...recurrent,
      ...{ recurrences, gradientSteps: 1 },
    })),
    growing("recurrent, through time, R", (recurrences) => ({
      ...recurrent,
      ...{ recurrences, gradientSteps: recurrences },
    })),
    constant("looped, window of 1, loops", (loops) => ({ ...looped, loops, loopsStart: loops })),
  ];
}

/** Bytes that a step holds before it goes back, its weights, its carry and its batch left out. */
function heldBytes(config: ModelConfig, batchSize: number): number {
  using _ = scope();
  const random = new Random(1);
  const model = makeModel(config, { random });
  const batch = randomBatch(config, batchSize, random);
  const carry = model.initialCarry(batch);
  const before = liveBytes();
  model.step(carry, batch, { training: { random, step: 2 ** 30 } });
  return liveBytes() - before;
}

/** Seconds of a whole training step: the fastest of three. */
function stepSeconds(lab: Lab, config: ModelConfig): number {
  using _ = scope();
  const preset = { ...lab.preset("hrm"), model: config };
  const trainee = makeTrainee(preset, lab.device);
  const random = new Random(1);
  const batch = randomBatch(config, preset.run.batchSize, random);
  const rates = { lr: 1e-4, puzzleEmbLr: 1e-4 };
  const times = Array.from({ length: 3 }, () => {
    const carry = trainee.model.initialCarry(batch);
    const began = performance.now();
    trainStep(trainee, carry, batch, rates, { random, step: 2 ** 30 });
    return (performance.now() - began) / 1000;
  });
  disposeTrainee(trainee);
  return Math.min(...times);
}

function randomBatch({ seqLen, vocabSize }: ModelConfig, rows: number, random: Random) {
  const tokens = () => Int32Array.from({ length: rows * seqLen }, () => random.below(vocabSize));
  const puzzleIdentifiers = new Int32Array(rows);
  return batchOf({ inputs: tokens(), labels: tokens(), puzzleIdentifiers }, seqLen);
}

/** E7: the length of the gradient over training. */
export const stability: Experiment = {
  title: "Steadiness of training",
  claim:
    "The one-step gradient neither explodes nor vanishes, where backpropagation through time " +
    "may (Wang et al. 2025, arXiv:2506.21734, §2; text only)",
  run: async (lab) => {
    const { recurrences } = lab.model("recurrent");
    const deep = { recurrences: 2 * recurrences, gradientSteps: 2 * recurrences, lossAt: "last" };
    const schemes = [
      ["HRM, one-step gradient", await lab.train("hrm")],
      ["TRM, last recursion", await lab.train("trm")],
      ["recurrent, through time", await lab.train("recurrent", { model: deep })],
    ] as const;
    const traces = schemes.map(([scheme, trained]) => {
      const lines = readMetrics(trained[0]!.folder).filter(({ gradNorm }) => gradNorm != null);
      const norms = lines.map(({ gradNorm }) => gradNorm!);
      const late = norms.slice(Math.floor(norms.length / 4));
      return {
        scheme,
        spread: Math.max(...late) / Math.min(...late),
        rows: lines.map(({ step, gradNorm }) => ({ scheme, step, gradient: gradNorm! })),
      };
    });
    const rows = traces.flatMap((trace) => trace.rows);
    const [hrm, trm, throughTime] = traces.map(({ spread }) => spread);
    return {
      rows,
      chart: lineChart({
        title: "Length of the gradient during training",
        rows,
        x: { field: "step", title: "step" },
        y: { field: "gradient", title: "mean length of the gradient", scale: "log" },
        series: { field: "scheme", title: "" },
        points: false,
      }),
      measured: `All three trained to the end. After the first quarter, the longest gradient is ${
        listed(traces.map(({ scheme, spread }) =>
          `${spread.toFixed(1)} times the shortest (${scheme})`
        ))
      }.`,
      verdict: verdictOf(hrm! < 100 && trm! < 100, throughTime! > 2 * hrm!),
    };
  },
};
