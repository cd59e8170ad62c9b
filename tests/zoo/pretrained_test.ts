import {
  assert,
  assertEquals,
  assertLess,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import { disposeModule } from "../../core/mod.ts";
import { modelCard, reproduceCommand, weightsTable } from "../../zoo/pretrained/card.ts";
import { obtain } from "../../zoo/pretrained/fetch.ts";
import {
  entryOf,
  parseIndex,
  type PretrainedIndex,
  pretrainedIndex,
  readIndex,
  WEIGHT_FILES,
} from "../../zoo/pretrained/index.ts";
import { estimate } from "../../zoo/compare/statistics.ts";
import { evaluate } from "../../zoo/evaluate.ts";
import { contradiction, evaluateFolder, PART } from "../../zoo/pretrained/measure.ts";
import { cachedFolder, cloneFolder, folderProblem } from "../../zoo/pretrained/places.ts";
import { loadPretrained } from "../../zoo/pretrained.ts";
import { loadWeights, readConfig } from "../../zoo/weights.ts";
import { makeTask } from "../../zoo/tasks/tasks.ts";
import { inFolder } from "../ffi/_folder.ts";
import { runScript } from "../script.ts";
import { command, tinyFlags } from "./_tiny.ts";
import {
  type Answer,
  type Bytes,
  entryFor,
  type Files,
  filesBelow,
  serving,
  servingRaw,
  small,
  withEnv,
  withHub,
} from "./_weights.ts";

const index = pretrainedIndex();
const entries = Object.entries(index.entries);
const clone = cloneFolder()!;
const isSlow = Deno.env.get("PONDER_TEST_SLOW") === "1";
const bytes = (text: string): Bytes => new TextEncoder().encode(text);

/** The message of the error that `work` ends with, without the server's port. */
async function failure(work: () => Promise<unknown>): Promise<string> {
  const { message } = await assertRejects(work, Error);
  return message.replaceAll(/127\.0\.0\.1:\d+/g, "server");
}

// The index

Deno.test("pretrainedIndex() lists weights that lie in the clone, each as it says", () => {
  for (const name of ["hrm-sudoku", "trm-sudoku"]) {
    assert(entries.some(([known]) => known === name));
  }
  for (const [name, entry] of entries) {
    const folder = join(clone, entry.folder);
    assertEquals(folderProblem(folder, entry), null);
    assertEquals(filesBelow(folder), ["README.md", ...WEIGHT_FILES], name);
    const { recipe, preset, config } = readConfig(folder);
    assertEquals([recipe, preset, config.run.seed], [entry.recipe, entry.preset, entry.seed]);
  }
});

Deno.test("parseIndex() says which field is wrong", () => {
  const refuse = (change: (index: Record<string, unknown>) => void): string => {
    const copy = structuredClone(index) as unknown as Record<string, unknown>;
    change(copy);
    return assertThrows(() => parseIndex(copy), SyntaxError).message;
  };
  // deno-lint-ignore no-explicit-any
  const inTrm = (change: (entry: any) => void) =>
    refuse((copy) => change((copy["entries"] as Record<string, unknown>)["trm-sudoku"]));
  assertEquals(assertThrows(() => parseIndex([]), SyntaxError).message, "it is [], not an object");
  assertEquals(
    refuse((copy) => copy["format"] = 2),
    "format is 2, not 1, the form that this version reads",
  );
  assertEquals(refuse((copy) => delete copy["entries"]), 'it has no field "entries"');
  assertEquals(
    refuse((copy) => copy["entries"] = { "../x": {} }),
    'a name in entries is "../x", not small letters, digits and dashes',
  );
  const at = "entries.trm-sudoku";
  const cases: [change: (entry: ReturnType<typeof JSON.parse>) => void, message: string][] = [
    [
      (e) => e.folder = "../secret",
      `${at}.folder is "../secret", not small letters, digits and dashes`,
    ],
    [(e) => e.seed = -1, `${at}.seed is -1, not an integer from 0`],
    [(e) => e.dtype = "int8", `${at}.dtype is "int8", not one of float32, bfloat16`],
    [(e) => delete e.licence, `${at} has no field "licence"`],
    [(e) => e.hardware = " ", `${at}.hardware is " ", not a text`],
    [(e) => e.metrics.exact = 97.6, `${at}.metrics.exact is 97.6, not a share from 0 to 1`],
    [(e) => e.metrics.exactByUnit = [], `${at}.metrics.exactByUnit is [], not a list`],
    [
      (e) => e.metrics.exactByUnit[1] = null,
      `${at}.metrics.exactByUnit[1] is null, not a share from 0 to 1`,
    ],
    [(e) => delete e.files["config.json"], `${at}.files has no field "config.json"`],
    [
      (e) => e.files["config.json"].bytes = "9",
      `${at}.files["config.json"].bytes is "9", not an integer above 0`,
    ],
    [
      (e) => e.files["model.safetensors"].sha256 = "ab",
      `${at}.files["model.safetensors"].sha256 is "ab", not 64 hex digits`,
    ],
  ];
  for (const [change, message] of cases) assertEquals(inTrm(change), message);
  assertStringIncludes(
    inTrm((e) => e.exact = 1),
    `${at} has an unknown field "exact"; there are: recipe, `,
  );
});

Deno.test("readIndex() reads an index in a folder, and says which file is wrong", () =>
  inFolder(async (folder) => {
    assertEquals(readIndex(folder), { format: 1, source: null, entries: {} });
    await Deno.writeTextFile(join(folder, "index.json"), '{"format":1,"entries":{}}');
    const { message } = assertThrows(() => readIndex(folder), SyntaxError);
    assertEquals(message, `Cannot use "${folder}/index.json": it has no field "source"`);
    assertEquals(readIndex(clone), index);
  }));

// Cards

Deno.test("modelCard() of every entry is the card in its folder", () => {
  for (const [name, entry] of entries) {
    const folder = join(clone, entry.folder);
    const card = modelCard(name, entry, readConfig(folder));
    assertEquals(Deno.readTextFileSync(join(folder, "README.md")), card);
  }
});

Deno.test("weightsTable() stands in docs/pretrained.md", () => {
  const docs = Deno.readTextFileSync(new URL("../../docs/pretrained.md", import.meta.url));
  assertStringIncludes(docs, weightsTable(index), "put the table of weightsTable() there");
});

Deno.test("reproduceCommand() names the preset and what was changed of it", () => {
  const saved = readConfig(join(clone, "trm-sudoku"));
  assertEquals(reproduceCommand(saved), "deno task train trm-sudoku --preset=cpu");
  const { config } = saved;
  const changed = { ...saved, config: { ...config, run: { ...config.run, seed: 7 } } };
  assertEquals(reproduceCommand(changed), "deno task train trm-sudoku --preset=cpu --run.seed=7");
});

// Numbers

for (const [name, { folder, metrics }] of entries) {
  Deno.test(`${name} solves of the first ${PART} puzzles what its card says`, () => {
    const evaluation = evaluateFolder(join(clone, folder), { puzzles: PART });
    const { puzzles, unit, final } = evaluation;
    assertEquals([puzzles, unit], [metrics.part.puzzles, metrics.unit]);
    assertLess(Math.abs(final.exact - metrics.part.exact), 1.5 / PART); // another processor may round otherwise
    assertLess(Math.abs(final.blanks - metrics.part.blanks), 0.5 / PART);
    assertEquals(contradiction(metrics, evaluation), null);
  });

  Deno.test({
    name: `${name} solves of all held-out puzzles what its card says`,
    ignore: !isSlow,
    fn: () => {
      const evaluation = evaluateFolder(join(clone, folder));
      assertEquals(contradiction(metrics, evaluation), null);
      evaluation.byUnit.forEach(({ exact }, i) => {
        assertLess(Math.abs(exact - metrics.exactByUnit[i]!), 1e-6);
      });
    },
  });
}

Deno.test("hrm-sudoku solves what needs guessing, a transformer of its size does not", () => {
  const [hrm, plain] = ["hrm-sudoku", "transformer-sudoku"].map((name) => {
    const { byRating } = evaluateFolder(join(clone, name), { puzzles: PART });
    const hard = byRating.filter(({ rating }) => rating !== "0"); // backtracks of a solver
    const puzzles = hard.reduce((sum, part) => sum + part.puzzles, 0);
    const solved = hard.reduce((sum, part) => sum + part.puzzles * part.exact, 0);
    assert(puzzles > PART / 4);
    return estimate([{ puzzles, exact: solved / puzzles }]);
  });
  assert(hrm!.low > plain!.high, `${hrm!.low} to ${plain!.high}`);
  const sizes = ["hrm-sudoku", "transformer-sudoku"].map((name) => index.entries[name]!.parameters);
  assertLess(Math.abs(sizes[0]! / sizes[1]! - 1), 0.01);
});

Deno.test("more units than in training mend the answers of models with and without injection", () => {
  for (const [name, gain] of [["looped-sudoku", 0.1], ["recurrent-sudoku", 0]] as const) {
    const { model, task, puzzles } = heldOut(name, PART);
    const { byUnit } = evaluate(task, model, puzzles, { units: 16 });
    const [trained, twice] = [byUnit[7]!.exact, byUnit[15]!.exact];
    assert(twice >= trained + gain, `${name}: ${trained} after 8, ${twice} after 16`);
    disposeModule(model);
  }
});

/** Pretrained weights, and the first of the puzzles that they were not trained on. */
function heldOut(name: string, count: number) {
  const { model, saved: { config } } = loadWeights(join(clone, name));
  const task = makeTask(config.task);
  return { model, task, puzzles: task.heldOut(config.run.seed).slice(0, count) };
}

Deno.test("contradiction() allows three standard errors of a part, and nothing of all", () => {
  const card = { puzzles: 1000, exact: 0.9, blanks: 0.95 };
  const found = (puzzles: number, exact: number, blanks = 0.95) =>
    contradiction(card, { puzzles, final: { exact, blanks, cells: 1, valid: exact } });
  assertEquals(found(1000, 0.9), null);
  assertEquals(
    found(1000, 0.899),
    "exact is 89.9000% on 1000 puzzles, 90.0000% on the card, and may be 0.0001% off",
  );
  assertEquals(found(100, 0.81), null); // 3 √(0.9 · 0.1 / 100) = 0.09
  assertMatch(found(100, 0.79)!, /^exact is 79\.0% on 100 puzzles, 90\.0% on the card/);
  assertEquals(found(1, 1), null);
  assertMatch(found(64, 0.9, 0.6)!, /^blanks is 60\.0%/);
});

// Loading

Deno.test("loadPretrained() takes the clone's weights, without a cache or a network", () =>
  withEnv({ PONDER_CACHE: "/nowhere", PONDER_WEIGHTS_URL: "http://127.0.0.1:9" }, async () => {
    const loaded = await loadPretrained("trm-sudoku");
    assertEquals(loaded.folder, join(clone, "trm-sudoku"));
    assertEquals(loaded.saved.recipe, "trm-sudoku");
    assertEquals([loaded.task.title, loaded.entry.parameters], ["6×6 Sudoku", 107_650]);
    disposeModule(loaded.model);
  }));

Deno.test("loadPretrained() fetches once, and then needs no network", () => {
  const files = Object.fromEntries(
    WEIGHT_FILES.map((name) => [name, Deno.readFileSync(join(clone, "trm-sudoku", name))]),
  ) as Files;
  return inFolder(async (folder) => {
    const asked: string[] = [];
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      ({ url }) => {
        const path = new URL(url).pathname;
        asked.push(path);
        return new Response(files[path.split("/").at(-1) as keyof Files]);
      },
    );
    await withEnv({
      PONDER_CACHE: folder,
      PONDER_WEIGHTS_URL: `http://127.0.0.1:${server.addr.port}`,
    }, async () => {
      for (let times = 0; times < 2; times++) {
        const loaded = await loadPretrained("trm-sudoku", { clone: null, offline: times > 0 });
        const at = cachedFolder(index.entries["trm-sudoku"]!, join(folder, "weights"));
        assertEquals(loaded.folder, at);
        assertMatch(at, /\/weights\/trm-sudoku\/[0-9a-f]{8}-[0-9a-f]{8}$/);
        disposeModule(loaded.model);
      }
    });
    assertEquals(asked, ["/trm-sudoku/config.json", "/trm-sudoku/model.safetensors"]);
    assertEquals(filesBelow(folder).length, 2);
  });
});

