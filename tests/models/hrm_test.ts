import { assertEquals } from "@std/assert";
import { grad } from "../../core/autograd.ts";
import { fromBytes } from "../../core/create.ts";
import { decodeSafetensors, type SafetensorsEntry } from "../../core/io/safetensors.ts";
import { loadStateDict, namedParameters, namedTensors, parameters } from "../../core/nn/module.ts";
import { adamATan2 } from "../../core/optim/adam.ts";
import { Random } from "../../core/random.ts";
import { scope } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";
import { type Batch, type Carry, initialCarry } from "../../models/halting.ts";
import { Hrm, type HrmConfig, hrmPaper, type HrmStates } from "../../models/hrm.ts";
import { segmentLoss, type TokenLoss } from "../../models/supervision.ts";
import { trainStep } from "../../zoo/step.ts";
import { assertClose } from "../close.ts";

/** Reference tensors: of the weights, and of what each loss does with them. */
interface Golden {
  readonly config: HrmConfig;
  readonly hyper: Record<string, number>;
  tensor(name: string): Tensor;
  has(name: string): boolean;
}

// deno-lint-ignore no-explicit-any
function configOf(c: any): HrmConfig {
  return {
    ...hrmPaper,
    vocabSize: c.vocab_size,
    seqLen: c.seq_len,
    numPuzzleIdentifiers: c.num_puzzle_identifiers,
    puzzleEmbNdim: c.puzzle_emb_ndim,
    hiddenSize: c.hidden_size,
    numHeads: c.num_heads,
    hLayers: c.H_layers,
    lLayers: c.L_layers,
    hCycles: c.H_cycles,
    lCycles: c.L_cycles,
    expansion: c.expansion,
    mlpMultiple: c.mlp_multiple ?? 256,
    posEncodings: c.pos_encodings,
    haltMaxSteps: c.halt_max_steps,
    haltExplorationProb: c.halt_exploration_prob,
    forwardDtype: "float32",
  };
}

/** Reads `name.json` and tensors of `files`, whose names the second function maps to ours. */
function readGolden(
  directory: string,
  name: string,
  files: readonly (readonly [file: string, rename: (name: string) => string])[],
): Golden {
  const json = JSON.parse(Deno.readTextFileSync(`${directory}/${name}.json`));
  const entries = new Map<string, SafetensorsEntry>();
  for (const [file, rename] of files) {
    const { tensors } = decodeSafetensors(Deno.readFileSync(`${directory}/${file}`));
    for (const [key, entry] of tensors) entries.set(rename(key), entry);
  }
  return {
    config: configOf(json.config),
    hyper: json.hyperparams,
    has: (key) => entries.has(key),
    tensor: (key) => {
      const { data, shape, dtype } = entries.get(key)!;
      return fromBytes(data, shape, { dtype });
    },
  };
}

const own = new URL("../golden", import.meta.url).pathname;
const official = Deno.env.get("PONDER_TEST_GOLDEN");
const same = (name: string) => name;

