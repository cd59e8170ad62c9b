import { assertEquals, assertThrows } from "@std/assert";
import { op, rules } from "../../core/autograd.ts";
import {
  arange,
  fromTypedArray,
  grad,
  liveTensors,
  scope,
  type Tensor,
  tensor,
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
  const slope = (j: number, i: number) => (moved(j, i, step) - moved(j, i, -step)) / (2 * step);
  return values.map((list, j) => x[j]!.varies ? list.map((_, i) => slope(j, i)) : []);
}

/** Compares the gradients of one call with finite differences, and counts what it leaves. */
function checkGradients(name: string, sample: Sample, layout: Layout): void {
  using _ = scope();
  const random = new Random(7);
  const values = sample.x.map((argument) => elements(argument, layout, random));
  const x = sample.x.map((argument, i) => lay(argument, values[i]!, layout));
  const y = sample.call(...x);
  assertEquals(y.name, name);
  assertEquals(y.requiresGrad, false);
  const c = Array.from({ length: y.size }, () => 0.5 + random.uniform());
  const cotangent = fromTypedArray(Float64Array.from(c), y.shape, { dtype: y.dtype });
  const want = differences(sample, values, c);

  // By all arguments at once, then by each alone, so that the others need no gradient.
  const all = x.flatMap((_, i) => sample.x[i]!.varies ? [i] : []);
  for (const wanted of all.length === 1 ? [all] : [all, ...all.map((i) => [i])]) {
    const before = liveTensors();
    {
      using _ = scope();
      const leaves = x.map((t, i) => wanted.includes(i) ? t.detach().requireGrad() : t);
      const loss = sample.call(...leaves).mul(cotangent).sum();
      const gradients = grad(loss, wanted.map((i) => leaves[i]!));
      for (const [k, i] of wanted.entries()) {
        const expected = { shape: x[i]!.shape, values: want[i]! };
        assertEquals(gradients[k]!.dtype, x[i]!.dtype);
        assertClose(gradients[k]!, expected, { rtol: 1e-6, atol: 1e-6 }, `argument ${i}`);
      }
    }
    assertEquals(liveTensors(), before, "tensors are left after the scope");
  }
}

/** A call may leave nothing but its result, and the result's tape nothing once it is freed. */
function checkRemains(sample: Sample): void {
  using _ = scope();
  const random = new Random(8);
  const x = sample.x.map((argument) => lay(argument, elements(argument, "rows", random), "rows"));
  const before = liveTensors();
  sample.call(...x).dispose();
  assertEquals(liveTensors(), before, "tensors are left of a call");
  for (const [i, t] of x.entries()) if (sample.x[i]!.varies) t.requireGrad();
  sample.call(...x).dispose();
  assertEquals(liveTensors(), before, "tensors are left of a recorded call");
}

for (const [name, list] of Object.entries(samples)) {
  Deno.test(`${name}() has the gradient of finite differences and leaves nothing behind`, () => {
    for (const sample of list) {
      for (const layout of layouts) {
        if (!isUsable(sample, layout)) continue;
        try {
          checkGradients(name, sample, layout);
          checkRemains(sample);
        } catch (cause) {
          const { message } = cause as Error;
          throw new Error(`${name} ${sample.what}, ${layout}: ${message}`, { cause });
        }
      }
    }
  });
}

// Conventions where finite differences say nothing.

/** The gradient of the sum of `call`'s result at `values`. */
function slopes(values: readonly number[], call: (a: Tensor) => Tensor): number[] {
  using _ = scope();
  const a = tensor(values, { dtype: "float64" }).requireGrad();
  return grad(call(a).sum(), [a])[0]!.toNumbers();
}

Deno.test("abs(), relu() and sign() have gradient 0 at 0", () => {
  assertEquals(slopes([-2, 0, 2], (a) => a.abs()), [-1, 0, 1]);
  assertEquals(slopes([-2, 0, 2], (a) => a.relu()), [0, 0, 1]);
});

Deno.test("maximum() and minimum() share the gradient of a tie", () => {
  assertEquals(slopes([1, 2, 3], (a) => a.maximum(2)), [0, 0.5, 1]);
  assertEquals(slopes([1, 2, 3], (a) => a.minimum(2)), [1, 0.5, 0]);
});

Deno.test("max() and min() share the gradient among all that attain it", () => {
  assertEquals(slopes([3, 1, 3, 1], (a) => a.max()), [0.5, 0, 0.5, 0]);
  assertEquals(slopes([3, 1, 3, 1], (a) => a.min(0)), [0, 0.5, 0, 0.5]);
});

Deno.test("clamp() passes the gradient at its bounds", () => {
  assertEquals(slopes([-1, 0, 1, 2], (a) => a.clamp({ min: 0, max: 1 })), [0, 1, 1, 0]);
});

Deno.test("pow() has gradient 0 at exponent 0, and 2 a at exponent 2, at 0 too", () => {
  assertEquals(slopes([0, 3], (a) => a.pow(0)), [0, 0]);
  assertEquals(slopes([0, 3], (a) => a.pow(2)), [0, 6]);
});

Deno.test("to() passes no gradient through integers", () => {
  using _ = scope();
  const a = tensor([1.5, 2.5]).requireGrad();
  assertEquals(a.to("int64").requiresGrad, false);
  assertEquals(a.to("bool").to("float32").requiresGrad, false);
  assertEquals(a.to("bfloat16").requiresGrad, true);
});

Deno.test("grad() comes back in each argument's own dtype", () => {
  using _ = scope();
  const a = tensor([1, 2]).requireGrad();
  const b = tensor([3, 4], { dtype: "float64" }).requireGrad();
  const n = arange(2);
  const gradients = grad(a.mul(b).add(n).sub(n).sum(), [a, b]);
  assertEquals(gradients.map(({ dtype }) => dtype), ["float32", "float64"]);
  assertEquals(gradients.map((g) => g.toNumbers()), [[3, 4], [1, 2]]);
});