Deno.test("loadPretrained() says what there is of a name that is not", async () => {
  const message = await failure(() => loadPretrained("trm-soduku"));
  assertEquals(
    message,
    'Unknown weights "trm-soduku", did you mean "trm-sudoku"? ' +
      `There are: ${entries.map(([name]) => name).join(", ")}`,
  );
  assertThrows(() => entryOf("constructor"), Error, 'Unknown weights "constructor"');
});

// Downloads

Deno.test("obtain() puts whole files into the cache, tells progress, and asks for nothing twice", () =>
  serving(async ({ cache, asked, pull, url }) => {
    const lines: string[] = [], received: number[] = [];
    const got = await pull({
      report: (line) => lines.push(line),
      onProgress: (progress) => received.push(progress.received / progress.total),
    });
    const folder = cachedFolder(entryFor(small), cache);
    assertEquals(got, { place: "cache", folder, fetched: true });
    assertEquals(folderProblem(folder, entryFor(small)), null);
    assertEquals(filesBelow(folder), [...WEIGHT_FILES]);
    assertEquals(lines, WEIGHT_FILES.map((name) => `Downloading ${url}small/${name}`));
    assertEquals(received.at(-1), 1);

    assertEquals(await pull(), { place: "cache", folder, fetched: false });
    assertEquals((await pull({ offline: true })).fetched, false);
    assertEquals(asked, WEIGHT_FILES.map((name) => `/zoo/small/${name}`));
  }));

