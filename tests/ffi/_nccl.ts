/** NCCL, and what stands in for it, where a test can have them. */
import { join } from "@std/path";
import { findMpi } from "../../ffi/locate_mpi.ts";
import { cudaFolder } from "./_cuda.ts";

const SOURCE = new URL("_nccl_double.c", import.meta.url).pathname;

const library = findMpi();

/** Why the stand-in for NCCL cannot be compiled; empty if it can. */
export const doubleProblem: string = library === null || !await canCompile()
  ? " (needs Open MPI, and a C compiler)"
  : "";

async function canCompile(): Promise<boolean> {
  try {
    return (await cc("--version")).success;
  } catch {
    return false;
  }
}

/** How the system's compiler of C ended. */
async function cc(...args: string[]): Promise<{ success: boolean; stderr: string }> {
  const { success, stderr } = await new Deno.Command("cc", { args }).output();
  return { success, stderr: new TextDecoder().decode(stderr) };
}

/** Compiles the stand-in for NCCL, which adds up in the host's memory, and says where it is. */
export async function ncclDouble(folder: string): Promise<string> {
  const file = join(folder, "libnccl_double.so");
  const { success, stderr } = await cc("-shared", "-fPIC", "-o", file, SOURCE, library!);
  if (!success) throw new Error(stderr);
  return file;
}

/** NVIDIA's declarations, in a wheel beside libtorch's build for CUDA; null where there are none. */
export const ncclHeader: string | null = findHeader();

function findHeader(): string | null {
  if (cudaFolder === null) return null;
  const file = join(cudaFolder, "..", "..", "nvidia", "nccl", "include", "nccl.h");
  try {
    return Deno.statSync(file).isFile ? file : null;
  } catch {
    return null;
  }
}

/** What the compiler says of the stand-in's functions beside those that NVIDIA declares. */
export async function compareWithHeader(folder: string, header: string): Promise<string> {
  // all that nccl.h takes of CUDA's headers
  await Deno.writeTextFile(
    join(folder, "cuda_runtime.h"),
    "#include <stddef.h>\ntypedef struct CUstream_st* cudaStream_t;\n",
  );
  await Deno.writeTextFile(join(folder, "cuda_fp16.h"), "");
  const { stderr } = await cc("-fsyntax-only", "-include", header, `-I${folder}`, SOURCE);
  return stderr;
}
