import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import {
  encodeBoard,
  encodeMaze,
  parseBoard,
  parseMaze,
  writePuzzleDataset,
} from "../../../tasks/mod.ts";
import { showRatings } from "../../../zoo/data/show.ts";
import { inFolder } from "../../ffi/_folder.ts";
import { command } from "../_tiny.ts";
import { tasks } from "./_servers.ts";

const sudoku = {
  inputs: encodeBoard(parseBoard(".2...412...4....")),
  labels: encodeBoard(parseBoard("1243341221344321")),
};
const maze = {
  inputs: encodeMaze(parseMaze("S.../.##./..#./..#G")),
  labels: encodeMaze(parseMaze("Sooo/.##o/..#o/..#G")),
};

/** Writes one example as the Python repositories do, who know no `build.json`. */
async function write(
  folder: string,
  example: typeof sudoku,
  dtype: "uint8" | "int64",
  spec: { vocabSize: number; seqLen: number },
): Promise<void> {
  const puzzle = { identifier: 0, examples: [example] };
  const whole = { ...spec, dtype, identifiers: ["<blank>"] };
  await writePuzzleDataset(folder, "train", [[puzzle, puzzle]], whole);
  const path = join(folder, "train/dataset.json");
  const { total_puzzles: _, ...metadata } = JSON.parse(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, JSON.stringify(metadata)); // as HRM's builder
}

Deno.test("data inspect counts and draws what other builders wrote, in either dtype", () =>
  inFolder(async (folder) => {
    await write(folder, sudoku, "int64", { vocabSize: 6, seqLen: 16 });
    const { code, stdout, stderr } = await command("data", "inspect", folder);
    assertEquals(code, 0, stderr);
    assertStringIncludes(
      stdout,
      `${folder}: 4×4 Sudoku, 16 tokens of 6 kinds, 1 puzzle identifier`,
    );
    assertStringIncludes(stdout, "Not made by Ponder");
    assertMatch(stdout, /train +1 +2 +2 +int64 +512 B/);
    assertMatch(stdout, /1 +blank +68\.8% +0\.0%/);
    assertStringIncludes(
      stdout,
      "train, group 0, first of 2 puzzles\n┌──────┬──────┐\n│ 1' 2 │ 4' 3'│",
    );
  }));

Deno.test("data inspect tells mazes of 4×4 from Sudokus of 4×4", () =>
  inFolder(async (folder) => {
    await write(folder, maze, "uint8", { vocabSize: 6, seqLen: 16 });
    const { stdout } = await command("data", "inspect", folder);
    assertStringIncludes(stdout, ": 4×4 mazes,");
    assertStringIncludes(stdout, "│S • • • │\n│  ████• │");
  }));

Deno.test("data inspect shows the tokens of puzzles that it does not know", () =>
  inFolder(async (folder) => {
    const example = { inputs: Uint8Array.of(1, 2), labels: Uint8Array.of(7, 0) };
    await write(folder, example, "uint8", { vocabSize: 8, seqLen: 2 });
    const { stdout } = await command("data", "inspect", folder);
    assertStringIncludes(stdout, "puzzles of no kind that Ponder knows, 2 tokens of 8 kinds");
    assertStringIncludes(stdout, "inputs 1 2\nlabels 7 0");
  }));

Deno.test("data inspect --json gives the counts", () =>
  inFolder(async (folder) => {
    const out = `${folder}/d`;
    const flags = ["--size=10", "--train=2", "--test=2", "--aug=1", `--out=${out}`];
    await command("data", "build", "arc-mini", ...flags);
    const { stdout } = await command("data", "inspect", out, "--json");
    const { splits, puzzle, identifiers, build } = JSON.parse(stdout);
    assertEquals([puzzle, identifiers], [{ kind: "arc", size: 10 }, 9]);
    assertEquals([splits.train.groups, splits.train.puzzles], [4, 8]);
    assertEquals([splits.test.groups, splits.test.examples], [2, 4]);
    const total = splits.train.tokens.inputs.reduce((sum: number, n: number) => sum + n, 0);
    assertEquals(total, 100 * splits.train.examples);
    assertEquals([build.name, build.options.aug], ["arc-mini", 1]);

    const some = await command("data", "inspect", out, "--examples=3", "--split=train");
    assertMatch(some.stdout, /Tokens of train counted in 3 of \d+ examples/);
    assertMatch(some.stdout, /\ntrain, group 0, \w+-[0-9a-f]{8}, first of 2 puzzles\n/);
    assertEquals(some.stdout.includes("test,"), false);
  }));

Deno.test("data inspect draws grids wherever they lie on the canvas", () =>
  inFolder(async (folder) => {
    for (const [path, text] of Object.entries(tasks)) {
      await Deno.mkdir(join(folder, "arc", path, ".."), { recursive: true });
      await Deno.writeTextFile(join(folder, "arc", path), text);
    }
    const out = `${folder}/d`;
    await command("data", "build", "arc-1", `--source=${folder}/arc`, "--aug=0", `--out=${out}`);
    const { stdout } = await command("data", "inspect", out, "--samples=9");
    assertStringIncludes(stdout, "train, group 0, a\n1 · → · 1   1 · → · 1\n"); // one is moved
    assertStringIncludes(stdout, "train, group 1, b\n2 · → · 2   2 · → · 2\n");
    assertStringIncludes(stdout, "test, group 0, c\n3 · → · 3");
  }));

Deno.test("data inspect says what is missing or broken", () =>
  inFolder(async (folder) => {
    const unknown = await command("data", "inspect", `${folder}/none`);
    assertEquals(unknown.code, 2);
    assertMatch(
      unknown.stderr,
      /^No data set ".*none": neither a folder nor one of: sudoku, maze,/,
    );
    const empty = await command("data", "inspect", folder);
    assertEquals(empty.code, 1);
    assertMatch(empty.stderr, /: it has no train\/dataset.json nor test\/dataset.json$/);
    await write(folder, sudoku, "uint8", { vocabSize: 6, seqLen: 16 });
    await Deno.writeTextFile(join(folder, "build.json"), "{");
    assertEquals((await command("data", "inspect", folder)).code, 0);
    await Deno.truncate(join(folder, "train/all__labels.npy"), 140);
    const broken = await command("data", "inspect", folder);
    assertEquals(broken.code, 1);
    assertStringIncludes(broken.stderr, "train/all__labels.npy");
  }));

Deno.test("showRatings() shows values where there are few, and ranges that suit the others", () => {
  const bars = (ratings: [number, number][]) =>
    showRatings("Rating", ratings).split("\n").map((line) =>
      line.replaceAll(/ *█* +/g, " ").trim()
    );
  assertEquals(bars([]), ["Rating: none"]);
  assertEquals(bars([[2, 3], [4, 1]]), ["Rating: 2 to 4, mean 2.5", "2 3", "3 0", "4 1"]);
  const linear = bars([[111, 1], [150, 2], [170, 1]]);
  assertEquals(linear.slice(1, 3), ["111–116 1", "117–122 0"]);
  assertEquals(linear.at(-1), "165–170 1");
  const skewed = bars([[0, 90], [3, 5], [400, 1]]);
  assertEquals(skewed.slice(1, 4), ["0 90", "1 0", "2–4 5"]);
  assertEquals(skewed.at(-1), "200–400 1");
});
