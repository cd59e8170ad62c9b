import { assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4";
import { type ArcTask, parseArcGrid } from "../../../tasks/arc/grid.ts";
import {
  formatArcChallenges,
  formatArcSolutions,
  formatArcTask,
  parseArcChallenges,
  parseArcTask,
} from "../../../tasks/arc/json.ts";
import { grids } from "./_arbitrary.ts";

const pair = { input: [[1, 2]], output: [[2, 1]] };

/** A task's JSON with one part replaced. */
function jsonWith(part: Record<string, unknown>): string {
  return JSON.stringify({ train: [pair, pair], test: [pair], ...part });
}

Deno.test("parseArcTask() reads pairs and calls the task what the file is called", () => {
  const text = `{"test": [{"input": [[3]]}, {"input": [[0], [1]], "output": null}],
    "train": [{"input": [[1, 2]], "output": [[2], [1]]}], "name": "skipped"}`;
  const want: ArcTask = {
    name: "a.b",
    train: [{ input: parseArcGrid("12"), output: parseArcGrid("2/1") }],
    test: [
      { input: parseArcGrid("3"), output: null },
      { input: parseArcGrid("0/1"), output: null },
    ],
  };
  for (const file of ["a.b.json", "x/y/a.b.json", "x\\a.b.JSON", "a.b"]) {
    assertEquals(parseArcTask(text, file), want);
  }
  assertEquals(parseArcTask(`\uFEFF${text}`, "a.b"), want);
});

Deno.test("parseArcTask() names the file, the task, the pair and the row that it cannot read", () => {
  const rows31 = Array(31).fill([0]), row31 = [Array(31).fill(0)];
  const train = (input: unknown): string => jsonWith({ train: [pair, { ...pair, input }] });
  const test = (output: unknown): string => jsonWith({ test: [{ ...pair, output }] });
  const cases: [text: string, why: string][] = [
    [train([[1, 2], [3]]), "train pair 2, input: row 2 has 1 cells, row 1 has 2: expected as many"],
    [train([[1, 2], 3]), "train pair 2, input: row 2 is a number: expected a list of cells"],
    [train([[1, 10]]), "train pair 2, input: row 1, column 2 is 10: expected a colour"],
    [train([[1.5]]), "train pair 2, input: row 1, column 1 is 1.5: expected a colour"],
    [train([["1"]]), 'train pair 2, input: row 1, column 1 is "1": expected a colour'],
    [train([[null]]), "train pair 2, input: row 1, column 1 is null: expected a colour"],
    [train([]), "train pair 2, input: it has no rows"],
    [train([[], []]), "train pair 2, input: row 1 has no cells"],
    [train(rows31), "train pair 2, input: it has 31 rows: expected 1 to 30"],
    [train(row31), "train pair 2, input: row 1 has 31 cells: expected 1 to 30"],
    [train("12"), "train pair 2, input: expected a list of rows, not a string"],
    [train(undefined), "train pair 2, input: expected a list of rows, not nothing"],
    [test([[-1]]), "test pair 1, output: row 1, column 1 is -1"],
    [test({}), "test pair 1, output: expected a list of rows, not an object"],
    [jsonWith({ train: [] }), "it has no train pairs"],
    [jsonWith({ test: [] }), "it has no test pairs"],
    [jsonWith({ train: undefined }), "expected a list of train pairs, not nothing"],
    [jsonWith({ test: {} }), "expected a list of test pairs, not an object"],
    [jsonWith({ train: [null] }), "train pair 1: expected an object, not null"],
    [jsonWith({ test: [[]] }), "test pair 1: expected an object, not a list"],
    ["[]", "expected an object, not a list"],
  ];
  for (const [text, why] of cases) {
    const error = assertThrows(() => parseArcTask(text, "d/t.json"), SyntaxError);
    const start = `d/t.json: Cannot read task "t": ${why}`;
    assertEquals(error.message.slice(0, start.length), start);
  }
  assertThrows(() => parseArcTask("{", "t.json"), SyntaxError, "t.json: Cannot read JSON: ");
});

Deno.test("parseArcChallenges() reads tasks in the order of their names, with their solutions", () => {
  const challenges = {
    text: `{"b": ${jsonWith({ test: [{ input: [[5]] }, { input: [[6]] }] })},
      "12": ${jsonWith({})}, "0a": ${jsonWith({})}}`,
    file: "c.json",
  };
  const tasks = parseArcChallenges(challenges);
  assertEquals(tasks.map(({ name }) => name), ["0a", "12", "b"]);
  assertEquals(tasks[2]!.test.map(({ output }) => output), [null, null]);

  const text = `{"0a": [[[7]]], "12": [[[8]]], "b": [[[1]], [[2, 3]]], "more": []}`;
  const solved = parseArcChallenges(challenges, { text, file: "s.json" });
  assertEquals(solved[0]!.test[0]!.output, parseArcGrid("7")); // in place of what there was
  assertEquals(solved[2]!.test.map(({ output }) => output), [
    parseArcGrid("1"),
    parseArcGrid("23"),
  ]);
});

Deno.test("parseArcChallenges() says which file, task and solution it cannot read", () => {
  const challenges = { text: `{"constructor": ${jsonWith({})}}`, file: "c.json" };
  const cases: [solutions: string, message: string][] = [
    ["{}", 's.json: Cannot read task "constructor": it has no solutions'],
    [`{"constructor": []}`, 's.json: Cannot read task "constructor": it has no solutions'],
    [`{"constructor": [[[1]], [[1]]]}`, '"constructor": it has 2 solutions for 1 test inputs'],
    [`{"constructor": [[[1], [10]]]}`, "solution 1: row 2, column 1 is 10"],
    [`{"constructor": 1}`, "expected a list of solutions, not a number"],
    ["[]", "s.json: Cannot read tasks: expected an object of lists of grids by the name"],
    ["", "s.json: Cannot read JSON: "],
  ];
  for (const [text, message] of cases) {
    const read = () => parseArcChallenges(challenges, { text, file: "s.json" });
    assertThrows(read, SyntaxError, message);
  }
  const bad = { text: `{"a": {"train": []}}`, file: "c.json" };
  assertThrows(() => parseArcChallenges(bad), SyntaxError, 'c.json: Cannot read task "a": it has');
  assertThrows(
    () => parseArcChallenges({ text: "1", file: "c.json" }),
    SyntaxError,
    "c.json: Cannot read tasks: expected an object of tasks by name, not a number",
  );
});

Deno.test("formatArcTask() and formatArcChallenges() are read back", () => {
  const pairs = fc.record({ input: grids(8), output: grids(8) });
  const tests = fc.record({ input: grids(8), output: fc.option(grids(8)) });
  const names = fc.uniqueArray(fc.string(), { maxLength: 4 });
  const body = fc.tuple(
    fc.array(pairs, { minLength: 1, maxLength: 4 }),
    fc.array(tests, { minLength: 1, maxLength: 3 }),
  );
  fc.assert(fc.property(names, body, grids(8), (names, [train, test], other) => {
    assertEquals(parseArcTask(formatArcTask({ name: "n", train, test }), "n.json"), {
      name: "n",
      train,
      test,
    });
    const answered = test.map(({ input, output }) => ({ input, output: output ?? other }));
    const tasks = names.sort().map((name) => ({ name, train, test: answered }));
    const challenges = { text: formatArcChallenges(tasks), file: "c.json" };
    const solutions = { text: formatArcSolutions(tasks), file: "s.json" };
    assertEquals(parseArcChallenges(challenges, solutions), tasks);
    const open = parseArcChallenges(challenges);
    assertEquals(open.every(({ test }) => test.every(({ output }) => output === null)), true);
  }));
});

Deno.test("formatArcTask() writes what the official files hold, formatArcSolutions() only what is known", () => {
  const input = parseArcGrid("12/34"), output = parseArcGrid("5");
  const task = { name: "t", train: [{ input, output }], test: [{ input, output: null }] };
  assertEquals(
    formatArcTask(task),
    `{"train":[{"input":[[1,2],[3,4]],"output":[[5]]}],"test":[{"input":[[1,2],[3,4]]}]}`,
  );
  assertThrows(
    () => formatArcSolutions([task]),
    RangeError,
    'Cannot write the solutions of task "t": the output of test pair 1 is not known',
  );
  assertThrows(() => formatArcChallenges([task, task]), RangeError, 'two tasks of the name "t"');
});
