import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { findMpi, linkMpi } from "../../ffi/locate_mpi.ts";
import { inFolder } from "./_folder.ts";

/** An environment of these variables alone. */
function env(variables: Record<string, string>): Pick<typeof Deno.env, "get"> {
  return { get: (name) => variables[name] };
}

Deno.test("findMpi() takes what is named, then the linker's folders, then what lies beside mpirun", () =>
  inFolder(async (folder) => {
    const [linked, beside] = [join(folder, "linked"), join(folder, "lib")] as const;
    for (const path of [linked, beside]) {
      await Deno.mkdir(path);
      await Deno.writeTextFile(join(path, "libmpi.so.40"), "");
    }
    await Deno.mkdir(join(folder, "bin"));
    await Deno.writeTextFile(join(folder, "bin", "mpirun"), "");
    const PATH = `/nowhere:${join(folder, "bin")}`, LD_LIBRARY_PATH = `:/nowhere:${linked}`;
    assertEquals(findMpi(env({ PATH })), join(beside, "libmpi.so.40"));
    assertEquals(findMpi(env({ PATH, LD_LIBRARY_PATH })), join(linked, "libmpi.so.40"));
    assertEquals(findMpi(env({ PATH, PONDER_MPI: "/a/libmpi.so" })), "/a/libmpi.so");
  }));

Deno.test("linkMpi() points a link to the library, and leaves a file of the user's own", () =>
  inFolder(async (folder) => {
    const link = join(folder, ".mpi"), library = join(folder, "libmpi.so.40");
    for (const target of [join(folder, "older"), library]) {
      await Deno.writeTextFile(target, target);
      await linkMpi(link, env({ PONDER_MPI: target }));
      assertEquals(await Deno.readTextFile(link), target);
    }
    await Deno.remove(link);
    await Deno.writeTextFile(link, "own");
    await linkMpi(link, env({ PONDER_MPI: library }));
    assertEquals(await Deno.readTextFile(link), "own");
  }));
