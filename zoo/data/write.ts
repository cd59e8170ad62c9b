/**
 * Data sets in the official layout, both splits at once: the folder is there whole
 * or not at all. Beside the arrays lies `build.json`, which says of what and how
 * they were made, and what the layout has no place for: the ratings.
 *
 * @module
 */
import { dirname, join } from "@std/path";
import { writeFileAtomic } from "../../core/io/file.ts";
import {
  type DatasetGroup,
  type PuzzleDatasetMetadata,
  type PuzzleDatasetSpec,
  writePuzzleDataset,
} from "../../tasks/mod.ts";
import { version } from "../version.ts";

/** The name of the file that says how a data set was made. */
export const BUILD_FILE = "build.json";

/** How often each rating occurs, in the order of the ratings. */
export type Ratings = readonly (readonly [rating: number, count: number])[];

/** How a data set was made. */
export interface BuildInfo {
  /** Its name. */
  readonly name: string;
  /** The version of Ponder that made it. */
  readonly ponder: string;
  /** Where the puzzles come from. */
  readonly source: string;
  /** The terms on which they may be used. */
  readonly licence: string;
  /** What was asked for. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What a rating counts, and how often each occurs among the groups; null without ratings. */
  readonly ratings: {
    readonly title: string;
    readonly train: Ratings;
    readonly test: Ratings;
  } | null;
}

/** Groups, and how many there will be. */
export interface PlannedSplit {
  /** The groups; gone through once. */
  readonly groups: Iterable<DatasetGroup> | AsyncIterable<DatasetGroup>;
  /** How many; absent when nobody knows yet. */
  readonly total?: number | undefined;
}

/** A data set that is to be written. */
export interface DatasetPlan {
  /** What the layout wants to know. */
  readonly spec: PuzzleDatasetSpec;
  /** To train on. */
  readonly train: PlannedSplit;
  /** To test on. */
  readonly test: PlannedSplit;
  /** What `build.json` says besides the version; asked once all is written. */
  readonly info: () => Omit<BuildInfo, "ponder">;
  /** Further files by name. */
  readonly files?: Readonly<Record<string, string>> | undefined;
}

/** How the writing gets on. */
export interface BuildWatch {
  /** Told what is done, a line each. */
  readonly report?: ((line: string) => void) | undefined;
  /** Told how far it is, in one line. */
  readonly onProgress?: ((line: string) => void) | undefined;
  /** Ends the work; nothing is left then. */
  readonly signal?: AbortSignal | undefined;
}

/** What was written. */
export interface Written {
  /** The training split. */
  readonly train: PuzzleDatasetMetadata;
  /** The test split. */
  readonly test: PuzzleDatasetMetadata;
}

/** Writes both splits into `folder`, which must not be there, or be empty. */
export async function writeDataset(
  folder: string,
  plan: DatasetPlan,
  watch: BuildWatch = {},
): Promise<Written> {
  const temporary = `${folder}.tmp-${crypto.randomUUID()}`;
  await Deno.mkdir(dirname(folder), { recursive: true });
  try {
    const train = await writeSplit(temporary, "train", plan, watch);
    const test = await writeSplit(temporary, "test", plan, watch);
    for (const [name, text] of Object.entries(plan.files ?? {})) {
      await writeFileAtomic(join(temporary, name), text);
    }
    const { name, ...info } = plan.info();
    const text = JSON.stringify({ name, ponder: version, ...info });
    await writeFileAtomic(join(temporary, BUILD_FILE), `${text}\n`);
    watch.signal?.throwIfAborted();
    await takePlace(temporary, folder);
    return { train, test };
  } catch (error) {
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
    throw error;
  }
}

function writeSplit(
  folder: string,
  split: "train" | "test",
  { spec, [split]: { groups, total } }: DatasetPlan,
  watch: BuildWatch,
): Promise<PuzzleDatasetMetadata> {
  const of = total === undefined ? "" : ` of ${total}`;
  const say = (done: number) => watch.onProgress?.(`Writing ${split}: group ${done}${of}`);
  return writePuzzleDataset(folder, split, paced(groups, watch.signal, say), spec);
}

/** The same items, with time between for signals, and for somebody to say how many there were. */
async function* paced<T>(
  items: Iterable<T> | AsyncIterable<T>,
  signal: AbortSignal | undefined,
  say: (done: number) => void,
): AsyncGenerator<T> {
  const breathe = breathing(signal);
  let done = 0;
  for await (const item of items) {
    yield item;
    done++;
    if (await breathe()) say(done);
  }
}

/**
 * A function to be called often in long work: every 50 ms it lets signals arrive, and
 * then says true.
 *
 * @throws the reason of `signal`, when it was aborted
 */
export function breathing(signal: AbortSignal | undefined): () => Promise<boolean> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < 50) return false;
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    last = performance.now();
    return true;
  };
}

/** Counts ratings as they come. */
export class RatingCounter {
  readonly #counts = new Map<number, number>();

  /** Counts one. */
  add(rating: number): void {
    this.#counts.set(rating, (this.#counts.get(rating) ?? 0) + 1);
  }

  /** What was counted. */
  ratings(): Ratings {
    return [...this.#counts].sort(([a], [b]) => a - b);
  }
}

async function takePlace(temporary: string, folder: string): Promise<void> {
  try {
    await Deno.remove(folder); // an empty one
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw new Error(`Cannot write "${folder}": it is there already, and not empty`, {
        cause: error,
      });
    }
  }
  await Deno.rename(temporary, folder);
}
