import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import config from "../../deno.json" with { type: "json" };
import { liveTensors, loadLibrary } from "../../ffi/mod.ts";
import { metricsFile } from "../../zoo/metrics.ts";
import type { Located } from "../../zoo/serve/catalog.ts";
import { RateLimit, Refused } from "../../zoo/serve/guard.ts";
import { pageFiles } from "../../zoo/serve/pages.ts";
import { type ModelDetails, Refusal, type SolveReply } from "../../zoo/serve/protocol.ts";
import { Queue, QueueFull } from "../../zoo/serve/queue.ts";
import { metricEvents, RunList } from "../../zoo/serve/runs.ts";
import { type Handler, type HandlerOptions, makeHandler } from "../../zoo/serve/server.ts";
import { type Solver, WorkerSolver } from "../../zoo/serve/solver.ts";
import { Thinker } from "../../zoo/serve/thinker.ts";
import { reports, untrainedRun, writeReports } from "./_serve.ts";

// A server without a socket, and without a model

const reply: SolveReply = {
  question: { rows: 1, columns: 1, cells: [0] },
  solution: null,
  rating: 0,
  units: [],
};

/** Answers at once unless told otherwise. */
function solverOf(solve: Solver["solve"] = () => Promise.resolve(reply)): Solver {
  return { solve, describe: () => Promise.reject(new Error("secret")) };
}

const model: Located = {
  entry: {
    ...{ name: "small", place: "zoo", kind: "sudoku", title: "4×4 Sudoku" },
    ...{ parameters: 1, exact: 1 },
  },
  folder: "somewhere",
};
const absent: Located = {
  entry: { ...model.entry, name: "absent", place: "remote" },
  folder: null,
};

function handlerOf(options: Partial<HandlerOptions> = {}): Handler {
  return makeHandler({
    solver: solverOf(),
    runs: "no such folder",
    models: () => new Map([["small", model], ["absent", absent]]),
    ...options,
  });
}

const ADDRESS = "http://127.0.0.1:8000";

/** A request as a browser on this machine sends it. */
function request(path: string, init: RequestInit & { host?: string } = {}): Request {
  const { host = "127.0.0.1:8000", ...rest } = init;
  const made = new Request(ADDRESS + path, rest);
  made.headers.set("host", host);
  return made;
}

/** A request to solve. */
function solveRequest(body: BodyInit, headers: HeadersInit = {}): Request {
  const type = { "content-type": "application/json" };
  return request("/api/solve", { method: "POST", body, headers: { ...type, ...headers } });
}

const good = JSON.stringify({ model: "small", puzzle: "1...", units: 2 });

/** Status and error of a response. */
async function outcome(response: Promise<Response>): Promise<[number, string]> {
  const { status } = await response;
  return [status, (await (await response).json()).error ?? ""];
}

