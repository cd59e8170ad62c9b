import { assert, assertEquals, assertThrows } from "@std/assert";
import { op, rules } from "../../core/autograd.ts";
import {
  arange,
  fromTypedArray,
  grad,
  isFloating,
  liveTensors,
  noGrad,
  scope,
  tensor,
  type Tensor,
  zeros,
} from "../../mod.ts";
import { Random } from "../../core/random.ts";
import { assertClose } from "../close.ts";
import { type Argument, type Sample, samples } from "./op_samples.ts";

/** Kernels of libtorch that only the gradients of other operations call. */
const gradientKernels = [
  "sigmoidVjp",
  "tanhVjp",
  "siluVjp",
  "geluVjp",
  "embeddingVjp",
  "softmaxVjp",
  "logSoftmaxVjp",
];

/** Operations whose results are steps, truth values or places. */
const notDifferentiable: Readonly<Record<string, (a: Tensor) => Tensor>> = {
  eq: (a) => a.eq(1),
  ne: (a) => a.ne(a),
  lt: (a) => a.lt(0.5),
  le: (a) => a.le(0.5),
  gt: (a) => a.gt(0.5),
  ge: (a) => a.ge(0.5),
  logicalAnd: (a) => a.logicalAnd(a),
  logicalOr: (a) => a.logicalOr(a),
  logicalNot: (a) => a.logicalNot(),
  isFinite: (a) => a.isFinite(),
  sign: (a) => a.sign(),
  all: (a) => a.all(0),
  any: (a) => a.any(0),
  argmax: (a) => a.argmax(0),
};

/** Operations that have a gradient but no sample. */
function unsampled(): string[] {
  return [...rules].flatMap(([name, { vjp }]) => vjp !== null && !(name in samples) ? [name] : []);
}

Deno.test("rules: every operation that has a gradient has a sample of it", () => {
  assertEquals(unsampled(), []);
});

Deno.test("rules: an operation without a sample is found by its name", () => {
  op("madeUp", { forward: ([a]) => (a as Tensor).handle.retain(), vjp: (dy) => [dy] });
  try {
    assertEquals(unsampled(), ["madeUp"]);
    assertThrows(() => op("madeUp", { forward: () => 0 as never, vjp: null }), Error, "madeUp");
  } finally {
    rules.delete("madeUp");
  }
});

Deno.test("rules: every operation without a gradient is known as such", () => {
  const without = [...rules].flatMap(([name, { vjp }]) => vjp === null ? [name] : []);
  assertEquals(without.sort(), [...gradientKernels, ...Object.keys(notDifferentiable)].sort());
  assertEquals(Object.keys(samples).filter((name) => !rules.has(name)), []);
});

for (const [name, call] of Object.entries(notDifferentiable)) {
  Deno.test(`${name}() is off the tape and leaves nothing behind`, () => {
    using _ = scope();
    const a = tensor([[1, -1], [0, 2]]).requireGrad();
    const before = liveTensors();
    const y = call(a);
    assertEquals(y.requiresGrad, false);
    assertEquals(y.name, name);
    y.dispose();
    assertEquals(liveTensors(), before);
  });
}

// How an argument lies in memory.

const layouts = ["rows", "transposed", "sliced", "expanded"] as const;
type Layout = typeof layouts[number];

/** The argument's elements in this layout: along an expanded axis they are all the same. */
function elements(argument: Argument, layout: Layout, random: Random): number[] {
  const { shape } = argument;
  const count = shape.reduce((product, n) => product * n, 1);
  const values = argument.values(random, count);
  if (layout !== "expanded" || shape.length === 0) return values;
  return values.map((_, i) => values[i % (count / shape[0]!)]!);
}

function lay({ shape, dtype }: Argument, values: readonly number[], layout: Layout): Tensor {
  const plain = fromTypedArray(Float64Array.from(values), shape, { dtype });
  switch (layout) {
    case "rows":
      return plain;
    case "transposed": {
      const back = shape.map((_, i) => shape.length - 1 - i);
      return plain.permute(back).contiguous().permute(back);
    }
    case "sliced": {
      let view = zeros(shape.length === 0 ? [3] : shape.map((n) => n + 2), { dtype });
      if (shape.length === 0) view = view.select(0, 1);
      shape.forEach((n, axis) => view = view.slice(axis, 1, n + 1));
      return view.copy_(plain);
    }
    case "expanded":
      return shape.length === 0 || shape[0] === 0
        ? plain
        : plain.slice(0, 0, 1).contiguous().expand(shape);
  }
}

