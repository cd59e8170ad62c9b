/** How far back each model's gradient goes, and what that costs in memory. */
import { assert, assertEquals } from "@std/assert";
import { grad, isGradEnabled } from "../../core/autograd.ts";
import { namedParameters } from "../../core/nn/module.ts";
import { Random } from "../../core/random.ts";
import { scope } from "../../core/scope.ts";
import { liveBytes } from "../../ffi/mod.ts";
import type { BackboneModel } from "../../models/backbone.ts";
import type { ModelConfig } from "../../models/family.ts";
import type { Looped, LoopedConfig } from "../../models/looped.ts";
import { carryTensors, type Model, type Step, type Training } from "../../models/model.ts";
import { segmentLoss } from "../../models/supervision.ts";
import { familyBatch, familyModel, small } from "./_family.ts";
import { ScriptedRandom } from "./_small.ts";

/** Anything whose calls are counted. */
interface Callable {
  // deno-lint-ignore no-explicit-any
  forward(...args: any[]): unknown;
}

/** The parts of a model that are called again and again, each with a letter. */
function partsOf(model: Model): [letter: string, part: Callable][] {
  const { inner, backbone } = model as unknown as {
    inner?: Record<"H_level" | "L_level", Callable | undefined>;
    backbone?: BackboneModel<Record<string, never>>["backbone"];
  };
  if (backbone !== undefined) return [["F", backbone]];
  const levels = [["H", inner!.H_level], ["L", inner!.L_level]] as const;
  return levels.flatMap(([letter, part]) => part === undefined ? [] : [[letter, part]]);
}

/** A training step; a letter for each call, a small one where no gradient is recorded. */
function traced(config: ModelConfig, training: Training): { calls: string; step: Step } {
  const model = familyModel(config);
  let calls = "";
  for (const [letter, part] of partsOf(model)) {
    const forward = part.forward.bind(part);
    part.forward = (...args) => {
      calls += isGradEnabled() ? letter : letter.toLowerCase();
      return forward(...args);
    };
  }
  const batch = familyBatch(config, 2);
  const step = model.step(model.initialCarry(batch), batch, { training });
  return { calls, step };
}

const firstStep = (): Training => ({ random: new Random(0), step: 0 });

function callsOf(config: ModelConfig, training = firstStep()): string {
  using _ = scope();
  return traced(config, training).calls;
}

const range = [[1, 1], [2, 3], [3, 1], [1, 4]] as const;

Deno.test("Hrm.step() tapes the last L and the last H, and nothing of the segment that it looks ahead", () => {
  for (const [hCycles, lCycles] of range) {
    const whole = ("l".repeat(lCycles) + "h").repeat(hCycles);
    const got = callsOf({ ...small.hrm, hCycles, lCycles });
    assertEquals(got, whole.slice(0, -2) + "LH" + whole);
    const single = callsOf({ ...small.hrm, hCycles, lCycles, haltMaxSteps: 1 });
    assertEquals(single, whole.slice(0, -2) + "LH", "there is nothing to look ahead to");
  }
});

Deno.test("Trm.step() tapes the n + 1 calls of the last of T recursions, and never looks ahead", () => {
  for (const config of [small.trm, small.trmMlp]) {
    for (const [T, n] of range) {
      const got = callsOf({ ...config, hCycles: T, lCycles: n });
      assertEquals(got, "l".repeat((T - 1) * (n + 1)) + "L".repeat(n + 1));
    }
  }
});

Deno.test("LOnly.step() tapes the last of its cycles", () => {
  for (const cycles of [1, 2, 5]) {
    const got = callsOf({ ...small.lOnly, cycles });
    assertEquals(got, "l".repeat(cycles - 1) + "L" + "l".repeat(cycles));
  }
});

Deno.test("Actv2.step() and Transformer.step() call their stack once, on the tape", () => {
  assertEquals(callsOf(small.actv2), "H");
  assertEquals(callsOf(small.transformer), "F");
});

