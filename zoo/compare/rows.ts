/**
 * Measurements side by side: models on the same kind of puzzles, runs that differ by
 * their seed alone as one row.
 *
 * @module
 */
import type { Evaluation } from "../evaluate.ts";
import { changedFields } from "../pretrained/card.ts";
import type { PublishedFigure } from "../published.ts";
import type { TaskConfig } from "../recipe.ts";
import { recipes } from "../recipes.ts";
import { makeTask } from "../tasks/tasks.ts";
import type { SavedConfig } from "../weights.ts";
import type { Measurement } from "./measure.ts";
import { type Estimate, estimate, meanOf } from "./statistics.ts";

/** Puzzles of some ratings, and how many of them are solved. */
export interface RatedShare {
  /** The ratings, `3-4`. */
  readonly rating: string;
  /** Of how many puzzles, those of all seeds together. */
  readonly puzzles: number;
  /** Solved. */
  readonly exact: Estimate;
}

/** A model at one size, trained from one or several seeds. */
export interface Row {
  /** What tells it from the rows beside it: the model, and where need be the preset. */
  readonly name: string;
  /** The model. */
  readonly model: string;
  /** Its recipe. */
  readonly recipe: string;
  /** The preset. */
  readonly preset: string;
  /** What was changed of the preset, as flags of `deno task train`. */
  readonly changes: readonly string[];
  /** The folders of weights, one a seed. */
  readonly folders: readonly string[];
  /** The seeds. */
  readonly seeds: readonly number[];
  /** Whether weights were chosen by evaluations on the way, on some of the same puzzles. */
  readonly selected: boolean;
  /** Held-out puzzles, of each seed. */
  readonly puzzles: number;

  /** Trained numbers. */
  readonly parameters: number;
  /** Optimiser steps. */
  readonly steps: number;
  /** Floating-point operations of the training from one seed. */
  readonly trainingFlops: number;
  /** Floating-point operations of one answer. */
  readonly answerFlops: number;
  /** Minutes of the training from one seed, in the mean; null where nobody wrote them down. */
  readonly minutes: number | null;
  /** On what; null where nobody wrote it down. */
  readonly hardware: string | null;
  /** Puzzles answered in a second. */
  readonly puzzlesPerSecond: number;
  /** The most bytes of tensors that lived at once while answering. */
  readonly peakBytes: number;

  /** Puzzles with every cell right. */
  readonly exact: Estimate;
  /** Cells right among those that were blank. */
  readonly blanks: number;
  /** Puzzles whose answer obeys the rules. */
  readonly valid: number;
  /** What a unit of thought is called. */
  readonly unit: Evaluation["unit"];
  /** Exact shares after each unit. */
  readonly exactByUnit: readonly number[];
  /** What comes of halting where the model wants to; null for one that never does. */
  readonly halting: { readonly exact: Estimate; readonly meanUnits: number } | null;
  /** Exact shares by rating. */
  readonly byRating: readonly RatedShare[];
  /** Those rated above 0 together, where there are such and others: Sudokus that need guessing. */
  readonly aboveZero: RatedShare | null;
}

/** Models that were asked the same kind of puzzles. */
export interface Section {
  /** What was asked, `6×6 Sudoku`. */
  readonly title: string;
  /** What the rating counts. */
  readonly ratingTitle: string;
  /** The models, the best first. */
  readonly rows: readonly Row[];
}

/** What was measured, and what others have published. */
export interface Comparison {
  /** The task. */
  readonly task: TaskConfig["kind"];
  /** Our own measurements. */
  readonly sections: readonly Section[];
  /** What papers report, on other puzzles. */
  readonly published: readonly PublishedFigure[];
}

/** Rows of all measurements, those on the same kind of puzzles together. */
export function sectionsOf(measurements: readonly Measurement[]): Section[] {
  const byPuzzles = Map.groupBy(measurements, ({ saved }) => askedKey(saved.config.task));
  return [...byPuzzles.values()].map((alike) => {
    const runs = [...Map.groupBy(alike, ({ saved }) => runKey(saved)).values()];
    const { saved: { config }, evaluation } = alike[0]!;
    return {
      title: makeTask(config.task).title,
      ratingTitle: evaluation.ratingTitle,
      rows: named(runs.map(rowOf)).sort((a, b) => b.exact.mean - a.exact.mean),
    };
  });
}

/** The fields of tasks that say what is trained on alone. */
const TRAINING_FIELDS: readonly string[] = [
  "trainPuzzles",
  "trainFile",
  "hardShare",
  "minimalShare",
  "supervise",
  "augment",
  "augmentations",
];

/** Equal for tasks that ask the same, whatever they train on. */
function askedKey(task: TaskConfig): string {
  return fieldsText(Object.entries(task).filter(([field]) => !TRAINING_FIELDS.includes(field)));
}

/** Equal for runs that train the same but for the seed, whatever they report meanwhile. */
export function runKey(
  { recipe, preset, config: { model, task, optim, run } }: SavedConfig,
): string {
  const { steps, batchSize } = run;
  const groups = [model, task, optim, { steps, batchSize }];
  return [recipe, preset, ...groups.map((group) => fieldsText(Object.entries(group)))].join(" ");
}

