import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { recipes } from "../../zoo/recipes.ts";
import { inFolder, namesIn } from "../ffi/_folder.ts";
import { checkpointOf, command, metricsOf, type Outcome, tinyFlags } from "./_tiny.ts";

/** Calls `deno task train hrm-sudoku` for a tiny run of 3 steps. */
function train(...flags: string[]): Promise<Outcome> {
  return command("train", "hrm-sudoku", ...tinyFlags, "--steps=3", ...flags);
}

/** It failed with one line on standard error; for wrong usage, before anything else was said. */
function assertFails({ code, stdout, stderr }: Outcome, want: number, message: string): void {
  assertEquals({ code, stderr }, { code: want, stderr: message });
  if (code === 2) assertEquals(stdout, "");
}

/** Calls `work` with a folder in which there is a trained run. */
async function withRun(work: (folder: string, run: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const run = join(folder, "run");
    const { code, stderr } = await train(`--out=${run}`);
    assertEquals(code, 0, stderr);
    await work(folder, run);
  });
}

const unknownFlag =
  'Unknown flag "--stesp", did you mean "--steps"? There are: --preset, --steps, ' +
  "--minutes, --micro-batch, --distributed, --seed, --dtype, --device, --threads, --out, --log, " +
  "--resume, --model.<field>, --optim.<field>, --task.<field>, --run.<field>, --help";

const recipeNames = Object.keys(recipes).join(", ");
const allPresets = Object.values(recipes).flatMap(({ presets }) => Object.keys(presets));
const presetNames = [...new Set(allPresets)].join(", ");

/** A wrong flag of `train`, and what it is told. */
const wrongFlags: readonly (readonly [flag: string, message: string])[] = [
  ["--stesp=3", unknownFlag],
  ["--preset=big", `Unknown value of --preset "big"; there are: ${presetNames}`],
  ["--steps=0", 'Flag --steps needs an integer of at least 1, got "0"'],
  ["--steps=many", 'Flag --steps needs an integer of at least 1, got "many"'],
  ["--steps", "Flag --steps needs a value: --steps=<n>"],
  ["--micro-batch=0", 'Flag --micro-batch needs an integer of at least 1, got "0"'],
  ["--minutes=-1", 'Flag --minutes needs a number of at least 0, got "-1"'],
  ["--seed=-1", 'Flag --seed needs an integer from 0 to 2147483647, got "-1"'],
  ["--dtype=half", 'Unknown value of --dtype "half"; there are: float32, bfloat16, float64'],
  ["--device=tpu", 'Unknown value of --device "tpu", did you mean "cpu"? There are: cpu, cuda'],
  [
    "--run.evrey=3",
    'Unknown field of --run "evrey"; there are: batchSize, steps, seed, reportEvery, evalEvery, ' +
    "evalPuzzles, checkpointEvery",
  ],
  ["--run.batchSize=x", 'Flag --run.batchSize needs a number, got "x"'],
  ["--run.batchSize=11", "Cannot fill --run.batchSize=11 from --task.trainPuzzles=10"],
  [
    "--run.reportEvery=1.5",
    "Cannot use --run.reportEvery=1.5: expected an integer from 1 to 1099511627776",
  ],
  [
    "--model.hiddenSize=30",
    "Cannot use --model.hiddenSize=30: expected a multiple of 4 with --model.numHeads=2 and " +
    "--model.posEncodings=rope",
  ],
  [
    "--model.posEncodings=no",
    "Unknown --model.posEncodings=no: expected one of rope, learned, none",
  ],
  ["--model.kind=trm", "Cannot change --model.kind: hrm-sudoku is a recipe for hrm"],
  ["--task.kind=maze", "Cannot change --task.kind: hrm-sudoku is a recipe for sudoku"],
  ["--task.kind=sudoku", "Cannot change --task.kind: hrm-sudoku is a recipe for sudoku"],
  [
    "--model.seqLen=81",
    "Cannot use --model.seqLen=81 and --model.vocabSize=6: " +
    "4×4 Sudoku has 16 tokens of 6 kinds",
  ],
  [
    "--model.haltExplorationProb=2",
    "Cannot use --model.haltExplorationProb=2: expected a number from 0 to 1",
  ],
  [
    "--optim.optimizer=sgd",
    "Unknown --optim.optimizer=sgd: expected one of adam-atan2, adamw",
  ],
  ["--optim.lr=-1", "Cannot use --optim.lr=-1: expected a number from 0 to 100"],
  ["--optim.ema=1", "Cannot use --optim.ema=1: expected a number from 0 to 0.999999999"],
  ["--task.size=5", "Unknown --task.size=5: expected one of 4, 6, 9"],
  [
    "--task.minClues=11",
    "Cannot use --task.minClues=11 and --task.maxClues=10: " +
    "expected the first to be at most the second, and that at most 16",
  ],
  ["--task.augment=maybe", 'Flag --task.augment needs true or false, got "maybe"'],
  ["--task.trainFile=12", "Cannot use --task.trainFile=12: expected a path, such as ./12"],
  ["--claim.ours=1", 'Unknown group "--claim"; there are: --model, --optim, --task, --run'],
];

