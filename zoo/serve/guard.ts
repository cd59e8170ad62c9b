/**
 * What a request must be before it is answered: from this machine's own page, small,
 * quick, and not one too many.
 *
 * @module
 */

/** A request that is not answered, and why. */
export class Refused extends Error {
  /** Its name. */
  override readonly name = "Refused";

  /** Refused with an HTTP status, and headers that go with it. */
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** Whether an address or name of a host is this machine's own, seen from itself. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host === "::1" ||
    /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Refuses a request that another site may be behind: one that came by another name of this
 * machine (DNS rebinding), or that a page from elsewhere sent.
 *
 * @throws {Refused}
 */
export function requireOwnPage(request: Request, boundTo: string): void {
  const host = request.headers.get("host") ?? "";
  const name = host.replace(/:\d+$/, "").toLowerCase();
  const isKnown = isLoopback(name) ||
    !isLoopback(boundTo) && (name === boundTo || /^[\d.]+$|^\[[\da-f:.]+\]$/.test(name));
  if (!isKnown) throw new Refused(421, `This server is not "${name.slice(0, 100)}"`);
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site") ?? "same-origin";
  const isOwn = origin === null || origin === `http://${host}`;
  const isForeign = !isOwn || !["same-origin", "none"].includes(site);
  const isPage = request.headers.get("sec-fetch-mode") === "navigate" && request.method === "GET";
  if (isForeign && !isPage) throw new Refused(403, "Only the page of this server may ask this");
}

/** How large a body may be, and how long it may take. */
export interface BodyLimits {
  /** Its most bytes. */
  readonly bytes: number;
  /** The longest that it may take to arrive. */
  readonly timeoutMs: number;
}

/**
 * The JSON in the body of a request.
 *
 * @throws {Refused} when it is something else, too large or too slow
 */
export async function readJson(request: Request, limits: BodyLimits): Promise<unknown> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new Refused(415, "Expected a body of the type application/json");
  }
  const text = await readText(request, limits);
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused(400, "Expected JSON, this is none");
  }
}

async function readText({ headers, body }: Request, { bytes, timeoutMs }: BodyLimits) {
  const tooLarge = () => new Refused(413, `Expected at most ${bytes} bytes`);
  if (Number(headers.get("content-length") ?? 0) > bytes) throw tooLarge();
  if (body === null) return "";
  const reader = body.getReader();
  const late = new Refused(408, `Expected the body within ${timeoutMs / 1000} seconds`);
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(() => deadline.reject(late), timeoutMs);
  deadline.promise.catch(() => {}); // it may never be waited for
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "", length = 0;
  try {
    while (true) {
      const { done, value } = await Promise.race([reader.read(), deadline.promise]);
      if (done) return text + decoder.decode();
      length += value.length;
      if (length > bytes) throw tooLarge();
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    reader.cancel().catch(() => {});
    if (error instanceof TypeError) throw new Refused(400, "Expected UTF-8");
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** How often something may happen. */
export interface Rate {
  /** So often at once. */
  readonly burst: number;
  /** So often a second in the long run. */
  readonly perSecond: number;
}

/** Addresses of which is known how often they asked. */
const MOST_ADDRESSES = 1000;

/** Counts requests by the address that they come from: a bucket of tokens for each. */
export class RateLimit {
  readonly #rate: Rate;
  readonly #now: () => number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** A limit that nobody has used; `now` is the time in milliseconds. */
  constructor(rate: Rate, now: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#now = now;
  }

  /**
   * Counts one.
   *
   * @throws {Refused} when it is one too many
   */
  take(address: string): void {
    const { burst, perSecond } = this.#rate;
    const now = this.#now();
    const { tokens, at } = this.#buckets.get(address) ?? { tokens: burst, at: now };
    const left = Math.min(burst, tokens + (now - at) / 1000 * perSecond);
    this.#buckets.delete(address);
    this.#buckets.set(address, { tokens: left >= 1 ? left - 1 : left, at: now });
    if (this.#buckets.size > MOST_ADDRESSES) {
      this.#buckets.delete(this.#buckets.keys().next().value!);
    }
    if (left >= 1) return;
    const seconds = Math.ceil((1 - left) / perSecond);
    throw new Refused(429, "Too many requests, wait a little", { "retry-after": `${seconds}` });
  }
}
