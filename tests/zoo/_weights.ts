/** Small files that stand for pretrained weights, and servers for them that may lie. */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { obtain, type Obtained, type ObtainOptions } from "../../zoo/pretrained/fetch.ts";
import { type PretrainedEntry, pretrainedIndex, WEIGHT_FILES } from "../../zoo/pretrained/index.ts";
import { inFolder } from "../ffi/_folder.ts";

/** The bytes of a file. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Files as an entry lists them. */
export type Files = Readonly<Record<typeof WEIGHT_FILES[number], Bytes>>;

/** 40 kB of weights, which nobody could load. */
export const small: Files = {
  "config.json": new TextEncoder().encode('{"recipe":"trm-sudoku"}\n'),
  "model.safetensors": new TextEncoder().encode("weights ".repeat(5_000)),
};

/** An entry of the index for files. */
export function entryFor(files: Files, folder = "small"): PretrainedEntry {
  const specs = WEIGHT_FILES.map((name) => [name, {
    bytes: files[name].length,
    sha256: createHash("sha256").update(files[name]).digest("hex"),
  }]);
  const [some] = Object.values(pretrainedIndex().entries);
  return { ...some!, folder, files: Object.fromEntries(specs) };
}

/** An answer, or nothing for what an honest server sends. */
export type Answer = (request: Request, content: Bytes) => Response | undefined | Promise<Response>;

/** What a test of downloading works with. */
export interface Scene {
  /** Address below which the folder `small` lies. */
  readonly url: string;
  /** An empty cache. */
  readonly cache: string;
  /** What the server was asked: path and range. */
  readonly asked: string[];
  /** Obtains `small` from the server into the cache, without pauses. */
  pull(options?: ObtainOptions): Promise<Obtained>;
}

/** A real server of `files` on this machine, and an empty cache; `answer` may answer first. */
export async function serving(
  work: (scene: Scene) => Promise<void>,
  { answer, files = small }: { answer?: Answer; files?: Files } = {},
): Promise<void> {
  const asked: string[] = [];
  const listen = { hostname: "127.0.0.1", port: 0, onListen() {}, onError: () => new Response() };
  const server = Deno.serve(listen, async (request) => {
    const { pathname } = new URL(request.url);
    const range = request.headers.get("range");
    asked.push(`${pathname}${range === null ? "" : ` ${range}`}`);
    const name = /^\/zoo\/small\/([\w.]+)$/.exec(pathname)?.[1];
    const content = files[name as keyof Files];
    if (content === undefined) return await answer?.(request, small["config.json"]) ?? notFound();
    return await answer?.(request, content) ?? ranged(content, range);
  });
  const url = `http://127.0.0.1:${server.addr.port}/zoo/`;
  const entry = entryFor(files);
  try {
    await inFolder(async (folder) => {
      const cache = join(folder, "cache");
      await work({
        ...{ url, cache, asked },
        pull: (options) =>
          obtain(entry, { clone: null, cache, baseUrl: url, pauseMs: 0, ...options }),
      });
    });
  } finally {
    await server.shutdown();
  }
}

function notFound(): Response {
  return new Response("no", { status: 404 });
}

/** The bytes of a range, as an honest server sends them. */
function ranged(content: Bytes, range: string | null): Response {
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? NaN);
  if (Number.isNaN(start)) return new Response(content);
  if (start >= content.length) return new Response(null, { status: 416 });
  const headers = { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` };
  return new Response(content.subarray(start), { status: 206, headers });
}

/** A server that sends these bytes to everybody, whatever HTTP says, and hangs up. */
export async function servingRaw(
  answer: Bytes,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const loop = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(4_096));
      for (let n = 0; n < answer.length;) n += await connection.write(answer.subarray(n));
      connection.close();
    }
  })();
  try {
    await work(`http://127.0.0.1:${listener.addr.port}/zoo`);
  } finally {
    listener.close();
    await loop;
  }
}

/** A Hugging Face hub with the one repository `o/r`, named by `HF_ENDPOINT` meanwhile. */
export async function withHub(
  files: Readonly<Record<string, Bytes>>,
  work: () => Promise<void>,
): Promise<void> {
  const listen = { hostname: "127.0.0.1", port: 0, onListen() {} };
  await using server = Deno.serve(listen, (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname);
    if (path.startsWith("/api/models/o/r/tree/")) {
      return Response.json(
        Object.entries(files).map(([path, content]) => treeEntry(path, content)),
      );
    }
    const content = files[/^\/o\/r\/resolve\/[^/]+\/(.+)$/.exec(path)?.[1] ?? ""];
    if (content === undefined) return Response.json({ error: "Not found" }, { status: 404 });
    const headers = { etag: '"abc"', "content-type": "application/octet-stream" };
    if (request.headers.get("range") !== "bytes=0-0") return new Response(content, { headers });
    return new Response(content.subarray(0, 1), {
      status: 206,
      headers: { ...headers, "content-range": `bytes 0-0/${content.length}` },
    });
  });
  await withEnv({ HF_ENDPOINT: `http://127.0.0.1:${server.addr.port}` }, work);
}

/** What the tree of a repository says of a file; big ones are in LFS. */
function treeEntry(path: string, content: Bytes): Record<string, unknown> {
  const oid = createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
  const sha256 = createHash("sha256").update(content).digest("hex");
  const lfs = { oid: sha256, size: content.length, pointerSize: 130 };
  const isBig = content.length > 1000;
  return { type: "file", path, size: content.length, oid, ...(isBig ? { lfs } : {}) };
}

/** Runs `work` with variables set, or unset where undefined. */
export async function withEnv(
  changes: Readonly<Record<string, string | undefined>>,
  work: () => Promise<void>,
): Promise<void> {
  const before = Object.keys(changes).map((name) => [name, Deno.env.get(name)] as const);
  const set = (name: string, value: string | undefined) =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  for (const [name, value] of Object.entries(changes)) set(name, value);
  try {
    await work();
  } finally {
    for (const [name, value] of before) set(name, value);
  }
}

/** The paths of all files below a folder, sorted; none if it is not there. */
export function filesBelow(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
      isDirectory ? filesBelow(join(folder, name)).map((inner) => `${name}/${inner}`) : [name]
    ).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
