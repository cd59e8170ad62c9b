/**
 * Calls of every operation that has a gradient, away from kinks. `ops_test.ts`
 * compares each with finite differences, in every layout of memory.
 *
 * @module
 */
import type { DType } from "../../core/dtype.ts";
import type { Random } from "../../core/random.ts";
import {
  addRmsNorm,
  bceWithLogits,
  cat,
  embedding,
  layerNorm,
  linear,
  rmsNorm,
  selfAttention,
  type Shape,
  swiglu,
  type Tensor,
  tidy,
} from "../../core/mod.ts";
import { keptAs } from "../../core/ops/elementwise.ts";

/** An argument of a call. */
export interface Argument {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Whether it is differentiated; it is float64 then. */
  readonly varies: boolean;
  /** Its elements, row by row. */
  readonly values: (random: Random, count: number) => number[];
}

/** One call of an operation. */
export interface Sample {
  readonly what: string;
  readonly x: readonly Argument[];
  readonly call: (...x: Tensor[]) => Tensor;
  /** The step of the finite difference; default 1e-5. */
  readonly step?: number;
  /** Whether elements must differ, so that no argument may be an expanded view. */
  readonly distinct?: boolean;
}

// Arguments.

/** Anywhere in a range. */
function real(shape: Shape, low = -2, high = 2): Argument {
  const values = (random: Random, count: number) =>
    Array.from({ length: count }, () => low + (high - low) * random.uniform());
  return { shape, dtype: "float64", varies: true, values };
}

/** Distinct multiples of ¼ plus an offset, in random order: off the kinks at multiples of ¼. */
function spaced(shape: Shape, offset = 0.1): Argument {
  const values = (random: Random, count: number) => {
    const grid = Array.from({ length: count }, (_, i) => (i - count / 2) * 0.25 + offset);
    return shuffled(grid, random);
  };
  return { shape, dtype: "float64", varies: true, values };
}

function shuffled(values: number[], random: Random): number[] {
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  return values;
}

/** Held fixed: a place, a condition, an angle. */
function fixed(shape: Shape, values: number[], dtype: DType): Argument {
  return { shape, dtype, varies: false, values: () => values };
}

/** Rotary angles of three positions and two pairs of dimensions. */
function angles(of: (angle: number) => number): Argument {
  const values = [0, 1, 2].flatMap((p) => [p, p / 100, p, p / 100].map(of));
  return fixed([3, 4], values, "float64");
}

/** What dropout multiplies by: 0 for about a third, else 1.5. */
function factors(shape: Shape): Argument {
  const values = (random: Random, count: number) =>
    Array.from({ length: count }, () => random.below(3) === 0 ? 0 : 1.5);
  return { shape, dtype: "float64", varies: false, values };
}

const positive = (shape: Shape): Argument => real(shape, 0.3, 3);

// Families.

/** Every rank that matters, and no elements at all. */
function unary(call: (a: Tensor) => Tensor, argument: (shape: Shape) => Argument = real): Sample[] {
  return [[2, 3], [], [4], [0, 2], [2, 1, 3]].map((shape) => ({
    what: `of [${shape}]`,
    x: [argument(shape)],
    call,
  }));
}

/** Every way to broadcast. */
function binary(
  call: (a: Tensor, b: Tensor) => Tensor,
  left: (shape: Shape) => Argument = real,
  right: (shape: Shape) => Argument = left,
): Sample[] {
  const pairs: [Shape, Shape][] = [
    [[2, 3], [2, 3]],
    [[2, 3], [3]],
    [[2, 1], [1, 3]],
    [[2, 3], []],
    [[], [2, 2]],
    [[], []],
    [[1, 3], [4, 1, 1]],
    [[0, 3], [1]],
  ];
  return pairs.map(([a, b]) => ({ what: `of [${a}] and [${b}]`, x: [left(a), right(b)], call }));
}

