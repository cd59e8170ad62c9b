/** Hosts of archives and of data sets on this machine, and the files that they have. */
import { createHash } from "node:crypto";
import { TextReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import type { FetchOptions } from "../../../zoo/data/cache.ts";
import { contentChecksum } from "../../../zoo/data/files.ts";
import type { ArchiveSource } from "../../../zoo/data/sources.ts";
import { inFolder } from "../../ffi/_folder.ts";

export type Bytes = Uint8Array<ArrayBuffer>;
export type Answer = (request: Request, path: string) => Response | undefined | Promise<Response>;

export const bytesOf = (text: string): Bytes => new TextEncoder().encode(text);

/** A task of one demonstration and one test pair. */
export function taskText(colour: number): string {
  const pair = `{"input": [[${colour}, 0]], "output": [[0, ${colour}]]}`;
  return `{"train": [${pair}], "test": [${pair}]}`;
}

/** Two tasks to train on and one to be evaluated on, by path. */
export const tasks: Readonly<Record<string, string>> = {
  "evaluation/c.json": taskText(3),
  "training/a.json": taskText(1),
  "training/b.json": taskText(2),
};

/** Files as the zip archive of a commit, with some that are not wanted. */
export async function archiveOf(files: Readonly<Record<string, string>>): Promise<Bytes> {
  const zip = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  await zip.add("r-abc/README.md", new TextReader("# Tasks"));
  await zip.add("r-abc/data/other/x.json", new TextReader("{}"));
  for (const [path, text] of Object.entries(files)) {
    await zip.add(`r-abc/data/${path}`, new TextReader(text));
  }
  return await zip.close() as Bytes;
}

/** The source of {@link tasks}. */
export const taskSource: ArchiveSource = {
  from: "github",
  summary: "Three tasks",
  licence: "none",
  repo: "o/r",
  commit: "abcdef0123",
  root: "data",
  subsets: ["training", "evaluation"],
  numFiles: 3,
  sha256: contentChecksum(new Map(Object.entries(tasks).map(([p, text]) => [p, bytesOf(text)]))),
};

/** Where a test fetches from, and what was asked there. */
export interface Host {
  readonly folder: string;
  readonly asked: string[];
  /** Options for a cache in the folder, without pauses. */
  readonly options: FetchOptions & { readonly cache: string };
}

/** Calls `work` while `answer` answers in place of GitHub and of the hub. */
export async function withHost(
  answer: (request: Request, path: string) => Response | Promise<Response>,
  work: (host: Host) => Promise<void>,
): Promise<void> {
  const asked: string[] = [];
  const listen = { port: 0, hostname: "127.0.0.1", onListen() {}, onError: () => new Response() };
  await using server = Deno.serve(listen, (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname);
    asked.push(`${path}${request.headers.get("range") ?? ""}`);
    return answer(request, path);
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  await inFolder(async (folder) => {
    const cache = `${folder}/cache/data`;
    const variables = { PONDER_GITHUB_URL: url, HF_ENDPOINT: url, PONDER_CACHE: `${folder}/cache` };
    await withEnvironment(variables, async () => {
      await work({ folder, asked, options: { cache, pauseMs: 0, timeoutMs: 300 } });
    });
  });
}

/** Calls `work` with these variables set. */
export async function withEnvironment(
  variables: Readonly<Record<string, string>>,
  work: () => Promise<void>,
): Promise<void> {
  const before = Deno.env.toObject();
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  try {
    await work();
  } finally {
    for (const name of Object.keys(variables)) {
      if (before[name] === undefined) Deno.env.delete(name);
      else Deno.env.set(name, before[name]);
    }
  }
}

/** A file that the hub keeps, in LFS or in git. */
export interface Kept {
  readonly content: Bytes;
  readonly isBig: boolean;
}

/** The answers of a hub that has one data set; knows ranges. */
export function hubAnswer(repo: string, files: Readonly<Record<string, Kept>>) {
  return (request: Request, path: string): Response => {
    if (path === `/api/datasets/${repo}/tree/main`) {
      return Response.json(Object.entries(files).map(([name, kept]) => treeEntry(name, kept)));
    }
    const name = path.startsWith(`/datasets/${repo}/resolve/main/`) ? path.split("/").at(-1)! : "";
    const kept = files[name];
    if (kept === undefined) return new Response("Not found", { status: 404 });
    const start = /^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1];
    if (start === undefined) return new Response(kept.content);
    const { length } = kept.content;
    const headers = { "content-range": `bytes ${start}-${length - 1}/${length}` };
    return new Response(kept.content.subarray(Number(start)), { status: 206, headers });
  };
}

function treeEntry(path: string, { content, isBig }: Kept): Record<string, unknown> {
  const sha1 = createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
  const oid = createHash("sha256").update(content).digest("hex");
  const lfs = { oid, size: content.length, pointerSize: 130 };
  return { type: "file", path, size: content.length, oid: sha1, ...(isBig ? { lfs } : {}) };
}

/** The beginning of a body that never ends. */
export function stalled(content: Bytes): Response {
  return new Response(
    new ReadableStream({ start: (controller) => controller.enqueue(content.slice(0, 20)) }),
  );
}
