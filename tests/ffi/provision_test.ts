import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { dirname, join, toFileUrl } from "@std/path";
import { provision, type ProvisionOptions } from "../../ffi/provision.ts";
import { libraryFile } from "../../ffi/locate.ts";
import { unzip } from "../../ffi/_unzip.ts";
import {
  buildInNames,
  chooseWheel,
  libraryEntry,
  PINNED,
  remoteArchive,
} from "../../ffi/_wheel.ts";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { inFolder, namesIn, sha256 } from "./_folder.ts";

const WHEEL = "torch-2.13.0+cpu-cp310-cp310-manylinux_2_28_x86_64.whl";
/** A wheel's name for the machine that runs the test. */
const HERE = wheelHere();
const isUnix = Deno.build.os !== "windows";

function wheelHere(): string {
  const { os, arch } = Deno.build;
  if (os === "windows") return "torch-2.13.0+cpu-cp310-cp310-win_amd64.whl";
  if (os === "linux") return WHEEL.replace("x86_64", arch);
  return "torch-2.13.0-cp310-none-macosx_14_0_arm64.whl";
}

/** A zip archive of these entries, the names in `stored` uncompressed. */
async function zip(
  entries: Record<string, Uint8Array | string>,
  stored: string[] = [],
): Promise<Uint8Array<ArrayBuffer>> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  for (const [name, content] of Object.entries(entries)) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const level = stored.includes(name) ? 0 : 6;
    await writer.add(name, new Uint8ArrayReader(bytes), { level });
  }
  return new Uint8Array(await writer.close());
}

/** A wheel whose library says which version it is, and is otherwise none. */
function wheel(version: string): Promise<Uint8Array<ArrayBuffer>> {
  return zip({
    [`torch/lib/${libraryFile()}`]: version,
    "torch/lib/libc10.so": "c10",
    "torch/lib/libtorch_python.so": "python",
    "torch/__init__.py": "raise SystemExit",
    [`torch-${version}+cpu.dist-info/METADATA`]: "",
  });
}

/** Opens the pretended library of {@link wheel}. */
async function check(directory: string): Promise<{ version: string }> {
  const version = await Deno.readTextFile(join(directory, libraryFile()));
  if (version === "broken") throw new Error("cannot be opened: it is broken");
  return { version };
}

/** Makes a folder with a pretended library. */
async function makeLibrary(folder: string, version: string): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, libraryFile()), version);
  return folder;
}

/** An index of wheels at work on this machine, and how often each path was asked for. */
async function indexing(
  files: Record<string, Uint8Array<ArrayBuffer>>,
  work: (index: { url: string; asked: Map<string, number> }) => Promise<void>,
): Promise<void> {
  const asked = new Map<string, number>();
  const links = await Promise.all(
    Object.entries(files).map(async ([name, bytes]) =>
      `<a href="/files/${encodeURIComponent(name)}#sha256=${await sha256(bytes)}">${name}</a><br/>`
    ),
  );
  const listen = { hostname: "127.0.0.1", port: 0, onListen() {} };
  const server = Deno.serve(listen, (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname);
    asked.set(path, (asked.get(path) ?? 0) + 1);
    if (path === "/whl/cpu/torch/") return new Response(links.join("\n"));
    const bytes = files[path.replace("/files/", "")];
    return bytes === undefined ? new Response(null, { status: 404 }) : new Response(bytes);
  });
  try {
    await work({ url: `http://127.0.0.1:${server.addr.port}/whl`, asked });
  } finally {
    await server.shutdown();
  }
}

/** Provisions inside `folder` alone; the lines that it reported. */
function provisionIn(folder: string, lines: string[], options: Partial<ProvisionOptions> = {}) {
  return provision({
    link: join(folder, ".torch"),
    cacheDirectory: join(folder, "cache"),
    report: (line) => lines.push(line),
    check,
    env: { PATH: join(folder, "bin"), ...options.env },
    ...Object.fromEntries(Object.entries(options).filter(([key]) => key !== "env")),
  });
}