/** Each way to reduce. */
function reduction(
  name: "sum" | "mean" | "max" | "min",
  argument: (shape: Shape) => Argument = real,
): Sample[] {
  const distinct = name === "max" || name === "min";
  const sample = (what: string, shape: Shape, call: (a: Tensor) => Tensor) => ({
    what,
    x: [argument(shape)],
    call,
    distinct,
  });
  return [
    sample("of all axes", [2, 3], (a) => a[name]()),
    sample("of a number", [], (a) => a[name]()),
    sample("of the first axis", [2, 3], (a) => a[name](0)),
    sample("of the last axis, kept", [2, 3], (a) => a[name](-1, { keepDims: true })),
    sample("of two of three axes", [2, 3, 2], (a) => a[name]([0, 2])),
    sample("of an axis beside an empty one", [0, 3], (a) => a[name](1)),
  ];
}

/** Along either axis. */
function along(call: (a: Tensor, axis: number) => Tensor): Sample[] {
  return [
    { what: "along the last axis", x: [real([2, 4])], call: (a) => call(a, -1) },
    { what: "along the first axis", x: [real([3, 2])], call: (a) => call(a, 0) },
    { what: "along the middle axis", x: [real([2, 3, 2])], call: (a) => call(a, 1) },
    { what: "along an empty axis", x: [real([2, 0])], call: (a) => call(a, 1) },
  ];
}

