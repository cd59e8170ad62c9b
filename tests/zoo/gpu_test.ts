/** Training on a GPU, beside training on the CPU. PONDER_TEST_DEVICE=cpu tries the tests. */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import type { Device } from "../../core/mod.ts";
import { countGpus } from "../../ffi/cuda.ts";
import { loadWeights } from "../../zoo/weights.ts";
import { train } from "../../zoo/train.ts";
import { gpu, gpuProblem, testGpu } from "../ffi/_cuda.ts";
import { inFolder } from "../ffi/_folder.ts";
import { families, smallRun } from "./_family.ts";
import { ended, mpiProblem, mpirun } from "./_mpi.ts";
import { checkpointOf, dataOf, metricsOf, tinyConfig, tinyFlags } from "./_tiny.ts";

/** A run's reported losses. */
async function lossesOf(recipe: string, device: Device, folder: string): Promise<number[]> {
  const saved = smallRun(recipe, "tiny", { optim: { clipNorm: 0.5, ema: 0.9 } });
  await train({ saved, data: dataOf(saved), folder, device });
  return lossesIn(folder);
}

function lossesIn(folder: string): number[] {
  return metricsOf(folder).flatMap(({ loss }) => typeof loss === "number" ? [loss] : []);
}

for (const recipe of families) {
  testGpu(
    `train() of ${recipe} on a GPU has the losses of the CPU, and leaves weights`,
    () =>
      inFolder(async (folder) => {
        const want = await lossesOf(recipe, "cpu", join(folder, "cpu"));
        const got = await lossesOf(recipe, gpu, join(folder, "gpu"));
        assert(want.length > 0);
        got.forEach((loss, i) => assertAlmostEquals(loss, want[i]!, 1e-3 * Math.abs(want[i]!)));
        loadWeights(join(folder, "gpu", "final"), gpu);
      }),
  );
}

testGpu(
  "train() on a GPU resumes where it stopped, and from the CPU's checkpoint",
  () =>
    inFolder(async (folder) => {
      const saved = smallRun("hrm-sudoku", "tiny");
      const data = dataOf(saved);
      const run = { ...saved.config.run, steps: 6 };
      const half = { ...saved, config: { ...saved.config, run } };
      await train({ saved: half, data, folder, device: "cpu" });
      const { step } = await train({ saved, data, folder, device: gpu, resume: true });
      assertEquals(step, saved.config.run.steps);
      const steps = metricsOf(folder).map((line) => line["step"]);
      assertEquals(steps, [...steps].sort((a, b) => Number(a) - Number(b)));
      assert(Object.keys(checkpointOf(folder).tensors).length > 0);
    }),
);

testGpu(
  "train() on a GPU stops before it saves what is no number",
  () =>
    inFolder(async (folder) => {
      const saved = smallRun("hrm-sudoku", "tiny", { optim: { lr: 1e30, warmupSteps: 1 } });
      await assertRejects(
        () => train({ saved, data: dataOf(saved), folder, device: gpu }),
        RangeError,
        "Cannot go on training",
      );
      const { tensors } = checkpointOf(folder);
      assert(Object.keys(tensors).length > 0);
    }),
);

const clusterProblem = gpuProblem || mpiProblem;

Deno.test({
  name:
    `train --distributed on GPUs, one for each process, has the losses of the CPU${clusterProblem}`,
  ignore: clusterProblem !== "",
  fn: () =>
    inFolder(async (folder) => {
      const saved = tinyConfig(), whole = join(folder, "cpu");
      await train({ saved, data: dataOf(saved), folder: whole });
      const want = lossesIn(whole);
      assert(want.length > 0);
      const most = Math.min(gpu === "cuda" ? countGpus() : 2, saved.config.run.batchSize);
      for (const count of new Set([1, most])) {
        const place = join(folder, `${count}`);
        const { code, stderr } = await ended(mpirun(
          count,
          ...["zoo/cli.ts", "train", "hrm-sudoku", ...tinyFlags] as const,
          ...["--distributed", `--device=${gpu}`, `--out=${place}`],
        ));
        assertEquals(code, 0, stderr);
        const got = lossesIn(place);
        assertEquals(got.length, want.length);
        got.forEach((loss, i) => assertAlmostEquals(loss, want[i]!, 1e-3 * Math.abs(want[i]!)));
      }
    }),
});
