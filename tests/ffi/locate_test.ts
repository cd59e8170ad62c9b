import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import {
  libraryCandidates,
  libraryFile,
  locateLibrary,
  type LocateOptions,
  notFoundMessage,
} from "../../ffi/locate.ts";
import { inFolder } from "./_folder.ts";

/** Makes a folder that looks like a libtorch. */
async function makeLibrary(folder: string): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, libraryFile()), "");
  return folder;
}

/** Looks in `folder` alone: its `.torch`, its `cache`, and what the options name. */
function locate(folder: string, options: LocateOptions = {}) {
  const places = { cwd: folder, link: ".torch", cacheDirectory: join(folder, "cache"), env: {} };
  return locateLibrary({ ...places, ...options });
}

Deno.test("libraryFile() names the library of each system", () => {
  assertEquals(libraryFile("cpu", "linux"), "libtorch_cpu.so");
  assertEquals(libraryFile("cpu", "darwin"), "libtorch_cpu.dylib");
  assertEquals(libraryFile("cuda", "windows"), "torch_cuda.dll");
});

Deno.test("libraryCandidates() goes from the argument to the variable, the link and the cache", () => {
  const env = { PONDER_LIBTORCH: "named", HOME: "/home/me", USERPROFILE: "/home/me" };
  const found = libraryCandidates({
    path: "/x/libtorch_cpu.so",
    env,
    cwd: "/project",
    link: ".torch",
  });
  assertEquals(found.slice(0, 3), [
    { source: "argument", directory: "/x" },
    { source: "PONDER_LIBTORCH", directory: "/project/named" },
    { source: "./.torch", directory: "/project/.torch" },
  ]);
  assertEquals(found[3]!.directory, "/home/me/.cache/ponder/libtorch");
  const xdg = libraryCandidates({ env: { XDG_CACHE_HOME: "/c" }, cwd: "/project" });
  assertEquals(xdg.at(-1)!.directory, "/c/ponder/libtorch");
});

Deno.test("libraryCandidates() looks for .torch beside the current folder and beside deno.json", () => {
  const root = new URL("../../.torch", import.meta.url).pathname;
  const links = libraryCandidates({ env: {}, cwd: "/project", home: "/" })
    .filter(({ source }) => source === "./.torch").map(({ directory }) => directory);
  assertEquals(links, ["/project/.torch", root]);
});

Deno.test("locateLibrary() takes a file, torch, torch/lib, lib and the folder above", async () => {
  await inFolder(async (folder) => {
    const directory = await makeLibrary(join(folder, "torch", "lib"));
    const forms = [
      "torch",
      "torch/lib",
      `torch/lib/${libraryFile()}`,
      "torch/lib/libtorch.so",
      ".",
    ];
    for (const path of forms) {
      assertEquals(locate(folder, { path }).found, { source: "argument", directory }, path);
      const env = { PONDER_LIBTORCH: join(folder, path) };
      assertEquals(locate(folder, { env }).found, { source: "PONDER_LIBTORCH", directory }, path);
    }
  });
});

Deno.test("locateLibrary() refuses a named folder without libtorch instead of replacing it", async () => {
  await inFolder(async (folder) => {
    await makeLibrary(join(folder, ".torch"));
    await Deno.mkdir(join(folder, "empty"));
    const { found, tried } = locate(folder, { path: "empty" });
    assertEquals(found, undefined);
    const reason = `has no ${libraryFile()}`;
    assertEquals(tried, [{ source: "argument", directory: join(folder, "empty"), reason }]);
    const env = { PONDER_LIBTORCH: join(folder, "nowhere") };
    assertEquals(locate(folder, { env }).tried.map(({ reason }) => reason), ["no such folder"]);
    assertEquals(locate(folder, { env: { PONDER_LIBTORCH: "" } }).found?.source, "./.torch");
  });
});

Deno.test("locateLibrary() keeps the path of the link and sees where it dangles", async () => {
  await inFolder(async (folder) => {
    const real = await makeLibrary(join(folder, "real"));
    const link = join(folder, ".torch");
    await Deno.symlink(real, link, { type: "junction" });
    assertEquals(locate(folder).found, { source: "./.torch", directory: link });
    await Deno.remove(real, { recursive: true });
    const { found, tried } = locate(folder);
    assertEquals(found, undefined);
    assertEquals(tried[0]!.reason, "is a link to a folder that no longer exists");
  });
});

Deno.test("locateLibrary() takes the newest of the cache", async () => {
  await inFolder(async (folder) => {
    for (const name of ["2.9.1-cpu", "2.13.0-cpu", "2.13.0-cu126", ".2.14.0-cpu.1234"]) {
      await makeLibrary(join(folder, "cache", name, "lib"));
    }
    await Deno.mkdir(join(folder, "cache", "2.14.0-cpu"));
    const { found, tried } = locate(folder);
    assertEquals(found?.directory, join(folder, "cache", "2.13.0-cu126", "lib"));
    assertEquals(tried.map(({ reason }) => reason), ["no such folder", "no such folder"]);
  });
});

Deno.test({
  name: "locateLibrary() without permissions names the flags and does not ask",
  permissions: "none",
  fn() {
    const { found, tried } = locateLibrary({ cwd: "/nowhere", link: ".torch" });
    assertEquals(found, undefined);
    const message = notFoundMessage(tried);
    assertStringIncludes(message, "--allow-env=PONDER_LIBTORCH");
    assertStringIncludes(message, "--allow-read=/nowhere/.torch and --allow-ffi=/nowhere/.torch");
    assertStringIncludes(message, "--allow-env=HOME");
  },
});

Deno.test({
  name: "locateLibrary() returns a link that may be opened but not read, unchecked",
  permissions: { ffi: ["/nowhere/.torch"] },
  fn() {
    const { found } = locateLibrary({ cwd: "/nowhere" });
    assertEquals(found, { source: "./.torch", directory: "/nowhere/.torch", unchecked: true });
  },
});

Deno.test("notFoundMessage() lists every path, its reason and the command that helps", () => {
  const message = notFoundMessage([
    { source: "./.torch", directory: "/project/.torch", reason: "no such folder" },
    { source: "cache", directory: "/c", reason: "holds no libtorch" },
  ], "linux");
  assertEquals(
    message,
    `Cannot find libtorch (libtorch_cpu.so). Tried:
  ./.torch: /project/.torch: no such folder
  cache: /c: holds no libtorch
Run \`deno task setup\` to find or fetch it, or set PONDER_LIBTORCH to the folder that holds it`,
  );
  assert(!message.endsWith("\n"));
});
