import { assertEquals, assertNotEquals } from "@std/assert";
import { tensor } from "../../core/create.ts";
import { Random } from "../../core/random.ts";
import { scope } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";
import { haltInTraining, initialCarry, refill } from "../../models/halting.ts";
import { type Batch, type Carry, carryTensors, type Outputs } from "../../models/model.ts";
import type { HrmStates } from "../../models/hrm.ts";
import { assertClose } from "../close.ts";
import { ScriptedRandom, smallBatch, smallHrm } from "./_small.ts";

/** The tokens of a batch, row by row. */
function rowsOf({ inputs, labels, puzzleIdentifiers }: Batch): string[] {
  const [tokens, wanted] = [inputs, labels].map((t) => t.toNumbers());
  return puzzleIdentifiers.toNumbers().map((id, i) =>
    `${id}: ${tokens!.slice(5 * i, 5 * i + 5)} -> ${wanted!.slice(5 * i, 5 * i + 5)}`
  );
}

/** The logits of halting and of going on, which an HRM always has. */
function qOf({ qHalt, qContinue }: Outputs): { qHalt: Tensor; qContinue: Tensor } {
  return { qHalt: qHalt!, qContinue: qContinue! };
}

/** A carry in which only the given rows are halted. */
function withHalted(carry: Carry<HrmStates>, halted: readonly number[]): Carry<HrmStates> {
  return { ...carry, halted: tensor(halted, { dtype: "bool" }) };
}

/** What rows want, how many segments they have done, of at most 4; all but `random` by hand. */
function halts(
  { steps, wants, haltExplorationProb = 0, random = new ScriptedRandom([], []) }: {
    readonly steps: readonly number[];
    readonly wants: readonly number[];
    readonly haltExplorationProb?: number;
    readonly random?: Random;
  },
): number[] {
  const done = tensor(steps, { dtype: "int32" });
  const rows = { steps: done, wants: tensor(wants, { dtype: "bool" }), last: done.ge(4) };
  return haltInTraining(rows, { haltMaxSteps: 4, haltExplorationProb }, { random }).toNumbers();
}

Deno.test("initialCarry() halts every row, at its start, before any puzzle", () => {
  using _ = scope();
  const model = smallHrm();
  const { states, steps, halted, data } = initialCarry(model.initialStates(), smallBatch(3));
  assertEquals(halted.toNumbers(), [1, 1, 1]);
  assertEquals([steps.dtype, steps.toNumbers()], ["int32", [0, 0, 0]]);
  assertEquals([states.zH.shape, states.zL.shape], [[3, 6, 16], [3, 6, 16]]);
  assertEquals(states.zH.select(1, 2).select(0, 1).toNumbers(), model.inner.H_init.toNumbers());
  assertEquals(states.zL.select(1, 5).select(0, 2).toNumbers(), model.inner.L_init.toNumbers());
  assertEquals([data.inputs.shape, data.inputs.sum().item()], [[3, 5], 0]);
});

Deno.test("refill() gives halted rows the batch and the start, and leaves the others alone", () => {
  using _ = scope();
  const model = smallHrm();
  const first = smallBatch(3, 1), second = smallBatch(3, 2);
  const { carry } = model.step(initialCarry(model.initialStates(), first), first);
  const { states, steps, data } = refill(
    withHalted(carry, [0, 1, 0]),
    second,
    model.initialStates(),
  );
  assertEquals(steps.toNumbers(), [1, 0, 1]);
  const rows = [rowsOf(first)[0], rowsOf(second)[1], rowsOf(first)[2]];
  assertEquals(rowsOf(data), rows);
  const initial = initialCarry(model.initialStates(), first).states;
  for (const [name, z] of Object.entries(states)) {
    const kept = carry.states[name as "zH"], fresh = initial[name as "zH"];
    for (const [row, from] of [kept, fresh, kept].entries()) {
      assertEquals(z.select(0, row).toNumbers(), from.select(0, row).toNumbers(), `${name} ${row}`);
    }
  }
});