/** In the order of the help. */
const commandNames = [
  "setup",
  "train",
  "eval",
  "solve",
  "compare",
  "reproduce",
  "runs",
  "serve",
  "data",
  "zoo",
];

Deno.test("main() lists the commands, and says of an unknown one what there is", async () => {
  const help = await command("--help");
  assertEquals(help.code, 0);
  for (const name of commandNames) {
    assertMatch(help.stdout, new RegExp(`^  ${name} `, "m"));
  }
  const known = commandNames.join(", ");
  const misspelt = `Unknown command "trian", did you mean "train"? There are: ${known}`;
  assertFails(await command(), 2, `Missing command, one of: ${known}`);
  assertFails(await command("trian"), 2, misspelt);
});

Deno.test("main() shows the help of every command, within 80 columns", async () => {
  for (const args of [[], ...commandNames.map((name) => [name])]) {
    const { code, stdout, stderr } = await command(...args, "--help");
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, new RegExp(`^Usage: deno task ${args[0] ?? "<command>"} `));
    for (const line of stdout.split("\n")) assert([...line].length <= 80, `too long: ${line}`);
  }
});

Deno.test("train --help names the recipes, the presets and every field", async () => {
  const { stdout } = await command("train", "--help");
  const words = new Set(stdout.split(/[\s,:]+/));
  for (const [recipe, { presets }] of Object.entries(recipes)) {
    const fields = (["model", "task", "optim", "run"] as const).flatMap((group) =>
      Object.keys(presets.cpu[group])
    );
    for (const name of [recipe, ...Object.keys(presets), ...fields]) assert(words.has(name), name);
  }
});

Deno.test("train says in one line what is wrong with a recipe or a flag, and writes nothing", () =>
  inFolder(async (folder) => {
    const known = `There are: ${recipeNames}`;
    assertFails(
      await command("train", "hrm-soduku"),
      2,
      `Unknown recipe "hrm-soduku", did you mean "hrm-sudoku"? ${known}`,
    );
    assertFails(await command("train"), 2, `Missing argument <recipe>: one of ${recipeNames}`);
    for (const [flag, message] of wrongFlags) {
      assertFails(await train(`--out=${join(folder, "run")}`, flag), 2, message);
    }
    assertEquals(await namesIn(folder), []);
  }));

Deno.test("train --out wants a new or empty folder", () =>
  withRun(async (folder, run) => {
    const refused = (path: string, why: string) => `Cannot use --out="${path}": it is ${why}`;
    const file = join(folder, "file");
    Deno.writeTextFileSync(file, "");
    const hint = `not empty; --resume="${run}" goes on with it`;
    assertFails(await train(`--out=${run}`), 2, refused(run, hint));
    assertFails(await train(`--out=${folder}`), 2, refused(folder, "not empty"));
    assertFails(await train(`--out=${file}`), 2, refused(file, "not a folder"));
    const empty = join(folder, "empty");
    Deno.mkdirSync(empty);
    assertEquals((await train(`--out=${empty}`)).code, 0);
  }));

