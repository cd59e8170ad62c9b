import { createHash } from "node:crypto";
import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { downloadFromHub, type HubFile, isHubAddress, parseHubAddress } from "../../zoo/hub.ts";
import { namesIn } from "../ffi/_folder.ts";
import { type Answer, bytes, fileResponse, type Kept, withHub } from "./_hub.ts";

/** Whether a request is for all of a file, not for its size. */
function isForContent(request: Request): boolean {
  return request.url.includes("/resolve/") && !request.headers.has("range");
}

const weights = bytes("weights ".repeat(50_000));
const official = {
  "README.md": { content: bytes("# Weights\n") },
  "all_config.yaml": { content: bytes("lr: 1\n") },
  checkpoint: { content: weights, isBig: true },
};

/** The message of the error that a download ends with, without the hub's port. */
async function failure(work: () => Promise<unknown>): Promise<string> {
  const error = await assertRejects(work, Error);
  return error.message.replaceAll(/127\.0\.0\.1:\d+/g, "hub");
}

Deno.test("parseHubAddress() reads repository, revision and file", () => {
  assertEquals(parseHubAddress("hf:o/r"), { repo: "o/r" });
  assertEquals(parseHubAddress("hf:o/r@v1.0"), { repo: "o/r", revision: "v1.0" });
  assertEquals(parseHubAddress("hf:o/r/a/b c.pt"), { repo: "o/r", file: "a/b c.pt" });
  assertEquals(parseHubAddress("hf:o-1/r_2.x@refs%2Fpr%2F1/step_10"), {
    repo: "o-1/r_2.x",
    revision: "refs/pr/1",
    file: "step_10",
  });
  assertEquals(parseHubAddress("hf:o/r/a@b"), { repo: "o/r", file: "a@b" });
  assert(isHubAddress("hf:o/r") && !isHubAddress("runs/hf:o"));
});

Deno.test("parseHubAddress() refuses what is no address, or leaves its folder", () => {
  for (
    const bad of [
      ...["", "hf:", "hf:o", "hf:o/", "hf:/r", "o/r", "hf://o/r", "hf:o/r/", "hf:o/r//a", "HF:o/r"],
      ...[
        "hf:o/r@",
        "hf:o/r@a@b",
        "hf:o/r@%",
        "hf:o/r@..",
        "hf:o/r@a%2F..%2Fb",
        "hf:../r",
        "hf:o/..",
      ],
      ...["hf:o/r/../a", "hf:o/r/a/./b", "hf:o/r/a\\b", "hf:o/r/C:/a", "hf:o/r/a\0b", "hf:o o/r"],
      ...["hf:o/r?x", "hf:o/r#x", "hf:o/a..b", "hf:" + "x".repeat(97) + "/r"],
    ]
  ) {
    assertThrows(
      () => parseHubAddress(bad),
      SyntaxError,
      `as an address: expected hf:owner/repo[@revision][/file]`,
    );
  }
});

Deno.test("downloadFromHub() fetches the checkpoint and its config, and nothing twice", () =>
  withHub(official, async (folder, asked) => {
    const lines: string[] = [];
    const progress: number[] = [];
    const report = (line: string) => lines.push(line);
    const onProgress = ({ received, total }: { received: number; total: number }) =>
      progress.push(received / total);
    const files = await downloadFromHub("o/r", { folder, report, onProgress });
    const want: HubFile[] = [
      { path: "all_config.yaml", file: `${folder}/all_config.yaml`, sizeBytes: 6, fetched: true },
      { path: "checkpoint", file: `${folder}/checkpoint`, sizeBytes: 400_000, fetched: true },
    ];
    assertEquals(files, want);
    assertEquals(lines, [
      "Downloading all_config.yaml (0.0 kB)",
      "Downloading checkpoint (400.0 kB)",
    ]);
    assertEquals(progress.at(-1), 1);
    assert((await Deno.readFile(`${folder}/checkpoint`)).toHex() === weights.toHex());
    assertEquals(await namesIn(folder), ["all_config.yaml", "checkpoint"]);

    asked.length = lines.length = 0;
    const again = await downloadFromHub("o/r", { folder, report });
    assertEquals(again, want.map((file) => ({ ...file, fetched: false })));
    assertEquals(asked, ["/api/models/o/r/tree/main"]);
    assertEquals(lines[1], "Found checkpoint (400.0 kB)");

    await Deno.writeFile(`${folder}/checkpoint`, weights.toReversed());
    const repaired = await downloadFromHub("o/r", { folder });
    assertEquals(repaired.map(({ fetched }) => fetched), [false, true]);
    assert((await Deno.readFile(`${folder}/checkpoint`)).toHex() === weights.toHex());
  }));

