import { assert, assertEquals } from "@std/assert";
import {
  coloursFor,
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  ProgressLine,
  sparkline,
  table,
} from "../../../zoo/cli/terminal.ts";
import { clip, textWidth } from "../../../zoo/cli/_width.ts";

const { red, bold } = coloursFor(true);

Deno.test("colours wrap a text when they are on, and leave it alone when they are off", () => {
  assertEquals(red("no"), "\x1b[31mno\x1b[39m");
  assertEquals(coloursFor(false).red("no"), "no");
});

Deno.test("colours are off in a child with NO_COLOR, and where output is no terminal", async () => {
  const module = new URL("../../../zoo/cli/terminal.ts", import.meta.url).href;
  const code = `import { colours } from "${module}"; console.log(colours.red("x"));`;
  for (const env of [{ NO_COLOR: "1" }, {}]) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--quiet", code],
      env,
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "x\n");
  }
});

Deno.test("formatDuration() shows the two largest units, rounded up into the next", () => {
  const texts: [number, string][] = [
    [0, "0 ms"],
    [0.0124, "12 ms"],
    [0.9994, "999 ms"],
    [0.9996, "1.0 s"],
    [3.24, "3.2 s"],
    [59.94, "59.9 s"],
    [59.96, "1 m 00 s"],
    [75, "1 m 15 s"],
    [3599.4, "59 m 59 s"],
    [3599.6, "1 h 00 m"],
    [7500, "2 h 05 m"],
    [86_399, "1 d 00 h"],
    [273_600, "3 d 04 h"],
    [-75, "-1 m 15 s"],
    [Infinity, "–"],
    [NaN, "–"],
  ];
  for (const [seconds, text] of texts) assertEquals(formatDuration(seconds), text);
});

Deno.test("formatCount() is exact up to four digits, then has three and a letter", () => {
  const texts: [number, string][] = [
    [0, "0"],
    [999, "999"],
    [1000, "1,000"],
    [9999, "9,999"],
    [10_000, "10.0k"],
    [99_949, "99.9k"],
    [99_951, "100k"],
    [999_499, "999k"],
    [999_500, "1.00M"],
    [27_275_266, "27.3M"],
    [7e9, "7.00B"],
    [1.5e15, "1500T"],
    [-1234, "-1,234"],
    [NaN, "–"],
  ];
  for (const [count, text] of texts) assertEquals(formatCount(count), text);
});

Deno.test("formatBytes() uses binary units", () => {
  const texts: [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.00 KiB"],
    [1536, "1.50 KiB"],
    [1024 * 1023.6, "1.00 MiB"],
    [450 * 2 ** 20, "450 MiB"],
    [3.14 * 2 ** 30, "3.14 GiB"],
    [NaN, "–"],
  ];
  for (const [bytes, text] of texts) assertEquals(formatBytes(bytes), text);
});

Deno.test("formatPercent() reaches 0% and 100% only when it is so", () => {
  assertEquals([0, 1, 0.5523, 0.0001, 0.99999].map((x) => formatPercent(x)), [
    ...["0.0%", "100.0%", "55.2%", "0.1%", "99.9%"],
  ]);
  assertEquals([0.5523, 0.999, 0.001].map((x) => formatPercent(x, 0)), ["55%", "99%", "1%"]);
  assertEquals(formatPercent(0.12345, 2), "12.35%");
  assertEquals(formatPercent(NaN), "–");
});

Deno.test("sparkline() reaches from its lowest to its highest value", () => {
  assertEquals(sparkline([0, 7, 3]), "▁█▄");
  assertEquals(sparkline([1, NaN, 2]), "▁ █");
  assertEquals(sparkline([5, 5]), "▄▄");
  assertEquals(sparkline([]), "");
  assertEquals(sparkline([NaN, Infinity]), "  ");
});

Deno.test("sparkline() averages what is wider than its width", () => {
  assertEquals(sparkline([0, 0, 7, 7], 2), "▁█");
  assertEquals(sparkline([0, NaN, 7, 7, NaN, NaN], 3), "▁█ ");
  assertEquals(sparkline(Array.from({ length: 1001 }, (_, i) => i)).length, 40);
});

Deno.test("textWidth() counts columns: none for colours and marks, two for wide letters", () => {
  assertEquals(textWidth("abc"), 3);
  assertEquals(textWidth(bold(red("abc"))), 3);
  assertEquals(textWidth("数独"), 4);
  assertEquals(textWidth("e\u0301▁—…"), 4);
  assertEquals(textWidth("🎉"), 2);
});