Deno.test("train --resume wants a run, and lets only its length and its reports change", () =>
  withRun(async (folder, run) => {
    const resume = (...flags: string[]) => command("train", "hrm-sudoku", ...flags);
    for (const path of [join(folder, "nothing"), folder, join(run, "final")]) {
      const message = `No checkpoint in "${path}": name the folder of a run, or last`;
      assertFails(await resume(`--resume=${path}`), 2, message);
    }
    const fixed = ["preset=tiny", "seed=7", "dtype=float32", "out=x", "run.seed=7"];
    for (const flag of [...fixed, "run.batchSize=4", "model.hiddenSize=16", "task.size=4"]) {
      const name = flag.replace(/=.*/, "").replace(/^(model|task)\..*/, "$1");
      const message = `Cannot change --${name} of a run that goes on: only --steps, --minutes, ` +
        "--run.<field>, --device and --threads";
      assertFails(await resume(`--resume=${run}`, `--${flag}`), 2, message);
    }
    const fewer = await resume(`--resume=${run}`, "--steps=2");
    assertFails(fewer, 1, "Cannot train for 2 steps: the run has done 3 already");
    const more = await resume(`--resume=${run}`, "--steps=5", "--run.reportEvery=1");
    assertEquals(more.code, 0);
    assertEquals(metricsOf(run).map(({ step }) => step), [4, 5, 5]);
  }));

Deno.test("train --minutes says how far it came, and how to go on", () =>
  inFolder(async (folder) => {
    const { code, stdout } = await train(`--out=${folder}`, "--minutes=0");
    assertEquals(code, 0);
    const last = `That was step 0 of 3; go on by deno task train hrm-sudoku --resume="${folder}"`;
    assertEquals(stdout.split("\n").at(-1), last);
    const { stdout: resumed } = await command("train", "hrm-sudoku", `--resume=${folder}`);
    assertMatch(resumed, /\n3 steps in .*; weights in ".*final"$/);
  }));

Deno.test("train says what it trains, on what, and what came of it", () =>
  inFolder(async (folder) => {
    const { stdout } = await train(`--out=${folder}`);
    assertMatch(stdout, /^libtorch 2\.\d+\.\d+ in \/.*, \d+ threads?$/m);
    assertMatch(stdout, /^hrm-sudoku, preset tiny: 6,882 parameters, width 16, 1\+1 blocks, /m);
    assertMatch(stdout, /^4×4 Sudoku, batches of 4, 3 steps, lr .*, seed 7$/m);
    assertMatch(stdout, /^Held out 12 puzzles\nGenerated 10 puzzles to train on$/m);
    assert(stdout.includes(`\nRun in "${folder}"\n`));
    assertMatch(stdout, /12 held-out puzzles: \d+\.\d% exact/);
    assert(stdout.endsWith(`; weights in "${join(folder, "final")}"`));
  }));

const variants: readonly (readonly string[])[] = [
  ["--dtype=bfloat16"],
  ["--dtype=float64"],
  ["--optim.optimizer=adamw", "--optim.clipNorm=1"],
  ["--optim.convention=lucidrains", "--optim.loss=softmax"],
  ["--model.posEncodings=learned"],
  ["--model.puzzleEmbNdim=0"],
  ["--model.puzzleEmbNdim=40"], // more than two positions
  ["--model.haltMaxSteps=1"],
  ["--model.hCycles=1", "--model.lCycles=1"],
  ["--optim.ema=0", "--optim.warmupSteps=0"],
  ["--task.size=6", "--task.minClues=8", "--task.maxClues=20"],
];

for (const flags of variants) {
  Deno.test(`train ${flags.join(" ")} trains, saves and goes on`, () =>
    inFolder(async (folder) => {
      const first = await train(`--out=${folder}`, ...flags);
      assertEquals(first.code, 0, first.stderr);
      const again = await command("train", "hrm-sudoku", `--resume=${folder}`, "--steps=4");
      assertEquals(again.code, 0, again.stderr);
      assertEquals(checkpointOf(folder).progress["step"], 4);
      assertMatch(first.stdout, / exact, .*halting logit right for /);
    }));
}