/** Puts a `python3` on the PATH of {@link provisionIn}. */
async function makePython(folder: string, script: string): Promise<void> {
  await Deno.mkdir(join(folder, "bin"), { recursive: true });
  const file = join(folder, "bin", "python3");
  await Deno.writeTextFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** Where the link leads. */
function linkOf(folder: string): Promise<string> {
  return Deno.realPath(join(folder, ".torch"));
}

// The parts

Deno.test("libraryEntry() keeps the libraries and drops Python, headers and tests", () => {
  const kept = {
    "torch/lib/libtorch_cpu.so": "libtorch_cpu.so",
    "torch/lib/libgomp.so.1": "libgomp.so.1",
    "torch/lib/libomp.dylib": "libomp.dylib",
    "torch/lib/c10.dll": "c10.dll",
    "torch.libs/libgfortran-1234.so.5.0.0": "libgfortran-1234.so.5.0.0",
    "libtorch/lib/libc10.so": "libc10.so",
    "nvidia/cu13/lib/libcublas.so.13": "libcublas.so.13",
    "nvidia/cudnn/lib/libcudnn.so.9": "libcudnn.so.9",
  };
  for (const [entry, name] of Object.entries(kept)) assertEquals(libraryEntry(entry), name);
  const dropped = ["torch/lib/libtorch_python.so", "torch/lib/libshm.so", "torch/lib/libshm/err.h"];
  dropped.push("torch/__init__.py", "torch/lib/../../x.so", "torch/lib/libtorchbind_test.so");
  for (const entry of dropped) assertEquals(libraryEntry(entry), undefined);
});

Deno.test("chooseWheel() takes the release, build and machine asked for, a pinned one first", () => {
  const pinned = "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl";
  const names = [
    WHEEL.replace("2.13.0", "2.12.0"),
    WHEEL.replace("x86_64", "aarch64"),
    WHEEL.replace("manylinux_2_28_x86_64", "win_amd64"),
    "torch-2.13.0-cp312-none-macosx_14_0_arm64.whl",
    WHEEL,
    pinned,
  ];
  const page = names.map((name) =>
    `<a data-x="1" href="../${name.replace("+", "%2B")}#sha256=${PINNED[name] ?? "ab".repeat(32)}">`
  ).join();
  const choose = (os: typeof Deno.build.os, arch: typeof Deno.build.arch, version = "2.13.0") =>
    chooseWheel(page, "https://a.org/whl/cpu/torch/", {
      version,
      variant: "cpu",
      platform: { os, arch },
    });
  assertEquals(choose("linux", "x86_64")?.name, pinned);
  assertEquals(choose("linux", "x86_64")?.sha256, PINNED[pinned]);
  assertEquals(choose("linux", "x86_64", "2.12.0")?.sha256, "ab".repeat(32));
  const url = "https://a.org/whl/cpu/torch-2.13.0-cp312-none-macosx_14_0_arm64.whl";
  assertEquals(choose("darwin", "aarch64")?.url.href, url);
  assertEquals(choose("windows", "x86_64")?.name, names[2]);
  assertEquals(choose("darwin", "x86_64"), undefined);
  assertEquals(choose("freebsd", "x86_64"), undefined);
});

Deno.test("remoteArchive() refuses a published checksum that is not the pinned one", () => {
  const [name] = Object.keys(PINNED);
  const url = new URL(`https://a.org/${encodeURIComponent(name!)}#sha256=${"0".repeat(64)}`);
  assertThrows(() => remoteArchive(url), Error, "a.org publishes SHA-256 000");
});

Deno.test("unzip() writes the chosen entries, compressed or stored, and counts the bytes", async () => {
  await inFolder(async (folder) => {
    const large = crypto.getRandomValues(new Uint8Array(60_000));
    const entries = { "a/large.so": new Uint8Array([...large, ...large]), "a/small": "s", b: "no" };
    const archive = join(folder, "x.zip");
    await Deno.writeFile(archive, await zip(entries, ["a/small"]));
    const told: number[] = [];
    const names = await unzip(archive, join(folder, "out"), {
      select: (entry) => entry.startsWith("a/") ? entry.slice(2) : undefined,
      onProgress: ({ written, total }) => told.push(written / total),
    });
    assertEquals(names, ["large.so", "small"]);
    assertEquals(await Deno.readFile(join(folder, "out", "large.so")), entries["a/large.so"]);
    assertEquals(await Deno.readTextFile(join(folder, "out", "small")), "s");
    assertEquals(told.at(-1), 1);
  });
});

Deno.test("unzip() says what is wrong with a damaged archive, and that the disk is full", async () => {
  await inFolder(async (folder) => {
    const archive = join(folder, "x.zip");
    const bytes = await zip({ "a.so": "some text to be damaged" }, ["a.so"]);
    const select = (name: string) => name;
    const start = new TextDecoder("latin1").decode(bytes).indexOf("damaged");
    await Deno.writeFile(archive, bytes.with(start, 0));
    await assertRejects(() => unzip(archive, folder, { select }), Error, "Cannot unpack");
    await Deno.writeFile(archive, bytes.subarray(0, bytes.length / 2));
    await assertRejects(() => unzip(archive, folder, { select }), Error, "Cannot unpack");
    if (Deno.build.os !== "linux") return;
    await Deno.writeFile(archive, bytes);
    await Deno.mkdir(join(folder, "full"));
    await Deno.symlink("/dev/full", join(folder, "full", "a.so"));
    const full = join(folder, "full");
    await assertRejects(() => unzip(archive, full, { select }), Error, "the disk is full");
  });
});

// (a) already there

Deno.test("provision() links to a library in the cache, and then leaves it at that", async () => {
  await inFolder(async (folder) => {
    const directory = await makeLibrary(join(folder, "cache", "2.12.0-cpu", "lib"), "2.12.0");
    const lines: string[] = [];
    const link = join(folder, ".torch");
    const result = await provisionIn(folder, lines);
    assertEquals(result, { directory, link, source: "cache", version: "2.12.0" });
    assertEquals(await linkOf(folder), directory);
    const { mtime } = await Deno.lstat(link);
    assertEquals((await provisionIn(folder, lines)).source, "./.torch");
    assertEquals((await Deno.lstat(link)).mtime, mtime);
    assertEquals(lines, []);
  });
});

Deno.test("provision() replaces a link that dangles or leads to a library that does not open", async () => {
  await inFolder(async (folder) => {
    const good = await makeLibrary(join(folder, "good"), "2.13.0");
    const bad = await makeLibrary(join(folder, "bad"), "broken");
    for (const target of [join(folder, "nowhere"), bad]) {
      const link = join(folder, ".torch");
      await Deno.remove(link).catch(() => {});
      await Deno.symlink(target, link, { type: "junction" });
      await makeLibrary(join(folder, "cache", "2.13.0-cpu", "lib"), "2.13.0");
      await provisionIn(folder, []);
      assertEquals(await linkOf(folder), join(folder, "cache", "2.13.0-cpu", "lib"));
    }
    const env = { PONDER_LIBTORCH: good };
    assertEquals((await provisionIn(folder, [], { env })).source, "PONDER_LIBTORCH");
    assertEquals(await linkOf(folder), good);
    assertEquals(await namesIn(folder), [".torch", "bad", "cache", "good"]);
  });
});

Deno.test("provision() takes nothing else where a release or a build is asked for", async () => {
  await inFolder(async (folder) => {
    await makeLibrary(join(folder, "cache", "2.12.0-cpu", "lib"), "2.12.0");
    await Deno.writeTextFile(join(folder, "cache", "2.12.0-cpu", "version"), "2.12.0+cpu\n");
    const sources = ["existing"] as const;
    const ask = (options: Partial<ProvisionOptions>) =>
      provisionIn(folder, [], { sources, ...options });
    await assertRejects(() => ask({ version: "2.13.0" }), Error, "is 2.12.0, not 2.13.0");
    await assertRejects(() => ask({ variant: "cu126" }), Error, "is cpu, not cu126");
    assertEquals((await ask({ version: "2.12.0", variant: "cpu" })).version, "2.12.0");
  });
});

Deno.test("provision() never removes a folder that is in the way of the link", async () => {
  await inFolder(async (folder) => {
    await Deno.mkdir(join(folder, ".torch"));
    await assertRejects(() => provisionIn(folder, []), Error, "is in the way");
    assertEquals(await namesIn(folder), [".torch"]);
  });
});

// (b) the official archive

Deno.test("provision() downloads, checks, unpacks and links the wheel of an index", async () => {
  const files = {
    [HERE]: await wheel("2.13.0"),
    [WHEEL.replace("2.13.0", "2.12.0")]: await zip({}),
  };
  await indexing(files, async ({ url }) => {
    await inFolder(async (folder) => {
      const lines: string[] = [];
      const told: string[] = [];
      const result = await provisionIn(folder, lines, {
        env: { PONDER_LIBTORCH_URL: url },
        onProgress: ({ what, done, total }) => told.push(`${what} ${done === total}`),
      });
      const home = join(folder, "cache", "2.13.0-cpu");
      assertEquals(result.source, "archive");
      assertEquals(await linkOf(folder), join(home, "lib"));
      assertEquals(await namesIn(join(home, "lib")), ["libc10.so", libraryFile()].sort());
      assertStringIncludes(await Deno.readTextFile(join(home, "version")), "2.13.0");
      assertEquals(await namesIn(join(folder, "cache")), ["2.13.0-cpu"]);
      assertStringIncludes(lines.join("\n"), "downloading http://127.0.0.1");
      assert(told.includes(`unpacking ${HERE} true`));
    });
  });
});

Deno.test("provision() twice at once downloads once, and both end linked", async () => {
  await indexing({ [HERE]: await wheel("2.13.0") }, async ({ url, asked }) => {
    await inFolder(async (folder) => {
      const env = { PONDER_LIBTORCH_URL: url };
      const results = await Promise.all([1, 2, 3].map(() => provisionIn(folder, [], { env })));
      assertEquals(results.map(({ source }) => source).sort(), ["archive", "cache", "cache"]);
      assertEquals(asked.get(`/files/${HERE}`), 1);
      assertEquals(await namesIn(folder), [".torch", "cache"]);
      assertEquals(await namesIn(join(folder, "cache")), ["2.13.0-cpu"]);
    });
  });
});

Deno.test("provision() clears what a setup that was cut short left in the cache", async () => {
  await indexing({ [HERE]: await wheel("2.13.0") }, async ({ url }) => {
    await inFolder(async (folder) => {
      await makeLibrary(join(folder, "cache", ".2.13.0-cpu.12345678", "lib"), "broken");
      await makeLibrary(join(folder, "cache", "2.13.0-cpu", "lib"), "broken");
      await provisionIn(folder, [], { env: { PONDER_LIBTORCH_URL: url } });
      assertEquals(await namesIn(join(folder, "cache")), ["2.13.0-cpu"]);
      assertEquals((await check(join(folder, ".torch"))).version, "2.13.0");
    });
  });
});

Deno.test("provision() unpacks a wheel on this machine that PONDER_LIBTORCH_URL names", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, HERE);
    await Deno.writeFile(file, await wheel("2.13.0"));
    const url = toFileUrl(file);
    const lines: string[] = [];
    url.hash = `sha256=${"0".repeat(64)}`;
    const options = { env: { PONDER_LIBTORCH_URL: url.href }, offline: true };
    const failed = () => provisionIn(folder, lines, { ...options, sources: ["archive"] });
    await assertRejects(failed, Error, `not ${"0".repeat(64)}`);
    url.hash = "";
    options.env.PONDER_LIBTORCH_URL = url.href;
    assertEquals((await provisionIn(folder, lines, options)).source, "archive");
    assertEquals(await namesIn(folder), [".torch", "cache", HERE]); // the wheel is not ours
  });
});

