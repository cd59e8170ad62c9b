/**
 * The command line of a command, declared once: from one declaration come the
 * typed values, the errors and the text of `--help`.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { argumentLabel, flagLabel, numberRange, renderCommands, renderHelp } from "./_help.ts";
import type { Command, Flag, ParsedCommand, Positional } from "./command.ts";
import { HelpRequested, unknownName, UsageError } from "./errors.ts";
import { parseNumber, setFields, type Settings } from "./fields.ts";

export { renderHelp } from "./_help.ts";
export type * from "./command.ts";
export { HelpRequested, Interrupted, unknownName, UsageError } from "./errors.ts";
export { type FieldValue, setFields, type Settings } from "./fields.ts";
export { type MainOptions, runMain } from "./main.ts";

/**
 * The values on a command line, checked against the declaration.
 *
 * Values are written `--steps=100` or `--steps 100`, the first being the only
 * way for one that starts with a dash; of a flag given twice the last counts;
 * what follows `--` is taken as arguments.
 *
 * @throws {UsageError} when the command line does not fit the declaration
 * @throws {HelpRequested} for `--help` and `-h`, wherever they stand
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseCommand } from "./flags.ts";
 *
 * const { flags, positionals, groups } = parseCommand({
 *   name: "train",
 *   summary: "Trains a recipe",
 *   positionals: [{ name: "recipe", help: "what to train", choices: ["hrm", "trm"] }],
 *   flags: { steps: { type: "integer", min: 1, default: 100, help: "how many steps" } },
 *   groups: { model: { help: "fields of the model" } },
 * }, ["hrm", "--steps=7", "--model.hidden_size=128"]);
 *
 * assertEquals(flags.steps, 7);
 * assertEquals(positionals.recipe, "hrm");
 * assertEquals(groups.model, new Map([["hidden_size", "128"]]));
 * ```
 */
export function parseCommand<const C extends Command>(
  declaration: C,
  args: readonly string[],
): ParsedCommand<C> {
  const command: Command = declaration;
  const words = splitArgs(command, args);
  if (words.help) throw new HelpRequested(renderHelp(command));
  checkWords(command, words, args);
  return {
    flags: mapValues(command.flags, (flag, name) => flagValue(name, flag, words.given[name])),
    positionals: positionalValues(command, words.positionals),
    groups: mapValues(command.groups ?? {}, ({ defaults }, name) => {
      const settings: Settings = words.settings.get(name) ?? new Map();
      return defaults === undefined ? settings : setFields(name, defaults, settings);
    }),
  } as unknown as ParsedCommand<C>; // what the types of command.ts say of the same declaration
}

/**
 * The command that a program's arguments name, and the arguments left for it.
 *
 * @param program how the program is called, for its help
 * @param commands the commands by name
 * @throws {UsageError} when none or an unknown one is named
 * @throws {HelpRequested} for `--help`, `-h` and `help`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { chooseCommand } from "./flags.ts";
 *
 * const commands = { train: { summary: "Trains a recipe" }, eval: { summary: "Evaluates one" } };
 * assertEquals(chooseCommand("ponder", commands, ["eval", "hrm"]), { name: "eval", rest: ["hrm"] });
 * ```
 */
export function chooseCommand<K extends string>(
  program: string,
  commands: Readonly<Record<K, { readonly summary: string }>>,
  args: readonly string[],
): { readonly name: K; readonly rest: readonly string[] } {
  const names = Object.keys(commands) as K[];
  const [first, ...rest] = args;
  if (first === undefined) throw new UsageError(`Missing command, one of: ${names.join(", ")}`);
  if (["--help", "-h", "help"].includes(first)) {
    throw new HelpRequested(renderCommands(program, commands));
  }
  const name = names.find((known) => known === first);
  if (name === undefined) throw unknownName("command", first, names);
  return { name, rest };
}

/** A command line taken apart, nothing converted yet. */
interface Words {
  /** The flags as `parseArgs` gives them: booleans all there, others only as given. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly positionals: readonly string[];
  /** The settings of each group. */
  readonly settings: ReadonlyMap<string, Settings>;
  /** The words that start with a dash and are neither a flag nor a setting. */
  readonly unknown: readonly string[];
  readonly help: boolean;
}

