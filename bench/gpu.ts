// deno run -A bench/gpu.ts [--minutes=60] [--batch=384] [--data=FOLDER] [--out=runs/gpu]
//                          [--preset=paper] [--rounds=3] [--steps=20] [--device=cpu]
//
// What is to be done on a machine with a GPU, by one command: the tests that need one; the training
// step of HRM in bfloat16 beside PyTorch eager and torch.compile; then as much of the recipe
// `hrm-sudoku` as the rest of the minutes allows. Prints one table and writes it as JSON.
//
// Each part is kept in `figures.json` of --out once it is done: the same command again goes on
// where this one stopped, the training with its checkpoint. --data names Sudoku-Extreme as
// `deno task data build sudoku-extreme` leaves it; without it the puzzles are generated.
// PONDER_PYTHON names a Python with torch for CUDA and safetensors. --device=cpu, with
// --preset=tiny, rehearses all of it where there is no GPU.
import { join, resolve } from "@std/path";
import { zeros } from "../core/create.ts";
import type { Device } from "../core/device.ts";
import { writeFileAtomic } from "../core/io/file.ts";
import { loadLibrary } from "../ffi/mod.ts";
import { parseCommand, runMain, UsageError } from "../zoo/cli/flags.ts";
import { formatBytes, formatPercent, table } from "../zoo/cli/terminal.ts";
import { hasCheckpoint } from "../zoo/checkpoint.ts";
import { lastMetrics } from "../zoo/metrics.ts";
import { recipes } from "../zoo/recipes.ts";
import { extent, largestDifference, median, threadsFlag } from "./figures.ts";
import type { StepPreset } from "./step.ts";
import { findPython, ponderStep, pytorchStep, type Turn, withWeights } from "./turns.ts";

const RECIPE = "hrm-sudoku";
const ROOT = new URL("..", import.meta.url).pathname;

const declaration = {
  name: "gpu",
  summary: "Run the tests of a GPU, time the step beside PyTorch, and train the recipe",
  flags: {
    minutes: { type: "number", min: 0, default: 60, help: "for all of it, this time" },
    preset: { type: "string", default: "paper", help: "of which size" },
    batch: { type: "integer", min: 1, default: 384, help: "rows of the step that is timed" },
    rounds: { type: "integer", min: 1, default: 3, help: "how often the contestants take turns" },
    steps: { type: "integer", min: 1, default: 20, help: "steps in a turn" },
    data: { type: "string", placeholder: "folder", help: "Sudoku-Extreme, as it was built" },
    out: { type: "string", default: "runs/gpu", help: "where everything is kept" },
    device: { type: "choice", choices: ["cuda", "cpu"], default: "cuda", help: "where to compute" },
    threads: threadsFlag,
  },
} as const;

type Flags = ReturnType<typeof parseCommand<typeof declaration>>["flags"];

/** What is known so far. */
export interface Figures {
  /** The library, and what is computed on. */
  readonly machine: string;
  /** How the tests ended. */
  readonly tests?: string;
  /** The contestants of the step; of those that took no turn, why. */
  readonly step?: Readonly<Record<string, StepFigures | string>>;
  /** How far the training came. */
  readonly training?: TrainingFigures;
}

/** How a contestant did its steps. */
export interface StepFigures {
  /** Milliseconds, the median of its turns, and their range. */
  readonly ms: number;
  readonly range: readonly [number, number];
  /** The most bytes of the GPU that tensors took; null on the CPU. */
  readonly deviceBytes: number | null;
  /** How far its first loss is from Ponder's, relative. */
  readonly lossDifference: number | null;
}

/** How far a run came. */
export interface TrainingFigures {
  readonly step: number;
  readonly steps: number;
  readonly seconds: number;
  /** Of the held-out puzzles at the last evaluation, the share solved; null before the first. */
  readonly exact: number | null;
}

async function main(args: readonly string[]): Promise<void> {
  const given = parseCommand(declaration, args).flags;
  const flags = { ...given, out: resolve(given.out) };
  const end = performance.now() + flags.minutes * 60_000;
  const machine = machineOf(flags.device);
  await Deno.mkdir(flags.out, { recursive: true });
  const file = join(flags.out, "figures.json");
  let figures = { ...readFigures(file), machine };
  const note = async (more: Partial<Figures>): Promise<void> => {
    figures = { ...figures, ...more };
    await writeFileAtomic(file, JSON.stringify(figures, null, 2) + "\n");
  };
  if (figures.tests === undefined) await note({ tests: await runTests(flags.device) });
  if (figures.step === undefined) await note({ step: await timeSteps(flags) });
  const left = (end - performance.now()) / 60_000;
  if (left > 0) await note({ training: await trainFor(left, flags) });
  console.log(`\n${machine}\n\n${table(rowsOf(figures), columns, Infinity)}\n\nIn ${file}`);
}

/** What computes, or why nothing can. */
function machineOf(device: Device): string {
  const { version } = loadLibrary();
  try {
    zeros([1], { device }).dispose();
  } catch (error) {
    throw new UsageError(
      `There is nothing to measure here: ${(error as Error).message}. ` +
        `On a machine with a GPU: deno task setup --variant=cu130; --device=cpu --preset=tiny rehearses`,
    );
  }
  return `libtorch ${version} on ${device}`;
}

