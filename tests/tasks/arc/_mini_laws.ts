import { type ArcGrid, arcRows } from "../../../tasks/arc/grid.ts";
import type { ArcMiniFamilyName } from "../../../tasks/arc/mini/families.ts";

type Rows = number[][];

/** Whether an output may come from an input, told from what the concept means. */
type Law = (input: Rows, output: Rows) => boolean;

const range = (n: number): number[] => [...Array(n).keys()];
const flat = (rows: Rows): number[] => rows.flat();
const equal = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const sorted = (numbers: number[]): number[] => [...numbers].sort((a, b) => a - b);
const count = (rows: Rows, colour: number): number => flat(rows).filter((c) => c === colour).length;
const coloured = (numbers: number[]): number[] => numbers.filter((c) => c !== 0);
const sameShape = (a: Rows, b: Rows): boolean =>
  a.length === b.length && a[0]!.length === b[0]!.length;
const transposed = (rows: Rows): Rows => rows[0]!.map((_, x) => rows.map((row) => row[x]!));
const mirrored = (rows: Rows): Rows => rows.map((row) => row.toReversed());
/** The rows seen from all four sides. */
const sides = (rows: Rows): Rows[] => [
  rows,
  rows.toReversed(),
  transposed(rows),
  transposed(mirrored(rows)),
];

interface Cell {
  readonly y: number;
  readonly x: number;
  readonly from: number;
  readonly to: number;
}

function cells(input: Rows, output: Rows): Cell[] {
  return input.flatMap((row, y) => row.map((from, x) => ({ y, x, from, to: output[y]![x]! })));
}

/** The cells that differ, all of the same new colour; `undefined` where they are of several. */
function painted(input: Rows, output: Rows): Cell[] | undefined {
  if (!sameShape(input, output)) return undefined;
  const changed = cells(input, output).filter(({ from, to }) => from !== to);
  return new Set(changed.map(({ to }) => to)).size === 1 ? changed : undefined;
}

/** How many steps away, straight or diagonal, the nearest of `others` is. */
function distance({ y, x }: Cell, others: readonly Cell[]): number {
  return Math.min(...others.map((o) => Math.max(Math.abs(o.y - y), Math.abs(o.x - x))));
}

/** The sizes and cells of objects, grown by repeated merging. */
function objects(rows: Rows): Cell[][] {
  let groups = cells(rows, rows).filter(({ from }) => from !== 0).map((cell) => [cell]);
  for (const cell of groups.flat()) {
    const touches = (group: Cell[]): boolean =>
      group[0]!.from === cell.from && distance(cell, group) <= 1;
    groups = [groups.filter(touches).flat(), ...groups.filter((group) => !touches(group))];
  }
  return groups.filter((group) => group.length > 0);
}

/** The one object that has more, or fewer, cells than all others. */
function extremes(rows: Rows): Cell[][] {
  const bySize = objects(rows).sort((a, b) => a.length - b.length);
  const [smallest, largest] = [bySize[0]!, bySize.at(-1)!];
  return [
    ...(smallest.length < bySize[1]!.length ? [smallest] : []),
    ...(largest.length > bySize.at(-2)!.length ? [largest] : []),
  ];
}

/** Whether each row holds the same colours in the same order, all at the left end. */
function isPiledLeft(input: Rows, output: Rows): boolean {
  return input.every((row, y) => {
    const pile = coloured(row);
    return equal(output[y], [...pile, ...range(row.length - pile.length).map(() => 0)]);
  });
}

/** Which background cells no path of background cells leads out of. */
function enclosed(rows: Rows): boolean[] {
  const last = { y: rows.length - 1, x: rows[0]!.length - 1 };
  const outside = rows.map((row, y) =>
    row.map((c, x) => c === 0 && (y === 0 || x === 0 || y === last.y || x === last.x))
  );
  for (let changed = true; changed;) {
    changed = false;
    for (const { y, x, from } of cells(rows, rows)) {
      const near = outside[y - 1]?.[x] || outside[y + 1]?.[x] || outside[y]![x - 1] ||
        outside[y]![x + 1];
      if (from !== 0 || outside[y]![x] || !near) continue;
      outside[y]![x] = changed = true;
    }
  }
  return cells(rows, rows).map(({ y, x, from }) => from === 0 && !outside[y]![x]);
}

