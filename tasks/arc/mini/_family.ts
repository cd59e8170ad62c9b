/**
 * What a concept family is, and how one is declared: all its rules listed, so
 * that a task can be searched for other rules that explain it.
 *
 * @module
 */

import type { RandomSource } from "../../random_source.ts";
import type { ArcGrid } from "../grid.ts";

/** One concept, such as gravity, with all its rules; a rule goes by its index. */
export interface ArcMiniFamily {
  /** What its rules do, in a sentence. */
  readonly summary: string;
  /** How many rules there are. */
  readonly numRules: number;
  /** The parameters of a rule, in words. */
  describe(rule: number): string;
  /** A random grid, at most `size` either way, for the rule to be applied to. */
  draw(random: RandomSource, rule: number, size: number): ArcGrid;
  /** What the rule makes of a grid; `null` where it does not apply. */
  apply(rule: number, grid: ArcGrid): ArcGrid | null;
}

/** A family in terms of its parameters. */
interface FamilyDeclaration<R> {
  readonly summary: string;
  readonly rules: readonly R[];
  readonly draw: (random: RandomSource, rule: R, size: number) => ArcGrid;
  readonly apply: (rule: R, grid: ArcGrid) => ArcGrid | null;
}

/** The family declared, its rules numbered in the order listed. */
export function family<R extends object>(
  { summary, rules, draw, apply }: FamilyDeclaration<R>,
): ArcMiniFamily {
  return {
    summary,
    numRules: rules.length,
    describe: (rule) =>
      Object.entries(rules[rule]!).map(([key, value]) => `${key} ${value}`).join(", "),
    draw: (random, rule, size) => draw(random, rules[rule]!, size),
    apply: (rule, grid) => apply(rules[rule]!, grid),
  };
}

/** The colours other than the background. */
export const paints: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/** Every combination of one value for each key: `{ a: [1, 2], b: [3] }` to `[{ a: 1, b: 3 }, …]`. */
export function combinations<R extends object>(
  values: { readonly [K in keyof R]: readonly R[K][] },
): R[] {
  let found: Partial<R>[] = [{}];
  for (const key of Object.keys(values) as (keyof R)[]) {
    found = found.flatMap((part) => values[key].map((value) => ({ ...part, [key]: value })));
  }
  return found as R[];
}
