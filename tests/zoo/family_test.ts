/** Every recipe trains, evaluates, saves, stops and goes on. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { join } from "@std/path";
import { namedParameters } from "../../core/nn/module.ts";
import { Random } from "../../core/random.ts";
import { scope } from "../../core/scope.ts";
import { liveTensors } from "../../ffi/mod.ts";
import { evaluate } from "../../zoo/evaluate.ts";
import { recipes } from "../../zoo/recipes.ts";
import { makeTask } from "../../zoo/tasks/tasks.ts";
import { makeTrainee, train, type TrainResult } from "../../zoo/train.ts";
import { presetProblem, savedProblem } from "../../zoo/validate.ts";
import { loadWeights, type SavedConfig } from "../../zoo/weights.ts";
import { inFolder } from "../ffi/_folder.ts";
import { families, smallMazeRun, smallRun } from "./_family.ts";
import { checkpointOf, command, dataOf, metricsOf, type Outcome, taskOf, textOf } from "./_tiny.ts";

Deno.test("recipes: every preset can be run, and is complete enough to be loaded again", () => {
  for (const [name, { presets }] of Object.entries(recipes)) {
    for (const [preset, config] of Object.entries(presets)) {
      assertEquals(presetProblem(config), null, `${name} ${preset}`);
      const saved = JSON.parse(JSON.stringify({ recipe: name, preset, config }));
      assertEquals(savedProblem(saved), null, `${name} ${preset}`);
      const { seqLen, vocabSize, numPuzzleIdentifiers } = makeTask(config.task);
      const { model } = config;
      assertEquals([model.seqLen, model.vocabSize], [seqLen, vocabSize]);
      assertEquals(model.numPuzzleIdentifiers, numPuzzleIdentifiers);
    }
  }
});

// Runs that stop and go on.

/** Trains; with `until`, up to that step as if Ctrl-C were pressed then. */
function run(
  saved: SavedConfig,
  folder: string,
  { resume = false, until }: { readonly resume?: boolean; readonly until?: number } = {},
): Promise<TrainResult> {
  const controller = new AbortController();
  return train({
    ...{ saved, data: dataOf(saved), folder, resume, signal: controller.signal },
    onStep: (step) => step === until && controller.abort(),
  });
}

/** All that a run leaves, but for the time it took. */
function remainsOf(folder: string): Record<string, unknown> {
  const weights = ["best", "final"].map((name) =>
    textOf(Deno.readFileSync(join(folder, name, "model.safetensors")))
  );
  return { ...checkpointOf(folder), metrics: metricsOf(folder), weights };
}

function assertSame(folder: string, whole: string, what: string): void {
  const got = remainsOf(folder), want = remainsOf(whole);
  assertEquals(got["metrics"], want["metrics"], what);
  assertEquals(got["progress"], want["progress"], what);
  const tensors = want["tensors"] as Record<string, string>;
  const mine = got["tensors"] as Record<string, string>;
  assertEquals(Object.keys(mine), Object.keys(tensors), what);
  for (const name of Object.keys(tensors)) assert(mine[name] === tensors[name], `${what}: ${name}`);
  assert(String(got["weights"]) === String(want["weights"]), `${what}: weights`);
}

const gpt = {
  ...{ backbone: "gpt", dropout: 0.1, puzzleEmbNdim: 0, posEncodings: "learned" },
  ...{ lossAt: "every", gradientSteps: 3 },
};
const decay = { optimizer: "adamw", decay: "matrices", clipNorm: 1 } as const;

