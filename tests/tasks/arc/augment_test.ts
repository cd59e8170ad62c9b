import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4";
import { Random } from "../../../core/random.ts";
import {
  type ArcAugmentation,
  augmentArcGrid,
  augmentArcTask,
  distinctArcAugmentations,
  drawArcAugmentation,
  drawArcAugmentations,
  identityArcAugmentation,
  invertArcAugmentation,
} from "../../../tasks/arc/augment.ts";
import { type ArcTask, formatArcGrid, parseArcGrid } from "../../../tasks/arc/grid.ts";
import { formatArcTask } from "../../../tasks/arc/json.ts";
import { augmentations, grids } from "./_arbitrary.ts";

function taskOf(...pairs: (readonly [input: string, output: string])[]): ArcTask {
  const train = pairs.map(([input, output]) => {
    return { input: parseArcGrid(input), output: parseArcGrid(output) };
  });
  return { name: "t", train, test: [] };
}

Deno.test("augmentArcGrid() renames the colours, then turns as numpy does", () => {
  const colours = Uint8Array.of(0, 9, 8, 7, 6, 5, 4, 3, 2, 1);
  const want = [
    "987/654/000", // the grid is 123/456/000
    "740/850/960", // the last column becomes the first row
    "000/456/789",
    "069/058/047",
    "789/456/000",
    "000/654/987",
    "960/850/740",
    "047/058/069",
  ];
  const grid = parseArcGrid("123/456/000");
  const turned = want.map((_, dihedral) =>
    formatArcGrid(augmentArcGrid({ dihedral, colours }, grid))
  );
  assertEquals(turned, want);
});

Deno.test("invertArcAugmentation() undoes an augmentation, from either side", () => {
  fc.assert(fc.property(grids(9), augmentations(), (grid, augmentation) => {
    const inverse = invertArcAugmentation(augmentation);
    assertEquals(augmentArcGrid(inverse, augmentArcGrid(augmentation, grid)), grid);
    assertEquals(augmentArcGrid(augmentation, augmentArcGrid(inverse, grid)), grid);
    assertEquals(invertArcAugmentation(inverse), augmentation);
    const { cells } = augmentArcGrid(augmentation, grid);
    assertEquals(cells.filter((c) => c === 0).length, grid.cells.filter((c) => c === 0).length);
  }));
});

Deno.test("augmentArcGrid() keeps a grid without cells as it is", () => {
  const empty = { rows: 0, columns: 0, cells: new Uint8Array(0) };
  const random = new Random(1);
  for (let i = 0; i < 20; i++) {
    assertEquals(augmentArcGrid(drawArcAugmentation(random), empty), empty);
  }
});

Deno.test("drawArcAugmentation() draws every turn and every new name of a colour about equally often", () => {
  const random = new Random(2), turns = new Array(8).fill(0);
  const names = Array.from({ length: 10 }, () => new Array(10).fill(0));
  for (let i = 0; i < 9000; i++) {
    const { dihedral, colours } = drawArcAugmentation(random);
    turns[dihedral]++;
    colours.forEach((name, colour) => names[colour]![name]++);
  }
  for (const count of turns) assert(Math.abs(count - 1125) < 150, `${turns}`);
  assertEquals(names[0], [9000, ...new Array(9).fill(0)]);
  for (const row of names.slice(1)) {
    assertEquals(row[0], 0);
    for (const count of row.slice(1)) assert(Math.abs(count - 1000) < 150, `${row}`);
  }
});

Deno.test("augmentArcTask() augments every grid alike and keeps what is not known", () => {
  const [a, b] = [parseArcGrid("12/34"), parseArcGrid("5")];
  const task = { name: "t", train: [{ input: a, output: b }], test: [{ input: b, output: null }] };
  const augmentation = { dihedral: 4, colours: Uint8Array.of(0, 2, 1, 3, 4, 6, 5, 7, 8, 9) };
  assertEquals(augmentArcTask(augmentation, task), {
    name: "t",
    train: [{ input: parseArcGrid("12/43"), output: parseArcGrid("6") }],
    test: [{ input: parseArcGrid("6"), output: null }],
  });
});

Deno.test("drawArcAugmentations() begins with the identity and repeats no task", () => {
  const task = taskOf(["123/000", "12"], ["456/007", "7"]);
  const found = drawArcAugmentations(new Random(3), task, 300);
  assertEquals(found.length, 301);
  assertEquals(found[0], identityArcAugmentation());
  const texts = found.map((augmentation) => formatArcTask(augmentArcTask(augmentation, task)));
  assertEquals(new Set(texts).size, 301);
  assertEquals(drawArcAugmentations(new Random(3), task, 300), found);
  assertEquals(drawArcAugmentations(new Random(3), task, 20), found.slice(0, 21));
  assertEquals(drawArcAugmentations(new Random(3), task, 0), found.slice(0, 1));
});

Deno.test("drawArcAugmentations() gives up after five draws for each, where a task has no more", () => {
  const counts: [task: ArcTask, distinct: number][] = [
    [taskOf(["0", "0"]), 1],
    [taskOf(["1", "1"]), 9],
    [taskOf(["10", "1"]), 9 * 4],
    [taskOf(["12", "1"]), 9 * 8 * 4],
    [taskOf(["12", "12"]), 9 * 8 * 2], // a half turn is an exchange of the colours
    [taskOf(["12", "0"], ["1/2", "0"]), 9 * 8 * 2], // and a reflection of the pairs
  ];
  for (const [task, distinct] of counts) {
    let drawn = 0;
    const random = new Random(4);
    const counting = { uint32: () => (drawn++, random.uint32()) };
    assertEquals(drawArcAugmentations(counting, task, 1000).length, distinct, `${distinct}`);
    assertEquals(drawn, 5000 * 9); // a turn and eight exchanges each, all of them in vain at last
  }
});

Deno.test("distinctArcAugmentations() compares the pairs in any order, tests among them", () => {
  const [x, y] = [parseArcGrid("12"), parseArcGrid("1/2")];
  const transpose: ArcAugmentation = { ...identityArcAugmentation(), dihedral: 6 };
  const same = { name: "t", train: [{ input: x, output: x }], test: [{ input: y, output: y }] };
  assertEquals(distinctArcAugmentations(same, [transpose], 1).length, 1);
  const other = { ...same, test: [{ input: y, output: null }] };
  assertEquals(distinctArcAugmentations(other, [transpose], 1).length, 2);
});

Deno.test("drawArcAugmentations() refuses a number that is none", () => {
  for (const count of [-1, 0.5, NaN]) {
    const draw = () => drawArcAugmentations(new Random(1), taskOf(["1", "1"]), count);
    assertThrows(draw, RangeError, `Cannot draw ${count} augmentations`);
  }
});
