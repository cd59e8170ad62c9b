/** Python's torch as an oracle, where PONDER_PYTHON names one. */
import { assert } from "@std/assert";

const python = Deno.env.get("PONDER_PYTHON");

async function succeeds(command: string, script: string): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args: ["-c", script] }).output()).success;
  } catch {
    return false; // no such program
  }
}

const FIND_TORCH =
  "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)";

/** Whether there is one. */
export const hasTorch = python !== undefined && await succeeds(python, FIND_TORCH);

/** What the name of a test says that is left out without it. */
export const needsTorch = hasTorch ? "" : " (needs PONDER_PYTHON with torch)";

/** What a Python script prints, given arguments. */
export async function runPython(script: string, ...args: string[]): Promise<string> {
  const child = new Deno.Command(python!, { args: ["-c", script, ...args] });
  const { stdout, stderr, success } = await child.output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}
