import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  broadcastShapes,
  contiguousStrides,
  formatShape,
  matmulShape,
  normalizeAxes,
  normalizeAxis,
  reducedShape,
  resolveReshape,
  sameShape,
  type Shape,
  sizeOf,
  viewStrides,
} from "../../core/shape.ts";
import { Random } from "../../core/random.ts";

/** Where each element lies, row by row. */
function places(shape: Shape, strides: Shape): number[] {
  let list = [0];
  shape.forEach((n, axis) => {
    list = list.flatMap((at) => Array.from({ length: n }, (_, i) => at + i * strides[axis]!));
  });
  return list;
}

/** Whether some strides read the elements at `list` as `shape`: only the first step of each axis decides. */
function bruteStrides(list: readonly number[], shape: Shape): number[] | null {
  const steps = contiguousStrides(shape);
  const strides = shape.map((n, axis) => n === 1 ? 1 : list[steps[axis]!]! - list[0]!);
  const read = places(shape, strides).map((at) => at + list[0]!);
  return read.every((at, i) => at === list[i]) ? strides : null;
}

function randomShape(random: Random, axes: number, most: number): number[] {
  return Array.from({ length: axes }, () => random.below(most + 1));
}

/** A shape of as many elements. */
function regrouped(random: Random, size: number): number[] {
  const shape: number[] = [];
  for (let left = size; left > 1 || random.below(3) === 0;) {
    const divisors = Array.from({ length: left }, (_, i) => i + 1).filter((d) => left % d === 0);
    const n = divisors[random.below(divisors.length)]!;
    shape.push(n);
    left /= n;
  }
  return shape;
}

Deno.test("viewStrides() equals brute force on random shapes, orders, gaps and repeats", () => {
  const random = new Random(3);
  let views = 0, copies = 0;
  for (let run = 0; run < 4000; run++) {
    const base = randomShape(random, random.below(5), 4).map((n) => Math.max(1, n));
    const order = base.map((_, i) => i);
    for (let i = order.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    const memory = contiguousStrides(base.map((n) => n + (random.below(4) === 0 ? 1 : 0)));
    const shape = order.map((axis) => base[axis]!);
    const strides = order.map((axis) => random.below(8) === 0 ? 0 : memory[axis]!);
    const wanted = regrouped(random, sizeOf(shape));
    const list = places(shape, strides);
    const want = bruteStrides(list, wanted), got = viewStrides(shape, strides, wanted);
    const what = `${formatShape(shape)} by ${formatShape(strides)} as ${formatShape(wanted)}`;
    if (got === null) {
      assertEquals(want, null, what);
      copies++;
    } else {
      assertEquals(places(wanted, got), list, what);
      views++;
    }
  }
  assert(views > 1000 && copies > 300, `${views} views and ${copies} copies`);
});

Deno.test("viewStrides() of no elements is always a view", () => {
  assertEquals(viewStrides([2, 0, 3], [7, 1, 9], [0, 5]), [5, 1]);
});

Deno.test("contiguousStrides() steps row by row, past empty axes too", () => {
  assertEquals(contiguousStrides([]), []);
  assertEquals(contiguousStrides([2, 3, 4]), [12, 4, 1]);
  assertEquals(contiguousStrides([2, 0, 4]), [4, 4, 1]);
});

Deno.test("broadcastShapes() aligns from the back, and names both shapes and the axis", () => {
  assertEquals(broadcastShapes([2, 1, 3], [4, 1], "add"), [2, 4, 3]);
  assertEquals(broadcastShapes([], [2], "add"), [2]);
  assertEquals(broadcastShapes([0], [1], "add"), [0]);
  assertEquals(broadcastShapes([1], [0], "add"), [0]);
  assertThrows(
    () => broadcastShapes([2, 3], [4, 3], "add"),
    TypeError,
    "Cannot add [2, 3] with [4, 3]: sizes 2 and 4 of axis -2 must be equal or 1",
  );
  assertThrows(() => broadcastShapes([0], [2], "add"), TypeError, "sizes 0 and 2 of axis -1");
});

Deno.test("normalizeAxis() counts from either end and refuses what is outside", () => {
  assertEquals([normalizeAxis(0, 3, "sum"), normalizeAxis(-1, 3, "sum")], [0, 2]);
  for (const axis of [3, -4, 0.5, NaN]) {
    assertThrows(() => normalizeAxis(axis, 3, "sum"), RangeError, `Cannot sum axis ${axis}`);
  }
  assertThrows(() => normalizeAxis(0, 0, "sum"), RangeError, "with 0 axes");
});

Deno.test("normalizeAxes() takes one, several or all, each once", () => {
  assertEquals(normalizeAxes(undefined, 3, "sum"), [0, 1, 2]);
  assertEquals(normalizeAxes(-1, 3, "sum"), [2]);
  assertEquals(normalizeAxes([2, -3], 3, "sum"), [2, 0]);
  assertThrows(() => normalizeAxes([1, -2], 3, "sum"), RangeError, "named twice");
});

Deno.test("reducedShape() drops axes or leaves them at 1", () => {
  assertEquals(reducedShape([2, 3, 4], [0, 2], false), [3]);
  assertEquals(reducedShape([2, 3, 4], [0, 2], true), [1, 3, 1]);
});

Deno.test("resolveReshape() fills in one -1, and says why shapes do not fit", () => {
  assertEquals(resolveReshape([2, 6], [3, -1]), [3, 4]);
  assertEquals(resolveReshape([0, 2], [-1, 2]), [0, 2]);
  assertEquals(resolveReshape([], [1, -1]), [1, 1]);
  assertThrows(
    () => resolveReshape([2, 3], [4]),
    TypeError,
    "Cannot reshape [2, 3] to [4]: 6 elements",
  );
  assertThrows(() => resolveReshape([2, 3], [-1, -1]), TypeError, "only one size may be -1");
  assertThrows(() => resolveReshape([2, 3], [-1, 4]), TypeError, "do not fit");
  assertThrows(() => resolveReshape([0], [0, -1]), TypeError, "do not fit");
  assertThrows(() => resolveReshape([6], [-2, -3]), TypeError, "do not fit");
  assertThrows(() => resolveReshape([6], [1.5, 4]), TypeError, "do not fit");
});

Deno.test("matmulShape() broadcasts batches, and names the sizes that differ", () => {
  assertEquals(matmulShape([5, 1, 2, 3], [4, 3, 6]), [5, 4, 2, 6]);
  assertThrows(
    () => matmulShape([3, 4], [5, 6]),
    TypeError,
    "Cannot matmul [3, 4] with [5, 6]: inner sizes 4 and 5 must be equal",
  );
  assertThrows(() => matmulShape([3], [3, 1]), TypeError, "both need at least two axes");
  assertThrows(() => matmulShape([2, 1, 1], [3, 1, 1]), TypeError, "matmul batches [2] with [3]");
});

Deno.test("sameShape() and sizeOf() know numbers and empty axes", () => {
  assertEquals([sizeOf([]), sizeOf([2, 0]), sizeOf([2, 3])], [1, 0, 6]);
  assertEquals([sameShape([], []), sameShape([1], [1, 1]), sameShape([2], [3])], [
    true,
    false,
    false,
  ]);
});
