import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../../core/random.ts";
import { openPuzzleDataset } from "../../../tasks/dataset/layout.ts";
import { PuzzleSampler } from "../../../tasks/dataset/sampler.ts";
import { sudokuDatasetSpec, sudokuExtremeGroups } from "../../../tasks/dataset/sudoku.ts";
import { writePuzzleDataset } from "../../../tasks/dataset/writer.ts";
import { formatBoard, isValidSolution } from "../../../tasks/sudoku/board.ts";
import { decodeBoard, encodeBoard } from "../../../tasks/sudoku/encoding.ts";
import { puzzleSignature } from "../../../tasks/sudoku/equivalence.ts";
import { generateSudoku } from "../../../tasks/sudoku/generator.ts";
import { inFolder } from "./_folder.ts";

const random = new Random(3);
const puzzles = Array.from(
  { length: 6 },
  () => generateSudoku(random, { size: 9, clues: [26, 34] }),
);

Deno.test("sudokuExtremeGroups() begins each group with the puzzle, then its equivalents", () =>
  inFolder(async (folder) => {
    const groups = sudokuExtremeGroups(puzzles, { numAug: 20, random: new Random(1) });
    const metadata = await writePuzzleDataset(folder, "train", groups, sudokuDatasetSpec(9));
    const { totalGroups, totalPuzzles, meanPuzzleExamples, vocabSize, seqLen } = metadata;
    assertEquals([totalGroups, totalPuzzles, meanPuzzleExamples], [6, 6 * 21, 1]);
    assertEquals([vocabSize, seqLen, metadata.numPuzzleIdentifiers], [11, 81, 1]);
    using dataset = openPuzzleDataset(folder, "train");
    assertEquals(dataset.readIdentifiers(), ["<blank>"]);
    const [set] = dataset.sets;
    assertEquals(set!.groupIndices, Int32Array.from([0, 21, 42, 63, 84, 105, 126]));
    assertEquals(set!.puzzleIndices, Int32Array.from({ length: 127 }, (_, i) => i));
    assert(set!.puzzleIdentifiers.every((identifier) => identifier === 0));
    const seen = new Set<string>();
    puzzles.forEach(({ puzzle, solution }, group) => {
      const first = set!.readExample(21 * group);
      assertEquals([...first.inputs], [...encodeBoard(puzzle)]);
      assertEquals([...first.labels], [...encodeBoard(solution)]);
      for (let i = 0; i < 21; i++) {
        const { inputs, labels } = set!.readExample(21 * group + i);
        const other = decodeBoard(inputs, 9), answer = decodeBoard(labels, 9);
        assert(isValidSolution(other, answer));
        assertEquals(puzzleSignature(other, answer), puzzleSignature(puzzle, solution));
        seen.add(formatBoard(other));
      }
    });
    assertEquals(seen.size, 126);
  }));

Deno.test("sudokuExtremeGroups() depends on its random source alone, 0 equivalents need none", () => {
  const boards = (seed: number) =>
    Array.from(
      sudokuExtremeGroups(puzzles, { numAug: 3, random: new Random(seed) }),
      (group) => Array.from(group, ({ examples }) => [...examples]),
    );
  assertEquals(boards(1), boards(1));
  assert(JSON.stringify(boards(1)) !== JSON.stringify(boards(2)));
  const none = { uint32: () => assert(false) as never };
  const plain = Array.from(sudokuExtremeGroups(puzzles, { numAug: 0, random: none }));
  assertEquals(plain.map((group) => [...group].length), [1, 1, 1, 1, 1, 1]);
  assertThrows(
    () => sudokuExtremeGroups(puzzles, { numAug: -1, random }).next(),
    RangeError,
    "Cannot make -1 equivalents",
  );
});

Deno.test("PuzzleSampler draws one equivalent of each Sudoku an epoch", () =>
  inFolder(async (folder) => {
    const groups = sudokuExtremeGroups(puzzles, { numAug: 50, random: new Random(1) });
    await writePuzzleDataset(folder, "train", groups, sudokuDatasetSpec(9));
    using dataset = openPuzzleDataset(folder, "train");
    const sampler = new PuzzleSampler(dataset, {
      globalBatchSize: 6,
      randomOf: (epoch) => new Random(4, epoch),
    });
    const drawn = new Set<number>();
    for (let step = 0; step < 30; step++) {
      const { examples } = sampler.compose(step);
      assertEquals(
        Array.from(examples, (i) => Math.floor(i / 51)).toSorted(),
        [0, 1, 2, 3, 4, 5],
      );
      examples.forEach((example) => drawn.add(example));
    }
    assert(drawn.size > 100);
  }));
