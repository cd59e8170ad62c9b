import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../../core/random.ts";
import { augmentArcTask } from "../../../tasks/arc/augment.ts";
import { arcSeqLen, arcVocabSize, cropArcGrid, encodeArcGrid } from "../../../tasks/arc/encode.ts";
import { type ArcGrid, type ArcTask, parseArcGrid } from "../../../tasks/arc/grid.ts";
import { parseArcIdentifier } from "../../../tasks/arc/identifier.ts";
import { generateArcMini } from "../../../tasks/arc/mini.ts";
import {
  type ArcPuzzleGroup,
  type ArcPuzzlePlan,
  type ArcSubset,
  arcTestGroups,
  arcTrainGroups,
  planArcPuzzles,
} from "../../../tasks/arc/puzzles.ts";
import { openPuzzleDataset, writePuzzleDataset } from "../../../tasks/dataset/mod.ts";

function miniTasks(seed: number, count: number): ArcTask[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => generateArcMini(random));
}

const subsets: ArcSubset[] = [
  { name: "training", tasks: miniTasks(1, 3), evaluated: false },
  { name: "evaluation", tasks: miniTasks(2, 2), evaluated: true },
];

/** Everything of a split, read at once. */
function readAll(groups: Iterable<ArcPuzzleGroup>) {
  return Array.from(groups, (group) => ({ task: group.task, puzzles: [...group] }));
}

function sizeOf(groups: ReturnType<typeof readAll>) {
  const puzzles = groups.flatMap(({ puzzles }) => puzzles);
  const examples = puzzles.reduce((sum, { examples }) => sum + examples.length, 0);
  return { groups: groups.length, puzzles: puzzles.length, examples };
}

/** The grid on a canvas wherever it lies, and where. */
function located(tokens: Uint8Array): { grid: ArcGrid; row: number; column: number } {
  const size = Math.sqrt(tokens.length);
  const first = tokens.findIndex((token) => token >= 2);
  const row = Math.floor(first / size), column = first % size;
  const moved = new Uint8Array(tokens.length);
  for (let y = row; y < size; y++) {
    moved.set(tokens.subarray(y * size + column, (y + 1) * size), (y - row) * size);
  }
  return { grid: cropArcGrid(moved), row, column };
}

Deno.test("planArcPuzzles() numbers the tasks and their augmentations from 1", () => {
  const plan = planArcPuzzles(new Random(3), subsets, { augmentations: 5, size: 10 });
  assertEquals(plan.identifiers.length, 1 + 5 * 6);
  assertEquals(plan.identifiers[0], "<blank>");
  assertEquals(new Set(plan.identifiers).size, plan.identifiers.length);
  plan.tasks.forEach(({ task, evaluated, firstIdentifier, numPuzzles }, i) => {
    assertEquals([firstIdentifier, numPuzzles, evaluated], [1 + 6 * i, 6, i >= 3]);
    assertEquals(plan.identifiers[firstIdentifier], task.name);
    for (let id = firstIdentifier; id < firstIdentifier + numPuzzles; id++) {
      assertEquals(parseArcIdentifier(plan.identifiers[id]!).task, task.name);
    }
  });
  assert(plan.identifiers[2]!.includes("|||t"));
  const hrm = planArcPuzzles(new Random(3), subsets, { augmentations: 5, size: 10, style: "hrm" });
  assertEquals(
    hrm.identifiers.map((name) => parseArcIdentifier(name)),
    plan.identifiers.map((name) => parseArcIdentifier(name)),
  );
  assert(hrm.identifiers[2]!.includes("_t"));
});

