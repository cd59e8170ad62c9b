import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { Random } from "../../../core/random.ts";
import { formatMaze, formatMazes, mazeSignature } from "../../../tasks/mod.ts";
import type { MazeConfig } from "../../../zoo/recipe.ts";
import { recipes } from "../../../zoo/recipes.ts";
import { mazeTask } from "../../../zoo/tasks/maze.ts";
import { inFolder } from "../../ffi/_folder.ts";

const config: MazeConfig = {
  ...recipes["hrm-maze"]!.presets.cpu.task as MazeConfig,
  size: 6,
  minPath: 6,
  trainPuzzles: 40,
  testPuzzles: 12,
};
const quiet = () => {};

Deno.test("mazeTask() splits mazes so that none is another turned or reflected", () => {
  const { train, test } = mazeTask(config).load(1, quiet);
  const held = new Set(test.map(({ puzzle }) => mazeSignature(puzzle)));
  assertEquals(test.length, 12);
  const { inputs, labels, puzzleIdentifiers } = train.batch(0, 40, "cpu");
  assertEquals([inputs.shape, labels.shape], [[40, 36], [40, 36]]);
  assertEquals(puzzleIdentifiers.toNumbers(), Array(40).fill(0));
  const tokens = inputs.toNumbers();
  for (let row = 0; row < 40; row++) {
    const cells = Uint8Array.from(tokens.slice(36 * row, 36 * (row + 1)));
    assert(!held.has(mazeSignature({ cells, rows: 6, columns: 6 })), `row ${row} is held out`);
  }
});

Deno.test("mazeTask() rates by the path, and holds out the same mazes for a seed", () => {
  const task = mazeTask(config);
  const mazes = task.heldOut(3);
  assertEquals(task.heldOut(3), mazes);
  assert(mazes.every(({ rating, pathLength }) => rating === pathLength && rating >= 6));
  assert(JSON.stringify(task.heldOut(4)) !== JSON.stringify(mazes));
});

Deno.test("mazeTask() judges the solution right in every variant, once it is turned back", () => {
  const task = mazeTask(config);
  for (const maze of task.heldOut(1)) {
    const variants = task.vary(maze, 20, new Random(0));
    assertEquals(variants.length, 8);
    assertEquals(variants[0]!.puzzle.puzzle, maze.puzzle);
    for (const { puzzle, undo } of variants) {
      const tokens = Int32Array.from(task.encode(puzzle).labels);
      const verdict = task.judge(maze, undo(task.decode(tokens, puzzle)));
      assertEquals([verdict.exact, verdict.valid, verdict.blanksRight], [
        true,
        true,
        verdict.blanks,
      ]);
    }
    const question = task.judge(maze, task.question(maze));
    assertEquals([question.exact, question.valid], [false, false]);
  }
});

Deno.test("mazeTask().judge() takes another shortest path as valid, though not as exact", () => {
  const task = mazeTask({ ...config, size: 3 });
  const maze = task.read("S  / # /  G", 1);
  const answer = task.read("S  / # /  G", 1).solution.cells.map((cell, i) =>
    i === 1 || i === 2 || i === 5 ? 2 : i === 3 || i === 6 || i === 7 ? 5 : cell
  );
  const other = task.judge(maze, Uint8Array.from(answer));
  const stored = task.judge(maze, maze.solution.cells);
  assertEquals([stored.exact, stored.valid], [true, true]);
  assert(other.valid);
});

Deno.test("mazeTask() reads files, and says what it cannot use", () =>
  inFolder((folder) => {
    const path = join(folder, "mazes.txt");
    const mazes = mazeTask(config).heldOut(5);
    Deno.writeTextFileSync(path, formatMazes(mazes));
    const { test, train } = mazeTask({ ...config, testFile: path, testPuzzles: 5 }).load(1, quiet);
    assertEquals(test.map(({ puzzle }) => puzzle), mazes.slice(0, 5).map(({ puzzle }) => puzzle));
    assertEquals(train.batch(0, 2, "cpu").inputs.shape, [2, 36]);
    const other = mazeTask({ ...config, size: 7, testFile: path });
    assertThrows(() => other.heldOut(1), TypeError, "it has a maze of 6×6, the task 7×7");
    assertThrows(() => mazeTask(config).read("S#G/###/...", 1), TypeError, "know 6×6");
    const walled = "S#    /##    /      /      /      /     G";
    assertThrows(() => mazeTask(config).read(walled, 1), TypeError, "no path leads");
    return Promise.resolve();
  }));

Deno.test("mazeTask().draw() shows question and answer side by side, wrong cells marked", () => {
  const task = mazeTask({ ...config, size: 3 });
  const maze = task.read("S# /   /  G", 1);
  const wrong = Uint8Array.from(maze.solution.cells, (cell) => cell === 5 ? 2 : cell);
  const lines = task.draw(maze, wrong).split("\n");
  assertEquals(lines.length, 5);
  assert(lines.some((line) => line.includes("!")), "no wrong cell is marked");
  assert(!task.draw(maze, maze.solution.cells).includes("!"));
  assert(task.draw(maze, maze.solution.cells, new Set([3])).includes("•'"));
  assert(task.draw(maze, wrong, new Set([3])).includes("*"), "nothing is changed and wrong");
});

Deno.test("mazeTask().read() takes a maze of a file, with its solution where it has one", () => {
  const task = mazeTask({ ...config, size: 3 });
  const text = "; two\nS../.#./..G\nS../.#./..G Soo/.#o/..G\n";
  const second = task.read(text, 1, { file: "mazes.txt", number: 2 });
  assertEquals(formatMaze(second.solution, "/"), "Soo/ #o/  G");
  assertEquals(task.read(text, 1, { file: "mazes.txt" }).puzzle, second.puzzle);
  const third = { file: "mazes.txt", number: 3 };
  assertThrows(() => task.read(text, 1, third), TypeError, 'puzzle 3 of "mazes.txt": there is 2');
});
