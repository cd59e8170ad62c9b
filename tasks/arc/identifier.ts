/**
 * The names of augmented tasks, in which the augmentation can be read: those of
 * both reference repositories.
 *
 * | style | name |
 * |---|---|
 * | `"hrm"` | `007bbfb7_t3_0213456789` |
 * | `"trm"` | `007bbfb7|||t3|||0213456789` |
 *
 * The number after `t` is the dihedral id, the digits are the new names of the
 * colours 0 to 9. The task itself goes by its own name.
 *
 * @module
 */

import { type ArcAugmentation, identityArcAugmentation } from "./augment.ts";
import { arcNumColours } from "./grid.ts";

/** What stands between the parts of a name, by style. */
export const arcSeparators = { hrm: "_", trm: "|||" } as const satisfies Record<string, string>;

/** Whose names they are. */
export type ArcIdentifierStyle = keyof typeof arcSeparators;

/** What is read from the name of an augmented task. */
export interface ArcIdentifier {
  /** The name of the task. */
  readonly task: string;
  /** What was done to it. */
  readonly augmentation: ArcAugmentation;
}

/** The end of an augmented task's name, in either style. */
const suffix = /(_|\|\|\|)t(\d+)\1(\d+)$/;

/**
 * The name of an augmented task; for the identity that of the task itself.
 *
 * @throws {RangeError} when the task's own name reads as an augmented one
 *
 * @example
 * ```ts
 * import { formatArcIdentifier, parseArcIdentifier } from "@ponder/ponder/tasks";
 *
 * const { task, augmentation } = parseArcIdentifier("007bbfb7_t3_0213456789");
 * console.log(formatArcIdentifier(task, augmentation, "trm")); // 007bbfb7|||t3|||0213456789
 * ```
 */
export function formatArcIdentifier(
  task: string,
  { dihedral, colours }: ArcAugmentation,
  style: ArcIdentifierStyle,
): string {
  if (suffix.test(task) || task.includes(arcSeparators.trm)) {
    throw new RangeError(
      `Cannot name the augmentations of task "${task}": its name reads as an augmented one`,
    );
  }
  if (dihedral === 0 && colours.every((name, colour) => name === colour)) return task;
  return [task, `t${dihedral}`, colours.join("")].join(arcSeparators[style]);
}

/**
 * The task and the augmentation that a name stands for, in either style.
 *
 * @throws {SyntaxError} when the dihedral id or the permutation in it is none
 */
export function parseArcIdentifier(name: string): ArcIdentifier {
  const match = suffix.exec(name);
  if (match === null) {
    if (name.includes(arcSeparators.trm)) {
      refuse(name, 'expected it to end in "|||t", a dihedral id, "|||" and the colours');
    }
    return { task: name, augmentation: identityArcAugmentation() };
  }
  const [, , id, digits] = match;
  if (!/^[0-7]$/.test(id!)) refuse(name, `its dihedral id is ${id}: expected 0 to 7`);
  const colours = Uint8Array.from(digits!, Number);
  const isPermutation = colours.length === arcNumColours && new Set(colours).size === arcNumColours;
  if (!isPermutation || colours[0] !== 0) {
    refuse(name, `its colours are ${digits}: expected 0, then 1 to 9 in any order`);
  }
  return { task: name.slice(0, match.index), augmentation: { dihedral: Number(id), colours } };
}

function refuse(name: string, why: string): never {
  throw new SyntaxError(`Cannot read "${name}" as the name of a task: ${why}`);
}
