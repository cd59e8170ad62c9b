/**
 * Elementwise operations, broadcasting.
 *
 * @module
 */
import type { Handle } from "../../ffi/handle.ts";
import { copyInto, direct, type KernelDevice } from "../../ffi/kernels.ts";
import { openDevice } from "../../ffi/library.ts";
import { aten } from "../../ffi/operators.ts";
import { type Context, noGrad, type Op, op, wrap } from "../autograd.ts";
import { scalar } from "../create.ts";
import { bytesOf, type DType, isFloating } from "../dtype.ts";
import { elementOf } from "../elements.ts";
import { keptAs as keptCopy } from "../kept.ts";
import { tidy } from "../scope.ts";
import { broadcastShapes } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

type Unary = readonly [Tensor];
type Binary = readonly [a: Tensor, b: Tensor];

/** The kind of device on which an operation over `x` runs. */
export function kernelDevice(x: readonly Tensor[]): KernelDevice {
  for (const { device } of x) if (device !== "cpu") return device === "meta" ? "meta" : "cuda";
  return "cpu";
}

function broadcasting(what: string): (x: Binary) => void {
  return ([a, b]) => {
    broadcastShapes(a.shape, b.shape, what);
  };
}

function requireFloating(what: string): (x: readonly Tensor[]) => void {
  return (x) => {
    for (const { dtype } of x) {
      if (!isFloating(dtype)) {
        throw new TypeError(`Cannot ${what} ${dtype}: convert to a float first`);
      }
    }
  };
}

function requireNumeric(what: string, x: readonly Tensor[]): void {
  for (const { dtype } of x) {
    if (dtype === "bool") throw new TypeError(`Cannot ${what} bool: use logical operations`);
  }
}

const bothFloating = ([a, b]: Binary): boolean => isFloating(a.dtype) && isFloating(b.dtype);

/** What operations compute off the tape, as a handle; what they make besides is freed. */
function composed(body: () => Tensor): Handle {
  return noGrad(() => tidy(body)).take();
}

/** A sum of integers: the direct kernel takes its factor as a double, which integers refuse. */
function addIntegers(a: Tensor, b: Tensor): Tensor {
  const shape = broadcastShapes(a.shape, b.shape, "add");
  const stacked = [a, b].map((t) => t.expand(shape).reshape([1, ...shape]).handle);
  const joined = wrap(aten.cat(stacked, 0), "cat"); // of their common dtype
  return wrap(aten.sum(joined.handle, [0], false, joined.dtypeCode), "add");
}

/** `a − b` likewise; uint8 knows no negative numbers. */
function subIntegers(a: Tensor, b: Tensor): Tensor {
  return addIntegers(a, (b.dtype === "uint8" ? b.to(a.dtype) : b).neg());
}

/** `a + b`. */
export const add: Op<Binary> = op("add", {
  check: (x) => {
    requireNumeric("add", x);
    broadcasting("add")(x);
  },
  forward: (x) =>
    bothFloating(x)
      ? direct.add(kernelDevice(x), x[0].handle, x[1].handle, 1)
      : composed(() => addIntegers(...x)),
  vjp: (dy) => [dy, dy],
});

/** `a − b`. */
export const sub: Op<Binary> = op("sub", {
  check: (x) => {
    requireNumeric("sub", x);
    broadcasting("sub")(x);
  },
  forward: (x) =>
    bothFloating(x)
      ? direct.add(kernelDevice(x), x[0].handle, x[1].handle, -1)
      : composed(() => subIntegers(...x)),
  vjp: (dy, { needs }) => [dy, needs[1] ? dy.neg() : null],
});

/** `a · b`. */
export const mul: Op<Binary> = op("mul", {
  check: broadcasting("mul"),
  forward: (x) => direct.mul(kernelDevice(x), x[0].handle, x[1].handle),
  keeps: "x",
  // d(ab) = b da + a db
  vjp: (dy, { x: [a, b], needs }) => [needs[0] ? dy.mul(b) : null, needs[1] ? dy.mul(a) : null],
});