function splitArgs({ flags, groups = {} }: Command, args: readonly string[]): Words {
  const names = Object.keys(flags);
  const booleans = names.filter((name) => flags[name]!.type === "boolean");
  const positionals: string[] = [];
  const unknown: string[] = [];
  const settings = new Map<string, Map<string, string | true>>();
  const given = parseArgs([...args], {
    "--": true,
    alias: { help: "h" },
    boolean: [...booleans, "help"],
    negatable: booleans,
    default: Object.fromEntries(booleans.map((name) => [name, flags[name]!.default ?? false])),
    string: names.filter((name) => !booleans.includes(name)),
    unknown: (arg, key, value) => {
      const [group, field] = splitKey(arg, key ?? "");
      if (key === undefined) {
        positionals.push(arg);
      } else if (field === undefined || !Object.hasOwn(groups, group)) {
        unknown.push(arg);
      } else {
        if (!settings.has(group)) settings.set(group, new Map());
        settings.get(group)!.set(field, typeof value === "string" ? value : true);
      }
      return false; // parseArgs itself would turn digits into numbers
    },
  });
  positionals.push(...given["--"] ?? []);
  return { given, positionals, settings, unknown, help: given["help"] === true };
}

/** `["model", "hidden_size"]` of `--model.hidden_size`, `[key]` of another flag. */
function splitKey(arg: string, key: string): [group: string, field?: string] {
  const dot = key.indexOf(".");
  if (!arg.startsWith("--") || dot < 0) return [key];
  return [key.slice(0, dot), key.slice(dot + 1)];
}

/** What is wrong with the words themselves; a missing value first, for it makes others look odd. */
function checkWords({ flags, groups = {} }: Command, words: Words, args: readonly string[]): void {
  for (const [name, flag] of Object.entries(flags)) {
    if (words.given[name] !== "") continue;
    throw new UsageError(`Flag --${name} needs a value: ${flagLabel(name, flag)}`);
  }
  for (const word of words.unknown) throw unknownFlag(word, flags, groups);
  const end = args.indexOf("--");
  for (const arg of args.slice(0, end < 0 ? args.length : end)) {
    const [, no, name = "", value] = /^--(no-)?([^=]+)=(.*)$/s.exec(arg) ?? [];
    if (!Object.hasOwn(flags, name) || flags[name]!.type !== "boolean") continue;
    if (no !== undefined) throw new UsageError(`Flag --no-${name} takes no value`);
    if (value === "true" || value === "false") continue;
    throw new UsageError(`Flag --${name} needs true or false, got "${value}"`);
  }
}

function unknownFlag(word: string, flags: object, groups: object): UsageError {
  const written = word.replace(/=.*$/s, "");
  const names = Object.keys(groups).map((group) => `--${group}`);
  const [group, field] = splitKey(written, written);
  if (field !== undefined && names.length > 0) return unknownName("group", group, names);
  const known = Object.keys(flags).map((name) => `--${name}`);
  const fields = names.map((name) => `${name}.<field>`);
  return unknownName("flag", written, [...known, ...fields, "--help"]);
}

function flagValue(name: string, flag: Flag, given: unknown): unknown {
  if (flag.type === "boolean") return given;
  if (typeof given !== "string") return flag.default;
  if (flag.type === "string") return given;
  if (flag.type === "choice") {
    if (flag.choices.includes(given)) return given;
    throw unknownName(`value of --${name}`, given, flag.choices);
  }
  const number = parseNumber(given) ?? NaN;
  const isRightKind = flag.type === "number" || Number.isSafeInteger(number);
  if (isRightKind && number >= (flag.min ?? -Infinity) && number <= (flag.max ?? Infinity)) {
    return number;
  }
  throw new UsageError(`Flag --${name} needs ${numberRange(flag)}, got "${given}"`);
}

function positionalValues(command: Command, words: readonly string[]): Record<string, unknown> {
  const { name, positionals = [] } = command;
  const values: Record<string, unknown> = {};
  for (const [i, positional] of positionals.entries()) {
    values[positional.name] = positionalValue(positional, words.slice(i));
  }
  const extra = words[positionals.length];
  if (extra === undefined || positionals.at(-1)?.rest === true) return values;
  const takes = positionals.length === 0
    ? "no arguments"
    : positionals.map(argumentLabel).join(" ");
  throw new UsageError(`Unexpected argument "${extra}": ${name} takes ${takes}`);
}

/** The value of one argument, given the words from its place on. */
function positionalValue(positional: Positional, words: readonly string[]): unknown {
  const { name, help, choices, optional, rest } = positional;
  const mine = rest === true ? words : words.slice(0, 1);
  for (const word of mine) {
    if (choices !== undefined && !choices.includes(word)) throw unknownName(name, word, choices);
  }
  if (rest === true) return mine;
  if (mine.length === 0 && optional !== true) {
    const what = choices === undefined ? help : `one of ${choices.join(", ")}`;
    throw new UsageError(`Missing argument <${name}>: ${what}`);
  }
  return mine[0];
}

function mapValues<T>(
  record: Readonly<Record<string, T>>,
  convert: (value: T, name: string) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([name, it]) => [name, convert(it, name)]));
}
