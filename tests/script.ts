/** What a script wrote, and how it ended. */
export interface ScriptResult {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

const root = new URL("..", import.meta.url);

/** Runs TypeScript in a process of its own, in the repository, with the given flags of `deno run`. */
export async function runScript(
  script: string,
  flags: readonly string[],
  env: Record<string, string> = {},
): Promise<ScriptResult> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--no-prompt", "--ext=ts", ...flags, "-"],
    cwd: root,
    env: { OMP_NUM_THREADS: "1", NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  const { code, signal, stdout, stderr } = await child.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  return { code, signal, stdout: out!, stderr: err! };
}
