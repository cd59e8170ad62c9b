/**
 * The end of every command: what went wrong becomes one line and an exit code.
 *
 * @module
 */

import * as terminal from "./terminal.ts";
import { HelpRequested, Interrupted, UsageError } from "./errors.ts";

/** Where {@link runMain} writes and how it ends; for tests. */
export interface MainOptions {
  /** Prints a text to standard output. */
  readonly print?: (text: string) => void;
  /** Prints a text to standard error. */
  readonly printError?: (text: string) => void;
  /** Ends the process. */
  readonly exit?: (code: number) => void;
}

/**
 * Runs a command's main function and ends the process: with 0 when it is done
 * or `--help` was asked for, 1 when it failed, 2 for wrong usage and 130 when it
 * was {@link Interrupted}. A failure prints its message, and with `PONDER_DEBUG`
 * set in the environment also where it happened.
 */
export async function runMain(
  main: () => unknown,
  options: MainOptions = {},
): Promise<void> {
  const { exit = Deno.exit } = options;
  const { print, printError } = { ...terminal, ...options };
  let code = 0;
  try {
    await main();
  } catch (error) {
    code = exitCodeOf(error);
    if (code === 0) print((error as Error).message);
    else printError(errorText(error, code));
  }
  exit(code);
}

/** The exit code for what a command threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof HelpRequested) return 0;
  if (error instanceof UsageError) return 2;
  return error instanceof Interrupted ? 130 : 1;
}

/** What is printed of it. */
export function errorText(error: unknown, code: number): string {
  if (!(error instanceof Error)) return String(error);
  if (code === 1 && isDebugging()) return Deno.inspect(error); // stack and causes
  return error.message || error.name;
}

/** Asks for the variable only where that is allowed already: no prompt, no error. */
function isDebugging(): boolean {
  const variable = "PONDER_DEBUG";
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") return false;
  return (Deno.env.get(variable) ?? "") !== "";
}
