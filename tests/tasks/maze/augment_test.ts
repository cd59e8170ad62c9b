import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4";
import { Random } from "../../../core/random.ts";
import { inverseDihedral } from "../../../tasks/dihedral.ts";
import { augmentMaze, transformMaze } from "../../../tasks/maze/augment.ts";
import { generateMaze } from "../../../tasks/maze/generator.ts";
import { isShortestPath } from "../../../tasks/maze/judge.ts";
import { formatMaze, parseMaze } from "../../../tasks/maze/maze.ts";
import { anyMaze } from "./_reference.ts";

Deno.test("transformMaze() turns and reflects", () => {
  const maze = parseMaze("S#./..G");
  const texts = Array.from(
    { length: 8 },
    (_, id) => formatMaze(transformMaze(maze, id), "/").replaceAll(" ", "."),
  );
  assertEquals(texts, [
    "S#./..G",
    ".G/#./S.",
    "G../.#S",
    ".S/.#/G.",
    ".#S/G..",
    "..G/S#.",
    "S./#./.G",
    "G./.#/.S",
  ]);
  assertThrows(() => transformMaze(maze, 8), RangeError, "dihedral id 8");
});

Deno.test("transformMaze() is undone by the inverse", () => {
  fc.assert(fc.property(anyMaze(9), fc.integer({ min: 0, max: 7 }), (maze, id) => {
    assertEquals(transformMaze(transformMaze(maze, id), inverseDihedral(id)), maze);
  }));
});

Deno.test("augmentMaze() keeps the solution a shortest path, and its length", () => {
  const random = new Random(1);
  for (let i = 0; i < 50; i++) {
    const maze = generateMaze(random, { rows: 9, columns: 9 + i % 2 });
    const other = augmentMaze(random, maze);
    assertEquals([other.puzzle.rows, other.puzzle.columns], [9, 9 + i % 2]);
    assert(isShortestPath(other.puzzle, other.solution));
    assertEquals(other.pathLength, maze.pathLength);
  }
});

for (const [columns, reached] of [[3, 8], [4, 4]] as const) {
  Deno.test(`augmentMaze() reaches ${reached} arrangements of 3x${columns}, equally often`, () => {
    const puzzle = parseMaze(columns === 3 ? "S#G/o../###" : "S#G./o.../####");
    const random = new Random(2), counts = new Map<string, number>();
    for (let i = 0; i < 800 * reached; i++) {
      const text = formatMaze(
        augmentMaze(random, { puzzle, solution: puzzle, pathLength: 4 }).puzzle,
      );
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    assertEquals(counts.size, reached);
    for (const count of counts.values()) assert(Math.abs(count - 800) < 110, `${count}`); // 4 sigma
  });
}