Deno.test("carryTensors() names every tensor of a carry", () => {
  using _ = scope();
  const carry = smallHrm().initialCarry(smallBatch(2));
  const names = ["zH", "zL", "steps", "halted", "inputs", "labels", "puzzleIdentifiers"];
  assertEquals(Object.keys(carryTensors(carry)), names);
  assertEquals(carryTensors(carry)["zL"], carry.states["zL"]);
});

Deno.test("haltInTraining() halts rows that want to or must, and draws nothing without exploration", () => {
  using _ = scope();
  const random = new ScriptedRandom([], []);
  const got = halts({ steps: [1, 1, 4, 4], wants: [0, 1, 0, 1], random });
  assertEquals(got, [0, 1, 1, 1]);
  assertEquals(random.asked, []);
});

Deno.test("haltInTraining() makes rows that explore go on for as long as was drawn", () => {
  using _ = scope();
  // rows 0 and 1 do not explore; 2 to 5 must reach 2, 3, 4 and 4 segments
  const random = new ScriptedRandom([0.3, 0.99, 0, 0.1, 0.2, 0.29], [2, 0, 0, 1, 2, 2]);
  const steps = [1, 2, 2, 2, 3, 4], wants = [1, 0, 1, 1, 1, 0];
  assertEquals(halts({ steps, wants, haltExplorationProb: 0.3, random }), [1, 0, 1, 0, 0, 1]);
  // both numbers are drawn for every row, so that the stream does not depend on their values
  assertEquals(random.asked, steps.flatMap(() => ["uniform", "below 3"]));
});

Deno.test("haltInTraining() with one segment halts every row, and draws nothing", () => {
  using _ = scope();
  const random = new ScriptedRandom([], []);
  const last = tensor([1, 1], { dtype: "bool" });
  const steps = tensor([1, 1], { dtype: "int32" });
  const config = { haltMaxSteps: 1, haltExplorationProb: 1 };
  assertEquals(haltInTraining({ steps, wants: last, last }, config, { random }).toNumbers(), [
    1,
    1,
  ]);
});

Deno.test("haltInTraining() lets a share of the rows explore, evenly from 2 to the most", () => {
  using _ = scope();
  const rows = 4000;
  const random = new Random(3);
  const all = (value: number) => Array<number>(rows).fill(value);
  const halted = [1, 2, 3, 4].map((step) =>
    halts({ steps: all(step), wants: all(1), haltExplorationProb: 0.6, random })
      .reduce((sum, halt) => sum + halt) / rows
  );
  // 1 − 0.6 · P(floor > step), floor even among 2, 3, 4; 4000 rows deviate by less than 0.03
  const want = [0.4, 0.6, 0.8, 1];
  assertClose(tensor(halted), tensor(want), { atol: 0.03, rtol: 0 });
});

Deno.test("Hrm.step() counts segments and halts at the last, whatever the rows want", () => {
  using _ = scope();
  const model = smallHrm();
  model.inner.q_head.bias!.detach().copy_(tensor([50, -50])); // halt, halt, halt
  const batch = smallBatch(2);
  let carry = initialCarry(model.initialStates(), batch);
  const seen: [number[], number[]][] = [];
  for (let segment = 1; segment <= 5; segment++) {
    carry = model.step(carry, batch).carry;
    seen.push([carry.steps.toNumbers(), carry.halted.toNumbers()]);
  }
  assertEquals(seen, [
    [[1, 1], [0, 0]],
    [[2, 2], [0, 0]],
    [[3, 3], [0, 0]],
    [[4, 4], [1, 1]],
    [[1, 1], [0, 0]],
  ]);
});