/** `a / b`. */
export const div: Op<Binary> = op("div", {
  check: (x) => {
    requireNumeric("div", x);
    broadcasting("div")(x);
  },
  forward: ([a, b]) => aten.div(a.handle, b.handle),
  keeps: "xy",
  // d(a/b) = da / b − (a/b) db / b
  vjp: (dy, { x: [, b], y, needs }) => {
    const da = dy.div(b);
    return [da, needs[1] ? da.mul(y).neg() : null];
  },
});

/** `a + c` for a number `c`. */
export const addScalar: Op<Unary, number> = op("addScalar", {
  check: (x) => requireNumeric("add", x),
  forward: ([a], c) => {
    if (isFloating(a.dtype)) return direct.addScalar(kernelDevice([a]), a.handle, c);
    return composed(() => addIntegers(a, scalar(c, a)));
  },
  vjp: (dy) => [dy],
});

/** `a · c` for a number `c`. */
export const mulScalar: Op<Unary, number> = op("mulScalar", {
  check: (x) => requireNumeric("mul", x),
  forward: ([a], c) => {
    if (isFloating(a.dtype)) return direct.mulScalar(kernelDevice([a]), a.handle, c);
    using number = scalar(c, { dtype: a.dtype });
    return aten.mul(a.handle, number.handle);
  },
  vjp: (dy, { options: c }) => [dy.mul(c)],
});

/** `aⁿ` for a number `n`. */
export const pow: Op<Unary, number> = op<Unary, number>("pow", {
  check: requireFloating("pow"),
  forward: ([a], n) => {
    const exponent = Number.isFinite(elementOf(n, a.dtype)) ? n : elementOf(n, a.dtype);
    return direct.powScalar(kernelDevice([a]), a.handle, exponent); // it refuses an overflow
  },
  keeps: "x",
  // d(aⁿ) = n aⁿ⁻¹ da
  vjp: (dy, { x: [a], options: n }) => [n === 0 ? dy.mul(0) : dy.mul(a.pow(n - 1).mul(n))],
});

/** The larger of `a` and `b`. */
export const maximum: Op<Binary> = op("maximum", {
  check: broadcasting("maximum"),
  forward: ([a, b]) => aten.maximum(a.handle, b.handle),
  keeps: "x",
  vjp: (
    dy,
    { x: [a, b] },
  ) => [dy.mul(share(a.gt(b), a.eq(b), dy)), dy.mul(share(b.gt(a), a.eq(b), dy))],
});

/** The smaller of `a` and `b`. */
export const minimum: Op<Binary> = op("minimum", {
  check: broadcasting("minimum"),
  forward: ([a, b]) => aten.minimum(a.handle, b.handle),
  keeps: "x",
  vjp: (
    dy,
    { x: [a, b] },
  ) => [dy.mul(share(a.lt(b), a.eq(b), dy)), dy.mul(share(b.lt(a), a.eq(b), dy))],
});

/** 1 where one side wins, ½ where both are equal. */
function share(wins: Tensor, ties: Tensor, { dtype }: Tensor): Tensor {
  return wins.to(dtype).add(ties.to(dtype).mul(0.5));
}

/** `a` where `condition` holds, else `b`. */
export const where: Op<readonly [condition: Tensor, a: Tensor, b: Tensor]> = op("where", {
  check: ([condition, a, b]) => {
    if (condition.dtype !== "bool") {
      throw new TypeError(`Cannot choose by a condition of ${condition.dtype}: expected bool`);
    }
    broadcastShapes(condition.shape, broadcastShapes(a.shape, b.shape, "where"), "where");
  },
  forward: ([condition, a, b]) => aten.where(condition.handle, a.handle, b.handle),
  keeps: "x",
  vjp: (dy, { x: [condition], needs }) => {
    const zero = scalar(0, { dtype: dy.dtype, device: dy.device });
    return [
      null,
      needs[1] ? where([condition, dy, zero]) : null,
      needs[2] ? where([condition, zero, dy]) : null,
    ];
  },
});

