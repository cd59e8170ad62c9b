import { assertEquals, assertThrows } from "@std/assert";
import { formatBoard, parseBoard } from "../../../tasks/sudoku/board.ts";
import { parsePuzzles, puzzleLineReader } from "../../../tasks/sudoku/file.ts";

const question = ".2...412...4....", answer = "1243341221344321";
const puzzle = parseBoard(question), solution = parseBoard(answer);

const data = Deno.env.get("PONDER_TEST_DATA");

Deno.test("parsePuzzles() reads puzzles, solves and rates them", () => {
  assertEquals(parsePuzzles(`${question}\n`, "a.txt"), [{ puzzle, solution, rating: 0 }]);
  assertEquals(parsePuzzles(question.replaceAll(".", "0"), "a.txt").length, 1);
});

Deno.test("parsePuzzles() reads a solution and a rating after white space or a comma", () => {
  const want = [{ puzzle, solution, rating: 7 }];
  for (const gap of [" ", "\t", ",", " , ", "   "]) {
    assertEquals(parsePuzzles(question + gap + answer + gap + "7", "a.txt"), want);
  }
  assertEquals(parsePuzzles(`${question} ${answer}`, "a.txt"), [{ puzzle, solution, rating: 0 }]);
});

Deno.test("parsePuzzles() skips comments and empty lines, and reads CRLF and a byte order mark", () => {
  const text =
    `\uFEFF# three\r\n\r\n${question}\r\n  \r\n#\r\n${question},${answer}\r\n${question}`;
  assertEquals(parsePuzzles(text, "a.txt").length, 3);
  assertEquals(parsePuzzles("", "a.txt"), []);
  assertEquals(parsePuzzles("# nothing\n\n", "a.txt"), []);
});

Deno.test("parsePuzzles() reads the official form", () => {
  const text = [
    "source,question,answer,rating",
    `puzzles0_kaggle,${question},${answer},0`,
    `"forum, hardest",${question},${answer},42`,
    "",
  ].join("\r\n");
  assertEquals(parsePuzzles(text, "test.csv"), [
    { puzzle, solution, rating: 0, source: "puzzles0_kaggle" },
    { puzzle, solution, rating: 42, source: "forum, hardest" },
  ]);
});

Deno.test("parsePuzzles() fills in what the official form leaves empty", () => {
  const text = `# ours\nsource,question,answer,rating\nx,${question},,\n`;
  assertEquals(parsePuzzles(text, "a.csv"), [{ puzzle, solution, rating: 0, source: "x" }]);
});

Deno.test("puzzleLineReader() reads line by line and keeps count", () => {
  const read = puzzleLineReader("big.csv");
  assertEquals(read("source,question,answer,rating"), undefined);
  assertEquals(formatBoard(read(`a,${question},${answer},3`)!.solution), answer);
  assertThrows(() => read("a"), SyntaxError, "big.csv:3: ");
  assertEquals(read(`a,${question},${answer},3`)?.rating, 3);
});

Deno.test("parsePuzzles() names the file, the line and what is wrong with it", () => {
  const swapped = "1234341221434321";
  const cases: [line: string, message: string][] = [
    ["12x", "Cannot read a board of 3 characters: expected one of 16 (4x4)"],
    [question.replace("1", "x"), 'Cannot read "x" at position 7 (row 2, column 3) as a cell'],
    [question.replace("1", "7"), 'Cannot read "7" at position 7'],
    ["11..............", "its clues contradict, 1 twice in row 1"],
    [`${question} ${answer.slice(1)}`, "Cannot read a board of 15 characters"],
    [`${question} ${"1".repeat(36)}`, "Cannot use the solution: it has 36 cells and the puzzle 16"],
    [`4...4...4...4... ${answer}`, "its clues contradict, 4 twice in column 1"],
    [`1.....3......... ${answer}`, "it has 1 in row 2, column 3, where the clue is 3"],
    [`${question} ${question}`, "Cannot use the solution: it leaves row 1, column 1 blank"],
    [`1............... ${swapped.replace("2143", "2134")}`, "Cannot use the solution: it has"],
    [`${question} ${answer} x`, 'Cannot read "x" as a rating: expected a whole number'],
    [`${question} ${answer} -1`, 'Cannot read "-1" as a rating'],
    [`${question} ${answer} 1 2`, 'Cannot read "2": expected a puzzle, a solution and a rating'],
    ["123....4........", "Cannot solve the puzzle: it has no solution"],
    ["1...............", "Cannot use the puzzle: it has more than one solution"],
    [`1............... ${answer}`, "Cannot use the puzzle: it has more than one solution"],
  ];
  for (const [line, message] of cases) {
    const read = () => parsePuzzles(`# two lines\n${question}\n${line}\n`, "p.txt");
    const error = assertThrows(read, SyntaxError, message);
    assertEquals(error.message.startsWith("p.txt:3: Cannot "), true, error.message);
  }
});

Deno.test("parsePuzzles() says which fields the official form has", () => {
  const text = `source,question,answer,rating\n${question}\n`;
  assertThrows(
    () => parsePuzzles(text, "p.csv"),
    SyntaxError,
    `p.csv:2: Cannot read "${question}": expected source,question,answer,rating`,
  );
});

Deno.test({
  name: "parsePuzzles() reads and solves 10,000 puzzles written with dots",
  ignore: data === undefined,
  fn: () => {
    const text = Deno.readTextFileSync(`${data}/sudoku/norvig-10k.txt`);
    assertEquals(parsePuzzles(text, "norvig-10k.txt").length, 10_000);
  },
});
