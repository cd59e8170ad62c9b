/**
 * Finds Open MPI's library and links it, so that it may be opened by a permission for it alone.
 *
 * @module
 */
import { dirname, join } from "@std/path";
import { pointLink } from "./_link.ts";

/** The name under which Open MPI 4 and 5 are installed; MPICH's has another number. */
const FILE = "libmpi.so.40";

/** Variables of an environment. */
type Environment = Pick<typeof Deno.env, "get">;

/** Links `link` to Open MPI's library, where there is one and nothing else lies there. */
export async function linkMpi(link: string, env: Environment = Deno.env): Promise<void> {
  const file = findMpi(env);
  if (file === null || isOwn(link)) return;
  await pointLink(link, file);
}

/** The library that belongs to the `mpirun` of this shell, else one that lies where it often does. */
export function findMpi(env: Environment = Deno.env): string | null {
  const named = env.get("PONDER_MPI");
  if (named) return named;
  const folders = [
    ...listOf(env.get("LD_LIBRARY_PATH")),
    ...listOf(env.get("PATH")).flatMap(besidePrograms),
    `/usr/lib/${Deno.build.arch}-linux-gnu`,
    ...["/usr/lib64/openmpi/lib", "/usr/lib64", "/usr/local/lib", "/opt/openmpi/lib", "/usr/lib"],
  ];
  return folders.map((folder) => join(folder, FILE)).find(isThere) ?? null;
}

/** Where a library lies whose programs lie in `folder`: none without an mpirun. */
function besidePrograms(folder: string): string[] {
  if (!isThere(join(folder, "mpirun"))) return [];
  return ["lib", "lib64"].map((name) => join(dirname(folder), name));
}

function listOf(variable: string | undefined): string[] {
  return (variable ?? "").split(":").filter((folder) => folder !== "");
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Whether something lies at `path` that is no link. */
function isOwn(path: string): boolean {
  try {
    return !Deno.lstatSync(path).isSymlink;
  } catch {
    return false;
  }
}
