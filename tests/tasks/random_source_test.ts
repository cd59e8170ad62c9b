import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../core/random.ts";
import { below, type RandomSource, shuffle } from "../../tasks/random_source.ts";

/** A source that draws `words` in turn. */
function words(...words: number[]): RandomSource {
  return { uint32: () => words.shift()! };
}

Deno.test("below() draws again instead of favouring small numbers", () => {
  assertEquals(below(words(0xffff_ffff, 7), 3), 1); // 2^32 - 1 is past the last multiple of 3
  assertEquals(below(words(0xffff_fffe), 3), 2);
  assertEquals(below(words(0xffff_ffff), 2 ** 32), 0xffff_ffff);
});

Deno.test("below() equals Random.below() on the same words", () => {
  const a = new Random(1), b = new Random(1);
  for (let i = 1; i < 500; i++) assertEquals(below(a, i), b.below(i));
});

Deno.test("below() refuses bounds that are not integers from 1 to 2^32", () => {
  for (const bound of [0, -1, 1.5, NaN, 2 ** 32 + 1]) {
    assertThrows(() => below(words(0), bound), RangeError, `Cannot draw below ${bound}`);
  }
});

Deno.test("shuffle() returns its argument, with the same items", () => {
  const items = Uint8Array.from({ length: 50 }, (_, i) => i);
  const shuffled = shuffle(new Random(2), items);
  assert(shuffled === items);
  assertEquals([...shuffled].sort((a, b) => a - b), Array.from({ length: 50 }, (_, i) => i));
  assertEquals(shuffle(words(), []), []);
});

Deno.test("shuffle() makes every order about equally often", () => {
  const random = new Random(3);
  const counts = new Map<string, number>();
  for (let i = 0; i < 24_000; i++) {
    const order = shuffle(random, ["a", "b", "c", "d"]).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assertEquals(counts.size, 24);
  for (const count of counts.values()) assert(Math.abs(count - 1000) < 150, `${count}`);
});
