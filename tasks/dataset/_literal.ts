/**
 * Python literals, as the header of a .npy file holds one: dicts, tuples, lists,
 * strings, integers, `True`, `False` and `None`. Nothing is evaluated.
 *
 * @module
 */

/** A Python value: dicts are maps, tuples and lists are arrays. */
export type Literal =
  | string
  | number
  | boolean
  | null
  | readonly Literal[]
  | ReadonlyMap<string, Literal>;

const MAX_DEPTH = 8;

const WORDS: ReadonlyMap<string, Literal> = new Map<string, Literal>([
  ["True", true],
  ["False", false],
  ["None", null],
]);

/**
 * The value of the one literal that `text` consists of.
 *
 * @throws {SyntaxError} naming the column at which `text` is anything else
 */
export function parseLiteral(text: string): Literal {
  const cursor = new Cursor(text);
  const value = parseValue(cursor, 0);
  if (!cursor.atEnd()) cursor.refuse("the end");
  return value;
}

/** A place in a text; every method first skips white space. */
class Cursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Whether nothing is left. */
  atEnd(): boolean {
    return this.#peek() === "";
  }

  /** Takes `char` if it is next. */
  take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }

  /** What the sticky `pattern` matches here, taken; undefined when it does not. */
  match(pattern: RegExp): string | undefined {
    this.#peek();
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  /** Says what was wanted and what is there instead. */
  refuse(wanted: string): never {
    const next = this.#peek();
    const found = next === "" ? "the end" : JSON.stringify(next);
    throw new SyntaxError(`column ${this.#at + 1} has ${found} where ${wanted} is expected`);
  }

  #peek(): string {
    while (" \t\r\n".includes(this.#text[this.#at] ?? "x")) this.#at++;
    return this.#text[this.#at] ?? "";
  }
}

function parseValue(cursor: Cursor, depth: number): Literal {
  if (depth > MAX_DEPTH) cursor.refuse(`nesting of at most ${MAX_DEPTH}`);
  if (cursor.take("{")) return parseDict(cursor, depth);
  if (cursor.take("[")) return parseItems(cursor, "]", depth).items;
  if (cursor.take("(")) return parseParenthesis(cursor, depth);
  return parseString(cursor) ?? parseInteger(cursor) ?? parseWord(cursor);
}

function parseDict(cursor: Cursor, depth: number): Literal {
  const dict = new Map<string, Literal>();
  while (!cursor.take("}")) {
    const key = parseString(cursor);
    if (key === undefined) return cursor.refuse("a string as key");
    if (dict.has(key)) throw new SyntaxError(`the key '${key}' is given twice`);
    if (!cursor.take(":")) cursor.refuse('":"');
    dict.set(key, parseValue(cursor, depth + 1));
    if (cursor.take(",")) continue;
    if (!cursor.take("}")) cursor.refuse('"," or "}"');
    break;
  }
  return dict;
}

/** `(3)` is a number in parentheses, `(3,)` a tuple. */
function parseParenthesis(cursor: Cursor, depth: number): Literal {
  const { items, trailing } = parseItems(cursor, ")", depth);
  return items.length === 1 && !trailing ? items[0]! : items;
}

function parseItems(
  cursor: Cursor,
  close: string,
  depth: number,
): { readonly items: readonly Literal[]; readonly trailing: boolean } {
  const items: Literal[] = [];
  while (!cursor.take(close)) {
    items.push(parseValue(cursor, depth + 1));
    if (cursor.take(",")) continue;
    if (!cursor.take(close)) cursor.refuse(`"," or "${close}"`);
    return { items, trailing: false };
  }
  return { items, trailing: true };
}

function parseString(cursor: Cursor): string | undefined {
  return cursor.match(/'[^'\\\n]*'|"[^"\\\n]*"/y)?.slice(1, -1);
}

function parseInteger(cursor: Cursor): number | undefined {
  const digits = cursor.match(/-?(?:0|[1-9]\d*)(?![\w.])/y);
  return digits === undefined ? undefined : Number(digits);
}

function parseWord(cursor: Cursor): Literal {
  for (const [word, value] of WORDS) {
    if (cursor.match(new RegExp(`${word}(?!\\w)`, "y")) !== undefined) return value;
  }
  return cursor.refuse("a literal");
}
