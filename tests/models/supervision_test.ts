import { assertAlmostEquals, assertEquals } from "@std/assert";
import { scope, tensor } from "../../core/mod.ts";
import type { Carry, Outputs } from "../../models/model.ts";
import { segmentLoss, segmentMetrics, solvedRows } from "../../models/supervision.ts";

// Three rows of two tokens of three kinds: one right and one wrong; the one that counts right; none.
const labels = () => tensor([[0, 1], [2, -100], [-100, -100]], { dtype: "int32" });
const rightWrong = () =>
  tensor([[[4, 0, 0], [4, 0, 0]], [[0, 0, 4], [9, 0, 0]], [[1, 2, 3], [0, 0, 0]]]);

function outputs(qHalt: readonly number[], targetQContinue: readonly number[] | null): Outputs {
  return {
    logits: rightWrong(),
    qHalt: tensor(qHalt).requireGrad(),
    qContinue: tensor([0, 0, 0]),
    targetQContinue: targetQContinue === null ? null : tensor(targetQContinue),
  };
}

/** Binary cross-entropy of a logit with a target. */
function bce(logit: number, target: number): number {
  const p = 1 / (1 + Math.exp(-logit));
  return -(target * Math.log(p) + (1 - target) * Math.log(1 - p));
}

Deno.test("solvedRows() wants every token that counts right, and none of those that do not", () => {
  using _ = scope();
  assertEquals(solvedRows(rightWrong(), labels()).toNumbers(), [0, 1, 1]);
});

Deno.test("segmentLoss() is the mean over each row's tokens, plus half of the halting losses", () => {
  using _ = scope();
  const losses = {
    softmax: [4, 0].map((x) => Math.log(Math.exp(4) + 2) - x),
    stablemax: [5, 1].map((s) => Math.log(7) - Math.log(s)), // s(4) = 5, s(0) = 1
  };
  for (const [name, [right, wrong]] of Object.entries(losses)) {
    const lm = (right! + wrong!) / 2 + right!; // the third row counts no token
    const halt = bce(0.5, 0) + bce(2, 1) + bce(-1, 1);
    const goOn = bce(0, 0.1) + bce(0, 0.9) + bce(0, 0.5);
    const kind = name as keyof typeof losses;
    const got = segmentLoss(outputs([0.5, 2, -1], [0.1, 0.9, 0.5]), labels(), kind);
    assertAlmostEquals(got.lm.item(), lm, 1e-5);
    assertAlmostEquals(got.qHalt!.item(), halt, 1e-5);
    assertAlmostEquals(got.qContinue!.item(), goOn, 1e-5);
    assertAlmostEquals(got.loss.item(), lm + (halt + goOn) / 2, 1e-5);

    const untrained = segmentLoss(outputs([0.5, 2, -1], null), labels(), kind);
    assertEquals(untrained.qContinue, null);
    assertAlmostEquals(untrained.loss.item(), lm + halt / 2, 1e-5);
  }
});

Deno.test("segmentMetrics() sums over the rows that halted and count a token", () => {
  using _ = scope();
  const metrics = (halted: readonly number[]) => {
    const carry = {
      halted: tensor(halted, { dtype: "bool" }),
      steps: tensor([3, 4, 2], { dtype: "int32" }),
      data: { labels: labels() },
    } as unknown as Carry;
    const sums = segmentMetrics(carry, outputs([0.5, 2, -1], null));
    return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum.item()]));
  };
  const both = { count: 2, accuracy: 1.5, exactAccuracy: 1, qHaltAccuracy: 1, steps: 7 };
  assertEquals(metrics([1, 1, 1]), both);
  assertEquals(metrics([1, 1, 0]), both);
  const first = { count: 1, accuracy: 0.5, exactAccuracy: 0, qHaltAccuracy: 0, steps: 3 };
  assertEquals(metrics([1, 0, 0]), first);
  const none = { count: 0, accuracy: 0, exactAccuracy: 0, qHaltAccuracy: 0, steps: 0 };
  assertEquals(metrics([0, 0, 1]), none);
});
