/**
 * What the page, the server and the worker say to each other, and how much of it.
 *
 * @module
 */
import type { Depth } from "../../models/model.ts";
import type { TaskConfig } from "../recipe.ts";

/** The most units of thought that one solve may ask for. */
export const MOST_UNITS = 64;
/** The longest puzzle, in characters; a maze of 64×64 row by row is 4,159. */
export const MOST_CHARACTERS = 8192;

/** What was asked cannot be done, and it lies with who asked. */
export class Refusal extends Error {
  /** Its name. */
  override readonly name = "Refusal";
}

/** A model that can be picked. */
export interface ModelEntry {
  /** A name of the zoo, or that of a run. */
  readonly name: string;
  /** Where its weights are: in the zoo, in a run, or not on this machine. */
  readonly place: "zoo" | "run" | "remote";
  /** The kind of its puzzles; null where nothing on this machine tells it. */
  readonly kind: TaskConfig["kind"] | null;
  /** Its puzzles in a few words; null where nothing tells them. */
  readonly title: string | null;
  /** Trained numbers; null of a run. */
  readonly parameters: number | null;
  /** Share of held-out puzzles that it solves; null of a run. */
  readonly exact: number | null;
}

/** A grid of numbers, row by row. */
export interface Grid {
  /** How many rows. */
  readonly rows: number;
  /** How many columns. */
  readonly columns: number;
  /** The cells as the task writes them. */
  readonly cells: readonly number[];
}

/** A held-out puzzle. */
export interface Sample {
  /** What stands for it in a {@link SolveRequest}. */
  readonly puzzle: string;
  /** Which of several under the same name. */
  readonly number: number;
  /** How hard it is. */
  readonly rating: number;
  /** The question. */
  readonly question: Grid;
  /** The pairs that show the rule, of an ARC task. */
  readonly demonstrations?: readonly { readonly input: Grid; readonly output: Grid }[];
}

/** What is known of a model once it is loaded. */
export interface ModelDetails {
  /** The kind of its puzzles. */
  readonly kind: TaskConfig["kind"];
  /** Its puzzles in a few words. */
  readonly title: string;
  /** Rows and columns of its grids, or the most that they have. */
  readonly size: number;
  /** What a unit of its thought is called. */
  readonly unit: Depth["unit"];
  /** Units it was trained with. */
  readonly trained: number;
  /** The most units that may be asked for. */
  readonly most: number;
  /** What the rating counts. */
  readonly ratingTitle: string;
  /** Held-out puzzles, the easiest first. */
  readonly samples: readonly Sample[];
}

/** A puzzle to solve. */
export interface SolveRequest {
  /** The name of the model. */
  readonly model: string;
  /** A Sudoku or maze row by row, or the name of an ARC task. */
  readonly puzzle: string;
  /** Which test pair of an ARC task; default 1. */
  readonly number?: number;
  /** Units of thought; by default as many as in training. */
  readonly units?: number;
}

/** What a model answers after one unit of thought. */
export interface UnitReply {
  /** The answer. */
  readonly answer: Grid;
  /** Cells that are not as in the answer before. */
  readonly changed: readonly number[];
  /** The logit of halting; null for a model that has none. */
  readonly haltLogit: number | null;
  /** How likely each token is, in thousandths, `[size·size, V]` row by row. */
  readonly probabilities: readonly number[];
  /** Whether it obeys the rules; null where no answer is known. */
  readonly solved: boolean | null;
}

/** What a model answers to a puzzle. */
export interface SolveReply {
  /** The question. */
  readonly question: Grid;
  /** The answer that is right; null where none is known. */
  readonly solution: Grid | null;
  /** How hard the puzzle is. */
  readonly rating: number;
  /** One for each unit of thought. */
  readonly units: readonly UnitReply[];
}
