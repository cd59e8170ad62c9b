import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  chooseCommand,
  type Command,
  HelpRequested,
  Interrupted,
  parseCommand,
  renderHelp,
  runMain,
  setFields,
  unknownName,
  UsageError,
} from "../../../zoo/cli/flags.ts";

interface Model {
  readonly hidden_size: number;
  readonly loss: string;
  readonly rope: boolean;
  readonly halt: number | null;
  readonly layers: readonly number[];
}

const model: Model = { hidden_size: 512, loss: "softmax", rope: true, halt: null, layers: [1] };

const train = {
  name: "train",
  summary: "Trains a recipe and writes its run directory",
  positionals: [
    { name: "recipe", help: "what to train", choices: ["hrm-sudoku", "trm-maze"] },
    { name: "run", help: "where to write", optional: true },
  ],
  flags: {
    steps: { type: "integer", min: 1, max: 1e6, default: 100, help: "how many steps" },
    lr: { type: "number", min: 0, help: "the learning rate" },
    preset: { type: "choice", choices: ["tiny", "cpu", "paper"], default: "cpu", help: "how big" },
    device: { type: "choice", choices: ["cpu", "cuda"], help: "where to compute" },
    out: { type: "string", help: "where to write", placeholder: "folder" },
    json: { type: "boolean", help: "print JSON" },
    ema: { type: "boolean", default: true, help: "keep an average" },
  },
  groups: {
    model: { help: "fields of the model", defaults: model },
    optim: { help: "fields of the optimiser" },
  },
} as const satisfies Command;

function assertUsage(args: string[], message: string): void {
  const error = assertThrows(() => parseCommand(train, args), UsageError);
  assertEquals(error.message, message);
}

Deno.test("parseCommand() gives defaults, and undefined where there are none", () => {
  assertEquals(parseCommand(train, ["trm-maze"]), {
    positionals: { recipe: "trm-maze", run: undefined },
    flags: {
      ...{ steps: 100, lr: undefined, preset: "cpu", device: undefined, out: undefined },
      ...{ json: false, ema: true },
    },
    groups: { model, optim: new Map() },
  });
});

Deno.test("parseCommand() gives the types of the declaration", () => {
  const { flags, positionals, groups } = parseCommand(train, ["hrm-sudoku"]);
  const steps: number = flags.steps;
  const lr: number | undefined = flags.lr;
  const preset: "tiny" | "cpu" | "paper" = flags.preset;
  const device: "cpu" | "cuda" | undefined = flags.device;
  const json: boolean = flags.json;
  const recipe: "hrm-sudoku" | "trm-maze" = positionals.recipe;
  const run: string | undefined = positionals.run;
  const size: number = groups.model.hidden_size;
  // @ts-expect-error a flag that is not declared
  assertEquals(flags.nothing, undefined);
  // @ts-expect-error a flag without a default may be undefined
  const rate: number = flags.lr;
  assertEquals([steps, lr, preset, device, json], [100, undefined, "cpu", undefined, false]);
  assertEquals([recipe, run, size, rate], ["hrm-sudoku", undefined, 512, undefined]);
});

Deno.test("parseCommand() reads values after = and after a space, the last of several", () => {
  const { flags, positionals } = parseCommand(train, [
    ...["--steps", "7", "hrm-sudoku", "--lr=-0", "--lr=1e-3", "--preset", "tiny", "runs/a"],
    ...["--out=a=b c", "--json", "--no-ema"],
  ]);
  assertEquals(positionals, { recipe: "hrm-sudoku", run: "runs/a" });
  assertEquals(flags.steps, 7);
  assertEquals(flags.lr, 1e-3);
  assertEquals(flags.preset, "tiny");
  assertEquals(flags.out, "a=b c");
  assertEquals([flags.json, flags.ema], [true, false]);
  const other = parseCommand(train, ["hrm-sudoku", "--json=false", "--ema=true", "--steps=1e3"]);
  assertEquals([other.flags.json, other.flags.ema, other.flags.steps], [false, true, 1000]);
});

