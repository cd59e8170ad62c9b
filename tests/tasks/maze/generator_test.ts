import process from "node:process";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4";
import { Random } from "../../../core/random.ts";
import { DirectedDraw, directions } from "../../../tasks/maze/_directed.ts";
import { RandomOrder } from "../../../tasks/maze/_order.ts";
import { type MazeRequest, TrialDraw } from "../../../tasks/maze/_trial.ts";
import {
  generateMaze,
  type GenerateMazeOptions,
  mazeHard,
  requestOf,
} from "../../../tasks/maze/generator.ts";
import { isShortestPath } from "../../../tasks/maze/judge.ts";
import { formatMaze, type Maze, mazeEnds } from "../../../tasks/maze/maze.ts";
import { shortestPathLength, solveMaze } from "../../../tasks/maze/solver.ts";
import type { RandomSource } from "../../../tasks/random_source.ts";
import { lcg, referenceLength, referenceMaze } from "./_reference.ts";
import { deviationFrom, deviationOfTwo } from "./_statistics.ts";

const LIMIT = 4; // standard deviations, which the seeds below stay well within

Deno.test("generateMaze() keeps to sizes, shares of walls and path lengths", () => {
  const anyRequest = fc.record({
    rows: fc.integer({ min: 4, max: 12 }),
    columns: fc.integer({ min: 4, max: 12 }),
    least: fc.integer({ min: 0, max: 4 }),
    minPath: fc.integer({ min: 1, max: 12 }),
    seed: fc.nat(),
  });
  fc.assert(fc.property(anyRequest, ({ rows, columns, least, minPath, seed }) => {
    const wallShare = [least / 10, 0.1 + least / 10] as const;
    const longest = Math.min(minPath, rows + columns - 2);
    const options = { rows, columns, wallShare, minPath: longest };
    const made = generateMaze(new Random(seed), options);
    const { puzzle, solution, pathLength, walls, paths } = made;
    assertEquals([puzzle.rows, puzzle.columns, puzzle.cells.length], [
      rows,
      columns,
      rows * columns,
    ]);
    mazeEnds(puzzle);
    assertEquals(puzzle.cells.filter((cell) => cell === 1).length, walls);
    const share = walls / (rows * columns);
    assert(share >= wallShare[0] - 1e-9 && share <= wallShare[1] + 1e-9, `${share}`);
    assertEquals(pathLength, referenceLength(puzzle));
    assert(pathLength >= longest && paths >= 1);
    assert(isShortestPath(puzzle, solution));
    assertEquals(puzzle.cells.indexOf(5), -1);
  }));
});

Deno.test("generateMaze() asks for the longer side and 30 to 50 % walls by default", () => {
  assertEquals(requestOf({ rows: 30 }).walls, [270, 450]);
  assertEquals(requestOf({ rows: 9 }).walls, [25, 40]);
  assertEquals(requestOf({ rows: 9, columns: 12 }).minPath, 12);
  assertEquals(requestOf({ rows: 10, wallShare: [0.29, 0.29] }).walls, [29, 29]);
});

Deno.test("generateMaze() reaches the largest mazes", () => {
  const { puzzle, pathLength } = generateMaze(new Random(1), { rows: 64 });
  assertEquals(puzzle.cells.length, 4096);
  assertEquals(shortestPathLength(puzzle), pathLength);
});

Deno.test("generateMaze() depends on the seed alone", () => {
  for (const options of [{ rows: 12, minPath: 20 }, mazeHard]) {
    const first = generateMaze(new Random(7), options);
    generateMaze(new Random(8), options);
    assertEquals(generateMaze(new Random(7), options), first);
  }
});

Deno.test("generateMaze() says why a request is impossible", () => {
  const fails = (options: Partial<GenerateMazeOptions>, message: string): void => {
    const request: GenerateMazeOptions = { rows: 9, ...options };
    assertThrows(() => generateMaze(new Random(1), request), RangeError, message);
  };
  fails({ rows: 1 }, "Cannot generate a 1x1 maze with a path of at least 1 steps: it has 1 rows");
  fails({ columns: 65 }, "it has 9 rows and 65 columns, expected 2 to 64 of each");
  fails({ rows: 7.5 }, "it has 7.5 rows");
  fails({ minPath: 0 }, "minPath must be a positive integer, not 0");
  fails({ minPath: 56 }, "no path has more than 55 steps there");
  fails({ minPath: 55, attempts: 3 }, "none in 3 attempts, allow shorter paths or more attempts");
  fails({ attempts: 0 }, "attempts must be a positive integer, not 0");
  fails({ wallShare: [0.5, 0.3] }, "wallShare must be two numbers from 0 to below 1");
  fails({ wallShare: [NaN, 0.3] }, "wallShare must be two numbers");
  fails({ wallShare: [0, 1] }, "wallShare must be two numbers");
  fails({ wallShare: [0.981, 0.985] }, "no number of walls is a share of 0.981 to 0.985");
  fails({ rows: 3, minPath: 1, wallShare: [0, 0.9] }, "start and goal find no place");
});

