import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4";
import { inverseDihedral, numDihedral } from "../../../tasks/dihedral.ts";
import { transformMaze } from "../../../tasks/maze/augment.ts";
import { isShortestPath, judgeMaze, markedPathLength } from "../../../tasks/maze/judge.ts";
import { formatMaze, type Maze, type MazePuzzle, parseMaze } from "../../../tasks/maze/maze.ts";
import { solveMaze } from "../../../tasks/maze/solver.ts";
import { anyMaze, beside, marked, simplePaths } from "./_reference.ts";

const puzzle = parseMaze("S../.#./..G");
const ring: MazePuzzle = { puzzle, solution: parseMaze("Soo/.#o/..G"), pathLength: 4 };

/** The puzzle of a maze, if it can be solved. */
function puzzleOf(maze: Maze): MazePuzzle | undefined {
  const { solution, pathLength } = solveMaze(maze);
  return solution && { puzzle: maze, solution, pathLength: pathLength! };
}

Deno.test("judgeMaze() finds the stored solution exact", () => {
  assertEquals(judgeMaze(ring, ring.solution), {
    exact: true,
    valid: true,
    optimal: true,
    numRight: 9,
    numCells: 9,
    numBlanksRight: 6,
    numBlanks: 6,
  });
});

Deno.test("judgeMaze() finds another shortest path optimal, but not exact", () => {
  const verdict = judgeMaze(ring, parseMaze("S../o#./ooG"));
  assertEquals([verdict.exact, verdict.valid, verdict.optimal], [false, true, true]);
  assertEquals([verdict.numRight, verdict.numBlanksRight], [3, 0]);
});

Deno.test("judgeMaze() finds a longer way valid, but not optimal", () => {
  const wide = puzzleOf(parseMaze("S.G/.../#.."))!;
  const verdict = judgeMaze(wide, parseMaze("S.G/ooo/#.."));
  assertEquals([verdict.exact, verdict.valid, verdict.optimal], [false, true, false]);
  assertEquals([verdict.numRight, verdict.numCells], [5, 9]);
});

Deno.test("judgeMaze() refuses every kind of wrong answer", () => {
  const wrong = [
    "S../.#./..G", // nothing marked
    "Soo/.#./..G", // an end
    "Soo/o#o/..G", // a fork at the start
    "Soo/o#o/ooG", // two paths
    "Soo/.oo/..G", // through the wall
    "Soo/..o/..G", // the wall left out
    "Soo/##o/..G", // a wall put in
    "Soo/.#o/o.G", // a mark apart
    "ooo/.#o/..G", // no start
    "Soo/.#o/..S",
  ];
  for (const text of wrong) {
    const cells = Uint8Array.from(text.replaceAll("/", ""), (c) => "?#.SGo".indexOf(c));
    const verdict = judgeMaze(ring, { cells, rows: 3, columns: 3 });
    assertEquals([verdict.exact, verdict.valid, verdict.optimal], [false, false, false], text);
    assert(!isShortestPath(puzzle, { cells, rows: 3, columns: 3 }), text);
  }
});

Deno.test("judgeMaze() counts what a model left unsaid as wrong", () => {
  const cells = new Uint8Array(9);
  const { numRight, numBlanksRight, valid } = judgeMaze(ring, { cells, rows: 3, columns: 3 });
  assertEquals([numRight, numBlanksRight, valid], [0, 0, false]);
});

Deno.test("markedPathLength() follows the marks, and a circle or a way beside itself is none", () => {
  const maze = parseMaze("S..../...../....G");
  assertEquals(markedPathLength(maze, parseMaze("Sooo./...o./...oG")), 6);
  assertEquals(markedPathLength(maze, parseMaze("Soooo/...../....G")), undefined);
  assertEquals(markedPathLength(maze, parseMaze("S...o/o.ooo/ooo.G")), undefined);
  assertEquals(markedPathLength(maze, parseMaze("Soo../oo.../ooooG")), undefined);
  assertEquals(markedPathLength(parseMaze("SG/.."), parseMaze("SG/..")), 1);
  assertEquals(markedPathLength(parseMaze("SG/.."), parseMaze("SG/oo")), undefined);
  const apart = parseMaze("SooG.../.../....".replaceAll("/", "").padEnd(16, "."));
  assertEquals(apart.rows, 4);
  const circle = marked(apart, [8, 9, 12, 13]); // a circle that the path does not touch
  assertEquals(markedPathLength(parseMaze("S..G".padEnd(16, ".")), apart), 3);
  assertEquals(markedPathLength(parseMaze("S..G".padEnd(16, ".")), circle), undefined);
});

Deno.test("markedPathLength() takes exactly the ways that do not run beside themselves", () => {
  fc.assert(fc.property(anyMaze(3), (maze) => {
    const want = new Map<string, number>();
    for (const path of simplePaths(maze)) {
      const answer = marked(maze, path);
      const onPath = [maze.cells.indexOf(3), ...path, maze.cells.indexOf(4)];
      const touches = onPath.flatMap((cell) =>
        beside(maze, cell).filter((c) => onPath.includes(c))
      );
      if (touches.length === 2 * (onPath.length - 1)) {
        want.set(formatMaze(answer, "/"), path.length + 1);
      }
    }
    const free = [...maze.cells.keys()].filter((cell) => maze.cells[cell] === 2);
    for (let subset = 0; subset < 2 ** free.length; subset++) {
      const answer = marked(maze, free.filter((_, i) => (subset >> i) & 1));
      assertEquals(markedPathLength(maze, answer), want.get(formatMaze(answer, "/")));
    }
  }));
});

Deno.test("isShortestPath() takes exactly the shortest of all ways", () => {
  fc.assert(fc.property(anyMaze(4), (maze) => {
    const paths = simplePaths(maze);
    const shortest = Math.min(...paths.map((path) => path.length));
    for (const path of paths) {
      assertEquals(isShortestPath(maze, marked(maze, path)), path.length === shortest);
    }
  }));
});

Deno.test("judgeMaze() commutes with rotations and reflections", () => {
  const anyAnswer = anyMaze(6).chain((maze) =>
    fc.tuple(
      fc.constant(maze),
      fc.array(fc.nat(maze.cells.length - 1), { maxLength: 3 }),
      fc.integer({ min: 0, max: numDihedral - 1 }),
    )
  );
  fc.assert(fc.property(anyAnswer, ([maze, changes, id]) => {
    const made = puzzleOf(maze);
    if (made === undefined) return;
    const answer = marked(made.solution, changes);
    const turned = {
      puzzle: transformMaze(made.puzzle, id),
      solution: transformMaze(made.solution, id),
      pathLength: made.pathLength,
    };
    assertEquals(judgeMaze(turned, transformMaze(answer, id)), judgeMaze(made, answer));
    assertEquals(solveMaze(turned.puzzle).pathLength, made.pathLength);
    assertEquals(transformMaze(turned.puzzle, inverseDihedral(id)), maze);
  }));
});

Deno.test("judgeMaze() and isShortestPath() refuse answers of other sizes", () => {
  const other = parseMaze("SG/..");
  const message = "Cannot compare a maze of 3x3 with an answer of 2x2: expected the same size";
  assertThrows(() => judgeMaze(ring, other), RangeError, message);
  assertThrows(() => judgeMaze({ ...ring, solution: other }, puzzle), RangeError, message);
  assertThrows(() => isShortestPath(puzzle, other), RangeError, message);
});
