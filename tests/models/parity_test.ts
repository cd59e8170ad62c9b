/** Every model beside its twin in PyTorch: answers, losses, gradients, training. */
import { assert, assertEquals } from "@std/assert";
import { grad } from "../../core/autograd.ts";
import { namedParameters, namedTensors, parameters } from "../../core/nn/module.ts";
import { adamATan2 } from "../../core/optim/adam.ts";
import { Ema } from "../../core/optim/ema.ts";
import { scope } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Carry, Model, Training } from "../../models/model.ts";
import { segmentLoss, type TokenLoss } from "../../models/supervision.ts";
import { trainStep } from "../../zoo/step.ts";
import { assertClose } from "../close.ts";
import { cases, type Golden, goldenBatch, loadGolden } from "./_golden.ts";
import { ScriptedRandom } from "./_small.ts";

for (const { name, read, ignore } of cases) {
  Deno.test({ name: `think() answers as ${name}`, ignore, fn: () => checkAnswers(read()) });
  Deno.test({
    name: `grad() of a training step equals that of ${name}`,
    ignore,
    fn: () => {
      const golden = read();
      for (const loss of golden.losses) checkGradients(golden, loss);
    },
  });
  Deno.test({
    name: `trainStep() trains as ${name}`,
    ignore,
    fn: async () => {
      const golden = read();
      let compared = 0;
      for (const loss of golden.losses) compared += await checkTraining(golden, loss);
      assert(compared > 0, "no weights were compared");
    },
  });
}

/** What the golden files call a state. */
const stateNames: Readonly<Record<string, string>> = { zH: "z_H", zL: "z_L", z: "z" };

function checkAnswers(golden: Golden): void {
  using _ = scope();
  const model = loadGolden(golden);
  const batch = goldenBatch(golden, 1);
  let states = model.start(batch);
  let carry = model.initialCarry(batch);
  const units = [1, 2, 3].filter((k) => golden.has(`eval/${k}/logits`));
  assert(units.length === 3 || model.depth.unit === "pass");
  for (const k of units) {
    const at = `eval/${k}/`;
    const thought = model.think(states, batch);
    states = thought.states;
    expect(golden, thought.logits, `${at}logits`);
    if (thought.qHalt !== null) expect(golden, thought.qHalt, `${at}q_halt_logits`);
    for (const [state, z] of Object.entries(states)) {
      const key = at + (golden.has(at + stateNames[state]!) ? stateNames[state] : "z");
      if (golden.has(key)) expect(golden, z, key);
    }
    if (model.depth.unit !== "segment") continue;
    const step = model.step(carry, batch); // the same, inside of the halting loop
    carry = step.carry;
    expect(golden, step.outputs.logits, `${at}logits`);
    expect(golden, step.outputs.qContinue!, `${at}q_continue_logits`);
    assertEquals(carry.steps.toNumbers(), golden.tensor(`${at}steps`).toNumbers());
    assertEquals(carry.halted.toNumbers(), golden.tensor(`${at}halted`).toNumbers());
  }
}

function expect(golden: Golden, got: Tensor, key: string): void {
  assertClose(got, golden.tensor(key), { atol: 1e-5, rtol: 1e-5 }, key);
}

/** The numbers that training step `k` drew: of the progressive loss, how many loops. */
function trainingOf(golden: Golden, loss: TokenLoss, k: number): Training {
  const at = `train/${loss}/${k}/`;
  const drawn = golden.has(`${at}n`)
    ? [golden.tensor(`${at}n`).item(), golden.tensor(`${at}k`).item() - 1]
    : [];
  return { random: new ScriptedRandom([], drawn), step: k - 1 };
}

function checkGradients(golden: Golden, loss: TokenLoss): void {
  using _ = scope();
  const model = loadGolden(golden);
  const batch = goldenBatch(golden, 1);
  const training = trainingOf(golden, loss, 1);
  const step = model.step(model.initialCarry(batch), batch, { training });
  const rows = batch.inputs.shape[0]!;
  const total = segmentLoss(step.outputs, step.carry.data.labels, loss).loss.mul(1 / rows);
  const table = namedTensors(model, "model.").find(([name]) => name.includes("puzzle_emb"));
  const targets = namedParameters(model, "model.").map(([name]) => name);
  if (table !== undefined) targets.push(table[0].replace(".weights", ".local_weights"));
  const gradients = grad(total, [...parameters(model), ...[step.puzzleRows ?? []].flat()]);
  assertEquals(gradients.length, targets.length);
  targets.forEach((name, i) => {
    const want = golden.tensor(`grad/${loss}/${name}`);
    const scale = want.abs().max().item();
    const atol = Math.max(1e-4 * scale, name in golden.roundingOnly ? 1e-6 : 0);
    assertClose(gradients[i]!, want, { rtol: 1e-4, atol }, name);
  });
}