const laws: Record<ArcMiniFamilyName, Law> = {
  recolour: (input, output) => {
    const changed = painted(input, output);
    const from = new Set(changed?.map(({ from }) => from));
    return from.size === 1 && !flat(output).some((c) => from.has(c));
  },
  swap: (input, output) => {
    const pairs = cells(input, output).filter(({ from, to }) => from !== to);
    const [a, b] = sorted([...new Set(pairs.flatMap(({ from, to }) => [from, to]))]);
    return count(input, a!) === count(output, b!) && count(input, b!) === count(output, a!) &&
      count(input, a!) + count(input, b!) === pairs.length;
  },
  commonest: (input, output) => {
    const [colour, ...others] = new Set(flat(output));
    const counts = sorted([...new Set(coloured(flat(input)))].map((c) => count(input, c)));
    const own = count(input, colour!);
    return others.length === 0 && sameShape(input, output) &&
      (own < counts[1]! || own > counts.at(-2)!);
  },
  reflect: (input, output) =>
    [
      mirrored(input),
      input.toReversed(),
      transposed(input),
      transposed(mirrored(input).toReversed()),
    ].some((rows) => equal(rows, output)),
  rotate: (input, output) =>
    [
      transposed(input.toReversed()),
      mirrored(input).toReversed(),
      transposed(input).toReversed(),
    ].some((rows) => equal(rows, output)),
  tile: (input, output) => {
    const [rows, columns] = [input.length, input[0]!.length];
    const isTiled = (of: (y: number, x: number) => number): boolean =>
      output.every((row, y) => row.every((c, x) => c === of(y, x)));
    const fold = (at: number, n: number): number => at % (2 * n) < n ? at % n : n - 1 - at % n;
    return output.length % rows === 0 && output[0]!.length % columns === 0 &&
      (isTiled((y, x) => input[y % rows]![x % columns]!) ||
        isTiled((y, x) => input[fold(y, rows)]![fold(x, columns)]!));
  },
  enlarge: (input, output) => {
    const [down, across] = [output.length / input.length, output[0]!.length / input[0]!.length];
    return Number.isInteger(down) && Number.isInteger(across) &&
      output.every((row, y) =>
        row.every((c, x) => c === input[Math.floor(y / down)]![Math.floor(x / across)])
      );
  },
  symmetrise: (input, output) =>
    sameShape(input, output) &&
    cells(input, output).every(({ from, to }) => from === 0 || from === to) &&
    sorted([...new Set(flat(output))]).every((c) => c === 0 || flat(input).includes(c)) &&
    [mirrored(output), output.toReversed(), transposed(output)]
      .some((image) => equal(image, output)),
  gravity: (input, output) => {
    const from = [input, mirrored(input), transposed(input), mirrored(transposed(input))];
    const to = [output, mirrored(output), transposed(output), mirrored(transposed(output))];
    return from.some((rows, i) => isPiledLeft(rows, to[i]!));
  },
  extend: (input, output) => {
    const from = sides(input), to = sides(output);
    return from.some((rows, i) =>
      to[i]!.every((row, y) =>
        row.every((c, x) => c === (rows.slice(0, y + 1).findLast((r) => r[x] !== 0)?.[x] ?? 0))
      )
    );
  },
  shift: (input, output) => {
    const [h, w] = [input.length, input[0]!.length];
    return range(5).some((dy) =>
      range(5).some((dx) =>
        cells(input, input).every(({ y, x, from }) =>
          output[(y + dy - 2 + h) % h]![(x + dx - 2 + w) % w] === from
        )
      )
    );
  },
  outline: (input, output) => {
    const changed = painted(input, output);
    if (changed === undefined || changed.some(({ from }) => from !== 0)) return false;
    const old = cells(input, output).filter(({ from }) => from !== 0);
    const beside = ({ y, x }: Cell): boolean =>
      old.some((o) => Math.abs(o.y - y) + Math.abs(o.x - x) === 1);
    const blank = cells(input, output).filter(({ from }) => from === 0);
    const all = blank.filter((cell) => distance(cell, old) === 1);
    return [all, all.filter(beside)].some((want) => equal(want, changed));
  },
  fill: (input, output) => {
    const inside = enclosed(input);
    return painted(input, output) !== undefined &&
      cells(input, output).every(({ from, to }, i) => inside[i] ? to !== 0 : to === from);
  },
  crop: (input, output) => {
    const [h, w] = [output.length, output[0]!.length];
    const edges = [output[0]!, output.at(-1)!, transposed(output)[0]!, transposed(output).at(-1)!];
    return range(input.length - h + 1).some((top) =>
      range(input[0]!.length - w + 1).some((left) =>
        equal(input.slice(top, top + h).map((row) => row.slice(left, left + w)), output)
      )
    ) && coloured(output[0]!).some((c) =>
      count(output, c) === count(input, c) && edges.every((edge) =>
        edge.includes(c)
      )
    );
  },
  largest: (input, output) => {
    const changed = painted(input, output);
    const key = ({ y, x }: Cell): string => `${y} ${x}`;
    return changed !== undefined &&
      extremes(input).some((object) => equal(object.map(key).sort(), changed.map(key).sort()));
  },
  extract: (input, output) =>
    extremes(input).some((object) => {
      const top = Math.min(...object.map(({ y }) => y));
      const left = Math.min(...object.map(({ x }) => x));
      return coloured(flat(output)).length === object.length &&
        object.every(({ y, x, from }) => output[y - top]?.[x - left] === from) &&
        coloured(output[0]!).length > 0 && coloured(output.at(-1)!).length > 0 &&
        output.some((row) => row.at(-1) !== 0);
    }),
  denoise: (input, output) => {
    const old = cells(input, output).filter(({ from }) => from !== 0);
    const lone = old.filter((cell) =>
      !old.some((other) => other !== cell && distance(cell, [other]) === 1)
    );
    const changed = painted(input, output);
    return equal(changed, lone.filter(({ from, to }) => from !== to)) &&
      lone.every(({ to }) => to === lone[0]!.to);
  },
  connect: (input, output) => {
    const between = ({ y, x }: Cell): boolean =>
      [input[y]!, transposed(input)[x]!].some((line, i) => {
        const at = i === 0 ? x : y;
        const before = line.slice(0, at).findLast((c) => c !== 0);
        return before !== undefined && before === line.slice(at + 1).find((c) => c !== 0);
      });
    return sameShape(input, output) &&
      cells(input, output).every((cell) =>
        cell.from !== 0 ? cell.from === cell.to : (cell.to !== 0) === between(cell)
      );
  },
  frame: (input, output) =>
    sameShape(input, output) && new Set(
        [output[0]!, output.at(-1)!, transposed(output)[0]!, transposed(output).at(-1)!].flat(),
      ).size === 1 &&
    cells(input, output).every(({ y, x, from, to }) =>
      from === to || y === 0 || x === 0 || y === input.length - 1 || x === input[0]!.length - 1
    ),
  countBar: (input, output) => {
    const [colour, ...others] = new Set(flat(output));
    return others.length === 0 && (output.length === 1 || output[0]!.length === 1) &&
      flat(output).length === count(input, colour!);
  },
  sortBars: (input, output) => {
    const from = sides(input), to = sides(output);
    const bars = (rows: Rows): string[] => transposed(rows).map((bar) => coloured(bar).join());
    return from.some((rows, i) => {
      const lengths = bars(to[i]!).map((bar) => bar.length);
      const stand = transposed(to[i]!).every((bar) => /^0*[1-9]*$/.test(bar.join("")));
      return stand && equal(bars(rows).sort(), bars(to[i]!).sort()) &&
        [sorted(lengths), sorted(lengths).reverse()].some((want) => equal(want, lengths));
    });
  },
  combine: (input, output) => {
    const beside = (rows: Rows, made: Rows): boolean => {
      const half = made[0]!.length;
      if (rows.length !== made.length || rows[0]!.length !== 2 * half + 1) return false;
      const table = new Map<string, Set<number>>();
      made.forEach((row, y) =>
        row.forEach((to, x) => {
          const key = `${rows[y]![x] !== 0} ${rows[y]![x + half + 1] !== 0}`;
          table.set(key, (table.get(key) ?? new Set()).add(to));
        })
      );
      return new Set(coloured(flat(made))).size === 1 &&
        [...table.values()].every((values) => values.size === 1);
    };
    return beside(input, output) || beside(transposed(input), transposed(output));
  },
};

/** Whether a family's concept leads from one grid to the other; written apart from its rules. */
export function keepsLaw(family: ArcMiniFamilyName, input: ArcGrid, output: ArcGrid): boolean {
  return laws[family](arcRows(input), arcRows(output));
}
