import { assertAlmostEquals, assertEquals, assertGreater, assertThrows } from "@std/assert";
import { warmupCosine } from "../../../core/optim/schedule.ts";

const schedule = { lr: 0.5, warmupSteps: 4, totalSteps: 12, minRatio: 0.2 };

Deno.test("warmupCosine() climbs in a line from 0 to the peak", () => {
  const rates = [0, 1, 2, 3, 4].map((step) => warmupCosine(schedule, step));
  assertEquals(rates, [0, 0.125, 0.25, 0.375, 0.5]);
});

Deno.test("warmupCosine() equals hand values on the cosine", () => {
  // progress 1/4, 1/2, 3/4 and 1 of 8 steps; lr · (0.2 + 0.8 · ½(1 + cos))
  assertAlmostEquals(warmupCosine(schedule, 6), 0.5 * (0.2 + 0.4 * (1 + Math.SQRT1_2)), 1e-15);
  assertAlmostEquals(warmupCosine(schedule, 8), 0.3, 1e-15);
  assertAlmostEquals(warmupCosine(schedule, 10), 0.5 * (0.2 + 0.4 * (1 - Math.SQRT1_2)), 1e-15);
  assertEquals(warmupCosine(schedule, 12), 0.1);
});

Deno.test("warmupCosine() never climbs after the peak and stays at the end beyond the total", () => {
  for (let step = 4; step < 12; step++) {
    assertGreater(warmupCosine(schedule, step), warmupCosine(schedule, step + 1));
  }
  assertEquals(warmupCosine(schedule, 13), 0.1);
  assertEquals(warmupCosine(schedule, 1e9), 0.1);
});

Deno.test("warmupCosine() with a ratio of 1 is constant after the warm-up", () => {
  const constant = { ...schedule, minRatio: 1 };
  assertEquals([4, 7, 12, 99].map((step) => warmupCosine(constant, step)), [0.5, 0.5, 0.5, 0.5]);
});

Deno.test("warmupCosine() without a warm-up starts at the peak, even when there are no steps", () => {
  assertEquals(warmupCosine({ ...schedule, warmupSteps: 0 }, 0), 0.5);
  assertEquals(warmupCosine({ ...schedule, warmupSteps: 0, totalSteps: 0 }, 0), 0.5);
  assertEquals(warmupCosine({ ...schedule, warmupSteps: 0, totalSteps: 0 }, 1), 0.1);
});

Deno.test("warmupCosine() refuses a step that is negative or not a number", () => {
  assertThrows(() => warmupCosine(schedule, -1), RangeError, "Cannot schedule step -1");
  assertThrows(() => warmupCosine(schedule, NaN), RangeError, "Cannot schedule step NaN");
});