Deno.test("generateMaze() makes 5 mazes a second of 30x30 with paths above 110, or many more", () => {
  const random = new Random(1);
  generateMaze(random, mazeHard);
  const before = process.cpuUsage();
  for (let i = 0; i < 20; i++) {
    const { puzzle, solution, pathLength, walls } = generateMaze(random, mazeHard);
    assert(pathLength > 110 && walls >= 270 && walls <= 450);
    assert(isShortestPath(puzzle, solution));
  }
  const { user, system } = process.cpuUsage(before);
  assert(user + system < 4e6, `20 mazes took ${(user + system) / 1e6} s`);
});

Deno.test("RandomOrder draws every set equally often, also where most bytes are the same", () => {
  const places = Uint16Array.of(10, 11, 12, 13, 14, 15, 16);
  for (const mask of [0xffffffff, 0x03030303, 0]) {
    const random = new Random(1);
    const order = new RandomOrder(places);
    const source: RandomSource = { uint32: () => (random.uint32() & mask) >>> 0 };
    let bytes = 0; // the first two words sort, the others shuffle
    const mixed: RandomSource = {
      uint32: () => bytes++ % 1000 < 2 ? source.uint32() : random.uint32(),
    };
    const drawn: string[][] = [[], [], []];
    for (let i = 0; i < 7000; i++) {
      bytes = 0;
      order.draw(mixed, [2, 3, 6]);
      assertEquals(order.places.toSorted(), places);
      [2, 3, 6].forEach((length, j) => drawn[j]!.push(order.places.slice(0, length).sort().join()));
    }
    for (const [j, numSets] of [21, 35, 7].entries()) {
      const sets = new Map([...new Set(drawn[j]!)].map((set) => [set, 1 / numSets]));
      assertEquals(sets.size, numSets);
      assert(deviationFrom(drawn[j]!, sets) < LIMIT, `${mask} ${j}`);
    }
  }
});

/** The mazes that `draw` accepts, as many as are wanted. */
function accepted(
  draw: TrialDraw | DirectedDraw,
  random: RandomSource,
  wanted: number,
): Maze[] {
  const { rows, columns, places, plan } = draw.floor;
  const mazes: Maze[] = [];
  while (mazes.length < wanted) {
    const ends = draw.tryDraw(random);
    if (ends === undefined) continue;
    const cells = Uint8Array.from(
      places,
      (place) => place === ends.start ? 3 : place === ends.goal ? 4 : plan[place]! < 0 ? 2 : 1,
    );
    mazes.push({ cells, rows, columns });
  }
  return mazes;
}