Deno.test("parseCommand() keeps arguments as text, and all that follows --", () => {
  const solve = {
    name: "solve",
    summary: "Solves puzzles",
    positionals: [
      { name: "weights", help: "the weights" },
      { name: "puzzles", help: "the puzzles", rest: true },
    ],
    flags: { json: { type: "boolean", help: "print JSON" } },
  } as const satisfies Command;
  const digits = "530070000600195000098000060";
  const { positionals } = parseCommand(solve, ["007", digits, "1e3", "--", "--json", "-"]);
  assertEquals(positionals, { weights: "007", puzzles: [digits, "1e3", "--json", "-"] });
  assertEquals(parseCommand(solve, ["-"]).positionals, { weights: "-", puzzles: [] });
});

Deno.test("parseCommand() names an unknown flag, the close one and all there are", () => {
  const known =
    "--steps, --lr, --preset, --device, --out, --json, --ema, --model.<field>, --optim.<field>, --help";
  assertUsage(
    ["hrm-sudoku", "--stepz=3"],
    `Unknown flag "--stepz", did you mean "--steps"? There are: ${known}`,
  );
  assertUsage(["--nonsense"], `Unknown flag "--nonsense"; there are: ${known}`);
  assertUsage(["-json"], `Unknown flag "-json", did you mean "--json"? There are: ${known}`);
  assertUsage(["-x"], `Unknown flag "-x"; there are: ${known}`);
  assertUsage(["--no-steps"], `Unknown flag "--no-steps"; there are: ${known}`);
  for (const odd of ["--_=x", "--__proto__=1", "--constructor", "---steps", "--=1", "--_"]) {
    assertThrows(() => parseCommand(train, ["hrm-sudoku", odd]), UsageError, "Unknown flag");
  }
});

Deno.test("parseCommand() names a flag without its value, also before a negative number", () => {
  assertUsage(["--steps"], "Flag --steps needs a value: --steps=<n>");
  assertUsage(["--steps="], "Flag --steps needs a value: --steps=<n>");
  assertUsage(["--out", "--json"], "Flag --out needs a value: --out=<folder>");
  assertUsage(["--lr", "-1"], "Flag --lr needs a value: --lr=<x>");
});

Deno.test("parseCommand() says what a flag needs when its value is wrong", () => {
  const recipe = "hrm-sudoku";
  assertUsage(
    [recipe, "--steps=0"],
    'Flag --steps needs an integer from 1 to 1000000, got "0"',
  );
  for (const text of ["1.5", "abc", "0x10", "1e99", "Infinity", " 1", "1_000"]) {
    assertUsage(
      [recipe, `--steps=${text}`],
      `Flag --steps needs an integer from 1 to 1000000, got "${text}"`,
    );
  }
  assertUsage([recipe, "--lr=-1"], 'Flag --lr needs a number of at least 0, got "-1"');
  assertUsage([recipe, "--lr=NaN"], 'Flag --lr needs a number of at least 0, got "NaN"');
  assertUsage(
    [recipe, "--preset=papr"],
    'Unknown value of --preset "papr", did you mean "paper"? There are: tiny, cpu, paper',
  );
  assertUsage([recipe, "--json=maybe"], 'Flag --json needs true or false, got "maybe"');
  assertUsage([recipe, "--json="], 'Flag --json needs true or false, got ""');
  assertUsage([recipe, "--no-ema=true"], "Flag --no-ema takes no value");
});

Deno.test("parseCommand() says which argument is missing, unknown or too much", () => {
  assertUsage([], "Missing argument <recipe>: one of hrm-sudoku, trm-maze");
  assertUsage(
    ["hrm-sodoku"],
    'Unknown recipe "hrm-sodoku", did you mean "hrm-sudoku"? There are: hrm-sudoku, trm-maze',
  );
  assertUsage(["xyz"], 'Unknown recipe "xyz"; there are: hrm-sudoku, trm-maze');
  assertUsage(["trm-maze", "a", "b"], 'Unexpected argument "b": train takes <recipe> [run]');
  const bare: Command = { name: "bench", summary: "Measures", flags: {} };
  const error = assertThrows(() => parseCommand(bare, ["x"]), UsageError);
  assertEquals(error.message, 'Unexpected argument "x": bench takes no arguments');
});

