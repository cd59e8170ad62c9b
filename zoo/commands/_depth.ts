/**
 * How long a command lets a model think: `--segments`.
 *
 * @module
 */
import type { Model } from "../../models/model.ts";
import { UsageError } from "../cli/flags.ts";
import { plural } from "../show.ts";

/** The flag. */
export const depthFlag = {
  segments: {
    type: "string",
    placeholder: "always|halt|N",
    help: "how long to think: always as long as in training, until the model wants to halt, or " +
      "so many segments, recurrences or loops; always if left out",
  },
} as const;

/** What the flag asks of a model. */
export function depthOf(
  text: string = "always",
  { depth: { unit, most } }: Model,
): { readonly units?: number; readonly halt: boolean } {
  if (text === "always") return { halt: false };
  if (text === "halt") {
    if (unit === "segment") return { halt: true };
    throw new UsageError("Cannot use --segments=halt: the model has no halting head");
  }
  const units = Number(text);
  if (!/^\d+$/.test(text) || units < 1 || units > 2 ** 20) {
    throw new UsageError(`Unknown --segments=${text}: expected always, halt or a number from 1`);
  }
  if (units > most) {
    throw new UsageError(
      `Cannot use --segments=${text}: the model does ${most} ${most === 1 ? unit : plural(unit)}`,
    );
  }
  return { units, halt: false };
}
