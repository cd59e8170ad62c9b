/**
 * Runs every test of the repository and ends with the line `N passed, N failed`.
 *
 *     deno task test                        all tests and all examples in the docs
 *     deno task test tests/core             some of them
 *     deno task test core/optim README.md   the examples in some files
 *     deno task test --filter softmax       flags of deno test, after the paths
 *     deno task ok                          fmt, lint, check, docs, publish and all tests
 *
 * Imports nothing of Ponder: what it tests may be broken.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };

const ROOT = new URL("..", import.meta.url);
const TESTS = "tests";
const DOCUMENTED = ["mod.ts", "core", "models", "tasks", "zoo", "ffi", "README.md", "docs"];
const PERMISSIONS = "--allow-all"; // ffi, sockets, child processes and temporary folders

/** How many tests passed, failed and were left out. */
export interface Tally {
  /** Tests that passed. */
  readonly passed: number;
  /** Tests that failed, and runs that failed without naming a test. */
  readonly failed: number;
  /** Tests marked to be ignored. */
  readonly skipped: number;
}

/**
 * What a run of `deno test` came to, from its output and exit code. Only the last
 * summary line counts: a test may print another. A type error prints none at all,
 * so a run that failed without a failed test counts as one failure.
 */
export function tallyOf(output: string, exitCode: number): Tally {
  const summary =
    /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/gm;
  const [, passed = 0, failed = 0, skipped = 0] = [...output.matchAll(summary)].at(-1) ?? [];
  const atLeast = exitCode === 0 ? 0 : 1;
  return {
    passed: Number(passed),
    failed: Math.max(atLeast, Number(failed)),
    skipped: Number(skipped),
  };
}

/** The sum of tallies; a failure if no test ran at all. */
export function total(tallies: readonly Tally[]): Tally {
  const sum = (key: keyof Tally): number => tallies.reduce((n, tally) => n + tally[key], 0);
  const [passed, failed, skipped] = [sum("passed"), sum("failed"), sum("skipped")];
  return { passed, failed: passed + failed === 0 ? 1 : failed, skipped };
}

/** `N passed, N failed`, and `, N skipped` if any was. */
export function lastLine({ passed, failed, skipped }: Tally): string {
  const line = `${passed} passed, ${failed} failed`;
  return skipped === 0 ? line : `${line}, ${skipped} skipped`;
}

async function main(args: readonly string[]): Promise<number> {
  const isOk = args[0] === "--ok";
  const rest = isOk ? args.slice(1) : args;
  const firstFlag = rest.findIndex((arg) => arg.startsWith("-"));
  const paths = rest.slice(0, firstFlag < 0 ? rest.length : firstFlag);
  const flags = rest.slice(paths.length);

  const checks = [...isOk ? CHECKS : [], ...exists("zoo/cli.ts") ? [SETUP] : []];
  const tallies: Tally[] = [];
  for (const check of checks) tallies.push(await runCheck(check));
  for (const run of testRuns(paths)) tallies.push(await runTests([...run, ...flags]));

  const all = total(tallies);
  console.log(`\n${lastLine(all)}`);
  return all.failed === 0 ? 0 : 1;
}

/** What `deno task ok` runs before the tests. */
const CHECKS: readonly (readonly string[])[] = [
  ["fmt", "--check"],
  ["lint"],
  ["check"],
  ["doc", "--lint", ...Object.values(config.exports).filter(exists)],
  ["publish", "--dry-run", "--allow-dirty"],
];

/** Finds libtorch or fetches it; silent when it is there already. */
const SETUP = ["run", "-q", "--allow-all", "zoo/cli.ts", "setup", "--quiet"];

/** A command that counts only when it fails. */
async function runCheck(args: readonly string[]): Promise<Tally> {
  const command = `deno ${args.join(" ")}`;
  console.error(`# ${command}`);
  const { code } = await denoCommand(args).spawn().status;
  if (code !== 0) console.error(`FAILED: ${command}`);
  return { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

/** The arguments of `deno test`: one run for tests, one for the examples in code and docs. */
function testRuns(paths: readonly string[]): string[][] {
  if (paths.length === 0) return [[PERMISSIONS], docRun(DOCUMENTED.filter(exists))];
  const clean = paths.map((path) => path.replace(/^\.\//, "").replace(/\/$/, ""));
  const tests = clean.filter(isTest);
  const documented = clean.filter((path) => !isTest(path));
  const runs: string[][] = [];
  // `deno test tests` finds nothing where a workspace has members below tests; no path finds all
  if (tests.length > 0) runs.push([PERMISSIONS, ...tests.includes(TESTS) ? [] : tests]);
  if (documented.length > 0) runs.push(docRun(documented));
  return runs;
}

function isTest(path: string): boolean {
  return path.split("/")[0] === TESTS || path.endsWith("_test.ts");
}

function docRun(paths: readonly string[]): string[] {
  return [PERMISSIONS, "--doc", ...paths];
}

/** Runs `deno test`, passes its output on as it comes, and counts. */
async function runTests(args: readonly string[]): Promise<Tally> {
  const child = denoCommand(["test", ...args], "piped").spawn();
  const decoder = new TextDecoder();
  let tail = "";
  for await (const bytes of child.stdout) {
    print(bytes);
    tail = (tail + decoder.decode(bytes, { stream: true })).slice(-10_000);
  }
  const { code } = await child.status;
  return tallyOf(tail, code);
}

/** Writes all of it: one write to a pipe may take only a part. */
function print(bytes: Uint8Array): void {
  for (let n = 0; n < bytes.length;) n += Deno.stdout.writeSync(bytes.subarray(n));
}

function denoCommand(
  args: readonly string[],
  stdout: "piped" | "inherit" = "inherit",
): Deno.Command {
  // One thread: small tensors gain nothing from more, and other programs may want the cores.
  const env = { NO_COLOR: "1", OMP_NUM_THREADS: "1" };
  return new Deno.Command(Deno.execPath(), { args: [...args], cwd: ROOT, env, stdout });
}

/** Whether the repository has a file or folder of that name. */
export function exists(path: string): boolean {
  try {
    return Deno.statSync(new URL(path, ROOT)) !== undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