Deno.test("Hrm.step() in training halts rows whose halting logit is the greater", () => {
  using _ = scope();
  const model = smallHrm();
  const batch = smallBatch(6);
  const carry = initialCarry(model.initialStates(), batch);
  const { qHalt, qContinue } = qOf(model.step(carry, batch).outputs);
  const { bias } = model.inner.q_head; // which goes through the middle of the rows
  bias!.detach().copy_(tensor([-5 - qHalt.sub(qContinue).mean().item(), -5]));
  const training = { random: new Random(0), step: 0 };
  const { outputs, carry: next } = model.step(carry, batch, { training });
  const halt = qOf(outputs).qHalt.toNumbers(), goOn = qOf(outputs).qContinue.toNumbers();
  const wants = halt.map((q, i) => q > goOn[i]! ? 1 : 0);
  assertEquals(next.halted.toNumbers(), wants);
  assertEquals(new Set(wants).size, 2, "the case tells nothing");
});

Deno.test("Hrm.step() keeps a row on its puzzle until it halts, then gives it the batch's", () => {
  using _ = scope();
  const model = smallHrm();
  const batches = [1, 2, 3].map((first) => smallBatch(3, first));
  const start = initialCarry(model.initialStates(), batches[0]!);
  const { carry: first } = model.step(start, batches[0]!);
  const { carry: second } = model.step(withHalted(first, [0, 1, 0]), batches[1]!);
  const { carry: third } = model.step(withHalted(second, [1, 0, 0]), batches[2]!);
  const [a, b, c] = batches.map(rowsOf);
  assertEquals(rowsOf(first.data), a);
  assertEquals(rowsOf(second.data), [a![0], b![1], a![2]]);
  assertEquals(rowsOf(third.data), [c![0], b![1], a![2]]);
  assertEquals(third.steps.toNumbers(), [1, 2, 3]);
});

Deno.test("Hrm.step() thinks about a row's new puzzle as if there had been none before", () => {
  using _ = scope();
  const model = smallHrm();
  const before = smallBatch(2, 1), batch = smallBatch(2, 2);
  const fresh = initialCarry(model.initialStates(), batch);
  const { carry } = model.step(fresh, before);
  const used = model.step(withHalted(carry, [1, 0]), batch).outputs;
  const want = model.step(fresh, batch).outputs;
  const row = (t: typeof used.logits, i: number) => t.select(0, i).toNumbers();
  assertEquals(row(used.logits, 0), row(want.logits, 0));
  assertNotEquals(row(used.logits, 1), row(want.logits, 1), "the other row was not halted");
});

Deno.test("Hrm.step() aims the continuing logit at the best choice one segment later", () => {
  using _ = scope();
  const model = smallHrm();
  const batch = smallBatch(4);
  const { carry } = model.step(initialCarry(model.initialStates(), batch), batch);
  const steps = tensor([1, 3, 0, 3], { dtype: "int32" }); // then 2 of 4, and the last for two rows
  const training = { random: new Random(0), step: 0 };
  const step = model.step({ ...withHalted(carry, [0, 0, 0, 0]), steps }, batch, { training });
  assertEquals(step.carry.steps.toNumbers(), [2, 4, 1, 4]);

  const { states, data } = step.carry;
  const next = model.inner.segment(states, data.inputs, step.puzzleRows!.detach());
  const halt = next.qHalt.toNumbers(), goOn = next.qContinue.toNumbers();
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const isLast = [false, true, false, true];
  const want = halt.map((q, i) => sigmoid(isLast[i] ? q : Math.max(q, goOn[i]!)));
  assertClose(step.outputs.targetQContinue!, { shape: [4], values: want }, { rtol: 1e-5 });
  assertEquals(step.outputs.targetQContinue!.requiresGrad, false);
});

Deno.test("Hrm.step() trains no continuing logit in evaluation, nor where there is one segment", () => {
  using _ = scope();
  const batch = smallBatch(2);
  const training = { random: new ScriptedRandom([], []), step: 0 };
  const one = smallHrm({ haltMaxSteps: 1, haltExplorationProb: 1 });
  const single = one.step(initialCarry(one.initialStates(), batch), batch, { training });
  assertEquals(single.outputs.targetQContinue, null);
  assertEquals(single.carry.halted.toNumbers(), [1, 1]);
  const model = smallHrm();
  const evaluated = model.step(initialCarry(model.initialStates(), batch), batch);
  assertEquals(evaluated.outputs.targetQContinue, null);
});
