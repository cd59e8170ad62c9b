/**
 * Mazes the slow way, with none of the library's machinery, to compare it with:
 * every simple path tried, distances by relaxing until nothing changes, mazes by
 * trial and error.
 *
 * @module
 */

import fc from "npm:fast-check@^4";
import { below, type RandomSource, shuffle } from "../../../tasks/random_source.ts";
import { type Maze, mazeCell } from "../../../tasks/maze/maze.ts";

/** Mazes of up to `side` rows and columns with any walls, start and goal. */
export function anyMaze(side: number): fc.Arbitrary<Maze> {
  return fc.record({
    rows: fc.integer({ min: 2, max: side }),
    columns: fc.integer({ min: 2, max: side }),
    share: fc.double({ min: 0, max: 0.6, noNaN: true }),
    seed: fc.integer({ min: 0, max: 0x7fffffff }),
  }).map(({ rows, columns, share, seed }) => {
    const random = lcg(seed);
    const cells = new Uint8Array(rows * columns).fill(mazeCell.free);
    for (let cell = 0; cell < cells.length; cell++) {
      if (random.uint32() < share * 2 ** 32) cells[cell] = mazeCell.wall;
    }
    const [start, goal] = shuffle(random, Array.from(cells.keys()));
    cells[start!] = mazeCell.start;
    cells[goal!] = mazeCell.goal;
    return { cells, rows, columns };
  });
}

/** A small generator of its own kind. */
export function lcg(seed: number): RandomSource {
  let state = BigInt(seed);
  return {
    uint32: () => {
      state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
      return Number(state >> 32n);
    },
  };
}

/** The cells beside a cell. */
export function beside({ rows, columns }: Maze, cell: number): number[] {
  const y = Math.floor(cell / columns), x = cell % columns;
  return [[y - 1, x], [y, x - 1], [y, x + 1], [y + 1, x]]
    .filter(([y, x]) => y! >= 0 && y! < rows && x! >= 0 && x! < columns)
    .map(([y, x]) => y! * columns + x!);
}

/** The steps from start to goal, by relaxing every cell until nothing changes; or Infinity. */
export function referenceLength(maze: Maze): number {
  const steps = Array.from(maze.cells, (cell) => cell === mazeCell.start ? 0 : Infinity);
  for (let changed = true; changed;) {
    changed = false;
    for (const cell of maze.cells.keys()) {
      if (maze.cells[cell] === mazeCell.wall) continue;
      const best = 1 + Math.min(...beside(maze, cell).map((near) => steps[near]!));
      if (best >= steps[cell]!) continue;
      steps[cell] = best;
      changed = true;
    }
  }
  return steps[maze.cells.indexOf(mazeCell.goal)]!;
}

/** Every way from start to goal that enters no cell twice, as the cells between; for small mazes. */
export function simplePaths(maze: Maze): number[][] {
  const goal = maze.cells.indexOf(mazeCell.goal);
  const found: number[][] = [];
  const extend = (path: number[]): void => {
    for (const near of beside(maze, path.at(-1)!)) {
      if (near === goal) found.push(path.slice(1));
      else if (maze.cells[near] !== mazeCell.wall && !path.includes(near)) extend([...path, near]);
    }
  };
  extend([maze.cells.indexOf(mazeCell.start)]);
  return found;
}

/** `maze` with the cells of a path marked. */
export function marked(maze: Maze, path: readonly number[]): Maze {
  const cells = maze.cells.slice();
  for (const cell of path) cells[cell] = mazeCell.path;
  return { ...maze, cells };
}

/** A maze by the procedure itself: the walls shuffled, whatever is too short thrown away. */
export function referenceMaze(
  random: RandomSource,
  rows: number,
  columns: number,
  minPath: number,
): Maze {
  const numCells = rows * columns;
  const fewest = Math.ceil(0.3 * numCells), most = Math.floor(0.5 * numCells);
  for (;;) {
    const cells = new Uint8Array(numCells).fill(mazeCell.free);
    const walls = fewest + below(random, most - fewest + 1);
    const order = shuffle(random, Array.from(cells.keys()));
    for (const cell of order.slice(0, walls)) cells[cell] = mazeCell.wall;
    cells[order[walls]!] = mazeCell.start;
    cells[order[walls + 1]!] = mazeCell.goal;
    const length = floodLength(cells, columns, order[walls]!, order[walls + 1]!);
    if (length >= minPath) return { cells, rows, columns };
  }
}

/** The steps between two cells, ring by ring; -1 when there is no way. */
function floodLength(cells: Uint8Array, columns: number, start: number, goal: number): number {
  const seen = new Uint8Array(cells.length);
  seen[start] = 1;
  let ring = [start];
  for (let steps = 1; ring.length > 0; steps++) {
    const next: number[] = [];
    for (const cell of ring) {
      for (const near of [cell - columns, cell - 1, cell + 1, cell + columns]) {
        const isStep = near >= 0 && near < cells.length &&
          (near % columns === cell % columns ||
            Math.floor(near / columns) === Math.floor(cell / columns));
        if (!isStep || seen[near] === 1 || cells[near] === mazeCell.wall) continue;
        if (near === goal) return steps;
        seen[near] = 1;
        next.push(near);
      }
    }
    ring = next;
  }
  return -1;
}