/** Trains as long as the golden file did; says how many weights it compared. */
async function checkTraining(golden: Golden, loss: TokenLoss): Promise<number> {
  using _ = scope();
  const model = loadGolden(golden);
  const { lr, weight_decay, beta1, beta2, puzzle_emb_lr, puzzle_emb_weight_decay, ema_rate } =
    golden.hyper;
  const optimizer = adamATan2(namedParameters(model), {
    betas: [beta1!, beta2!],
    weightDecay: weight_decay!,
    convention: "imoneoi",
  });
  const ema = ema_rate === undefined ? null : new Ema(model, ema_rate);
  const puzzleEmbWeightDecay = puzzle_emb_weight_decay!;
  const trainee = { model, optimizer, ema, loss, clipNorm: 0, puzzleEmbWeightDecay };
  const rates = { lr: lr!, puzzleEmbLr: puzzle_emb_lr! };
  let carry: Carry = model.initialCarry(goldenBatch(golden, 1));
  let checked = 0;
  for (let k = 1; golden.has(`train/${loss}/${k}/loss`); k++) {
    const batch = goldenBatch(golden, k);
    const { carry: next, report } = trainStep(
      trainee,
      carry,
      batch,
      rates,
      trainingOf(golden, loss, k),
    );
    const at = `train/${loss}/${k}/`;
    const rows = batch.inputs.shape[0]!;
    const want = (key: string) => golden.has(at + key) ? golden.tensor(at + key).item() : 0;
    assertNear(report.loss * rows, want("loss"), `${at}loss`);
    assertNear(report.lmLoss * rows, want("lm_loss"), `${at}lm_loss`);
    assertNear(report.qHaltLoss * rows, want("q_halt_loss"), `${at}q_halt_loss`);
    assertNear(report.qContinueLoss * rows, want("q_continue_loss"), `${at}q_continue_loss`);
    assertEquals(report.count, want("count"));
    assertEquals(report.exactAccuracy, want("exact_accuracy"));
    assertNear(report.accuracy, want("accuracy"), `${at}accuracy`);
    if (golden.has(`${at}halted`)) checkCarry(golden, next, report, at);
    checked += checkWeights(golden, model, `after${k}/${loss}/`);
    if (ema !== null) await ema.applied(() => checked += checkWeights(golden, model, `ema${k}/`));
    carry = next;
  }
  optimizer.dispose();
  ema?.dispose();
  return checked;
}

function checkCarry(
  golden: Golden,
  { halted, data }: Carry,
  report: { readonly qHaltAccuracy: number; readonly steps: number },
  at: string,
): void {
  assertEquals(report.qHaltAccuracy, golden.tensor(`${at}q_halt_accuracy`).item());
  assertEquals(report.steps, golden.tensor(`${at}steps`).item());
  assertEquals(halted.toNumbers(), golden.tensor(`${at}halted`).toNumbers());
  const key = `${at}current_puzzle_identifiers`;
  if (!golden.has(key)) return;
  assertEquals(data.puzzleIdentifiers.toNumbers(), golden.tensor(key).toNumbers());
}

function assertNear(got: number, want: number, what: string): void {
  if (Math.abs(got - want) > 1e-5 * Math.max(1, Math.abs(want))) {
    throw new Error(`${what}: got ${got}, expected ${want}`);
  }
}

/** Compares the weights that the golden file has under `at`, and says how many. */
function checkWeights(golden: Golden, model: Model, at: string): number {
  const named = namedTensors(model, "model.").filter(([name]) => golden.has(at + name));
  for (const [name, tensor] of named) {
    const [from, to] = golden.roundingOnly[name] ?? [0, 0];
    const got = tensor.detach().reshape([-1]), want = golden.tensor(at + name).reshape([-1]);
    for (const [start, end] of [[0, from], [to, got.size]] as const) {
      assertClose(
        got.slice(0, start, end),
        want.slice(0, start, end),
        { atol: 1e-5, rtol: 0 },
        at + name,
      );
    }
  }
  return named.length;
}
