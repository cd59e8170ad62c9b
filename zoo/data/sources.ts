/**
 * The data sets that have a name: what each is, where it comes from and on what terms.
 *
 * @module
 */

/** Puzzles that are made from a seed. */
export interface GeneratedSource {
  /** Where it comes from. */
  readonly from: "seed";
  /** What it is, in one line. */
  readonly summary: string;
  /** The terms on which it may be used. */
  readonly licence: string;
}

/** CSV files of a data set on a Hugging Face hub. */
export interface HubSource {
  /** Where it comes from. */
  readonly from: "hub";
  /** What it is, in one line. */
  readonly summary: string;
  /** The terms on which it may be used. */
  readonly licence: string;
  /** Owner and name on the hub. */
  readonly repo: string;
  /** The branch, tag or commit. */
  readonly revision: string;
  /** The file to train on and the file to test on. */
  readonly files: { readonly train: string; readonly test: string };
}

/** JSON files of a commit on GitHub. */
export interface ArchiveSource {
  /** Where it comes from. */
  readonly from: "github";
  /** What it is, in one line. */
  readonly summary: string;
  /** The terms on which it may be used. */
  readonly licence: string;
  /** Owner and name on GitHub. */
  readonly repo: string;
  /** The commit, in hex. */
  readonly commit: string;
  /** The folder of the repository in which the subsets lie. */
  readonly root: string;
  /** The folders of tasks; null for whatever folders there are. */
  readonly subsets: readonly string[] | null;
  /** How many files there are. */
  readonly numFiles: number;
  /** The checksum of what they hold, see `contentChecksum()`. */
  readonly sha256: string;
}

/** Where a data set comes from. */
export type DataSource = GeneratedSource | HubSource | ArchiveSource;

/** The data sets by name. */
export const sources = {
  "sudoku": {
    from: "seed",
    summary: "Sudokus of 4×4, 6×6 or 9×9 with one solution, made from a seed",
    licence: "free of terms: made on your machine",
  },
  "maze": {
    from: "seed",
    summary: "Mazes with a long shortest path, made from a seed as those of Maze-Hard were",
    licence: "free of terms: made on your machine",
  },
  "arc-mini": {
    from: "seed",
    summary: "Small tasks in the manner of ARC, each after one hidden rule, made from a seed",
    licence: "free of terms: made on your machine",
  },
  "sudoku-extreme": {
    from: "hub",
    summary: "Sudoku-Extreme: 3,831,994 and 422,786 rated 9×9 Sudokus, of which HRM trains on 1000",
    licence: "none stated by its publisher, who collected it from tdoku's benchmarks and a forum",
    repo: "sapientinc/sudoku-extreme",
    revision: "main",
    files: { train: "train.csv", test: "test.csv" },
  },
  "maze-hard": {
    from: "hub",
    summary: "Maze-Hard: 1000 and 1000 mazes of 30×30 with shortest paths of over 110 steps",
    licence: "none stated by its publisher, who generated it",
    repo: "sapientinc/maze-30x30-hard-1k",
    revision: "main",
    files: { train: "train.csv", test: "test.csv" },
  },
  "arc-1": {
    from: "github",
    summary: "ARC-AGI-1: 400 tasks to train on and 400 to be evaluated on",
    licence: "Apache-2.0",
    repo: "fchollet/ARC-AGI",
    commit: "399030444e0ab0cc8b4e199870fb20b863846f34",
    root: "data",
    subsets: ["training", "evaluation"],
    numFiles: 800,
    sha256: "834c1044c7875044fe9b19b69b2cc3c7993807f81e4c3e0c9be3ba1ea1e1c2f0",
  },
  "arc-2": {
    from: "github",
    summary: "ARC-AGI-2: 1000 tasks to train on and 120 to be evaluated on",
    licence: "Apache-2.0",
    repo: "arcprize/ARC-AGI-2",
    commit: "f3283f727488ad98fe575ea6a5ac981e4a188e49",
    root: "data",
    subsets: ["training", "evaluation"],
    numFiles: 1120,
    sha256: "2d71621bfacd315872275fd051ff84d39e561afd50396c8e157934e11ae80840",
  },
  "concept-arc": {
    from: "github",
    summary: "ConceptARC: 160 tasks, ten for each of 16 concepts, all to be evaluated on",
    licence: "MIT",
    repo: "victorvikram/ConceptARC",
    commit: "b22ef526b4656679816b7811e78f55cc24d736d7",
    root: "corpus",
    subsets: null,
    numFiles: 160,
    sha256: "b355f024e917f9bae96aa128cba3e8218ab831cf2daddff650214b52babfcc6c",
  },
} as const satisfies Record<string, DataSource>;

/** The name of a data set. */
export type DataName = keyof typeof sources;

/** The names of the data sets that are fetched as archives of GitHub. */
export type ArchiveName = "arc-1" | "arc-2" | "concept-arc";

/** The names of the data sets that are fetched from a hub. */
export type HubName = "sudoku-extreme" | "maze-hard";
