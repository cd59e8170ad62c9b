/**
 * What the presets reach: of the paper, of ours, or not known yet.
 *
 * @module
 */
import type { Claim } from "../recipe.ts";

const cores = "2 cores of an AMD EPYC";

/** Minutes beside other work. */
const busyCore = "one core of an AMD EPYC, beside other work";

function ours(share: number, time: string, where: string = cores): Claim {
  return { metric: "exact", paper: null, ours: share, hardware: `${time} on ${where}` };
}

function paper(share: number, hardware: string): Claim {
  return { metric: "exact", paper: share, ours: null, hardware: `${hardware} (paper)` };
}

/** Nobody has measured it. */
export const unmeasured: Claim = { metric: "exact", paper: null, ours: null, hardware: cores };

/** By recipe and preset; each of ours stands in docs/results.md with its command. */
export const claims: Readonly<Record<string, Claim>> = {
  "hrm-sudoku tiny": ours(0.56, "34 seconds"),
  "hrm-sudoku cpu": ours(0.937, "18 minutes"),
  "hrm-sudoku cpu-9x9": ours(0.61, "32 minutes"),
  "hrm-sudoku paper": paper(0.55, "8 H100, 10 minutes"),
  "trm-sudoku cpu": ours(0.976, "41 minutes", busyCore),
  "actv2-sudoku cpu": ours(0.862, "12 minutes", busyCore),
  "transformer-sudoku cpu": ours(0, "13 minutes", busyCore),
  "looped-sudoku cpu": ours(0.702, "55 minutes", busyCore),
  "transformer-maze cpu": ours(0.919, "16 minutes", busyCore),
  "looped-maze cpu": ours(0.981, "31 minutes", busyCore),
  "recurrent-maze cpu": ours(0.998, "31 minutes", busyCore),
  "hrm-arc cpu": ours(0.43, "18 minutes", busyCore),
  "looped-arc cpu": ours(0.46, "16 minutes", busyCore),
  "recurrent-arc cpu": ours(0.44, "26 minutes", busyCore),
  "transformer-arc cpu": ours(0.47, "10 minutes", busyCore),
  "recurrent-sudoku cpu": ours(0.898, "57 minutes", busyCore),
  "hrm-maze cpu": ours(0.952, "41 minutes", busyCore),
  "trm-maze cpu": ours(0.941, "24 minutes", busyCore),
  "trm-arc cpu": ours(0.31, "25 minutes", busyCore),
  "trm-sudoku paper": paper(0.747, "one L40S, below 36 hours"),
  "trm-mlp-sudoku paper": paper(0.874, "one L40S, below 36 hours"),
  "transformer-sudoku paper": paper(0, "as HRM"),
  "recurrent-sudoku l1r32h4": paper(1, "SATNet's 9,000 puzzles"),
  "hrm-maze paper": paper(0.745, "8 H100, an hour"),
  "trm-maze paper": paper(0.853, "4 L40S, below 24 hours"),
  "trm-mlp-maze paper": paper(0, "4 L40S, below 24 hours"),
  "transformer-maze paper": paper(0, "as HRM"),
  "hrm-arc paper": paper(0.403, "8 H100, 24 hours; two attempts"),
  "trm-arc paper": paper(0.446, "4 H100, 3 days; two attempts"),
  "trm-mlp-arc paper": paper(0.296, "4 H100, 3 days; two attempts"),
  "transformer-arc paper": paper(0.21, "as HRM; two attempts"),
};
