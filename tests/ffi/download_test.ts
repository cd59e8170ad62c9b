import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { download, type DownloadOptions, type DownloadProgress } from "../../ffi/download.ts";
import { runScript } from "../script.ts";
import { inFolder, namesIn, sha256 } from "./_folder.ts";

const CONTENT = new TextEncoder().encode("0123456789".repeat(1_000));
const SHA256 = await sha256(CONTENT);

type Handler = (request: Request) => Response | Promise<Response>;

/** A real server on this machine: its address, what it was asked, and a fresh folder. */
async function serving(
  handler: Handler,
  work: (server: { url: string; requests: Request[]; file: string }) => Promise<void>,
): Promise<void> {
  const requests: Request[] = [];
  const listen = { hostname: "127.0.0.1", port: 0, onListen() {}, onError: () => new Response() };
  const server = Deno.serve(listen, (request) => {
    requests.push(request);
    return handler(request);
  });
  try {
    const url = `http://127.0.0.1:${server.addr.port}/file.bin`;
    await inFolder((folder) => work({ url, requests, file: join(folder, "file.bin") }));
  } finally {
    await server.shutdown();
  }
}

/** A server that sends these bytes as they are, whatever HTTP says, and hangs up. */
async function serveRaw(
  answers: Uint8Array[],
  work: (url: string) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const loop = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(4_096));
      await connection.write(answers.length > 1 ? answers.shift()! : answers[0]!);
      connection.close();
    }
  })();
  try {
    await work(`http://127.0.0.1:${listener.addr.port}/file.bin`);
  } finally {
    listener.close();
    await loop;
  }
}

/** An answer with headers of its own choosing. */
function raw(head: string, body: Uint8Array): Uint8Array {
  const bytes = new TextEncoder().encode(`HTTP/1.1 ${head}\r\nConnection: close\r\n\r\n`);
  return new Uint8Array([...bytes, ...body]);
}

/** A server that knows ranges. */
const ranged: Handler = (request) => {
  const start = /^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1];
  if (start === undefined) return new Response(CONTENT);
  const headers = { "content-range": `bytes ${start}-${CONTENT.length - 1}/${CONTENT.length}` };
  return new Response(CONTENT.subarray(Number(start)), { status: 206, headers });
};

/** A body that stops in the middle and never ends. */
function stalling(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.enqueue(CONTENT.slice(0, 100)) });
}

/** Downloads without pauses. */
function get(url: string, file: string, options: DownloadOptions = {}) {
  return download(url, file, { sha256: SHA256, pauseMs: 0, ...options });
}

Deno.test("download() puts the whole file in place, tells progress and leaves nothing else", async () => {
  await serving(ranged, async ({ url, file }) => {
    const told: DownloadProgress[] = [];
    const result = await get(url, file, { onProgress: (progress) => told.push(progress) });
    const sizeBytes = CONTENT.length;
    assertEquals(result, { file, sha256: SHA256, sizeBytes, fetched: true });
    assertEquals(await Deno.readFile(file), CONTENT);
    assertEquals(told.at(-1), { received: sizeBytes, total: sizeBytes });
    assertEquals(await namesIn(join(file, "..")), ["file.bin"]);
  });
});

Deno.test("download() does not ask again for a file whose checksum is right", async () => {
  await serving(ranged, async ({ url, file, requests }) => {
    await get(url, file);
    assertEquals((await get(url, file)).fetched, false);
    assertEquals(requests.length, 1);
    await Deno.writeTextFile(file, "spoilt");
    assertEquals((await get(url, file)).fetched, true);
    assertEquals(await Deno.readFile(file), CONTENT);
  });
});

Deno.test("download() continues a part of an earlier run", async () => {
  await serving(ranged, async ({ url, file, requests }) => {
    await Deno.writeFile(`${file}.part`, CONTENT.subarray(0, 4_000));
    await get(url, file);
    assertEquals(requests.map(({ headers }) => headers.get("range")), ["bytes=4000-"]);
    assertEquals(await Deno.readFile(file), CONTENT);
  });
});

