/**
 * Files of puzzles as a training set and a test set.
 *
 * @module
 */
import { Random } from "../../core/random.ts";
import { atLine, readRows, type Row, type RowReading, sampleRows } from "./csv.ts";
import type { BuildWatch } from "./write.ts";

// Random streams of one seed; 0 to 2 are those of generated.ts and sudoku.ts.
const TEST_STREAM = 3, TRAIN_STREAM = 4;

/** Puzzles, some at a time, and how many where that is known. */
export interface PuzzleChunks<P> {
  /** The puzzles, in order; gone through once. */
  readonly puzzles: Iterable<readonly P[]> | AsyncIterable<readonly P[]>;
  /** How many there will be; their number unless given, where they are a list of lists. */
  readonly total?: number | undefined;
}

/** Two files, or one, of which some puzzles are kept to test on. */
export interface CsvFiles {
  /** The file to train on. */
  readonly train: string;
  /** The file to test on; absent to take both from the same. */
  readonly test?: string | undefined;
}

/** What {@link splitCsv} is to take from where. */
export interface CsvSplitRequest<P> {
  /** The files. */
  readonly files: CsvFiles;
  /** Puzzles drawn to train on; null for all. */
  readonly subset: number | null;
  /** Puzzles drawn to test on; null for all of the file to test on. */
  readonly test: number | null;
  /** Where random numbers start. */
  readonly seed: number;
  /** How to read a file. */
  readonly reading: (file: string) => RowReading<P>;
  /** Equal for equivalent puzzles. */
  readonly signature: (puzzle: P) => number;
}

/**
 * The puzzles of both splits: as they lie in two files, or the test puzzles drawn from
 * the file to train on, which then is read without them and all that is equivalent.
 */
export async function splitCsv<P>(
  { files, subset, test, seed, reading, signature }: CsvSplitRequest<P>,
  checkTaken: (puzzle: P) => void,
): Promise<{ train: PuzzleChunks<P>; test: PuzzleChunks<P> }> {
  const taken = async (
    count: number | null,
    stream: number,
    from: RowReading<P>,
  ): Promise<PuzzleChunks<P> & { rows?: Row<P>[] }> => {
    if (count === null) return { puzzles: checked(readRows(from), from.file, checkTaken) };
    const rows = await sampleRows(new Random(seed, stream), count, from);
    return { puzzles: checked([rows], from.file, checkTaken), total: count, rows };
  };
  const testing = await taken(test, TEST_STREAM, reading(files.test ?? files.train));
  const whole = reading(files.train);
  if (files.test !== undefined) {
    return { train: await taken(subset, TRAIN_STREAM, whole), test: testing };
  }
  const kept = new Set(testing.rows!.map(({ puzzle }) => signature(puzzle)));
  const isWanted = (row: Row<P>) =>
    (whole.isWanted?.(row) ?? true) && !kept.has(signature(row.puzzle));
  return { train: await taken(subset, TRAIN_STREAM, { ...whole, isWanted }), test: testing };
}

async function* checked<P>(
  chunks: Iterable<Row<P>[]> | AsyncIterable<Row<P>[]>,
  file: string,
  check: (puzzle: P) => void,
): AsyncGenerator<P[]> {
  for await (const rows of chunks) {
    for (const { puzzle, line } of rows) atLine(file, line, () => check(puzzle));
    yield rows.map(({ puzzle }) => puzzle);
  }
}

/** Says how much of a file is read, and ends the reading when it is told to. */
export function onRead(file: string, watch: BuildWatch): (read: number, total: number) => void {
  return (read, total) => {
    watch.signal?.throwIfAborted();
    watch.onProgress?.(`Reading ${file}: ${Math.floor(100 * read / Math.max(total, 1))} %`);
  };
}
