/**
 * The width of a text on the screen, and lines that are not wider.
 *
 * @module
 */

// deno-lint-ignore no-control-regex
const ESCAPE = /\x1b\[[\d;]*[A-Za-z]/g;
const ZERO_WIDTH = /^[\p{Mark}\u200b\u200d\ufe0f]$/u;
const DOUBLE_WIDTH =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]$/u;

/** How many columns `text` takes; escape sequences take none. */
export function textWidth(text: string): number {
  let width = 0;
  for (const char of text.replace(ESCAPE, "")) width += charWidth(char);
  return width;
}

/** `text` cut to at most `width` columns, the last one `…` if anything was cut; colours are kept. */
export function clip(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width <= 0) return "";
  let kept = "";
  let room = width - 1;
  for (const [piece] of text.matchAll(new RegExp(`${ESCAPE.source}|.`, "gsu"))) {
    const isEscape = piece.startsWith("\x1b[");
    if (!isEscape) room -= charWidth(piece);
    if (room < 0) break;
    kept += piece;
  }
  return text.includes("\x1b[") ? `${kept}…\x1b[0m` : `${kept}…`;
}

function charWidth(char: string): number {
  if (ZERO_WIDTH.test(char)) return 0;
  return DOUBLE_WIDTH.test(char) ? 2 : 1;
}

/** The columns of the terminal, 80 where nobody knows. */
export function terminalWidth(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

/** The words of `text` in lines of at most `width`; `indent` starts every line but the first. */
export function wrap(text: string, width: number, indent = ""): string {
  const words = text.split(/\s+/).flatMap((word) => pieces(word, width - indent.length));
  return filled(words, width, indent);
}

/**
 * `text` with the lines that are wider than `width` broken between words, each indented as its
 * first. A word that is wider stays whole, on a line of its own: a path is there to be copied.
 */
export function breakLines(text: string, width: number): string {
  return text.split("\n").map((line) => {
    if (textWidth(line) <= width) return line;
    return filled(line.split(/(?<=\S) +/), width, /^ */.exec(line)![0]);
  }).join("\n");
}

function filled(words: readonly string[], width: number, indent: string): string {
  const lines: string[] = [];
  let line = words[0] ?? "";
  for (const word of words.slice(1)) {
    const longer = `${line} ${word}`;
    const fits = textWidth(longer) <= width;
    if (!fits) lines.push(line);
    line = fits ? longer : indent + word;
  }
  return [...lines, line].join("\n");
}

/** A word in pieces of at most `width`. */
function pieces(word: string, width: number): readonly string[] {
  const count = Math.ceil(word.length / width);
  return Array.from({ length: count }, (_, i) => word.slice(i * width, (i + 1) * width));
}
