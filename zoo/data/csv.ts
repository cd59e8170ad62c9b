/**
 * Files of puzzles too large for memory: read line by line, every line checked, and
 * of them all or a random sample.
 *
 * @module
 */
import { below, type RandomSource } from "../../tasks/mod.ts";

/** A puzzle and the line of the file that it stands in, from 1. */
export interface Row<P> {
  /** The puzzle. */
  readonly puzzle: P;
  /** The number of the line. */
  readonly line: number;
}

/** How to read a file of puzzles. */
export interface RowReading<P> {
  /** The file. */
  readonly file: string;
  /** Makes a reader of lines, as `puzzleLineReader()` does; its errors name file and line. */
  readonly reader: (file: string) => (line: string) => P | undefined;
  /** Refuses a puzzle that does not suit the data set, by throwing what is wrong with it. */
  readonly check?: ((puzzle: P) => void) | undefined;
  /** Which puzzles are wanted; all unless given. */
  readonly isWanted?: ((row: Row<P>) => boolean) | undefined;
  /** Told how many bytes of how many are read; may end the reading by throwing. */
  readonly onRead?: ((read: number, total: number) => void) | undefined;
}

const MAX_LINE = 2 ** 20;

/**
 * The wanted puzzles of a file in their order, a few hundred at a time.
 *
 * @throws {SyntaxError} naming the file and the first line that is wrong
 */
export async function* readRows<P>(reading: RowReading<P>): AsyncGenerator<Row<P>[]> {
  const { file, check, isWanted, onRead } = reading;
  const read = reading.reader(file);
  using handle = await openFile(file);
  const { size } = await handle.stat();
  const buffer = new Uint8Array(2 ** 18), decoder = new TextDecoder();
  let line = 0, rest = "", bytesRead = 0;
  const rowsOf = (lines: readonly string[]): Row<P>[] => {
    const rows: Row<P>[] = [];
    for (const text of lines) {
      line++;
      const puzzle = read(text);
      if (puzzle === undefined) continue;
      atLine(file, line, () => check?.(puzzle));
      const row = { puzzle, line };
      if (isWanted?.(row) ?? true) rows.push(row);
    }
    return rows;
  };
  for (let n = await handle.read(buffer); n !== null; n = await handle.read(buffer)) {
    const lines = (rest + decoder.decode(buffer.subarray(0, n), { stream: true })).split("\n");
    rest = lines.pop()!;
    if (rest.length > MAX_LINE) {
      throw new SyntaxError(`${file}:${line + lines.length + 1}: Cannot read a line of over 1 MiB`);
    }
    yield rowsOf(lines);
    onRead?.(bytesRead += n, size);
  }
  yield rowsOf([rest + decoder.decode()]);
}

/**
 * `count` of the wanted puzzles of a file, each as likely as the others, in their
 * order (Vitter 1985, algorithm R).
 *
 * @throws {RangeError} when there are not as many
 */
export async function sampleRows<P>(
  random: RandomSource,
  count: number,
  reading: RowReading<P>,
): Promise<Row<P>[]> {
  const sample: Row<P>[] = [];
  let seen = 0;
  for await (const rows of readRows(reading)) {
    for (const row of rows) {
      const place = seen < count ? seen : below(random, seen + 1);
      if (place < count) sample[place] = row;
      seen++;
    }
  }
  if (seen >= count) return sample.sort((a, b) => a.line - b.line);
  throw new RangeError(
    `Cannot take ${count} puzzles from "${reading.file}": it has ${seen} such puzzles`,
  );
}

/** The first puzzle of a file, which says how large all are. */
export async function firstRow<P>({ file, reader }: RowReading<P>): Promise<P> {
  for await (const [row] of readRows({ file, reader })) if (row !== undefined) return row.puzzle;
  throw new SyntaxError(`Cannot use "${file}": it has no puzzles`);
}

/** Runs `work`; what it throws is said of a line of a file. */
export function atLine(file: string, line: number, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`${file}:${line}: ${error.message}`, { cause: error });
  }
}

async function openFile(file: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(file);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new Deno.errors.NotFound(`Cannot find the puzzles "${file}"`, { cause });
  }
}