Deno.test("downloadFromHub() sends revision, token and odd names as they are", () => {
  const files = {
    "a b/x#1?.pt": { content: weights },
    "a b/config.json": { content: bytes("{}") },
  };
  return withHub(files, async (folder, asked) => {
    const done = await downloadFromHub("o/r", { folder, revision: "refs/pr/1" });
    assertEquals(done.map(({ path }) => path), ["a b/config.json", "a b/x#1?.pt"]);
    assertEquals(asked[0], "/api/models/o/r/tree/refs/pr/1Bearer hf_secret");
    assert(asked.every((line) => line.endsWith("Bearer hf_secret")));
    assert((await Deno.readFile(`${folder}/a b/x#1?.pt`)).length === 400_000);
  }, {
    token: "hf_secret",
    answer: (request, path) => {
      // as a hub does, the path is one segment: /resolve/refs%2Fpr%2F1/…
      if (!path.includes("/resolve/")) return;
      assert(request.url.includes("/resolve/refs%2Fpr%2F1/a%20b/"), request.url);
      const name = path.slice(path.indexOf("a b/"));
      return fileResponse(request, files[name as keyof typeof files].content);
    },
  });
});

Deno.test("downloadFromHub() takes the newest of several steps, and says so", () => {
  const kept = { content: bytes("w") };
  const steps = { step_99: kept, step_1000: kept, step_200: kept, "notes.txt": kept };
  return withHub(steps, async (folder) => {
    const lines: string[] = [];
    const [file] = await downloadFromHub("o/r", { folder, report: (line) => lines.push(line) });
    assertEquals(file?.path, "step_1000");
    assertEquals(
      lines[0],
      "Chose step_1000, the newest of 3 checkpoints: step_99, step_1000, step_200",
    );
    const [named] = await downloadFromHub("o/r", { folder, files: ["step_99"] });
    assertEquals(named?.path, "step_99");
  });
});

Deno.test("downloadFromHub() asks when it is not clear which checkpoint is meant", async () => {
  const kept = { content: bytes("w") };
  const choose = async (...paths: string[]) => {
    let message = "";
    const files = Object.fromEntries(paths.map((path) => [path, kept]));
    await withHub(files, async (folder) => {
      const work = () => downloadFromHub("o/r", { folder: `${folder}/new` });
      message = (await assertRejects(work, RangeError)).message;
      assertEquals(await namesIn(folder), []);
    });
    return message;
  };
  assertEquals(
    await choose("arc/step_5", "maze/step_7"),
    "Cannot choose a checkpoint in hf:o/r among arc/step_5, maze/step_7: " +
      "name one, as in hf:o/r/arc/step_5",
  );
  assertEquals(
    (await choose("checkpoint", "step_7")).slice(0, 46),
    "Cannot choose a checkpoint in hf:o/r among che",
  );
  assertEquals(await choose("a.txt"), "Cannot find a checkpoint in hf:o/r: it holds a.txt");
  assertEquals(await choose(), "Cannot find a checkpoint in hf:o/r: it holds no files");
});

Deno.test("downloadFromHub() names what there is when a file is not", () =>
  withHub(official, async (folder) => {
    await assertRejects(
      () => downloadFromHub("o/r", { folder, files: ["checkpoint", "step_3"] }),
      RangeError,
      'Cannot find "step_3" in hf:o/r: it holds README.md, all_config.yaml, checkpoint',
    );
    await assertRejects(
      () => downloadFromHub("o", { folder }),
      RangeError,
      'expected "owner/repo"',
    );
    await assertRejects(() => downloadFromHub("a/b/c", { folder }), RangeError, "owner/repo");
    await assertRejects(() => downloadFromHub("o/r", { folder, revision: "" }), RangeError);
  }));

Deno.test("downloadFromHub() explains a repository that is missing, private or gated", async () => {
  const message = async (status: number) => {
    let text = "";
    const answer = () => Response.json({ error: "no" }, { status });
    await withHub(official, async (folder) => {
      text = await failure(() => downloadFromHub("o/r", { folder }));
      assertEquals(await namesIn(folder), []);
    }, { answer });
    return text;
  };
  const said = "Cannot download hf:o/r: ";
  assertEquals(await message(404), `${said}http://hub has no such repository, revision or file`);
  assertEquals(
    await message(401),
    `${said}http://hub shows it to nobody without leave: private, gated or not there; ` +
      "a token in HF_TOKEN may help",
  );
  assertEquals(
    await message(403),
    `${said}it is gated: ask for access at http://hub/o/r, ` +
      "and put a token of that account into HF_TOKEN",
  );
  assertEquals(await message(500), `${said}http://hub answered 500`);
});

Deno.test("downloadFromHub() says when the hub cannot be reached", () =>
  withHub({}, async (folder) => {
    const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
    const { port } = listener.addr;
    listener.close();
    Deno.env.set("HF_ENDPOINT", `http://127.0.0.1:${port}`);
    const message = await failure(() => downloadFromHub("o/r", { folder }));
    assert(message.startsWith("Cannot download hf:o/r: http://hub cannot be reached ("), message);
    assert(message.endsWith("); HF_ENDPOINT names another hub"), message);
  }));

