/** Training steps of which nothing is read: what a GPU is given, on the CPU and on meta. */
import { assertEquals, assertThrows } from "@std/assert";
import { stateDict } from "../../core/nn/module.ts";
import { Random } from "../../core/random.ts";
import { scope } from "../../core/scope.ts";
import type { Device } from "../../core/mod.ts";
import { liveTensors } from "../../ffi/handle.ts";
import type { ModelConfig } from "../../models/family.ts";
import { type Carry, carryTensors } from "../../models/model.ts";
import type { Preset } from "../../zoo/recipe.ts";
import {
  queueStep,
  readReports,
  type StepReport,
  type Trainee,
  trainStep,
  type UnreadReport,
} from "../../zoo/step.ts";
import { disposeTrainee, firstCarry, makeTrainee } from "../../zoo/train.ts";
import { families, smallRun } from "./_family.ts";
import { dataOf } from "./_tiny.ts";

const rates = { lr: 1e-2, puzzleEmbLr: 1e-2 };

/** A preset of a recipe, small, with everything that a step may do. */
function presetOf(recipe: string, model: Partial<ModelConfig> = {}): Preset {
  const saved = smallRun(recipe, "tiny", { optim: { clipNorm: 0.5, ema: 0.9 }, model });
  return saved.config;
}

/** Does steps on a device, and hands what they leave to `look`. */
function after<T>(
  recipe: string,
  preset: Preset,
  device: Device,
  take: (trainee: Trainee, carry: Carry, step: number) => Carry,
  look: (trainee: Trainee, carry: Carry) => T,
): T {
  using _ = scope();
  const trainee = makeTrainee(preset, device);
  try {
    const sampler = dataOf(smallRun(recipe)).train;
    let carry = firstCarry(trainee.model, sampler, preset.run.batchSize, device);
    for (let step = 0; step < 3; step++) carry = take(trainee, carry, step);
    return look(trainee, carry);
  } finally {
    disposeTrainee(trainee);
  }
}

Deno.test("queueStep() trains minGPT's blocks with dropout on meta", () => {
  const { config } = smallRun("recurrent-sudoku", "l1r32h4");
  using _ = scope();
  const trainee = makeTrainee(config, "meta");
  const { train } = dataOf(smallRun("recurrent-sudoku"));
  const batch = train.batch(0, config.run.batchSize, "meta");
  const carry = trainee.model.initialCarry(batch);
  const { report } = queueStep(trainee, carry, batch, rates, { random: new Random(1), step: 0 });
  assertEquals([report.numbers.device, report.numbers.shape], ["meta", [10]]);
  disposeTrainee(trainee);
});

for (const recipe of families) {
  const sampler = dataOf(smallRun(recipe)).train;

  Deno.test(`queueStep() does for ${recipe} what trainStep() does, bit for bit`, () => {
    const preset = presetOf(recipe);
    const bytesOf = ({ model }: Trainee, carry: Carry) => [
      [...stateDict(model).values()].map(({ data }) => data),
      Object.values(carryTensors(carry)).map((t) => t.toBytes()),
    ];
    const reports: StepReport[] = [], unread: UnreadReport[] = [];
    const read = (trainee: Trainee, carry: Carry, step: number) => {
      const batch = sampler.batch(step, preset.run.batchSize, "cpu");
      const training = { random: new Random(step, 1), step };
      const result = trainStep(trainee, carry, batch, rates, training);
      reports.push(result.report);
      return result.carry;
    };
    const queued = (trainee: Trainee, carry: Carry, step: number) => {
      const batch = sampler.batch(step, preset.run.batchSize, "cpu");
      const training = { random: new Random(step, 1), step };
      const result = queueStep(trainee, carry, batch, rates, training);
      unread.push(result.report);
      return result.carry;
    };
    using _ = scope();
    const want = after(recipe, preset, "cpu", read, bytesOf);
    const got = after(recipe, preset, "cpu", queued, (trainee, carry) => {
      assertEquals(readReports(unread), reports);
      return bytesOf(trainee, carry);
    });
    assertEquals(got, want);
  });

  for (const forwardDtype of ["float32", "bfloat16"] as const) {
    Deno.test(`queueStep() trains ${recipe} in ${forwardDtype} on meta: it reads no element`, () => {
      const preset = presetOf(recipe, { forwardDtype });
      const traits = (_: Trainee, carry: Carry) =>
        Object.entries(carryTensors(carry)).map(([name, t]) => [name, t.shape, t.dtype]);
      const before = liveTensors();
      for (const microBatch of [Infinity, 3]) {
        const take = (device: Device) => (trainee: Trainee, carry: Carry, step: number) => {
          const batch = sampler.batch(step, preset.run.batchSize, device);
          const training = { random: new Random(step, 1), step };
          const result = queueStep(trainee, carry, batch, rates, training, { microBatch });
          assertEquals(result.report.numbers.device, device);
          if (device === "meta") {
            assertThrows(() => readReports([result.report]), TypeError, "has no elements");
          }
          return result.carry;
        };
        const [onMeta, onCpu] = (["meta", "cpu"] as const).map((device) =>
          after(recipe, preset, device, take(device), traits)
        );
        assertEquals(onMeta, onCpu);
      }
      assertEquals(liveTensors(), before);
    });
  }
}
