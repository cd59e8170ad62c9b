import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { cachedCsv, cachedTasks } from "../../../zoo/data/cache.ts";
import { namesIn } from "../../ffi/_folder.ts";
import { command } from "../_tiny.ts";
import {
  archiveOf,
  type Bytes,
  bytesOf,
  type Host,
  hubAnswer,
  stalled,
  tasks,
  taskSource,
  taskText,
  withHost,
} from "./_servers.ts";

const archive = await archiveOf(tasks);
const fetchTasks = (options: Host["options"]) => cachedTasks("arc-1", options, taskSource);

/** The message of the error that fetching tasks ends with, when the host answers so. */
async function taskFailure(answer: () => Response): Promise<string> {
  let message = "";
  await withHost(answer, async ({ options }) => {
    message = (await assertRejects(() => fetchTasks(options), Error)).message;
    assertEquals(await namesIn(options.cache), []);
  });
  return message;
}

Deno.test("cachedTasks() fetches the archive of the commit once", () =>
  withHost(() => new Response(archive), async ({ options, asked }) => {
    const files = await fetchTasks(options);
    assertEquals([...files.keys()], Object.keys(tasks));
    assertEquals(asked, ["/o/r/zip/abcdef0123"]);
    assertEquals([...(await fetchTasks(options)).keys()], Object.keys(tasks));
    assertEquals([...(await fetchTasks({ ...options, offline: true })).keys()], Object.keys(tasks));
    assertEquals(asked.length, 1);
    assertEquals(await namesIn(options.cache), ["arc-1"]);
  }));

Deno.test("cachedTasks() takes the same content however it is packed, and repairs the cache", () =>
  withHost(() => new Response(archive), async ({ options, asked }) => {
    await fetchTasks(options);
    await Deno.writeTextFile(join(options.cache, "arc-1/training/a.json"), taskText(7));
    await assertRejects(() => fetchTasks({ ...options, offline: true }), Error, "or changed");
    await fetchTasks(options);
    assertEquals(asked.length, 2);
    const text = await Deno.readTextFile(join(options.cache, "arc-1/training/a.json"));
    assertEquals(text, taskText(1));
  }));

Deno.test("cachedTasks() is fetched once by two at a time", () =>
  withHost(() => new Response(archive), async ({ options, asked }) => {
    const all = await Promise.all([1, 2, 3].map(() => fetchTasks(options)));
    assertEquals(all.map((files) => files.size), [3, 3, 3]);
    assertEquals(asked.length, 1);
  }));

Deno.test("cachedTasks() leaves nothing of an archive that is not what it should be", async () => {
  const truncated = await taskFailure(() => new Response(archive.slice(0, 200)));
  assertMatch(truncated, /^Cannot unpack ".*r\.zip": /);
  const other = await archiveOf({ ...tasks, "training/b.json": taskText(9) });
  const wrong = await taskFailure(() => new Response(other));
  assertMatch(
    wrong,
    /^Cannot use what arrived as arc-1: the checksum of its 3 files is [0-9a-f]{64}, that of o\/r@abcdef0 with 3 files /,
  );
  const fewer = await archiveOf({ "training/a.json": taskText(1) });
  assertStringIncludes(
    await taskFailure(() => new Response(fewer)),
    'expected it to have a folder "evaluation" with JSON files of tasks',
  );
  const huge = await archiveOf({ ...tasks, "training/d.json": " ".repeat(5 * 2 ** 20) });
  assertStringIncludes(await taskFailure(() => new Response(huge)), "too large");
});

Deno.test("cachedTasks() says what the host answered", async () => {
  const said = /^Cannot download http:\/\/127.0.0.1:\d+\/o\/r\/zip\/abcdef0123: /;
  for (
    const [answer, why] of [
      [() => new Response("", { status: 404 }), "the server answered 404 Not Found"],
      [() => new Response("", { status: 500 }), "the server answered 500 Internal Server Error"],
      [() => stalled(archive), "nothing arrived for 0.3 s"],
    ] as const
  ) {
    const message = await taskFailure(answer);
    assertMatch(message, said);
    assertStringIncludes(message, `${why}; --source takes what is on disk`);
  }
});