Deno.test("provision() leaves the link and the cache alone when nothing works, and says all", async () => {
  const files = { [HERE]: await wheel("broken") };
  await indexing(files, async ({ url }) => {
    await inFolder(async (folder) => {
      const old = await makeLibrary(join(folder, "old"), "2.9.1");
      await Deno.symlink(old, join(folder, ".torch"), { type: "junction" });
      const lines: string[] = [];
      const env = { PONDER_LIBTORCH_URL: url };
      const error = await assertRejects(() => provisionIn(folder, lines, { env }), Error);
      const parts = [
        "Cannot set up libtorch 2.13.0 (cpu)",
        "already there: ",
        ".torch is 2.9.1, older than 2.11.0",
        "official archive: what was unpacked cannot be opened: it is broken",
        "Python's torch: python3 is not on PATH; python is not on PATH",
        "pip: there is no pip (python3 -m pip is not on PATH, ",
        "deno task setup",
        "PONDER_LIBTORCH_URL",
      ];
      for (const part of parts) assertStringIncludes(error.message, part);
      assertEquals(lines.filter((line) => line.startsWith("official archive: ")).length, 1);
      assertEquals(await linkOf(folder), old);
      assertEquals(await namesIn(join(folder, "cache")), []);
    });
  });
});

Deno.test("provision() says why an index does not serve", async () => {
  await indexing({ [HERE]: await zip({ "README.md": "" }) }, async ({ url }) => {
    await inFolder(async (folder) => {
      const ask = (address: string, options: Partial<ProvisionOptions> = {}) => () =>
        provisionIn(folder, [], {
          env: { PONDER_LIBTORCH_URL: address },
          sources: ["archive"],
          ...options,
        });
      await assertRejects(ask(url), Error, `has no ${libraryFile()}`);
      await assertRejects(ask(url, { version: "2.14.0" }), Error, "has no torch 2.14.0 for");
      await assertRejects(ask(`${url}/x`), Error, "answered 404 to");
      await assertRejects(ask("nonsense"), Error, "Invalid URL");
      await assertRejects(ask(url, { offline: true }), Error, "to keep off the network");
      await assertRejects(ask(url, { version: "2" }), RangeError, "expected a release");
      await assertRejects(ask(url, { variant: "gpu" }), RangeError, "expected cpu or a CUDA build");
      if (Deno.build.os !== "linux") return;
      await assertRejects(ask(url, { variant: "cu126" }), Error, "which pip finds");
    });
  });
});

