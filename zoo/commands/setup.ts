/**
 * `deno task setup`: finds or fetches libtorch, and finds Open MPI.
 *
 * @module
 */
import { linkMpi } from "../../ffi/locate_mpi.ts";
import { examine } from "../../ffi/locate.ts";
import { MPI_LINK } from "../../ffi/mpi.ts";
import { provision } from "../../ffi/provision.ts";
import { formatBytes, print, ProgressLine } from "../cli/terminal.ts";
import { parseCommand } from "../cli/flags.ts";

const declaration = {
  name: "setup",
  summary: "Find or fetch libtorch, and link it at ./.torch",
  flags: {
    variant: {
      type: "string",
      help: "which build: cpu, cu126, cu130, …; any that works if left out",
    },
    version: { type: "string", help: "which release, 2.11 or newer; any if left out" },
    offline: { type: "boolean", help: "keep off the network" },
    quiet: { type: "boolean", help: "say nothing, and do not open what is linked already" },
  },
} as const;

/** Links a libtorch that works, and says which. */
export async function setupCommand(args: readonly string[]): Promise<void> {
  const { flags } = parseCommand(declaration, args);
  const { variant, version, quiet } = flags;
  await linkMpi(MPI_LINK);
  if (quiet && variant === undefined && version === undefined && isLinked()) return;
  using progress = new ProgressLine();
  const linked = await provision({
    variant,
    version,
    offline: flags.offline,
    report: (line) => progress.log(line),
    onProgress: ({ what, done, total }) => {
      const size = total === undefined ? "" : ` of ${formatBytes(total)}`;
      progress.update(`${what}: ${formatBytes(done)}${size}`);
    },
    check: openElsewhere,
  });
  progress.finish();
  print(`libtorch ${linked.version} from ${linked.source}: ./.torch -> ${linked.directory}`);
}

function isLinked(): boolean {
  return !("reason" in examine({ source: "./.torch", directory: `${Deno.cwd()}/.torch` }));
}

/** Opens a library in a process of its own, and runs one operation. */
async function openElsewhere(directory: string): Promise<{ version: string }> {
  const script = import.meta.resolve("./_probe.ts");
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--allow-all", script, directory],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(success ? stdout : stderr).trim();
  if (!success) throw new Error(text || "it ends the process that opens it");
  return { version: text };
}
