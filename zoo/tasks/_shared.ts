/**
 * What several tasks need.
 *
 * @module
 */

/** How to make two sets that share nothing. */
export interface SplitOptions<P> {
  /** The puzzles that are held out. */
  readonly test: readonly P[];
  /** Equal for puzzles that are the same but for a symmetry; null to tell none apart. */
  readonly signatureOf: ((puzzle: P) => unknown) | null;
  /** Puzzles to train on. */
  readonly count: number;
  /** Puzzles to take, those held out excepted; null to generate them. */
  readonly given: readonly P[] | null;
  /** Draws a puzzle. */
  readonly generate: () => P;
  /** Told what was made. */
  readonly report: (line: string) => void;
}

/** Puzzles to train on, none of them the same as one held out but for a symmetry. */
export function splitOf<P>(
  { test, signatureOf, count, given, generate, report }: SplitOptions<P>,
): { train: P[]; test: readonly P[] } {
  report(`Held out ${test.length} puzzles`);
  const signatures = new Set(signatureOf === null ? [] : test.map(signatureOf));
  const isNew = (puzzle: P) => signatureOf === null || !signatures.has(signatureOf(puzzle));
  if (given === null) {
    const train: P[] = [];
    while (train.length < count) {
      const puzzle = generate();
      if (isNew(puzzle)) train.push(puzzle);
    }
    report(`Generated ${train.length} puzzles to train on`);
    return { train, test };
  }
  const wanted = given.slice(0, count);
  const train = wanted.filter(isNew);
  const left = wanted.length - train.length;
  report(
    `Read ${train.length} puzzles to train on` + (left > 0 ? `, left out ${left} held out` : ""),
  );
  return { train, test };
}

/** The text of a file of puzzles. */
export function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new Deno.errors.NotFound(`Cannot find the puzzles "${path}"`, { cause });
  }
}

/** Two drawings of equal height beside each other. */
export function sideBySide(left: string, right: string): string {
  const lines = right.split("\n");
  return left.split("\n").map((line, i) => `${line}   ${lines[i]}`).join("\n");
}
