/**
 * Calls every operation with random shapes, dtypes, layouts and options, most of
 * which do not fit. `fuzz_test.ts` runs this in a process of its own.
 *
 * @module
 */
import { rules } from "../../core/autograd.ts";
import { keptAs } from "../../core/ops/elementwise.ts";
import {
  addRmsNorm,
  bceWithLogits,
  cat,
  crossEntropy,
  type DType,
  dtypes,
  embedding,
  full,
  isFloating,
  layerNorm,
  linear,
  liveTensors,
  Random,
  rmsNorm,
  rotaryTables,
  scope,
  selfAttention,
  stablemaxCrossEntropy,
  stack,
  swiglu,
  Tensor,
  tensor,
  TorchError,
  zeros,
} from "../../mod.ts";

/** What the calls came to. */
export interface Report {
  readonly calls: number;
  /** Calls that returned. */
  readonly results: number;
  /** Calls that our own checks refused. */
  readonly refused: number;
  /** Calls that libtorch refused, by operation and message. */
  readonly reached: Readonly<Record<string, number>>;
  /** Errors of other kinds, by operation and message. */
  readonly strange: readonly string[];
  /** Operations with a gradient or without that no call is made of. */
  readonly forgotten: readonly string[];
  /** Operations that never returned a result. */
  readonly never: readonly string[];
  /** Tensors left at the end. */
  readonly left: number;
}

/** Random arguments. */
class Source {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  chance(share: number): boolean {
    return this.#random.uniform() < share;
  }

  /** An integer from `low` to `high`. */
  int(low: number, high: number): number {
    return low + this.#random.below(high - low + 1);
  }

