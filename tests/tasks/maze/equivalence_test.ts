import { assert, assertEquals } from "@std/assert";
import fc from "npm:fast-check@^4";
import { Random } from "../../../core/random.ts";
import { transformMaze } from "../../../tasks/maze/augment.ts";
import { mazeSignature } from "../../../tasks/maze/equivalence.ts";
import { generateMaze } from "../../../tasks/maze/generator.ts";
import { formatMaze, parseMaze } from "../../../tasks/maze/maze.ts";
import { solveMaze } from "../../../tasks/maze/solver.ts";
import { anyMaze } from "./_reference.ts";

Deno.test("mazeSignature() is the same for all rotations and reflections, marked or not", () => {
  fc.assert(fc.property(anyMaze(8), (maze) => {
    const signature = mazeSignature(maze);
    assert(Number.isSafeInteger(signature) && signature >= 0);
    for (let id = 1; id < 8; id++) assertEquals(mazeSignature(transformMaze(maze, id)), signature);
    const { solution } = solveMaze(maze);
    if (solution !== undefined) assertEquals(mazeSignature(solution), signature);
  }));
});

Deno.test("mazeSignature() tells all mazes of 2x3 and 3x3 apart that are not equivalent", () => {
  const classes = new Map<number, string>();
  for (const [rows, columns] of [[2, 3], [3, 3]] as const) {
    const numCells = rows * columns;
    for (let walls = 0; walls < 2 ** numCells; walls++) {
      const cells = Uint8Array.from({ length: numCells }, (_, i) => (walls >> i) & 1 ? 1 : 2);
      for (let pair = 0; pair < numCells ** 2; pair++) {
        const start = pair % numCells, goal = Math.floor(pair / numCells);
        if (start === goal || cells[start] === 1 || cells[goal] === 1) continue;
        const maze = { cells: cells.slice(), rows, columns };
        maze.cells[start] = 3;
        maze.cells[goal] = 4;
        const texts = Array.from(
          { length: 8 },
          (_, id) => formatMaze(transformMaze(maze, id), "/"),
        );
        const least = texts.sort()[0]!, signature = mazeSignature(maze);
        assertEquals(classes.get(signature) ?? least, least);
        classes.set(signature, least);
      }
    }
  }
  assertEquals(new Set(classes.values()).size, classes.size);
});

Deno.test("mazeSignature() tells 2,000 random mazes apart, and every changed cell", () => {
  const random = new Random(1);
  const signatures = new Set<number>();
  for (let i = 0; i < 2000; i++) {
    signatures.add(mazeSignature(generateMaze(random, { rows: 9 }).puzzle));
  }
  assertEquals(signatures.size, 2000);
  const { puzzle } = generateMaze(random, { rows: 12 });
  const near = new Set([mazeSignature(puzzle)]);
  for (let cell = 0; cell < 144; cell++) {
    const cells = puzzle.cells.slice();
    cells[cell] = cells[cell] === 1 ? 2 : 1;
    near.add(mazeSignature({ ...puzzle, cells }));
  }
  assertEquals(near.size, 145);
});

Deno.test("mazeSignature() tells shapes of the same cells apart", () => {
  assert(
    mazeSignature(parseMaze("SG/##/##")) !== mazeSignature(parseMaze("SG####".padEnd(9, "#"))),
  );
});
