/**
 * What a Python installation knows of libtorch: where its torch is, and how to
 * download one with its own pip. torch itself is never imported.
 *
 * @module
 */

import { join } from "@std/path";
import { reasonOf } from "./_reason.ts";

/** The torch of a Python installation. */
export interface PythonTorch {
  /** The interpreter. */
  readonly python: string;
  /** What its metadata says, such as `2.13.0+cpu`; absent without metadata. */
  readonly version?: string;
  /** Its `torch/lib`. */
  readonly directory: string;
}

/** How to run Python. */
export interface PythonOptions {
  /** The whole environment of the subprocess; default that of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Ends the subprocess. */
  readonly signal?: AbortSignal | undefined;
}

/** What to ask pip for. */
export interface PipQuery {
  /** The requirement, such as `torch==2.13.0+cpu`. */
  readonly requirement: string;
  /** The folder for the wheels. */
  readonly directory: string;
  /** Asked besides what pip is configured with; absent for none. */
  readonly index?: string | undefined;
  /** Whether to take the wheels that the requirement depends on, too. */
  readonly withDependencies: boolean;
  /** Whether to take only wheels that lie on this machine. */
  readonly offline: boolean;
}

/** Without the current folder, in which any `torch` could lie. */
const FIND_TORCH = `
import sys
sys.path = [p for p in sys.path if p]
import importlib.metadata, importlib.util, json, os
spec = importlib.util.find_spec("torch")
places = list(spec.submodule_search_locations or []) if spec else []
lib = os.path.join(places[0], "lib") if places else None
try:
    version = importlib.metadata.version("torch")
except importlib.metadata.PackageNotFoundError:
    version = None
print(json.dumps({"python": sys.executable, "lib": lib, "version": version}))
`.trim();

const FIND_TIMEOUT_MS = 30_000;

/** The torch of each Python on this machine, and why the other Pythons have none. */
export async function findPythonTorch(
  options: PythonOptions = {},
): Promise<{ found: PythonTorch[]; tried: string[] }> {
  const found = new Map<string, PythonTorch>();
  const tried: string[] = [];
  for (const python of pythons(options)) {
    try {
      const torch = await torchOf(python, options);
      if (!found.has(torch.directory)) found.set(torch.directory, torch);
    } catch (error) {
      options.signal?.throwIfAborted();
      tried.push(`${python} ${reasonOf(error)}`);
    }
  }
  return { found: [...found.values()], tried };
}

/**
 * The wheels that pip downloaded. They are chosen for Python 3.11, whichever runs: libtorch does
 * not depend on it, and no Python of the wheel is run.
 *
 * @throws {Error} with pip's own reason, or when there is no pip
 */
export async function pipDownload(query: PipQuery, options: PythonOptions = {}): Promise<string[]> {
  const { requirement, directory, index, withDependencies, offline } = query;
  const asked = [
    "download",
    "--only-binary=:all:",
    ...["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"],
    ...["--no-input", "--disable-pip-version-check", "--progress-bar", "off"],
    ...(withDependencies ? [] : ["--no-deps"]),
    ...(offline ? ["--no-index"] : ["--retries", "1", "--timeout", "15"]),
    ...(index === undefined || offline ? [] : ["--extra-index-url", index]),
    ...["--dest", directory, requirement],
  ];
  const missing: string[] = [];
  for (const [command, ...first] of pips(options)) {
    const name = [command, ...first].join(" ");
    try {
      const { success, stderr } = await run(command!, [...first, ...asked], options);
      if (success) return await wheelsIn(directory);
      if (!/No module named pip/.test(stderr)) throw new Error(`${name}: ${pipReason(stderr)}`);
      missing.push(`${name} is not installed`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      missing.push(`${name} is not on PATH`);
    }
  }
  throw new Error(`there is no pip (${missing.join(", ")})`);
}

/** The torch of one Python. */
async function torchOf(python: string, options: PythonOptions): Promise<PythonTorch> {
  const timeout = AbortSignal.timeout(FIND_TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  const ran = run(python, ["-c", FIND_TORCH], { ...options, signal });
  const { success, stdout, stderr } = await ran.catch((error) => {
    if (timeout.aborted) throw new Error(`did not answer within ${FIND_TIMEOUT_MS / 1000} s`);
    throw error instanceof Deno.errors.NotFound ? new Error("is not on PATH") : error;
  });
  const answer = stdout.split("\n").findLast((line) => line.startsWith("{"));
  if (!success || answer === undefined) throw new Error(`failed: ${lastLine(stderr)}`);
  const { lib, version, python: executable } = JSON.parse(answer);
  if (typeof lib !== "string") throw new Error(`(${executable}) has no torch`);
  const torch = { python: executable ?? python, directory: lib };
  return typeof version === "string" ? { ...torch, version } : torch;
}

/** The Pythons to ask: that of the active virtual environment first. */
function pythons(options: PythonOptions): string[] {
  const environment = options.env === undefined
    ? Deno.env.get("VIRTUAL_ENV")
    : options.env["VIRTUAL_ENV"];
  const inside = Deno.build.os === "windows" ? "Scripts/python.exe" : "bin/python";
  return [...(environment ? [join(environment, inside)] : []), "python3", "python"];
}

/** The commands that may be pip. */
function pips(options: PythonOptions): string[][] {
  return [...pythons(options).map((python) => [python, "-m", "pip"]), ["pip3"], ["pip"]];
}

/** The output of a program that has ended. */
async function run(
  command: string,
  args: readonly string[],
  { env, signal }: PythonOptions,
): Promise<{ success: boolean; stdout: string; stderr: string }> {
  const output = await new Deno.Command(command, {
    args: [...args],
    stdin: "null",
    ...(env === undefined ? {} : { env: { ...env }, clearEnv: true }),
    ...(signal === undefined ? {} : { signal }),
  }).output();
  signal?.throwIfAborted();
  const text = new TextDecoder();
  return {
    success: output.success,
    stdout: text.decode(output.stdout),
    stderr: text.decode(output.stderr),
  };
}

/** The wheels in a folder. */
async function wheelsIn(directory: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
  return names.filter((name) => name.endsWith(".whl")).map((name) => join(directory, name));
}

/** pip's last word on why it failed. */
function pipReason(stderr: string): string {
  const errors = stderr.split("\n").filter((line) => /^ERROR: (?!ResolutionImpossible)/.test(line));
  return errors.at(-1)?.replace("ERROR: ", "") ?? lastLine(stderr);
}

/** The last line that says something. */
function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) || "no reason given";
}