Deno.test("train --task.trainFile and --task.testFile read puzzles, and say which line is bad", () =>
  inFolder(async (folder) => {
    const good = join(folder, "good.txt"), bad = join(folder, "bad.txt");
    Deno.writeTextFileSync(good, ".2...412...4....\n".repeat(5));
    Deno.writeTextFileSync(bad, ".2...412...4....\n.2...412...4...x\n");
    const badLine = `${bad}:2: Cannot read "x" at position 16 (row 4, column 4) as a cell: ` +
      'expected 1 to 4, or "." or "0" for a blank';
    const run = join(folder, "run");
    const from = (path: string, kind = "trainFile") =>
      train(`--out=${run}`, `--task.${kind}=${path}`);
    assertFails(await from(bad), 1, badLine);
    assertFails(await from(bad, "testFile"), 1, badLine);
    const missing = join(folder, "missing.txt");
    assertFails(await from(missing), 1, `Cannot find the puzzles "${missing}"`);
    assertEquals(await namesIn(folder), ["bad.txt", "good.txt"]);

    Deno.env.set("INIT_CWD", folder); // where deno task was called
    try {
      const { code, stdout, stderr } = await from("good.txt");
      assertEquals(code, 0, stderr);
      assertMatch(stdout, /^Read 5 puzzles to train on$/m);
    } finally {
      Deno.env.delete("INIT_CWD");
    }
    Deno.removeSync(good); // what was trained on is not needed to evaluate
    assertEquals((await command("eval", run)).code, 0);
    assertEquals((await command("solve", run)).code, 0);
  }));

Deno.test("eval shows the scores of a run, and with --json one object", () =>
  withRun(async (_, run) => {
    const { code, stdout, stderr } = await command("eval", run);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^libtorch .*\nWeights in ".*best"\n\nsegments {2}exact {2}blank cells/);

    const { stdout: json } = await command("eval", run, "--json", "--segments=2", "--puzzles=5");
    const { weights, puzzles, final, byUnit, byRating, qHalt } = JSON.parse(json);
    assertEquals([weights, puzzles, byUnit.length], [join(run, "best"), 5, 2]);
    assertEquals(Object.keys(final), ["exact", "blanks", "cells", "valid"]);
    assertEquals([typeof byRating[0].exact, typeof qHalt], ["number", "number"]);
  }));

Deno.test("eval says in one line what it cannot evaluate", () =>
  withRun(async (folder, run) => {
    const unknown = `No weights "nowhere": neither a folder nor a recipe, one of: ${recipeNames}`;
    assertFails(await command("eval", "nowhere"), 2, unknown);
    const where = [folder, join(folder, "best"), join(folder, "final")].map((path) => `"${path}"`);
    const none = `Cannot find weights: no model.safetensors in ${where.join(", ")}`;
    assertFails(await command("eval", folder), 1, none);
    const more = "Cannot evaluate on 13 puzzles: only 12 were kept out of training";
    assertFails(await command("eval", run, "--puzzles=13"), 2, more);
    const bad = join(folder, "bad.txt");
    Deno.writeTextFileSync(bad, "# a comment\n11..............\n");
    const line = `${bad}:2: Cannot use the puzzle: its clues contradict, 1 twice in row 1`;
    assertFails(await command("eval", run, `--file=${bad}`), 1, line);
    const large = join(folder, "large.txt");
    Deno.writeTextFileSync(large, "123456456.23231564564231312645645312\n");
    const size = `Cannot use "${large}": it has a puzzle of 36 cells, the task 16`;
    assertFails(await command("eval", run, `--file=${large}`), 1, size);
  }));

Deno.test("solve shows the answer after every segment, and with --json one object", () =>
  withRun(async (_, run) => {
    const { code, stdout, stderr } = await command("solve", run);
    assertEquals([code, stderr], [0, ""]);
    assertEquals([...stdout.matchAll(/^After segment (\d)/gm)].map(([, n]) => n), ["1", "2", "3"]);

    const given = ["solve", run, ".2...412...4....", "--segments=2", "--json"];
    const { puzzle, answers, haltLogits } = JSON.parse((await command(...given)).stdout);
    assertEquals(puzzle, ".2...412...4....");
    assertEquals([answers.length, answers[0].length, haltLogits.length], [2, 16, 2]);
  }));

