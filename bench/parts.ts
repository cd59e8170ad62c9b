// Two parts that every framework can make, for a benchmark across frameworks: a transformer
// block, forward alone and with all gradients, and a training step of a multilayer perceptron.
// Numbers only, no framework: each contestant computes them by its own means, from these
// weights and inputs, and its losses and gradients show whether it did the same work.
import { Random } from "../core/random.ts";

/**
 * The block: `y = norm(x + Wo attention(Wqkv x))`, `norm(y + Wd (silu(G) ⊙ U))`, `[G, U] = Wgu y`;
 * norm is RMS without a gain; no mask, no rotary positions. Its loss is `mean((block(x) − target)²)`.
 */
export const block = {
  batch: 32,
  length: 82,
  width: 128,
  heads: 4,
  inner: 512,
  eps: 1e-5,
} as const;

/** The perceptron: `W₂ relu(W₁x + b₁) + b₂`, mean softmax cross-entropy, plain gradient descent. */
export const mlp = { batch: 64, inputs: 784, hidden: 512, classes: 10, lr: 0.1 } as const;

/** What is timed. */
export const partNames = ["block-forward", "block", "mlp"] as const;

/** A name of a part. */
export type PartName = typeof partNames[number];

/** Numbers with their shape; weights are `[out, in]`. */
export interface Numbers {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** The block's input, weights and target, drawn anew and always the same. */
export function blockNumbers() {
  const { batch, length, width, inner } = block;
  const random = new Random(1), scale = width ** -0.5;
  return {
    x: normal(random, [batch, length, width]),
    qkv: normal(random, [3 * width, width], scale),
    o: normal(random, [width, width], scale),
    gateUp: normal(random, [2 * inner, width], scale),
    down: normal(random, [width, inner], inner ** -0.5),
    target: normal(random, [batch, length, width]),
  };
}

/** The perceptron's batch and first weights. */
export function mlpNumbers() {
  const { batch, inputs, hidden, classes } = mlp;
  const random = new Random(2);
  return {
    x: normal(random, [batch, inputs]),
    labels: Int32Array.from({ length: batch }, () => random.below(classes)),
    w1: normal(random, [hidden, inputs], inputs ** -0.5),
    b1: normal(random, [hidden], 0.1),
    w2: normal(random, [classes, hidden], hidden ** -0.5),
    b2: normal(random, [classes], 0.1),
  };
}

/** The labels as rows of zeros with a one, `[batch, classes]`, for those that cannot gather. */
export function oneHot(labels: Int32Array): Numbers {
  const data = new Float32Array(labels.length * mlp.classes);
  labels.forEach((label, row) => data[row * mlp.classes + label] = 1);
  return { shape: [labels.length, mlp.classes], data };
}

function normal(random: Random, shape: readonly number[], scale = 1): Numbers {
  const size = shape.reduce((a, b) => a * b);
  return { shape, data: Float32Array.from({ length: size }, () => scale * random.normal()) };
}

/** A part made ready. */
export interface Part {
  /** Computes it once, to the end, and gives its loss; the perceptron has then learnt a step. */
  step(): number | Promise<number>;
  /** The block's gradients by what they are of, as the last step left them. */
  gradients?(): Promise<Record<string, Gradient>> | Record<string, Gradient>;
}

/** Elements, in any order. */
export type Gradient = Iterable<number>;

/** A framework that takes part. */
export interface Contestant {
  /** Its version, and on what it computes. */
  readonly about: string;
  /** The parts that it can compute. */
  readonly parts: { readonly [name in PartName]?: () => Part | Promise<Part> };
}

/** How long a turn takes. */
export interface TurnOptions {
  /** Threads for one operation, where the framework lets one choose. */
  readonly threads: number;
  /** Steps that are timed at the least; short ones until they take half a second together. */
  readonly steps: number;
  /** … at the most until so many seconds after the start, but not before the first. */
  readonly seconds: number;
}

/** Seconds before the clock starts, in which compilers find out what is worth compiling. */
const WARMUP = 2;

/** Seconds that the timed steps take together, if they are short. */
const TIMED = 0.5;

/** Steps whose losses are compared; later ones make more of rounding. */
const COMPARED = 5;

/** What one turn measured. */
export interface PartTurn {
  readonly about: string;
  /** Milliseconds of each timed step. */
  readonly stepMs: readonly number[];
  /** The losses of the first steps. */
  readonly losses: readonly number[];
  /** Root mean square of each gradient; empty where there are none. */
  readonly gradients: Readonly<Record<string, number>>;
}

/**
 * A contestant's program: times the part that the command line names, as the JSON after it
 * says, and prints a {@link PartTurn} as one line of JSON.
 */
export async function takeTurn(
  make: (options: TurnOptions) => Contestant | Promise<Contestant>,
): Promise<void> {
  const [name, json] = Deno.args as [PartName, string];
  const options: TurnOptions = JSON.parse(json);
  const { about, parts } = await make(options);
  const makePart = parts[name];
  if (makePart === undefined) throw new RangeError(`${about} has no part "${name}"`);
  console.log(JSON.stringify({ about, ...await timePart(await makePart(), options) }));
  Deno.exit(); // some leave threads behind that would keep the process
}

async function timePart(
  part: Part,
  { steps, seconds }: TurnOptions,
): Promise<Omit<PartTurn, "about">> {
  const stepMs: number[] = [], losses: number[] = [];
  const step = async () => {
    const began = performance.now();
    const loss = await part.step();
    stepMs.push(performance.now() - began);
    if (losses.length < COMPARED) losses.push(loss);
  };
  const start = performance.now();
  do await step(); while (elapsed(start) < Math.min(WARMUP, seconds));
  while (losses.length < COMPARED && elapsed(start) < seconds) await step();
  stepMs.length = 0;
  const timed = performance.now();
  do await step(); while (
    (stepMs.length < steps || elapsed(timed) < TIMED) && elapsed(start) < seconds
  );
  const gradients = Object.entries(await part.gradients?.() ?? {});
  return { stepMs, losses, gradients: Object.fromEntries(gradients.map(rootMeanSquare)) };
}

/** Seconds since `performance.now()` was `start`. */
function elapsed(start: number): number {
  return (performance.now() - start) / 1000;
}

function rootMeanSquare([name, gradient]: [string, Gradient]): [string, number] {
  let sum = 0, count = 0;
  for (const value of gradient) {
    sum += value * value;
    count++;
  }
  return [name, Math.sqrt(sum / count)];
}
