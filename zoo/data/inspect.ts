/**
 * What a folder in the official layout holds, whoever wrote it.
 *
 * @module
 */
import { join } from "@std/path";
import { isFile } from "../../core/io/file.ts";
import {
  type ArcGrid,
  arcSeqLen,
  arcVocabSize,
  cropArcGrid,
  decodeBoard,
  decodeMaze,
  drawArcPairs,
  drawBoard,
  drawMaze,
  type ExampleRows,
  isSolved,
  mazeVocabSize,
  openNpy,
  openPuzzleDataset,
  type PuzzleDataset,
  type PuzzleDatasetMetadata,
  type PuzzleSet,
  type SudokuSize,
  sudokuSizes,
} from "../../tasks/mod.ts";
import { BUILD_FILE, type BuildInfo } from "./write.ts";

/** A kind of puzzle, guessed from the tokens. */
export type PuzzleKind =
  | { readonly kind: "sudoku"; readonly size: SudokuSize }
  | { readonly kind: "maze" | "arc"; readonly size: number }
  | { readonly kind: "unknown" };

/** How often each token occurs. */
export interface TokenCounts {
  /** In inputs, by token. */
  readonly inputs: readonly number[];
  /** In labels, by token. */
  readonly labels: readonly number[];
  /** Labels that are no token, and that no loss is computed of. */
  readonly ignored: number;
  /** Examples that were counted. */
  readonly examples: number;
}

/** What a split holds. */
export interface SplitInspection {
  /** The number of groups. */
  readonly groups: number;
  /** The number of puzzles. */
  readonly puzzles: number;
  /** The number of examples. */
  readonly examples: number;
  /** The dtypes of inputs and of labels. */
  readonly dtypes: readonly [inputs: string, labels: string];
  /** Its tokens. */
  readonly tokens: TokenCounts;
}

/** What a data set holds. */
export interface Inspection {
  /** Its folder. */
  readonly folder: string;
  /** What its puzzles seem to be. */
  readonly puzzle: PuzzleKind;
  /** Kinds of tokens. */
  readonly vocabSize: number;
  /** Tokens of an example. */
  readonly seqLen: number;
  /** Puzzle identifiers. */
  readonly identifiers: number;
  /** The splits that there are. */
  readonly splits: Readonly<Partial<Record<Split, SplitInspection>>>;
  /** How it was made, where Ponder made it. */
  readonly build: BuildInfo | null;
}

type Split = "train" | "test";

/** Both splits, in order. */
export const splitNames = ["train", "test"] as const;

/** How many examples are read at once, so that reading a part of a large file is quick. */
const BLOCK = 500;

/** The splits of the data set in `folder`, open; none when there is no data set. */
export class OpenSplits implements Disposable {
  /** Those that there are. */
  readonly sets: Readonly<Partial<Record<Split, PuzzleDataset>>>;

