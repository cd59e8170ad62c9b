/** NCCL's own library, as far as it can be called without a GPU, and what stands in for it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { runScript } from "../script.ts";
import { cudaFolder, cudaProblem } from "./_cuda.ts";
import { inFolder } from "./_folder.ts";
import { compareWithHeader, doubleProblem, ncclDouble, ncclHeader } from "./_nccl.ts";

/** Where there is a GPU these processes are not to see it. */
const env = { PONDER_LIBTORCH: cudaFolder ?? "", CUDA_VISIBLE_DEVICES: "" };

Deno.test({
  name:
    "NCCL is found by libtorch's build for CUDA, has every function that is called, and fails " +
    `in words without a GPU${cudaProblem}`,
  ignore: cudaProblem !== "",
  fn: async () => {
    const script = `
      import { join } from "@std/path";
      import { loadLibrary, textAt } from "./ffi/library.ts";
      import { libraryFile } from "./ffi/locate.ts";
      import { ncclTable, openNccl } from "./ffi/nccl.ts";
      const { directory } = loadLibrary(), file = join(directory, libraryFile("cuda"));
      const { ncclGetErrorString } = Deno.dlopen(file, ncclTable).symbols; // throws if one is missing
      const nccl = openNccl(file);
      const ids = [nccl.uniqueId(), nccl.uniqueId()].map((id) => [id.length, id.toHex()]);
      let message = "";
      try {
        const stream = { address: 0n, isDone: () => true };
        nccl.join({ id: nccl.uniqueId(), rank: 0, size: 1, stream });
      } catch (error) {
        message = error.name + ": " + error.message;
      }
      const errors = [0, 6].map((code) => textAt(ncclGetErrorString(code)));
      console.log(JSON.stringify({ version: nccl.version, ids, errors, message }));
    `;
    const flags = [`--allow-ffi=${cudaFolder}`, "--allow-read", "--allow-env"]; // of libtorch alone
    const { stdout, stderr, code } = await runScript(script, flags, env);
    assertEquals([code, stderr], [0, ""]);
    const { version, ids: [[length, id], [, other]], errors, message } = JSON.parse(stdout);
    assertMatch(version, /^NCCL 2\.\d+\.\d+$/);
    assertEquals(length, 128);
    assert(id !== other && /[^0]/.test(id));
    assertEquals(errors, ["no error", "remote process exited or there was a network error"]);
    assertMatch(
      message,
      /^LibraryError: ncclCommInitRank failed: unhandled cuda error .*, Cuda fail/,
    );
  },
});

Deno.test({
  name: `openNccl() says what to do where libtorch's part for CUDA has no NCCL${doubleProblem}`,
  ignore: doubleProblem !== "",
  fn: async () => {
    const script = `
      import { openNccl } from "./ffi/nccl.ts";
      openNccl("libm.so.6");
    `;
    const { code, stderr } = await runScript(script, ["--allow-all"]);
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /LibraryError: Cannot sum over GPUs by "libm.so.6": it brings no NCCL .*--variant=cu130/,
    );
  },
});

const headerProblem = ncclHeader === null
  ? " (needs nccl.h, in a wheel beside PONDER_CUDA_LIBTORCH)"
  : doubleProblem;

Deno.test({
  name: `The stand-in for NCCL is declared as NCCL is${headerProblem}`,
  ignore: headerProblem !== "",
  fn: () =>
    inFolder(async (folder) => {
      assertEquals(await compareWithHeader(folder, ncclHeader!), "");
    }),
});

Deno.test({
  name:
    `NcclGroup.settled() waits, serves timers, and says that another process is gone${doubleProblem}`,
  ignore: doubleProblem !== "",
  fn: () =>
    inFolder(async (folder) => {
      const script = `
        import { openNccl } from "./ffi/nccl.ts";
        import { joinMpi } from "./ffi/mpi.ts";
        import { findMpi } from "./ffi/locate_mpi.ts";
        import { loadLibrary } from "./ffi/mod.ts";
        loadLibrary();
        Deno.env.set("PONDER_MPI", findMpi());
        joinMpi();
        let isDone = false, timers = 0, asked = 0;
        const stream = { address: 0x57n, isDone: () => (asked++, isDone) };
        const nccl = openNccl(${JSON.stringify(await ncclDouble(folder))});
        const group = nccl.join({ id: nccl.uniqueId(), rank: 0, size: 1, stream });
        const ticking = setInterval(() => isDone = ++timers === 3, 5);
        await group.settled();
        clearInterval(ticking);
        console.log(nccl.version, timers, asked > 3);
        Deno.env.set("NCCL_DOUBLE_FAILS", "1");
        for (isDone of [false, true]) {
          await group.settled().catch((error) => console.log(error.name + ": " + error.message));
        }
        group.leave();
        try {
          nccl.join({ id: new Uint8Array(128), rank: 0, size: 1, stream });
        } catch (error) {
          console.log(error.message);
        }
      `;
      const { stdout, stderr } = await runScript(script, ["--allow-all"]);
      const gone = "remote process exited or there was a network error";
      assertEquals(stdout.split("\n"), [
        "NCCL 2.99.7 3 true",
        ...new Array(2).fill(`LibraryError: A sum over GPUs failed: ${gone}`),
        "ncclCommInitRank failed: invalid, another id",
      ], stderr);
    }),
});