/** Bounds of {@link clamp}; either may be absent. */
export interface ClampOptions {
  /** The least value. */
  readonly min?: number;
  /** The largest value. */
  readonly max?: number;
}

/** `a`, kept between two numbers. */
export const clamp: Op<Unary, ClampOptions> = op<Unary, ClampOptions>("clamp", {
  composed: true,
  check: requireFloating("clamp"),
  forward: ([a], { min, max }) => {
    let y = a.mul(1);
    if (min !== undefined) y = y.maximum(scalar(min, a));
    if (max !== undefined) y = y.minimum(scalar(max, a));
    return y;
  },
  keeps: "x",
  // The gradient passes where the value was within its bounds.
  vjp: (dy, { x: [a], options: { min = -Infinity, max = Infinity } }) => [
    dy.mul(a.ge(min).logicalAnd(a.le(max)).to(dy.dtype)),
  ],
});

function unary(
  name: string,
  forward: (x: Handle) => Handle,
  keeps: "x" | "y",
  derivative: (dy: Tensor, kept: Tensor) => Tensor,
): Op<Unary> {
  return op<Unary>(name, {
    check: requireFloating(name),
    forward: ([a]) => forward(a.handle),
    keeps,
    vjp: (dy: Tensor, { x, y }: Context<Unary, void>) => [derivative(dy, keeps === "x" ? x[0] : y)],
  });
}

/** A tensor of a libtorch gradient kernel, owned by whoever is inside. */
function kernelVjp(
  name: string,
  kernel: (dy: Handle, kept: Handle) => Handle,
): Op<readonly [dy: Tensor, kept: Tensor]> {
  return op(name, { forward: ([dy, kept]) => kernel(dy.handle, kept.handle), vjp: null });
}

const sigmoidVjp = kernelVjp("sigmoidVjp", aten.sigmoidBackward);
const tanhVjp = kernelVjp("tanhVjp", aten.tanhBackward);
const siluVjp = kernelVjp("siluVjp", aten.siluBackward);
const geluVjp = kernelVjp("geluVjp", (dy, a) => aten.geluBackward(dy, a, "none"));

/** `−a`. */
export const neg: Op<Unary> = op("neg", {
  check: (x) => requireNumeric("neg", x),
  forward: ([a]) => aten.neg(a.handle),
  vjp: (dy) => [dy.neg()],
});
/** `|a|`. */
export const abs: Op<Unary> = unary("abs", aten.abs, "x", (dy, a) => dy.mul(a.sign()));
/** `eᵃ`. */
export const exp: Op<Unary> = unary("exp", aten.exp, "y", (dy, y) => dy.mul(y));
/** `ln a`. */
export const log: Op<Unary> = unary("log", aten.log, "x", (dy, a) => dy.div(a));
/** `ln(1 + a)`. */
export const log1p: Op<Unary> = unary("log1p", aten.log1p, "x", (dy, a) => dy.div(a.add(1)));
/** `√a`. */
export const sqrt: Op<Unary> = unary("sqrt", aten.sqrt, "y", (dy, y) => dy.div(y.mul(2)));
/** `1 / √a`; its derivative is `−½ y³`. */
export const rsqrt: Op<Unary> = unary(
  "rsqrt",
  aten.rsqrt,
  "y",
  (dy, y) => dy.mul(y.pow(3).mul(-0.5)),
);
/** `a²`. */
export const square: Op<Unary> = unary("square", aten.square, "x", (dy, a) => dy.mul(a.mul(2)));
/** `sin a`. */
export const sin: Op<Unary> = unary("sin", aten.sin, "x", (dy, a) => dy.mul(a.cos()));
/** `cos a`. */
export const cos: Op<Unary> = unary("cos", aten.cos, "x", (dy, a) => dy.mul(a.sin().neg()));
/** `tanh a`. */
export const tanh: Op<Unary> = unary("tanh", aten.tanh, "y", (dy, y) => tanhVjp([dy, y]));
/** `σ(a) = 1 / (1 + e⁻ᵃ)`. */
export const sigmoid: Op<Unary> = unary(
  "sigmoid",
  aten.sigmoid,
  "y",
  (dy, y) => sigmoidVjp([dy, y]),
);
/** `a · σ(a)`. */
export const silu: Op<Unary> = unary("silu", aten.silu, "x", (dy, a) => siluVjp([dy, a]));
/** `max(a, 0)`. */
export const relu: Op<Unary> = unary(
  "relu",
  aten.relu,
  "y",
  (dy, y) => dy.mul(y.gt(0).to(dy.dtype)),
);
/** `a · Φ(a)`, with the exact normal distribution. */
export const gelu: Op<Unary> = unary(
  "gelu",
  (a) => aten.gelu(a, "none"),
  "x",
  (dy, a) => geluVjp([dy, a]),
);

