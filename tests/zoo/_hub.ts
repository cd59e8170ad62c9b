/** A Hugging Face hub of our own, as far as the client asks it. */
import { createHash } from "node:crypto";
import { inFolder } from "../ffi/_folder.ts";

export type Answer = (request: Request, path: string) => Response | undefined | Promise<Response>;

/** Bytes that a hub keeps; big ones are in LFS, known by their SHA-256. */
export interface Kept {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly isBig?: boolean;
}

export const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** What the tree of a repository says of a file. */
function treeEntry(path: string, { content, isBig }: Kept): Record<string, unknown> {
  const sha1 = createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
  const oid = createHash("sha256").update(content).digest("hex");
  const lfs = { oid, size: content.length, pointerSize: 130 };
  return { type: "file", path, size: content.length, oid: sha1, ...(isBig ? { lfs } : {}) };
}

/** A hub with the one repository `o/r`; `answer` may answer first, and otherwise than it should. */
export async function withHub(
  files: Record<string, Kept>,
  work: (folder: string, asked: string[]) => Promise<void>,
  { answer, token }: { answer?: Answer; token?: string } = {},
): Promise<void> {
  const asked: string[] = [];
  const handle = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    const path = decodeURIComponent(pathname);
    asked.push(`${path}${request.headers.get("authorization") ?? ""}`);
    const other = await answer?.(request, path);
    if (other !== undefined) return other;
    if (path.startsWith("/api/models/o/r/tree/")) {
      const folder = { type: "directory", path: "some", size: 0, oid: "0" };
      return Response.json([folder, ...Object.entries(files).map(([p, f]) => treeEntry(p, f))]);
    }
    const kept = files[/^\/o\/r\/resolve\/[^/]+\/(.+)$/.exec(path)?.[1] ?? ""];
    if (kept === undefined) return Response.json({ error: "Not found" }, { status: 404 });
    return fileResponse(request, kept.content);
  };
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, handle);
  const before = Deno.env.toObject();
  Deno.env.set("HF_ENDPOINT", `http://127.0.0.1:${server.addr.port}/`);
  if (token === undefined) Deno.env.delete("HF_TOKEN");
  else Deno.env.set("HF_TOKEN", token);
  try {
    await inFolder((folder) => work(folder, asked));
  } finally {
    for (const name of ["HF_ENDPOINT", "HF_TOKEN"]) {
      if (before[name] === undefined) Deno.env.delete(name);
      else Deno.env.set(name, before[name]);
    }
  }
}

export function fileResponse(request: Request, content: Uint8Array<ArrayBuffer>): Response {
  const headers = { etag: '"abc"', "content-type": "application/octet-stream" };
  if (request.headers.get("range") !== "bytes=0-0") return new Response(content, { headers });
  return new Response(content.subarray(0, 1), {
    status: 206,
    headers: { ...headers, "content-range": `bytes 0-0/${content.length}` },
  });
}
