/**
 * The sentences in a source text: its string literals of two words and more, what is
 * computed inside them as `…`; comments and regular expressions are no literals.
 */
export function sentencesIn(source: string): string[] {
  const found: string[] = [];
  skim(source, 0, "", found);
  return found.filter((text) => /[A-Za-z]{2,}[^a-z]? [a-z…]|[a-z] …/.test(text));
}

/** Reads code from `at` on until `end`, nested templates included; where it stopped. */
function skim(source: string, at: number, end: string, found: string[]): number {
  let before = "";
  let braces = 0;
  while (at < source.length) {
    const char = source[at]!;
    if (char === end && braces === 0) return at + 1;
    braces += char === "{" ? 1 : char === "}" ? -1 : 0;
    if (char === "/" && source[at + 1] === "/") at = source.indexOf("\n", at);
    else if (char === "/" && source[at + 1] === "*") at = source.indexOf("*/", at) + 2;
    else if (char === "/" && /[(,=:[!&|?{};+]/.test(before)) at = afterPattern(source, at);
    else if (char === '"' || char === "'" || char === "`") at = afterText(source, at, found);
    else at++;
    if (char.trim() !== "") before = char;
  }
  return at;
}

/** Where a regular expression that begins at `at` has ended. */
function afterPattern(source: string, at: number): number {
  for (let inClass = false, i = at + 1;; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === "[") inClass = true;
    else if (source[i] === "]") inClass = false;
    else if (source[i] === "/" && !inClass) return i + 1;
  }
}

/** Where a string or template that begins at `at` has ended; notes it. */
function afterText(source: string, at: number, found: string[]): number {
  const quote = source[at]!;
  let text = "";
  for (let i = at + 1; i < source.length;) {
    if (source[i] === quote) {
      found.push(text);
      return i + 1;
    }
    if (quote === "`" && source.startsWith("${", i)) {
      i = skim(source, i + 2, "}", found);
      text += "…";
    } else {
      text += source[i] === "\\" ? source[i + 1] : source[i];
      i += source[i] === "\\" ? 2 : 1;
    }
  }
  throw new SyntaxError(`A text is open at ${at}`);
}
