import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { Random } from "../../../core/random.ts";
import {
  decodeBoard,
  decodeMaze,
  formatBoard,
  formatMazes,
  generateMaze,
  generateSudoku,
  isShortestPath,
  isValidSolution,
  mazeSignature,
  openPuzzleDataset,
  parseArcIdentifier,
  puzzleSignature,
  type SudokuPuzzle,
} from "../../../tasks/mod.ts";
import { inFolder, namesIn } from "../../ffi/_folder.ts";
import { command, type Outcome } from "../_tiny.ts";
import { archiveOf, hubAnswer, tasks, taskText, withHost } from "./_servers.ts";

const data = Deno.env.get("PONDER_TEST_DATA");
const header = "source,question,answer,rating";

/** Builds a data set into `folder`/d. */
function build(folder: string, name: string, ...flags: string[]): Promise<Outcome> {
  return command("data", "build", name, `--out=${folder}/d`, ...flags);
}

/** Groups, puzzles and examples of a split. */
function sizes(folder: string, split: "train" | "test"): number[] {
  using dataset = openPuzzleDataset(folder, split);
  const [set] = dataset.sets;
  return [set!.numGroups, set!.numPuzzles, set!.numExamples];
}

/** Inputs and labels of all examples of a split. */
function examplesOf(folder: string, split: "train" | "test") {
  using dataset = openPuzzleDataset(folder, split);
  const [set] = dataset.sets;
  return Array.from({ length: set!.numExamples }, (_, i) => set!.readExample(i));
}

/** All files of a data set as text. */
async function contentOf(folder: string): Promise<string> {
  let all = "";
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    if ((await Deno.stat(path)).isDirectory) all += await contentOf(path);
    else all += `${name} ${(await Deno.readFile(path)).toHex()}\n`;
  }
  return all;
}

/** It failed with exit code 1, said so, and left nothing but `names`. */
async function assertFails(folder: string, outcome: Outcome, message: RegExp, names: string[]) {
  assertEquals(outcome.code, 1, outcome.stderr);
  assertMatch(outcome.stderr.split("\n").at(-1)!, message);
  assertEquals(await namesIn(folder), names);
}

const rowOf = ({ puzzle, solution, rating }: SudokuPuzzle): string =>
  `x,${formatBoard(puzzle)},${formatBoard(solution)},${rating}`;

/** Sudokus of 6×6, rated 0, 1, 2, … */
function sudokus(count: number, seed: number): SudokuPuzzle[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, rating) => {
    return { ...generateSudoku(random, { size: 6, clues: [12, 18] }), rating };
  });
}

const csv = (rows: readonly string[]): string => [header, ...rows, ""].join("\n");

Deno.test("data build sudoku writes puzzles and rearrangements, all solvable and apart", () =>
  inFolder(async (folder) => {
    const flags = ["--size=6", "--min-clues=9", "--max-clues=14", "--hard-share=0.5"];
    const done = await build(folder, "sudoku", ...flags, "--train=12", "--test=6", "--aug=3");
    assertEquals(done.code, 0, done.stderr);
    assertMatch(
      done.stdout,
      /^train: 12 groups, 48 puzzles, 48 examples\ntest: 6 groups, 6 puzzles, 6 examples\nData set in "/,
    );
    assertEquals(await namesIn(`${folder}/d`), ["build.json", "identifiers.json", "test", "train"]);
    const signatures = (["train", "test"] as const).map((split) =>
      new Set(
        examplesOf(`${folder}/d`, split).map(({ inputs, labels }) => {
          const puzzle = decodeBoard(inputs, 6), solution = decodeBoard(labels, 6);
          assert(isValidSolution(puzzle, solution));
          return puzzleSignature(puzzle, solution);
        }),
      )
    );
    assertEquals(signatures.map((set) => set.size), [12, 6]);
    assertEquals(signatures[0]!.intersection(signatures[1]!).size, 0);
    const { ratings } = JSON.parse(await Deno.readTextFile(`${folder}/d/build.json`));
    assertEquals(ratings.train.reduce((sum: number, [, count]: number[]) => sum + count!, 0), 12);
    assert(ratings.train.some(([rating]: number[]) => rating! > 0));
  }));