Deno.test("arcTrainGroups() has all demonstrations and the tests that are not evaluated", () => {
  const random = new Random(4);
  const plan = planArcPuzzles(random, subsets, { augmentations: 8, size: 12 });
  const train = readAll(arcTrainGroups(random, plan));
  assertEquals(sizeOf(train), plan.train);
  assertEquals(train.map(({ task }) => task), plan.tasks.map(({ task }) => task.name));
  train.forEach(({ puzzles }, i) => {
    const { task, evaluated } = plan.tasks[i]!;
    for (const { identifier, examples } of puzzles) {
      const { augmentation } = parseArcIdentifier(plan.identifiers[identifier]!);
      const augmented = augmentArcTask(augmentation, task);
      const want = evaluated ? augmented.train : [...augmented.train, ...augmented.test];
      assertEquals(examples.length, want.length);
      let numStill = 0;
      examples.forEach(({ inputs, labels }, example) => {
        const { input, output } = want[example]!;
        const places = placesOf(input, inputs).filter((place) =>
          placesOf(output!, labels).includes(place)
        );
        assertEquals(places.length, 1); // input and output are moved alike
        if (places[0] === 0) numStill++;
      });
      assert(numStill >= 1);
    }
  });
});

/** The places, as indices, at which drawing `grid` makes these tokens. */
function placesOf(grid: ArcGrid, tokens: Uint8Array): number[] {
  const size = Math.sqrt(tokens.length), found: number[] = [];
  for (let row = 0; row + grid.rows <= size; row++) {
    for (let column = 0; column + grid.columns <= size; column++) {
      const drawn = encodeArcGrid(grid, { size, offset: { row, column } });
      if (drawn.every((token, i) => token === tokens[i])) found.push(row * size + column);
    }
  }
  return found;
}

Deno.test("arcTrainGroups() leaves one example at the origin, each about equally often", () => {
  const pair = { input: parseArcGrid("1"), output: parseArcGrid("2") };
  const others = ["3", "4", "5"].map((text) => ({ ...pair, input: parseArcGrid(text) }));
  const task = { name: "t", train: [pair, ...others], test: [pair] };
  const plan = planArcPuzzles(new Random(5), [{ name: "s", tasks: [task], evaluated: true }], {
    augmentations: 400,
    size: 30,
  });
  const [group] = readAll(arcTrainGroups(new Random(6), plan));
  const stills = [0, 0, 0, 0];
  const rows = new Set<number>();
  for (const { examples } of group!.puzzles) {
    examples.forEach(({ inputs }, i) => {
      const { row, column } = located(inputs);
      rows.add(row);
      if (row === 0 && column === 0) stills[i]!++;
    });
  }
  const numPuzzles = plan.tasks[0]!.numPuzzles;
  assert(stills.reduce((a, b) => a + b) >= numPuzzles);
  for (const count of stills) assert(Math.abs(count - numPuzzles / 4) < 45, `${stills}`);
  assertEquals(rows.size, 30);
});

Deno.test("arcTestGroups() has the evaluated tests of every augmentation, never moved", () => {
  const random = new Random(7);
  const plan = planArcPuzzles(random, subsets, { augmentations: 8 });
  const test = readAll(arcTestGroups(plan));
  assertEquals(sizeOf(test), plan.test);
  assertEquals(test.map(({ task }) => task), subsets[1]!.tasks.map(({ name }) => name));
  test.forEach(({ puzzles }, i) => {
    const { task, firstIdentifier } = plan.tasks[3 + i]!;
    assertEquals(
      puzzles.map(({ identifier }) => identifier),
      [...puzzles.keys()].map((puzzle) => firstIdentifier + puzzle),
    );
    for (const { identifier, examples } of puzzles) {
      const { augmentation } = parseArcIdentifier(plan.identifiers[identifier]!);
      assertEquals(
        examples,
        augmentArcTask(augmentation, task).test.map(({ input, output }) => {
          return { inputs: encodeArcGrid(input), labels: encodeArcGrid(output!) };
        }),
      );
    }
  });
});

Deno.test("arcTrainGroups() and arcTestGroups() are made as they are read, and depend on the seed alone", () => {
  const options = { augmentations: 3, size: 10 };
  const made = (seed: number): [ArcPuzzlePlan, ReturnType<typeof readAll>] => {
    const random = new Random(seed);
    const plan = planArcPuzzles(random, subsets, options);
    return [plan, readAll(arcTrainGroups(random, plan))];
  };
  assertEquals(made(8), made(8));
  assert(JSON.stringify(made(8)[0].identifiers) !== JSON.stringify(made(9)[0].identifiers));
  let drawn = 0;
  const random = new Random(8);
  const counting = { uint32: () => (drawn++, random.uint32()) };
  const [plan] = made(8);
  const groups = arcTrainGroups(counting, plan);
  const { value } = groups.next();
  assertEquals(drawn, 0);
  (value as ArcPuzzleGroup)[Symbol.iterator]().next();
  assert(drawn > 0 && drawn < 20);
});