Deno.test("obtain() goes on where an earlier download stopped", () =>
  serving(async ({ cache, asked, pull }) => {
    const folder = cachedFolder(entryFor(small), cache);
    await Deno.mkdir(folder, { recursive: true });
    const part = join(folder, "model.safetensors.part");
    await Deno.writeFile(part, small["model.safetensors"].subarray(0, 30_000));
    await pull();
    assertEquals(asked[1], "/zoo/small/model.safetensors bytes=30000-");
    assertEquals(folderProblem(folder, entryFor(small)), null);
    assertEquals(filesBelow(folder), [...WEIGHT_FILES]);
  }));

Deno.test("obtain() finishes a file that the server cuts short, by asking for the rest", async () => {
  const answer: Answer = (request, content) => {
    if (request.headers.has("range") || content.length < 1000) return;
    return new Response(
      new ReadableStream({
        async start(controller) {
          controller.enqueue(content.slice(0, 10_000));
          await new Promise((resolve) => setTimeout(resolve, 50));
          controller.error(new Error("cut"));
        },
      }),
    );
  };
  await serving(async ({ asked, pull }) => {
    assertEquals((await pull()).fetched, true);
    assertEquals(asked.at(-1), "/zoo/small/model.safetensors bytes=10000-");
  }, { answer });
});