Deno.test("clip() cuts at the width, through colours and wide letters", () => {
  assertEquals(clip("abcdef", 6), "abcdef");
  assertEquals(clip("abcdef", 4), "abc…");
  assertEquals(clip("abcdef", 1), "…");
  assertEquals(clip("abcdef", 0), "");
  assertEquals(clip("数独数独", 4), "数…");
  assertEquals(clip(red("abcdef"), 4), "\x1b[31mabc…\x1b[0m");
});

Deno.test("table() aligns columns and shows what is missing", () => {
  const text = table(
    [
      { recipe: red("hrm-sudoku"), exact: "55.0%", steps: 1000 },
      { recipe: "数独", exact: null },
    ],
    [
      { key: "recipe", title: "Recipe" },
      { key: "exact", align: "right" },
      { key: "steps", align: "right" },
    ],
  );
  assertEquals(text.split("\n"), [
    "Recipe      exact  steps",
    "──────────  ─────  ─────",
    `${red("hrm-sudoku")}  55.0%   1000`,
    "数独            –      –",
  ]);
});

Deno.test("table() fits its width by cutting the widest column, and writes no empty space", () => {
  const rows = [
    { name: "n".repeat(20), path: "p".repeat(100), loss: 0.25 },
    { name: "line\nbreak", path: "q", loss: 1 },
  ];
  const text = table(rows, [{ key: "name" }, { key: "path" }, { key: "loss", align: "right" }]);
  const lines = text.split("\n");
  assertEquals(lines.map(textWidth), [80, 80, 80, 80]);
  assert(lines[2]!.startsWith(`${"n".repeat(20)}  ppp`) && lines[2]!.endsWith("p…  0.25"));
  assert(lines[3]!.startsWith("line break   "));
  assertEquals(table([], [{ key: "a" }, { key: "b" }]), "a  b\n─  ─");
});

/** A progress line on a screen of 20 columns whose clock stands still until it is moved. */
function progressOn(isTerminal: boolean): { line: ProgressLine; written: string[]; clock: Clock } {
  const written: string[] = [];
  const clock: Clock = { ms: 0 };
  const line = new ProgressLine({
    write: (text) => written.push(text),
    isTerminal,
    width: () => 20,
    now: () => clock.ms,
  });
  return { line, written, clock };
}

interface Clock {
  ms: number;
}

Deno.test("ProgressLine redraws on a terminal ten times a second at most, and clears at the end", () => {
  const { line, written, clock } = progressOn(true);
  for (let step = 0; step <= 25; step++) {
    clock.ms = step * 10;
    line.update(`step ${step}`);
  }
  line.finish();
  assertEquals(written, ["\r\x1b[Kstep 0", "\r\x1b[Kstep 10", "\r\x1b[Kstep 20", "\r\x1b[K"]);
});

Deno.test("ProgressLine stays in one line on a terminal", () => {
  const { line, written } = progressOn(true);
  line.update("a line of thirty characters ...");
  assertEquals(written, ["\r\x1b[Ka line of thirty c…"]);
  const other = progressOn(true);
  other.line.update("two\r\nlines");
  assertEquals(other.written, ["\r\x1b[Ktwo lines"]);
});

Deno.test("ProgressLine.log() does not tear the line on a terminal", () => {
  const { line, written } = progressOn(true);
  line.log("before");
  line.update("step 1");
  line.update("step 2"); // too soon to be shown
  line.log("between");
  line.finish();
  line.log("after");
  line.finish();
  assertEquals(written, [
    "before\n",
    "\r\x1b[Kstep 1",
    "\r\x1b[Kbetween\n",
    "\r\x1b[Kstep 2",
    "\r\x1b[K",
    "after\n",
  ]);
});

Deno.test("ProgressLine prints plain lines elsewhere, every ten seconds and always the last", () => {
  const { line, written, clock } = progressOn(false);
  for (let step = 0; step <= 25; step++) {
    clock.ms = step * 1000;
    line.update(`step ${step}, which is more than twenty columns`);
  }
  line.log("a line");
  line.finish();
  line.finish();
  assertEquals(written, [
    "step 0, which is more than twenty columns\n",
    "step 10, which is more than twenty columns\n",
    "step 20, which is more than twenty columns\n",
    "a line\n",
    "step 25, which is more than twenty columns\n",
  ]);
});

Deno.test("ProgressLine does not print the last line twice, and ends with its scope", () => {
  const { line, written } = progressOn(false);
  {
    using progress = line;
    progress.update("only");
  }
  assertEquals(written, ["only\n"]);
  const terminal = progressOn(true);
  {
    using progress = terminal.line;
    progress.update("only");
  }
  assertEquals(terminal.written, ["\r\x1b[Konly", "\r\x1b[K"]);
});
