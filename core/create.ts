/**
 * New tensors.
 *
 * @module
 */
import "./tensor.ts"; // which says how tensors are made
import { fill } from "../ffi/kernels.ts";
import { allocate, writeBytes } from "../ffi/memory.ts";
import { wrap } from "./autograd.ts";
import { type Device, deviceCodeOf } from "./device.ts";
import { bytesOf, codeOf, type DType, type NumericArray, requireDType } from "./dtype.ts";
import { elementOf, encodeElements } from "./elements.ts";
import type { Random } from "./random.ts";
import { contiguousStrides, formatShape, type Shape, sizeOf } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/** Of what kind a new tensor is. */
export interface TensorOptions {
  /** Element type; default `float32`. */
  readonly dtype?: DType;
  /** Where it lies; default the CPU. */
  readonly device?: Device;
}

function requireShape(shape: Shape): void {
  const counts = shape.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!counts || !Number.isSafeInteger(sizeOf(shape))) {
    throw new RangeError(`Cannot make a tensor of shape ${formatShape(shape)}`);
  }
}

/** A tensor whose elements are whatever was in memory. */
export function empty(shape: Shape, options: TensorOptions = {}): Tensor {
  const { dtype = "float32", device = "cpu" } = options;
  requireShape(shape);
  const handle = allocate(shape, contiguousStrides(shape), codeOf(dtype), deviceCodeOf(device));
  return wrap(handle, "empty");
}

/** A tensor filled with one number. */
export function full(shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  const element = elementOf(value, options.dtype ?? "float32");
  const tensor = empty(shape, options);
  fill(tensor.handle, element);
  return tensor.named("full");
}

/** A tensor of zeros. */
export function zeros(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 0, options);
}

/** A tensor of ones. */
export function ones(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 1, options);
}

/** A tensor without axes that holds one number. */
export function scalar(value: number, options: TensorOptions = {}): Tensor {
  return full([], value, options);
}

/**
 * A copy of a typed array. Its kind gives the dtype: `Float32Array` float32,
 * `Float64Array` float64, `BigInt64Array` int64, `Int32Array` int32, `Uint8Array`
 * uint8; any other dtype of `options` converts, exactly where it can.
 *
 * @throws {TypeError} when the number of elements is not that of the shape
 */
export function fromTypedArray(
  array: NumericArray,
  shape: Shape = [array.length],
  options: TensorOptions = {},
): Tensor {
  requireShape(shape);
  if (sizeOf(shape) !== array.length) {
    throw new TypeError(`Cannot shape ${array.length} elements as ${formatShape(shape)}`);
  }
  const { dtype, bytes } = encodeElements(array, options.dtype);
  return fromBytes(bytes, shape, { ...options, dtype });
}

/** A tensor of the given bytes, row by row, little-endian. */
export function fromBytes(bytes: Uint8Array, shape: Shape, options: TensorOptions = {}): Tensor {
  const { dtype = "float32", device = "cpu" } = options;
  requireShape(shape);
  requireDType(dtype);
  if (bytes.byteLength !== sizeOf(shape) * bytesOf(dtype)) {
    throw new TypeError(
      `Cannot read ${bytes.byteLength} bytes as ${dtype} ${formatShape(shape)}: ` +
        `expected ${sizeOf(shape) * bytesOf(dtype)}`,
    );
  }
  const host = empty(shape, { dtype });
  writeBytes(host.handle, bytes);
  if (device === "cpu") return host.named("tensor");
  const moved = host.to(device);
  host.dispose();
  return moved;
}

/** Numbers in nested arrays. */
export type Nested = number | readonly Nested[];

/**
 * A tensor of numbers in nested arrays, `tensor([[1, 2], [3, 4]])`.
 *
 * @throws {TypeError} when the rows differ in length
 */
export function tensor(values: Nested, options: TensorOptions = {}): Tensor {
  const shape = nestedShape(values);
  const flat: number[] = [];
  flatten(values, shape, 0, flat);
  const { dtype = "float32" } = options;
  return fromTypedArray(Float64Array.from(flat), shape, { ...options, dtype });
}

function nestedShape(values: Nested): number[] {
  const shape: number[] = [];
  for (let v = values; typeof v !== "number"; v = v[0] ?? 0) {
    shape.push(v.length);
    if (v.length === 0) break;
  }
  return shape;
}

function flatten(values: Nested, shape: Shape, axis: number, flat: number[]): void {
  if ((typeof values === "number") !== (axis === shape.length)) {
    throw new TypeError("Cannot make a tensor of rows that differ in depth");
  }
  if (typeof values === "number") {
    flat.push(values);
    return;
  }
  if (values.length !== shape[axis]) {
    throw new TypeError(
      `Cannot make a tensor of rows that differ: ${values.length} and ${shape[axis]} elements`,
    );
  }
  for (const value of values) flatten(value, shape, axis + 1, flat);
}

/** `start, start + step, …` up to but not including `end`, int64 unless another dtype is given. */
export function arange(
  end: number,
  options: TensorOptions & { readonly start?: number; readonly step?: number } = {},
): Tensor {
  const { start = 0, step = 1, dtype = "int64" } = options;
  if (step === 0 || !Number.isFinite(step)) throw new RangeError(`Cannot step by ${step}`);
  const count = Math.max(0, Math.ceil((end - start) / step));
  if (!Number.isFinite(count)) throw new RangeError(`Cannot count from ${start} to ${end}`);
  const values = Float64Array.from({ length: count }, (_, i) => start + i * step);
  return fromTypedArray(values, [count], { ...options, dtype });
}

/** Standard normal numbers from `random`. */
export function randn(shape: Shape, random: Random, options: TensorOptions = {}): Tensor {
  const values = Float64Array.from({ length: sizeOf(shape) }, () => random.normal());
  return fromTypedArray(values, shape, { dtype: "float32", ...options });
}

/** Uniform numbers in `[0, 1)` from `random`. */
export function rand(shape: Shape, random: Random, options: TensorOptions = {}): Tensor {
  const values = Float64Array.from({ length: sizeOf(shape) }, () => random.uniform());
  return fromTypedArray(values, shape, { dtype: "float32", ...options });
}

/**
 * Normal numbers cut off at two deviations, then scaled so that the deviation
 * after the cut is `std`: the support is ±2.2737 · `std`.
 *
 * Source: JAX's `truncated_normal` initialiser, as HRM uses it (sapientinc/HRM@42410da
 * models/common.py).
 */
export function truncNormal(
  shape: Shape,
  random: Random,
  options: TensorOptions & { readonly std?: number } = {},
): Tensor {
  const { std = 1 } = options;
  const values = new Float64Array(sizeOf(shape));
  for (let i = 0; i < values.length; i++) {
    let z = random.normal();
    while (Math.abs(z) > 2) z = random.normal();
    values[i] = z * std / TRUNCATED_DEVIATION;
  }
  return fromTypedArray(values, shape, { dtype: "float32", ...options });
}

/** The standard deviation of a standard normal number cut off at ±2. */
const TRUNCATED_DEVIATION = 0.8796256610342398;
