import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { scope } from "../../../core/mod.ts";
import { EpochSampler } from "../../../zoo/tasks/epoch_sampler.ts";
import type { Tokens } from "../../../zoo/tasks/task.ts";

/** Puzzle `n` as two tokens of question and answer. */
const encode = (n: number): Tokens => ({
  inputs: [n, 1],
  labels: Int32Array.of(n, -100),
  puzzleIdentifier: 100 + n,
});

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Which puzzles a batch shows. */
function shown(sampler: EpochSampler<number>, step: number, size: number): number[] {
  using _ = scope();
  return sampler.batch(step, size, "cpu").inputs.select(1, 0).toNumbers();
}

Deno.test("EpochSampler.batch() gives int32 tokens of one row per puzzle", () => {
  using _ = scope();
  const sampler = new EpochSampler([7], 1, encode);
  const { inputs, labels, puzzleIdentifiers } = sampler.batch(3, 1, "cpu");
  const all = [inputs, labels, puzzleIdentifiers];
  assertEquals(all.map(({ shape }) => shape), [[1, 2], [1, 2], [1]]);
  assertEquals(all.map(({ dtype }) => dtype), ["int32", "int32", "int32"]);
  assertEquals(all.map((t) => t.toNumbers()), [[7, 1], [7, -100], [107]]);
});

Deno.test("EpochSampler.batch() shows every puzzle once an epoch, in another order each time", () => {
  const sampler = new EpochSampler(numbers(10), 1, encode);
  const epochs = [0, 1, 2].map((epoch) => [0, 1].flatMap((i) => shown(sampler, 2 * epoch + i, 5)));
  for (const epoch of epochs) assertEquals(epoch.toSorted((a, b) => a - b), numbers(10));
  assertEquals(new Set(epochs.map(String)).size, 3);
});

Deno.test("EpochSampler.batch() leaves out the last partial batch, not always the same puzzles", () => {
  const sampler = new EpochSampler(numbers(11), 1, encode); // 2 batches of 4, 3 left out
  const seen = new Set<number>();
  for (let epoch = 0; epoch < 6; epoch++) {
    const rows = [0, 1].flatMap((i) => shown(sampler, 2 * epoch + i, 4));
    assertEquals(new Set(rows).size, 8, "a puzzle twice in an epoch");
    rows.forEach((row) => seen.add(row));
  }
  assertEquals(seen.size, 11);
});

Deno.test("EpochSampler.batch() depends on the seed and the step alone", () => {
  const steps = [0, 1, 2, 3, 4, 5];
  // what is drawn for a row is what tells it
  const make = (seed: number) =>
    new EpochSampler(numbers(11), seed, (n, random) => ({
      ...encode(n),
      inputs: [n, random.below(2 ** 31)],
    }));
  const rows = (sampler: EpochSampler<number>, step: number) => {
    using _ = scope();
    return sampler.batch(step, 4, "cpu").inputs.toNumbers();
  };
  const sampler = make(1), again = make(1);
  const forwards = steps.map((step) => rows(sampler, step));
  assertEquals(steps.toReversed().map((step) => rows(again, step)).reverse(), forwards);
  assertNotEquals(rows(make(2), 0), forwards[0]);
  const drawn = forwards.flatMap((row) => row.filter((_, i) => i % 2 === 1));
  assertEquals(new Set(drawn).size, 24, "every row of every batch draws its own");
});

Deno.test("EpochSampler.batch() draws for one row after another from one stream", () => {
  // a row that draws less moves those after it, and none before it
  const draws = (count: (place: number) => number) => {
    using _ = scope();
    let place = 0;
    const sampler = new EpochSampler(numbers(4), 1, (n, random) => {
      const first = random.below(2 ** 31);
      for (let i = 1; i < count(place); i++) random.uint32();
      place++;
      return { ...encode(n), inputs: [n, first] };
    });
    return sampler.batch(0, 4, "cpu").inputs.select(1, 1).toNumbers();
  };
  const plain = draws(() => 1), moved = draws((place) => place === 1 ? 2 : 1);
  assertEquals(moved.slice(0, 2), plain.slice(0, 2));
  assertEquals(moved[2], plain[3]);
});

Deno.test("EpochSampler.batch() refuses batches larger than the set", () => {
  const sampler = new EpochSampler(numbers(11), 1, encode);
  const message = "Cannot fill a batch of 12 from 11 puzzles";
  assertThrows(() => sampler.batch(0, 12, "cpu"), RangeError, message);
  assertEquals(shown(sampler, 0, 11).length, 11);
});