Deno.test("provision() that is stopped in a download leaves no link, and resumes later", async () => {
  await inFolder(async (folder) => {
    const bytes = await wheel("2.13.0");
    const digest = await sha256(bytes);
    const stop = new AbortController();
    const ranges: (string | null)[] = [];
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
      const range = request.headers.get("range");
      ranges.push(range);
      if (range === null) {
        setTimeout(() => stop.abort(new Error("stopped")), 50);
        const start = (controller: ReadableStreamDefaultController<Uint8Array>) =>
          controller.enqueue(bytes.subarray(0, 100));
        return new Response(new ReadableStream({ start }));
      }
      const headers = { "content-range": `bytes 100-${bytes.length - 1}/${bytes.length}` };
      return new Response(bytes.subarray(100), { status: 206, headers });
    });
    const url = `http://127.0.0.1:${server.addr.port}/${encodeURIComponent(HERE)}#sha256=${digest}`;
    const options = { env: { PONDER_LIBTORCH_URL: url }, sources: ["archive"] as const };
    const stopped = () => provisionIn(folder, [], { ...options, signal: stop.signal });
    await assertRejects(stopped, Error, "stopped");
    assertEquals(await namesIn(folder), ["cache"]);
    await provisionIn(folder, [], options);
    assertEquals(ranges, [null, "bytes=100-"]);
    assertEquals((await check(join(folder, ".torch"))).version, "2.13.0");
    await server.shutdown();
  });
});

