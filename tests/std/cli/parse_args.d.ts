// The part of @std/cli/parse-args that Ponder uses.
export interface ParseOptions {
  "--"?: boolean;
  alias?: Record<string, string | readonly string[]>;
  boolean?: boolean | string | readonly string[];
  default?: Record<string, unknown>;
  stopEarly?: boolean;
  string?: string | readonly string[];
  collect?: string | readonly string[];
  negatable?: string | readonly string[];
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}
export interface Args {
  _: (string | number)[];
  "--"?: string[];
  [name: string]: unknown;
}
export function parseArgs(args: string[], options?: ParseOptions): Args;
