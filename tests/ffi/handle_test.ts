import { assertEquals } from "@std/assert";
import { zeros } from "../../core/mod.ts";
import { liveBytes, peakBytes, resetPeakBytes } from "../../ffi/mod.ts";

Deno.test("peakBytes() is the most that lived at once since it was reset", () => {
  const kept = zeros([256]); // 1 KiB
  const before = liveBytes();
  resetPeakBytes();
  assertEquals(peakBytes(), before);
  const a = zeros([256]), b = zeros([512]);
  const view = b.reshape([2, 256]); // shares the bytes of b
  for (const tensor of [view, b, a]) tensor.dispose();
  zeros([256]).dispose();
  assertEquals([liveBytes(), peakBytes()], [before, before + 3 * 1024]);
  resetPeakBytes();
  assertEquals(peakBytes(), before);
  kept.dispose();
});
