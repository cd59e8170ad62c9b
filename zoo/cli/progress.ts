/**
 * One line that says how far a long command has come.
 *
 * @module
 */

import { breakLines, clip, terminalWidth } from "./_width.ts";

/** How a {@link ProgressLine} behaves; all has a default. */
export interface ProgressLineOptions {
  /** Writes text as it is, to standard error if left out. */
  readonly write?: (text: string) => void;
  /** Whether the line can be redrawn; whether standard error is a terminal if left out. */
  readonly isTerminal?: boolean;
  /** The width of the terminal, asked anew for each line. */
  readonly width?: () => number;
  /** The time in milliseconds, `performance.now` if left out. */
  readonly now?: () => number;
  /** The least time between two drawings on a terminal, 100 ms. */
  readonly redrawMs?: number;
  /** The least time between two plain lines elsewhere, 10 seconds. */
  readonly plainMs?: number;
}

const CLEAR = "\r\x1b[K";

/**
 * A line of progress. On a terminal it is redrawn in its place, about ten times a
 * second at most, cut to the width, and cleared at the end. Elsewhere, in a log
 * file, plain lines appear, one every ten seconds at most, and always the last.
 *
 * It goes to standard error, so that standard output stays clean for results.
 *
 * @example
 * ```ts
 * import { ProgressLine } from "./terminal.ts";
 *
 * using progress = new ProgressLine();
 * for (let step = 1; step <= 1000; step++) {
 *   progress.update(`step ${step} of 1000`);
 *   if (step === 500) progress.log("Half of it is done");
 * }
 * ```
 */
export class ProgressLine {
  readonly #write: (text: string) => void;
  readonly #isTerminal: boolean;
  readonly #width: () => number;
  readonly #now: () => number;
  readonly #intervalMs: number;
  #text = "";
  #shown = "";
  #shownAt = -Infinity;

  /** A line on which nothing stands yet. */
  constructor(options: ProgressLineOptions = {}) {
    const { redrawMs = 100, plainMs = 10_000 } = options;
    this.#write = options.write ?? writeError;
    this.#isTerminal = options.isTerminal ?? Deno.stderr.isTerminal();
    this.#width = options.width ?? terminalWidth;
    this.#now = options.now ?? (() => performance.now());
    this.#intervalMs = this.#isTerminal ? redrawMs : plainMs;
  }

  /** Says how far it has come, in one line; shown now or, too soon after the last, perhaps never. */
  update(text: string): void {
    this.#text = text.replaceAll(/\s*[\r\n]+\s*/g, " ");
    if (this.#now() - this.#shownAt >= this.#intervalMs) this.#show();
  }

  /** Prints a line that stays, above the progress; on a terminal broken where it is too wide. */
  log(line: string): void {
    if (!this.#isTerminal) return this.#write(`${line}\n`);
    const isDrawn = this.#shown !== "";
    this.#write(`${isDrawn ? CLEAR : ""}${breakLines(line, this.#width())}\n`);
    if (isDrawn) this.#show();
  }

  /** Ends the progress: clears the line, or prints the last one if it was held back. */
  finish(): void {
    if (this.#isTerminal) {
      if (this.#shown !== "") this.#write(CLEAR);
    } else if (this.#text !== this.#shown) {
      this.#show();
    }
    this.#text = "";
    this.#shown = "";
    this.#shownAt = -Infinity;
  }

  /** Ends the progress when its scope ends. */
  [Symbol.dispose](): void {
    this.finish();
  }

  #show(): void {
    // a line as wide as the terminal would wrap
    const line = this.#isTerminal ? CLEAR + clip(this.#text, this.#width() - 1) : `${this.#text}\n`;
    this.#write(line);
    this.#shown = this.#text;
    this.#shownAt = this.#now();
  }
}

function writeError(text: string): void {
  const bytes = new TextEncoder().encode(text);
  let written = 0;
  while (written < bytes.length) written += Deno.stderr.writeSync(bytes.subarray(written));
}