/** Every recipe, and what draws random numbers or keeps another state besides. */
const runs: Readonly<Record<string, () => SavedConfig>> = {
  ...Object.fromEntries(families.map((name) => [name, () => smallRun(name)])),
  "looped-sudoku, progressive": () => smallRun("looped-sudoku", "progressive"),
  "looped-sudoku, no-injection": () => smallRun("looped-sudoku", "no-injection"),
  "looped-sudoku, recall": () =>
    smallRun("looped-sudoku", "tiny", { model: { injection: "concat" } }),
  "transformer-sudoku, cpu-pre-norm": () => smallRun("transformer-sudoku", "cpu-pre-norm"),
  "recurrent-sudoku like l1r32h4, with dropout": () =>
    smallRun("recurrent-sudoku", "l1r32h4", {
      model: gpt,
      optim: { ...decay, ema: 0 },
      task: { supervise: "blanks", augment: false },
    }),
  "looped-sudoku of gpt, progressive, with dropout": () =>
    smallRun("looped-sudoku", "progressive", { model: { backbone: "gpt", dropout: 0.1 } }),
  "trm-sudoku, prefix positions but no puzzle embedding": () =>
    smallRun("trm-sudoku", "tiny", { model: { puzzleEmbNdim: 0, puzzleEmbLen: 2 } }),
  "hrm-maze": () => smallMazeRun("hrm-maze"),
  "transformer-maze": () => smallMazeRun("transformer-maze"),
  "hrm-sudoku, decay of matrices": () => smallRun("hrm-sudoku", "tiny", { optim: decay }),
};

for (const [name, config] of Object.entries(runs)) {
  Deno.test(`train() of ${name}, resumed after a signal, ends as the uninterrupted run`, () =>
    inFolder(async (parent) => {
      const saved = config();
      assertEquals(presetProblem(saved.config), null);
      const whole = join(parent, "whole"), folder = join(parent, "stopped");
      const before = liveTensors();
      const result = await run(saved, whole);
      assertEquals(liveTensors(), before, "tensors are left");
      assertEquals(
        result.evaluation!.byUnit.length,
        saved.config.model.kind === "transformer" ? 1 : 3,
      );
      assertEquals(metricsOf(whole).map(({ step }) => step), [4, 5, 8, 10, 12]);

      await run(saved, folder, { until: 5 }); // between two checkpoints, a report just done
      await run(saved, folder, { until: 7, resume: true }); // within a window of metrics
      await run(saved, folder, { resume: true });
      assertSame(folder, whole, "stopped twice");
    }));
}

Deno.test("train() changes every parameter that it reports gradients of", () =>
  inFolder(async (folder) => {
    for (const [name, config] of Object.entries(runs)) {
      const saved = config();
      // 3 loops from the first step on, and all recurrences gone back through
      const model = {
        ...saved.config.model,
        loopsStart: 3,
        gradientSteps: 3,
        window: 3,
        alpha: 0.5,
      };
      const optim = { ...saved.config.optim, weightDecay: 0, ema: 0 };
      const run = { ...saved.config.run, steps: 2 };
      const changed = { ...saved, config: { ...saved.config, model, optim, run } } as SavedConfig;
      await train({ saved: changed, data: dataOf(changed), folder: join(folder, name) });
      using _ = scope();
      const after = loadWeights(join(folder, name, "final")).model;
      const { model: fresh, optimizer, ema } = makeTrainee(changed.config, "cpu");
      const start = new Map(namedParameters(fresh).map(([path, t]) => [path, t.toNumbers()]));
      const same = namedParameters(after).flatMap(([path, t]) =>
        String(t.toNumbers()) === String(start.get(path)) ? [path] : []
      );
      // until it has learnt something, nothing but its bias reaches a halting head of zeros
      assertEquals(same.filter((path) => !path.includes("q_head")), [], name);
      optimizer.dispose();
      ema?.dispose();
    }
  }));

Deno.test("train() follows the curriculum of loops, and goes on with it when resumed", () =>
  inFolder(async (folder) => {
    const saved = smallRun("looped-sudoku"); // one loop more after every 4 steps, 1 to 3
    await run(saved, folder, { until: 3 });
    await run(saved, folder, { until: 7, resume: true });
    await run(saved, folder, { resume: true });
    const loops = metricsOf(folder).flatMap((line) => "loss" in line ? [line["steps"]] : []);
    assertEquals(loops, [(1 + 1 + 1 + 1 + 2) / 5, (2 + 2 + 2 + 3 + 3) / 5]);
  }));

