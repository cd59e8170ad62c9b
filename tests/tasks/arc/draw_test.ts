import { assert, assertEquals } from "@std/assert";
import { Random } from "../../../core/random.ts";
import { drawArcGrid, drawArcPairs, drawArcTask } from "../../../tasks/arc/draw.ts";
import { arcGrid, parseArcGrid } from "../../../tasks/arc/grid.ts";
import { generateArcMini } from "../../../tasks/arc/mini.ts";

const paint = (text: string, colour: number, wrong: boolean): string =>
  `${colour}${wrong ? "!" : ""}[${text}]`;

Deno.test("drawArcGrid() writes digits, and letters in wrong cells", () => {
  const grid = parseArcGrid("012/345"), answer = parseArcGrid("112/340");
  assertEquals(drawArcGrid(grid), "· 1 2\n3 4 5");
  assertEquals(drawArcGrid(grid, { cellWidth: 1 }), "·12\n345");
  assertEquals(drawArcGrid(grid, { answer }), "a 1 2\n3 4 f");
  assertEquals(drawArcGrid(grid, { answer: parseArcGrid("01") }), "· 1 c\nd e f");
  assertEquals(drawArcGrid(grid, { answer: null }), drawArcGrid(grid));
});

Deno.test("drawArcGrid() hands blank cells to paint(), wrong ones marked", () => {
  const grid = parseArcGrid("01"), answer = parseArcGrid("02");
  assertEquals(drawArcGrid(grid, { paint, answer }), "0[  ]1![><]");
  assertEquals(drawArcGrid(grid, { paint, answer, cellWidth: 1 }), "0[ ]1![x]");
});

Deno.test("drawArcPairs() puts pairs side by side, and the next ones below", () => {
  const a = { input: parseArcGrid("1/2/3"), output: parseArcGrid("45") };
  const b = { input: parseArcGrid("67"), output: null };
  assertEquals(
    drawArcPairs([a, b]),
    ["1 → 4 5   6 7 → ?", "2", "3"].join("\n"),
  );
  assertEquals(
    drawArcPairs([b, a], { width: 17 }),
    ["6 7 → ?   1 → 4 5", "          2", "          3"].join("\n"),
  );
  assertEquals(
    drawArcPairs([a, b], { width: 16 }),
    ["1 → 4 5", "2", "3", "", "6 7 → ?"].join("\n"),
  );
  assertEquals(drawArcPairs([{ ...b, output: parseArcGrid("0"), answer: a.input }]), "6 7 → a");
  const empty = { rows: 0, columns: 0, cells: new Uint8Array(0) };
  assertEquals(drawArcPairs([{ ...b, output: empty }]), "6 7 → (nothing)");
  assertEquals(drawArcPairs([]), "");
});

Deno.test("drawArcPairs() makes cells narrow where they would not fit, and stacks what still does not", () => {
  const input = parseArcGrid("12345"), output = parseArcGrid("67890");
  assertEquals(drawArcPairs([{ input, output }], { width: 21 }), "1 2 3 4 5 → 6 7 8 9 ·");
  assertEquals(drawArcPairs([{ input, output }], { width: 20 }), "12345 → 6789·");
  assertEquals(drawArcPairs([{ input, output }], { width: 12 }), "12345\n↓\n6789·");
});

Deno.test("drawArcPairs() stays within 80 columns for the largest grids, painted or not", () => {
  const full = arcGrid(Array(30).fill(Array(30).fill(8)));
  const small = parseArcGrid("12/34");
  for (const pairs of [[full], [full, small, full], [small, small]]) {
    const drawn = pairs.map((input) => ({ input, output: input, answer: full }));
    for (const paint of [undefined, (text: string) => text]) {
      const lines = drawArcPairs(drawn, paint === undefined ? {} : { paint }).split("\n");
      assert(lines.every((line) => [...line].length <= 80));
    }
  }
  assertEquals(drawArcPairs([{ input: full, output: full }]).split("\n").length, 30);
});

Deno.test("drawArcTask() draws demonstrations, a rule and tests, or predictions in their place", () => {
  const pair = { input: parseArcGrid("1"), output: parseArcGrid("2") };
  const task = { name: "t", train: [pair, pair], test: [pair, { ...pair, output: null }] };
  const rule = "─".repeat(30);
  assertEquals(drawArcTask(task, { width: 30 }), `1 → 2   1 → 2\n${rule}\n1 → 2   1 → ?`);
  const predictions = [parseArcGrid("13"), parseArcGrid("4")];
  assertEquals(
    drawArcTask(task, { width: 30, predictions }),
    `1 → 2   1 → 2\n${rule}\n1 → b d   1 → 4`,
  );
});

Deno.test("drawArcTask() keeps tasks of arc-mini within 80 columns", () => {
  const random = new Random(1);
  for (let i = 0; i < 40; i++) {
    for (const line of drawArcTask(generateArcMini(random)).split("\n")) {
      assert([...line].length <= 80, line);
    }
  }
});
