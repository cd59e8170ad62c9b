/**
 * What the reader and the writer of pickles share.
 *
 * @module
 */

/** The opcode that ends a pickle. */
export const STOP = 0x2e;

/** How deep values may nest. */
export const MAX_DEPTH = 64;

/** A function or class that a pickle names, such as `collections OrderedDict`. */
export class PickleGlobal {
  /** Module and name, with a space between. */
  readonly name: string;

  /** A global by its module and name, with a space between. */
  constructor(name: string) {
    this.name = name;
  }
}

/** A value as an error message names it, whatever its size. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (value instanceof PickleGlobal) return clipped(value.name.replace(" ", "."));
  if (value instanceof Map) return "a dictionary";
  if (Array.isArray(value)) return "a list or tuple";
  if (value instanceof Uint8Array) return "bytes";
  return typeof value === "object" ? "the result of a call" : `a ${typeof value}`;
}

/** Text from a file, short and on one line. */
export function clipped(text: string): string {
  const escaped = JSON.stringify(text.slice(0, 100)).slice(1, -1);
  return text.length > 100 ? `${escaped}…` : escaped;
}
