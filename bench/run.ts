// deno task bench [name …] [--rounds=3] [--steps=6] [--threads=2] [--json=FILE]
//
// Times Ponder beside PyTorch eager, which computes the same step: the two take turns, each
// in a process of its own on the same threads, and start from the same weights and batch, so
// that equal losses show that they do the same work. PyTorch is `python3`, or what
// PONDER_PYTHON names; where it has no torch, its columns stay empty and a line says so.
import { parseCommand, runMain, UsageError } from "../zoo/cli/flags.ts";
import { ProgressLine, table } from "../zoo/cli/terminal.ts";
import type { HrmStepPreset } from "./hrm_step.ts";

type Size = Omit<HrmStepPreset, "forwardDtype" | "threads" | "steps" | "warmup">;

const board9 = { hCycles: 2, lCycles: 2, seqLen: 81, vocabSize: 11, mlpMultiple: 256, batch: 32 };

/** The steps that are timed, by name. */
const sizes: Readonly<Record<string, Size>> = {
  cpu: {
    ...board9,
    hiddenSize: 64,
    numHeads: 4,
    hLayers: 2,
    lLayers: 2,
    seqLen: 36,
    vocabSize: 8,
    mlpMultiple: 32,
    batch: 64,
  },
  tiny: { ...board9, hiddenSize: 128, numHeads: 4, hLayers: 2, lLayers: 2 },
  small: { ...board9, hiddenSize: 256, numHeads: 4, hLayers: 4, lLayers: 4 },
};

const works = [
  ...Object.keys(sizes).flatMap((size) => [`${size}-float32`, `${size}-bfloat16`]),
  "mul8",
];

const declaration = {
  name: "bench",
  summary: "Time Ponder beside PyTorch eager",
  positionals: [{
    name: "work",
    help: "what to time; all if left out",
    choices: works,
    rest: true,
  }],
  flags: {
    rounds: { type: "integer", min: 1, default: 3, help: "how often the two take turns" },
    steps: { type: "integer", min: 1, default: 6, help: "steps that are timed in a turn" },
    threads: {
      type: "integer",
      min: 1,
      default: Math.min(2, navigator.hardwareConcurrency),
      help: "threads for one operation",
    },
    json: { type: "string", placeholder: "file", help: "write the figures there too" },
  },
} as const;

/** What one turn measured. */
interface Turn {
  readonly step_ms: readonly number[];
  readonly losses: readonly number[];
  readonly peak_rss_mb: number | null;
}

/** One row of the table. */
interface Row {
  readonly work: string;
  readonly ponder_ms: number;
  readonly pytorch_ms: number | null;
  /** PyTorch's time over Ponder's: the median of the rounds' ratios, and its range. */
  readonly ratio: number | null;
  readonly ratio_range: readonly [number, number] | null;
  /** The largest difference of losses, relative. */
  readonly loss_difference: number | null;
  readonly memory_ratio: number | null;
}

async function main(args: readonly string[]): Promise<void> {
  const { flags, positionals } = parseCommand(declaration, args);
  const chosen = positionals.work.length === 0 ? works : positionals.work;
  const python = await findPython();
  if (python === null) {
    console.log("PyTorch is skipped: no python3 with torch; name one by PONDER_PYTHON");
  }
  const rows: Row[] = [];
  using progress = new ProgressLine();
  for (const work of chosen) {
    rows.push(
      work === "mul8"
        ? await timeMultiply(python, flags.rounds, progress)
        : await timeStep(work, python, flags, progress),
    );
  }
  progress.finish();
  console.log(table(rows.map(shown), [
    { key: "work" },
    { key: "ponder", title: "Ponder ms", align: "right" },
    { key: "pytorch", title: "PyTorch ms", align: "right" },
    { key: "ratio", title: "speed", align: "right" },
    { key: "range", title: "range", align: "right" },
    { key: "memory", title: "memory", align: "right" },
    { key: "loss", title: "loss", align: "right" },
  ]));
  if (flags.json !== undefined) {
    const { threads, rounds, steps } = flags;
    Deno.writeTextFileSync(flags.json, JSON.stringify({ threads, rounds, steps, rows }, null, 2));
  }
}

function shown(row: Row): Record<string, string | null> {
  const digits = row.ponder_ms < 1 ? 5 : 1;
  return {
    work: row.work,
    ponder: row.ponder_ms.toFixed(digits),
    pytorch: row.pytorch_ms?.toFixed(digits) ?? null,
    ratio: row.ratio === null ? null : `${row.ratio.toFixed(2)}×`,
    range: row.ratio_range === null ? null : row.ratio_range.map((r) => r.toFixed(2)).join("–"),
    memory: row.memory_ratio === null ? null : `${row.memory_ratio.toFixed(2)}×`,
    loss: row.loss_difference === null ? null : row.loss_difference.toExponential(0),
  };
}

