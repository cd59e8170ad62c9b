/** A batch that goes through the model in parts does the same step from less memory. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { stateDict } from "../../core/nn/module.ts";
import { Random } from "../../core/random.ts";
import { scope } from "../../core/scope.ts";
import { liveBytes, peakBytes, resetPeakBytes } from "../../ffi/mod.ts";
import type { SavedConfig } from "../../zoo/weights.ts";
import { type StepReport, trainStep } from "../../zoo/step.ts";
import { makeTrainee } from "../../zoo/train.ts";
import { families, smallRun } from "./_family.ts";
import { dataOf, textOf } from "./_tiny.ts";

const ROWS = 8, STEPS = 6;

/** Steps with a micro-batch: their reports, the weights after them, and the most bytes alive. */
function trained({ config }: SavedConfig, data: ReturnType<typeof dataOf>, microBatch?: number) {
  using _ = scope();
  const trainee = makeTrainee(config, "cpu");
  const random = new Random(7);
  const reports: StepReport[] = [];
  let carry = trainee.model.initialCarry(data.train.batch(0, ROWS, "cpu"));
  resetPeakBytes();
  const before = liveBytes();
  for (let step = 0; step < STEPS; step++) {
    const batch = data.train.batch(step, ROWS, "cpu");
    const rates = { lr: 1e-3, puzzleEmbLr: 1e-3 };
    const result = trainStep(trainee, carry, batch, rates, { random, step }, { microBatch });
    carry = result.carry;
    reports.push(result.report);
  }
  const peak = peakBytes() - before;
  const bytes = [...stateDict(trainee.model, "").values()].map(({ data }) => data.slice());
  const weights = bytes.flatMap((part) => [...new Float32Array(part.buffer)]);
  trainee.optimizer.dispose();
  trainee.ema?.dispose();
  return { reports, weights, text: bytes.map(textOf).join(), peak, state: random.state };
}

for (const recipe of families) {
  Deno.test(`trainStep() does the same for ${recipe} whatever the micro-batch`, () => {
    const saved = smallRun(recipe, "tiny", {
      model: { forwardDtype: "float64" },
      run: { batchSize: ROWS },
    });
    const data = dataOf(saved);
    const whole = trained(saved, data);
    const atOnce = trained(saved, data, ROWS);
    assertEquals(atOnce.reports, whole.reports);
    assert(atOnce.text === whole.text, "all rows at once are the plain step");
    for (const microBatch of [1, 3]) {
      const inParts = trained(saved, data, microBatch);
      assertEquals(inParts.state, whole.state, "the same random numbers");
      inParts.reports.forEach((report, step) => {
        for (const [name, value] of Object.entries(report)) {
          const want = whole.reports[step]![name as keyof StepReport];
          const most = 1e-5 * Math.max(1, Math.abs(want));
          assertAlmostEquals(value, want, most, `${name} of step ${step}`);
        }
      });
      const errors = inParts.weights.map((w, i) => Math.abs(w - whole.weights[i]!));
      assertAlmostEquals(Math.max(...errors), 0, 2e-5);
      assert(inParts.peak < 0.8 * whole.peak, `${inParts.peak} of ${whole.peak} bytes`);
    }
  });
}
