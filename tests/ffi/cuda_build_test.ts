/** A build of libtorch for CUDA, as far as it can be looked at without a GPU. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join, resolve } from "@std/path";
import { libraryFile } from "../../ffi/locate.ts";
import { findMpi } from "../../ffi/locate_mpi.ts";
import { schemas } from "../../ffi/operators.ts";
import { provision } from "../../ffi/provision.ts";
import { parseSchema } from "../../ffi/schema.ts";
import { runScript } from "../script.ts";
import { mpiProblem } from "../zoo/_mpi.ts";
import { cudaFolder, cudaProblem } from "./_cuda.ts";
import { inFolder } from "./_folder.ts";
import { wrongRows } from "./_schemas.ts";

const ignore = cudaProblem !== "";
const folder = cudaFolder ?? "";
/** Where there is a GPU these processes are not to see it. */
const env = { PONDER_LIBTORCH: folder, CUDA_VISIBLE_DEVICES: "" };

function testBuild(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name: name + cudaProblem, ignore, fn });
}

/** What a script that computes prints. */
async function printed(script: string): Promise<string> {
  const { stdout, stderr } = await runScript(script, ["--allow-all"], env);
  assertEquals(stderr, "");
  return stdout;
}

testBuild(
  "setup takes a CUDA build that is there, and no other variant than that asked for",
  () =>
    inFolder(async (place) => {
      const ask = (variant?: string) =>
        provision({
          variant,
          link: join(place, ".torch"),
          cacheDirectory: join(place, "cache"),
          report: () => {},
          env: { PONDER_LIBTORCH: folder },
          sources: ["existing"],
          check: async (path) => {
            const script = `import { loadLibrary } from "./ffi/mod.ts";
            console.log(loadLibrary({ path: ${JSON.stringify(path)} }).version);`;
            return { version: await printed(script) };
          },
        });
      const { version, directory } = await ask();
      assertMatch(version, /^2\.\d+\.\d+$/);
      assertEquals(directory, await Deno.realPath(folder));
      await assertRejects(() => ask("cpu"), Error, "not cpu");
      await assertRejects(() => ask("cu999"), Error, "not cu999");
    }),
);

testBuild(
  "A CUDA build computes on the CPU, and NVIDIA's libraries are found beside it",
  async () => {
    const script = `
    import { join } from "@std/path";
    import { ones, scope, tensor } from "./mod.ts";
    using _ = scope();
    const a = tensor([[1, 2], [3, 4]]);
    console.log(a.matmul(a).softmax(-1).sum().item());
    Deno.dlopen(${JSON.stringify(join(folder, libraryFile("cuda")))}, {});
    console.log("opened");
  `;
    assertEquals(await printed(script), "2\nopened");
  },
);

testBuild(
  "A CUDA build without a GPU ends with an error that says so, whatever ran before",
  async () => {
    const script = `
    import { full, ones, selfAttention, tensor } from "./mod.ts";
    const a = ones([2, 3, 24]);
    selfAttention([a], { heads: 1, rotary: null }).to("bfloat16").matmul(ones([8, 2]).to("bfloat16"));
    for (const make of [() => a.to("cuda"), () => ones([1], { device: "cuda:1" })]) {
      try {
        make();
      } catch (error) {
        console.log(error.name + ": " + error.message);
      }
    }
    console.log(a.sum().item());
  `;
    const lines = (await printed(script)).split("\n");
    assertEquals([lines.length, lines[0], lines[2]], [3, lines[1], "144"]);
    assertMatch(
      lines[0]!,
      /^LibraryError: Cannot compute on cuda with libtorch 2\.\S+ in ".*": no GPU is found/,
    );
  },
);

/** That a training ends with an error, in which no GPU is found, and starts no run. */
async function assertNoGpu(...flags: string[]): Promise<void> {
  await inFolder(async (place) => {
    const args = ["train", "hrm-sudoku", "--preset=tiny", "--device=cuda", ...flags];
    const { code, stderr } = await runScript(
      `import { main } from "./zoo/cli.ts"; import { runMain } from "./zoo/cli/flags.ts";
       await runMain(() => main(${JSON.stringify([...args, `--out=${join(place, "run")}`])}));`,
      ["--allow-all"],
      { ...env, PONDER_MPI: findMpi() ?? "" },
    );
    assertEquals(code, 1);
    assertStringIncludes(stderr, "no GPU is found");
    assertEquals(await Array.fromAsync(Deno.readDir(place)), []);
  });
}

testBuild(
  "train --device=cuda without a GPU fails with that error, and starts no run",
  () => assertNoGpu(),
);

Deno.test({
  name: `train --device=cuda --distributed without a GPU does so too${cudaProblem || mpiProblem}`,
  ignore: ignore || mpiProblem !== "",
  fn: () => assertNoGpu("--distributed"),
});

testBuild(
  "A CUDA build has every C function that is called: of the CPU, of CUDA, of its runtime",
  async () => {
    const script = `
    import { libraryFile } from "./ffi/locate.ts";
    import { cudaTable, kernelTable, symbolTable } from "./ffi/symbols.ts";
    const open = (file, table) =>
      Deno.dlopen(${JSON.stringify(folder)} + "/" + libraryFile(file), table).symbols;
    const held = [open("cpu", {}), open("cuda", {})];
    const missing = (file, prefix, table) =>
      Object.entries(table).filter(([row, symbol]) => {
        const name = prefix + (symbol.name ?? row);
        return open(file, { row: { ...symbol, name, optional: true } }).row === null;
      }).map(([row]) => row);
    console.log(JSON.stringify([
      missing("cpu", "", symbolTable),
      missing("cuda", "aoti_torch_cuda_", kernelTable),
      missing("cuda", "", cudaTable),
    ]), held.length);
  `;
    const onlyCpu = ["_linear_pointwise", "_linear_pointwise_binary"]; // oneDNN's
    assertEquals(await printed(script), `${JSON.stringify([[], onlyCpu, []])} 2`);
  },
);

testBuild("A CUDA build registers every operator as the table of schemas has it", () => {
  assertEquals(wrongRows(join(folder, libraryFile("cpu")), schemas), []);
});

const python = resolve(folder, "../../../../../bin/python");
const pythonProblem = cudaProblem ||
  (await runs(python) ? "" : " (needs the Python that the build is installed in)");

async function runs(command: string): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}

Deno.test({
  name: "Every operator but those of the CPU has a kernel for CUDA" + pythonProblem,
  ignore: pythonProblem !== "",
  fn: async () => {
    const names = Object.values(schemas).map((schema) => {
      const { name, overload } = parseSchema(schema);
      return overload === "" ? name : `${name}.${overload}`;
    });
    const script = `
import json, sys, torch
has = torch._C._dispatch_has_computed_kernel_for_dispatch_key
print(json.dumps([n for n in json.loads(sys.argv[1]) if not has(n, "CUDA")]))`;
    const { stdout, stderr } = await new Deno.Command(python, {
      args: ["-c", script, JSON.stringify(names)],
    }).output();
    const without = new TextDecoder().decode(stdout);
    assert(without !== "", new TextDecoder().decode(stderr));
    assertEquals(JSON.parse(without), [
      "aten::_scaled_dot_product_flash_attention_for_cpu",
      "aten::_scaled_dot_product_flash_attention_for_cpu_backward",
    ]);
  },
});
