import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4";
import { Random } from "../../../core/random.ts";
import { type BatchPlan, bordersOf, ScannedBorders } from "../../../tasks/dataset/_borders.ts";
import { EpochDraw } from "../../../tasks/dataset/_epoch.ts";
import { openPuzzleDataset, type PuzzleDataset } from "../../../tasks/dataset/layout.ts";
import { PuzzleSampler, PuzzleTestBatches } from "../../../tasks/dataset/sampler.ts";
import { type DatasetGroup, writePuzzleDataset } from "../../../tasks/dataset/writer.ts";
import golden from "../../golden/dataset_sampler.json" with { type: "json" };
import { digitsOf, indexOf, inFolder, saveSets, type SetArrays } from "./_folder.ts";

/** Calls `work` with a data set of such sets, whose examples spell their index. */
function inDataset(
  sets: readonly SetArrays[],
  work: (dataset: PuzzleDataset) => void,
): Promise<void> {
  return inFolder((folder) => {
    saveSets(folder, "train", sets);
    using dataset = openPuzzleDataset(folder, "train");
    work(dataset);
  });
}

/** Offsets of groups of puzzles with so many examples each. */
function arraysOf(sizes: readonly (readonly number[])[]): SetArrays {
  const groupIndices = [0], puzzleIndices = [0], puzzleIdentifiers: number[] = [];
  for (const group of sizes) {
    groupIndices.push(groupIndices.at(-1)! + group.length);
    for (const size of group) {
      puzzleIndices.push(puzzleIndices.at(-1)! + size);
      puzzleIdentifiers.push(puzzleIdentifiers.length % 20);
    }
  }
  return { puzzleIdentifiers, puzzleIndices, groupIndices };
}

const sizesOf = (min: number) =>
  fc.array(fc.array(fc.integer({ min, max: 6 }), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 9,
  });

/** The batches of a few iterations by the rule as it is written down, one after the other. */
function slowBatches(arrays: SetArrays, seed: number, size: number, epochs: number) {
  const offsets = {
    groupIndices: Int32Array.from(arrays.groupIndices),
    puzzleIndices: Int32Array.from(arrays.puzzleIndices),
  };
  const batches: number[][] = [];
  for (let iteration = 0; iteration < 3; iteration++) {
    let batch: number[] = [];
    for (let e = 0; e < epochs; e++) {
      const draw = new EpochDraw(offsets, new Random(seed, iteration * epochs + e), size);
      draw.puzzles.forEach((_, slot) => {
        const count = Math.min(draw.size(slot), size - batch.length);
        for (let k = 0; k < count; k++) batch.push(draw.example(slot, k));
        if (batch.length < size) return;
        batches.push(batch);
        batch = [];
      });
    }
  }
  return batches;
}

for (
  const { name, seed, batchSize, epochsPerIteration, iterations, sets, batches } of golden.cases
) {
  Deno.test(`PuzzleSampler makes the batches of the twin: ${name}`, () =>
    inDataset(sets, (dataset) => {
      const sampler = new PuzzleSampler(dataset, {
        globalBatchSize: batchSize,
        epochsPerIteration,
        randomOf: (epoch) => new Random(seed, epoch),
      });
      assertEquals(sampler.stepsBefore(iterations), batches.length);
      // backwards, then forwards: nothing depends on what was asked before
      const steps = [...batches.keys()];
      for (const step of [...steps.toReversed(), ...steps]) {
        const want = batches[step]!, { set, epoch, examples } = sampler.compose(step);
        assertEquals(
          { set: dataset.sets.indexOf(set), epoch, examples: [...examples] },
          { set: want.set, epoch: want.epoch, examples: want.examples },
        );
        const batch = sampler.batch(step);
        assertEquals([...batch.puzzleIdentifiers], want.identifiers);
        assertEquals([...batch.inputs], want.examples.flatMap(digitsOf));
        assertEquals([batch.set, batch.numExamples], [set.name, batchSize]);
      }
    }));
}