Deno.test("parseCommand() sets fields of a group by the type of what they replace", () => {
  const { groups } = parseCommand(train, [
    ...["trm-maze", "--model.hidden_size=128", "--model.loss=1", "--model.rope=false"],
    ...["--model.halt", "0.5"],
  ]);
  assertEquals(groups.model, { ...model, hidden_size: 128, loss: "1", rope: false, halt: 0.5 });
  assertEquals(model.hidden_size, 512);
  assertEquals(parseCommand(train, ["trm-maze", "--model.rope"]).groups.model.rope, true);
});

Deno.test("parseCommand() lists the fields that exist and says what they need", () => {
  const recipe = "trm-maze";
  assertUsage(
    [recipe, "--model.hiden_size=3"],
    'Unknown field of --model "hiden_size", did you mean "hidden_size"? ' +
      "There are: hidden_size, loss, rope, halt",
  );
  assertUsage(
    [recipe, "--model.layers=3"],
    'Unknown field of --model "layers"; there are: hidden_size, ' +
      "loss, rope, halt",
  );
  assertUsage(
    [recipe, "--modle.rope=1"],
    'Unknown group "--modle", did you mean "--model"? There are: --model, --optim',
  );
  assertUsage(
    [recipe, "--model.hidden_size=x"],
    'Flag --model.hidden_size needs a number, got "x"',
  );
  assertUsage(
    [recipe, "--model.hidden_size"],
    "Flag --model.hidden_size needs a value: --model.hidden_size=512",
  );
  assertUsage([recipe, "--model.halt="], "Flag --model.halt needs a value: --model.halt=<value>");
  assertUsage([recipe, "--model.rope=1"], 'Flag --model.rope needs true or false, got "1"');
});

Deno.test("setFields() applies the settings that a group without defaults collected", () => {
  const { groups } = parseCommand(train, ["trm-maze", "--optim.lr=1e-3", "--optim.warmup", "5"]);
  const config = { lr: 1, warmup: 0, decay: 0.1 };
  assertEquals(setFields("optim", config, groups.optim), { lr: 1e-3, warmup: 5, decay: 0.1 });
  assertThrows(() => setFields("optim", { lr: 1 }, groups.optim), UsageError, '"warmup"');
});

Deno.test("setFields() takes the plainest meaning where a null says nothing of the type", () => {
  const set = (text: string): unknown => setFields("g", { x: null }, new Map([["x", text]])).x;
  assertEquals(["3", "true", "false", "null", "text"].map(set), [3, true, false, null, "text"]);
});

Deno.test("parseCommand() asks for help wherever --help or -h stands, whatever else is wrong", () => {
  for (const args of [["--help"], ["-h"], ["hrm-sudoku", "--nonsense", "--steps", "--help"]]) {
    const error = assertThrows(() => parseCommand(train, args), HelpRequested);
    assertEquals(error.message, renderHelp(train));
  }
});

Deno.test("renderHelp() equals this text", () => {
  assertEquals(
    renderHelp(train),
    `Usage: deno task train <recipe> [run] [flags]

Trains a recipe and writes its run directory

Arguments:
  <recipe>  what to train: hrm-sudoku, trm-maze
  [run]     where to write

Flags:
  --steps=<n>      how many steps (an integer from 1 to 1000000, default 100)
  --lr=<x>         the learning rate (a number of at least 0)
  --preset=<name>  how big: tiny, cpu, paper (default cpu)
  --device=<name>  where to compute: cpu, cuda
  --out=<folder>   where to write
  --json           print JSON
  --[no-]ema       keep an average (default on)
  -h, --help       show this text

Fields:
  --model.<field>=<value>  fields of the model; by default hidden_size=512,
                           loss=softmax, rope=true, halt=null
  --optim.<field>=<value>  fields of the optimiser`,
  );
});

Deno.test("renderHelp() stays within 80 columns, whatever is declared", () => {
  const long = "a-rather-long-name-".repeat(6);
  const command: Command = {
    name: long,
    summary: "word ".repeat(60).trim(),
    usage: `deno task x ${long} ${"<argument> ".repeat(12)}`.trim(),
    positionals: [{ name: long, help: long, choices: Array(9).fill("choice-number-nine") }],
    flags: {
      [long]: { type: "string", help: "word ".repeat(40).trim(), default: long },
      short: { type: "boolean", help: long },
    },
    groups: { [long]: { help: "sets", defaults: { [long]: long, b: 1 } } },
  };
  const lines = renderHelp(command).split("\n");
  assertEquals(lines.filter((line) => line.length > 80 || line !== line.trimEnd()), []);
});

