/** Processes that Open MPI starts on this machine. */
import { findMpi } from "../../ffi/locate_mpi.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

const library = findMpi();

/** Why there is no such process to be had; empty if there is. */
export const mpiProblem: string = library === null || !await isOpenMpi()
  ? " (needs Open MPI: openmpi-bin)"
  : "";

async function isOpenMpi(): Promise<boolean> {
  try {
    const { stdout } = await new Deno.Command("mpirun", { args: ["--version"] }).output();
    return new TextDecoder().decode(stdout).includes("Open MPI");
  } catch {
    return false;
  }
}

/** `count` processes that run a script of this repository, on one thread each. */
export function mpirun(count: number, script: string, ...args: string[]): Deno.Command {
  const deno = ["run", "-q", "--no-check", "--allow-all", ROOT + script, ...args];
  return new Deno.Command("mpirun", {
    args: ["-n", `${count}`, "--oversubscribe", "--bind-to", "none", Deno.execPath(), ...deno],
    env: {
      ...{ NO_COLOR: "1", OMP_NUM_THREADS: "1", PONDER_MPI: library! },
      // containers run tests as root
      ...{ OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" },
    },
    stdout: "piped",
    stderr: "piped",
  });
}

/** How `mpirun` ended. */
export async function ended(
  running: Deno.Command | Deno.ChildProcess,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await running.output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: out!, stderr: error! };
}