Deno.test("Recurrent.step() tapes as many of R recurrences as are gone back through", () => {
  for (const config of [small.recurrent, small.recurrentGpt]) {
    for (const [recurrences, gradientSteps] of [[1, 1], [5, 5], [5, 2], [5, 1]] as const) {
      for (const lossAt of ["every", "last"] as const) {
        using _ = scope();
        const changes = { recurrences, gradientSteps, lossAt };
        const { calls, step } = traced({ ...config, ...changes }, firstStep());
        assertEquals(calls, "f".repeat(recurrences - gradientSteps) + "F".repeat(gradientSteps));
        const weights = step.outputs.supervised!.map(({ weight }) => weight);
        assertEquals(weights, Array(lossAt === "every" ? gradientSteps : 1).fill(1));
        assertEquals(step.outputs.logits, step.outputs.supervised!.at(-1)!.logits);
        assertEquals(step.carry.steps.toNumbers(), [recurrences, recurrences]);
        assertEquals(step.carry.halted.toNumbers(), [1, 1]);
      }
    }
  }
});

Deno.test("Looped.step() tapes the window's loops, the last T of b", () => {
  for (const [loops, window, want] of [[4, 2, "ffFF"], [4, 4, "FFFF"], [3, 1, "ffF"]] as const) {
    using _ = scope();
    const changes = { loops, loopsStart: loops, window };
    const { calls, step } = traced({ ...small.looped, ...changes }, firstStep());
    assertEquals(calls, want);
    const weights = step.outputs.supervised!.map(({ weight }) => weight);
    assertEquals(weights, Array(window).fill(1 / window));
  }
});

/** From 2 loops to 7, three more after every 10 steps. */
const curriculum: LoopedConfig = {
  ...small.looped,
  ...{ loops: 7, loopsStart: 2, loopsIncrement: 3, loopsInterval: 10, window: 4 },
};

Deno.test("Looped.step() follows the curriculum, with a window no longer than the loops", () => {
  const model = familyModel(curriculum) as Looped;
  const at = [0, 9, 10, 19, 20, 29, 1e6];
  assertEquals(at.map((step) => model.loopsAt(step)), [2, 2, 5, 5, 7, 7, 7]);
  const calls = at.map((step) => callsOf(curriculum, { random: new Random(0), step }));
  assertEquals(calls, ["FF", "FF", "fFFFF", "fFFFF", ...Array(3).fill("fffFFFF")]);
  assertEquals(model.depth.trained, 7, "evaluation does all loops from the first step on");
});

Deno.test("Looped.step() of the progressive loss tapes k loops after n that it does not, then all b", () => {
  const config: LoopedConfig = { ...curriculum, objective: "progressive", alpha: 0.25 };
  for (const [step, b, n, k] of [[0, 2, 0, 2], [10, 5, 4, 1], [20, 7, 2, 3]] as const) {
    using _ = scope();
    const random = new ScriptedRandom([], [n, k - 1]);
    const { calls, step: { outputs } } = traced(config, { random, step });
    assertEquals(calls, "f".repeat(n) + "F".repeat(k) + "F".repeat(b));
    assertEquals(random.asked, [`below ${b}`, `below ${b - n}`]);
    assertEquals(outputs.supervised!.map(({ weight }) => weight), [0.25, 0.75]);
  }
});

Deno.test("Looped.step() of the progressive loss draws loops that never exceed b, each of them sometimes", () => {
  const config: LoopedConfig = {
    ...small.looped,
    objective: "progressive",
    loops: 3,
    loopsStart: 3,
  };
  const random = new Random(5);
  const seen = new Set<string>();
  for (let i = 0; i < 60; i++) seen.add(callsOf(config, { random, step: i }).slice(0, -3));
  assertEquals([...seen].sort(), ["F", "FF", "FFF", "fF", "fFF", "ffF"]);
});