/** `−1`, `0` or `1`; without a gradient. */
export const sign: Op<Unary> = op("sign", { forward: ([a]) => aten.sign(a.handle), vjp: null });

/** The angle of the point `(b, a)`, `atan(a / b)` with the quadrant; 0 at the origin. */
export const atan2: Op<Binary> = op("atan2", {
  check: (x) => {
    requireFloating("atan2")(x);
    broadcasting("atan2")(x);
  },
  forward: ([a, b]) => aten.atan2(a.handle, b.handle),
  keeps: "x",
  // d atan2(a, b) = (b da − a db) / (a² + b²)
  vjp: (dy, { x: [a, b] }) => {
    const scale = dy.div(a.square().add(b.square()));
    return [scale.mul(b), scale.mul(a).neg()];
  },
});

/** A conversion. */
export interface ConvertOptions {
  /** The number of the new dtype, or null for the same. */
  readonly dtype: number | null;
  /** The numbers of the new device, or null for the same. */
  readonly device: { readonly type: number; readonly index: number } | null;
}

/** `c10::DeviceType::CUDA`. */
const CUDA = 1;

/** Bytes up to which memory is pinned for a transfer: libtorch keeps what it pinned. */
const MOST_PINNED = 1 << 26;

/**
 * A copy on a GPU. From memory that is pinned it is only queued, so that nothing waits for what
 * the GPU has yet to do; libtorch frees that memory once it has arrived.
 */
function sentToCuda(a: Tensor, dtype: number | null, device: ConvertOptions["device"]): Handle {
  if (a.size * bytesOf(a.dtype) > MOST_PINNED) {
    return aten.toCopy(a.handle, dtype, null, device, null, false, null);
  }
  const pinned = aten.pinMemory(a.handle, null);
  try {
    return aten.toCopy(pinned, dtype, null, device, null, true, null);
  } finally {
    pinned.release();
  }
}

/** A copy of another dtype or on another device; the engine converts the gradient back. */
export const convert: Op<Unary, ConvertOptions> = op("to", {
  forward: ([a], { dtype, device }) => {
    if (device !== null) openDevice(device.type);
    if (device?.type === CUDA && a.device === "cpu") return sentToCuda(a, dtype, device);
    return aten.toCopy(a.handle, dtype, null, device, null, false, null);
  },
  vjp: (dy) => [dy],
});

/** The same as another dtype, by a copy that is kept until the elements change: for weights. */
export const keptAs: Op<Unary, DType> = op("keptAs", {
  forward: ([a], dtype) => keptCopy(a, dtype),
  vjp: (dy) => [dy],
});

/** A copy of its own memory, stored row by row. */
export const clone: Op<Unary> = op("clone", {
  forward: ([a]) => {
    const target = a.emptyLike();
    copyInto(target.handle, a.handle);
    return target.take();
  },
  vjp: (dy) => [dy],
});