// (c) the torch of a Python installation

Deno.test({
  name: "provision() links to the torch of a Python, where it is new enough",
  ignore: !isUnix,
  fn: () =>
    inFolder(async (folder) => {
      const lib = await makeLibrary(join(folder, "site-packages", "torch", "lib"), "2.12.0");
      const answer = (version: string) => JSON.stringify({ python: "/x/python3", lib, version });
      await makePython(folder, `echo a warning; echo '${answer("2.10.0+cu128")}'`);
      const sources = ["python"] as const;
      const ask = (options: Partial<ProvisionOptions> = {}) =>
        provisionIn(folder, [], { sources, ...options });
      await assertRejects(() => ask(), Error, "is 2.10.0+cu128, older than 2.11.0");
      await makePython(folder, `echo '${answer("2.12.0")}'`);
      await Deno.writeTextFile(join(dirname(lib), "version.py"), "__version__ = '2.12.0+cu130'\n");
      await assertRejects(() => ask({ variant: "cpu" }), Error, "is cu130, not cpu");
      const link = join(folder, ".torch");
      assertEquals(await ask(), { directory: lib, link, source: "python", version: "2.12.0" });
    }),
});

Deno.test({
  name: "provision() asks the Python of an active virtual environment first",
  ignore: !isUnix,
  fn: () =>
    inFolder(async (folder) => {
      const lib = await makeLibrary(join(folder, "torch", "lib"), "2.13.0");
      await makePython(folder, `echo '${JSON.stringify({ python: "/y", lib, version: null })}'`);
      const env = { PATH: "/nowhere", VIRTUAL_ENV: folder };
      await Deno.rename(join(folder, "bin", "python3"), join(folder, "bin", "python"));
      assertEquals((await provisionIn(folder, [], { env, sources: ["python"] })).directory, lib);
    }),
});