/** Samples of each operation, by its name in `rules`. */
export const samples: Readonly<Record<string, readonly Sample[]>> = {
  // Elementwise.
  add: binary((a, b) => a.add(b)),
  sub: binary((a, b) => a.sub(b)),
  mul: binary((a, b) => a.mul(b)),
  div: binary((a, b) => a.div(b), real, positive),
  maximum: binary((a, b) => a.maximum(b), spaced, (shape) => spaced(shape, 0.2)),
  minimum: binary((a, b) => a.minimum(b), spaced, (shape) => spaced(shape, 0.2)),
  atan2: binary((a, b) => a.atan2(b), spaced, positive),
  addScalar: unary((a) => a.add(1.5)),
  mulScalar: unary((a) => a.mul(-2.5)),
  pow: [3, 2, 1, 0, -1, 0.5].map((n) => ({
    what: `to the power ${n}`,
    x: [positive([2, 3])],
    call: (a) => a.pow(n),
  })),
  where: [
    {
      what: "broadcasting all three",
      x: [fixed([2, 3], [1, 0, 1, 0, 0, 1], "bool"), real([3]), real([2, 1])],
      call: (c, a, b) => c.where(a, b),
    },
    {
      what: "of numbers",
      x: [fixed([], [1], "bool"), real([]), real([])],
      call: (c, a, b) => c.where(a, b),
    },
  ],
  clamp: [
    { what: "on both sides", x: [spaced([3, 4])], call: (a) => a.clamp({ min: -0.5, max: 0.5 }) },
    { what: "from below", x: [spaced([3, 4])], call: (a) => a.clamp({ min: 0 }) },
    { what: "from above", x: [spaced([5])], call: (a) => a.clamp({ max: 0.25 }) },
    { what: "not at all", x: [spaced([])], call: (a) => a.clamp({}) },
  ],
  neg: unary((a) => a.neg()),
  abs: unary((a) => a.abs(), spaced),
  exp: unary((a) => a.exp()),
  log: unary((a) => a.log(), positive),
  log1p: unary((a) => a.log1p(), positive),
  sqrt: unary((a) => a.sqrt(), positive),
  rsqrt: unary((a) => a.rsqrt(), positive),
  square: unary((a) => a.square()),
  sin: unary((a) => a.sin()),
  cos: unary((a) => a.cos()),
  tanh: unary((a) => a.tanh()),
  sigmoid: unary((a) => a.sigmoid()),
  silu: unary((a) => a.silu()),
  relu: unary((a) => a.relu(), spaced),
  gelu: unary((a) => a.gelu()),
  clone: unary((a) => a.clone()),
  to: [{
    what: "another dtype, in steps that it represents",
    x: [spaced([2, 3], 0)],
    call: (a) => a.to("float32"),
    step: 0.25,
  }],
  keptAs: [{
    what: "another dtype, in steps that it represents",
    x: [spaced([2, 3], 0)],
    call: (a) => tidy(() => keptAs([a.clone()], "float32")), // the copy goes with the tensor
    step: 0.25,
  }],

  // Indexing.
  embedding: [
    {
      what: "with repeated rows",
      x: [real([4, 3]), fixed([2, 2], [1, 3, 3, 0], "int64")],
      call: embedding,
    },
    { what: "by int32", x: [real([3, 2]), fixed([3], [2, 2, 0], "int32")], call: embedding },
    { what: "by one number", x: [real([3, 2]), fixed([], [1], "int64")], call: embedding },
    { what: "by none", x: [real([3, 2]), fixed([0], [], "int64")], call: embedding },
  ],
  gather: [
    {
      what: "along the last axis",
      x: [real([2, 3]), fixed([2, 2], [0, 0, 2, 1], "int64")],
      call: (a, index) => a.gather(-1, index),
    },
    {
      what: "along the first axis, of fewer columns",
      x: [real([2, 3]), fixed([3, 2], [0, 1, 1, 1, 0, 0], "int64")],
      call: (a, index) => a.gather(0, index),
    },
  ],
  indexSelect: [
    {
      what: "along the last axis, with repeats",
      x: [real([2, 3]), fixed([4], [2, 0, 2, 1], "int64")],
      call: (a, index) => a.indexSelect(1, index),
    },
    {
      what: "along the first axis, by int32",
      x: [real([3, 2]), fixed([2], [1, 1], "int32")],
      call: (a, index) => a.indexSelect(0, index),
    },
  ],
  scatterAdd: [
    {
      what: "with repeats",
      x: [real([2, 3]), fixed([2, 2], [0, 0, 2, 1], "int64"), real([2, 2])],
      call: (a, index, source) => a.scatterAdd(1, index, source),
    },
    {
      what: "of a part of the source",
      x: [real([3, 2]), fixed([2, 1], [2, 2], "int64"), real([3, 2])],
      call: (a, index, source) => a.scatterAdd(0, index, source),
    },
  ],

  // Products.
  matmul: [
    { what: "of matrices", x: [real([2, 3]), real([3, 2])], call: (a, b) => a.matmul(b) },
    { what: "of batches", x: [real([2, 2, 3]), real([2, 3, 1])], call: (a, b) => a.matmul(b) },
    {
      what: "of batches that broadcast",
      x: [real([2, 1, 2, 2]), real([3, 2, 1])],
      call: (a, b) => a.matmul(b),
    },
    {
      what: "of a batch and a matrix",
      x: [real([2, 2, 3]), real([3, 2])],
      call: (a, b) => a.matmul(b),
    },
    { what: "over nothing", x: [real([2, 0]), real([0, 3])], call: (a, b) => a.matmul(b) },
  ],
  linear: [
    { what: "without a bias", x: [real([2, 3]), real([4, 3])], call: (x, w) => linear([x, w]) },
    {
      what: "with a bias",
      x: [real([2, 2, 3]), real([4, 3]), real([4])],
      call: (x, w, b) => linear([x, w, b]),
    },
    { what: "of one vector", x: [real([3]), real([2, 3])], call: (x, w) => linear([x, w]) },
    { what: "of no rows", x: [real([0, 3]), real([2, 3])], call: (x, w) => linear([x, w]) },
    {
      what: "of no features",
      x: [real([2, 0]), real([3, 0]), real([3])],
      call: (x, w, b) => linear([x, w, b]),
    },
  ],

  // Movement.
  reshape: [
    { what: "with an unknown size", x: [real([2, 6])], call: (a) => a.reshape([3, -1]) },
    { what: "of a number", x: [real([])], call: (a) => a.reshape([1, 1]) },
    { what: "into a number", x: [real([1])], call: (a) => a.reshape([]) },
    { what: "by unsqueeze", x: [real([2, 3])], call: (a) => a.unsqueeze(1) },
    { what: "by squeeze", x: [real([2, 1, 3])], call: (a) => a.squeeze(1) },
  ],
  permute: [
    { what: "of three axes", x: [real([2, 3, 2])], call: (a) => a.permute([2, 0, 1]) },
    { what: "by transpose", x: [real([2, 3])], call: (a) => a.transpose(0, -1) },
    { what: "of none", x: [real([])], call: (a) => a.permute([]) },
  ],
  expand: [
    { what: "of a size of 1", x: [real([2, 1])], call: (a) => a.expand([2, 3]) },
    { what: "with new axes", x: [real([1, 2])], call: (a) => a.expand([2, 3, 2]) },
    { what: "of a number", x: [real([])], call: (a) => a.expand([2, 2]) },
  ],
  slice: [
    { what: "of the middle", x: [real([2, 4])], call: (a) => a.slice(1, 1, 3) },
    { what: "to the end", x: [real([3, 2])], call: (a) => a.slice(0, -2) },
    { what: "of nothing", x: [real([3])], call: (a) => a.slice(0, 1, 1) },
  ],
  pad: [
    { what: "on both sides", x: [real([2, 2])], call: (a) => a.pad(1, [1, 2], 7) },
    { what: "in front", x: [real([2, 2])], call: (a) => a.pad(0, [1, 0]) },
  ],
  cat: [
    {
      what: "along the last axis",
      x: [real([2, 1]), real([2, 3]), real([2, 2])],
      call: (...x) => cat(x, -1),
    },
    { what: "along the first axis", x: [real([1, 2]), real([0, 2])], call: (...x) => cat(x) },
    { what: "of one", x: [real([2])], call: (...x) => cat(x) },
  ],
  flip: [
    { what: "of one axis", x: [real([2, 3])], call: (a) => a.flip(1) },
    { what: "of both", x: [real([2, 3])], call: (a) => a.flip([0, 1]) },
  ],

  // Reductions.
  sum: reduction("sum"),
  mean: reduction("mean"),
  max: reduction("max", spaced),
  min: reduction("min", spaced),
  cumsum: along((a, axis) => a.cumsum(axis)),

  // Softmax and norms.
  softmax: along((a, axis) => a.softmax(axis)),
  logSoftmax: along((a, axis) => a.logSoftmax(axis)),
  rmsNorm: [[2, 4], [3], [2, 2, 3], [0, 3]].map((shape) => ({
    what: `of [${shape}]`,
    x: [real(shape)],
    call: (a) => rmsNorm([a], { eps: 1e-3 }),
  })),
  addRmsNorm: [[2, 4], [3], [2, 2, 3]].map((shape) => ({
    what: `of [${shape}]`,
    x: [real(shape), real(shape)],
    call: (a, b) => addRmsNorm([a, b], { eps: 1e-3 }),
  })),
  layerNorm: [[2, 4], [3], [2, 2, 3]].map((shape) => ({
    what: `of [${shape}]`,
    x: [real(shape), real([shape.at(-1)!]), real([shape.at(-1)!])],
    call: (a, gain, bias) => layerNorm([a, gain, bias], { eps: 1e-3 }),
  })),

  // Layers as one operation.
  selfAttention: [
    {
      what: "with rotary positions",
      x: [real([2, 3, 24]), angles(Math.cos), angles(Math.sin)],
      call: (qkv, cos, sin) => selfAttention([qkv], { heads: 2, rotary: { cos, sin } }),
    },
    {
      what: "without positions",
      x: [real([1, 3, 9])],
      call: (qkv) => selfAttention([qkv], { heads: 1, rotary: null }),
    },
    {
      what: "with dropout",
      x: [real([2, 3, 12]), factors([4, 3, 3])],
      call: (qkv, keep) => selfAttention([qkv], { heads: 2, rotary: null, keep }),
    },
    {
      what: "with rotary positions and dropout",
      x: [real([1, 3, 24]), angles(Math.cos), angles(Math.sin), factors([2, 3, 3])],
      call: (qkv, cos, sin, keep) => selfAttention([qkv], { heads: 2, rotary: { cos, sin }, keep }),
    },
  ],
  swiglu: [
    {
      what: "of a batch",
      x: [real([2, 2, 3]), real([4, 3]), real([3, 2])],
      call: (...x) => swiglu(x as [Tensor, Tensor, Tensor]),
    },
    {
      what: "of one vector",
      x: [real([2]), real([6, 2]), real([2, 3])],
      call: (...x) => swiglu(x as [Tensor, Tensor, Tensor]),
    },
  ],
  bceWithLogits: [[2, 3], []].map((shape) => ({
    what: `of [${shape}]`,
    x: [spaced(shape), real(shape, 0, 1)],
    call: (...x) => bceWithLogits(x as [Tensor, Tensor]),
  })),
};