Deno.test("every way of drawing draws each maze of 3x3 as often as the procedure says", () => {
  const request: MazeRequest = { rows: 3, columns: 3, minPath: 4, walls: [2, 4], attempts: 1 };
  const chances = new Map<string, number>();
  let sum = 0;
  for (let walls = 0; walls < 2 ** 9; walls++) {
    const plan = Array.from({ length: 9 }, (_, i) => (walls >> i) & 1 ? 1 : 2);
    const numWalls = plan.filter((cell) => cell === 1).length;
    if (numWalls < 2 || numWalls > 4) continue;
    const patterns = [36, 84, 126][numWalls - 2]!, numFree = 9 - numWalls;
    for (let pair = 0; pair < 81; pair++) {
      const start = pair % 9, goal = Math.floor(pair / 9);
      if (start === goal || plan[start] === 1 || plan[goal] === 1) continue;
      const cells = Uint8Array.from(plan);
      cells[start] = 3;
      cells[goal] = 4;
      const maze = { cells, rows: 3, columns: 3 };
      const length = referenceLength(maze);
      if (length < 4 || length === Infinity) continue;
      const chance = 1 / patterns / (numFree * (numFree - 1));
      chances.set(formatMaze(maze), chance);
      sum += chance;
    }
  }
  for (const [text, chance] of chances) chances.set(text, chance / sum);
  assertEquals(chances.size, 348);

  // No S is above 1/3 here: a snake of seven cells has 12 of 42 pairs, one of six 6 of 30.
  const ways = [
    new TrialDraw(request),
    new DirectedDraw(request, { blocks: [2, 5], cap: 1 }),
    new DirectedDraw(request, { blocks: [2, 3, 4, 5], cap: 1 / 3 }),
    new DirectedDraw(request, { blocks: [2, 4, 5], cap: 1 / 3 }),
  ];
  for (const [i, draw] of ways.entries()) {
    const mazes = accepted(draw, new Random(i), 8_000).map((maze) => formatMaze(maze));
    const deviation = deviationFrom(mazes, chances);
    assert(deviation < LIMIT, `way ${i}: ${deviation}`);
  }
  // And this would have told: a cap so low that S plays no part.
  const wrong = new DirectedDraw(request, { blocks: [2, 4, 5], cap: 1e-9 });
  const mazes = accepted(wrong, new Random(9), 8_000).map((maze) => formatMaze(maze));
  assert(deviationFrom(mazes, chances) > 2 * LIMIT);
});

/** What of a maze is compared: each a number that a sample is sorted by. */
const features: Readonly<Record<string, (maze: Maze) => number>> = {
  "number of walls": ({ cells }) => cells.filter((cell) => cell === 1).length,
  "path length": (maze) => shortestPathLength(maze)!,
  start: (maze) => mazeEnds(maze).start,
  goal: (maze) => mazeEnds(maze).goal,
  "rows between start and goal": (maze) => {
    const { start, goal } = mazeEnds(maze);
    return Math.abs(Math.floor(start / maze.columns) - Math.floor(goal / maze.columns));
  },
  "walls in the middle": ({ cells, columns }) =>
    cells.filter((cell, i) =>
      cell === 1 && i % columns >= 3 && i % columns < columns - 3 &&
      i >= 3 * columns && i < cells.length - 3 * columns
    ).length,
};

Deno.test("DirectedDraw and TrialDraw make mazes like those of the reference, and a bad cap tells", () => {
  const rows = 8, columns = 11, minPath = 18, wanted = 1200;
  const request = requestOf({ rows, columns, minPath });
  const blocks = [27, 32, 36, 40, 45];
  const random = lcg(5);
  const reference = Array.from(
    { length: wanted },
    () => referenceMaze(random, rows, columns, minPath),
  );
  const worst = (mazes: readonly Maze[]): [deviation: number, feature: string] =>
    Object.entries(features).map(([name, feature]): [number, string] => [
      deviationOfTwo(mazes.map(feature), reference.map(feature)),
      name,
    ]).reduce((a, b) => a[0] > b[0] ? a : b);

  // No S of 40,000 orders was above 0.193.
  const directed = new DirectedDraw(request, { blocks, cap: 0.2 });
  for (const draw of [new TrialDraw(request), directed]) {
    const [deviation, feature] = worst(accepted(draw, new Random(1), wanted));
    assert(deviation < LIMIT, `${feature}: ${deviation}`);
  }
  // Orders taken whatever their S, and all numbers of walls alike, would be found out.
  const careless = new DirectedDraw(request, { blocks, cap: 1e-9 });
  assert(worst(accepted(careless, new Random(2), wanted))[0] > 2 * LIMIT);
});

Deno.test("directions have blocks that cover the numbers of walls", () => {
  for (const { rows, columns, minPath, walls, blocks } of directions) {
    assertEquals([blocks[0], blocks.at(-1)], [walls[0], walls[1] + 1]);
    assertEquals(blocks, blocks.toSorted((a, b) => a - b));
    assertEquals(requestOf({ rows, columns, minPath }).walls, walls);
  }
  assertEquals(directions[0]!.minPath, mazeHard.minPath);
});

Deno.test("generateMaze() makes mazes of one shortest path where it is asked to", () => {
  const paths = (unique: boolean) => {
    const random = new Random(7);
    return Array.from({ length: 100 }, () => {
      const { puzzle, paths } = generateMaze(random, { rows: 7, minPath: 8, unique });
      assertEquals(solveMaze(puzzle).paths, paths);
      return paths;
    });
  };
  assertEquals(Math.max(...paths(true)), 1);
  assert(Math.max(...paths(false)) > 1);
});
