/**
 * The playground's answers to requests, without a socket: {@link makeHandler}.
 *
 *     GET  /                              the playground
 *     GET  /runs                          training runs
 *     GET  /api/models                    what can be picked
 *     GET  /api/puzzles?model=            what a model is, and held-out puzzles for it
 *     POST /api/solve                     {model, puzzle, number?, units?} → its answers
 *     GET  /api/runs                      the runs on this machine
 *     GET  /api/runs/<name>/events        what one reports, as it goes
 *
 * @module
 */
import { join } from "@std/path";
import { metricsFile } from "../metrics.ts";
import { type Located, locateModels } from "./catalog.ts";
import { type Rate, RateLimit, readJson, Refused, requireOwnPage } from "./guard.ts";
import { Outbox, type OutboxLimits } from "./outbox.ts";
import { pageFiles } from "./pages.ts";
import { MOST_CHARACTERS, MOST_UNITS, Refusal, type SolveRequest } from "./protocol.ts";
import { QueueFull } from "./queue.ts";
import { metricEvents, type RunEntry, RunList } from "./runs.ts";
import type { Solver } from "./solver.ts";

/** What a handler is made of. */
export interface HandlerOptions {
  /** Who thinks. */
  readonly solver: Solver;
  /** The folder of the runs. */
  readonly runs: string;
  /** The address that the server is bound to; default `127.0.0.1`. */
  readonly host?: string;
  /** All models by name; those of the zoo and the runs unless given. */
  readonly models?: () => ReadonlyMap<string, Located>;
  /** The longest that a puzzle may take, its waiting included; default 60,000. */
  readonly timeoutMs?: number;
  /** The longest that a body may take to arrive; default 5,000. */
  readonly bodyTimeoutMs?: number;
  /** How often one address may ask for thought; default 60 at once, 20 a second. */
  readonly rate?: Rate;
  /** Pages that may follow runs at the same time; default 32. */
  readonly followers?: number;
  /** Answers that wait to be fetched; default 64 MiB, of 30 seconds each. */
  readonly outbox?: OutboxLimits;
  /** Between two looks at a run that is followed; default 500. */
  readonly pollMs?: number;
  /** Told of an error that nobody outside is told of. */
  readonly onError?: (error: unknown) => void;
}

/** Answers one request; `info` says from where it came. */
export type Handler = (request: Request, info?: RequestInfo) => Promise<Response>;

/** What is known of where a request came from. */
export interface RequestInfo {
  /** The other end. */
  readonly remoteAddr?: Deno.Addr;
}

/** What every response carries: nothing from elsewhere runs in the page, or frames it. */
const SAFETY: Readonly<Record<string, string>> = {
  "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; " +
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
    "frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
};

const MOST_BYTES = 16 * 1024;
/** How long lists are believed. */
const FRESH_MS = 3000;

/** A function that answers requests; it throws nothing. */
export function makeHandler(options: HandlerOptions): Handler {
  const { host = "127.0.0.1", onError = () => {} } = options;
  const server = new Server(options);
  return async (request, info) => {
    try {
      requireOwnPage(request, host);
      return await server.answer(request, addressOf(info));
    } catch (error) {
      const { status, headers, message } = refusalOf(error);
      if (status === 500) onError(error);
      return json({ error: message }, { status, headers });
    }
  };
}

function addressOf(info: RequestInfo | undefined): string {
  const address = info?.remoteAddr;
  return address !== undefined && "hostname" in address ? address.hostname : "";
}

/** What the other side is told of an error: of an unforeseen one, nothing. */
function refusalOf(error: unknown): Refused {
  if (error instanceof Refused) return error;
  if (error instanceof Refusal) return new Refused(422, error.message);
  if (error instanceof QueueFull) return new Refused(503, error.message, { "retry-after": "2" });
  const name = error instanceof DOMException ? error.name : "";
  if (name === "TimeoutError") {
    return new Refused(504, "It took too long: fewer segments take less");
  }
  if (name === "AbortError") return new Refused(499, "Nobody waits for the answer any more");
  return new Refused(500, "Something went wrong: the terminal says what");
}

class Server {
  readonly #options: HandlerOptions;
  readonly #rate: RateLimit;
  readonly #outbox: Outbox;
  readonly #models: () => ReadonlyMap<string, Located>;
  readonly #runs: () => readonly RunEntry[];
  #followers = 0;

  constructor(options: HandlerOptions) {
    const { runs, rate = { burst: 60, perSecond: 20 } } = options;
    const { outbox = { bytes: 64 * 2 ** 20, timeoutMs: 30_000 } } = options;
    this.#options = options;
    this.#rate = new RateLimit(rate);
    this.#outbox = new Outbox(outbox);
    this.#models = remembered(options.models ?? (() => locateModels(runs)));
    const list = new RunList(runs);
    this.#runs = remembered(() => list.entries());
  }

