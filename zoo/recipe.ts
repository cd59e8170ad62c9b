/**
 * Recipes: everything that defines a training run, as plain data that is saved
 * beside the weights.
 *
 * @module
 */
import type { ATan2Convention } from "../core/optim/adam.ts";
import type { ModelConfig } from "../models/family.ts";
import type { TokenLoss } from "../models/supervision.ts";

/** Sudokus to train and evaluate on. */
export interface SudokuConfig {
  /** Which puzzles. */
  readonly kind: "sudoku";
  /** Cells along a side: 4, 6 or 9. */
  readonly size: number;
  /** The fewest clues of a generated puzzle. */
  readonly minClues: number;
  /** The most clues of a generated puzzle. */
  readonly maxClues: number;
  /** The least rating, in backtracks, of a puzzle that counts as hard. */
  readonly hardRating: number;
  /** The share of training puzzles that are hard. */
  readonly hardShare: number;
  /** The share of training puzzles, hard ones apart, from which no clue can be taken away. */
  readonly minimalShare: number;
  /** The share of held-out puzzles that are hard. */
  readonly testHardShare: number;
  /** The share of held-out puzzles, hard ones apart, from which no clue can be taken away. */
  readonly testMinimalShare: number;
  /** Puzzles generated to train on. */
  readonly trainPuzzles: number;
  /** Puzzles generated to evaluate on; never trained on. */
  readonly testPuzzles: number;
  /** Which cells the loss counts. */
  readonly supervise: "all" | "blanks";
  /** Whether each puzzle is rearranged at random every time it is drawn. */
  readonly augment: boolean;
  /** A file, or a data set in the official layout, to train on in place of generated puzzles, or null. */
  readonly trainFile: string | null;
  /** A file or data set to evaluate on in place of generated puzzles, or null. */
  readonly testFile: string | null;
}

/** Mazes to train and evaluate on. */
export interface MazeConfig {
  /** Which puzzles. */
  readonly kind: "maze";
  /** Rows and columns. */
  readonly size: number;
  /** The fewest steps of the shortest path. */
  readonly minPath: number;
  /** Whether generated mazes have one shortest path only, so that one answer alone is right. */
  readonly unique: boolean;
  /** Mazes generated, or taken from the file, to train on. */
  readonly trainPuzzles: number;
  /** Mazes to evaluate on; never trained on. */
  readonly testPuzzles: number;
  /** Whether each maze is turned or reflected at random every time it is drawn. */
  readonly augment: boolean;
  /** A file, or a data set in the official layout, to train on in place of generated mazes, or null. */
  readonly trainFile: string | null;
  /** A file or data set to evaluate on in place of generated mazes, or null. */
  readonly testFile: string | null;
}

/** ARC tasks to train and evaluate on. */
export interface ArcConfig {
  /** Which puzzles. */
  readonly kind: "arc";
  /** Rows and columns of the canvas. */
  readonly size: number;
  /** Tasks of which the demonstrations and the test pairs are trained on. */
  readonly trainPuzzles: number;
  /** Tasks of which the demonstrations are trained on, and the test pairs evaluated. */
  readonly testPuzzles: number;
  /** Arrangements of each task besides itself, in which it is trained on, too. */
  readonly augmentations: number;
  /** The fewest demonstrations of a generated task. */
  readonly minPairs: number;
  /** The most demonstrations of a generated task. */
  readonly maxPairs: number;
  /** Kinds of generated tasks, parted by commas; empty for all. */
  readonly families: string;
  /** A folder or file of tasks in place of generated ones, or null. */
  readonly trainFile: string | null;
  /** A folder or file of tasks to evaluate, or null. */
  readonly testFile: string | null;
}

/** The puzzles of any kind. */
export type TaskConfig = SudokuConfig | MazeConfig | ArcConfig;

/** How to optimise. */
export interface OptimConfig {
  /** Which optimiser. */
  readonly optimizer: "adam-atan2" | "adamw";
  /** Which of the two published forms of AdamATan2. */
  readonly convention: ATan2Convention;
  /** Cross-entropy of the tokens. */
  readonly loss: TokenLoss;
  /** Learning rate at its peak. */
  readonly lr: number;
  /** Steps of linear warm-up from 0. */
  readonly warmupSteps: number;
  /** What the cosine leaves of the learning rate at the last step; 1 keeps it constant. */
  readonly minRatio: number;
  /** Decay rate of the running mean. */
  readonly beta1: number;
  /** Decay rate of the running square. */
  readonly beta2: number;
  /** ε of AdamW. */
  readonly eps: number;
  /** Decoupled weight decay, */
  readonly weightDecay: number;
  /** … of all parameters, or of the matrices of linear layers alone. */
  readonly decay: "all" | "matrices";
  /** Learning rate of the puzzle embeddings at its peak. */
  readonly puzzleEmbLr: number;
  /** Decay of the puzzle embeddings. */
  readonly puzzleEmbWeightDecay: number;
  /** The most that the gradients' common length may be; 0 for no bound. */
  readonly clipNorm: number;
  /** Decay rate of the averaged weights that are evaluated and saved; 0 for none. */
  readonly ema: number;
}

/** How long to run, and what to report. */
export interface RunConfig {
  /** Rows in a batch. */
  readonly batchSize: number;
  /** Optimiser steps; the learning rate ends there. */
  readonly steps: number;
  /** Where every random stream starts. */
  readonly seed: number;
  /** Steps between two reports. */
  readonly reportEvery: number;
  /** Steps between two evaluations. */
  readonly evalEvery: number;
  /** How many held-out puzzles an evaluation on the way looks at. */
  readonly evalPuzzles: number;
  /** Steps between two checkpoints. */
  readonly checkpointEvery: number;
}

/** What a preset is known to reach. */
export interface Claim {
  /** What is measured. */
  readonly metric: string;
  /** What the paper says, or null if it says nothing of this size. */
  readonly paper: number | null;
  /** What a command in the docs measured, or null until one did. */
  readonly ours: number | null;
  /** On what, and in how many minutes. */
  readonly hardware: string;
}

/** A complete training run. */
export interface Preset {
  /** The model. */
  readonly model: ModelConfig;
  /** The puzzles. */
  readonly task: TaskConfig;
  /** The optimisation. */
  readonly optim: OptimConfig;
  /** The run. */
  readonly run: RunConfig;
  /** What it reaches. */
  readonly claim: Claim;
}

/** A training run of a model or a task of the caller's own, which says what is saved of it. */
export interface OwnPreset extends Pick<Preset, "optim" | "run"> {
  /** What defines the model. */
  readonly model: { readonly kind: string };
  /** What defines the puzzles. */
  readonly task: { readonly kind: string };
}

/** A model on a task, at several sizes. */
export interface Recipe {
  /** What it is, in a few words. */
  readonly summary: string;
  /** Every preset by its name; a machine without a GPU uses `cpu`. */
  readonly presets: Readonly<Record<string, Preset>> & { readonly cpu: Preset };
}