Deno.test("download() takes a part that is already whole without asking", async () => {
  await serving(ranged, async ({ url, file, requests }) => {
    await Deno.writeFile(`${file}.part`, CONTENT);
    await get(url, file);
    assertEquals(requests.length, 0);
    assertEquals(await Deno.readFile(file), CONTENT);
  });
});

Deno.test("download() starts over when the part belongs to something else", async () => {
  await serving(ranged, async ({ url, file, requests }) => {
    await Deno.writeTextFile(`${file}.part`, "something else");
    await get(url, file);
    assertEquals(requests.map(({ headers }) => headers.get("range")), ["bytes=14-", null]);
    assertEquals(await Deno.readFile(file), CONTENT);
  });
});

Deno.test("download() starts over when the part is longer than the file", async () => {
  const handler: Handler = (request) =>
    request.headers.has("range") ? new Response(null, { status: 416 }) : new Response(CONTENT);
  await serving(handler, async ({ url, file }) => {
    await Deno.writeFile(`${file}.part`, new Uint8Array(CONTENT.length + 1));
    await get(url, file);
    assertEquals(await Deno.readFile(file), CONTENT);
  });
});

Deno.test("download() takes the whole file from a server that ignores ranges", async () => {
  await serving(() => new Response(CONTENT), async ({ url, file }) => {
    await Deno.writeFile(`${file}.part`, CONTENT.subarray(0, 4_000));
    await get(url, file);
    assertEquals(await Deno.readFile(file), CONTENT);
  });
});

Deno.test("download() starts over when the server answers with another range", async () => {
  const handler: Handler = (request) => {
    if (!request.headers.has("range")) return new Response(CONTENT);
    const headers = { "content-range": `bytes 0-9999/10000` };
    return new Response(CONTENT, { status: 206, headers });
  };
  await serving(handler, async ({ url, file }) => {
    await Deno.writeFile(`${file}.part`, CONTENT.subarray(0, 4_000));
    await get(url, file);
    assertEquals(await Deno.readFile(file), CONTENT);
  });
});

Deno.test("download() continues after a connection that breaks off", async () => {
  const length = `Content-Length: ${CONTENT.length}`;
  const rest = `Content-Range: bytes 6000-9999/10000\r\nContent-Length: 4000`;
  const answers = [
    raw(`200 OK\r\n${length}`, CONTENT.subarray(0, 6_000)),
    raw(`206 Partial Content\r\n${rest}`, CONTENT.subarray(6_000)),
  ];
  await serveRaw(answers, async (url) => {
    await inFolder(async (folder) => {
      const file = join(folder, "file.bin");
      await get(url, file);
      assertEquals(await Deno.readFile(file), CONTENT);
    });
  });
});

Deno.test("download() gives up on a body that is always short, and keeps what came", async () => {
  const answer = raw(`200 OK\r\nContent-Length: ${CONTENT.length}`, CONTENT.subarray(0, 6_000));
  await serveRaw([answer], async (url) => {
    await inFolder(async (folder) => {
      const file = join(folder, "file.bin");
      const error = await assertRejects(() => get(url, file), Error, "Cannot download http://127");
      assertStringIncludes(error.message, "the connection ended after 6000 of 10000 bytes");
      assertEquals(await namesIn(folder), ["file.bin.part"]);
    });
  });
});

Deno.test("download() refuses a body longer than announced", async () => {
  const handler: Handler = (request) => {
    if (!request.headers.has("range")) return new Response(null, { status: 400 });
    const headers = { "content-range": "bytes 4000-4999/5000" };
    return new Response(CONTENT.subarray(4_000), { status: 206, headers });
  };
  await serving(handler, async ({ url, file }) => {
    await Deno.writeFile(`${file}.part`, CONTENT.subarray(0, 4_000));
    await assertRejects(() => get(url, file), Error, "more than the 5000 bytes that it announced");
  });
});

Deno.test("download() gives up on a server that falls silent", async () => {
  const stalled = () => new Response(stalling());
  await serving(stalled, async ({ url, file }) => {
    const options = { timeoutMs: 80, attempts: 1 };
    await assertRejects(() => get(url, file, options), Error, "nothing arrived for 0.08 s");
  });
  const silent = () => new Promise<Response>((resolve) => setTimeout(resolve, 300, new Response()));
  await serving(silent, async ({ url, file }) => {
    const options = { connectTimeoutMs: 80, attempts: 1 };
    await assertRejects(() => get(url, file, options), Error, "no answer within 0.08 s");
  });
});