Deno.test("train() with dropout draws from the seed, and evaluates without it", () =>
  inFolder(async (parent) => {
    const weightsOf = async (name: string, dropout: number, seed: number) => {
      const folder = join(parent, name);
      const changes = { model: { ...gpt, dropout }, run: { seed, steps: 4 }, optim: { ema: 0 } };
      const saved = smallRun("recurrent-sudoku", "l1r32h4", changes);
      const { evaluation } = await run(saved, folder);
      const { model } = loadWeights(folder);
      assertEquals(
        evaluate(taskOf(saved), model, dataOf(saved).test),
        evaluation,
        "evaluated again",
      );
      return remainsOf(folder)["weights"];
    };
    const first = await weightsOf("a", 0.1, 7);
    assert(String(first) === String(await weightsOf("b", 0.1, 7)));
    assert(String(first) !== String(await weightsOf("c", 0.1, 8)));
    assert(String(first) !== String(await weightsOf("d", 0, 7)), "dropout does nothing");
  }));

Deno.test("makeTrainee() with decay of matrices spares embeddings, gains and biases", () => {
  using _ = scope();
  for (const name of ["hrm-sudoku", "recurrent-sudoku"]) {
    const model = name === "hrm-sudoku" ? {} : { ...gpt, dropout: 0 };
    const { config } = smallRun(name, "tiny", { model, optim: { ...decay, weightDecay: 1 } });
    const { model: made, optimizer, ema } = makeTrainee(config, "cpu");
    const named = namedParameters(made);
    for (const [, tensor] of named) tensor.detach().fill_(1);
    optimizer.step(named.map(([, tensor]) => tensor.zerosLike()), 0.5);
    const shrunk = named.flatMap(([path, t]) => t.toNumbers()[0]! < 1 ? [path] : []);
    const want = named.flatMap(([path]) =>
      /(_proj|_head|inject)\.weight$/.test(path) ? [path] : []
    );
    assertEquals(shrunk, want);
    assert(want.length > 0 && want.length < named.length);
    optimizer.dispose();
    ema?.dispose();
  }
});

// The commands.

/** It failed for wrong usage, with one line on standard error. */
function assertRefused({ code, stdout, stderr }: Outcome, message: string): void {
  assertEquals({ code, stdout, stderr }, { code: 2, stdout: "", stderr: message });
}

