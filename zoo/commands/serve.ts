/**
 * `deno task serve`.
 *
 * @module
 */
import { parseCommand } from "../cli/flags.ts";
import { print, printError } from "../cli/terminal.ts";
import { isLoopback } from "../serve/guard.ts";
import { makeHandler } from "../serve/server.ts";
import { WorkerSolver } from "../serve/solver.ts";
import { computeFlags, RUNS } from "./_shared.ts";

const declaration = {
  name: "serve",
  summary: "Open the playground: watch models think, and follow training runs",
  positionals: [],
  flags: {
    port: {
      type: "integer",
      min: 0,
      max: 65_535,
      default: 8000,
      help: "where to listen; 0 for any that is free",
    },
    host: {
      type: "string",
      placeholder: "address",
      default: "127.0.0.1",
      help: "the address to listen on; others than loopback let other machines in",
    },
    open: { type: "boolean", help: "open the page in the browser" },
    ...computeFlags,
  },
} as const;

/** Serves until it is interrupted. */
export async function serveCommand(args: readonly string[]): Promise<void> {
  const { flags } = parseCommand(declaration, args);
  const { host, port, device, threads } = flags;
  using solver = new WorkerSolver({ device, threads });
  const handler = makeHandler({ solver, host, runs: RUNS, onError: console.error });
  const interrupted = new AbortController();
  Deno.addSignalListener("SIGINT", () => interrupted.abort());
  const server = listening(host, port, () =>
    Deno.serve({
      ...{ hostname: host, port, signal: interrupted.signal },
      onListen: ({ port }) => announce({ ...flags, port }),
    }, handler));
  await server.finished;
}

/** Runs `serve`; what keeps it from listening is said in words. */
function listening<T>(host: string, port: number, serve: () => T): T {
  try {
    return serve();
  } catch (cause) {
    const why = cause instanceof Deno.errors.AddrInUse
      ? "another program does already; --port=0 takes any port that is free"
      : cause instanceof Deno.errors.NotCapable
      ? `the task may listen on 127.0.0.1 alone; with all permissions: ` +
        `deno run -A --unstable-no-legacy-abort zoo/cli.ts serve --host=${host} --port=${port}`
      : (cause as Error).message;
    throw new Error(`Cannot listen on ${addressOf(host, port)}: ${why}`, { cause });
  }
}

function addressOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}/`;
}

function announce({ host, port, open }: { host: string; port: number; open: boolean }): void {
  const address = addressOf(host, port);
  print(`The playground is at ${address}, training runs at ${address}runs; Ctrl-C ends it`);
  if (!isLoopback(host)) {
    printError(
      `Warning: everybody who reaches ${host} can use this machine to compute, and see its runs`,
    );
  }
  if (open) openBrowser(address);
}

/** The command that opens an address, by system. */
const OPENERS: Readonly<Record<string, string>> = { darwin: "open", windows: "explorer" };

function openBrowser(address: string): void {
  try {
    new Deno.Command(OPENERS[Deno.build.os] ?? "xdg-open", {
      ...{ args: [address], stdin: "null", stdout: "null", stderr: "null" },
    }).spawn().unref();
  } catch (error) {
    printError(`Cannot open a browser: ${(error as Error).message}`);
  }
}