Deno.test("downloadFromHub() leaves nothing behind of a file that is not what was listed", async () => {
  const message = async (answer: Answer, files: Record<string, Kept> = official) => {
    let text = "";
    await withHub(files, async (folder) => {
      text = await failure(() =>
        downloadFromHub("o/r", { folder, files: Object.keys(files).slice(-1) })
      );
      assertEquals((await namesIn(folder)).filter((name) => name !== "all_config.yaml"), []);
    }, { answer });
    return text;
  };
  const said = "Cannot download hf:o/r/checkpoint: ";
  const instead = (content: Uint8Array<ArrayBuffer>): Answer => (request, path) =>
    isForContent(request) && path.endsWith("checkpoint") ? new Response(content) : undefined;

  assertEquals(
    await message(instead(weights.subarray(0, 1000))),
    `${said}the connection ended after 1000 of 400000 bytes`,
  );
  assertEquals(
    await message(instead(bytes("longer ".repeat(90_000)))),
    `${said}the hub sent more than the 400000 bytes it listed`,
  );
  const changed = weights.with(7, 0);
  const sha256 = (of: Uint8Array) => createHash("sha256").update(of).digest("hex");
  assertEquals(
    await message(instead(changed)),
    `${said}its SHA-256 is ${sha256(changed)}, the hub lists "${sha256(weights)}"`,
  );
  assert(
    (await message(instead(bytes("W")), { checkpoint: { content: bytes("w") } }))
      .startsWith(`${said}its git hash is `),
  );
  const refusing: Answer = (request, path) =>
    isForContent(request) && path.endsWith("checkpoint")
      ? new Response(null, { status: 500 })
      : undefined;
  const refused = await message(refusing);
  assert(refused.startsWith(`${said}Api error with status 500.`), refused);
  const broken: Answer = (request, path) => {
    if (!isForContent(request) || !path.endsWith("checkpoint")) return;
    const beginning = new Blob([weights.subarray(0, 1000)]).stream();
    return new Response(beginning, { headers: { "content-length": `${weights.length}` } });
  };
  const cut = await message(broken);
  assert(cut.startsWith(`${said}error reading a body`) || cut.includes(" of 400000 bytes"), cut);
});

Deno.test("downloadFromHub() refuses a listing that leads out of the folder or has no end", async () => {
  const message = async (...entries: unknown[]) => {
    let text = "";
    await withHub(official, async (folder) => {
      text = await failure(() => downloadFromHub("o/r", { folder: `${folder}/new` }));
      assertEquals(await namesIn(folder), []);
    }, { answer: () => Response.json(entries) });
    return text;
  };
  for (const path of ["../x", "/etc/x", "a/../../x", "a\\..\\x", "C:/x", "", "a\0", 7]) {
    const text = await message({ type: "file", path, size: 1, oid: "0" });
    assertEquals(text, `Cannot download hf:o/r: it lists a file ${JSON.stringify(String(path))}`);
  }
  for (const size of [-1, 0.5, "1", null]) {
    await message({ type: "file", path: "checkpoint", size, oid: "0" });
  }
  const endless: Answer = (request) =>
    Response.json(
      [{ type: "file", path: `f${Math.random()}`, size: 1 }].concat(
        Array.from(
          { length: 999 },
          (_, i) => ({ type: "file", path: `${Math.random()}${i}`, size: 1 }),
        ),
      ),
      { headers: { link: `<${request.url}>; rel="next"` } },
    );
  await withHub(official, async (folder) => {
    const text = await failure(() => downloadFromHub("o/r", { folder }));
    assertEquals(text, "Cannot download hf:o/r: it has more than 10000 files");
  }, { answer: endless });
});

Deno.test("downloadFromHub() ends when it is told to, and when nothing arrives", async () => {
  const silent: Answer = (request, path) => {
    if (!isForContent(request) || !path.endsWith("checkpoint")) return;
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    writer.closed.catch(() => {});
    writer.write(weights.subarray(0, 1000)).catch(() => {});
    return new Response(readable);
  };
  await withHub(official, async (folder) => {
    const start = performance.now();
    assertEquals(
      await failure(() => downloadFromHub("o/r", { folder, timeoutMs: 300 })),
      "Cannot download hf:o/r/checkpoint: nothing arrived for 0.3 s",
    );
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("enough")), 200);
    const work = () => downloadFromHub("o/r", { folder, signal: stop.signal });
    assertEquals(await failure(work), "enough");
    assertEquals(await namesIn(folder), ["all_config.yaml"]);
    assertLess(performance.now() - start, 5000);
  }, { answer: silent });
});
