/** A registry as static as JSR's, for one package and what it imports from JSR. */
import config from "../deno.json" with { type: "json" };
import { sha256 } from "./ffi/_folder.ts";

const ROOT = new URL("..", import.meta.url);

/** A package at one version. */
interface Package {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  /** Its files by path, `/mod.ts`. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** This package as `deno publish` would upload it. */
export async function ownPackage(): Promise<Package> {
  const { name, version, exports } = config;
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const path of await publishedPaths()) {
    files.set(`/${path}`, unfurled(path, await Deno.readFile(new URL(path, ROOT))));
  }
  return { name, version, exports, files };
}

/** What `deno publish` would upload. */
async function publishedPaths(): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--no-check", "--allow-slow-types"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (!success) throw new Error(text);
  const urls = [...text.matchAll(/^ +(file:\S+) \(/gm)].map(([, url]) => url!);
  return urls.map((url) => decodeURI(url.slice(ROOT.href.length)));
}

/** What `deno publish` makes of a file: bare specifiers become those of the import map. */
function unfurled(path: string, content: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (!/\.[jt]s$/.test(path)) return content;
  const text = new TextDecoder().decode(content).replaceAll(
    /(\bfrom |\bimport |\bimport\()"([^"./][^":]*)"/g,
    (whole, before, specifier) => {
      const name = Object.keys(config.imports).find((key) => `${specifier}/`.startsWith(`${key}/`));
      if (name === undefined) return whole;
      const target = config.imports[name as keyof typeof config.imports];
      return `${before}"${target}${specifier.slice(name.length)}"`;
    },
  );
  return new TextEncoder().encode(text);
}

/** The packages of `@std` that tests use offline. */
export async function standardPackages(): Promise<Package[]> {
  const std = new URL("tests/std/", ROOT);
  const folders = await Array.fromAsync(Deno.readDir(std));
  return folders.map(({ name: folder }) => {
    const read = (file: string) => Deno.readFileSync(new URL(`${folder}/${file}`, std));
    const { name, version, exports } = JSON.parse(new TextDecoder().decode(read("deno.json")));
    const names = [...Deno.readDirSync(new URL(folder, std))].map(({ name }) => name);
    return {
      name,
      version,
      exports: typeof exports === "string" ? { ".": exports } : exports,
      files: new Map(names.map((file) => [`/${file}`, read(file)])),
    };
  });
}

/** The files of a registry by path: the API that JSR documents. */
export async function registryFiles(
  packages: readonly Package[],
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const json = (value: object) => new TextEncoder().encode(JSON.stringify(value));
  const all = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { name, version, exports, files } of packages) {
    const manifest: Record<string, { size: number; checksum: string }> = {};
    for (const [path, content] of files) {
      manifest[path] = { size: content.length, checksum: `sha256-${await sha256(content)}` };
      all.set(`/${name}/${version}${path}`, content);
    }
    const [scope, short] = name.slice(1).split("/");
    const meta = { scope, name: short, latest: version, versions: { [version]: {} } };
    all.set(`/${name}/meta.json`, json(meta));
    all.set(`/${name}/${version}_meta.json`, json({ manifest, exports }));
  }
  return all;
}

const TYPES: Readonly<Record<string, string>> = {
  ".ts": "text/typescript",
  ".js": "text/javascript",
  ".json": "application/json",
};

/** Serves the files on a free port of this machine; `missing` are the paths that were asked in vain. */
export function serve(
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
): { url: string; missing: string[]; server: Deno.HttpServer<Deno.NetAddr> } {
  const missing: string[] = [];
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(options, (request) => {
    const path = decodeURI(new URL(request.url).pathname);
    const content = files.get(path);
    if (content === undefined) {
      missing.push(path);
      return new Response("Not found", { status: 404 });
    }
    const type = TYPES[/\.\w+$/.exec(path)?.[0] ?? ""] ?? "application/octet-stream";
    return new Response(content, { headers: { "content-type": type } });
  });
  return { url: `http://127.0.0.1:${server.addr.port}/`, missing, server };
}
