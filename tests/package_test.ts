import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import config from "../deno.json" with { type: "json" };
import { inFolder } from "./ffi/_folder.ts";
import { ownPackage, registryFiles, serve, standardPackages } from "./registry.ts";

const ROOT = new URL("..", import.meta.url);
const readme = Deno.readTextFileSync(new URL("README.md", ROOT));
const imported = `jsr:${config.name}@^${config.version}`;

interface Ended {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

async function deno(args: readonly string[], options: Deno.CommandOptions = {}): Promise<Ended> {
  const defaults = { cwd: ROOT, env: { NO_COLOR: "1" } };
  const child = new Deno.Command(Deno.execPath(), { args: [...args], ...defaults, ...options });
  const { success, stdout, stderr } = await child.output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  return { success, stdout: out!, stderr: error! };
}

/** Why the packages that Ponder imports from npm cannot be had; empty if they can. */
async function npmProblem(): Promise<string> {
  const npm = Object.values(config.imports).filter((target) => target.startsWith("npm:"));
  const { success, stderr } = await deno(["cache", "--no-config", "--no-lock", ...npm]);
  return success ? "" : ` (needs npm packages: ${/^error: (.*)/m.exec(stderr)?.[1]})`;
}

const problem = await npmProblem();

/** The flags of a command that README.md names, `deno run … <script>`. */
function readmeFlags(script: string): string[] {
  const [, flags] = new RegExp(`^deno run (.*) ${script}$`, "m").exec(readme)!;
  return flags!.split(" ");
}

/** README.md's first example. */
const [, example] = /```ts\n(.*?)```/s.exec(readme)!;

const TRAIN = `
import { loadWeights, makeTask, recipes, savedConfig, think, train } from "@ponder/ponder/zoo";

const { tiny } = recipes["trm-sudoku"]!.presets;
const config = {
  ...tiny!,
  task: { ...tiny!.task, trainPuzzles: 200, testPuzzles: 5 },
  run: { ...tiny!.run, steps: 3, reportEvery: 1 },
};
const task = makeTask(config.task);
const data = task.load(config.run.seed, () => {});
const saved = savedConfig("trm-sudoku", "tiny", config);
const { step } = await train({ saved, data, folder: "runs/first" });
const { model } = loadWeights("runs/first");
const [thought] = think(task, [model], data.test.slice(0, 1)).slice(-1);
console.log(step, thought!.answers.length);
`;

Deno.test({
  name: `a script of a user's computes, trains and solves by what JSR would serve${problem}`,
  ignore: problem !== "",
  fn: () =>
    inFolder(async (folder) => {
      const files = await registryFiles([await ownPackage(), ...await standardPackages()]);
      const { url, missing, server } = serve(files);
      await using _ = { [Symbol.asyncDispose]: () => server.shutdown() };
      const user = await newUser(folder, url);
      const { ok, write } = user;

      const libtorch = Deno.realPathSync(
        Deno.env.get("PONDER_LIBTORCH") ?? new URL(".torch", ROOT),
      );
      const cli = `jsr:${config.name}/cli`;
      const setup = await ok(["-A", cli, "setup"], { PONDER_LIBTORCH: libtorch });
      assertMatch(setup, /^libtorch \S+ from PONDER_LIBTORCH: /m);

      write("compute.ts", `${example}console.log(w.shape);`);
      assertEquals(await ok([...readmeFlags("compute.ts"), "compute.ts"]), "[ 2, 3 ]");
      write("train.ts", TRAIN);
      assertEquals(await ok([...readmeFlags("train.ts"), "train.ts"]), "3 1");
      assertMatch(await ok(["-A", cli, "runs"]), /^first +tiny +\d+ +3\/3 +done/m);
      await ok(["-A", cli, "zoo", "pull", "trm-sudoku"]); // weights travel with the package
      assertMatch(await ok(["-A", cli, "solve", "trm-sudoku"]), /: solved$/m);
      assertEquals(missing, []);
    }),
});

/** Somebody with a folder and a cache of their own, and the npm packages of this machine. */
async function newUser(folder: string, registry: string) {
  const cache = join(folder, "cache"), home = join(folder, "home");
  for (const made of [cache, home]) await Deno.mkdir(made);
  const { npmCache } = JSON.parse((await deno(["info", "--json"])).stdout);
  await Deno.symlink(npmCache, join(cache, "npm"));
  const env = {
    ...{ JSR_URL: registry, DENO_DIR: cache, HOME: home },
    ...{ NO_COLOR: "1", OMP_NUM_THREADS: "1", PATH: Deno.env.get("PATH") ?? "" },
  };
  return {
    /** Writes a script that imports Ponder. */
    write: (name: string, script: string) =>
      Deno.writeTextFileSync(
        join(home, name),
        script.replaceAll(`"${config.name}`, `"${imported}`),
      ),
    /** What `deno run` prints; it must succeed, and not ask for anything. */
    ok: async (args: readonly string[], more: Record<string, string> = {}) => {
      const options = { cwd: home, clearEnv: true, env: { ...env, ...more } };
      const { success, stdout, stderr } = await deno(["run", "--no-prompt", ...args], options);
      assert(success, `deno run ${args.join(" ")}: ${stdout}\n${stderr}`);
      return stdout;
    },
  };
}

// What JSR scores, as far as a repository has it; `deno task ok` checks the symbols' docs and types

Deno.test("every entrypoint has a module doc with an example, and the README has one", async () => {
  for (const entrypoint of Object.values(config.exports)) {
    const { nodes } = JSON.parse((await deno(["doc", "--json", entrypoint])).stdout);
    const [{ module_doc }] = Object.values(nodes) as [{ module_doc?: { doc?: string } }];
    assertMatch(module_doc?.doc ?? "", /```(ts|sh)\n/, entrypoint);
  }
  assertStringIncludes(example!, `from "${config.name}"`);
});

Deno.test("the package has what a reader needs, no test, and fits into 20 MB", async () => {
  const { files } = await ownPackage();
  const paths = [...files.keys()];
  for (const path of ["/README.md", "/LICENSE", "/CHANGELOG.md", "/deno.json"]) {
    assert(paths.includes(path), path);
  }
  assertEquals(paths.filter((path) => /_test\.ts$|^\/tests\//.test(path)), []);
  const sizeBytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  assert(sizeBytes < 20e6, `${sizeBytes} bytes`);
});