Deno.test("serve: every file of the page is served, strictly and with nothing from elsewhere", async () => {
  const handler = handlerOf();
  for (const [path, { text, type }] of Object.entries(pageFiles)) {
    const response = await handler(request(path));
    assertEquals([response.status, response.headers.get("content-type")], [200, type]);
    assertEquals(await response.text(), text);
    assertMatch(
      response.headers.get("content-security-policy")!,
      /^default-src 'none'; script-src 'self'/,
    );
    assertEquals(response.headers.get("x-content-type-options"), "nosniff");
    const links = text.replaceAll("http://www.w3.org/2000/svg", "");
    assert(!/https?:\/\//.test(links), `${path} names another address`);
    assert(!/<[^>]* (style|on\w+)=|javascript:|innerHTML/.test(text), `${path} has code in it`);
  }
});

Deno.test("serve: scripts and styles that a page names are there", () => {
  const named = Object.values(pageFiles).flatMap(({ text, type }) =>
    type.startsWith("text/html")
      ? [...text.matchAll(/(?:src|href)="(\/[^"#]*)"/g)].map(([, path]) => path!)
      : [...text.matchAll(/from "\.(\/[^"]+)"/g)].map(([, path]) => path!)
  );
  assert(named.length > 10);
  for (const path of named) assert(Object.hasOwn(pageFiles, path), `there is no ${path}`);
});

Deno.test("serve: no path leads out of the table of pages", async () => {
  const handler = handlerOf();
  const paths = [
    ...[
      "/../deno.json",
      "/..%2f..%2fetc/passwd",
      "/%2e%2e/%2e%2e/etc/passwd",
      "/page/../server.ts",
    ],
    ...["//etc/passwd", "/constructor", "/__proto__", "/style.css/", "/\\..\\deno.json"],
    ...["/api/runs/../../events", "/api/runs/..%2f../x/events", "/api/runs/%2e%2e/%2e%2e/events"],
    ...["/api/runs/a/b/events", "/api/runs/%00/b/events", "/api/runs/__proto__/x/events"],
  ];
  for (const path of paths) {
    assertEquals((await handler(request(path))).status, 404, path);
  }
  assertEquals((await handler(request("/api/runs/%/b/events"))).status, 400);
});

Deno.test("serve: only this machine's own names and pages are answered", async () => {
  const handler = handlerOf();
  for (const host of ["127.0.0.1:8000", "localhost:1", "[::1]:8000", "127.1.2.3"]) {
    assertEquals((await handler(request("/", { host }))).status, 200, host);
  }
  for (const host of ["evil.example", "127.0.0.1.evil.example:8000", "192.168.0.7:8000", ""]) {
    assertEquals((await handler(request("/", { host }))).status, 421, host);
  }
  const from = (headers: HeadersInit) => handler(solveRequest(good, headers));
  assertEquals((await from({ origin: ADDRESS, "sec-fetch-site": "same-origin" })).status, 200);
  assertEquals((await from({ origin: "http://evil.example" })).status, 403);
  assertEquals((await from({ origin: "http://127.0.0.1:9999" })).status, 403);
  assertEquals((await from({ origin: "null" })).status, 403);
  assertEquals((await from({ "sec-fetch-site": "cross-site" })).status, 403);
  const foreign = { headers: { "sec-fetch-site": "cross-site" } };
  assertEquals((await handler(request("/api/models", foreign))).status, 403);
  const link = { headers: { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" } };
  assertEquals((await handler(request("/", link))).status, 200);
  const open = handlerOf({ host: "0.0.0.0" });
  assertEquals((await open(request("/", { host: "192.168.0.7:8000" }))).status, 200);
  assertEquals((await open(request("/", { host: "evil.example" }))).status, 421);
});

Deno.test("serve: methods and types other than those expected are refused", async () => {
  const handler = handlerOf();
  assertEquals((await handler(request("/api/solve"))).status, 405);
  assertEquals(
    (await handler(request("/", { method: "DELETE" }))).headers.get("allow"),
    "GET, HEAD",
  );
  assertEquals((await handler(request("/", { method: "HEAD" }))).status, 200);
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"]) {
    assertEquals((await handler(solveRequest(good, { "content-type": type }))).status, 415, type);
  }
});

Deno.test("serve: hostile JSON is refused in words", async () => {
  const handler = handlerOf();
  const cases: [body: BodyInit, status: number, error: RegExp][] = [
    ["", 400, /Expected JSON/],
    ["{", 400, /Expected JSON/],
    ["[".repeat(16_000), 400, /Expected JSON/],
    ["[".repeat(8000) + "]".repeat(8000), 400, /Expected an object/],
    ["null", 400, /Expected an object/],
    ["[]", 400, /Expected an object/],
    ['"x"', 400, /Expected an object/],
    ['{"__proto__": {"model": "small", "puzzle": "1"}}', 400, /Unknown field "__proto__"/],
    ['{"model":"small","puzzle":"1","constructor":1}', 400, /Unknown field "constructor"/],
    ['{"model":{},"puzzle":"1"}', 400, /as "model"/],
    ['{"model":"small"}', 400, /as "puzzle"/],
    ['{"model":"small","puzzle":""}', 400, /as "puzzle"/],
    ['{"model":"small","puzzle":["1"]}', 400, /as "puzzle"/],
    [JSON.stringify({ model: "small", puzzle: "1".repeat(8193) }), 400, /at most 8192/],
    ['{"model":"small","puzzle":"1","units":0}', 400, /as "units"/],
    ['{"model":"small","puzzle":"1","units":65}', 400, /1 to 64/],
    ['{"model":"small","puzzle":"1","units":1e99}', 400, /as "units"/],
    ['{"model":"small","puzzle":"1","units":null}', 400, /as "units"/],
    ['{"model":"small","puzzle":"1","units":1.5}', 400, /as "units"/],
    ['{"model":"small","puzzle":"1","number":-1}', 400, /as "number"/],
    ['{"model":"../../etc","puzzle":"1"}', 404, /no such model/],
    ['{"model":"__proto__","puzzle":"1"}', 404, /no such model/],
    ['{"model":"absent","puzzle":"1"}', 409, /deno task zoo pull absent/],
    [new Uint8Array([0xff, 0xfe, 0x7b]), 400, /UTF-8/],
    ["x".repeat(20_000), 413, /at most 16384 bytes/],
  ];
  for (const [body, status, error] of cases) {
    const [gotStatus, got] = await outcome(handler(solveRequest(body)));
    assertEquals(gotStatus, status, `${body.toString().slice(0, 60)}: ${got}`);
    assertMatch(got, error);
  }
});

Deno.test("serve: a body that is endless or slow is not waited for", async () => {
  const handler = handlerOf({ bodyTimeoutMs: 100 });
  let sent = 0;
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(4096).fill(32 + 0 * sent++)),
  });
  assertEquals((await handler(solveRequest(endless))).status, 413);
  assert(sent < 20, `took ${sent} chunks`);
  const slow = new ReadableStream({
    start: (controller) => controller.enqueue(new Uint8Array([123])),
  });
  assertEquals((await handler(solveRequest(slow))).status, 408);
});

Deno.test("serve: what goes wrong inside is told to the terminal alone", async () => {
  const told: unknown[] = [];
  const handler = handlerOf({ onError: (error) => told.push(error) });
  const [status, error] = await outcome(handler(request("/api/puzzles?model=small")));
  assertEquals(status, 500);
  assert(!error.includes("secret"));
  assertEquals((told[0] as Error).message, "secret");
});

Deno.test("serve: what a solver refuses, is too late with or has no room for, is said", async () => {
  const failing = (error: unknown) => handlerOf({ solver: solverOf(() => Promise.reject(error)) });
  assertEquals(await outcome(failing(new Refusal("No path"))(solveRequest(good))), [
    422,
    "No path",
  ]);
  const full = await failing(new QueueFull("Full"))(solveRequest(good));
  assertEquals([full.status, full.headers.get("retry-after")], [503, "2"]);
  const hanging = handlerOf({
    timeoutMs: 50,
    solver: solverOf((_folder, _request, signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
    ),
  });
  assertEquals((await hanging(solveRequest(good))).status, 504);
});

Deno.test("serve: one address cannot ask too often", async () => {
  const handler = handlerOf({ rate: { burst: 3, perSecond: 0.5 } });
  const from = (hostname: string) =>
    handler(solveRequest(good), {
      remoteAddr: { transport: "tcp", hostname, port: 1 },
    });
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push((await from("127.0.0.1")).status);
  assertEquals(statuses, [200, 200, 200, 429]);
  assertEquals((await from("127.0.0.1")).headers.get("retry-after"), "2");
  assertEquals((await from("127.0.0.2")).status, 200);
});

Deno.test("RateLimit gives back with time, and forgets addresses", () => {
  let now = 0;
  const limit = new RateLimit({ burst: 2, perSecond: 1 }, () => now);
  limit.take("a");
  limit.take("a");
  assertThrows(() => limit.take("a"), Refused);
  now = 1000;
  limit.take("a");
  assertThrows(() => limit.take("a"), Refused);
  for (let i = 0; i < 1000; i++) limit.take(`other ${i}`);
  limit.take("a"); // as new
});

// Queue

Deno.test("Queue runs one job at a time, in order, and no more wait than may", async () => {
  const queue = new Queue(2);
  const { signal } = new AbortController();
  const ends: (() => void)[] = [];
  const order: number[] = [];
  const job = (id: number) => () =>
    new Promise<number>((resolve) => {
      order.push(id);
      ends.push(() => resolve(id));
    });
  const results = [queue.run(job(0), signal), queue.run(job(1), signal), queue.run(job(2), signal)];
  await assertRejects(() => queue.run(job(3), signal), QueueFull);
  assertEquals([order, queue.length], [[0], 2]);
  for (let i = 0; i < 3; i++) {
    ends[i]!();
    assertEquals(await results[i], i);
    await new Promise((resolve) => setTimeout(resolve));
  }
  assertEquals([order, queue.length], [[0, 1, 2], 0]);
});

Deno.test("Queue lets go of a job that is aborted while it waits, and goes on after a failure", async () => {
  const queue = new Queue(2);
  const never = new AbortController().signal;
  const gone = new AbortController();
  let fail = (_: Error) => {};
  const first = queue.run(() => new Promise((_, reject) => fail = reject), never);
  let ran = false;
  const second = queue.run(() => Promise.resolve(ran = true), gone.signal);
  const third = queue.run(() => Promise.resolve("third"), never);
  gone.abort();
  await assertRejects(() => second, DOMException);
  fail(new Error("broken"));
  await assertRejects(() => first, Error, "broken");
  assertEquals(await third, "third");
  assert(!ran);
  await assertRejects(() => queue.run(() => Promise.resolve(1), gone.signal), DOMException);
});

// Runs

/** A folder for runs that is gone afterwards. */
async function withRuns(body: (runs: string) => Promise<void>): Promise<void> {
  const runs = await Deno.makeTempDir();
  try {
    await body(runs);
  } finally {
    await Deno.remove(runs, { recursive: true });
  }
}

Deno.test("serve: runs are listed and followed as they go", () =>
  withRuns(async (runs) => {
    const { name } = await untrainedRun(runs, "hrm-sudoku");
    writeReports(runs, name, reports(3));
    const handler = makeHandler({ solver: solverOf(), runs, pollMs: 10, followers: 1 });
    const listed = await (await handler(request("/api/runs"))).json();
    assertEquals(
      listed.runs.map(({ name, step, isLive }: Record<string, unknown>) => [name, step, isLive]),
      [
        [name, 75, true],
      ],
    );
    const path = `/api/runs/${name}/events`;
    const response = await handler(request(path));
    assertEquals(response.headers.get("content-type"), "text/event-stream");
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    const stepsUntil = async (last: number) => {
      let text = "";
      while (!text.includes(`"step":${last},`)) text += (await reader.read()).value;
      return [...text.matchAll(/^data: \{"step":(\d+)/gm)].map(([, step]) => Number(step));
    };
    assertEquals(await stepsUntil(75), [25, 50, 75]);
    assertEquals((await handler(request(path))).status, 503, "one may follow");
    writeReports(runs, name, reports(5).slice(3));
    assertEquals(await stepsUntil(125), [100, 125]);
    await reader.cancel();
    const again = await handler(request(path));
    assertEquals(again.status, 200, "the place is free again");
    await again.body!.cancel();
  }));

Deno.test("RunList tells what a run reports between two looks, and of one in any folder", () =>
  withRuns(async (runs) => {
    const { name } = await untrainedRun(runs, "hrm-sudoku", "compare/seed-1");
    const list = new RunList(runs);
    assertEquals(list.entries(), [], "it has reported nothing yet");
    writeReports(runs, name, reports(2));
    const [live] = list.entries();
    assertEquals([live!.name, live!.step, live!.isDone, live!.isLive], [name, 50, false, true]);
    const final = { final: { exact: 0.5 } };
    writeReports(runs, name, [{ step: live!.steps, seconds: 9, final }]);
    const [done] = list.entries();
    assertEquals([done!.exact, done!.isDone, done!.isLive], [0.5, true, false]);
    Deno.utimeSync(metricsFile(join(runs, name)), 1, 1);
    assertEquals(list.entries(), [done]);
    assertEquals(list.entries(), [done]);
  }));

Deno.test("metricEvents() resumes, waits for whole lines, leaves out damage, starts anew when cut", () =>
  withRuns(async (runs) => {
    const file = join(runs, "metrics.jsonl");
    Deno.writeTextFileSync(file, '{"step":1}\nnonsense\n{"step":2}\n{"ste');
    const ended = new AbortController();
    const events = metricEvents(file, { from: 11, signal: ended.signal, pollMs: 5 });
    const next = async () => (await events.next()).value as string;
    assertMatch(await next(), /^retry/);
    assertEquals(await next(), 'data: {"step":2}\n\nid: 31\ndata:\n\n');
    Deno.writeTextFileSync(file, 'p":3}\n', { append: true });
    assertEquals(await next(), 'data: {"step":3}\n\nid: 42\ndata:\n\n');
    Deno.writeTextFileSync(file, '{"step":1}\n');
    assertEquals(await next(), "event: reset\ndata:\n\n");
    assertEquals(await next(), 'data: {"step":1}\n\nid: 11\ndata:\n\n');
    Deno.writeTextFileSync(file, `{"long":"${"x".repeat(200_000)}"}\n{"step":4}\n`, {
      append: true,
    });
    let text = "";
    while (!text.includes('"step":4')) {
      const event = await next();
      assert(event.length < 70_000);
      text += event;
    }
    ended.abort();
    assertEquals((await events.next()).done, true);
  }));

// Thought

Deno.test("Thinker answers each kind of puzzle with probabilities, and keeps no tensors", () =>
  withRuns(async (runs) => {
    loadLibrary();
    const before = liveTensors();
    const thinker = new Thinker();
    let loaded = 0;
    for (const recipe of ["hrm-sudoku", "trm-maze", "trm-arc", "transformer-sudoku"]) {
      const { folder } = await untrainedRun(runs, recipe);
      const details: ModelDetails = thinker.describe(folder);
      const { samples, size, most } = details;
      assert(samples.length > 4);
      const { puzzle, number, question } = samples[0]!;
      loaded = liveTensors();
      const units = Math.min(3, most);
      const answer = thinker.solve(folder, { puzzle, number, units });
      assertEquals(liveTensors(), loaded);
      assertEquals(answer.question, question);
      assertEquals(answer.units.length, units);
      for (const { probabilities, haltLogit } of answer.units) {
        const numTokens = probabilities.length / (size * size);
        assert(Number.isInteger(numTokens));
        for (let cell = 0; cell < size * size; cell++) {
          const sum = probabilities.slice(cell * numTokens, (cell + 1) * numTokens)
            .reduce((a, b) => a + b);
          assert(Math.abs(sum - 1000) <= numTokens, `sum ${sum}`);
        }
        assertEquals(haltLogit === null, recipe === "transformer-sudoku");
      }
      assertEquals(answer.solution!.rows > 0, true);
      assertThrows(() => thinker.solve(folder, { puzzle: "1", units }), Refusal);
    }
    const { folder } = await untrainedRun(runs, "hrm-sudoku", "again");
    const { puzzle } = thinker.describe(folder).samples[0]!;
    let asked = 0;
    const stopped = () => ++asked > 1;
    assertEquals(thinker.solve(folder, { puzzle, units: 9 }, stopped).units.length, 2);
    assert(liveTensors() > before);
  }));

Deno.test("Thinker keeps a few models alone, and loads weights that were replaced", () =>
  withRuns(async (runs) => {
    loadLibrary();
    const thinker = new Thinker();
    const counts: number[] = [];
    for (let i = 0; i < 12; i++) {
      const { folder } = await untrainedRun(runs, "trm-maze", `run-${i}`);
      thinker.describe(folder);
      counts.push(liveTensors());
    }
    assertEquals(counts[11], counts[5], `tensors after each model: ${counts}`);
    const { folder } = await untrainedRun(runs, "trm-maze", "run-11");
    Deno.utimeSync(join(folder, "model.safetensors"), 1, 1);
    thinker.describe(folder);
    assertEquals(liveTensors(), counts[11]);
  }));

Deno.test("serve: hundreds of solves at once are answered or refused, and memory stays flat", () =>
  withRuns(async (runs) => {
    const { name, folder } = await untrainedRun(runs, "trm-maze");
    using solver = new WorkerSolver({ threads: 1, waiting: 16 });
    const handler = makeHandler({
      ...{ solver, runs, rate: { burst: 1e6, perSecond: 1e6 } },
      models: () => new Map([[name, { ...model, folder }]]),
    });
    const { samples } = await (await handler(request(`/api/puzzles?model=${name}`))).json();
    const body = (i: number) =>
      JSON.stringify({ model: name, puzzle: samples[i % samples.length].puzzle, units: 2 });
    const volley = async (count: number) => {
      const all = Array.from({ length: count }, (_, i) => handler(solveRequest(body(i))));
      const statuses = [];
      for (const response of await Promise.all(all)) {
        statuses.push(response.status);
        await response.body!.cancel();
      }
      return statuses;
    };
    const rounds: number[] = [];
    let answered = 0;
    for (let round = 0; round < 20; round++) {
      const statuses = await volley(round === 0 ? 300 : 17);
      if (round === 0) {
        assertEquals(Map.groupBy(statuses, (status) => status).get(200)!.length, 17);
        assertEquals(Map.groupBy(statuses, (status) => status).get(503)!.length, 283);
      } else assert(statuses.every((status) => status === 200));
      answered += statuses.filter((status) => status === 200).length;
      rounds.push(Deno.memoryUsage().rss / 2 ** 20);
    }
    const growth = rounds.at(-1)! - rounds[6]!;
    assert(answered >= 300 && growth < 40, `${answered} solves, MiB: ${rounds.map(Math.round)}`);
  }));

Deno.test("serve: who goes away stops the thought, and the next one is answered", () =>
  withRuns(async (runs) => {
    const { folder } = await untrainedRun(runs, "hrm-sudoku");
    using solver = new WorkerSolver({ threads: 1 });
    const { signal } = new AbortController();
    const { samples } = await solver.describe(folder, signal);
    const { puzzle } = samples[0]!;
    const leaving = new AbortController();
    const left = [1, 2, 3].map(() =>
      assertRejects(() => solver.solve(folder, { puzzle, units: 64 }, leaving.signal))
    );
    setTimeout(() => leaving.abort(), 5);
    const began = performance.now();
    await Promise.all(left);
    assertEquals((await solver.solve(folder, { puzzle, units: 1 }, signal)).units.length, 1);
    assert(performance.now() - began < 10_000);
  }));

Deno.test("WorkerSolver replaces a worker that does not stop", () =>
  withRuns(async (runs) => {
    const { folder } = await untrainedRun(runs, "hrm-sudoku");
    using solver = new WorkerSolver({ threads: 1, graceMs: 0 });
    const { signal } = new AbortController();
    const gone = AbortSignal.timeout(1); // libtorch is not even open then
    await assertRejects(() => solver.describe(folder, gone), DOMException);
    assert((await solver.describe(folder, signal)).samples.length > 0);
  }));

// Over a socket

Deno.test("serve: connections that stall hold nobody up, and a client that leaves is noticed", async () => {
  const aborted = Promise.withResolvers<void>();
  const handler = handlerOf({
    bodyTimeoutMs: 300,
    solver: solverOf((_folder, { puzzle }, signal) => {
      if (puzzle !== "wait") return Promise.resolve(reply);
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => {
          aborted.resolve();
          reject(signal.reason);
        })
      );
    }),
  });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  const { port } = server.addr;
  const stalled: Deno.TcpConn[] = [];
  const send = async (text: string) => {
    const connection = await Deno.connect({ port, hostname: "127.0.0.1" });
    stalled.push(connection);
    await connection.write(new TextEncoder().encode(text));
    return connection;
  };
  try {
    for (let i = 0; i < 100; i++) await send("GET / HTTP/1.1\r\nHost: 127.0");
    const head = `POST /api/solve HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
      "Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{";
    const slow = await send(head);
    const response = await fetch(`http://127.0.0.1:${port}/`);
    assertEquals(response.status, 200);
    await response.text();
    const answer = new Uint8Array(512);
    const read = await slow.read(answer);
    assertMatch(new TextDecoder().decode(answer.subarray(0, read!)), /^HTTP\/1.1 408/);
    const leaving = new AbortController();
    const asked = fetch(`http://127.0.0.1:${port}/api/solve`, {
      ...{ method: "POST", signal: leaving.signal },
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "small", puzzle: "wait" }),
    });
    setTimeout(() => leaving.abort(), 100);
    await assertRejects(() => asked);
    await aborted.promise;
  } finally {
    for (const connection of stalled) connection.close();
    await server.shutdown();
  }
});