  /** Opens what is there of `wanted`. */
  constructor(readonly folder: string, wanted: readonly Split[] = splitNames) {
    const sets: Partial<Record<Split, PuzzleDataset>> = {};
    this.sets = sets;
    try {
      for (const split of wanted) {
        if (!isFile(join(folder, split, "dataset.json"))) continue;
        sets[split] = openPuzzleDataset(folder, split);
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
    if (Object.keys(sets).length > 0) return;
    const files = wanted.map((split) => `${split}/dataset.json`).join(" nor ");
    throw new Deno.errors.NotFound(`Cannot find a data set in "${folder}": it has no ${files}`);
  }

  /** Closes them. */
  [Symbol.dispose](): void {
    for (const set of Object.values(this.sets)) set[Symbol.dispose]();
  }
}

/** What open splits hold; tokens are counted in at most `maxExamples` of each, evenly spread. */
export function inspectSplits({ folder, sets }: OpenSplits, maxExamples = Infinity): Inspection {
  const first = Object.values(sets)[0]!;
  const { vocabSize, seqLen } = first.metadata;
  const splits: Partial<Record<Split, SplitInspection>> = {};
  for (const [split, dataset] of Object.entries(sets)) {
    splits[split as Split] = inspectSplit(dataset, maxExamples);
  }
  return {
    ...{ folder, vocabSize, seqLen, splits },
    puzzle: kindOf(first),
    identifiers: Math.max(...Object.values(sets).map((set) => set.metadata.numPuzzleIdentifiers)),
    build: readBuild(folder),
  };
}

function inspectSplit(dataset: PuzzleDataset, maxExamples: number): SplitInspection {
  const { folder, split, sets, metadata } = dataset;
  const sum = (of: (set: PuzzleSet) => number) => sets.reduce((total, set) => total + of(set), 0);
  const dtype = (field: string): string => {
    using array = openNpy(join(folder, split, `${sets[0]!.name}__${field}.npy`));
    return array.dtype;
  };
  return {
    groups: sum((set) => set.numGroups),
    puzzles: sum((set) => set.numPuzzles),
    examples: sum((set) => set.numExamples),
    dtypes: [dtype("inputs"), dtype("labels")],
    tokens: countTokens(sets, metadata, maxExamples),
  };
}

function countTokens(
  sets: readonly PuzzleSet[],
  { vocabSize, seqLen }: PuzzleDatasetMetadata,
  maxExamples: number,
): TokenCounts {
  const inputs = new Array<number>(vocabSize).fill(0), labels = inputs.slice();
  const rows = { inputs: new Int32Array(seqLen), labels: new Int32Array(seqLen) };
  let ignored = 0, examples = 0;
  for (const set of sets) {
    for (const example of spread(set.numExamples, maxExamples / sets.length)) {
      set.readExample(example, rows);
      examples++;
      for (const token of rows.inputs) inputs[token]!++;
      for (const token of rows.labels) {
        if (token >= 0 && token < vocabSize) labels[token]!++;
        else ignored++;
      }
    }
  }
  return { inputs, labels, ignored, examples };
}

/** Indices below `count`: all, or about `most` in blocks that are evenly spread. */
function* spread(count: number, most: number): Generator<number> {
  if (count <= most) {
    for (let i = 0; i < count; i++) yield i;
    return;
  }
  const numBlocks = Math.max(1, Math.floor(most / BLOCK));
  const length = Math.min(BLOCK, Math.floor(most));
  for (let block = 0; block < numBlocks; block++) {
    const from = Math.floor(block * (count - length) / Math.max(1, numBlocks - 1));
    for (let i = from; i < from + length; i++) yield i;
  }
}

// What it is

/** The kind of puzzle with so many tokens of so many kinds; only 4×4 needs a look at an example. */
function kindOf({ metadata: { vocabSize, seqLen }, sets }: PuzzleDataset): PuzzleKind {
  const side = Math.sqrt(seqLen);
  const size = sudokuSizes.find((size) => size === side && vocabSize === size + 2);
  if (size !== undefined && (vocabSize !== mazeVocabSize || isSudoku(sets, size))) {
    return { kind: "sudoku", size };
  }
  if (!Number.isInteger(side)) return { kind: "unknown" };
  if (vocabSize === mazeVocabSize) return { kind: "maze", size: side };
  if (vocabSize === arcVocabSize && seqLen <= arcSeqLen()) return { kind: "arc", size: side };
  return { kind: "unknown" };
}

/** Whether the first answer is a solved Sudoku, which no maze of 4×4 is. */
function isSudoku([set]: readonly PuzzleSet[], size: SudokuSize): boolean {
  if (set === undefined || set.numExamples === 0) return true;
  return isSolved(decodeBoard(set.readExample(0).labels, size));
}

/** What `build.json` says; null where there is none, or it is something else. */
function readBuild(folder: string): BuildInfo | null {
  try {
    const info = JSON.parse(Deno.readTextFileSync(join(folder, BUILD_FILE)));
    return typeof info?.ponder === "string" && typeof info.name === "string" ? info : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return null;
    throw error;
  }
}

/** The names of the tokens of a kind of puzzle. */
export function tokenNames(puzzle: PuzzleKind, vocabSize: number): readonly string[] {
  const known = {
    sudoku: ["padding", "blank"],
    maze: ["padding", "wall", "free", "start", "goal", "path"],
    arc: ["padding", "end of grid"],
    unknown: [],
  }[puzzle.kind];
  const first = known.length;
  const rest = { sudoku: (i: number) => `digit ${i + 1}`, arc: (i: number) => `colour ${i}` };
  const name = (token: number): string => {
    if (token < first) return known[token]!;
    return puzzle.kind === "sudoku" || puzzle.kind === "arc"
      ? rest[puzzle.kind](token - first)
      : "";
  };
  return Array.from({ length: vocabSize }, (_, token) => name(token));
}

// Drawing

/** A puzzle of a split, drawn with its answers, and what it is. */
export interface Sample {
  /** Where it lies. */
  readonly title: string;
  /** The drawing; of unknown puzzles the tokens. */
  readonly drawing: string;
}

/** The first puzzles of `count` groups of a split, evenly spread. */
export function samplesOf(dataset: PuzzleDataset, count: number): Sample[] {
  const puzzle = kindOf(dataset);
  const names = dataset.readIdentifiers();
  const [set] = dataset.sets;
  if (set === undefined) return [];
  const wanted = Math.min(count, set.numGroups);
  return Array.from({ length: wanted }, (_, i): Sample => {
    const group = Math.floor(i * set.numGroups / wanted);
    const first = set.groupIndices[group]!;
    const examples = Array.from(
      { length: set.puzzleIndices[first + 1]! - set.puzzleIndices[first]! },
      (_, example) => set.readExample(set.puzzleIndices[first]! + example),
    );
    const identifier = set.puzzleIdentifiers[first]!;
    const name = identifier === 0 ? "" : `, ${names?.[identifier] ?? `identifier ${identifier}`}`;
    const numPuzzles = set.groupIndices[group + 1]! - first;
    const of = numPuzzles === 1 ? "" : `, first of ${numPuzzles} puzzles`;
    return { title: `group ${group}${name}${of}`, drawing: draw(puzzle, examples) };
  });
}

function draw(puzzle: PuzzleKind, examples: readonly ExampleRows[]): string {
  if (puzzle.kind === "arc") {
    return drawArcPairs(examples.map(({ inputs, labels }) => ({
      input: gridOf(inputs) ?? { rows: 0, columns: 0, cells: new Uint8Array() },
      output: gridOf(labels),
    })));
  }
  return examples.map(({ inputs, labels }) => {
    if (puzzle.kind === "sudoku") {
      const clues = decodeBoard(inputs, puzzle.size);
      return drawBoard(decodeBoard(labels, puzzle.size), { clues });
    }
    if (puzzle.kind === "maze") {
      const question = decodeMaze(inputs, puzzle.size);
      return drawMaze(decodeMaze(labels, puzzle.size), { puzzle: question });
    }
    return `inputs ${inputs.join(" ")}\nlabels ${labels.join(" ")}`;
  }).join("\n");
}

/** The grid that lies somewhere on a canvas; null where there is none. */
function gridOf(tokens: Int32Array): ArcGrid | null {
  const isColour = (token: number) => token >= 2 && token < arcVocabSize;
  const at = tokens.findIndex(isColour);
  if (at < 0) return null;
  // moved into the corner, where an answer lies; left of the grid there is nothing
  const moved = new Int32Array(tokens.length);
  moved.set(tokens.subarray(at));
  return cropArcGrid(moved);
}
