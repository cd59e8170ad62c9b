import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { LibraryError } from "../../ffi/errors.ts";
import { loadLibrary } from "../../ffi/library.ts";
import { libraryFile } from "../../ffi/locate.ts";
import { runScript, type ScriptResult } from "../script.ts";
import { inFolder } from "./_folder.ts";

const root = fromFileUrl(new URL("../..", import.meta.url)).replace(/[\\/]$/, "");
const link = join(root, ".torch");

/** Loads the library in a process of its own, and prints the error. */
function load(flags: readonly string[], env: Record<string, string> = {}): Promise<ScriptResult> {
  const script = `
    import { loadLibrary, ones } from "./mod.ts";
    try {
      ones([1]);
      console.log("loaded", loadLibrary().version);
    } catch (error) {
      console.log(error.name + ": " + error.message);
    }
  `;
  return runScript(script, flags, { PONDER_LIBTORCH: "", ...env });
}

/** The same with a folder that holds a file of libtorch's name. */
async function loadFile(write: (file: string) => Promise<void>): Promise<string> {
  let result = "";
  await inFolder(async (folder) => {
    await write(join(folder, libraryFile("cpu")));
    const { stdout } = await load(["--allow-all"], { PONDER_LIBTORCH: folder });
    result = stdout.replaceAll(folder, "FOLDER");
  });
  return result;
}

Deno.test("loadLibrary() says which library, version and threads; again it answers the same", () => {
  const info = loadLibrary();
  assertMatch(info.version, /^2\.\d+\.\d+$/);
  assert(info.threads >= 1);
  assertEquals(loadLibrary(), info);
  assertEquals(loadLibrary({ path: info.directory }), info);
  assertEquals(loadLibrary({ path: join(info.directory, libraryFile("cpu")) }), info);
  assertEquals(loadLibrary({ threads: info.threads }), info);
});

Deno.test("loadLibrary() refuses another path and other threads once it is loaded", () => {
  const { directory, threads } = loadLibrary();
  for (const path of ["/nowhere", directory + "2"]) {
    assertThrows(
      () => loadLibrary({ path }),
      LibraryError,
      `Cannot load "${path}": "${directory}"`,
    );
  }
  assertThrows(
    () => loadLibrary({ threads: threads + 1 }),
    LibraryError,
    `Cannot use ${threads + 1} threads: libtorch is loaded already and uses ${threads}`,
  );
});

Deno.test("loadLibrary() takes a relative path and a number of threads, and again the same", async () => {
  const script = `
    import { loadLibrary, ones } from "./mod.ts";
    const first = loadLibrary({ path: "./.torch", threads: 2 });
    console.log(ones([2]).sum().item(), first.threads, loadLibrary({ path: "./.torch" }) === first);
  `;
  const { stdout, stderr } = await runScript(script, ["--allow-all"], { OMP_NUM_THREADS: "1" });
  assertEquals([stdout, stderr], ["2 2 true", ""]);
});

Deno.test("loadLibrary() of a folder that is not there says so, and what to do", async () => {
  const { stdout } = await load(["--allow-all"], { PONDER_LIBTORCH: "/no/such/folder" });
  assertStringIncludes(
    stdout,
    `LibraryError: Cannot find libtorch (${libraryFile("cpu")}). Tried:`,
  );
  assertStringIncludes(stdout, "PONDER_LIBTORCH: /no/such/folder: no such folder");
  assertStringIncludes(stdout, "Run `deno task setup`");
});

Deno.test("loadLibrary() of a file that is no library says why it cannot be opened", async () => {
  const stdout = await loadFile((file) => Deno.writeTextFile(file, "not a library"));
  assertStringIncludes(stdout, `LibraryError: Cannot open "FOLDER/${libraryFile("cpu")}": `);
  assertStringIncludes(stdout, "'deno task setup' installs one that works");
});

Deno.test({
  name: "loadLibrary() of another library names the first symbol that it lacks",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const stdout = await loadFile((file) => Deno.copyFile(join(link, "libgomp.so.1"), file));
    assertStringIncludes(stdout, `LibraryError: Cannot use "FOLDER/libtorch_cpu.so": it lacks `);
    assertMatch(
      stdout,
      /it lacks (aoti_)?torch_\w+, so it is older than libtorch 2\.11 or another build/,
    );
  },
});

Deno.test("loadLibrary() without --allow-ffi names the flag that is missing", async () => {
  const { stdout } = await load(["--allow-read", "--allow-env"]);
  assertStringIncludes(stdout, `LibraryError: Cannot open "${join(link, libraryFile("cpu"))}": `);
  assertStringIncludes(stdout, `run again with --allow-ffi=${link}`);
});

Deno.test("loadLibrary() without any permission names the flags that are missing", async () => {
  const { stdout } = await load([]);
  assertStringIncludes(stdout, "LibraryError: Cannot find libtorch");
  assertStringIncludes(
    stdout,
    `${link}: may not be read: add --allow-read=${link} and --allow-ffi=${link}`,
  );
});

Deno.test("Importing Ponder opens nothing and needs no permission", async () => {
  const script = `import "./mod.ts"; import "./models/mod.ts"; console.log("imported");`;
  const { stdout, stderr } = await runScript(script, []);
  assertEquals([stdout, stderr], ["imported", ""]);
});

Deno.test("--allow-ffi=./.torch is all that computing and printing a tensor needs", async () => {
  const script = `
    import { grad, tensor } from "./mod.ts";
    const x = tensor([[1, 2], [3, 4]]).requireGrad();
    console.log(x.matmul(x));
    console.log(grad(x.matmul(x).sum(), [x])[0].toNumbers());
  `;
  const { code, stdout, stderr } = await runScript(script, ["--allow-ffi=./.torch"]);
  assertEquals(stderr, "");
  assertEquals(stdout, "Tensor float32 [2, 2]\n[[ 7, 10],\n [15, 22]]\n[ 7, 11, 9, 13 ]");
  assertEquals(code, 0);
});

Deno.test("setting threads without --allow-env names the flag, and loads nothing", async () => {
  const script = `
    import { loadLibrary } from "./mod.ts";
    try {
      loadLibrary({ threads: 1 });
    } catch (error) {
      console.log(error.name + ": " + error.message);
    }
    console.log(loadLibrary().version !== undefined);
  `;
  const { stdout } = await runScript(script, ["--allow-ffi=./.torch"]);
  assertStringIncludes(stdout, "--allow-env");
  assertStringIncludes(stdout, "true");
});
