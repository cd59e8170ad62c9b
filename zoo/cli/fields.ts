/**
 * The fields of a flat config, set from text.
 *
 * @module
 */

import { unknownName, UsageError } from "./errors.ts";

/** What a field of a config may be, to be set from the command line. */
export type FieldValue = number | string | boolean | null;

/** The fields that were given for a group, as text: `true` for a flag without a value. */
export type Settings = ReadonlyMap<string, string | true>;

/**
 * A copy of `config` with the settings of a group applied. Each value takes the
 * type of the one it replaces; a `null` gives way to a number, `true`, `false`
 * or text. What a text may say is for the config's owner to check.
 *
 * @param group the group's name, for the error message
 * @throws {UsageError} when a field does not exist or a value has another type
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { setFields } from "./fields.ts";
 *
 * const config = setFields("optim", { lr: 1e-4, decay: null }, new Map([["lr", "1e-3"]]));
 * assertEquals(config, { lr: 1e-3, decay: null });
 * ```
 */
export function setFields<T extends object>(group: string, config: T, settings: Settings): T {
  const fields = settableFields(config);
  const changes = new Map<string, FieldValue>();
  for (const [field, given] of settings) {
    const old = fields.get(field);
    if (old === undefined) throw unknownName(`field of --${group}`, field, [...fields.keys()]);
    changes.set(field, fieldValue(`--${group}.${field}`, old, given));
  }
  return { ...config, ...Object.fromEntries(changes) };
}

/** The fields that hold a number, a text, a boolean or `null`; others cannot be set. */
export function settableFields(config: object): ReadonlyMap<string, FieldValue> {
  const fields = new Map<string, FieldValue>();
  for (const [name, value] of Object.entries(config)) {
    if (isFieldValue(value)) fields.set(name, value);
  }
  return fields;
}

/** A number as people write it, or nothing: no hexadecimal, no `Infinity`, no spaces. */
export function parseNumber(text: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

function isFieldValue(value: unknown): value is FieldValue {
  return value === null || ["number", "string", "boolean"].includes(typeof value);
}

function fieldValue(flag: string, old: FieldValue, given: string | true): FieldValue {
  if (typeof old === "boolean") return booleanField(flag, given);
  if (given === true || given === "") {
    throw new UsageError(`Flag ${flag} needs a value: ${flag}=${old ?? "<value>"}`);
  }
  if (typeof old === "string") return given;
  const number = parseNumber(given);
  if (number !== undefined) return number;
  if (old === null) return anyField(given);
  throw new UsageError(`Flag ${flag} needs a number, got "${given}"`);
}

function booleanField(flag: string, given: string | true): boolean {
  if (given === true || given === "true") return true;
  if (given === "false") return false;
  throw new UsageError(`Flag ${flag} needs true or false, got "${given}"`);
}

/** What the text most plainly means, where the old value says nothing of the type. */
function anyField(given: string): FieldValue {
  if (given === "null") return null;
  return given === "true" ? true : given === "false" ? false : given;
}