Deno.test("download() says what the server refused, and tries again only where it may help", async () => {
  const status = { code: 404 };
  const refusing = () => new Response("a page about it", { status: status.code });
  await serving(refusing, async ({ url, file, requests }) => {
    await assertRejects(() => get(url, file), Error, "the server answered 404 Not Found");
    assertEquals(requests.length, 1);
    status.code = 500;
    await assertRejects(() => get(url, file), Error, "the server answered 500 Internal Server");
    assertEquals(requests.length, 4);
  });
});

Deno.test("download() says when it cannot connect, and does not try again", async () => {
  await inFolder(async (folder) => {
    const port = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    port.close();
    const url = `http://127.0.0.1:${port.addr.port}/file.bin`;
    const error = await assertRejects(() => get(url, join(folder, "file.bin")), Error);
    assertStringIncludes(error.message, "cannot connect: ");
  });
});

Deno.test("download() deletes what has the wrong checksum", async () => {
  await serving(() => new Response("<html>log in first</html>"), async ({ url, file }) => {
    const error = await assertRejects(() => get(url, file), Error, "its SHA-256 is ");
    assertStringIncludes(error.message, SHA256);
    assertEquals(await namesIn(join(file, "..")), []);
  });
});

Deno.test("download() without a checksum takes what comes, each time anew", async () => {
  await serving(ranged, async ({ url, file, requests }) => {
    await Deno.writeTextFile(`${file}.part`, "of whatever");
    const { sha256 } = await download(url, file);
    assertEquals(sha256, SHA256);
    assertEquals((await download(url, file)).fetched, true);
    assertEquals(requests.map(({ headers }) => headers.get("range")), [null, null]);
  });
});

Deno.test("download() twice at once asks the server once", async () => {
  await serving(ranged, async ({ url, file, requests }) => {
    const results = await Promise.all([get(url, file), get(url, file), get(url, file)]);
    assertEquals(results.map(({ fetched }) => fetched).sort(), [false, false, true]);
    assertEquals(requests.length, 1);
    assertEquals(await namesIn(join(file, "..")), ["file.bin"]);
  });
});

Deno.test("download() stops when it is told to, and keeps what came", async () => {
  await serving(() => new Response(stalling()), async ({ url, file }) => {
    const stop = new AbortController();
    const onProgress = () => stop.abort(new Error("enough"));
    await assertRejects(() => get(url, file, { signal: stop.signal, onProgress }), Error, "enough");
    assertEquals((await Deno.stat(`${file}.part`)).size, 100);
  });
});

Deno.test({
  name: "download() says that the disk is full",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    serving(ranged, async ({ url, file }) => {
      await Deno.symlink("/dev/full", `${file}.part`);
      await assertRejects(() => download(url, file), Error, "the disk is full");
    }),
});

Deno.test("download() holds a large file in memory at no time", async () => {
  const chunk = new Uint8Array(1 << 20);
  const sizeBytes = 96 << 20;
  const endless: Handler = () => {
    let sent = 0;
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      if (sent === sizeBytes) return controller.close();
      sent += chunk.length;
      controller.enqueue(chunk);
    };
    return new Response(new ReadableStream({ pull }));
  };
  await serving(endless, async ({ url, file }) => {
    // in a process of its own, where nothing else takes memory
    const script = `
      import { download } from "${new URL("../../ffi/download.ts", import.meta.url)}";
      const before = Deno.memoryUsage().rss;
      let most = 0;
      const onProgress = () => most = Math.max(most, Deno.memoryUsage().rss - before);
      const { sizeBytes } = await download("${url}", ${JSON.stringify(file)}, { onProgress });
      console.log(JSON.stringify({ sizeBytes, most }));`;
    const { code, stdout, stderr } = await runScript(script, ["--allow-all"]);
    assertEquals([code, stderr], [0, ""]);
    const got = JSON.parse(stdout);
    assertEquals(got.sizeBytes, sizeBytes);
    assert(got.most > 0 && got.most < sizeBytes / 2, `grew by ${got.most} bytes`);
  });
});
