/** The script for a machine with a GPU, rehearsed on the CPU. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { type Figures, rowsOf } from "../../bench/gpu.ts";
import { gpuProblem } from "../ffi/_cuda.ts";
import { inFolder } from "../ffi/_folder.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** Runs the script with no Python on the path: PyTorch takes minutes. */
async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { PATH: _path, PONDER_PYTHON: _python, ...env } = Deno.env.toObject();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-check", "--allow-all", ROOT + "bench/gpu.ts", ...args],
    env: { ...env, PATH: "", NO_COLOR: "1", OMP_NUM_THREADS: "1" },
    clearEnv: true,
  }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: out!, stderr: error! };
}

Deno.test("bench/gpu.ts times the step, trains, keeps what is done, and goes on from there", () =>
  inFolder(async (folder) => {
    const file = join(folder, "figures.json");
    await Deno.writeTextFile(file, JSON.stringify({ tests: "7 passed, 0 failed" }));
    const figures = (): Figures => JSON.parse(Deno.readTextFileSync(file));
    const args = [
      ...["--device=cpu", "--preset=tiny", `--out=${folder}`, "--minutes=0.15"],
      ...["--batch=2", "--rounds=1", "--steps=1"],
    ];
    const first = await run(...args);
    assertEquals(first.code, 0, first.stderr);
    assertMatch(first.stdout, /tests +7 passed, 0 failed/);
    assertMatch(first.stdout, /step, Ponder +[\d.]+ ms/);
    assertMatch(first.stdout, /step, PyTorch +– +no python3 with torch/);
    const { step, training } = figures();
    assert(training!.step > 0 && training!.step < training!.steps);
    const second = await run(...args);
    assertEquals(second.code, 0, second.stderr);
    assertEquals(figures().step, step, "it is not timed again");
    assert(figures().training!.step > training!.step);
    assertMatch(second.stdout, /training +step \d+ of \d+ +[\d.]+ minutes, [\d.]+% exact/);
  }));

Deno.test({
  name: "bench/gpu.ts without a GPU says so, and leaves nothing",
  ignore: gpuProblem === "",
  fn: () =>
    inFolder(async (folder) => {
      const { code, stderr } = await run(`--out=${join(folder, "out")}`);
      assertEquals(code, 2);
      assertStringIncludes(stderr, "There is nothing to measure here: Cannot compute on cuda");
      assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
    }),
});

Deno.test("rowsOf() holds PyTorch to Ponder, and names who took no turn", () => {
  const common = { range: [30, 32], deviceBytes: 2 ** 30, lossDifference: null } as const;
  const rows = rowsOf({
    step: {
      Ponder: { ...common, ms: 31 },
      "PyTorch eager": { ...common, ms: 62, lossDifference: 1e-6 },
      "torch.compile": "no compiler",
    },
  });
  assertEquals(rows.map(({ what, beside }) => [what, beside]), [
    ["tests", ""],
    ["step, Ponder", "1.00 GiB"],
    ["step, PyTorch eager", "Ponder is 2.00× as fast, 1.00 GiB, first loss 1e-6 off"],
    ["step, torch.compile", "no compiler"],
  ]);
});