Deno.test("arcTrainGroups() and arcTestGroups() can be written as a data set and read back", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const plan = planArcPuzzles(new Random(10), subsets, { augmentations: 3, size: 10 });
    const { identifiers } = plan;
    const spec = { vocabSize: arcVocabSize, seqLen: arcSeqLen(plan.size), identifiers };
    await writePuzzleDataset(folder, "train", arcTrainGroups(new Random(11), plan), spec);
    const { totalGroups, totalPuzzles, numPuzzleIdentifiers } = await writePuzzleDataset(
      folder,
      "test",
      arcTestGroups(plan),
      spec,
    );
    assertEquals([totalGroups, totalPuzzles, numPuzzleIdentifiers], [2, 8, identifiers.length]);
    using dataset = openPuzzleDataset(folder, "train");
    const [set] = dataset.sets;
    assertEquals([set!.numGroups, set!.numPuzzles], [plan.train.groups, plan.train.puzzles]);
    assertEquals(set!.numExamples, plan.train.examples);
    const puzzles = readAll(arcTrainGroups(new Random(11), plan)).flatMap((g) => g.puzzles);
    const { inputs, labels } = puzzles[6]!.examples[1]!;
    const read = set!.readExample(set!.puzzleIndices[6]! + 1);
    assertEquals([[...read.inputs], [...read.labels]], [[...inputs], [...labels]]);
    assertEquals(set!.puzzleIdentifiers[6], puzzles[6]!.identifier);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("arcTrainGroups() teaches no pair without an output, arcTestGroups() leaves its labels empty", () => {
  const input = parseArcGrid("12"), output = parseArcGrid("21");
  const task = { train: [{ input, output }], test: [{ input, output: null }] };
  const plan = planArcPuzzles(new Random(1), [
    { name: "a", tasks: [{ name: "x", ...task }], evaluated: false },
    { name: "b", tasks: [{ name: "y", ...task }], evaluated: true },
  ], { augmentations: 0, size: 3 });
  assertEquals(plan.train, { groups: 2, puzzles: 2, examples: 2 });
  assertEquals(plan.test, { groups: 1, puzzles: 1, examples: 1 });
  const [group] = readAll(arcTestGroups(plan));
  const inputs = encodeArcGrid(input, { size: 3 });
  assertEquals(group, {
    task: "y",
    puzzles: [{ identifier: 2, examples: [{ inputs, labels: new Uint8Array(9) }] }],
  });
});

Deno.test("planArcPuzzles() refuses names given twice, grids that do not fit and odd numbers", () => {
  const [task] = subsets[0]!.tasks;
  const subset = (name: string, tasks: ArcTask[]): ArcSubset => ({ name, tasks, evaluated: true });
  const refuse = (message: string, subsets: ArcSubset[], augmentations = 1, size = 30): unknown =>
    assertThrows(
      () => planArcPuzzles(new Random(1), subsets, { augmentations, size }),
      RangeError,
      message,
    );
  refuse(
    `Cannot plan task "${task!.name}" of subset "b": subset "a" has a task of that name`,
    [subset("a", [task!]), subset("b", [task!])],
  );
  refuse('"<blank>" of subset "a": its name', [subset("a", [{ ...task!, name: "<blank>" }])]);
  const wide = { input: parseArcGrid("12345"), output: parseArcGrid("1") };
  const wideTask = { name: "w", train: [wide], test: [wide] };
  refuse("a grid of 1x5 is larger than the canvas of 4x4", [subset("a", [wideTask])], 1, 4);
  refuse("Cannot draw -1 augmentations", subsets, -1);
  refuse("Cannot use a canvas of size 31", [], 1, 31);
  refuse("its name reads as an augmented one", [subset("a", [{ ...task!, name: "a|||" }])]);
});