Deno.test("serve: clients that do not take large answers are refused more, and dropped; memory stays flat", async () => {
  const unit = { answer: reply.question, changed: [], haltLogit: null, solved: null };
  const probabilities = Array.from({ length: 64 * 64 * 6 }, (_, i) => i % 1000); // a large maze
  const large = { ...reply, units: Array(64).fill({ ...unit, probabilities }) };
  const handler = handlerOf({
    rate: { burst: 1e6, perSecond: 1e6 },
    outbox: { bytes: 2 ** 25, timeoutMs: 3000 },
    solver: solverOf(() => Promise.resolve(large)),
  });
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  const { port } = server.addr;
  const ask = () =>
    fetch(`http://127.0.0.1:${port}/api/solve`, {
      ...{ method: "POST", body: good, headers: { "content-type": "application/json" } },
    });
  const stalled: Deno.TcpConn[] = [];
  const status = new Uint8Array(12);
  const count: Record<string, number> = {};
  try {
    await (await ask()).body!.cancel();
    const before = Deno.memoryUsage().rss;
    for (let i = 0; i < 60; i++) {
      const connection = await Deno.connect({ port, hostname: "127.0.0.1" });
      stalled.push(connection);
      const head = `POST /api/solve HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${good.length}\r\n\r\n${good}`;
      await connection.write(new TextEncoder().encode(head));
      await connection.read(status);
      const text = new TextDecoder().decode(status);
      count[text] = (count[text] ?? 0) + 1;
    }
    const growth = (Deno.memoryUsage().rss - before) / 2 ** 20;
    const { "HTTP/1.1 200": answered = 0, "HTTP/1.1 503": refused = 0 } = count;
    assertEquals(answered + refused, 60, JSON.stringify(count));
    assert(answered > 0 && answered <= 6, `${answered} answers of 6 MiB wait in 32 MiB`);
    assert(growth < 150, `grew by ${growth} MiB`);
    await new Promise((resolve) => setTimeout(resolve, 4000)); // they are dropped
    const { units } = await (await ask()).json();
    assertEquals(units.length, 64);
  } finally {
    for (const connection of stalled) connection.close();
    await server.shutdown();
  }
});