Deno.test("PuzzleSampler makes any batch as if all before had been made (property)", async () => {
  await fc.assert(
    fc.asyncProperty(
      sizesOf(1),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(),
      async (sizes, globalBatchSize, epochsPerIteration, seed) => {
        const arrays = arraysOf(sizes);
        const want = slowBatches(arrays, seed, globalBatchSize, epochsPerIteration);
        fc.pre(want.length > 0);
        await inDataset([arrays], (dataset) => {
          const randomOf = (epoch: number) => new Random(seed, epoch);
          const options = { globalBatchSize, epochsPerIteration, randomOf };
          for (const step of [want.length - 1, 0, want.length >> 1]) {
            const resumed = new PuzzleSampler(dataset, options);
            assertEquals([...resumed.compose(step).examples], want[step]);
          }
          const sampler = new PuzzleSampler(dataset, options);
          assertEquals(sampler.stepsBefore(3), want.length);
          want.forEach((examples, step) => {
            const { puzzles } = sampler.compose(step);
            assertEquals([...sampler.compose(step).examples], examples);
            examples.forEach((index, i) =>
              assertEquals(dataset.sets[0]!.puzzleOf(index), puzzles[i])
            );
          });
        });
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("bordersOf() by arithmetic equal those by drawing (property)", () => {
  const set = fc.record({
    size: fc.integer({ min: 1, max: 5 }),
    groups: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 8 }),
  });
  fc.assert(
    fc.property(
      fc.array(set, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 4 }),
      (described, batchSize, epochsPerRun) => {
        const sets = described.map(({ size, groups }) => {
          const arrays = arraysOf(groups.map((n) => Array.from({ length: n }, () => size)));
          return {
            groupIndices: Int32Array.from(arrays.groupIndices),
            puzzleIndices: Int32Array.from(arrays.puzzleIndices),
          };
        });
        const plan: BatchPlan = { sets, batchSize, epochsPerRun };
        const draw = (epoch: number) => {
          const index = Math.floor(epoch / epochsPerRun) % sets.length;
          return new EpochDraw(sets[index]!, new Random(1, epoch), batchSize);
        };
        const uniform = bordersOf(plan, draw), scanned = new ScannedBorders(plan, draw);
        for (let runs = 0; runs < 7; runs++) {
          assertEquals(uniform.stepsBefore(runs), scanned.stepsBefore(runs));
        }
        for (let step = 0; step < scanned.stepsBefore(6); step++) {
          const { epoch, slot } = scanned.place(step);
          assertEquals(uniform.place(step), { epoch, slot });
        }
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("PuzzleSampler gives each replica a slice; together they are the batch (property)", async () => {
  await fc.assert(
    fc.asyncProperty(
      sizesOf(0),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
      fc.nat(),
      async (sizes, numReplicas, rows, seed) => {
        const most = sizes.reduce((sum, group) => sum + Math.max(...group), 0);
        fc.pre(most >= numReplicas * rows);
        await inDataset([arraysOf(sizes)], (dataset) => {
          const options = {
            globalBatchSize: numReplicas * rows,
            randomOf: (epoch: number) => new Random(seed, epoch),
            numReplicas,
          };
          const whole = new PuzzleSampler(dataset, { ...options, numReplicas: 1 });
          const ranks = Array.from(
            { length: numReplicas },
            (_, rank) => new PuzzleSampler(dataset, { ...options, rank }),
          );
          for (let step = 0; step < 5; step++) {
            const want = whole.batch(step), parts = ranks.map((sampler) => sampler.batch(step));
            for (const field of ["inputs", "labels", "puzzleIdentifiers"] as const) {
              assertEquals(parts.flatMap((part) => [...part[field]]), [...want[field]]);
            }
            assert(parts.every((part) => part.numRows === rows));
            assert(parts.every((part) => part.numExamples === numReplicas * rows));
          }
        });
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("PuzzleSampler uses each group once an epoch, each example at most once (property)", async () => {
  await fc.assert(
    fc.asyncProperty(sizesOf(1), fc.nat(), async (sizes, seed) => {
      await inDataset([arraysOf(sizes)], (dataset) => {
        const sampler = new PuzzleSampler(dataset, {
          globalBatchSize: 1, // of each puzzle one example
          randomOf: (epoch) => new Random(seed, epoch),
        });
        const groups = Array.from(sizes, (_, step) => {
          const { puzzles, epoch } = sampler.compose(step);
          assertEquals(epoch, 0);
          return dataset.sets[0]!.groupIndices.findLastIndex((first) => first <= puzzles[0]!);
        });
        assertEquals(groups.toSorted((a, b) => a - b), [...sizes.keys()]);
      });
      const all = sizes.reduce((sum, group) => sum + group[0]!, 0);
      await inDataset([arraysOf(sizes.map((group) => [group[0]!]))], (dataset) => {
        const sampler = new PuzzleSampler(dataset, {
          globalBatchSize: all, // the one puzzle of each group, whole
          randomOf: (epoch) => new Random(seed, epoch),
        });
        const { examples } = sampler.compose(3);
        assertEquals([...examples].toSorted((a, b) => a - b), [...Array(all).keys()]);
      });
    }),
    { numRuns: 25 },
  );
});

Deno.test("PuzzleSampler draws puzzles and examples uniformly", () =>
  inDataset([arraysOf([[4, 4, 4]])], (dataset) => {
    const sampler = new PuzzleSampler(dataset, {
      globalBatchSize: 2,
      randomOf: (epoch) => new Random(9, epoch),
    });
    const counts = new Array(12).fill(0), numSteps = 12_000;
    for (let step = 0; step < numSteps; step++) {
      for (const example of sampler.compose(step).examples) counts[example]++;
    }
    const expected = 2 * numSteps / 12;
    for (const count of counts) assert(Math.abs(count - expected) < 5 * Math.sqrt(expected));
  }));

Deno.test("PuzzleSampler and PuzzleTestBatches ignore labels and pad as the metadata says", () =>
  inDataset([arraysOf([[1], [1], [1]])], (dataset) => {
    const sampler = new PuzzleSampler(dataset, {
      globalBatchSize: 3,
      randomOf: (epoch) => new Random(1, epoch),
    });
    const { inputs, labels } = sampler.batch(0);
    labels.forEach((label, i) => assertEquals(label, inputs[i] === 0 ? -100 : inputs[i]!));
    const batches = new PuzzleTestBatches(dataset, { globalBatchSize: 2 });
    assertEquals(batches.length, 2);
    const [first, last] = batches;
    assertEquals([...first!.inputs], [0, 1].flatMap(digitsOf));
    assertEquals([...last!.inputs], [0, 0, 0, 2, 7, 7, 7, 7]);
    assertEquals([...last!.labels], [-100, -100, -100, 2, -100, -100, -100, -100]);
    assertEquals([...last!.puzzleIdentifiers], [2, 0]);
    assertEquals([last!.numRows, last!.numExamples], [2, 1]);
    assertThrows(() => batches.batch(2), RangeError, "Cannot read batch 2 of 2");
  }));

Deno.test("PuzzleTestBatches reads every row once, for any sizes and replicas (property)", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(sizesOf(0), { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 4 }),
      async (sizes, numReplicas, rows) => {
        await inDataset(sizes.map(arraysOf), (dataset) => {
          const share = { globalBatchSize: numReplicas * rows, numReplicas };
          const ranks = Array.from(
            { length: numReplicas },
            (_, rank) => [...new PuzzleTestBatches(dataset, { ...share, rank })],
          );
          const read = new Map(dataset.sets.map(({ name }) => [name, [] as number[]]));
          ranks[0]!.forEach(({ set, numExamples }, index) => {
            const indices = ranks.flatMap((batches) => {
              const { inputs } = batches[index]!;
              return Array.from(
                { length: rows },
                (_, i) => indexOf(inputs.slice(4 * i, 4 * i + 4)),
              );
            });
            read.get(set)!.push(...indices.slice(0, numExamples));
            assert(indices.slice(numExamples).every((i) => i === indexOf([7, 7, 7, 7])));
          });
          for (const { name, numExamples } of dataset.sets) {
            assertEquals(read.get(name), [...Array(numExamples).keys()]);
          }
        });
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("PuzzleSampler refuses sizes that do not fit together", () =>
  inDataset([arraysOf([[1, 3], [2]])], (dataset) => {
    const randomOf = (epoch: number) => new Random(1, epoch);
    const refuses = (options: object, why: string) =>
      assertThrows(
        () => new PuzzleSampler(dataset, { globalBatchSize: 4, randomOf, ...options }),
        RangeError,
        why,
      );
    refuses({ globalBatchSize: 0 }, "Cannot make batches of 0");
    refuses({ numReplicas: 3 }, "Cannot share batches of 4 among 3");
    refuses({ numReplicas: 2, rank: 2 }, "Cannot take part 2 of 2");
    refuses({ epochsPerIteration: 0 }, "Cannot draw 0 epochs");
    refuses({ globalBatchSize: 6 }, "Cannot fill a batch of 6 from");
    const sampler = new PuzzleSampler(dataset, { globalBatchSize: 2, randomOf });
    assertThrows(() => sampler.batch(-1), RangeError, "Cannot draw batch -1");
    assertThrows(() => sampler.stepsBefore(0.5), RangeError, "Cannot find iteration 0.5");
  }));

Deno.test("200,000 rows are written, opened and sampled with bounded memory", () =>
  inFolder(async (folder) => {
    const numGroups = 200, perGroup = 1000, seqLen = 400; // 160 MB of tokens
    const inputs = new Uint8Array(seqLen).fill(1), labels = new Uint8Array(seqLen).fill(2);
    function* groups(): Generator<DatasetGroup> {
      const examples = [{ inputs, labels }];
      for (let i = 0; i < numGroups; i++) {
        yield function* () {
          for (let k = 0; k < perGroup; k++) {
            inputs[k % seqLen] = (inputs[k % seqLen]! + 1) % 5;
            yield { identifier: 0, examples };
          }
        }();
      }
    }
    const rss = () => Deno.memoryUsage().rss, before = rss();
    let most = before, at = performance.now();
    const lap = (what: string, count: number) => {
      const seconds = (performance.now() - at) / 1000;
      most = Math.max(most, rss());
      at = performance.now();
      assert(seconds < 60, `${what}: ${seconds} s for ${count}`);
    };
    const spec = { vocabSize: 6, seqLen, identifiers: ["<blank>"] };
    await writePuzzleDataset(folder, "train", groups(), spec);
    lap("writing", numGroups * perGroup);
    using dataset = openPuzzleDataset(folder, "train");
    lap("opening", 1);
    const sampler = new PuzzleSampler(dataset, {
      globalBatchSize: 128,
      epochsPerIteration: 5000,
      randomOf: (epoch) => new Random(1, epoch),
    });
    for (let step = 0; step < 40; step++) sampler.batch(5000 + step);
    lap("sampling", 40 * 128);
    const batches = new PuzzleTestBatches(dataset, { globalBatchSize: 500 });
    for (let i = 0; i < 40; i++) batches.batch(i);
    lap("reading in order", 40 * 500);
    assert(most - before < 100e6, `memory grew by ${(most - before) / 1e6} MB`);
  }));
