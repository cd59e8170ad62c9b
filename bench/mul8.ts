// Times one operation, an 8×8 multiply and the freeing of its result, on one thread.
// Prints the median of several loops in microseconds.
import { rand } from "../core/create.ts";
import { Random } from "../core/random.ts";
import { scope } from "../core/scope.ts";
import "../core/tensor.ts";

const LOOPS = 15, TIMES = 20_000;
const a = rand([8, 8], new Random(1)), b = rand([8, 8], new Random(2));
const micros: number[] = [];
for (let loop = 0; loop < LOOPS; loop++) {
  using _ = scope();
  const began = performance.now();
  for (let i = 0; i < TIMES; i++) a.mul(b).dispose();
  micros.push((performance.now() - began) * 1e3 / TIMES);
}
console.log(micros.sort((x, y) => x - y)[LOOPS >> 1]);