/** The same for whatever order of fields. */
function fieldsText(fields: readonly (readonly [name: string, value: unknown])[]): string {
  return JSON.stringify(fields.toSorted(([a], [b]) => a < b ? -1 : 1));
}

function rowOf(runs: readonly Measurement[]): Row {
  const [first] = runs as readonly [Measurement, ...Measurement[]];
  const { saved: { recipe, preset, config } } = first;
  const mean = (value: (run: Measurement) => number) => meanOf(runs.map(value));
  const evaluations = runs.map(({ evaluation }) => evaluation);
  const halting = runs.flatMap(({ halting }) => halting === null ? [] : [halting]);
  const minutes = runs.flatMap(({ minutes }) => minutes === null ? [] : [minutes]);
  const model = recipe.replace(`-${config.task.kind}`, "");
  const known = recipes[recipe]?.presets[preset];
  return {
    ...{ name: model, model, recipe, preset },
    changes: known === undefined ? [] : changedFields(known, config).filter(isOfTraining),
    folders: runs.map(({ folder }) => folder),
    seeds: runs.map(({ saved }) => saved.config.run.seed),
    selected: runs.some(({ selected }) => selected),
    puzzles: first.evaluation.puzzles,

    parameters: first.parameters,
    steps: config.run.steps,
    trainingFlops: mean(({ trainingFlops }) => trainingFlops),
    answerFlops: first.answerFlops,
    minutes: minutes.length < runs.length ? null : meanOf(minutes),
    hardware: first.hardware,
    puzzlesPerSecond: mean(({ puzzlesPerSecond }) => puzzlesPerSecond),
    peakBytes: Math.max(...runs.map(({ peakBytes }) => peakBytes)),

    exact: estimate(evaluations.map(({ puzzles, final: { exact } }) => ({ puzzles, exact }))),
    blanks: mean(({ evaluation }) => evaluation.final.blanks),
    valid: mean(({ evaluation }) => evaluation.final.valid),
    unit: first.evaluation.unit,
    exactByUnit: first.evaluation.byUnit.map((_, i) =>
      mean(({ evaluation }) => evaluation.byUnit[i]!.exact)
    ),
    halting: halting.length === 0 ? null : {
      exact: estimate(halting.map(({ puzzles, final: { exact } }) => ({ puzzles, exact }))),
      meanUnits: meanOf(halting.map(({ meanUnits }) => meanUnits)),
    },
    ...rated(runs),
  };
}

/** Whether a flag says what is trained, not from which seed or what is reported meanwhile. */
function isOfTraining(flag: string): boolean {
  return !flag.startsWith("--run.") || /^--run\.(steps|batchSize)=/.test(flag);
}

function rated(runs: readonly Measurement[]): Pick<Row, "byRating" | "aboveZero"> {
  const all = runs.map(({ evaluation }) => evaluation.byRating);
  const shareOf = (rating: string, isMeant: (rating: string) => boolean): RatedShare => {
    const shares = all.map((buckets) => together(buckets.filter(({ rating }) => isMeant(rating))))
      .filter(({ puzzles }) => puzzles > 0);
    const puzzles = shares.reduce((sum, { puzzles }) => sum + puzzles, 0);
    return { rating, puzzles, exact: estimate(shares) };
  };
  const ratings = [...new Set(all.flat().map(({ rating }) => rating))]
    .sort((a, b) => parseInt(a) - parseInt(b));
  return {
    byRating: ratings.map((rating) => shareOf(rating, (other) => other === rating)),
    aboveZero: ratings.includes("0") && ratings.length > 1
      ? shareOf("1+", (other) => other !== "0")
      : null,
  };
}

/** Several shares as one. */
function together(
  shares: readonly { readonly puzzles: number; readonly exact: number }[],
): { readonly puzzles: number; readonly exact: number } {
  const puzzles = shares.reduce((sum, { puzzles }) => sum + puzzles, 0);
  const solved = shares.reduce((sum, { puzzles, exact }) => sum + puzzles * exact, 0);
  return { puzzles, exact: solved / puzzles };
}

/** Rows whose names tell them apart: by preset where there are several, else by number. */
function named(rows: readonly Row[]): Row[] {
  const presets = new Set(rows.map(({ preset }) => preset));
  const full = presets.size === 1
    ? rows
    : rows.map((row) => ({ ...row, name: `${row.model} ${row.preset}` }));
  return full.map((row, i) => {
    const before = full.slice(0, i).filter(({ name }) => name === row.name).length;
    return before === 0 ? row : { ...row, name: `${row.name} ${before + 1}` };
  });
}

/** The row of HRM, against which the others are held; null if there is none, or more than one. */
export function referenceOf({ rows }: Section): Row | null {
  const found = rows.filter(({ model }) => model === "hrm");
  return found.length === 1 ? found[0]! : null;
}
