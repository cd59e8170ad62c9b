/**
 * All families of arc-mini; another one is another row.
 *
 * @module
 */

import type { ArcMiniFamily } from "./_family.ts";
import { commonest, recolour, swap } from "./colours.ts";
import { combine, countBar, sortBars } from "./counting.ts";
import { connect, frame } from "./lines.ts";
import { extend, gravity, shift } from "./motion.ts";
import { crop, denoise, extract, fill, largest, outline } from "./objects.ts";
import { enlarge, reflect, rotate, symmetrise, tile } from "./symmetry.ts";

/** The families by name. */
export const arcMiniFamilies = {
  recolour,
  swap,
  commonest,
  reflect,
  rotate,
  tile,
  enlarge,
  symmetrise,
  gravity,
  extend,
  shift,
  outline,
  fill,
  crop,
  largest,
  extract,
  denoise,
  connect,
  frame,
  countBar,
  sortBars,
  combine,
} as const satisfies Record<string, ArcMiniFamily>;

/** The name of a family. */
export type ArcMiniFamilyName = keyof typeof arcMiniFamilies;

/** The names of the families. */
export const arcMiniFamilyNames: readonly ArcMiniFamilyName[] = Object.keys(
  arcMiniFamilies,
) as ArcMiniFamilyName[];
