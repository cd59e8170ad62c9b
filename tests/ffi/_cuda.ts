/** Builds of libtorch for CUDA, and GPUs, where a test can have them. */
import { join } from "@std/path";
import { libraryFile, locateLibrary } from "../../ffi/locate.ts";

/** The `torch/lib` of a build for CUDA: what PONDER_CUDA_LIBTORCH names, else what is linked. */
export const cudaFolder: string | null = findBuild();

/** Why there is no such build to test; empty if there is. */
export const cudaProblem: string = cudaFolder === null
  ? " (needs PONDER_CUDA_LIBTORCH, the torch/lib of a CUDA build)"
  : "";

/** Why there is no GPU to test; empty if the library that is linked finds one. */
export const gpuProblem: string = await hasGpu() ? "" : " (needs a GPU)";

function findBuild(): string | null {
  const named = Deno.env.get("PONDER_CUDA_LIBTORCH") || locateLibrary({}).found?.directory;
  return named !== undefined && exists(join(named, libraryFile("cuda"))) ? named : null;
}

function exists(file: string): boolean {
  try {
    return Deno.statSync(file).isFile;
  } catch {
    return false;
  }
}

/** Whether a process of its own can make a tensor on a GPU: a test that fails must not stop all. */
async function hasGpu(): Promise<boolean> {
  const linked = locateLibrary({}).found?.directory;
  if (linked === undefined || !exists(join(linked, libraryFile("cuda")))) return false;
  const script = new URL("./_try_gpu.ts", import.meta.url).pathname;
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-check", "--allow-all", script],
  }).output();
  return success;
}