Deno.test({
  name: "provision() says why a Python does not serve",
  ignore: !isUnix,
  fn: () =>
    inFolder(async (folder) => {
      const ask = () => provisionIn(folder, [], { sources: ["python"] });
      await makePython(folder, `echo '{"python": "/usr/bin/python3", "lib": null}'`);
      await assertRejects(ask, Error, "python3 (/usr/bin/python3) has no torch; python is not");
      await makePython(folder, "echo Traceback >&2; echo ImportError: no json >&2; exit 1");
      await assertRejects(ask, Error, "python3 failed: ImportError: no json");
    }),
});

// (d) pip

Deno.test({
  name: "provision() has pip download the wheel and unpacks it",
  ignore: !isUnix,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.writeFile(join(folder, HERE), await wheel("2.13.0"));
      // "$dest" is what follows --dest; the wheel is put there, as pip would.
      await makePython(
        folder,
        `echo "$@" > ${folder}/asked
        while [ "$1" != --dest ]; do shift; done
        /bin/mkdir -p "$2" && /bin/cp ${folder}/${HERE} "$2" && echo WARNING: something >&2`,
      );
      const lines: string[] = [];
      const { source, directory } = await provisionIn(folder, lines, { sources: ["pip"] });
      assertEquals(source, "pip");
      assertEquals(directory, join(folder, "cache", "2.13.0-cpu", "lib"));
      assertEquals(await namesIn(join(folder, "cache")), ["2.13.0-cpu"]);
      const asked = await Deno.readTextFile(join(folder, "asked"));
      assertStringIncludes(asked, "-m pip download --only-binary=:all:");
      assertStringIncludes(asked, "--no-deps");
      assertStringIncludes(asked, "torch==2.13.0");
    }),
});