Deno.test("chooseCommand() gives the command and its arguments, or one clear line", () => {
  const commands = { train: { summary: "Trains" }, eval: { summary: "Evaluates" } };
  assertEquals(chooseCommand("ponder", commands, ["eval", "--x", "train"]), {
    name: "eval",
    rest: ["--x", "train"],
  });
  assertThrows(
    () => chooseCommand("ponder", commands, ["trian"]),
    UsageError,
    'Unknown command "trian", did you mean "train"? There are: train, eval',
  );
  assertThrows(
    () => chooseCommand("ponder", commands, []),
    UsageError,
    "Missing command, one of: train, eval",
  );
  const help = assertThrows(() => chooseCommand("ponder", commands, ["--help"]), HelpRequested);
  assertEquals(
    help.message,
    `Usage: ponder <command> [arguments] [flags]

Commands:
  train  Trains
  eval   Evaluates

ponder <command> --help says more of one`,
  );
});

Deno.test("unknownName() suggests what is close, and nothing that is far", () => {
  const hint = (name: string): boolean =>
    unknownName("recipe", name, ["hrm-sudoku", "hrm-maze"]).message.includes("did you mean");
  assertEquals(["hrm-sudoko", "HRM-Maze", "hmr-maze", "hrmmaze"].map(hint), Array(4).fill(true));
  assertEquals(["", "x", "resnet", "maze"].map(hint), Array(4).fill(false));
  assertEquals(unknownName("run", "a", []).message, 'Unknown run "a": there are none');
});

/** What `runMain` does with `main`: the exit code, and what it printed where. */
async function ran(main: () => unknown): Promise<[code: number, out: string, error: string]> {
  const printed: [number, string, string] = [-1, "", ""];
  await runMain(main, {
    print: (text) => printed[1] += text,
    printError: (text) => printed[2] += text,
    exit: (code) => printed[0] = code,
  });
  return printed;
}

function raise(error: unknown): () => never {
  return () => {
    throw error;
  };
}

Deno.test("runMain() exits with 0, 1, 2 or 130 and prints one line", async () => {
  assertEquals(await ran(() => Promise.resolve(3)), [0, "", ""]);
  assertEquals(await ran(raise(new HelpRequested("the help"))), [0, "the help", ""]);
  assertEquals(await ran(raise(new UsageError("Unknown flag"))), [2, "", "Unknown flag"]);
  assertEquals(await ran(raise(new Interrupted("Stopped, saved"))), [130, "", "Stopped, saved"]);
  assertEquals(await ran(raise(new TypeError("Cannot add"))), [1, "", "Cannot add"]);
  assertEquals(await ran(raise(new RangeError())), [1, "", "RangeError"]);
  assertEquals(await ran(raise("text")), [1, "", "text"]);
  assertEquals(await ran(() => Promise.reject(new Error("later"))), [1, "", "later"]);
});

Deno.test({
  name: "runMain() needs no permission to fail",
  permissions: { env: false },
  fn: async () => {
    assertEquals(await ran(raise(new Error("Cannot add"))), [1, "", "Cannot add"]);
  },
});

Deno.test("runMain() shows where it failed when PONDER_DEBUG is set", async () => {
  const before = Deno.env.get("PONDER_DEBUG");
  Deno.env.set("PONDER_DEBUG", "1");
  try {
    const [code, , text] = await ran(raise(new Error("Cannot add")));
    assertEquals(code, 1);
    assert(text.includes("Cannot add") && text.includes("flags_test.ts"), text);
  } finally {
    if (before === undefined) Deno.env.delete("PONDER_DEBUG");
    else Deno.env.set("PONDER_DEBUG", before);
  }
});

Deno.test("UsageError, HelpRequested and Interrupted are errors with their own names", () => {
  for (const error of [new UsageError("a"), new HelpRequested("a"), new Interrupted("a")]) {
    assertInstanceOf(error, Error);
    assertEquals(`${error}`, `${error.constructor.name}: a`);
  }
});
