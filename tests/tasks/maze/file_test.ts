import { assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../../core/random.ts";
import {
  formatMazes,
  type MazeFilePuzzle,
  mazeLineReader,
  parseMazes,
} from "../../../tasks/maze/file.ts";
import { generateMaze } from "../../../tasks/maze/generator.ts";
import { parseMaze } from "../../../tasks/maze/maze.ts";

const header = "source,question,answer,rating";
const question = "S  " + " # " + "  G", answer = "Soo" + " #o" + "  G";
const want = { puzzle: parseMaze(question), solution: parseMaze(answer), pathLength: 4 };

Deno.test("parseMazes() reads mazes, and solves them where no solution is given", () => {
  assertEquals(parseMazes("S../.#./..G\n", "a.txt"), [want]);
  assertEquals(parseMazes("S../.#./..G Soo/.#o/..G\n", "a.txt"), [want]);
  const other = parseMazes("S../.#./..G\tS../o#./ooG", "a.txt")[0]!;
  assertEquals(other.solution, parseMaze("S../o#./ooG"));
  assertEquals(parseMazes("S.../###G", "a.txt")[0]!.pathLength, 4);
});

Deno.test("parseMazes() reads drawings, which may lack spaces at the ends of rows", () => {
  const text = "; three\nS\n #\n  G\n\r\nS..\r\n.#.\r\n..G\r\n\nS../.#./..G\n";
  assertEquals(parseMazes(text, "a.txt"), [want, want, want]);
  assertEquals(parseMazes("#####\n#S  G#\n######", "a.txt")[0]!.pathLength, 3);
  // mazes of one line are none, with rows of spaces after them neither
  assertEquals(parseMazes("S...#...G\nS...#...G\n", "a.txt"), [want, want]);
  assertEquals(parseMazes("S...#...G\n   \n", "a.txt"), [want]);
  const { message } = assertThrows(() => parseMazes("\n\nS#\n#G\n", "a.txt"), SyntaxError);
  assertEquals(message, "a.txt:3: Cannot solve the maze: no path leads from start to goal");
});

Deno.test("parseMazes() skips comments and empty lines, and reads CRLF and a byte order mark", () => {
  const text = "\uFEFF; three\r\n\r\nS../.#./..G\r\n  \r\n;\r\n###/S.G/###\r\nSG/##";
  assertEquals(parseMazes(text, "a.txt").map(({ pathLength }) => pathLength), [4, 2, 1]);
  assertEquals(parseMazes("", "a.txt"), []);
  assertEquals(parseMazes("; nothing\n\n", "a.txt"), []);
});

Deno.test("parseMazes() reads the official form, spaces at the ends included", () => {
  const text = [
    header,
    `lehnert,${question},${answer},4`,
    `"a, ""b""",${question},${answer},110.5`,
    `  ,${" ".repeat(7)}SG,${" ".repeat(7)}SG,`,
    `,"${question}","${answer}",0`,
    "",
  ].join("\r\n");
  const mazes = parseMazes(text, "test.csv");
  assertEquals(mazes.slice(0, 2), [
    { ...want, source: "lehnert", rating: 4 },
    { ...want, source: 'a, "b"', rating: 110.5 },
  ]);
  assertEquals([mazes[2]!.source, mazes[2]!.pathLength, mazes[2]!.rating], ["  ", 1, undefined]);
  assertEquals(mazes[3], { ...want, source: "", rating: 0 });
});

Deno.test("parseMazes() solves what the official form leaves without an answer", () => {
  const text = `; ours\n${header}\nx,${question},,\n`;
  assertEquals(parseMazes(text, "a.csv"), [{ ...want, source: "x" }]);
});

Deno.test("parseMazes() takes a longer path for a solution, and tells the shortest length", () => {
  const [maze] = parseMazes("S.G/.../... S.G/ooo/...", "a.txt");
  assertEquals([maze!.pathLength, maze!.solution], [2, parseMaze("S.G/ooo/...")]);
});

Deno.test("formatMazes() writes what parseMazes() reads, in both forms", () => {
  const random = new Random(1);
  const mazes: MazeFilePuzzle[] = Array.from({ length: 20 }, () => {
    const { puzzle, solution, pathLength } = generateMaze(random, { rows: 7 });
    return { puzzle, solution, pathLength };
  });
  assertEquals(parseMazes(formatMazes(mazes), "a.txt"), mazes);
  const sourced = mazes.map((maze, i) => ({ ...maze, source: `no. "${i}", ours`, rating: i / 2 }));
  assertEquals(parseMazes(formatMazes(sourced, { official: true }), "a.csv"), sourced);
  assertEquals(parseMazes(formatMazes(mazes, { official: true }), "a.csv")[0]!.source, "ponder");
  assertEquals(formatMazes([]), "");
  assertEquals(formatMazes([], { official: true }), `${header}\n`);
});

Deno.test("formatMazes() writes non-square mazes in the plain form alone", () => {
  const [maze] = parseMazes("S.../###G", "a.txt");
  assertEquals(formatMazes([maze!]), "S.../###G Sooo/###G\n");
  assertThrows(
    () => formatMazes([maze!], { official: true }),
    RangeError,
    "Cannot write maze 0 of 2x4 in the official form: expected as many rows as columns",
  );
  const cells = new Uint8Array(8);
  assertThrows(
    () => formatMazes([{ ...maze!, solution: { cells, rows: 2, columns: 4 } }]),
    RangeError,
    "Cannot write maze 0: it holds 0, expected 1 to 5",
  );
});

Deno.test("mazeLineReader() reads line by line and keeps count", () => {
  const read = mazeLineReader("big.csv");
  assertEquals(read(header), undefined);
  assertEquals(read(`a,${question},${answer},3`)?.rating, 3);
  assertThrows(() => read("a"), SyntaxError, `big.csv:3: Cannot read "a": expected ${header}`);
  assertEquals(read(`a,${question},${answer},3`)?.pathLength, 4);
});

Deno.test("parseMazes() names the file, the line and what is wrong with it", () => {
  const cases: [fields: string, message: string][] = [
    [`S #,${answer},1`, "Cannot read a maze of 3 characters: expected a square number of them"],
    [`${question},${answer.slice(1)},1`, "Cannot read a maze of 8 characters"],
    [`${question.replace("#", "x")},${answer},1`, 'Cannot read "x" at row 2, column 2 as a cell'],
    [`${question.replace("S", " ")},${answer},1`, "Cannot read the maze: it has no start (S)"],
    [`${answer},${answer},1`, "Cannot use the maze: it has a path mark in row 1, column 2"],
    [`${question},SooG,1`, "Cannot use the solution: it is 2x2 and the maze 3x3"],
    [
      `${question},${answer.replace("#", " ")},1`,
      'Cannot use the solution: it has " " in row 2, column 2, where the maze has "#"',
    ],
    [
      `${question},G${answer.slice(1, 8)}S,1`,
      'Cannot use the solution: it has "G" in row 1, column 1, where the maze has "S"',
    ],
    [
      `${question},${question},1`,
      "Cannot use the solution: its marks are not one path from start to goal",
    ],
    [`${question},Soo #oooG,1`, "its marks are not one path"],
    ["S# ## G# ,S# ## G# ,1", "Cannot solve the maze: no path leads from start to goal"],
    [`${question},${answer},x`, 'Cannot read "x" as a rating: expected a number'],
  ];
  for (const [fields, message] of cases) {
    const read = () => parseMazes(`${header}\n\nsource,${fields}\n`, "m.csv");
    const error = assertThrows(read, SyntaxError, message);
    assertEquals(error.message.startsWith("m.csv:3: Cannot "), true, error.message);
  }
  const plain = () => parseMazes("SG/.. SG/.. 3\n", "m.txt");
  assertThrows(plain, SyntaxError, 'm.txt:1: Cannot read "3": expected a maze and a solution');
});
