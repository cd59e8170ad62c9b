// Trains for 1,000 steps, and prints the resident bytes after every hundred.
import { train } from "../../zoo/train.ts";
import { dataOf, tinyConfig } from "./_tiny.ts";

const never = 1e6;
const saved = tinyConfig({
  model: { haltMaxSteps: 2 },
  run: { steps: 1000, evalEvery: never, checkpointEvery: never, reportEvery: never },
});
const resident: Record<number, number> = {};
await train({
  saved,
  data: dataOf(saved),
  folder: Deno.args[0]!,
  onStep: (step) => {
    if (step % 100 !== 0) return;
    (globalThis as unknown as { gc(): void }).gc(); // JavaScript's own garbage is not the matter
    resident[step] = Deno.memoryUsage().rss;
  },
});
console.log(JSON.stringify(resident));