Deno.test("cachedTasks() takes an archive or a folder on disk, and checks it as well", () =>
  withHost(() => new Response("", { status: 500 }), async ({ options, folder, asked }) => {
    const zip = join(folder, "mine.zip"), repository = join(folder, "mine");
    await Deno.writeFile(zip, archive);
    assertEquals((await fetchTasks({ ...options, source: zip, offline: true })).size, 3);
    await Deno.remove(join(options.cache, "arc-1"), { recursive: true });
    for (const [path, text] of Object.entries(tasks)) {
      await Deno.mkdir(join(repository, "data", path, ".."), { recursive: true });
      await Deno.writeTextFile(join(repository, "data", path), text);
    }
    assertEquals((await fetchTasks({ ...options, source: repository })).size, 3);
    await Deno.remove(join(options.cache, "arc-1"), { recursive: true });
    await Deno.writeTextFile(join(repository, "data/training/b.json"), taskText(9));
    const work = () => fetchTasks({ ...options, source: repository });
    assertStringIncludes((await assertRejects(work, Error)).message, `Cannot use ${repository} as`);
    assertEquals(asked, []);
  }));

// The hub

const repo = "sapientinc/maze-30x30-hard-1k";
const train = bytesOf("train ".repeat(10_000)), test = bytesOf("test\n");
const kept = {
  "README.md": { content: bytesOf("# Mazes"), isBig: false },
  "train.csv": { content: train, isBig: true },
  "test.csv": { content: test, isBig: false },
};
const hub = hubAnswer(repo, kept);
const isContent = (path: string) => path.endsWith("/train.csv");

/** The message of the error that fetching CSV files ends with, and what is left. */
async function csvFailure(content: () => Response): Promise<[message: string, left: string[]]> {
  let message = "", left: string[] = [];
  await withHost(
    (request, path) => isContent(path) ? content() : hub(request, path),
    async (it) => {
      message = (await assertRejects(() => cachedCsv("maze-hard", it.options), Error)).message;
      left = await namesIn(join(it.options.cache, "maze-hard"));
    },
  );
  return [message.replace(/http:\S+ld\/|http:\/\/127.0.0.1:\d+/g, ""), left];
}

Deno.test("cachedCsv() fetches both files, and then asks nobody unless told to verify", () =>
  withHost(hub, async ({ options, asked }) => {
    const paths = await cachedCsv("maze-hard", options);
    assertEquals(await Deno.readFile(paths.train) as Bytes, train);
    assertEquals(await Deno.readFile(paths.test) as Bytes, test);
    assertEquals(await namesIn(join(options.cache, "maze-hard")), ["test.csv", "train.csv"]);
    assertEquals(asked.length, 3);
    await cachedCsv("maze-hard", options);
    await cachedCsv("maze-hard", { ...options, offline: true, verify: true });
    assertEquals(asked.length, 3);
    await Deno.writeTextFile(paths.test, "spoilt");
    await cachedCsv("maze-hard", { ...options, verify: true });
    assertEquals(asked.slice(3).map((path) => path.split("/").at(-1)), ["main", "test.csv"]);
    assertEquals(await Deno.readFile(paths.test) as Bytes, test);
  }));

Deno.test("cachedCsv() goes on with a file that arrived in part", () =>
  withHost(hub, async ({ options, asked }) => {
    await Deno.mkdir(join(options.cache, "maze-hard"), { recursive: true });
    const file = join(options.cache, "maze-hard/train.csv");
    await Deno.writeFile(`${file}.part`, train.subarray(0, 1234));
    await cachedCsv("maze-hard", options);
    assert(asked.some((path) => path.endsWith("train.csvbytes=1234-")), asked.join());
    assertEquals(await Deno.readFile(file) as Bytes, train);
  }));

Deno.test("cachedCsv() is fetched once by two at a time", () =>
  withHost(hub, async ({ options, asked }) => {
    const work = () => cachedCsv("maze-hard", options);
    await Promise.all([work(), work()]);
    assertEquals(asked.filter(isContent).length, 1);
  }));

