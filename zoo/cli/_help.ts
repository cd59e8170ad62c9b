/**
 * The text of `--help`, from the declaration of a command.
 *
 * @module
 */

import type { Command, Flag, Group, NumberFlag, Positional } from "./command.ts";
import { wrap } from "./_width.ts";
import { settableFields } from "./fields.ts";

/** What stands left, and what is said of it. */
type HelpRow = readonly [label: string, help: string];

const WIDTH = 80;
const LABEL_WIDTH = 28;

/**
 * The text of `--help`, at most 80 columns wide, without a line break at its end.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { renderHelp } from "./flags.ts";
 *
 * const help = renderHelp({
 *   name: "bench",
 *   summary: "Measures",
 *   flags: { json: { type: "boolean", help: "print JSON" } },
 * });
 * assertStringIncludes(help, "Usage: deno task bench [flags]");
 * assertStringIncludes(help, "  --json");
 * ```
 */
export function renderHelp(command: Command): string {
  const { name, summary, usage, positionals = [], flags, groups = {} } = command;
  const call = usage ??
    ["deno task", name, ...positionals.map(argumentLabel), "[flags]"].join(" ");
  const sections = [
    section("Arguments", positionals.map((it) => [argumentLabel(it), aboutArgument(it)])),
    section("Flags", [
      ...Object.entries(flags).map(([name, flag]): HelpRow => [
        flagLabel(name, flag),
        aboutFlag(flag),
      ]),
      ["-h, --help", "show this text"],
    ]),
    section(
      "Fields",
      Object.entries(groups).map(([name, it]) => [`--${name}.<field>=<value>`, aboutGroup(it)]),
    ),
  ];
  return joined([wrap(`Usage: ${call}`, WIDTH, "  "), wrap(summary, WIDTH), ...sections]);
}

/** The text of a program's `--help`: its commands. */
export function renderCommands(
  program: string,
  commands: Readonly<Record<string, { readonly summary: string }>>,
): string {
  return joined([
    wrap(`Usage: ${program} <command> [arguments] [flags]`, WIDTH, "  "),
    section("Commands", Object.entries(commands).map(([name, { summary }]) => [name, summary])),
    wrap(`${program} <command> --help says more of one`, WIDTH),
  ]);
}

/** `<recipe>`, `[puzzle]` or `[files…]`, the way an argument is written. */
export function argumentLabel({ name, optional, rest }: Positional): string {
  if (rest === true) return `[${name}…]`;
  return optional === true ? `[${name}]` : `<${name}>`;
}

/** `--steps=<n>`, the way a flag is written. */
export function flagLabel(name: string, flag: Flag): string {
  if (flag.type === "boolean") return flag.default === true ? `--[no-]${name}` : `--${name}`;
  const placeholders = { string: "text", number: "x", integer: "n", choice: "name" };
  return `--${name}=<${flag.placeholder ?? placeholders[flag.type]}>`;
}

/** "an integer from 1 to 10", as far as the flag says. */
export function numberRange({ type, min, max }: NumberFlag): string {
  const kind = type === "integer" ? "an integer" : "a number";
  if (min !== undefined && max !== undefined) return `${kind} from ${min} to ${max}`;
  if (min !== undefined) return `${kind} of at least ${min}`;
  return max === undefined ? kind : `${kind} of at most ${max}`;
}

function aboutArgument({ help, choices }: Positional): string {
  return choices === undefined ? help : `${help}: ${choices.join(", ")}`;
}

function aboutFlag(flag: Flag): string {
  const { type, help } = flag;
  if (type === "boolean") return flag.default === true ? `${help} (default on)` : help;
  const about = type === "choice" ? `${help}: ${flag.choices.join(", ")}` : help;
  const isNumeric = type === "number" || type === "integer";
  const isBounded = isNumeric && (flag.min ?? flag.max) !== undefined;
  const notes = isBounded ? [numberRange(flag)] : [];
  if (flag.default !== undefined) notes.push(`default ${flag.default}`);
  return notes.length === 0 ? about : `${about} (${notes.join(", ")})`;
}

function aboutGroup({ help, defaults }: Group): string {
  if (defaults === undefined) return help;
  const fields = [...settableFields(defaults)].map(([name, value]) => `${name}=${value}`);
  return `${help}; by default ${fields.join(", ")}`;
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}

/** A title and rows in two columns, or nothing; a label that is too long has its own line. */
function section(title: string, rows: readonly HelpRow[]): string {
  if (rows.length === 0) return "";
  const fitting = rows.map(([label]) => label.length).filter((length) => length <= LABEL_WIDTH);
  const width = Math.max(0, ...fitting);
  const indent = " ".repeat(width + 4);
  const lines = rows.map(([label, help]) => {
    const text = wrap(help, WIDTH - indent.length).replaceAll("\n", `\n${indent}`);
    if (label.length <= width) return `  ${label.padEnd(width)}  ${text}`;
    return `  ${wrap(label, WIDTH - 2).replaceAll("\n", "\n  ")}\n${indent}${text}`;
  });
  return `${title}:\n${lines.join("\n")}`;
}
