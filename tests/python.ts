/** Python's torch and TensorBoard as oracles, where PONDER_PYTHON names one that has them. */
import { assert } from "@std/assert";

const python = Deno.env.get("PONDER_PYTHON");

async function succeeds(command: string, script: string): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args: ["-c", script] }).output()).success;
  } catch {
    return false; // no such program
  }
}

async function hasModule(name: string): Promise<boolean> {
  const find = `import importlib.util, sys; sys.exit(importlib.util.find_spec('${name}') is None)`;
  return python !== undefined && await succeeds(python, find);
}

/** Whether there is torch. */
export const hasTorch = await hasModule("torch");

/** What the name of a test says that is left out without it. */
export const needsTorch = hasTorch ? "" : " (needs PONDER_PYTHON with torch)";

/** Whether there is TensorBoard. */
export const hasTensorBoard = await hasModule("tensorboard");

/** What the name of a test says that is left out without it. */
export const needsTensorBoard = hasTensorBoard ? "" : " (needs PONDER_PYTHON with tensorboard)";

/** What a Python script prints, given arguments. */
export async function runPython(script: string, ...args: string[]): Promise<string> {
  const child = new Deno.Command(python!, { args: ["-c", script, ...args] });
  const { stdout, stderr, success } = await child.output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}
