import { assert, assertEquals } from "@std/assert";
import { launchesOf } from "../../bench/launches.ts";
import { liveTensors } from "../../ffi/handle.ts";
import { smallRun } from "../zoo/_family.ts";

Deno.test("launchesOf() asks for the same whatever the batch, and for more memory and arithmetic", () => {
  const before = liveTensors();
  const { config } = smallRun("hrm-sudoku", "tiny", { model: { forwardDtype: "bfloat16" } });
  const few = launchesOf(config, 4, 2), many = launchesOf(config, 64, 2);
  assertEquals(many.byOperator, few.byOperator);
  assertEquals(many.flops, 16 * few.flops);
  assert(many.peakBytes > few.peakBytes && many.hostMs > 0);
  const sum = Object.values(few.byOperator).reduce((sum, n) => sum + n, 0);
  assertEquals(few.launches, sum);
  assert((few.byOperator["flashAttention"] ?? 0) > 0 && (few.byOperator["mul"] ?? 0) > 0);
  assertEquals(liveTensors(), before);
});

Deno.test("A step of HRM's published size asks for fewer than 1,400 kernels, however many cells", () => {
  const { config } = smallRun("hrm-sudoku", "tiny", {
    model: { forwardDtype: "bfloat16", hLayers: 4, lLayers: 4, hCycles: 2, lCycles: 2 },
  });
  const { launches } = launchesOf(config, 4, 1);
  assert(launches < 1400, `${launches}`);
});