Deno.test("obtain() follows a redirect", () =>
  serving(async ({ asked, pull }) => {
    assertEquals((await pull()).fetched, true);
    assertEquals(asked.length, 4);
  }, {
    answer: (request, _) => {
      const { pathname, search, origin } = new URL(request.url);
      return search === "" ? Response.redirect(`${origin}${pathname}?moved`) : undefined;
    },
  }));

Deno.test("obtain() keeps nothing of a server that refuses or lies", async () => {
  /** The error of a download; what is under a final name afterwards is right, or is not there. */
  const message = async (answer: Answer, most?: number) => {
    let text = "";
    await serving(async ({ cache, asked, pull }) => {
      text = await failure(() => pull({ timeoutMs: 200 }));
      assert(!filesBelow(cache).some((path) => path.endsWith("model.safetensors")));
      if (most !== undefined) assertEquals(asked.length, most);
    }, { answer });
    return text.replace("Cannot download http://server/zoo/small/model.safetensors: ", "");
  };
  const ofWeights = (answer: (content: Bytes) => Response): Answer => (_, content) =>
    content.length > 1000 ? answer(content) : undefined;
  const status = (status: number) => ofWeights(() => new Response("no", { status }));

  assertEquals(await message(status(404), 2), "the server answered 404 Not Found");
  assertEquals(await message(status(500), 4), "the server answered 500 Internal Server Error");
  const loop: Answer = ({ url }) => Response.redirect(url);
  assertMatch(await message(loop), /^Cannot download http:\/\/server\/zoo\/small\/config\.json: /);
  assertEquals(
    await message(ofWeights(() => new Response(bytes("too short"))), 2),
    "it has 9 bytes, in the index 40000",
  );
  assertEquals(
    await message(ofWeights(() => new Response(bytes("longer ".repeat(9_000)))), 2),
    "it has 63000 bytes, in the index 40000",
  );
  const changed = small["model.safetensors"].with(7, 0);
  assertMatch(
    await message(ofWeights(() => new Response(changed)), 2),
    /^its SHA-256 is \w{64}, not \w{64}; what arrived was deleted$/,
  );
  const endless = ofWeights(() => {
    const pull = async (to: ReadableStreamDefaultController) => {
      to.enqueue(new Uint8Array(10_000));
      await new Promise((resolve) => setTimeout(resolve, 5));
    };
    return new Response(new ReadableStream({ pull }));
  });
  assertEquals(await message(endless, 2), "it has more than 40000 bytes, in the index 40000");
  const stalling = ofWeights((content) =>
    new Response(new ReadableStream({ start: (to) => to.enqueue(content.slice(0, 100)) }))
  );
  assertEquals(await message(stalling), "nothing arrived for 0.2 s");
});

