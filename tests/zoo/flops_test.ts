import { assertAlmostEquals, assertEquals } from "@std/assert";
import { swiGluWidth } from "../../core/mod.ts";
import { type HrmConfig, hrmPaper } from "../../models/hrm.ts";
import { prefixLength } from "../../models/token_network.ts";
import { type TrmConfig, trmPaper } from "../../models/trm.ts";
import { trainingFlops } from "../../zoo/flops.ts";
import { smallRun } from "./_family.ts";
import { tinyConfig } from "./_tiny.ts";

type Width = Pick<
  HrmConfig,
  "hiddenSize" | "expansion" | "mlpMultiple" | "seqLen" | "vocabSize"
>;

/** Operations of one block over `S` positions, by hand: four linear layers and attention. */
function blockFlops({ hiddenSize: D, expansion, mlpMultiple }: Width, S: number): number {
  const I = swiGluWidth(D, expansion, mlpMultiple);
  return 2 * S * D * 3 * D + 4 * S * S * D + 2 * S * D * D + 2 * S * D * 2 * I + 2 * S * I * D;
}

function headFlops({ hiddenSize: D, seqLen: L, vocabSize: V }: Width): number {
  return 2 * L * D * V + 2 * D * 2;
}

/** A segment without gradient for the target, one with, and back through the last step of each module. */
function hrmStepFlops(config: HrmConfig): number {
  const { hCycles: N, lCycles: T, hLayers, lLayers, seqLen } = config;
  const block = blockFlops(config, prefixLength(config) + seqLen);
  const segment = N * (T * lLayers + hLayers) * block + headFlops(config);
  return 2 * segment + 2 * ((hLayers + lLayers) * block + headFlops(config));
}

Deno.test("trainingFlops() of HRM is what a formula of its own says, times rows and steps", () => {
  const { config } = tinyConfig();
  const { batchSize, steps } = config.run;
  assertEquals(trainingFlops(config), hrmStepFlops(config.model as HrmConfig) * batchSize * steps);
});

Deno.test("the formula gives 36.7 GF a row and step for the published HRM", () => {
  assertAlmostEquals(hrmStepFlops(hrmPaper) / 1e9, 36.7, 0.05);
});

/** Recursions without gradient, one with, and back through it; no target. */
function trmStepFlops(config: TrmConfig): number {
  const { hCycles: T, lCycles: n, lLayers, seqLen, puzzleEmbLen } = config;
  const level = lLayers * blockFlops(config, puzzleEmbLen + seqLen);
  return (T + 2) * (n + 1) * level + 3 * headFlops(config);
}

Deno.test("trainingFlops() of TRM is what its formula says, for the published one 47.6 GF", () => {
  const { config } = smallRun("trm-sudoku");
  const { batchSize, steps } = config.run;
  assertEquals(trainingFlops(config), trmStepFlops(config.model as TrmConfig) * batchSize * steps);
  assertAlmostEquals(trmStepFlops(trmPaper) / 1e9, 47.6, 0.05);
});

Deno.test("trainingFlops() follows the loops of a looped transformer, which become more", () => {
  const flops = (loopsStart: number, loopsInterval: number) =>
    trainingFlops(
      smallRun("looped-sudoku", "tiny", { model: { loops: 3, loopsStart, loopsInterval } }).config,
    );
  const [one, two, three] = [1, 2, 3].map((loops) =>
    trainingFlops(
      smallRun("looped-sudoku", "tiny", { model: { loops, loopsStart: loops } }).config,
    )
  ) as [number, number, number];
  // 12 steps: four of one loop, four of two, four of three
  assertAlmostEquals(flops(1, 4), (one + two + three) / 3, one / 1e6);
  assertEquals(flops(3, 4), three);
});
