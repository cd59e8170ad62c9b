/**
 * How the commands look in a terminal: colours, numbers for people, tables,
 * small charts and one line of progress.
 *
 * @module
 */

import { breakLines, terminalWidth } from "./_width.ts";
import { ProgressLine, type ProgressLineOptions } from "./progress.ts";

export { wrap } from "./_width.ts";
export { formatBytes, formatCount, formatDuration, formatPercent, sparkline } from "./_numbers.ts";
export { type Cell, type Column, table } from "./table.ts";
export { ProgressLine, type ProgressLineOptions };

/** Prints a text to standard output: on a terminal in lines that fit, elsewhere as it is. */
export function print(text: string): void {
  console.log(Deno.stdout.isTerminal() ? breakLines(text, terminalWidth()) : text);
}

/** The same to standard error. */
export function printError(text: string): void {
  new ProgressLine().log(text);
}

/** Functions that colour a text, or leave it as it is. */
export interface Colours {
  /** Heavier. */
  readonly bold: (text: string) => string;
  /** Fainter. */
  readonly dim: (text: string) => string;
  /** Red. */
  readonly red: (text: string) => string;
  /** Green. */
  readonly green: (text: string) => string;
  /** Yellow. */
  readonly yellow: (text: string) => string;
  /** Blue. */
  readonly blue: (text: string) => string;
  /** Cyan. */
  readonly cyan: (text: string) => string;
}

/** Colours that are on or off. */
export function coloursFor(isOn: boolean): Colours {
  return {
    bold: sgr(isOn, 1, 22),
    dim: sgr(isOn, 2, 22),
    red: sgr(isOn, 31, 39),
    green: sgr(isOn, 32, 39),
    yellow: sgr(isOn, 33, 39),
    blue: sgr(isOn, 34, 39),
    cyan: sgr(isOn, 36, 39),
  };
}

/** Colours for standard output: none with `NO_COLOR`, nor where it is not a terminal. */
export const colours: Colours = coloursFor(!Deno.noColor && Deno.stdout.isTerminal());

/** Select graphic rendition: `open` before the text, `close` after it. */
function sgr(isOn: boolean, open: number, close: number): (text: string) => string {
  return (text) => isOn ? `\x1b[${open}m${text}\x1b[${close}m` : text;
}