/** The parameters that a training step's loss does not reach at all, and "puzzles" for the table. */
function unreached(config: ModelConfig): string[] {
  using _ = scope();
  const model = familyModel(config);
  const batch = familyBatch(config, 4);
  const step = model.step(model.initialCarry(batch), batch, { training: firstStep() });
  const { loss } = segmentLoss(step.outputs, step.carry.data.labels, "softmax");
  const named = [
    ...namedParameters(model),
    ...step.puzzleRows === null ? [] : [["puzzles", step.puzzleRows] as const],
  ];
  const gradients = grad(loss, named.map(([, tensor]) => tensor));
  return named.flatMap(([name], i) => gradients[i]!.abs().max().item() === 0 ? [name] : []);
}

Deno.test("grad() of a training step reaches every parameter of every model, and the puzzles", () => {
  const variants: [string, ModelConfig][] = [
    ...Object.entries(small),
    ["prefix positions without puzzles", { ...small.trm, puzzleEmbNdim: 0 }],
    ["the same with an MLP", { ...small.trmMlp, puzzleEmbNdim: 0 }],
    ["learned positions", { ...small.hrm, posEncodings: "learned" }],
    ["pre-norm", { ...small.transformer, backbone: "pre-norm" }],
    ["window of recall", { ...small.looped, injection: "concat", window: 1 }],
    ["window of products", { ...small.looped, injection: "multiply", window: 1 }],
    ["progressive", { ...small.looped, objective: "progressive" }],
  ];
  for (const [name, config] of variants) assertEquals(unreached(config), [], name);
});

Deno.test("grad() reaches no embedding through recurrences that are not gone back through", () => {
  const embedded = ["backbone.embed_tokens.embedding_weight", "puzzles"];
  assertEquals(unreached({ ...small.recurrent, gradientSteps: 3 }), embedded);
  assertEquals(unreached({ ...small.recurrent, gradientSteps: 1, lossAt: "last" }), embedded);
  assertEquals(unreached({ ...small.looped, injection: "none", window: 3 }), embedded);
  assertEquals(unreached({ ...small.looped, injection: "none", window: 4 }), []);
});

// Memory.

/** Wide enough that activations outweigh what a step holds besides. */
const wide = {
  ...{ vocabSize: 6, seqLen: 16, hiddenSize: 32, puzzleEmbNdim: 32, numHeads: 4, mlpMultiple: 32 },
  rmsNormEps: 1e-5,
} as const;

/** What a training step holds. */
interface Bytes {
  /** Of the tape, once all else is freed. */
  readonly tape: number;
  /** Of all that is alive when the loss is there. */
  readonly atEnd: number;
  /** The most that is alive between two calls of the model's parts, and at the end. */
  readonly atMost: number;
}

/** What a training step holds. */
function bytesOf(config: ModelConfig): Bytes {
  using _ = scope();
  const model = familyModel(config);
  const batch = familyBatch(config, 8);
  const carry = model.initialCarry(batch);
  const before = liveBytes();
  let atEnd = 0, atMost = 0;
  for (const [, part] of partsOf(model)) {
    const forward = part.forward.bind(part);
    part.forward = (...args) => {
      const result = forward(...args);
      atMost = Math.max(atMost, liveBytes() - before);
      return result;
    };
  }
  {
    using step = scope();
    const { outputs, carry: next } = model.step(carry, batch, { training: firstStep() });
    const { loss } = segmentLoss(outputs, next.data.labels, "softmax");
    atEnd = liveBytes() - before;
    step.keep([loss, ...Object.values(carryTensors(next))]);
  }
  return { tape: liveBytes() - before, atEnd, atMost: Math.max(atMost, atEnd) };
}

/** The bytes of each variant. */
function measured(variants: Readonly<Record<string, ModelConfig>>): Record<keyof Bytes, number[]> {
  const all = Object.values(variants).map((config) => bytesOf({ ...config, ...wide }));
  return {
    tape: all.map(({ tape }) => tape),
    atEnd: all.map(({ atEnd }) => atEnd),
    atMost: all.map(({ atMost }) => atMost),
  };
}

/** All within 2 % of the first. */
function assertEven(bytes: readonly number[], what: string): void {
  for (const b of bytes) assert(Math.abs(b / bytes[0]! - 1) < 0.02, `${what}: ${bytes}`);
}

const counts = [1, 2, 4, 8];