Deno.test("obtain() does not believe a length that is not true", () =>
  inFolder(async (cache) => {
    const { length } = small["config.json"];
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`;
    await servingRaw(bytes(head + "short"), async (baseUrl) => {
      const options = { clone: null, cache, baseUrl, pauseMs: 0 };
      const text = await failure(() => obtain(entryFor(small), options));
      assertEquals(
        text,
        `Cannot download http://server/zoo/small/config.json: the connection ended after 5 of ${length} bytes`,
      );
    });
    assertEquals(filesBelow(cache).map((path) => path.split("/").at(-1)), ["config.json.part"]);
    await serving(async ({ pull }) => assertEquals((await pull({ cache })).fetched, true));
    assertEquals(filesBelow(cache).length, 2);
  }));

Deno.test("obtain() passes over damaged files, says so, and repairs those of the cache", () =>
  serving(async ({ cache, pull }) => {
    const { folder } = await pull();
    const file = join(folder, "model.safetensors");
    await Deno.writeFile(file, small["model.safetensors"].with(0, 0));
    const clone = join(cache, "..", "clone");
    await Deno.mkdir(join(clone, "small"), { recursive: true });
    for (const name of WEIGHT_FILES) await Deno.writeTextFile(join(clone, "small", name), "?");

    const lines: string[] = [];
    const got = await pull({ clone, report: (line) => lines.push(line) });
    assertEquals(got, { place: "cache", folder, fetched: true });
    assertEquals(lines.length, 2 + 1); // config.json is right as it is
    assertEquals(
      lines[0],
      `Passing over what is damaged: "${clone}/small/config.json" has 1 bytes, not the 24 of the index`,
    );
    assertMatch(
      lines[1]!,
      /model\.safetensors" is not the file of the index: its SHA-256 is \w{64}/,
    );
    assertEquals(folderProblem(folder, entryFor(small)), null);

    for (const name of WEIGHT_FILES) await Deno.writeFile(join(clone, "small", name), small[name]);
    assertEquals((await pull({ clone })).place, "clone");
  }));

Deno.test("obtain() says where it looked when the weights are nowhere", () =>
  inFolder(async (cache) => {
    const options = { clone: null, cache };
    const file = join(cachedFolder(entryFor(small), cache), "config.json");
    await withEnv({ PONDER_WEIGHTS_URL: undefined }, async () => {
      assertEquals(
        await failure(() => obtain(entryFor(small), options)),
        `Cannot find the weights "small": no file "${file}"; and no address is known to fetch ` +
          "them from: baseUrl, --from or PONDER_WEIGHTS_URL names one",
      );
    });
    assertEquals(
      await failure(() =>
        obtain(entryFor(small), { ...options, baseUrl: "http://x", offline: true })
      ),
      `Cannot find the weights "small": no file "${file}"; and offline nothing is fetched`,
    );
    for (const baseUrl of ["runs/hrm", "file:///etc", "ftp://x"]) {
      assertEquals(
        await failure(() => obtain(entryFor(small), { ...options, baseUrl })),
        `Cannot fetch weights from "${baseUrl}": expected http://…, https://… or hf:owner/repo`,
      );
    }
    const taken = join(cache, "file");
    await Deno.writeTextFile(taken, "");
    assertMatch(
      await failure(() =>
        obtain(entryFor(small), { ...options, cache: taken, baseUrl: "http://x" })
      ),
      /^Cannot write to the cache: .*; PONDER_CACHE names another$/,
    );
    await Deno.remove(taken);
    await assertRejects(
      () => obtain(entryFor(small), { ...options, baseUrl: "hf:o" }),
      SyntaxError,
    );
    assertEquals(filesBelow(cache), []);
  }));

Deno.test("obtain() ends when it is told to, and keeps what arrived", () =>
  serving(async ({ cache, pull }) => {
    const stop = new AbortController();
    const work = () =>
      pull({ signal: stop.signal, onProgress: () => stop.abort(new Error("enough")) });
    assertEquals(await failure(work), "enough");
    assertEquals(filesBelow(cache).filter((path) => !path.endsWith(".part")), []);
    assertEquals((await pull()).fetched, true);
  }));

