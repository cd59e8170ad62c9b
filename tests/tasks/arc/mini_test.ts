import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4";
import { Random } from "../../../core/random.ts";
import { drawArcTask } from "../../../tasks/arc/draw.ts";
import { type ArcGrid, formatArcGrid, parseArcGrid, sameArcGrid } from "../../../tasks/arc/grid.ts";
import { formatArcTask, parseArcTask } from "../../../tasks/arc/json.ts";
import { explainArcMini, generateArcMini } from "../../../tasks/arc/mini.ts";
import {
  arcMiniFamilies,
  type ArcMiniFamilyName,
  arcMiniFamilyNames,
} from "../../../tasks/arc/mini/families.ts";
import { grids } from "./_arbitrary.ts";
import { keepsLaw } from "./_mini_laws.ts";

/** Both grids of every pair of a task, the test's too. */
function pairsOf({ train, test }: ReturnType<typeof generateArcMini>) {
  return [...train, ...test.map(({ input, output }) => ({ input, output: output! }))];
}

for (const family of arcMiniFamilyNames) {
  Deno.test(`generateArcMini() makes tasks of ${family} with one answer, by a rule that shows`, () => {
    const random = new Random(11);
    const rules = new Set<number>();
    for (let i = 0; i < 25; i++) {
      const size = [6, 10, 10, 10, 15][i % 5]!;
      const task = generateArcMini(random, { families: [family], size });
      assert(task.name.startsWith(`${family}-`));
      assert(task.train.length >= 3 && task.train.length <= 5);
      assertEquals(task.test.length, 1);
      const pairs = pairsOf(task);
      assertEquals(new Set(pairs.map(({ input }) => formatArcGrid(input))).size, pairs.length);
      for (const { input, output } of pairs) {
        assert(!sameArcGrid(input, output));
        assert([input, output].every((g) => g.rows <= size && g.columns <= size && g.rows > 0));
        assert(keepsLaw(family, input, output), drawArcTask(task));
      }
      const explanations = explainArcMini(task);
      const own = explanations.filter((explanation) => explanation.family === family);
      assert(own.length > 0, drawArcTask(task));
      assert(own.some(({ rule }) => appliesTo(family, rule, pairs)));
      for (const { answers: [answer] } of explanations) {
        assert(answer === null || sameArcGrid(answer!, task.test[0]!.output!), drawArcTask(task));
      }
      own.forEach(({ rule }) => rules.add(rule));
      assertEquals(parseArcTask(formatArcTask(task), `${task.name}.json`), task);
    }
    assert(rules.size >= Math.min(2, arcMiniFamilies[family].numRules));
  });
}

function appliesTo(
  family: ArcMiniFamilyName,
  rule: number,
  pairs: readonly { readonly input: ArcGrid; readonly output: ArcGrid }[],
): boolean {
  const { apply } = arcMiniFamilies[family];
  return pairs.every(({ input, output }) => sameArcGrid(apply(rule, input)!, output));
}

Deno.test("every rule of every family can be drawn, described and applied, and is told by its words", () => {
  const random = new Random(12);
  for (const family of arcMiniFamilyNames) {
    const { numRules, describe, draw, apply } = arcMiniFamilies[family];
    const words = new Set<string>();
    for (let rule = 0; rule < numRules; rule++) {
      words.add(describe(rule));
      let numApplied = 0;
      for (let i = 0; i < 20; i++) {
        const input = draw(random, rule, 6), before = formatArcGrid(input);
        assert(input.rows <= 6 && input.columns <= 6);
        const output = apply(rule, input);
        assertEquals(formatArcGrid(input), before);
        if (output !== null && !sameArcGrid(input, output)) numApplied++;
      }
      assert(numApplied >= 5, `${family} ${describe(rule)}: ${numApplied}`);
    }
    assertEquals(words.size, numRules, family);
  }
});