  async answer(request: Request, address: string): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/api/solve") {
      requireMethod(request, "POST");
      this.#rate.take(address);
      return await this.#solve(request);
    }
    requireMethod(request, "GET", "HEAD");
    if (Object.hasOwn(pageFiles, pathname)) return file(pathname);
    switch (pathname) {
      case "/api/models":
        return json({ models: [...this.#models().values()].map(({ entry }) => entry) });
      case "/api/puzzles":
        this.#rate.take(address);
        return await this.#puzzles(searchParams.get("model") ?? "", request);
      case "/api/runs":
        return json({ runs: this.#runs() });
    }
    const [, run] = /^\/api\/runs\/(.+)\/events$/.exec(pathname) ?? [];
    if (run !== undefined) return this.#events(decoded(run), request);
    throw new Refused(404, "There is nothing here");
  }

  async #puzzles(model: string, request: Request): Promise<Response> {
    this.#outbox.requireRoom();
    const { solver } = this.#options;
    return this.#large(await solver.describe(this.#folderOf(model), this.#until(request)));
  }

  async #solve(request: Request): Promise<Response> {
    this.#outbox.requireRoom();
    const { solver, bodyTimeoutMs = 5000 } = this.#options;
    const body = await readJson(request, { bytes: MOST_BYTES, timeoutMs: bodyTimeoutMs });
    const { model, ...rest } = solveRequest(body);
    return this.#large(await solver.solve(this.#folderOf(model), rest, this.#until(request)));
  }

  /** JSON that may be too large for a client to take at once. */
  #large(value: unknown): Response {
    return new Response(this.#outbox.body(JSON.stringify(value)), { headers: JSON_HEADERS });
  }

  /** Until who asked goes away, or the time is over. */
  #until({ signal }: Request): AbortSignal {
    return AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeoutMs ?? 60_000)]);
  }

  #folderOf(name: string): string {
    const located = this.#models().get(name);
    if (located === undefined) throw new Refused(404, "There is no such model");
    if (located.folder !== null) return located.folder;
    throw new Refused(
      409,
      `The weights are not on this machine: deno task zoo pull ${name} fetches them`,
    );
  }

  #events(name: string, request: Request): Response {
    const { runs, followers = 32, pollMs = 500 } = this.#options;
    if (!this.#runs().some((run) => run.name === name)) {
      throw new Refused(404, "There is no such run");
    }
    if (request.method === "HEAD") return events(null);
    if (this.#followers >= followers) {
      throw new Refused(503, "Too many pages follow runs", { "retry-after": "10" });
    }
    this.#followers++;
    const gone = new AbortController();
    const signal = AbortSignal.any([request.signal, gone.signal]);
    const from = Number(request.headers.get("last-event-id") ?? 0);
    const lines = metricEvents(metricsFile(join(runs, name)), {
      ...{ from: Number.isSafeInteger(from) && from >= 0 ? from : 0, signal, pollMs },
    });
    const leave = () => {
      this.#followers--;
      gone.abort();
    };
    return events(encodedStream(lines, leave));
  }
}

/** A stream that is read no faster than the other side takes it; `leave` is called once, at its end. */
function encodedStream(
  texts: AsyncGenerator<string>,
  leave: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let isOpen = true;
  const close = () => {
    if (isOpen) leave();
    isOpen = false;
  };
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await texts.next();
      if (!isOpen) return;
      if (!done) return controller.enqueue(encoder.encode(value));
      close();
      controller.close();
    },
    cancel: () => {
      close();
    },
  }, { highWaterMark: 0 });
}

/** What a body asks for. */
function solveRequest(body: unknown): SolveRequest {
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
  const fields = isObject ? body as Record<string, unknown> : {};
  const isText = (value: unknown, most: number) =>
    typeof value === "string" && value.length > 0 && value.length <= most;
  const isCount = (value: unknown, most: number) =>
    value === undefined ||
    Number.isInteger(value) && value as number >= 1 && value as number <= most;
  const checks: Record<string, [isRight: boolean, wanted: string]> = {
    model: [isText(fields["model"], 200), "the name of a model"],
    puzzle: [
      isText(fields["puzzle"], MOST_CHARACTERS),
      `a text of at most ${MOST_CHARACTERS} characters`,
    ],
    number: [isCount(fields["number"], 1000), "an integer from 1 to 1000"],
    units: [isCount(fields["units"], MOST_UNITS), `an integer from 1 to ${MOST_UNITS}`],
  };
  if (!isObject) throw new Refused(400, "Expected an object");
  const extra = Object.keys(fields).find((field) => !Object.hasOwn(checks, field));
  if (extra !== undefined) {
    throw new Refused(400, `Unknown field ${JSON.stringify(extra.slice(0, 40))}`);
  }
  for (const [field, [isRight, wanted]] of Object.entries(checks)) {
    if (!isRight) throw new Refused(400, `Expected ${wanted} as "${field}"`);
  }
  return fields as unknown as SolveRequest;
}

function requireMethod({ method }: Request, ...allowed: readonly string[]): void {
  if (allowed.includes(method)) return;
  throw new Refused(405, `Expected ${allowed.join(" or ")}`, { allow: allowed.join(", ") });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refused(400, "Cannot read the address");
  }
}

/** What `read` gave lately: lists are not made anew for every request. */
function remembered<T>(read: () => T): () => T {
  let value: T, until = -Infinity;
  return () => {
    if (performance.now() >= until) {
      value = read();
      until = performance.now() + FRESH_MS;
    }
    return value;
  };
}

// Responses

function file(path: string): Response {
  const { text, type } = pageFiles[path]!;
  return new Response(text, {
    headers: { ...SAFETY, "content-type": type, "cache-control": "no-cache" },
  });
}

const JSON_HEADERS: Readonly<Record<string, string>> = {
  ...SAFETY,
  "content-type": "application/json",
  "cache-control": "no-store",
};

function json(value: unknown, init: { status?: number; headers?: HeadersInit } = {}): Response {
  const headers = { ...JSON_HEADERS, ...init.headers };
  return new Response(JSON.stringify(value), { status: init.status ?? 200, headers });
}

function events(body: ReadableStream<Uint8Array> | null): Response {
  const headers = { ...SAFETY, "content-type": "text/event-stream", "cache-control": "no-store" };
  return new Response(body, { headers });
}