Deno.test({
  name: "provision() takes pip's CUDA build that is not named one, if it is the one asked for",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    inFolder(async (folder) => {
      const bare = HERE.replace("+cpu", "");
      const files = { [`torch/lib/${libraryFile()}`]: "2.13.0", "torch/lib/libtorch_cuda.so": "" };
      await Deno.writeFile(join(folder, bare), await zip(files));
      const runtime = "nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.whl";
      await Deno.writeFile(
        join(folder, runtime),
        await zip({ "nvidia/cu13/lib/libcudart.so.13": "" }),
      );
      await makePython(
        folder,
        `while [ "$1" != --dest ]; do shift; done
        case "$3" in *+cu*) echo "ERROR: No matching distribution found for $3" >&2; exit 1; esac
        /bin/mkdir -p "$2" && /bin/cp ${folder}/*.whl "$2"`,
      );
      const lines: string[] = [];
      const ask = (variant: string) => provisionIn(folder, lines, { variant, sources: ["pip"] });
      await assertRejects(() => ask("cu126"), Error, "what was unpacked is cu130, not cu126");
      assertEquals(await namesIn(join(folder, "cache")), []);
      const { directory } = await ask("cu130");
      assertEquals(directory, join(folder, "cache", "2.13.0-cu130", "lib"));
      assertEquals(
        await namesIn(directory),
        ["libcudart.so.13", libraryFile(), "libtorch_cuda.so"].sort(),
      );
      assertEquals((await ask("cu130")).source, "cache");
      assertStringIncludes(lines.join("\n"), "asking pip for torch===2.13.0");
    }),
});

Deno.test("buildInNames() has CUDA's version from its runtime where libtorch's name has none", () => {
  const of = (...names: string[]) => buildInNames(names);
  assertEquals(of(WHEEL, "nvidia_cuda_runtime-13.0.96-py3-none.whl"), "2.13.0+cpu");
  assertEquals(of("torch-2.13.0-cp311-x.whl"), "2.13.0");
  assertEquals(
    of("nvidia_cuda_runtime_cu12-12.6.77-py3-none.whl", "torch-2.13.0-cp311-x.whl"),
    "2.13.0+cu126",
  );
  assertEquals(of("filelock-3.0-py3.whl"), undefined);
});

Deno.test({
  name: "provision() passes on pip's own reason",
  ignore: !isUnix,
  fn: () =>
    inFolder(async (folder) => {
      await makePython(folder, "echo ERROR: No matching distribution found for torch >&2; exit 1");
      const ask = () => provisionIn(folder, [], { sources: ["pip"] });
      await assertRejects(ask, Error, "pip: python3 -m pip: No matching distribution found");
      await makePython(folder, "echo /x/python3: No module named pip >&2; exit 1");
      await assertRejects(ask, Error, "there is no pip (python3 -m pip is not installed, ");
      assertEquals(await namesIn(join(folder, "cache")), []);
    }),
});

Deno.test({
  name: "provision() sets up the real libtorch with the real pip (PONDER_TEST_SLOW)",
  ignore: !Deno.env.get("PONDER_TEST_SLOW"),
  fn: () =>
    inFolder(async (folder) => {
      const open = (directory: string) => {
        const symbols = { aoti_torch_abi_version: { parameters: [], result: "u64" } } as const;
        const library = Deno.dlopen(join(directory, libraryFile()), symbols);
        const abi = library.symbols.aoti_torch_abi_version();
        const version = [56n, 48n, 40n].map((shift) => abi >> shift & 0xffn).join(".");
        return Promise.resolve({ version });
      };
      const env = { ...Deno.env.toObject(), HOME: folder };
      const { version } = await provisionIn(folder, [], { env, sources: ["pip"], check: open });
      assertEquals(version, "2.13.0");
      assertEquals((await open(join(folder, ".torch"))).version, "2.13.0");
    }),
});