Deno.test("no rule stumbles over any grid, nor makes one that is none", () => {
  fc.assert(
    fc.property(grids(30), (grid) => {
      for (const family of arcMiniFamilyNames) {
        const { numRules, apply } = arcMiniFamilies[family];
        for (let rule = 0; rule < numRules; rule += 7) {
          const made = apply(rule, grid);
          if (made === null) continue;
          assert(made.rows >= 1 && made.rows <= 30 && made.columns >= 1 && made.columns <= 30);
          assertEquals(made.cells.length, made.rows * made.columns);
          assert(made.cells.every((colour) => colour <= 9));
        }
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("the rules do what their words say", () => {
  const cases: [family: ArcMiniFamilyName, parameters: string, input: string, output: string][] = [
    ["recolour", "from 1, to 4", "12/10", "42/40"],
    ["swap", "one 1, other 2", "12/30", "21/30"],
    ["commonest", "which rarest", "112/002", "none"],
    ["commonest", "which commonest", "112/001", "111/111"],
    ["reflect", "dihedral 4", "12/34", "21/43"],
    ["rotate", "dihedral 1", "123", "3/2/1"],
    ["tile", "down 1, across 2, mirrored true", "12", "1221"],
    ["tile", "down 2, across 1, mirrored false", "1/2", "1/2/1/2"],
    ["enlarge", "down 2, across 1", "12", "12/12"],
    ["symmetrise", "mirrors left-right", "12000/00300", "12021/00300"],
    ["symmetrise", "mirrors diagonal", "012/000", "none"],
    ["gravity", "direction down", "120/003/100", "000/100/123"],
    ["gravity", "direction right", "120/003/100", "012/003/001"],
    ["extend", "direction up", "000/010/200", "210/210/200"],
    ["shift", "down 1, right -1", "100/020/003", "030/001/200"],
    ["outline", "colour 5, corners false", "000/020/000", "050/525/050"],
    ["outline", "colour 5, corners true", "000/020/000", "555/525/555"],
    ["fill", "colour 8", "1110/1010/1110", "1110/1810/1110"],
    ["fill", "colour 8", "0100/1010/0100", "0100/1810/0100"],
    ["crop", "colour 2", "0003/0023/0200", "02/20"],
    ["largest", "which largest, colour 7", "110/000/222", "110/000/777"],
    ["largest", "which smallest, colour 7", "10/00/01", "none"],
    ["extract", "which largest", "1100/0010/2203", "110/001"],
    ["denoise", "colour 0", "1000/0020/3300", "0000/0020/3300"],
    ["denoise", "colour 6", "1000/0000/3300", "6000/0000/3300"],
    ["connect", "colour 0", "20020/00000/00010", "22220/00000/00010"],
    ["connect", "colour 9", "101/030/101", "191/939/191"],
    ["frame", "colour 1", "0000/0230/0000", "1111/1231/1111"],
    ["countBar", "colour 3, bar row", "303/030", "333"],
    ["countBar", "colour 3, bar column", "300/030", "3/3"],
    ["sortBars", "order rising, base down", "200/010/213", "none"],
    ["sortBars", "order rising, base down", "200/201/231", "002/012/312"],
    ["sortBars", "order falling, base left", "10/22/00", "22/10/00"],
    ["combine", "operation and, colour 6, halves left and right", "11520/01522", "60/06"],
    ["combine", "operation neither, colour 6, halves top and bottom", "10/55/00", "06"],
  ];
  for (const [family, parameters, input, output] of cases) {
    const { numRules, describe, apply } = arcMiniFamilies[family];
    const rule = Array.from({ length: numRules }, (_, i) => i)
      .find((rule) => describe(rule) === parameters);
    assert(rule !== undefined, `${family} has no rule "${parameters}"`);
    const made = apply(rule, parseArcGrid(input));
    assertEquals(made === null ? "none" : formatArcGrid(made), output, `${family}: ${parameters}`);
  }
});

Deno.test("generateArcMini() chooses among all families, and depends on the seed alone", () => {
  const families = new Set<string>();
  const random = new Random(13), again = new Random(13);
  for (let i = 0; i < 250; i++) {
    const task = generateArcMini(random);
    families.add(task.name.split("-")[0]!);
    if (i < 20) assertEquals(generateArcMini(again), task);
  }
  assertEquals(families.size, arcMiniFamilyNames.length);
  assertEquals(generateArcMini(random, { name: "mine" }).name, "mine");
});

Deno.test("explainArcMini() finds every rule that fits, and none where none does", () => {
  const task = (...grids: [input: string, output: string][]) => {
    const pairs = grids.map(([input, output]) => {
      return { input: parseArcGrid(input), output: parseArcGrid(output) };
    });
    return { name: "t", train: pairs.slice(1), test: pairs.slice(0, 1) };
  };
  const both = explainArcMini(task(["12/34", "21/43"], ["100/000/500", "001/000/005"]));
  assertEquals(
    both.map(({ family, parameters }) => `${family}: ${parameters}`),
    [
      "reflect: dihedral 4",
      "gravity: direction right",
      "shift: down 0, right -1",
      "shift: down 0, right 2",
    ],
  );
  assertEquals(both.map(({ answers }) => formatArcGrid(answers[0]!)), [
    "21/43",
    "12/34",
    "21/43",
    "12/34",
  ]);
  assertEquals(explainArcMini(task(["1", "2"], ["1", "2"], ["1", "3"])), []);
});

Deno.test("generateArcMini() refuses families, sizes and pairs that are none", () => {
  const refuse = (options: Parameters<typeof generateArcMini>[1], message: string): unknown =>
    assertThrows(() => generateArcMini(new Random(1), options), RangeError, message);
  refuse({ families: [] }, "Cannot generate a task: expected at least one family");
  refuse(
    { families: ["tile", "magic" as "tile"] },
    'family "magic" is none of recolour, swap, commonest,',
  );
  refuse({ families: ["toString" as "tile"] }, 'family "toString" is none of');
  for (const size of [5, 31, 7.5]) refuse({ size }, `size is ${size}: expected 6 to 30`);
  for (const pairs of [[0, 3], [4, 3], [1, 2.5]] as const) {
    refuse({ pairs }, `pairs are ${pairs[0]} to ${pairs[1]}: expected two integers from 1`);
  }
});