function variants(
  letter: string,
  of: (count: number) => ModelConfig,
): Record<string, ModelConfig> {
  return Object.fromEntries(counts.map((count) => [`${letter}=${count}`, of(count)]));
}

/** What each further unit adds, given counts 1, 2, 4, 8. */
function increments(bytes: readonly number[]): number[] {
  return bytes.slice(1).map((b, i) => (b - bytes[i]!) / (counts[i + 1]! - counts[i]!));
}

/** However often something is done, the tape holds as much, and as much is alive besides. */
function assertSpares(variants: Readonly<Record<string, ModelConfig>>, what: string): void {
  const { tape, atEnd, atMost } = measured(variants);
  assertEven(tape, `${what}, tape`);
  assertEven(atEnd.slice(1), `${what}, at the end`);
  assertEven(atMost.slice(1), `${what}, at most`);
  // at a count of 1 nothing is untaped
  assert(atMost[0]! <= 1.01 * atMost[1]!, `${what}: ${atMost}`);
}

Deno.test("Hrm.step() holds as much however many cycles there are, looking ahead or not", () => {
  for (const haltMaxSteps of [4, 1]) {
    const of = (hCycles: number, lCycles: number) => ({
      ...small.hrm,
      hCycles,
      lCycles,
      haltMaxSteps,
    });
    assertSpares(variants("N=T", (k) => of(k, k)), `N = T, ${haltMaxSteps} segments`);
    assertSpares(variants("N", (k) => of(k, 3)), `N, ${haltMaxSteps} segments`);
    assertSpares(variants("T", (k) => of(2, k)), `T, ${haltMaxSteps} segments`);
    const lOnly = (cycles: number) => ({ ...small.lOnly, cycles, haltMaxSteps });
    assertSpares(variants("cycles", lOnly), `cycles, ${haltMaxSteps} segments`);
  }
});

Deno.test("step() keeps of the segment that it looks ahead nothing but a number for each row", () => {
  for (const config of [small.hrm, small.lOnly]) {
    const [ahead, not] = [4, 1].map((haltMaxSteps) =>
      bytesOf({ ...config, ...wide, haltMaxSteps }).atEnd
    );
    const state = 8 * (1 + wide.seqLen) * wide.hiddenSize * 4;
    assert(ahead! >= not! && ahead! - not! < state / 20, `${config.kind}: ${ahead}, ${not}`);
  }
});

Deno.test("Trm.step() holds more with every refinement, and no more with every recursion", () => {
  assertSpares(variants("T", (hCycles) => ({ ...small.trm, hCycles })), "T");
  const { tape, atMost } = measured(variants("n", (lCycles) => ({ ...small.trm, lCycles })));
  assertEven(increments(tape), "n");
  assertEven(increments(atMost), "n, at most");
  assert(increments(tape)[0]! > 0.3 * tape[0]!, `${tape}`);
});

Deno.test("Recurrent.step() holds more with every recurrence that it goes back through, and only then", () => {
  const full = (R: number) => ({ ...small.recurrent, recurrences: R, gradientSteps: R });
  for (const backbone of ["post-norm", "pre-norm", "gpt"] as const) {
    const of = (R: number) => ({ ...full(R), backbone });
    const { tape } = measured(variants("R", of));
    assertEven(increments(tape), `R, ${backbone}`);
    assert(increments(tape)[0]! > 0.7 * tape[0]!, `${tape}`);
    const last = variants("R", (R) => ({ ...of(R), gradientSteps: 1, lossAt: "last" }));
    assertSpares(last, `one step, ${backbone}`);
  }
});

Deno.test("Looped.step() holds as much however many loops come before the window", () => {
  for (const injection of ["add", "multiply", "concat", "none"] as const) {
    const window = (b: number) => ({
      ...small.looped,
      ...{ loops: b, loopsStart: b, window: 1, injection },
    });
    assertSpares(variants("b", window), `b, ${injection}`);
    const { tape } = measured(variants("b", (b) => ({ ...window(b), window: b })));
    assertEven(increments(tape), `T = b, ${injection}`);
  }
});