/** The object that `eval --json` prints. */
async function evaluated(...args: string[]): Promise<{
  readonly byUnit: readonly { readonly exact: number }[];
  readonly unit: string;
  readonly meanUnits: number;
  readonly qHalt: number | null;
}> {
  const { code, stdout, stderr } = await command("eval", ...args, "--json");
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

/** Calls `work` with folders of short runs, by recipe. */
async function withRuns(
  names: readonly string[],
  work: (folders: Record<string, string>, parent: string) => Promise<void>,
): Promise<void> {
  await inFolder(async (parent) => {
    const folders: Record<string, string> = {};
    for (const name of names) {
      folders[name] = join(parent, name);
      await run(smallRun(name, "tiny", { run: { steps: 2 } }), folders[name]);
    }
    await work(folders, parent);
  });
}

const units: Readonly<Record<string, string>> = {
  transformer: "pass",
  recurrent: "recurrence",
  looped: "loop",
};

Deno.test("eval and solve think as long as --segments says, for a run of every recipe", () =>
  withRuns(families, async (folders) => {
    for (const [name, folder] of Object.entries(folders)) {
      const kind = name.split("-")[0]!;
      const unit = units[kind] ?? "segment", trained = kind === "transformer" ? 1 : 3;
      const always = await evaluated(folder);
      assertEquals([always.unit, always.byUnit.length, always.meanUnits], [unit, trained, trained]);
      assertEquals(await evaluated(folder, "--segments=always"), always);
      assertEquals(typeof always.qHalt, unit === "segment" ? "number" : "object");
      const one = await evaluated(folder, "--segments=1");
      assertEquals(one.byUnit, always.byUnit.slice(0, 1));

      const headless = "Cannot use --segments=halt: the model has no halting head";
      if (unit === "segment") {
        const halted = await evaluated(folder, "--segments=halt");
        assert(halted.byUnit.length <= 3 && halted.meanUnits <= 3);
      } else {
        assertRefused(await command("eval", folder, "--segments=halt"), headless);
        assertRefused(await command("solve", folder, "--segments=halt"), headless);
      }
      if (unit === "pass") {
        const message = "Cannot use --segments=5: the model does 1 pass";
        assertRefused(await command("eval", folder, "--segments=5"), message);
      } else {
        const five = await evaluated(folder, "--segments=5");
        assertEquals(five.byUnit.slice(0, 3), always.byUnit);
        assertEquals([five.byUnit.length, five.meanUnits], [5, 5]);
        const { code, stdout } = await command("solve", folder, "--segments=2");
        assertEquals(code, 0);
        assertMatch(
          stdout,
          new RegExp(`After ${unit} 1\n[^]*After ${unit} 2, \\d+ cells? changed`),
        );
      }
      const table = await command("eval", folder);
      assertMatch(
        table.stdout,
        new RegExp(`^ *${unit === "pass" ? "passes" : `${unit}s`} {2}exact`, "m"),
      );
    }
  }));

Deno.test("eval says in one line which --segments it does not know", () =>
  withRuns(["hrm-sudoku"], async (folders) => {
    const folder = folders["hrm-sudoku"]!;
    for (const text of ["0", "-1", "1.5", "never", "2e1", "99999999"]) {
      const message = `Unknown --segments=${text}: expected always, halt or a number from 1`;
      assertRefused(await command("eval", folder, `--segments=${text}`), message);
    }
  }));

Deno.test("eval --votes, --samples, --noise, --ensemble and --choose change what is answered, by the seed", () =>
  withRuns(["hrm-sudoku", "trm-sudoku"], async (folders) => {
    const hrm = folders["hrm-sudoku"]!, trm = folders["trm-sudoku"]!;
    const plain = await evaluated(hrm);
    const variants = [
      ["--votes=3"],
      ["--votes=3", "--choose=q"],
      ["--noise=1"],
      ["--samples=3", "--noise=1"],
      ["--samples=3", "--noise=1", "--choose=vote"],
      ["--samples=2", "--votes=2"],
      [`--ensemble=${trm}`],
      [`--ensemble=${trm},${hrm}`, "--choose=q"],
    ];
    for (const flags of variants) {
      const first = await evaluated(hrm, ...flags, "--seed=3");
      assertEquals(await evaluated(hrm, ...flags, "--seed=3"), first, String(flags));
      assertNotEquals({ ...first, weights: 0 }, { ...plain, weights: 0 }, String(flags));
    }
    assertEquals(await evaluated(hrm, `--ensemble=${hrm}`), plain, "a model agrees with itself");
    assertEquals(await evaluated(hrm, "--seed=9"), plain, "there is nothing to draw");
  }));

Deno.test("eval says in one line which flags do not go together", () =>
  withRuns(["hrm-sudoku", "recurrent-sudoku", "looped-sudoku"], async (folders, parent) => {
    const hrm = folders["hrm-sudoku"]!, recurrent = folders["recurrent-sudoku"]!;
    const looped = folders["looped-sudoku"]!;
    const six = join(parent, "six");
    const saved = smallRun("hrm-sudoku", "tiny", {
      task: { size: 6, minClues: 8, maxClues: 20 },
      model: { vocabSize: 8, seqLen: 36 },
      run: { steps: 1 },
    });
    await run(saved, six);
    const alone = (rule: string) =>
      `Cannot use --choose=${rule}: there is one answer; ask for more by --votes, --samples or --ensemble`;
    const noHead = "Cannot choose by the halting head: the model has none; use --choose=vote";
    const unalike = (first: string, other: string) =>
      `Cannot use --ensemble: one model thinks in ${first}, another in ${other}`;
    const same = "Cannot use --samples without noise: all of them would be the same";
    const wrong: [folder: string, flags: string[], message: string][] = [
      [hrm, ["--samples=2", "--noise=0"], same],
      [hrm, ["--choose=vote"], alone("vote")],
      [hrm, ["--choose=q"], alone("q")],
      [hrm, ["--choose=best"], 'Unknown value of --choose "best"; there are: vote, q'],
      [hrm, ["--votes=0"], 'Flag --votes needs an integer of at least 1, got "0"'],
      [hrm, ["--samples=1.5"], 'Flag --samples needs an integer of at least 1, got "1.5"'],
      [hrm, ["--noise=-1"], 'Flag --noise needs a number of at least 0, got "-1"'],
      [recurrent, ["--votes=2", "--choose=q"], noHead],
      [recurrent, ["--samples=2"], noHead],
      [recurrent, [`--ensemble=${recurrent}`, "--choose=q"], noHead],
      [recurrent, [`--ensemble=${looped}`], unalike("recurrences", "loops")],
      [hrm, [`--ensemble=${recurrent}`, "--choose=q"], unalike("segments", "recurrences")],
      [hrm, [`--ensemble=${hrm},${looped}`], unalike("segments", "loops")],
      [
        hrm,
        [`--ensemble=${six}`],
        `Cannot use --ensemble with "${join(six, "best")}": it knows puzzles of 36 tokens, not 16`,
      ],
      [
        hrm,
        ["--ensemble=nowhere"],
        `No weights "nowhere": neither a folder nor a recipe, one of: ${
          Object.keys(recipes).join(", ")
        }`,
      ],
    ];
    for (const [folder, flags, message] of wrong) {
      assertRefused(await command("eval", folder, ...flags), message);
    }
  }));

Deno.test("eval of a model without a halting head takes all that a vote can decide", () =>
  withRuns(["recurrent-sudoku"], async ({ "recurrent-sudoku": folder }) => {
    const possible = [
      ["--votes=2"],
      [`--ensemble=${folder}`],
      ["--samples=2", "--choose=vote"],
      ["--samples=2", "--votes=2"],
      ["--samples=2", `--ensemble=${folder}`],
      ["--votes=2", `--ensemble=${folder}`, "--choose=vote"],
    ];
    for (const flags of possible) {
      assertEquals((await evaluated(folder!, ...flags)).qHalt, null, String(flags));
    }
  }));

Deno.test("eval --ensemble lets each model think as long as it was trained, or all as long as told", () =>
  inFolder(async (parent) => {
    const [short, long] = [2, 3].map((n) => join(parent, `${n}`)) as [string, string];
    for (const [i, folder] of [short, long].entries()) {
      const changes = { model: { haltMaxSteps: i + 2 }, run: { steps: 2 } };
      await run(smallRun("hrm-sudoku", "tiny", changes), folder);
    }
    for (const [first, other] of [[short, long], [long, short]] as const) {
      for (const flags of [[], ["--segments=always"]]) {
        const { byUnit, meanUnits } = await evaluated(first, `--ensemble=${other}`, ...flags);
        assertEquals([byUnit.length, meanUnits], [3, 2.5]);
      }
      const told = await evaluated(first, `--ensemble=${other}`, "--segments=4");
      assertEquals([told.byUnit.length, told.meanUnits], [4, 4]);
    }
  }));

Deno.test("eval says how many puzzles are solved by one of the first answers, where there are several", () =>
  withRuns(["hrm-sudoku"], async ({ "hrm-sudoku": folder }) => {
    const plain = await command("eval", folder!);
    assertEquals(plain.stdout.includes("answers"), false);
    const { stdout } = await command("eval", folder!, "--samples=3", "--noise=9");
    assertMatch(stdout, /, \d+\.\d% among the first 2 answers, /);
  }));

/** Flags of `train` for a recipe, and what is said of them. */
const wrongModels: readonly (readonly [recipe: string, flags: string, message: string])[] = [
  [
    "recurrent-sudoku",
    "--model.recurrences=2",
    "Cannot use --model.gradientSteps=4: expected at most --model.recurrences=2",
  ],
  [
    "looped-sudoku",
    "--model.window=9",
    "Cannot use --model.window=9: expected at most --model.loops=4",
  ],
  [
    "looped-sudoku",
    "--model.loopsStart=5",
    "Cannot use --model.loopsStart=5: expected at most --model.loops=4",
  ],
  [
    "looped-sudoku",
    "--model.alpha=1.5",
    "Cannot use --model.alpha=1.5: expected a number from 0 to 1",
  ],
  [
    "looped-sudoku",
    "--model.injection=sum",
    "Unknown --model.injection=sum: expected one of add, multiply, concat, none",
  ],
  [
    "transformer-sudoku",
    "--model.backbone=gpt2",
    "Unknown --model.backbone=gpt2: expected one of post-norm, pre-norm, gpt",
  ],
  [
    "transformer-sudoku",
    "--model.dropout=1",
    "Cannot use --model.dropout=1: expected a number from 0 to 0.99",
  ],
  [
    "trm-sudoku",
    "--model.mixer=conv",
    "Unknown --model.mixer=conv: expected one of attention, mlp",
  ],
  [
    "trm-sudoku",
    "--model.puzzleEmbLen=1 --model.puzzleEmbNdim=65",
    "Cannot use --model.puzzleEmbLen=1: a puzzle embedding of 65 features fills more",
  ],
  [
    "actv2-sudoku",
    "--model.hiddenSize=30",
    "Cannot use --model.hiddenSize=30: expected a multiple of 8 with --model.numHeads=4 and " +
    "--model.posEncodings=rope",
  ],
  [
    "actv2-sudoku",
    "--model.numHeads=128",
    "Cannot use --model.hiddenSize=64: expected a multiple of 256 with --model.numHeads=128 and " +
    "--model.posEncodings=rope",
  ],
  [
    "actv2-sudoku",
    "--model.numHeads=48",
    "Cannot use --model.hiddenSize=64: expected a multiple of 96 with --model.numHeads=48 and " +
    "--model.posEncodings=rope",
  ],
  ...["transformer", "recurrent", "looped"].flatMap((model) =>
    ["post-norm", "pre-norm"].map((backbone) =>
      [
        `${model}-sudoku`,
        `--model.dropout=0.1 --model.backbone=${backbone}`,
        "Cannot use --model.dropout=0.1: only --model.backbone=gpt drops anything",
      ] as const
    )
  ),
];

Deno.test("train says in one line which fields of a model do not go together", () =>
  inFolder(async (folder) => {
    for (const [recipe, flags, message] of wrongModels) {
      const out = `--out=${join(folder, "run")}`;
      assertRefused(
        await command("train", recipe, "--preset=tiny", out, ...flags.split(" ")),
        message,
      );
    }
  }));

Deno.test("Random streams of dropout and exploration are what a checkpoint holds", () =>
  inFolder(async (folder) => {
    const saved = smallRun("recurrent-sudoku", "l1r32h4", { model: gpt });
    await run(saved, folder, { until: 3 });
    const { exploration } = checkpointOf(folder).progress as {
      exploration: { seed: number; stream: number; drawn: number };
    };
    // two elements a word: 3 steps of embeddings once, and of attention, its output and the MLP 3 times
    const perStep = (4 * 16 * 16 + 3 * (4 * 2 * 16 * 16 + 2 * 4 * 16 * 16)) / 2;
    assertEquals(exploration, { seed: 7, stream: 1, drawn: 3 * perStep });
    assertEquals(Random.from(exploration).state, exploration);
  }));