/** `deno task serve` without its setup, or what else is run instead; one thread computes. */
function spawnServe(words: readonly string[], flags: readonly string[]): Deno.ChildProcess {
  const isVariable = (word: string) => /^[A-Z_]+=/.test(word);
  const variables = words.filter(isVariable).map((word) => word.split("=") as [string, string]);
  return new Deno.Command(Deno.execPath(), {
    args: [...words.filter((word) => !isVariable(word)).slice(1), ...flags, "--threads=1"],
    cwd: new URL("../..", import.meta.url),
    env: { ...Object.fromEntries(variables), OMP_NUM_THREADS: "1", NO_COLOR: "1" },
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
}

const serveTask = config.tasks.serve.command.split("&&").at(-1)!.trim().split(" ");

/** What a process says first on one of its outputs. */
async function firstWords(output: ReadableStream<Uint8Array>): Promise<string> {
  const reader = output.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value);
}

Deno.test("deno task serve solves under the permissions of its task, and ends with Ctrl-C", async () => {
  const child = spawnServe(serveTask, ["--port=0"]);
  try {
    const said = await firstWords(child.stdout);
    const address = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
    assert(address !== undefined, said);
    const puzzle = "...2..2..3.5.5...44..6....1.....3...";
    const response = await fetch(`${address}/api/solve`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "trm-sudoku", puzzle, units: 2 }),
    });
    const { units } = await response.json() as SolveReply;
    assertEquals([response.status, units.length], [200, 2]);
    child.kill("SIGINT");
    assertEquals((await child.status).code, 0);
    assertEquals(await new Response(child.stderr).text(), "");
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
});

