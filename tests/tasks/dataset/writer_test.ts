import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "npm:fast-check@^4";
import { openPuzzleDataset } from "../../../tasks/dataset/layout.ts";
import {
  type DatasetGroup,
  type PuzzleDatasetSpec,
  writePuzzleDataset,
} from "../../../tasks/dataset/writer.ts";
import { PuzzleTestBatches } from "../../../tasks/dataset/sampler.ts";
import { hasNumpy, inFolder, needsNumpy, runPython } from "./_folder.ts";

const spec: PuzzleDatasetSpec = {
  vocabSize: 12,
  seqLen: 3,
  identifiers: ["<blank>", "a", "b", "c"],
};

/** An example told by a number. */
function example(n: number) {
  return { inputs: [n % 12, (n >> 2) % 12, 1], labels: Uint8Array.of(n % 5, n % 12, 0) };
}

/** Groups of puzzles with so many examples each. */
function groupsOf(sizes: readonly (readonly number[])[]) {
  let n = 0;
  return sizes.map((group) =>
    group.map((size) => ({
      identifier: n % 4,
      examples: Array.from({ length: size }, () => example(n++)),
    }))
  ) satisfies DatasetGroup[];
}

Deno.test("writePuzzleDataset() writes what openPuzzleDataset() reads (property)", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }), {
        maxLength: 6,
      }),
      fc.constantFrom("uint8", "int32", "int64" as const),
      fc.boolean(),
      async (sizes, dtype, isAsync) => {
        await inFolder(async (folder) => {
          const groups = groupsOf(sizes);
          async function* lazily() {
            yield* groups;
            await Promise.resolve();
          }
          const written = await writePuzzleDataset(
            folder,
            "train",
            isAsync ? lazily() : groups,
            { ...spec, dtype: dtype as "uint8" },
          );
          using dataset = openPuzzleDataset(folder, "train");
          assertEquals(dataset.metadata, written);
          assertEquals(dataset.readIdentifiers(), spec.identifiers);
          const [set] = dataset.sets;
          const read = Array.from({ length: set!.numGroups }, (_, group) => {
            const [from, to] = set!.groupIndices.subarray(group, group + 2);
            return Array.from({ length: to! - from! }, (_, i) => {
              const [first, end] = set!.puzzleIndices.subarray(from! + i, from! + i + 2);
              const examples = Array.from({ length: end! - first! }, (_, k) => {
                const { inputs, labels } = set!.readExample(first! + k);
                return { inputs: [...inputs], labels: Uint8Array.from(labels) };
              });
              return { identifier: set!.puzzleIdentifiers[from! + i]!, examples };
            });
          });
          assertEquals(read, groups);
          const puzzles = sizes.flat();
          assertEquals(written.totalGroups, sizes.length);
          assertEquals(written.totalPuzzles, puzzles.length);
          const numExamples = puzzles.reduce((a, b) => a + b, 0);
          assertEquals(written.meanPuzzleExamples, numExamples / Math.max(1, puzzles.length));
        });
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("writePuzzleDataset() writes nothing when a puzzle is impossible", () =>
  inFolder(async (folder) => {
    const good = { identifier: 1, examples: [example(3)] };
    const refuses = async (groups: Iterable<DatasetGroup>, why: string, other = {}) => {
      await assertRejects(
        () => writePuzzleDataset(folder, "train", groups, { ...spec, ...other }),
        RangeError,
        why,
      );
      assertEquals([...Deno.readDirSync(folder)], []);
    };
    const withTokens = (inputs: number[], labels: number[]) => [
      [good],
      [good, { identifier: 2, examples: [example(1), { inputs, labels }] }],
    ];
    const second = "Cannot write puzzle 2 of group 1: ";
    await refuses([[good], []], "Cannot write puzzle 1 of group 1: it has no puzzles");
    await refuses([[good], [good, { identifier: 2, examples: [] }]], `${second}it has no examples`);
    await refuses([[good], [good, { ...good, identifier: -1 }]], `${second}its identifier is -1`);
    await refuses(withTokens([1, 2], [1, 2, 3]), `${second}an example has 2 inputs and 3 labels`);
    await refuses(
      withTokens([1, 2, 12], [1, 2, 3]),
      `${second}it has the input 12, the vocabulary`,
    );
    await refuses(withTokens([1, 2, 1], [1, 2, 0.5]), `${second}it has the label 0.5`);
    await refuses(withTokens([1, 2, 1], [1, 2, -1]), `${second}it has the label -1`);
    await refuses([[{ ...good, identifier: 4 }]], "with the identifier 4 and 4 names");
    await refuses([], "vocabulary of 12 and the padding 12", { padId: 12 });
    await refuses([], "as uint8: choose int32", { ignoreLabelId: -100 });
    await refuses([], "Cannot write rows of shape [0]", { seqLen: 0 });
    await refuses([], "with the identifier 0 and 0 names", { identifiers: [] });
    await assertRejects(
      () =>
        writePuzzleDataset(
          folder,
          "train",
          function* () {
            yield [good];
            throw new Error("from the groups");
          }(),
          spec,
        ),
      Error,
      "from the groups",
    );
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

Deno.test("writePuzzleDataset() keeps the other split and agrees with its identifiers", () =>
  inFolder(async (folder) => {
    const identifiers = ["<blank>"];
    function* growing(): Generator<DatasetGroup> {
      for (const name of ["a", "b"]) {
        yield [{ identifier: identifiers.push(name) - 1, examples: [example(1)] }];
      }
    }
    const train = await writePuzzleDataset(folder, "train", growing(), { ...spec, identifiers });
    assertEquals(train.numPuzzleIdentifiers, 3);
    await assertRejects(
      () => writePuzzleDataset(folder, "train", [], spec),
      Deno.errors.AlreadyExists,
      `Cannot write data set "${folder}/train": it is there already, remove it first`,
    );
    const other = { ...spec, identifiers: ["<blank>", "z"] };
    await assertRejects(
      () => writePuzzleDataset(folder, "test", groupsOf([[1]]), other),
      TypeError,
      `1 is "a" there and "z" here`,
    );
    await writePuzzleDataset(folder, "test", groupsOf([[1]]), spec); // names a, b and c
    using dataset = openPuzzleDataset(folder, "train");
    assertEquals(dataset.readIdentifiers(), spec.identifiers);
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assertEquals(names, ["identifiers.json", "test", "train"]);
  }));

Deno.test("writePuzzleDataset() writes labels to ignore that are no tokens", () =>
  inFolder(async (folder) => {
    const examples = [{ inputs: [1, 2, 3], labels: [-100, 0, 3] }];
    const wide = { ...spec, dtype: "int64", ignoreLabelId: -100 } as const;
    await writePuzzleDataset(folder, "test", [[{ identifier: 1, examples }]], wide);
    using dataset = openPuzzleDataset(folder, "test");
    assertEquals(dataset.sets[0]!.readExample(0).labels, Int32Array.of(-100, 0, 3));
  }));

Deno.test({
  name: `writePuzzleDataset() writes what a reader of the official layout reads${needsNumpy}`,
  ignore: !hasNumpy,
  fn: () =>
    inFolder(async (folder) => {
      const groups = groupsOf([[1, 3, 2], [4], [2, 2, 1]]);
      const padded = { ...spec, padId: 11, blankIdentifierId: 3 };
      const metadata = await writePuzzleDataset(folder, "test", groups, padded);
      const twin = new URL("../../golden/dataset_twin.py", import.meta.url).pathname;
      const read = JSON.parse(await runPython([twin, "read", folder, "test", "6", "2"]));
      assertEquals(read.metadata, {
        pad_id: 11,
        ignore_label_id: 0,
        blank_identifier_id: 3,
        vocab_size: 12,
        seq_len: 3,
        num_puzzle_identifiers: 4,
        total_groups: 3,
        mean_puzzle_examples: 15 / 7,
        total_puzzles: 7,
        sets: ["all"],
      });
      assertEquals(metadata.totalPuzzles, 7);
      assertEquals(read.identifiers, spec.identifiers);
      const int32 = "int32", uint8 = "uint8";
      assertEquals(read.dtypes.all, {
        inputs: uint8,
        labels: uint8,
        puzzle_identifiers: int32,
        puzzle_indices: int32,
        group_indices: int32,
      });
      assertEquals(read.shapes.all, {
        inputs: [15, 3],
        labels: [15, 3],
        puzzle_identifiers: [7],
        puzzle_indices: [8],
        group_indices: [4],
      });
      using dataset = openPuzzleDataset(folder, "test");
      assertEquals(read.batches.length, 3);
      for (const rank of [0, 1]) {
        const ours = new PuzzleTestBatches(dataset, { globalBatchSize: 6, rank, numReplicas: 2 });
        const rows = Array.from(ours, (batch) => ({
          inputs: [...batch.inputs],
          labels: [...batch.labels],
          identifiers: [...batch.puzzleIdentifiers],
          numExamples: batch.numExamples,
        }));
        assertEquals(rows, read.batches.map((ranks: unknown[]) => ranks[rank]));
      }
      assert(read.batches[2][1].inputs.every((token: number) => token === 11)); // all padding
    }),
});