/** A script for a process of its own, which obtains the weights of `entryFor(small)`. */
const script = (cache: string, baseUrl: string) => `
  import { obtain } from "./zoo/pretrained/fetch.ts";
  import { entryFor, small } from "./tests/zoo/_weights.ts";
  const options = { clone: null, cache: ${JSON.stringify(cache)}, baseUrl: ${
  JSON.stringify(baseUrl)
} };
  console.log((await obtain(entryFor(small), options)).fetched);`;

Deno.test("obtain() in two processes at once fills the cache once", () => {
  const slowly: Answer = async (_, content) => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    return new Response(content);
  };
  return serving(async ({ cache, url, asked }) => {
    const both = await Promise.all([1, 2].map(() => runScript(script(cache, url), ["-A"])));
    assertEquals(both.map(({ stderr }) => stderr), ["", ""]);
    assertEquals(both.map(({ stdout }) => stdout).sort(), ["false", "true"]);
    assertEquals(asked, WEIGHT_FILES.map((name) => `/zoo/small/${name}`));
    assertEquals(filesBelow(cache).length, 2);
  }, { answer: slowly });
});

Deno.test("obtain() goes through a proxy", () =>
  serving(async ({ cache, url, asked }) => {
    const env = { HTTP_PROXY: url, NO_PROXY: "", no_proxy: "" };
    const result = await runScript(script(cache, "http://weights.invalid/zoo"), ["-A"], env);
    assertEquals([result.stdout, result.stderr], ["true", ""]);
    assertEquals(asked, WEIGHT_FILES.map((name) => `/zoo/small/${name}`));
  }));

Deno.test("obtain() takes weights from a hub, below a path of its repository", () =>
  inFolder(async (cache) => {
    const files = Object.fromEntries(WEIGHT_FILES.map((name) => [`v1/small/${name}`, small[name]]));
    await withHub({ ...files, "README.md": bytes("# Weights\n") }, async () => {
      const lines: string[] = [];
      const options = { clone: null, cache, report: (line: string) => lines.push(line) };
      const got = await obtain(entryFor(small), { ...options, baseUrl: "hf:o/r@main/v1" });
      assertEquals([got.place, got.fetched], ["cache", true]);
      assertEquals(filesBelow(got.folder), [...WEIGHT_FILES]);
      assertEquals(filesBelow(cache).length, 2);
      assertMatch(lines[0]!, /^Downloading v1\/small\/config\.json \(/);

      const missing = { ...entryFor(small), folder: "large" };
      const text = await failure(() => obtain(missing, { ...options, baseUrl: "hf:o/r/v1" }));
      assertStringIncludes(text, 'Cannot find "v1/large/config.json" in hf:o/r: it holds ');
    });
  }));

Deno.test("obtain() refuses what a hub has in place of the weights", () =>
  inFolder(async (cache) => {
    const other = small["model.safetensors"].with(3, 0);
    const files = { "small/config.json": small["config.json"], "small/model.safetensors": other };
    await withHub(files, async () => {
      const options = { clone: null, cache, baseUrl: "hf:o/r" };
      const text = await failure(() => obtain(entryFor(small), options));
      assertMatch(
        text,
        /^Cannot use hf:o\/r\/small\/model\.safetensors: .* not the file of the index/,
      );
    });
    assertEquals(filesBelow(cache), []);
  }));

// Commands

/** Runs `work` in an empty folder, with an empty cache in it. */
async function elsewhere(work: (folder: string) => Promise<void>): Promise<void> {
  const before = Deno.cwd();
  await inFolder(async (folder) => {
    try {
      Deno.chdir(folder);
      const changes = { PONDER_CACHE: join(folder, "cache"), INIT_CWD: undefined };
      await withEnv({ ...changes, PONDER_WEIGHTS_URL: undefined }, () => work(folder));
    } finally {
      Deno.chdir(before);
    }
  });
}

Deno.test("zoo list shows every entry and where it is", async () => {
  const { code, stdout } = await command("zoo", "list");
  assertEquals(code, 0);
  assertMatch(stdout, /^trm-sudoku +108k +97\.6% +41 +425 KiB +clone$/m);
  const json = JSON.parse((await command("zoo", "list", "--json")).stdout);
  const { name, where, metrics } = json.weights.at(-1);
  assertEquals([name, where, metrics.exact], ["trm-sudoku", "clone", 0.976]);
});

Deno.test("zoo pull fetches into the cache, or says why it cannot", () =>
  elsewhere(async (folder) => {
    const there = await command("zoo", "pull", "--all", "--offline");
    assertEquals(there.code, 0, there.stderr);
    assertMatch(
      there.stdout,
      /^hrm-sudoku: in the clone already, ".*\/zoo\/weights\/hrm-sudoku"$/m,
    );

    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      ({ url }) => new Response(Deno.readFileSync(join(clone, decodeURI(new URL(url).pathname)))),
    );
    const from = `--from=http://127.0.0.1:${server.addr.port}`;
    const offline = await command("zoo", "pull", "trm-sudoku", from, "--offline");
    assertEquals(offline.code, 1);
    assertStringIncludes(offline.stderr, "and offline nothing is fetched");
    const pulled = await command("zoo", "pull", "trm-sudoku", from);
    assertEquals(pulled.code, 0, pulled.stderr);
    assertMatch(pulled.stdout, /^trm-sudoku: fetched into ".*\/weights\/trm-sudoku\/[\w-]+"$/);
    assertMatch(pulled.stderr, /^Downloading http:.*config\.json$/m);
    assertEquals(filesBelow(join(folder, "cache")).length, 2);
    const again = await command("zoo", "pull", "trm-sudoku", from);
    assertMatch(again.stdout, /^trm-sudoku: in the cache already, /);

    assertEquals((await command("zoo", "pull")).code, 2);
    assertEquals((await command("zoo", "pull", "trm-sudoku", "--all")).code, 2);
    assertEquals((await command("zoo", "pull", "trm")).code, 2);
  }));

