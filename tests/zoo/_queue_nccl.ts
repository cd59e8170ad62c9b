/**
 * A script that queues steps of every family of models on meta, by several processes: a GPU would
 * be asked for the same, and a read would be an error. An argument names what stands in for NCCL.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../core/random.ts";
import { scope } from "../../core/scope.ts";
import { liveTensors } from "../../ffi/handle.ts";
import { sliceCarry } from "../../models/model.ts";
import type { Group } from "../../zoo/distributed.ts";
import { queueSharedStep, readReports } from "../../zoo/step.ts";
import { disposeTrainee, makeTrainee } from "../../zoo/train.ts";
import { families, smallRun } from "./_family.ts";
import { joinByDouble } from "./_nccl_group.ts";
import { dataOf } from "./_tiny.ts";

/** Three steps, of which nothing is read. */
async function queueSteps(group: Group, recipe: string, rows: number): Promise<void> {
  using _ = scope();
  const { config } = smallRun(recipe, "tiny", {
    optim: { clipNorm: 0.5, ema: 0.9 },
    model: { forwardDtype: "bfloat16", numPuzzleIdentifiers: 5 },
  });
  const sampler = dataOf(smallRun(recipe)).train, random = new Random(1);
  const trainee = makeTrainee(config, "meta");
  const { start, end } = group.share(rows);
  let carry = sliceCarry(
    trainee.model.initialCarry(sampler.batch(0, rows, "meta")),
    ...[start, end] as const,
  );
  for (let step = 0; step < 3; step++) {
    const batch = sampler.batch(step, rows, "meta"), rates = { lr: 1e-2, puzzleEmbLr: 1e-2 };
    const result = await queueSharedStep(group, trainee, carry, batch, rates, { random, step });
    carry = result.carry;
    assertEquals(result.report.numbers.device, "meta");
    assertThrows(() => readReports([result.report]), TypeError, "has no elements");
  }
  disposeTrainee(trainee);
}

const group = await joinByDouble(Deno.args[0]!);
const before = liveTensors();
for (const recipe of families) await queueSteps(group, recipe, 4);
assertEquals(liveTensors(), before);
if (group.isFirst) console.log(families.length);
group.leave();