Deno.test("solve marks in every drawing what has changed since the answer before", () =>
  withRun(async (_, run) => {
    const given = ["solve", run, ".2...412...4....", "--segments=8"];
    const { answers, changed } = JSON.parse((await command(...given, "--json")).stdout);
    const { stdout } = await command(...given);
    assertMatch(stdout, /^Marks: ! wrong, ' changed, \* changed and wrong\n/);
    const drawings = stdout.split(/^After segment .*$/m).slice(1);
    answers.forEach((answer: string, i: number) => {
      const before = answers[i - 1] ?? answer;
      const differing = [...answer].flatMap((digit, cell) => digit === before[cell] ? [] : [cell]);
      assertEquals(changed[i], differing);
      assertEquals([...drawings[i]!.matchAll(/[\d·]['*]/g)].length, differing.length);
    });
    assert(changed.some((cells: number[]) => cells.length > 0), "nothing has changed");
  }));

Deno.test("solve takes a puzzle from a file, the first or the one that is asked for", () =>
  withRun(async (folder, run) => {
    const file = join(folder, "puzzles.txt");
    const second = "..1.2...4.2.1..3";
    Deno.writeTextFileSync(file, `# two\n.2...412...4....\n${second}\n`);
    const solved = async (...flags: string[]) =>
      JSON.parse((await command("solve", run, file, "--json", ...flags)).stdout).puzzle;
    assertEquals(await solved(), ".2...412...4....");
    assertEquals(await solved("--number=2"), second);
    Deno.writeTextFileSync(
      file,
      `source,question,answer,rating\nus,${second},3412213443211243,0\n`,
    );
    assertEquals(await solved(), second);
    const none = `Cannot take puzzle 3 of "${file}": there is 1`;
    assertFails(await command("solve", run, file, "--number=3"), 2, none);
    const missing = join(folder, "missing.txt");
    assertFails(await command("solve", run, missing), 2, `Cannot find the file "${missing}"`);
    Deno.writeTextFileSync(file, "# two\n11..............\n");
    const line = `${file}:2: Cannot use the puzzle: its clues contradict, 1 twice in row 1`;
    assertFails(await command("solve", run, file), 2, line);
  }));

Deno.test("solve says in one line what it cannot solve", () =>
  withRun(async (_, run) => {
    const wrong: Record<string, string> = {
      ".2...412...4...x": 'Cannot read "x" at position 16 (row 4, column 4) as a cell: ' +
        'expected 1 to 4, or "." or "0" for a blank',
      ".2...412":
        "Cannot read a board of 8 characters: expected one of 16 (4x4), 36 (6x6), 81 (9x9)",
      [".".repeat(81)]: "Cannot solve 81 cells: these weights know boards of 16; give one of " +
        "4×4, or other weights",
      "11..............": "Cannot judge the answer: the puzzle has no solution; " +
        "give one that has exactly one",
      "1...............": "Cannot judge the answer: the puzzle has more than one solution; " +
        "give one that has exactly one",
    };
    for (const [puzzle, message] of Object.entries(wrong)) {
      assertFails(await command("solve", run, puzzle), 2, message);
    }
    const unknown = `No weights "nowhere": neither a folder nor a recipe, one of: ${recipeNames}`;
    assertFails(await command("solve", "nowhere"), 2, unknown);
  }));

/** Runs the command line in a process of its own. */
async function inProcess(...args: string[]): Promise<Outcome> {
  const script = new URL("../../zoo/cli.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-check", "--allow-all", script, ...args],
    env: { NO_COLOR: "1", OMP_NUM_THREADS: "1", PONDER_DEBUG: "" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("zoo/cli.ts ends with 0 when it is done, 2 for wrong usage and 1 for a failure", async () => {
  const help = await inProcess("eval", "--help");
  assertEquals([help.code, help.stderr], [0, ""]);
  const usage = await inProcess("train", "hrm-sudoku", "--optim.optimizer=sgd");
  assertFails(usage, 2, "Unknown --optim.optimizer=sgd: expected one of adam-atan2, adamw\n");
  const failure = await inProcess("eval", new URL(".", import.meta.url).pathname);
  assertEquals(failure.code, 1);
  assertMatch(failure.stderr, /^Cannot find weights: .*\n$/);
});
