import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { Random } from "../../../core/random.ts";
import {
  type DatasetGroup,
  encodeMaze,
  mazeSeqLen,
  mazeVocabSize,
  sudokuDatasetSpec,
  sudokuExtremeGroups,
  writePuzzleDataset,
} from "../../../tasks/mod.ts";
import type { MazeConfig, SudokuConfig } from "../../../zoo/recipe.ts";
import { recipes } from "../../../zoo/recipes.ts";
import { mazeTask } from "../../../zoo/tasks/maze.ts";
import { sudokuTask } from "../../../zoo/tasks/sudoku.ts";
import { inFolder } from "../../ffi/_folder.ts";
import { command, tinyFlags } from "../_tiny.ts";

const sudoku = {
  ...recipes["hrm-sudoku"]!.presets["tiny"]!.task as SudokuConfig,
  trainPuzzles: 10,
  testPuzzles: 6,
};
const quiet = () => {};

async function writeSudokus(folder: string): Promise<void> {
  const puzzles = sudokuTask({ ...sudoku, testPuzzles: 12 }).heldOut(3);
  const random = new Random(1);
  for (const [split, numAug] of [["train", 4], ["test", 0]] as const) {
    const groups = sudokuExtremeGroups(puzzles, { numAug, random });
    await writePuzzleDataset(folder, split, groups, sudokuDatasetSpec(4));
  }
}

Deno.test("sudokuTask() trains and tests on a data set in the official layout", () =>
  inFolder(async (folder) => {
    await writeSudokus(folder);
    const task = sudokuTask({ ...sudoku, trainFile: folder, testFile: folder });
    const { train, test } = task.load(1, quiet);
    const want = sudokuTask({ ...sudoku, testPuzzles: 12 }).heldOut(3).slice(0, 6);
    assertEquals(
      test.map(({ puzzle, solution }) => [puzzle, solution]),
      want.map((p) => [
        p.puzzle,
        p.solution,
      ]),
    );
    const batch = train.batch(0, 12, "cpu");
    assertEquals(batch.inputs.shape, [12, 16]);
    const solutions = batch.labels.toNumbers(), clues = batch.inputs.toNumbers();
    assert(clues.every((token, i) => token === 1 || token === solutions[i]));
    assertEquals(train.batch(0, 12, "cpu").inputs.toNumbers(), clues);
    const other = sudokuTask({ ...sudoku, size: 6, trainFile: folder, testFile: null });
    assertThrows(() => other.load(1, quiet), TypeError, "16 tokens of 6 kinds, 6×6 Sudoku 36 of 8");
  }));

Deno.test("mazeTask() trains and tests on a data set in the official layout", () =>
  inFolder(async (folder) => {
    const config: MazeConfig = {
      ...recipes["hrm-maze"]!.presets["tiny"]!.task as MazeConfig,
      size: 5,
      minPath: 5,
      trainPuzzles: 10,
      testPuzzles: 7,
    };
    const mazes = mazeTask(config).heldOut(2);
    const groups = mazes.map(({ puzzle, solution }): DatasetGroup => [{
      identifier: 0,
      examples: [{ inputs: encodeMaze(puzzle), labels: encodeMaze(solution) }],
    }]);
    const spec = { vocabSize: mazeVocabSize, seqLen: mazeSeqLen(5), identifiers: ["<blank>"] };
    for (const split of ["train", "test"] as const) {
      await writePuzzleDataset(folder, split, groups, spec);
    }
    const { train, test } = mazeTask({ ...config, trainFile: folder, testFile: folder })
      .load(1, quiet);
    assertEquals(
      test,
      mazes.map(({ puzzle, solution, pathLength, rating }) => ({
        puzzle,
        solution,
        pathLength,
        rating,
      })),
    );
    assertEquals(train.batch(3, 7, "cpu").inputs.shape, [7, 25]);
  }));

Deno.test("train --task.trainFile takes a data set in the official layout", () =>
  inFolder(async (folder) => {
    const data = join(folder, "data"), run = join(folder, "run");
    await writeSudokus(data);
    const { code, stdout, stderr } = await command(
      ...["train", "hrm-sudoku", ...tinyFlags, "--steps=2", `--out=${run}`],
      ...[`--task.trainFile=${data}`, `--task.testFile=${data}`],
    );
    assertEquals([code, stderr.includes("Cannot")], [0, false], stderr);
    assert(stdout.includes(`Training on the data set "${data}", as it is`));
  }));