function readFigures(file: string): Partial<Figures> {
  try {
    return JSON.parse(Deno.readTextFileSync(file));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}

/** The last line of the tests that need a GPU. */
async function runTests(device: Device): Promise<string> {
  const files = ["tests/core/gpu_test.ts", "tests/zoo/gpu_test.ts", "tests/ffi/cuda_build_test.ts"];
  console.log(`Testing on ${device}`);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "test", ...files],
    cwd: ROOT,
    env: { PONDER_TEST_DEVICE: device, NO_COLOR: "1" },
    stderr: "inherit",
  }).output();
  const text = new TextDecoder().decode(stdout).trim();
  const last = text.split("\n").at(-1)!;
  if (!/, 0 failed/.test(last)) console.log(text);
  return last;
}

/** The contestants in turns. */
async function timeSteps(flags: Flags): Promise<Record<string, StepFigures | string>> {
  const { model } = presetOf(flags);
  const { device, batch, steps, threads } = flags;
  const warmup = 3;
  const settings = { model, batch, device, steps, threads, warmup } satisfies StepPreset;
  const python = await findPython();
  return await withWeights(settings, async (file) => {
    const sides: Record<string, () => Promise<Turn>> = {
      Ponder: () => ponderStep(file, settings),
      ...(python === null ? {} : {
        "PyTorch eager": () => pytorchStep(python, file, settings),
        "torch.compile": () => pytorchStep(python, file, settings, "--compile"),
      }),
    };
    const turns: Record<string, Turn[]> = {}, failed: Record<string, string> = {};
    for (let round = 1; round <= flags.rounds; round++) {
      for (const [name, turn] of Object.entries(sides)) {
        if (failed[name] !== undefined) continue;
        console.log(`Timing the step: round ${round} of ${flags.rounds}, ${name}`);
        try {
          (turns[name] ??= []).push(await turn());
        } catch (error) {
          failed[name] = (error as Error).message.split("\n").at(-1)!;
        }
      }
    }
    if (python === null) failed["PyTorch"] = "no python3 with torch and safetensors";
    const ours = turns["Ponder"]?.[0];
    const done = Object.entries(turns).map(([name, all]) =>
      [name, figuresOf(all, name === "Ponder" ? undefined : ours)] as const
    );
    return { ...Object.fromEntries(done), ...failed };
  });
}

function figuresOf(turns: readonly Turn[], ours: Turn | undefined): StepFigures {
  const times = turns.map(({ step_ms }) => median(step_ms));
  return {
    ms: median(times),
    range: extent(times),
    deviceBytes: turns[0]!.peak_device_bytes ?? null,
    lossDifference: ours === undefined
      ? null
      : largestDifference([ours.first_loss], [turns[0]!.first_loss]),
  };
}

/** Trains for so many minutes, from where the run before stopped. */
async function trainFor(minutes: number, flags: Flags): Promise<TrainingFigures> {
  const folder = join(flags.out, "training");
  const isNew = !hasCheckpoint(folder);
  const data = flags.data === undefined
    ? []
    : ["trainFile", "testFile"].map((file) => `--task.${file}=${resolve(flags.data!)}`);
  const start = [`--preset=${flags.preset}`, `--out=${folder}`, ...data];
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["task", "train", RECIPE, `--device=${flags.device}`, `--minutes=${minutes}`],
      ...(isNew ? start : [`--resume=${folder}`]),
    ],
    cwd: ROOT,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("The training failed; what was measured before is kept");
  const last = lastMetrics(folder);
  const evaluation = last?.final?.final ?? last?.evaluation;
  return {
    step: last?.step ?? 0,
    steps: presetOf(flags).run.steps,
    seconds: last?.seconds ?? 0,
    exact: evaluation?.exact ?? null,
  };
}

function presetOf({ preset }: Flags): (typeof recipes)[string]["presets"]["cpu"] {
  const found = recipes[RECIPE]!.presets[preset];
  if (found === undefined) throw new UsageError(`There is no preset "${preset}" of ${RECIPE}`);
  return found;
}

const columns = [{ key: "what" }, { key: "figure" }, { key: "beside" }] as const;

/** The table of all parts. */
export function rowsOf({ tests, step = {}, training }: Partial<Figures>): Record<string, string>[] {
  const ponder = step["Ponder"];
  const contestants = Object.entries(step).map(([name, figures]) => {
    if (typeof figures === "string") return { what: `step, ${name}`, figure: "–", beside: figures };
    const { ms, range, deviceBytes, lossDifference } = figures;
    const ratio = typeof ponder === "object" && name !== "Ponder"
      ? [`Ponder is ${(ms / ponder.ms).toFixed(2)}× as fast`]
      : [];
    const memory = deviceBytes === null ? [] : [formatBytes(deviceBytes)];
    const loss = lossDifference === null
      ? []
      : [`first loss ${lossDifference.toExponential(0)} off`];
    return {
      what: `step, ${name}`,
      figure: `${ms.toFixed(1)} ms (${range.map((t) => t.toFixed(1)).join("–")})`,
      beside: [...ratio, ...memory, ...loss].join(", "),
    };
  });
  const trained = training === undefined ? [] : [{
    what: "training",
    figure: `step ${training.step} of ${training.steps}`,
    beside: `${(training.seconds / 60).toFixed(1)} minutes, ` +
      (training.exact === null ? "not evaluated yet" : `${formatPercent(training.exact)} exact`),
  }];
  return [{ what: "tests", figure: tests ?? "–", beside: "" }, ...contestants, ...trained];
}

if (import.meta.main) await runMain(() => main(Deno.args));