Deno.test("data build writes the same for the same seed, and another for another", () =>
  inFolder(async (folder) => {
    const contents: string[] = [];
    for (const [i, seed] of [3, 3, 4].entries()) {
      const flags = ["--train=4", "--test=2", "--aug=2", `--seed=${seed}`];
      const out = `--out=${folder}/${i}`;
      assertEquals((await command("data", "build", "arc-mini", ...flags, out)).code, 0);
      contents.push(await contentOf(`${folder}/${i}`));
    }
    assert(contents[0] === contents[1]);
    assertNotEquals(contents[0], contents[2]);
  }));

Deno.test("data build sudoku says which puzzles there are not", () =>
  inFolder(async (folder) => {
    const flags = ["--size=4", "--min-clues=16", "--max-clues=16", "--train=300", "--test=1"];
    const message =
      /^Cannot make 300 puzzles for train: after 287 no new one came in 10000 attempts/;
    await assertFails(folder, await build(folder, "sudoku", ...flags), message, []);
    const odd = await build(folder, "sudoku", "--hard-share=0.6", "--minimal-share=0.5");
    assertEquals(odd, {
      code: 2,
      stdout: "",
      stderr: "Cannot use --hard-share and --minimal-share: together over 1",
    });
    const unknown = await command("data", "build", "sudoko");
    assertEquals(unknown.code, 2);
    assertStringIncludes(unknown.stderr, 'did you mean "sudoku"? There are: sudoku, maze, ');
  }));

Deno.test("data build maze writes mazes with their shortest paths, in all directions", () =>
  inFolder(async (folder) => {
    const done = await build(folder, "maze", "--size=7", "--train=5", "--test=3", "--aug");
    assertEquals(done.code, 0, done.stderr);
    assertEquals(sizes(`${folder}/d`, "train"), [5, 40, 40]);
    assertEquals(sizes(`${folder}/d`, "test"), [3, 3, 3]);
    const signatures = examplesOf(`${folder}/d`, "train").map(({ inputs, labels }) => {
      const maze = decodeMaze(inputs, 7);
      assert(isShortestPath(maze, decodeMaze(labels, 7)));
      return mazeSignature(maze);
    });
    assertEquals(new Set(signatures).size, 5);
    assertEquals(new Set(signatures.slice(0, 8)).size, 1);
  }));