Deno.test("zoo verify checks what is in the clone", async () => {
  const { code, stdout, stderr } = await command("zoo", "verify", "trm-sudoku", "--puzzles=16");
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^trm-sudoku +as listed +16 +[\d.]+% +97\.6% +holds$/m);
  assertEquals((await command("zoo", "verify", "trm")).code, 2);
});

Deno.test("zoo add puts the best weights of a run beside others; zoo verify finds what is wrong", () =>
  elsewhere(async (folder) => {
    const out = join(folder, "run"), zoo = join(folder, "zoo");
    const trained = await command("train", "hrm-sudoku", ...tinyFlags, "--steps=8", `--out=${out}`);
    assertEquals(trained.code, 0, trained.stderr);
    const add = (...flags: string[]) => command("zoo", "add", out, `--folder=${zoo}`, ...flags);
    const added = await add();
    assertEquals(added.code, 0, added.stderr);
    assertMatch(
      added.stdout,
      /^hrm-sudoku: \d.* parameters, [\d.]+% of 12 held-out puzzles exact$/m,
    );
    const halved = await add("--name=half", "--dtype=bfloat16", "--hardware=a loom");
    assertEquals(halved.code, 0, halved.stderr);

    const { entries } = readIndex(zoo) as PretrainedIndex;
    assertEquals(Object.keys(entries), ["half", "hrm-sudoku"]);
    const [half, full] = Object.values(entries) as [typeof entries[string], typeof entries[string]];
    assertEquals([full.selection, full.steps, full.seed, full.dtype], ["best", 8, 7, "float32"]);
    assertEquals([half.dtype, half.hardware], ["bfloat16", "a loom"]);
    assertEquals([full.metrics.puzzles, full.metrics.part.puzzles], [12, 12]);
    assertLess(
      half.files["model.safetensors"].bytes,
      0.65 * full.files["model.safetensors"].bytes,
    );
    const card = Deno.readTextFileSync(join(zoo, "half", "README.md"));
    assertMatch(
      card,
      /^deno task train hrm-sudoku --preset=tiny .*--model\.hiddenSize=16 .*--run\.seed=7/m,
    );
    assertStringIncludes(card, "did best on the first 6 of these puzzles");
    assertStringIncludes(card, "4×4 Sudoku, generated from seed 7: 10 to train on, 12 held out");

    const refused = await add();
    assertEquals(refused.code, 1);
    assertEquals(
      refused.stderr,
      'Cannot add "hrm-sudoku": it is there already; --replace puts new ones there',
    );
    assertMatch(
      (await add("--name=../x")).stderr,
      /^Cannot name weights "\.\.\/x": expected small/,
    );
    assertEquals((await add("--replace")).code, 0);
    assertEquals(filesBelow(zoo).length, 2 * 3 + 1);

    const verify = (...flags: string[]) => command("zoo", "verify", `--folder=${zoo}`, ...flags);
    const right = await verify("--puzzles=1000", "--json");
    assertEquals(right.code, 0, right.stderr);
    const { weights } = JSON.parse(right.stdout);
    assertEquals(weights.map(({ puzzles }: { puzzles: number }) => puzzles), [12, 12]);

    const lying = { ...entries, half: { ...half, metrics: { ...half.metrics, blanks: 0.99 } } };
    Deno.writeTextFileSync(
      join(zoo, "index.json"),
      JSON.stringify({ ...readIndex(zoo), entries: lying }),
    );
    Deno.writeTextFileSync(join(zoo, "hrm-sudoku", "config.json"), "{}");
    const wrong = await verify();
    assertEquals(wrong.code, 1);
    assertMatch(wrong.stdout, /^half +as listed +12 .* does not hold$/m);
    assertMatch(wrong.stdout, /^hrm-sudoku +differ +– .* does not hold$/m);
    assertMatch(
      wrong.stderr,
      /^2 of 2 are not as the index says\nhalf: blanks is .*\nhrm-sudoku: .*config\.json" has 2 bytes/,
    );
  }));

