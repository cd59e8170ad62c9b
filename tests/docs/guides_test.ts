/** What the guides say of messages, permissions and commands is so. Their TypeScript is run by itself. */
import { assert, assertEquals } from "@std/assert";
import baseline from "../../bench/baseline.json" with { type: "json" };
import config from "../../deno.json" with { type: "json" };
import { inFolder } from "../ffi/_folder.ts";
import { exists } from "../run.ts";
import { runScript } from "../script.ts";
import { sentencesIn } from "./_messages.ts";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, ROOT));
const isMarkdown = ({ name }: Deno.DirEntry) => name.endsWith(".md");
const guides = [...Deno.readDirSync(new URL("docs", ROOT))].filter(isMarkdown)
  .map(({ name }) => `docs/${name}`).sort();
const pages = ["README.md", ...guides];

/** A page without its blocks of code. */
const proseOf = (text: string) => text.replaceAll(/^```[\s\S]*?^```/gm, "");

/** The rows of the tables in a page, cell by cell. */
function rowsOf(page: string): string[][] {
  return read(page).split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

// Troubleshooting.

const SETUP_FILES = ["_probe.ts", "setup.ts"].map((name) => `zoo/commands/${name}`);

/** Files that find, fetch, open and link libtorch. */
function setupFiles(): string[] {
  const names = [...Deno.readDirSync(new URL("ffi", ROOT))].map(({ name }) => name);
  const wanted = /^(_\w+|locate|download|provision|library)\.ts$/;
  return [
    ...names.filter((name) => wanted.test(name)).map((name) => `ffi/${name}`),
    ...SETUP_FILES,
  ];
}

/** What those files say besides errors: progress, help, and a text that only ours reads. */
const NO_ERRORS = [
  "downloading …",
  "no SHA-256 is known for …",
  "waiting for another setup of …",
  "unpacking …",
  "asking pip for …",
  "libtorch … from …: ./.torch -> …",
  "fetch failed",
  "of …",
  "Find or fetch libtorch, and link it at ./.torch",
  "which build: cpu, cu126, cu130, …; any that works if left out",
  "which release, 2.11 or newer; any if left out",
  "keep off the network",
  "say nothing, and do not open what is linked already",
];

Deno.test("troubleshooting.md has every message of the code that sets libtorch up", () => {
  const page = read("docs/troubleshooting.md").replaceAll(/\s+/g, " ");
  const isError = (text: string) =>
    !NO_ERRORS.includes(text) && !text.startsWith("internal:") && !text.startsWith("import sys");
  const sentences = setupFiles().flatMap((file) =>
    sentencesIn(read(file)).map((text) => ({ file, text: text.trim().replaceAll(/\s+/g, " ") }))
  );
  const missing = sentences.filter(({ text }) => isError(text) && !page.includes(text));
  assertEquals(missing, []);
  assert(sentences.length > 70, `${sentences.length} sentences found`);
});

Deno.test("sentencesIn() reads nested templates, and passes over comments and patterns", () => {
  const source = [
    "// no `comment of ours`",
    "/* nor 'this one here' */",
    'const pattern = /"no pattern"\\/[/"]/;',
    'throw new Error(`Cannot open ${a ? `the inner file ${b}` : "a plain text"}: ${c}`);',
  ].join("\n");
  assertEquals(sentencesIn(source).sort(), [
    "Cannot open …: …",
    "a plain text",
    "the inner file …",
  ]);
});

Deno.test("troubleshooting.md quotes what the training commands say", () => {
  const page = read("docs/troubleshooting.md");
  const quotes: [file: string, ...texts: string[]][] = [
    ["zoo/step.ts", "Cannot go on training: the ", "start anew with a lower --optim.lr"],
    ["zoo/train.ts", "steps: the run has done "],
    ["zoo/checkpoint.ts", "its carry is of another batch size or model"],
    ["zoo/validate.ts", "Cannot fill --run.batchSize="],
    ["zoo/commands/_visible_training.ts", "Cannot train on ", " rows at a time: "],
    [
      "zoo/commands/_requested_run.ts",
      "No checkpoint in ",
      "of a run that goes on",
      "it is not empty",
    ],
  ];
  for (const [file, ...texts] of quotes) {
    for (const text of texts) {
      assert(read(file).includes(text), `${file} no longer says "${text}"`);
      assert(page.includes(text), `the page does not say "${text}"`);
    }
  }
});

// Permissions.

Deno.test("permissions.md has the permissions of each task as deno.json grants them", () => {
  const kinds = ["ffi", "read", "write", "env", "net"];
  const rows = rowsOf("docs/permissions.md").filter((cells) => cells.length === 7);
  const told = new Map(
    rows.slice(2).map(([name, ...cells]) => [
      name!.replaceAll("`", ""),
      cells.map((cell) => cell.replaceAll("`", "")),
    ]),
  );
  for (const [name, { command }] of Object.entries(config.tasks)) {
    const own = command.split("&&").at(-1)!;
    if (own.includes("--allow-all")) {
      assert(read("docs/permissions.md").includes(`\`${name}\``), name);
      continue;
    }
    const granted = [...own.matchAll(/--allow-(\w+)(?:=(\S+))?/g)]
      .map(([, kind, value]) => [kind!, value ?? "all"] as const);
    const cells = kinds.map((kind) => granted.find(([k]) => k === kind)?.[1] ?? "–");
    const others = granted.filter(([kind]) => !kinds.includes(kind)).map(([k, v]) => `${k}=${v}`);
    assertEquals(told.get(name), [...cells, others.join(", ") || "–"], name);
    told.delete(name);
  }
  assertEquals([...told.keys()], []);
});

const SCRIPTS: Readonly<Record<string, string>> = {
  "import": `await import("ROOT/mod.ts"); await import("ROOT/zoo/mod.ts");`,
  "compute": `const { tensor } = await import("ROOT/mod.ts"); tensor([1, 2]).sum().item();`,
  "load weights that came with the clone":
    `const { loadPretrained } = await import("ROOT/zoo/mod.ts"); await loadPretrained("trm-maze");`,
  "train Sudoku or mazes into `runs/`": `
    const { makeTask, recipes, savedConfig, train } = await import("ROOT/zoo/mod.ts");
    const { tiny } = recipes["trm-sudoku"].presets;
    const config = {
      ...tiny,
      task: { ...tiny.task, trainPuzzles: 100, testPuzzles: 5 },
      run: { ...tiny.run, steps: 1 },
    };
    const data = makeTask(config.task).load(1, () => {});
    const saved = savedConfig("trm-sudoku", "tiny", config);
    await train({ saved, data, folder: "runs/permissions" });
  `,
};

Deno.test("permissions.md: a script of each kind runs with exactly the flags it names", async () => {
  const rows = rowsOf("docs/permissions.md").filter(([kind]) => kind! in SCRIPTS);
  assertEquals(rows.map(([kind]) => kind), Object.keys(SCRIPTS));
  await inFolder(async (folder) => {
    for (const [kind, needs] of rows) {
      const flags = needs!.replaceAll("`", "").replaceAll("=runs", `=${folder}`).split(" ")
        .filter((flag) => flag.startsWith("--"));
      const script = SCRIPTS[kind!]!.replaceAll("ROOT", ROOT.href.replace(/\/$/, ""))
        .replaceAll("runs/permissions", `${folder}/run`);
      const { code, stderr } = await runScript(script, flags);
      assertEquals(code, 0, `${kind}: ${stderr}`);
      for (const flag of flags) {
        const { code } = await runScript(script, flags.filter((other) => other !== flag));
        assert(code !== 0, `${kind} does without ${flag}`);
      }
    }
  });
});

// Commands.

/** The commands in the shell blocks of a page, without comments, and those within its sentences. */
function commandsIn(page: string): string[] {
  const shell = /^```sh\n([\s\S]*?)^```/gm;
  const blocks = [...read(page).matchAll(shell)].map(([, block]) => block!);
  const prose = proseOf(read(page));
  const quoted = [...prose.matchAll(/`(deno task [^`]+)`/g)].map(([, line]) => line!);
  const lines = blocks.flatMap((block) => block.replaceAll("\\\n", " ").split("\n"))
    .map((line) => line.replace(/(^|\s+)#.*$/, "").trim());
  return [...lines, ...quoted].filter((line) => line !== "" && line !== "deno task …");
}

/** Whether a help names that very flag, or the group of it: `--optim.` for `--optim.lr`. */
function namesFlag(help: string, flag: string): boolean {
  return help.split(/[^\w.-]+/).some((word) =>
    word === flag || (flag.endsWith(".") && word.startsWith(flag))
  );
}

async function help(words: readonly string[]): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", "zoo/cli.ts", ...words, "--help"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  return new TextDecoder().decode(stdout);
}

const ELSEWHERE = ["test", "ok", "bench"]; // not commands of zoo/cli.ts

Deno.test("every command and flag on the pages exists", async () => {
  const helps = new Map<string, Promise<string>>();
  const helpOf = (words: readonly string[]) => {
    const key = words.join(" ");
    if (!helps.has(key)) helps.set(key, help(words));
    return helps.get(key)!;
  };
  let checked = 0;
  for (const page of pages) {
    for (const line of commandsIn(page)) {
      const [, rest] = /\bdeno(?:@\S+)? task (.*)$/.exec(line) ?? [];
      if (rest === undefined) continue;
      const [name, ...words] = rest.split(/\s+/);
      assert(name! in config.tasks, `${page}: ${line}`);
      if (ELSEWHERE.includes(name!)) continue;
      const flags = words.filter((word) => word.startsWith("--"))
        .map((word) => /^--[\w-]+(\.)?/.exec(word)![0]);
      let place = [name!];
      for (const word of words.slice(0, 2)) { // subcommands: zoo pull, data build sudoku
        if (new RegExp(`^ +${word} {2,}`, "m").test(await helpOf(place))) place = [...place, word];
      }
      const text = await helpOf(place);
      for (const flag of flags.filter((flag) => flag !== "--help")) {
        assert(namesFlag(text, flag), `${page}: ${line}: ${place.join(" ")} has no ${flag}`);
      }
      checked++;
    }
  }
  assert(checked > 80, `${checked} commands`);
  const train = await helpOf(["train"]);
  assert(namesFlag(train, "--steps") && !namesFlag(train, "--step"), "a flag is matched whole");
});

// Links.

Deno.test("every link from page to page leads somewhere", () => {
  const slug = (title: string) =>
    title.toLowerCase().replaceAll(/[^\w\s-]/g, "").replaceAll(" ", "-");
  for (const page of pages) {
    const text = proseOf(read(page));
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target!)) continue;
      const [path, anchor] = target!.split("#");
      const url = path === "" ? new URL(page, ROOT) : new URL(path!, new URL(page, ROOT));
      assert(Deno.statSync(url), `${page}: ${target}`);
      if (anchor === undefined) continue;
      const titles = [...Deno.readTextFileSync(url).matchAll(/^#+ (.*)$/gm)].map(([, t]) =>
        slug(t!)
      );
      assert(titles.includes(anchor), `${page}: ${target} has ${titles.join(", ")}`);
    }
  }
});

// Files.

/** What a reader of these pages adds. */
const TO_BE_WRITTEN = [
  "docs/erf.ts",
  "models/mixer.ts",
  "tests/golden/mixer_twin.py",
  "tasks/latin/",
  "zoo/tasks/latin.ts",
  "tests/zoo/tasks/latin_test.ts",
];

/** The words in backticks that name a file or a folder of the repository, placeholders left out. */
function pathsIn(text: string): string[] {
  return [...proseOf(text).matchAll(/`([^`]+)`/g)].flatMap(([, quoted]) => quoted!.split(/\s+/))
    .filter((word) => /^(\.\/)?(core|models|zoo|tasks|ffi|tests|bench|docs|\.github)\//.test(word))
    .filter((word) => !/[<>…*${}]/.test(word));
}

Deno.test("every path in backticks on the pages is in the repository", () => {
  const named = [...pages, "CHANGELOG.md"].flatMap((page) =>
    pathsIn(read(page)).map((path) => ({ page, path }))
  );
  const wrong = named.filter(({ path }) => !TO_BE_WRITTEN.includes(path) && !exists(path));
  assertEquals(wrong, []);
  assert(named.length > 30, `${named.length} paths found`);
  const unused = TO_BE_WRITTEN.filter((path) => !named.some((other) => other.path === path));
  assertEquals(unused, []);
});

Deno.test("a wrong path in backticks is found, a placeholder is none", () => {
  const text = "see `core/no_such_file.ts`, `zoo/weights/<name>`, `docs/*.md` and `runs/last`";
  assertEquals(pathsIn(text), ["core/no_such_file.ts"]);
  assertEquals(pathsIn(text).filter(exists), []);
});

// Figures.

Deno.test("speeds are the same in README.md, docs/performance.md and bench/baseline.json", () => {
  const isRatio = (cell: string) => /^[\d.]+×$/.test(cell);
  const measured = new Map(
    rowsOf("docs/performance.md").filter(([, , , speed]) => speed !== undefined && isRatio(speed))
      .map(([work, , , speed, , memory]) => [work!, `${speed} ${isRatio(memory!) ? memory : ""}`]),
  );
  const times = (ratio: number | null) => ratio === null ? "" : `${ratio.toFixed(2)}×`;
  for (const { work, ratio, memory_ratio } of baseline.rows) {
    assertEquals(measured.get(work), `${times(ratio)} ${times(memory_ratio)}`, work);
  }
  const shown = rowsOf("README.md").filter(([, speed]) => isRatio(speed!));
  const wrong = shown.filter(([, speed, memory]) =>
    ![...measured.values()].includes(`${speed} ${memory}`)
  );
  assertEquals(wrong, []);
  assert(shown.length >= 9, `${shown.length} speeds in README.md`);
});

Deno.test("README.md leads to every guide", () => {
  const readme = read("README.md");
  assertEquals(guides.filter((guide) => !readme.includes(`(${guide})`)), []);
});
