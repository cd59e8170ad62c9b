// One turn is one process that times a work and prints what it measured.
import { UsageError } from "../zoo/cli/flags.ts";
import type { StepPreset } from "./step.ts";
import type { StepWork } from "./works.ts";

/** What one turn measured. */
export interface Turn {
  /** Milliseconds of each step. */
  readonly step_ms: readonly number[];
  /** The loss of each step, summed over the batch. */
  readonly losses: readonly number[];
  /** The same of the very first step, warm-up or not; null for what has none. */
  readonly first_loss: number | null;
  /** The most memory that the process ever held. */
  readonly peak_rss_mb: number | null;
  /** The most bytes of tensors that lived at once while steps were timed. */
  readonly peak_tensor_bytes?: number;
  /** The most bytes of a GPU that tensors took; null on the CPU. */
  readonly peak_device_bytes?: number | null;
  /** Operations of a step's matrix products. */
  readonly flops?: number;
  /** Billions of operations a second in a product alone, where that was measured. */
  readonly product_gflops?: number | null;
}

const MUL8 = path("./mul8.ts"),
  WEIGHTS = path("./weights.ts"),
  STEP = path("./step.ts"),
  PEER = path("./peers/step_pytorch.py");

/** Runs a body with a file of the weights and the batch of a work. */
export async function withWeights<T>(
  work: StepWork,
  body: (file: string) => Promise<T>,
): Promise<T> {
  const file = await Deno.makeTempFile({ suffix: ".safetensors" });
  try {
    await deno(WEIGHTS, file, JSON.stringify(work));
    return await body(file);
  } finally {
    await Deno.remove(file);
  }
}

/** A step in Ponder, from that file. */
export async function ponderStep(file: string, preset: StepPreset): Promise<Turn> {
  return JSON.parse(await deno(STEP, file, JSON.stringify(preset)));
}

/** The same step in PyTorch, from that file; `flags` may hold `--compile`. */
export async function pytorchStep(
  python: string,
  file: string,
  preset: StepPreset,
  ...flags: readonly string[]
): Promise<Turn> {
  return JSON.parse(await output(python, [PEER, file, JSON.stringify(preset), ...flags]));
}

/** A process that does one step, from its start to its end. */
export async function fromStart(turn: () => Promise<Turn>): Promise<Turn> {
  const began = performance.now();
  const { first_loss, peak_rss_mb } = await turn();
  return { step_ms: [performance.now() - began], losses: [], first_loss, peak_rss_mb };
}

/** One 8×8 multiply in Ponder. */
export async function ponderMultiply(): Promise<Turn> {
  return oneTime(Number(await deno(MUL8)));
}

/** One 8×8 multiply in PyTorch. */
export async function pytorchMultiply(python: string): Promise<Turn> {
  return oneTime(JSON.parse(await output(python, [PEER, "--op", "mul8"])).us);
}

/** A Python that has torch and safetensors: what PONDER_PYTHON names, or any; null for none. */
export async function findPython(): Promise<string | null> {
  const named = Deno.env.get("PONDER_PYTHON");
  for (const python of named === undefined ? ["python3", "python"] : [named]) {
    try {
      await output(python, ["-c", "import torch, safetensors"]);
      return python;
    } catch {
      if (named !== undefined) {
        throw new UsageError(`PONDER_PYTHON=${named} has no torch or no safetensors`);
      }
    }
  }
  return null;
}

function oneTime(micros: number): Turn {
  return { step_ms: [micros / 1000], losses: [], first_loss: null, peak_rss_mb: null };
}

function deno(script: string, ...args: readonly string[]): Promise<string> {
  return output(Deno.execPath(), ["run", "-q", "--allow-all", script, ...args]);
}

async function output(command: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(`Cannot run ${command}: ${new TextDecoder().decode(stderr).trim()}`);
}

function path(relative: string): string {
  return new URL(relative, import.meta.url).pathname;
}