Deno.test("data build does not write over what is there", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/d`);
    const flags = ["--size=4", "--train=2", "--test=1"];
    assertEquals((await build(folder, "sudoku", ...flags)).code, 0); // an empty folder is no matter
    const before = await contentOf(folder);
    const again = await build(folder, "sudoku", ...flags, "--seed=2");
    assertEquals(again.code, 2);
    assertEquals(again.stderr, `Cannot use --out="${folder}/d": it is not empty`);
    assert(before === await contentOf(folder));
  }));

// Files of puzzles

Deno.test("data build sudoku-extreme draws a subset by the seed, and keeps the test file whole", () =>
  inFolder(async (folder) => {
    const all = sudokus(40, 1), held = sudokus(7, 2);
    await Deno.writeTextFile(`${folder}/train.csv`, csv(all.map(rowOf)));
    await Deno.writeTextFile(`${folder}/test.csv`, csv(held.map(rowOf)).trimEnd());
    const chosen: string[] = [];
    for (const seed of [1, 1, 2]) {
      const flags = [`--source=${folder}`, "--subset=5", "--aug=4", `--seed=${seed}`];
      const done = await build(folder, "sudoku-extreme", ...flags);
      assertEquals(done.code, 0, done.stderr);
      assertEquals(sizes(`${folder}/d`, "train"), [5, 25, 25]);
      assertEquals(sizes(`${folder}/d`, "test"), [7, 7, 7]);
      const { ratings } = JSON.parse(await Deno.readTextFile(`${folder}/d/build.json`));
      chosen.push(JSON.stringify(ratings.train));
      assertEquals(ratings.test.length, 7);
      await Deno.remove(`${folder}/d`, { recursive: true });
    }
    assertEquals(chosen[0], chosen[1]);
    assertNotEquals(chosen[0], chosen[2]);

    const full = ["--full", "--test=3", "--min-difficulty=4", "--aug=0"];
    assertEquals((await build(folder, "sudoku-extreme", `--source=${folder}`, ...full)).code, 0);
    assertEquals(sizes(`${folder}/d`, "train"), [36, 36, 36]);
    assertEquals(sizes(`${folder}/d`, "test"), [3, 3, 3]);
    await Deno.remove(`${folder}/d`, { recursive: true });
    await assertFails(
      folder,
      await build(folder, "sudoku-extreme", `--source=${folder}`, "--subset=99"),
      /^Cannot take 99 puzzles from ".*train.csv": it has 40 such puzzles$/,
      ["test.csv", "train.csv"],
    );
  }));

Deno.test("data build takes a test set out of a single file, and all that is equivalent to it", () =>
  inFolder(async (folder) => {
    const [first, ...others] = sudokus(9, 3);
    const same = Array.from({ length: 30 }, () => first!); // some are drawn to test on
    await Deno.writeTextFile(`${folder}/all.csv`, csv([...same, ...others].map(rowOf)));
    const source = `--source=${folder}/all.csv`;
    const without = await build(folder, "sudoku-extreme", source);
    assertEquals(without.code, 2);
    const done = await build(folder, "sudoku-extreme", source, "--test=4", "--full", "--aug=1");
    assertEquals(done.code, 0, done.stderr);
    const keys = (["train", "test"] as const).map((split) =>
      new Set(
        examplesOf(`${folder}/d`, split).map(({ inputs, labels }) =>
          puzzleSignature(decodeBoard(inputs, 6), decodeBoard(labels, 6))
        ),
      )
    );
    assertEquals(keys[0]!.intersection(keys[1]!).size, 0);
    assertEquals(keys[0]!.union(keys[1]!).size, 9);
  }));

Deno.test("data build refuses bad Sudokus by file and line, and leaves nothing", () =>
  inFolder(async (folder) => {
    const good = sudokus(5, 4), [puzzle] = good;
    const board = formatBoard(puzzle!.puzzle), answer = formatBoard(puzzle!.solution);
    const swapped = answer.replaceAll("1", "x").replaceAll("2", "1").replaceAll("x", "2");
    const clue = board.search(/[1-6]/);
    const clash = board.slice(0, clue) + (Number(board[clue]) % 6 + 1) + board.slice(clue + 1);
    const nine = generateSudoku(new Random(1), { size: 9, clues: [30, 40] });
    const [, six] = sudokus(2, 5);
    for (
      const [row, why] of [
        [
          `x,${board.slice(1)},${answer},1`,
          "Cannot read a board of 35 characters: expected one of",
        ],
        [`x,${board},${answer.slice(1)},1`, "Cannot read a board of 35 characters"],
        [`x,${board},${swapped},1`, "Cannot use the solution: it has "],
        [`x,${clash},${answer},1`, "Cannot use the "],
        [`x,${board},${answer},hard`, 'Cannot read "hard" as a rating'],
        [`x,${".".repeat(36)},${answer},1`, "Cannot use the puzzle: it has more than one solution"],
        [`x,${".".repeat(36)},,`, "Cannot use the puzzle: it has more than one solution"],
        [`x,12345.${".....6".repeat(1)}${".".repeat(24)},,`, "Cannot solve the puzzle: it has no"],
        [rowOf({ ...nine, rating: 1 }), "Cannot use a board of 81 cells: the first one has 36"],
        [board.slice(0, 9), `Cannot read "${board.slice(0, 9)}": expected ${header}`],
      ] as const
    ) {
      for (const bad of ["train.csv", "test.csv"]) {
        const other = bad === "train.csv" ? "test.csv" : "train.csv";
        const rows = good.map(rowOf).toSpliced(3, 0, row);
        await Deno.writeTextFile(`${folder}/${bad}`, csv(rows));
        await Deno.writeTextFile(`${folder}/${other}`, csv([rowOf(six!), ...good.map(rowOf)]));
        const flags = [`--source=${folder}`, "--full", "--aug=2"];
        const outcome = await build(folder, "sudoku-extreme", ...flags);
        assertEquals(outcome.code, 1, `${row} ${outcome.stderr}`);
        const message = outcome.stderr.split("\n").at(-1)!;
        assertStringIncludes(message, `${folder}/${bad}:5: ${why}`);
        assertEquals(await namesIn(folder), ["test.csv", "train.csv"]);
      }
    }
    await Deno.writeTextFile(`${folder}/train.csv`, `${header}\n`);
    const empty = await build(folder, "sudoku-extreme", `--source=${folder}`);
    const message = /^Cannot use ".*train.csv": it has no puzzles$/;
    await assertFails(folder, empty, message, ["test.csv", "train.csv"]);
    await Deno.remove(`${folder}/train.csv`);
    const none = await build(folder, "sudoku-extreme", `--source=${folder}`);
    await assertFails(folder, none, /^Cannot find the puzzles ".*train.csv"$/, ["test.csv"]);
  }));

Deno.test("data build maze-hard reads mazes of the hub, and refuses bad ones by file and line", () => {
  const random = new Random(5);
  const mazes = Array.from({ length: 6 }, () => generateMaze(random, { rows: 6 }));
  const text = formatMazes(mazes, { official: true });
  const answerOf = (train: string, test: string) =>
    hubAnswer("sapientinc/maze-30x30-hard-1k", {
      "train.csv": { content: new TextEncoder().encode(train), isBig: true },
      "test.csv": { content: new TextEncoder().encode(test), isBig: false },
    });
  return withHost(answerOf(text, text), async ({ folder, options }) => {
    const done = await build(folder, "maze-hard", "--subset=4", "--aug");
    assertEquals(done.code, 0, done.stderr);
    assertEquals(sizes(`${folder}/d`, "train"), [4, 32, 32]);
    assertEquals(sizes(`${folder}/d`, "test"), [6, 6, 6]);
    await Deno.remove(`${folder}/d`, { recursive: true });

    const lines = text.split("\n");
    const small = formatMazes([generateMaze(random, { rows: 5 })], { official: true });
    for (
      const [line, why] of [
        [lines[2]!.replace("S", "#"), "Cannot read the maze: it has no start (S)"],
        [lines[2]!.replace(/.(?=,[^,]*$)/, ""), "Cannot read a maze of 35 characters"],
        [lines[2]!.replaceAll("o", " "), "Cannot use the solution: its marks are not one path"],
        [small.split("\n")[1]!, "Cannot use a maze of 5×5: expected 6×6"],
      ] as const
    ) {
      const bad = join(options.cache, "maze-hard/train.csv");
      await Deno.writeTextFile(bad, lines.with(2, line).join("\n"));
      const outcome = await build(folder, "maze-hard", "--offline");
      assertEquals(outcome.code, 1, outcome.stderr);
      assertStringIncludes(outcome.stderr, `${bad}:3: ${why}`);
      assertEquals(await namesIn(folder), ["cache"]);
    }
  });
});

// ARC

/** Writes files below a folder. */
async function writeTasks(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(join(folder, path, ".."), { recursive: true });
    await Deno.writeTextFile(join(folder, path), text);
  }
}

Deno.test("data build arc-1 trains on demonstrations and training tests, and tests on evaluation", () =>
  inFolder(async (folder) => {
    await writeTasks(`${folder}/arc`, tasks);
    await writeTasks(`${folder}/concepts`, { "corpus/Above/Above1.json": taskText(4) });
    const flags = [`--source=${folder}/arc`, "--aug=2"];
    const done = await build(folder, "arc-1", ...flags, `--concept-source=${folder}/concepts`);
    assertEquals(done.code, 0, done.stderr);
    assertStringIncludes(done.stderr, "arc differs from fchollet/ARC-AGI@3990304");
    assertStringIncludes(done.stderr, "4 tasks in 12 arrangements: 21 examples to train on, 3 to");
    assertEquals(sizes(`${folder}/d`, "train"), [4, 12, 21]); // (2 + 2 + 1 + 2) · 3
    assertEquals(sizes(`${folder}/d`, "test"), [1, 3, 3]);
    using test = openPuzzleDataset(`${folder}/d`, "test");
    const names = test.readIdentifiers()!;
    assertEquals(names.length, 13);
    const [set] = test.sets;
    const tested = [...set!.puzzleIdentifiers].map((id) => parseArcIdentifier(names[id]!).task);
    assertEquals(tested, ["c", "c", "c"]);
    assertEquals(JSON.parse(await Deno.readTextFile(`${folder}/d/test_puzzles.json`)), {
      c: JSON.parse(taskText(3)),
    });
    assertEquals((await namesIn(folder)).length, 3);
  }));

Deno.test("data build concept-arc keeps all test pairs for testing", () =>
  inFolder(async (folder) => {
    await writeTasks(`${folder}/c`, { "Above/A1.json": taskText(4), "Below/B1.json": taskText(5) });
    const done = await build(folder, "concept-arc", `--source=${folder}/c`, "--aug=1");
    assertEquals(done.code, 0, done.stderr);
    assertEquals(sizes(`${folder}/d`, "train"), [2, 4, 4]);
    assertEquals(sizes(`${folder}/d`, "test"), [2, 4, 4]);
  }));

Deno.test("data build refuses bad tasks by file, pair and row, and leaves nothing", () =>
  inFolder(async (folder) => {
    const ragged =
      `{"train": [{"input": [[1]], "output": [[1]]}], "test": [{"input": [[1],[2,3]]}]}`;
    for (
      const [text, why] of [
        [ragged, 'Cannot read task "b": test pair 1, input: row 2 has 2 cells, row 1 has 1'],
        ["{", "Cannot read JSON: "],
        [taskText(10), 'Cannot read task "b": train pair 1, input: row 1, column 1 is 10'],
        [`{"train": []}`, 'Cannot read task "b": it has no train pairs'],
      ] as const
    ) {
      await writeTasks(`${folder}/arc`, { ...tasks, "training/b.json": text });
      const outcome = await build(folder, "arc-1", `--source=${folder}/arc`, "--aug=1");
      assertEquals(outcome.code, 1, outcome.stderr);
      assertStringIncludes(outcome.stderr, `${folder}/arc/training/b.json: ${why}`);
      assertEquals(await namesIn(folder), ["arc"]);
    }
    await writeTasks(`${folder}/arc`, { "training/b.json": tasks["training/b.json"]! });
    await writeTasks(`${folder}/arc`, { "training/c.json": taskText(2) });
    const twice = await build(folder, "arc-1", `--source=${folder}/arc`);
    const message = /^Cannot plan task "c" of subset "evaluation": subset "training" has a task of/;
    await assertFails(folder, twice, message, ["arc"]);
    await Deno.remove(`${folder}/arc/evaluation`, { recursive: true });
    const half = await build(folder, "arc-1", `--source=${folder}/arc`);
    const missing = /^Cannot use ".*arc": expected it to have a folder "evaluation" with JSON/;
    await assertFails(folder, half, missing, ["arc"]);
  }));

Deno.test({
  name: "data build arc-1 has the counts of the official builder, fetched or from disk",
  ignore: data === undefined,
  fn: () => {
    const files: Record<string, string> = {};
    for (const subset of ["training", "evaluation"]) {
      for (const { name } of Deno.readDirSync(`${data}/arc-1/${subset}`)) {
        files[`${subset}/${name}`] = Deno.readTextFileSync(`${data}/arc-1/${subset}/${name}`);
      }
    }
    return withHost(async () => new Response(await archiveOf(files)), async ({ folder, asked }) => {
      const done = await build(folder, "arc-1", "--aug=2");
      assertEquals(done.code, 0, done.stderr);
      assertEquals(asked, ["/fchollet/ARC-AGI/zip/399030444e0ab0cc8b4e199870fb20b863846f34"]);
      assertEquals(sizes(`${folder}/d`, "train"), [800, 2400, 3 * (1302 + 416 + 1363)]);
      assertEquals(sizes(`${folder}/d`, "test"), [400, 1200, 3 * 419]);
      const names = Object.keys(JSON.parse(Deno.readTextFileSync(`${folder}/d/test_puzzles.json`)));
      assertEquals(names.length, 400);
      const fetched = await contentOf(`${folder}/d`);
      await Deno.remove(`${folder}/d`, { recursive: true });
      const disk = await build(folder, "arc-1", "--aug=2", `--source=${data}/arc-1`);
      assertEquals(disk.code, 0, disk.stderr);
      assert(fetched === await contentOf(`${folder}/d`));
      await Deno.remove(`${folder}/d`, { recursive: true });
      const both = ["--aug=0", "--offline", `--concept-source=${data}/concept-arc`];
      assertEquals((await build(folder, "arc-1", ...both)).code, 0);
      assertEquals(sizes(`${folder}/d`, "train"), [960, 960, 3081 + 427 + 480]);
    });
  },
});