function isUsable(sample: Sample, layout: Layout): boolean {
  if (layout === "expanded") return sample.distinct !== true;
  return layout !== "transposed" || sample.x.some(({ shape }) => shape.length > 1);
}

// Finite differences.

/** The gradients of `Σ y c` by every element, from `(f(x + h) − f(x − h)) / 2h`. */
function differences(
  { x, call, step = 1e-5 }: Sample,
  values: readonly number[][],
  c: readonly number[],
): number[][] {
  const loss = (at: readonly number[][]): number => {
    using _ = scope();
    const y = call(...x.map((argument, i) => lay(argument, at[i]!, "rows"))).toNumbers();
    return y.reduce((sum, value, i) => sum + value * c[i]!, 0);
  };
  const moved = (j: number, i: number, by: number) =>
    loss(values.map((list, k) => k === j ? list.with(i, list[i]! + by) : list));
  return values.map((list, j) =>
    isFloating(x[j]!.dtype)
      ? list.map((_, i) => (moved(j, i, step) - moved(j, i, -step)) / (2 * step))
      : []
  );
}

/** Compares the gradients of one call with finite differences, and counts what it leaves. */
function checkSample(name: string, sample: Sample, layout: Layout): void {
  using _ = scope();
  const random = new Random(7);
  const values = sample.x.map((argument) => elements(argument, layout, random));
  const x = sample.x.map((argument, i) => lay(argument, values[i]!, layout));
  const places = x.flatMap((t, i) => isFloating(t.dtype) ? [i] : []);

  using y0 = noGrad(() => sample.call(...x));
  assertEquals(y0.name, name);
  assertEquals(y0.requiresGrad, false);
  const c = Array.from({ length: y0.size }, () => 0.5 + random.uniform());
  const cotangent = fromTypedArray(Float64Array.from(c), y0.shape, { dtype: y0.dtype });
  const want = differences(sample, values, c);

  // All arguments at once, then each alone, so that the others are skipped.
  for (const wanted of [places, ...places.length > 1 ? places.map((i) => [i]) : []]) {
    const before = liveTensors();
    const leaves = x.map((t, i) => wanted.includes(i) ? t.detach().requireGrad() : t);
    {
      using inner = scope();
      const y = sample.call(...leaves);
      assert(y.requiresGrad);
      const gradients = grad(y.mul(cotangent).sum(), wanted.map((i) => leaves[i]!));
      wanted.forEach((i, k) => {
        const expected = { shape: x[i]!.shape, values: want[i]! };
        assertEquals(gradients[k]!.dtype, x[i]!.dtype);
        assertClose(gradients[k]!, expected, { rtol: 1e-6, atol: 1e-6 }, `gradient ${i} ${layout}`);
      });
      assert(inner.size > 0);
    }
    for (const i of wanted) leaves[i]!.dispose();
    assertEquals(liveTensors(), before, "tensors left after the scope");
  }
}

/** The call itself may leave only its result, not wait for the scope to end. */
function checkLeavesNothing(sample: Sample): void {
  using _ = scope();
  const random = new Random(8);
  const x = sample.x.map((a) => lay(a, elements(a, "rows", random), "rows"));
  for (const t of x) if (isFloating(t.dtype)) t.requireGrad();
  const warm = sample.call(...x); // makes constants of its own: they count
  const made = liveTensors();
  warm.dispose();
  const before = liveTensors();
  const y = sample.call(...x);
  y.dispose();
  assertEquals(liveTensors() - before, made >= before ? liveTensors() - before : 0);
}

for (const [name, list] of Object.entries(samples)) {
  Deno.test(`${name}() has the gradient of finite differences`, () => {
    for (const sample of list) {
      for (const layout of layouts) {
        if (!isUsable(sample, layout)) continue;
        try {
          checkSample(name, sample, layout);
        } catch (error) {
          throw new Error(`${name} ${sample.what}, ${layout}: ${(error as Error).message}`, { cause: error });
        }
      }
    }
  });
}
