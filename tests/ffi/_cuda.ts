/** Builds of libtorch for CUDA, and GPUs, where a test can have them. */
import { join } from "@std/path";
import type { Device } from "../../core/device.ts";
import { libraryFile, locateLibrary } from "../../ffi/locate.ts";

/** The `torch/lib` of a build for CUDA: what PONDER_CUDA_LIBTORCH names, else what is linked. */
export const cudaFolder: string | null = findBuild();

/** Why there is no such build to test; empty if there is. */
export const cudaProblem: string = cudaFolder === null
  ? " (needs PONDER_CUDA_LIBTORCH, the torch/lib of a CUDA build)"
  : "";

/** Where tests of a GPU compute: what PONDER_TEST_DEVICE names, which tries the tests themselves. */
export const gpu: Device = (Deno.env.get("PONDER_TEST_DEVICE") ?? "cuda") as Device;

/** Why there is no GPU to test; empty if the library that is linked finds one. */
export const gpuProblem: string = gpu !== "cuda" || await hasGpu() ? "" : " (needs a GPU)";

/** A test that needs a GPU, and says so where it is skipped. */
export function testGpu(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name: name + gpuProblem, ignore: gpuProblem !== "", fn });
}

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