interface StepFlags {
  readonly rounds: number;
  readonly steps: number;
  readonly threads: number;
}

async function timeStep(
  work: string,
  python: string | null,
  { rounds, steps, threads }: StepFlags,
  progress: ProgressLine,
): Promise<Row> {
  const [size, dtype] = work.split("-") as [string, "float32" | "bfloat16"];
  const preset = { ...sizes[size]!, forwardDtype: dtype, threads, steps, warmup: 2 };
  const file = await Deno.makeTempFile({ suffix: ".safetensors" });
  const ours: Turn[] = [], theirs: Turn[] = [];
  for (let round = 1; round <= rounds; round++) {
    progress.update(`${work}: round ${round} of ${rounds}, Ponder`);
    ours.push(await ponderTurn(file, preset));
    if (python === null) continue;
    progress.update(`${work}: round ${round} of ${rounds}, PyTorch`);
    theirs.push(await pytorchTurn(python, file, preset));
  }
  await Deno.remove(file);
  const own = ours.map((turn) => median(turn.step_ms));
  const peer = theirs.map((turn) => median(turn.step_ms));
  const memory = theirs.map((turn, i) => ours[i]!.peak_rss_mb! / turn.peak_rss_mb!);
  return {
    ...compared(work, own, peer),
    loss_difference: theirs.length === 0 ? null : lossDifference(ours[0]!, theirs[0]!),
    memory_ratio: memory.length === 0 ? null : median(memory),
  };
}

function compared(
  work: string,
  own: number[],
  peer: number[],
): Omit<Row, "loss_difference" | "memory_ratio"> {
  const ratios = peer.map((time, i) => time / own[i]!);
  return {
    work,
    ponder_ms: median(own),
    pytorch_ms: peer.length === 0 ? null : median(peer),
    ratio: ratios.length === 0 ? null : median(ratios),
    ratio_range: ratios.length === 0 ? null : [Math.min(...ratios), Math.max(...ratios)],
  };
}

function lossDifference(a: Turn, b: Turn): number {
  return Math.max(...a.losses.map((loss, i) => Math.abs(loss - b.losses[i]!) / Math.abs(loss)));
}

async function ponderTurn(file: string, preset: HrmStepPreset): Promise<Turn> {
  const script = new URL("./hrm_step.ts", import.meta.url).pathname;
  const args = ["run", "-q", "--allow-all", script, file, JSON.stringify(preset)];
  return JSON.parse(await output(Deno.execPath(), args));
}

async function pytorchTurn(python: string, file: string, preset: HrmStepPreset): Promise<Turn> {
  const script = new URL("./peers/hrm_pytorch.py", import.meta.url).pathname;
  const settings = {
    hidden_size: preset.hiddenSize,
    num_heads: preset.numHeads,
    H_layers: preset.hLayers,
    L_layers: preset.lLayers,
    H_cycles: preset.hCycles,
    L_cycles: preset.lCycles,
    seq_len: preset.seqLen,
    vocab_size: preset.vocabSize,
    mlp_multiple: preset.mlpMultiple,
    batch: preset.batch,
    dtype: preset.forwardDtype,
    threads: preset.threads,
    steps: preset.steps,
    warmup: preset.warmup,
  };
  return JSON.parse(await output(python, [script, "--init", file, JSON.stringify(settings)]));
}

async function timeMultiply(
  python: string | null,
  rounds: number,
  progress: ProgressLine,
): Promise<Row> {
  const own: number[] = [], peer: number[] = [];
  const script = new URL("./mul8.ts", import.meta.url).pathname;
  const peerScript = new URL("./peers/hrm_pytorch.py", import.meta.url).pathname;
  for (let round = 1; round <= rounds; round++) {
    progress.update(`mul8: round ${round} of ${rounds}`);
    own.push(Number(await output(Deno.execPath(), ["run", "-q", "--allow-all", script])) / 1000);
    if (python === null) continue;
    peer.push(JSON.parse(await output(python, [peerScript, "--op", "mul8"])).us / 1000);
  }
  return { ...compared("mul8", own, peer), loss_difference: null, memory_ratio: null };
}

async function output(command: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(`Cannot run ${command}: ${new TextDecoder().decode(stderr).trim()}`);
}

/** A Python that has torch and safetensors. */
async function findPython(): Promise<string | null> {
  const named = Deno.env.get("PONDER_PYTHON");
  for (const python of named === undefined ? ["python3", "python"] : [named]) {
    try {
      await output(python, ["-c", "import torch, safetensors"]);
      return python;
    } catch {
      if (named !== undefined) throw new UsageError(`PONDER_PYTHON=${named} has no torch`);
    }
  }
  return null;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

if (import.meta.main) await runMain(() => main(Deno.args));
