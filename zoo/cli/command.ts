/**
 * The declaration of a command's arguments and flags, and the types of the
 * values that follow from it.
 *
 * @module
 */

import type { Settings } from "./fields.ts";

/** A flag that takes any text: `--out=<path>`. */
export interface StringFlag extends FlagText {
  /** The kind of flag. */
  readonly type: "string";
  /** The value when the flag is not given; without one it is `undefined`. */
  readonly default?: string;
}

/** A flag that takes a number: `--lr=1e-3`, `--steps=100`. */
export interface NumberFlag extends FlagText {
  /** The kind of flag; an "integer" may be written `1e3`. */
  readonly type: "number" | "integer";
  /** The smallest value allowed. */
  readonly min?: number;
  /** The largest value allowed. */
  readonly max?: number;
  /** The value when the flag is not given; without one it is `undefined`. */
  readonly default?: number;
}

/** A flag that is on or off: `--json`, `--no-json`, `--json=false`. */
export interface BooleanFlag extends FlagText {
  /** The kind of flag. */
  readonly type: "boolean";
  /** The value when the flag is not given, `false` if left out. */
  readonly default?: boolean;
}

/** A flag that takes one of a few names: `--preset=tiny`. */
export interface ChoiceFlag extends FlagText {
  /** The kind of flag. */
  readonly type: "choice";
  /** The names it takes. */
  readonly choices: readonly string[];
  /** The value when the flag is not given; without one it is `undefined`. */
  readonly default?: string;
}

/** What `--help` says of a flag. */
export interface FlagText {
  /** What the flag is for, without a full stop. */
  readonly help: string;
  /** What stands for its value in `--name=<placeholder>`. */
  readonly placeholder?: string;
}

/** Any flag. */
export type Flag = StringFlag | NumberFlag | BooleanFlag | ChoiceFlag;

/** An argument without a flag, known by its place. */
export interface Positional {
  /** Its name in `<name>` and in the result. */
  readonly name: string;
  /** What it is, without a full stop. */
  readonly help: string;
  /** The names it takes; any text if left out. */
  readonly choices?: readonly string[];
  /** Whether it may be left out; then only others that may follow it. */
  readonly optional?: boolean;
  /** Whether it takes all arguments that are left, perhaps none; only the last can. */
  readonly rest?: boolean;
}

/** A group of dotted flags that set the fields of a config: `--model.hidden_size=128`. */
export interface Group {
  /** What the group sets, without a full stop. */
  readonly help: string;
  /**
   * The config whose fields may be set; the type of a value follows the field.
   * Without it the settings are only collected, for `setFields()`.
   */
  readonly defaults?: object;
}

/** The command line of one command. */
export interface Command {
  /** Its name, `train`. */
  readonly name: string;
  /** What it does, one sentence without a full stop. */
  readonly summary: string;
  /** How it is called, `deno task train <recipe> [flags]`; made from the rest if left out. */
  readonly usage?: string;
  /** Its arguments, in order. */
  readonly positionals?: readonly Positional[];
  /** Its flags by name; the name is what is written after `--`. */
  readonly flags: Readonly<Record<string, Flag>>;
  /** Its groups of dotted flags by the name before the dot. */
  readonly groups?: Readonly<Record<string, Group>>;
}

// What parsing gives, by type

/** The type of a flag's value. */
export type FlagValue<F> = F extends BooleanFlag ? boolean
  : F extends NumberFlag ? number
  : F extends ChoiceFlag ? F["choices"][number]
  : string;

/** The values of flags by name; `undefined` only where neither given nor defaulted. */
export type FlagValues<Flags> = {
  readonly [K in keyof Flags]: Flags[K] extends { type: "boolean" } | { default: string | number }
    ? FlagValue<Flags[K]>
    : FlagValue<Flags[K]> | undefined;
};

/** The type of one positional argument. */
export type PositionalValue<P> = P extends { rest: true } ? readonly PositionalName<P>[]
  : P extends { optional: true } ? PositionalName<P> | undefined
  : PositionalName<P>;

/** The text of a positional argument: one of its choices, if it has any. */
export type PositionalName<P> = P extends { choices: readonly (infer Name)[] } ? Name : string;

/** The positional arguments by name. */
export type PositionalValues<List> = List extends readonly Positional[]
  ? { readonly [P in List[number] as P["name"]]: PositionalValue<P> }
  : Readonly<Record<never, never>>;

/** For each group its config with the settings applied, or the settings themselves. */
export type GroupValues<Groups> = {
  readonly [K in keyof Groups]: Groups[K] extends { defaults: infer Config } ? Config : Settings;
};

/** The command line of a command, read and checked. */
export interface ParsedCommand<C extends Command> {
  /** The values of its flags. */
  readonly flags: FlagValues<C["flags"]>;
  /** The values of its arguments. */
  readonly positionals: PositionalValues<C["positionals"]>;
  /** Its groups. */
  readonly groups: GroupValues<C["groups"]>;
}
