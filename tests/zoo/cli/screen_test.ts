// deno-lint-ignore-file no-control-regex
/** The commands on a terminal of 80 columns, as util-linux's `script` provides one. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { textWidth } from "../../../zoo/cli/_width.ts";
import { inFolder } from "../../ffi/_folder.ts";
import { tinyFlags } from "../_tiny.ts";

const ROOT = new URL("../../../", import.meta.url);
const CLI = "deno run -q -A --no-check zoo/cli.ts";
const COLOUR = /\x1b\[[\d;]*m/g;

/** Only Linux's `script` takes a command in this form. */
const hasTerminal = Deno.build.os === "linux" &&
  await new Deno.Command("script", { args: ["--version"], stdout: "null", stderr: "null" })
    .output().then(({ success }) => success, () => false);

interface Screen {
  readonly lines: readonly string[];
  readonly written: string;
  readonly code: number;
}

/** What lines of a shell leave on a terminal: its lines, and all that was written to it. */
async function onTerminal(
  commands: readonly string[],
  env: Record<string, string> = {},
): Promise<Screen> {
  const script = ["stty cols 80 rows 24 -onlcr", ...commands].join("\n");
  const { NO_COLOR: _, ...inherited } = Deno.env.toObject();
  const { stdout, code } = await new Deno.Command("script", {
    args: ["-qec", script, "/dev/null"],
    cwd: ROOT,
    clearEnv: true,
    env: { ...inherited, PATH: pathWithDeno(), OMP_NUM_THREADS: "1", ...env },
    stdin: "null",
  }).output();
  const written = new TextDecoder().decode(stdout);
  return { lines: written.split("\n").map(shown), written, code };
}

/** The PATH with the Deno that runs this test before all others. */
function pathWithDeno(): string {
  return `${Deno.execPath().replace(/\/[^/]*$/, "")}:${Deno.env.get("PATH")}`;
}

/** What is left of a line after it was cleared and drawn anew; the widest state must fit, too. */
function shown(line: string): string {
  const states = line.split("\r\x1b[K");
  const widest = states.reduce((a, b) => textWidth(a) > textWidth(b) ? a : b);
  return textWidth(widest) > 80 ? widest : states.at(-1)!;
}

function assertFits({ lines, written }: Screen): void {
  assertEquals(lines.filter((line) => textWidth(line) > 80), []);
  assertEquals(lines.filter((line) => line !== "" && line.trimEnd() === ""), []);
  // what remains after colours and cleared lines holds no other escape
  const rest = written.replaceAll(COLOUR, "").replaceAll("\r\x1b[K", "");
  assert(!/[\x1b\r]/.test(rest), Deno.inspect(rest.match(/.{0,40}[\x1b\r].{0,40}/)?.[0]));
  assertEquals(lines.at(-1), "", "the last line is not ended");
}

/** Commands that take a moment each, with all that a user may see of them. */
function commandsIn(folder: string): readonly string[] {
  return [
    "setup --offline",
    `train hrm-sudoku ${tinyFlags.join(" ")} --model.mlpMultiple=256 --out=${folder}/run`,
    `eval ${folder}/run`,
    "solve trm-sudoku --segments=2",
    "solve hrm-maze --segments=2",
    "solve trm-arc --segments=1",
    "compare maze --models=trm --puzzles=2",
    "reproduce",
    `runs list ${folder}`,
    `runs show ${folder}/run`,
    `data build sudoku --size=9 --train=2 --test=2 --out=${folder}/data`,
    `data inspect ${folder}/data`,
    `data build maze --size=30 --train=1 --test=1 --out=${folder}/mazes`,
    `data inspect ${folder}/mazes`,
    "zoo list",
    "zoo verify trm-maze --puzzles=2",
    `zoo export ${folder}/run --out=${folder}/out/weights.pt`,
  ];
}

/** What goes wrong, and every text of help. */
const refusals: readonly string[] = [
  ...["", "train", "train sudoku", "train hrm-sudoku --model.x=1", "train hrm-sudoku --preset=no"],
  ...["train hrm-sudoku --device=cuda --steps=1", "eval nothing", "solve trm-sudoku 12", "compare"],
  ...["reproduce e99", "runs show nothing", "serve --port=x", "data build", "data inspect nothing"],
  ...["data download sudoku", "zoo pull", "zoo verify nothing", "zoo import nothing.pt"],
  ...["setup", "train", "eval", "solve", "compare", "reproduce", "runs", "runs list", "runs show"]
    .map((name) => `${name} --help`),
  ...["serve", "data", "data build", "data build sudoku", "data build arc-1", "data inspect"]
    .map((name) => `${name} --help`),
  ...["data download", "zoo", "zoo list", "zoo pull", "zoo verify", "zoo add", "zoo import"]
    .map((name) => `${name} --help`),
  ...["zoo export --help", "--help"],
];

Deno.test({
  name: "the commands fit a terminal of 80 columns, and end what they colour",
  ignore: !hasTerminal,
  fn: () =>
    inFolder(async (folder) => {
      const commands = commandsIn(folder).map((args) => `${CLI} ${args}`);
      const screen = await onTerminal(["set -e", ...commands]);
      assertEquals(screen.code, 0, screen.lines.slice(-5).join("\n"));
      assertFits(screen);
      assertStringIncludes(screen.written, "\x1b[32m"); // what a model filled in
      for (const line of screen.lines) {
        const [opened, closed] = [/\x1b\[(?:[12]|3[0-7])m/g, /\x1b\[(?:22|39)m/g]
          .map((pattern) => line.match(pattern)?.length ?? 0);
        assertEquals(opened, closed, line);
      }
    }),
});

Deno.test({
  name: "the commands leave colours out where NO_COLOR is set, and fit all the same",
  ignore: !hasTerminal,
  fn: () =>
    inFolder(async (folder) => {
      const commands = [...commandsIn(folder), ...refusals].map((args) => `${CLI} ${args}`);
      const screen = await onTerminal(commands, { NO_COLOR: "1" });
      assertFits(screen);
      assertEquals(screen.written.match(COLOUR), null);
    }),
});

Deno.test({
  name: "a line is broken on a terminal alone: piped, it is one",
  ignore: !hasTerminal,
  fn: () =>
    inFolder(async (folder) => {
      const failing = `${CLI} train sudoku`;
      const { lines } = await onTerminal([failing, `${failing} 2> ${folder}/piped`]);
      const piped = await Deno.readTextFile(`${folder}/piped`);
      assertEquals(piped.trimEnd().split("\n").length, 1);
      assert(piped.length > 200);
      assert(lines.length > 3);
      assertEquals(lines.join(" ").trimEnd(), piped.trimEnd());
    }),
});