Deno.test("deno task serve refuses another host, and the command it names instead listens there", async () => {
  const refused = await spawnServe(serveTask, ["--host=0.0.0.0"]).output();
  const said = new TextDecoder().decode(refused.stderr);
  assertEquals(refused.code, 1);
  assert(!said.includes("Warning"), `warns of what it does not do: ${said}`);
  const command = /deno run .*$/m.exec(said)?.[0];
  assert(command !== undefined, said);
  for (const page of ["playground.md", "permissions.md"]) {
    const text = Deno.readTextFileSync(new URL(`../../docs/${page}`, import.meta.url));
    assert(text.includes(`\n${command}\n`), `docs/${page} lacks "${command}"`);
  }
  const words = command.replace("--port=8000", "--port=0").split(" ");
  const child = spawnServe(words, []);
  try {
    const [said, warned] = await Promise.all([firstWords(child.stdout), firstWords(child.stderr)]);
    assertMatch(warned, /^Warning: everybody who reaches 0\.0\.0\.0/);
    const port = /http:\/\/0\.0\.0\.0:(\d+)/.exec(said)?.[1];
    for (const address of ["127.0.0.1", ...otherAddresses()]) {
      const response = await fetch(`http://${address}:${port}/api/models`);
      assertEquals(response.status, 200, address);
      await response.body!.cancel();
    }
    child.kill("SIGINT");
    assertEquals((await child.status).code, 0);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
});

/** IPv4 addresses at which other machines reach this one. */
function otherAddresses(): string[] {
  return Deno.networkInterfaces()
    .filter(({ family, address }) => family === "IPv4" && !address.startsWith("127."))
    .map(({ address }) => address);
}