/** Our own fixtures, from a PyTorch twin; the official code's, where they lie beside the project. */
const cases: { name: string; read: () => Golden; ignore: boolean }[] = [
  ...["rope", "learned"].map((positions) => ({
    name: `a small HRM with ${positions} positions`,
    read: () =>
      readGolden(own, `hrm_tiny_${positions}`, [[`hrm_tiny_${positions}.safetensors`, same]]),
    ignore: false,
  })),
  {
    name: "the official code's HRM",
    read: () => {
      const ofLoss = (loss: string) => (name: string) =>
        name.replace(/^(grad|after1|after5)\//, `$1/${loss}/`);
      return readGolden(official!, "hrm_a", [
        ["hrm_a.safetensors", same],
        ...["stablemax", "softmax"].flatMap((loss) =>
          ["", "_after5"].map((part) => [`hrm_a_${loss}${part}.safetensors`, ofLoss(loss)] as const)
        ),
      ]);
    },
    ignore: official === undefined,
  },
];

function load(golden: Golden): Hrm {
  const model = new Hrm(golden.config, { random: new Random(0) });
  const state = new Map(
    namedTensors(model, "model.").map(([name]) => {
      const tensor = golden.tensor(name);
      return [name, { dtype: tensor.dtype, shape: tensor.shape, data: tensor.toBytes() }];
    }),
  );
  loadStateDict(model, state, "model.");
  return model;
}

function batch(golden: Golden, k: number): Batch {
  return {
    inputs: golden.tensor(`batch/${k}/inputs`),
    labels: golden.tensor(`batch/${k}/labels`),
    puzzleIdentifiers: golden.tensor(`batch/${k}/puzzle_identifiers`),
  };
}

function assertCarry(golden: Golden, carry: Carry<HrmStates>, at: string): void {
  assertEquals(carry.steps.toNumbers(), golden.tensor(`${at}steps`).toNumbers());
  assertEquals(carry.halted.toNumbers(), golden.tensor(`${at}halted`).toNumbers());
}

for (const { name, read, ignore } of cases) {
  Deno.test({
    name: `Hrm.step() evaluates as ${name}`,
    ignore,
    fn: () => {
      using _ = scope();
      const golden = read();
      const model = load(golden);
      let carry = initialCarry(model.initialStates(), batch(golden, 1));
      for (let k = 1; k <= 3; k++) {
        const { outputs, carry: next } = model.step(carry, batch(golden, 1));
        const tolerance = { atol: 1e-5, rtol: 1e-5 };
        const expect = (got: Tensor, key: string) =>
          assertClose(got, golden.tensor(`eval/${k}/${key}`), tolerance, `${key} of segment ${k}`);
        expect(outputs.logits, "logits");
        expect(outputs.qHalt, "q_halt_logits");
        expect(outputs.qContinue, "q_continue_logits");
        expect(next.states.zH, "z_H");
        expect(next.states.zL, "z_L");
        assertCarry(golden, next, `eval/${k}/`);
        carry = next;
      }
    },
  });

  for (const loss of ["stablemax", "softmax"] as const) {
    Deno.test({
      name: `grad() of a segment's ${loss} loss equals that of ${name}`,
      ignore,
      fn: () => checkGradients(read(), loss),
    });
    Deno.test({
      name: `trainStep() with the ${loss} loss trains as ${name}`,
      ignore,
      fn: () => checkTraining(read(), loss),
    });
  }
}

function checkGradients(golden: Golden, loss: TokenLoss): void {
  using _ = scope();
  const model = load(golden);
  const first = batch(golden, 1);
  const carry = initialCarry(model.initialStates(), first);
  const step = model.step(carry, first, { training: { random: new Random(0) } });
  const rows = first.inputs.shape[0]!;
  const total = segmentLoss(step.outputs, step.carry.data.labels, loss).loss.mul(1 / rows);
  const gradients = grad(total, [...parameters(model), step.puzzleRows!]);
  const names = namedParameters(model, "model.").map(([name]) => name);
  names.push("model.inner.puzzle_emb.local_weights");
  const key = (name: string) => `grad/${loss}/${name}`;
  names.forEach((name, i) => {
    const want = golden.tensor(key(name));
    const scale = want.abs().max().item();
    assertClose(gradients[i]!, want, { rtol: 1e-4, atol: 1e-4 * scale }, name);
  });
}

function checkTraining(golden: Golden, loss: TokenLoss): void {
  using _ = scope();
  const model = load(golden);
  const { lr, weight_decay, beta1, beta2, puzzle_emb_lr, puzzle_emb_weight_decay } = golden.hyper;
  const optimizer = adamATan2(namedParameters(model), {
    betas: [beta1!, beta2!],
    weightDecay: weight_decay!,
    convention: "imoneoi",
  });
  const puzzleEmbWeightDecay = puzzle_emb_weight_decay!;
  const trainee = { model, optimizer, ema: null, loss, clipNorm: 0, puzzleEmbWeightDecay };
  let carry = initialCarry(model.initialStates(), batch(golden, 1));
  for (let k = 1; k <= 5; k++) {
    const at = `train/${loss}/${k}/`;
    const rates = { lr: lr!, puzzleEmbLr: puzzle_emb_lr! };
    const data = batch(golden, k);
    const { carry: next, report } = trainStep(trainee, carry, data, rates, new Random(0));
    const rows = data.inputs.shape[0]!;
    const want = (key: string) => golden.tensor(at + key).item();
    assertNear(report.loss * rows, want("loss"), `${at}loss`);
    assertNear(report.lmLoss * rows, want("lm_loss"), `${at}lm_loss`);
    assertNear(report.qHaltLoss * rows, want("q_halt_loss"), `${at}q_halt_loss`);
    assertNear(report.qContinueLoss * rows, want("q_continue_loss"), `${at}q_continue_loss`);
    assertEquals(report.count, want("count"));
    assertEquals(report.exactAccuracy, want("exact_accuracy"));
    assertEquals(report.qHaltAccuracy, want("q_halt_accuracy"));
    assertEquals(report.steps, want("steps"));
    assertNear(report.accuracy, want("accuracy"), `${at}accuracy`);
    assertEquals(next.halted.toNumbers(), golden.tensor(at + "halted").toNumbers());
    assertEquals(
      next.data.puzzleIdentifiers.toNumbers(),
      golden.tensor(at + "current_puzzle_identifiers").toNumbers(),
    );
    if (k === 1 || k === 5) checkWeights(golden, model, `after${k}/${loss}/`);
    carry = next;
  }
  optimizer.dispose();
}

function assertNear(got: number, want: number, what: string): void {
  if (Math.abs(got - want) > 1e-5 * Math.max(1, Math.abs(want))) {
    throw new Error(`${what}: got ${got}, expected ${want}`);
  }
}

function checkWeights(golden: Golden, model: Hrm, at: string): void {
  for (const [name, tensor] of namedTensors(model, "model.")) {
    if (!golden.has(at + name)) continue;
    assertClose(tensor, golden.tensor(at + name), { atol: 1e-5, rtol: 0 }, at + name);
  }
}
