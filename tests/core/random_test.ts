import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../core/random.ts";

Deno.test("Random equals the published vectors of Philox4x32-10 at counter zero and key zero", () => {
  const random = new Random(0);
  const words = Array.from({ length: 4 }, () => random.uint32());
  assertEquals(words, [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
});

Deno.test("Random continues exactly from its saved state, at every offset in a block", () => {
  for (let drawn = 0; drawn < 9; drawn++) {
    const random = new Random(7, 3);
    for (let i = 0; i < drawn; i++) random.uint32();
    const copy = Random.from(JSON.parse(JSON.stringify(random.state)));
    for (let i = 0; i < 10; i++) assertEquals(copy.uint32(), random.uint32());
  }
});

Deno.test("Random.normal() has mean 0 and variance 1, uniform() mean 1/2", () => {
  const random = new Random(1);
  const n = 40_000;
  let sum = 0, squares = 0, uniform = 0;
  for (let i = 0; i < n; i++) {
    const x = random.normal();
    sum += x;
    squares += x * x;
    uniform += random.uniform();
  }
  assertAlmostEquals(sum / n, 0, 0.02);
  assertAlmostEquals(squares / n, 1, 0.03);
  assertAlmostEquals(uniform / n, 0.5, 0.01);
});

Deno.test("Random streams differ, bad seeds and bounds are refused", () => {
  const a = new Random(5, 0), b = new Random(5, 1);
  assertEquals(a.uint32() === b.uint32(), false);
  assertThrows(() => new Random(-1), RangeError, "Cannot seed");
  assertThrows(() => new Random(1, -1), RangeError, "stream");
  assertThrows(() => new Random(1).below(0), RangeError, "below 0");
});
