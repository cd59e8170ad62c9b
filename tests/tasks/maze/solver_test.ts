import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4";
import { Random } from "../../../core/random.ts";
import { formatMaze, type Maze, parseMaze } from "../../../tasks/maze/maze.ts";
import { shortestPathLength, solveMaze } from "../../../tasks/maze/solver.ts";
import { anyMaze, marked, referenceLength, simplePaths } from "./_reference.ts";

const golden = JSON.parse(
  Deno.readTextFileSync(new URL("../../golden/maze_twin.json", import.meta.url)),
);

/** The shortest of the simple paths, marked. */
function shortestMarked(maze: Maze): string[] {
  const paths = simplePaths(maze);
  const shortest = Math.min(...paths.map((path) => path.length));
  return paths.filter((path) => path.length === shortest)
    .map((path) => formatMaze(marked(maze, path)));
}

Deno.test("solveMaze() counts the shortest paths and takes the first up, left, right or down", () => {
  const { paths, pathLength, solution } = solveMaze(parseMaze("S../.#./..G"));
  assertEquals([paths, pathLength, formatMaze(solution!, "/")], [2, 4, "Soo/ #o/  G"]);
  assertEquals(formatMaze(solveMaze(parseMaze("G../.#./..S")).solution!, "/"), "Goo/ #o/  S");
});

Deno.test("solveMaze() marks nothing between neighbours, and finds nothing behind walls", () => {
  const { paths, pathLength, solution } = solveMaze(parseMaze("SG/.."));
  assertEquals([paths, pathLength, formatMaze(solution!)], [1, 1, "SG  "]);
  assertEquals(solveMaze(parseMaze("S#/#G")), { paths: 0 });
  assertEquals(shortestPathLength(parseMaze("S#/#G")), undefined);
});

Deno.test("solveMaze() takes path marks for free cells and leaves the maze as it is", () => {
  const maze = parseMaze("S.o/o#./ooG"), before = maze.cells.slice();
  assertEquals(formatMaze(solveMaze(maze).solution!, "/"), "Soo/ #o/  G");
  assertEquals(maze.cells, before);
});

Deno.test("solveMaze() equals the numpy twin", () => {
  assertEquals(golden.mazes.length, 30);
  for (const { text, steps, paths } of golden.mazes) {
    const solved = solveMaze(parseMaze(text));
    assertEquals([solved.pathLength ?? 0, `${solved.paths}`], [steps, paths], text);
  }
});

Deno.test("solveMaze() and shortestPathLength() equal relaxing until nothing changes", () => {
  fc.assert(fc.property(anyMaze(16), (maze) => {
    const want = referenceLength(maze);
    assertEquals(solveMaze(maze).pathLength ?? Infinity, want);
    assertEquals(shortestPathLength(maze) ?? Infinity, want);
  }));
});

Deno.test("solveMaze() counts what trying every path counts, and returns one of them", () => {
  fc.assert(fc.property(anyMaze(4), (maze) => {
    const all = shortestMarked(maze);
    const { paths, solution } = solveMaze(maze);
    assertEquals(paths, all.length);
    if (solution !== undefined) assert(all.includes(formatMaze(solution)));
  }));
});

Deno.test("solveMaze() draws each shortest path equally often", () => {
  const maze = parseMaze("S../.../..#/..#/..G");
  const want = new Set(shortestMarked(maze));
  assertEquals(want.size, 5);
  const random = new Random(1), counts = new Map<string, number>();
  for (let i = 0; i < 5000; i++) {
    const text = formatMaze(solveMaze(maze, { random }).solution!);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  assertEquals(new Set(counts.keys()), want);
  for (const count of counts.values()) assert(Math.abs(count - 1000) < 110, `${count}`); // 4 sigma
});

Deno.test("solveMaze() counts at most 2^53 - 1 paths", () => {
  const cells = new Uint8Array(64 * 64).fill(2);
  cells[0] = 3;
  cells[cells.length - 1] = 4;
  const { paths, pathLength } = solveMaze({ cells, rows: 64, columns: 64 });
  assertEquals([paths, pathLength], [Number.MAX_SAFE_INTEGER, 126]);
});

Deno.test("solveMaze() refuses what is no maze", () => {
  const cells = Uint8Array.of(3, 1, 1, 1);
  assertThrows(() => solveMaze({ cells, rows: 2, columns: 2 }), RangeError, "it has no goal (G)");
  assertThrows(() => shortestPathLength({ cells, rows: 2, columns: 3 }), RangeError, "4 cells");
});