  of<T>(list: readonly T[]): T {
    return list[this.#random.below(list.length)]!;
  }

  dtype(): DType {
    return this.chance(0.6) ? this.of(["float32", "float64"]) : this.of(dtypes);
  }

  shape(): number[] {
    return Array.from({ length: this.int(0, 4) }, () => this.int(0, 5));
  }

  /** An axis that is there, or sometimes one that is not. */
  axis(x: Tensor): number {
    const rank = x.shape.length;
    return this.chance(0.9) && rank > 0
      ? this.int(-rank, rank - 1)
      : this.of([-6, -1, 0, 5, 0.5, NaN]);
  }

  axes(x: Tensor): number[] | number | undefined {
    if (this.chance(0.3)) return undefined;
    if (this.chance(0.4)) return this.axis(x);
    return x.shape.flatMap((_, i) => this.chance(0.5) ? [this.chance(0.9) ? i : this.axis(x)] : []);
  }

  number(): number {
    return this.of([0, 1, -1, 2, 0.5, -3.7, 1e-9, 1e30, 1e300, 2 ** 40, Infinity, -Infinity, NaN]);
  }

  /** Any tensor in any layout. */
  tensor(shape: readonly number[] = this.shape(), dtype: DType = this.dtype()): Tensor {
    const large = this.chance(0.1);
    const values = () => {
      if (dtype === "bool" || dtype === "uint8") return this.int(0, 1);
      return isFloating(dtype) && !large ? this.int(-20, 20) / 8 : this.int(-3, 6);
    };
    const make = (shape: readonly number[]) => {
      const size = shape.reduce((product, n) => product * n, 1);
      return tensor(Array.from({ length: size }, values), { dtype }).reshape(shape);
    };
    const layout = this.int(0, 9);
    if (layout === 0) {
      const back = shape.map((_, i) => shape.length - 1 - i);
      return make([...shape].reverse()).permute(back);
    }
    if (layout === 1) {
      let view = make(shape.map((n) => n + 1));
      shape.forEach((n, axis) => view = view.slice(axis, 1, n + 1));
      return view;
    }
    if (layout === 2) return make(shape.map((n, i) => i === 0 ? 1 : n)).expand(shape);
    return make(shape);
  }

  /** A tensor that may fit beside `x`: of its shape, one that broadcasts, or any. */
  beside(x: Tensor): Tensor {
    const dtype = this.chance(0.8) ? x.dtype : this.dtype();
    const { shape } = x;
    if (this.chance(0.4)) return this.tensor(shape, dtype);
    if (this.chance(0.6)) {
      return this.tensor(
        shape.slice(this.int(0, shape.length)).map((n) => this.chance(0.3) ? 1 : n),
        dtype,
      );
    }
    return this.tensor(undefined, dtype);
  }

  /** Places below `bound`, sometimes beyond it, rarely of another dtype. */
  places(shape: readonly number[], bound: number): Tensor {
    const dtype = this.chance(0.9)
      ? this.of(["int64", "int64", "int64", "int32"] as const)
      : this.dtype();
    const most = this.chance(0.97) ? Math.max(0, bound - 1) : bound + 1;
    const size = shape.reduce((product, n) => product * n, 1);
    const values = Array.from({ length: size }, () => this.int(0, most));
    return tensor(values, { dtype }).reshape(shape);
  }

  /** A shape with at most so many in each axis, and of the same rank most times. */
  within(shape: readonly number[]): number[] {
    return this.chance(0.9) ? shape.map((n) => this.int(0, n)) : this.shape();
  }
}

type Call = (r: Source, x: Tensor) => unknown;

const binary = (name: "add" | "sub" | "mul" | "div" | "maximum" | "minimum"): Call => (r, x) =>
  x[name](r.chance(0.2) ? r.number() : r.beside(x));
const comparison = (name: "eq" | "ne" | "lt" | "le" | "gt" | "ge"): Call => (r, x) =>
  x[name](r.chance(0.2) ? r.number() : r.beside(x));
const unary = (name: keyof Tensor): Call => (_, x) => (x[name] as () => unknown).call(x);
const reduction = (name: "sum" | "mean" | "max" | "min"): Call => (r, x) =>
  x[name](r.axes(x), { keepDims: r.chance(0.5) });

/** One call of each operation; names of `rules`, and of what is no rule after them. */
const calls: Readonly<Record<string, Call>> = {
  add: binary("add"),
  sub: binary("sub"),
  mul: binary("mul"),
  div: binary("div"),
  maximum: binary("maximum"),
  minimum: binary("minimum"),
  addScalar: (r, x) => x.add(r.number()),
  mulScalar: (r, x) => x.mul(r.number()),
  pow: (r, x) => x.pow(r.number()),
  where: (r, x) =>
    r.tensor(r.beside(x).shape, r.chance(0.9) ? "bool" : r.dtype()).where(x, r.beside(x)),
  clamp: (r, x) => x.clamp({ min: r.number(), ...r.chance(0.5) ? { max: r.number() } : {} }),
  atan2: (r, x) => x.atan2(r.beside(x)),
  ...Object.fromEntries(
    ([
      ...["neg", "abs", "exp", "log", "log1p", "sqrt", "rsqrt", "square", "sin", "cos", "tanh"],
      ...["sigmoid", "silu", "relu", "gelu", "sign", "clone", "logicalNot", "isFinite"],
    ] as (keyof Tensor)[]).map((name) => [name, unary(name)]),
  ),
  eq: comparison("eq"),
  ne: comparison("ne"),
  lt: comparison("lt"),
  le: comparison("le"),
  gt: comparison("gt"),
  ge: comparison("ge"),
  logicalAnd: (r, x) => x.logicalAnd(r.beside(x)),
  logicalOr: (r, x) => x.logicalOr(r.beside(x)),
  to: (r, x) => x.to(r.of([...dtypes, "cpu", "int8" as DType])),

  embedding: (r, x) => embedding(x, r.places(r.shape(), x.shape[0] ?? 1)),
  gather: (r, x) => {
    const axis = r.axis(x);
    return x.gather(axis, r.places(r.within(x.shape), x.shape.at(axis) ?? 1));
  },
  indexSelect: (r, x) => {
    const axis = r.axis(x);
    const shape = r.chance(0.9) ? [r.int(0, 4)] : r.shape();
    return x.indexSelect(axis, r.places(shape, x.shape.at(axis) ?? 1));
  },
  scatterAdd: (r, x) => {
    const axis = r.axis(x), shape = r.within(x.shape);
    const source = r.chance(0.8) ? r.tensor(shape, x.dtype) : r.beside(x);
    return x.scatterAdd(axis, r.places(shape, x.shape.at(axis) ?? 1), source);
  },

  matmul: (r, x) => {
    const rows = x.shape.at(-1) ?? 1;
    const fitting = r.tensor([...x.shape.slice(0, -2), rows, r.int(0, 4)], x.dtype);
    return x.matmul(r.chance(0.6) ? fitting : r.beside(x));
  },
  linear: (r, x) => {
    const out = r.int(0, 4);
    const weight = r.chance(0.8) ? r.tensor([out, x.shape.at(-1) ?? 0], x.dtype) : r.beside(x);
    const bias = r.chance(0.8) ? r.tensor([out], x.dtype) : r.beside(x);
    return linear(r.chance(0.5) ? [x, weight] : [x, weight, bias]);
  },

  keptAs: (r, x) => keptAs([x], r.of(["float32", "bfloat16", "int64"])),
  reshape: (r, x) =>
    x.reshape(r.chance(0.5) ? [...x.shape, 1].reverse() : [r.int(-2, 6), r.int(-1, 6)]),
  permute: (r, x) =>
    x.permute(r.chance(0.7) ? x.shape.map((_, i) => -1 - i) : [r.axis(x), r.axis(x)]),
  expand: (r, x) => x.expand(r.chance(0.7) ? [r.int(-1, 3), ...x.shape] : r.shape()),
  slice: (r, x) => x.slice(r.axis(x), r.int(-6, 5), r.chance(0.5) ? undefined : r.int(-6, 6)),
  pad: (r, x) => x.pad(r.axis(x), [r.int(-1, 2), r.int(0, 2)], r.number()),
  cat: (r, x) =>
    cat(r.chance(0.9) ? [x, ...r.chance(0.5) ? [r.beside(x), x] : [x]] : [], r.axis(x)),
  flip: (r, x) => x.flip(r.axes(x) ?? []),

  sum: reduction("sum"),
  mean: reduction("mean"),
  max: reduction("max"),
  min: reduction("min"),
  all: (r, x) => x.all(r.axis(x), { keepDims: r.chance(0.5) }),
  any: (r, x) => x.any(r.axis(x), { keepDims: r.chance(0.5) }),
  argmax: (r, x) => x.argmax(r.axis(x), { keepDims: r.chance(0.5) }),
  cumsum: (r, x) => x.cumsum(r.axis(x)),

  softmax: (r, x) => x.softmax(r.axis(x)),
  logSoftmax: (r, x) => x.logSoftmax(r.axis(x)),
  rmsNorm: (r, x) => rmsNorm([x], { eps: r.number() }),
  addRmsNorm: (r, x) => addRmsNorm([x, r.beside(x)], { eps: r.number() }),
  layerNorm: (r, x) => {
    const width = x.shape.slice(-1);
    const part = () => r.chance(0.8) ? r.tensor(width, x.dtype) : r.beside(x);
    return layerNorm([x, part(), part()], { eps: r.number() });
  },
  selfAttention: (r, x) => {
    const heads = r.of([1, 2, 3, 0, 0.5]), d = r.int(0, 4), length = r.int(0, 3);
    const fitting = r.tensor([r.int(0, 2), length, 3 * heads * d], r.of(["float32", "bfloat16"]));
    const qkv = r.chance(0.7) && Number.isInteger(heads) ? fitting : x;
    const rotary = r.chance(0.5) ? rotaryTables(length, d) : null;
    return selfAttention([qkv], { heads, rotary: r.chance(0.9) ? rotary : { cos: x, sin: x } });
  },
  swiglu: (r, x) => {
    const inner = r.int(0, 3), width = x.shape.at(-1) ?? 1;
    const first = r.chance(0.8) ? r.tensor([2 * inner, width], x.dtype) : r.beside(x);
    return swiglu([x, first, r.chance(0.8) ? r.tensor([2, inner], x.dtype) : r.beside(x)]);
  },
  bceWithLogits: (r, x) => bceWithLogits([x, r.beside(x)]),

  // No rules of their own.
  crossEntropy: (r, x) => crossEntropy(x, r.places(x.shape.slice(0, -1), x.shape.at(-1) ?? 1)),
  stablemaxCrossEntropy: (r, x) =>
    stablemaxCrossEntropy(x, r.places(x.shape.slice(0, -1), x.shape.at(-1) ?? 1)),
  stack: (r, x) => stack([x, r.beside(x)], r.axis(x)),
  transpose: (r, x) => x.transpose(r.axis(x), r.axis(x)),
  unsqueeze: (r, x) => x.unsqueeze(r.axis(x)),
  squeeze: (r, x) => x.squeeze(r.axis(x)),
  select: (r, x) => x.select(r.axis(x), r.int(-6, 5)),
  split: (r, x) => x.split(r.int(0, 3), r.axis(x)),
  item: (_, x) => x.item(),
  text: (_, x) => String(x),
  full: (r) => full(r.chance(0.9) ? r.shape() : [-1], r.number(), { dtype: r.dtype() }),
  zeros: (r) => zeros(r.of([[2 ** 31, 2 ** 31], [-1], [0.5], r.chance(0.1) ? [2 ** 50] : [NaN]])),
  fill_: (r, x) => x.fill_(r.number()),
  copy_: (r, x) => x.copy_(r.beside(x)),
  mul_: (r, x) => x.mul_(r.beside(x)),
  div_: (r, x) => x.div_(r.beside(x)),
  lerp_: (r, x) => x.lerp_(r.beside(x), r.beside(x)),
  addcmul_: (r, x) => x.addcmul_(r.beside(x), r.beside(x), r.number()),
  sqrt_: (_, x) => x.sqrt_(),
  sign_: (_, x) => x.sign_(),
  atan2_: (r, x) => x.atan2_(r.beside(x)),
  indexCopy_: (r, x) => {
    const axis = r.axis(x), n = r.int(0, 3), at = axis < 0 ? axis + x.shape.length : axis;
    const source = r.tensor(
      x.shape.map((m, i) => i === at ? n : m),
      r.chance(0.9) ? x.dtype : r.dtype(),
    );
    return x.indexCopy_(axis, r.places([n], x.shape[at] ?? 1), source);
  },
  freed: (r, x) => {
    x.dispose();
    return calls[r.of(Object.keys(calls).filter((name) => name !== "freed"))]!(r, x);
  },
};

/** Kernels that only the gradients call: they are reached by going back. */
const gradientKernel = /Vjp$/;

/** One call, and a way back through it where there is one. */
function attempt(r: Source, call: Call): void {
  using _ = scope();
  const x = r.tensor();
  const recorded = isFloating(x.dtype) && r.chance(0.4);
  if (recorded) x.requireGrad();
  const y = call(r, x);
  for (const part of Array.isArray(y) ? y : [y]) {
    if (!(part instanceof Tensor)) continue;
    part.toBytes();
    if (part.node?.record) part.sum().backward();
  }
}

/** Makes `count` calls, the same ones for the same seed. */
export function fuzz(seed: number, count: number): Report {
  const r = new Source(seed);
  const names = Object.keys(calls);
  const start = liveTensors();
  const returned = new Set<string>();
  const reached: Record<string, number> = {}, strange = new Set<string>();
  let results = 0, refused = 0;
  for (let i = 0; i < count; i++) {
    const name = names[i % names.length]!;
    try {
      attempt(r, calls[name]!);
      results++;
      returned.add(name);
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof TorchError) {
        const key = `${name}: ${message}`;
        reached[key] = (reached[key] ?? 0) + 1;
      } else if (message.startsWith("Cannot ") && isExpected(error)) refused++;
      else strange.add(`${name}: ${error}`);
    }
  }
  return {
    calls: count,
    results,
    refused,
    reached,
    strange: [...strange],
    forgotten: [...rules.keys()].filter((name) => !(name in calls) && !gradientKernel.test(name)),
    never: names.filter((name) => !returned.has(name) && !["zeros", "freed"].includes(name)),
    left: liveTensors() - start,
  };
}

function isExpected(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError ||
    error instanceof ReferenceError;
}