Deno.test("cachedCsv() says what is wrong with what the hub sends", async () => {
  const [short] = await csvFailure(() => {
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(train.slice(0, 500));
        controller.close();
      },
    });
    return new Response(body);
  });
  assertMatch(
    short,
    /its SHA-256 is [0-9a-f]{64}, not [0-9a-f]{64}; what arrived was deleted; --s/,
  );
  const [wrong, nothing] = await csvFailure(() => new Response(train.with(3, 0)));
  assertMatch(wrong, /its SHA-256 is/);
  assertEquals(nothing.filter((name) => name.startsWith("train")), []);
  const [long] = await csvFailure(() => new Response(bytesOf("longer ".repeat(10_000))));
  assertMatch(long, /it has more than 60000 bytes|its SHA-256 is/);
  const [missing] = await csvFailure(() => new Response("", { status: 404 }));
  assertStringIncludes(missing, "the server answered 404 Not Found");
  const [broken] = await csvFailure(() => new Response("", { status: 500 }));
  assertStringIncludes(broken, "the server answered 500");
  const [silent, part] = await csvFailure(() => stalled(train));
  assertStringIncludes(silent, "nothing arrived for 0.3 s");
  assertEquals(part, ["train.csv.part"]); // to go on with
});

Deno.test("cachedCsv() refuses a small file that is not what the hub lists", () =>
  withHost((request, path) => {
    return path.endsWith("/test.csv") ? new Response(bytesOf("tset\n")) : hub(request, path);
  }, async ({ options }) => {
    const work = () => cachedCsv("maze-hard", options);
    await assertRejects(work, Error, "what arrived is not what the hub lists");
    assertEquals(await namesIn(join(options.cache, "maze-hard")), ["train.csv"]);
    await assertRejects(
      () => cachedCsv("maze-hard", { ...options, offline: true }),
      Error,
      'cache/data/maze-hard" lacks test.csv; deno task data download maze-hard fetches it',
    );
  }));

Deno.test("cachedCsv() names what the hub has instead", () =>
  withHost(hubAnswer(repo, { "README.md": kept["README.md"] }), async ({ options }) => {
    await assertRejects(
      () => cachedCsv("maze-hard", options),
      Error,
      `Cannot find "train.csv" in hf:datasets/${repo}: it holds README.md`,
    );
  }));

Deno.test("data download tells what it fetched, and what it cannot", () =>
  withHost(hub, async ({ folder, options, asked }) => {
    const done = await command("data", "download", "maze-hard");
    assertEquals(done.code, 0, done.stderr);
    assertMatch(
      done.stdout,
      /^maze-hard: 2 files, 58\.6 KiB, in ".*\/cache\/data\/maze-hard"\nLice/,
    );
    assertStringIncludes(done.stderr, "Downloading http://127.0.0.1");
    const again = await command("data", "download", "maze-hard", "--offline");
    assertEquals([again.code, asked.length], [0, 3]);

    const seed = await command("data", "download", "maze");
    assertEquals(seed.code, 2);
    assertEquals(
      seed.stderr,
      "Cannot download maze: it is generated, by deno task data build maze",
    );
    const absent = await command("data", "download", "arc-1", "--offline");
    assertEquals(absent.code, 1);
    assertMatch(absent.stderr, /^Cannot use arc-1 offline: its 800 files are not all in "/);
    const nowhere = await command("data", "download", "arc-1", `--source=${folder}/none`);
    assertEquals(nowhere.code, 2);

    await Deno.remove(join(options.cache, "maze-hard"), { recursive: true });
    await Deno.writeFile(join(folder, "train.csv"), train);
    const one = await command("data", "download", "maze-hard", `--source=${folder}/train.csv`);
    assertEquals(one.code, 0, one.stderr);
    assertStringIncludes(one.stdout, "maze-hard: 1 file,");
    const built = await command("data", "build", "maze-hard", "--offline", `--out=${folder}/d`);
    assertEquals(built.code, 1);
    assertMatch(built.stderr, /^Cannot use maze-hard offline: ".*" lacks test.csv; /);
  }));

Deno.test("data download fetches once for two processes at a time", () =>
  withHost(hub, async ({ options, asked }) => {
    const run = () =>
      new Deno.Command(Deno.execPath(), {
        args: ["run", "-q", "-A", "--no-check", "zoo/cli.ts", "data", "download", "maze-hard"],
        cwd: new URL("../../..", import.meta.url),
        stdout: "null",
        stderr: "null",
      }).output();
    const codes = (await Promise.all([run(), run()])).map(({ code }) => code);
    assertEquals(codes, [0, 0]);
    assertEquals(asked.filter(isContent).length, 1);
    assertEquals(await namesIn(join(options.cache, "maze-hard")), ["test.csv", "train.csv"]);
  }));