Deno.test("zoo add asks for the minutes of weights without a run", () =>
  elsewhere(async (folder) => {
    const add = (...flags: string[]) =>
      command(
        "zoo",
        "add",
        join(clone, "transformer-sudoku"),
        `--folder=${join(folder, "zoo")}`,
        ...flags,
      );
    const without = await add();
    assertEquals(without.code, 1);
    assertMatch(
      without.stderr,
      /^Cannot tell how long ".*" took to train: no report in ".*metrics\.jsonl"; say it by --minutes$/,
    );
    assertEquals(filesBelow(folder), []);
  }));

Deno.test("solve draws the maze of a file after every segment, and says what changed", () =>
  elsewhere(async (folder) => {
    const file = join(folder, "maze.txt");
    const rows = [" #  # #", "   S# #", "# #", "  #  #", " # #", "    #", "# # G#"];
    await Deno.writeTextFile(file, rows.join("\n") + "\n");
    const solved = await command("solve", "trm-maze", file, "--segments=2");
    assertEquals(solved.code, 0, solved.stderr);
    const path = " #  # #/ ooS# #/#o#    /oo#  # /o# #   /oooo#  /# #oG# ";
    assertMatch(solved.stdout, /After segment 1\n┌─+┐[^]*After segment 2, 0 cells changed\n┌─+┐/);
    assertStringIncludes(solved.stdout, `${path}: solved`);
    const json = JSON.parse((await command("solve", "trm-maze", file, "--json")).stdout);
    assertEquals([json.answers.at(-1), json.solved.at(-1)], [path, true]);
  }));

Deno.test("solve and eval take the newest run of a recipe, else its pretrained weights, and say which", () =>
  elsewhere(async (folder) => {
    const puzzle = "..2...1..3...6....4..16...6....1..3.";
    const solved = await command("solve", "trm-sudoku", puzzle);
    assertEquals(solved.code, 0, solved.stderr);
    const weights = join(clone, "trm-sudoku");
    assertEquals(
      solved.stderr,
      `No run of trm-sudoku in "runs": taking the pretrained weights, "${weights}"\n`,
    );
    assertMatch(solved.stdout, /632451154326561243423165346512215634: solved\s*$/);

    const run = join(folder, "runs", "trm-sudoku", "2026-01-01T00-00-00", "final");
    await Deno.mkdir(run, { recursive: true });
    for (const name of WEIGHT_FILES) await Deno.copyFile(join(weights, name), join(run, name));
    const evaluated = await command("eval", "trm-sudoku", "--puzzles=2", "--json");
    assertEquals(evaluated.code, 0, evaluated.stderr);
    assertEquals(
      evaluated.stderr,
      'Taking the newest run, "runs/trm-sudoku/2026-01-01T00-00-00"\n',
    );
    assertEquals(JSON.parse(evaluated.stdout).puzzles, 2);

    const none = await command("solve", "l-only-sudoku");
    assertEquals(none.code, 2);
    assertMatch(none.stderr, /^No run of l-only-sudoku in "runs\/l-only-sudoku": train one by /);
  }));
