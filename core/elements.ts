/**
 * Elements between JavaScript's typed arrays and libtorch's bytes.
 *
 * @module
 */
import { bytesOf, type DType, type NumericArray, requireDType } from "./dtype.ts";

/** The bytes of a typed array's elements as `dtype`, by default the array's own. */
export function encodeElements(
  array: NumericArray,
  dtype: DType = ownDType(array),
): { dtype: DType; bytes: Uint8Array } {
  if (dtype === ownDType(array)) {
    return { dtype, bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) };
  }
  requireDType(dtype);
  const target = allocateElements(dtype, array.length);
  if (target instanceof BigInt64Array) {
    for (let i = 0; i < array.length; i++) target[i] = toBigInt(array[i]!);
  } else {
    for (let i = 0; i < array.length; i++) target[i] = encodeElement(Number(array[i]), dtype);
  }
  return { dtype, bytes: new Uint8Array(target.buffer) };
}

/** The elements in `bytes`; bfloat16 and float16 become `Float32Array`. */
export function decodeElements(bytes: Uint8Array, dtype: DType): NumericArray {
  const { buffer, byteOffset } = bytes;
  const length = bytes.byteLength / bytesOf(dtype);
  switch (dtype) {
    case "float32":
      return new Float32Array(buffer, byteOffset, length);
    case "float64":
      return new Float64Array(buffer, byteOffset, length);
    case "int64":
      return new BigInt64Array(buffer, byteOffset, length);
    case "int32":
      return new Int32Array(buffer, byteOffset, length);
    case "uint8":
    case "bool":
      return bytes;
    case "bfloat16": {
      const words = Uint32Array.from(new Uint16Array(buffer, byteOffset, length), (w) => w << 16);
      return new Float32Array(words.buffer);
    }
    case "float16":
      return Float32Array.from(new Float16Array(buffer as ArrayBuffer, byteOffset, length));
  }
}

function ownDType(array: NumericArray): DType {
  if (array instanceof Float32Array) return "float32";
  if (array instanceof Float64Array) return "float64";
  if (array instanceof BigInt64Array) return "int64";
  if (array instanceof Int32Array) return "int32";
  if (array instanceof Uint8Array) return "uint8";
  throw new TypeError("Cannot take elements of an array of that kind");
}

function allocateElements(
  dtype: DType,
  length: number,
):
  | Float32Array
  | Float64Array
  | BigInt64Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Float16Array {
  switch (dtype) {
    case "float32":
      return new Float32Array(length);
    case "float64":
      return new Float64Array(length);
    case "int64":
      return new BigInt64Array(length);
    case "int32":
      return new Int32Array(length);
    case "uint8":
    case "bool":
      return new Uint8Array(length);
    case "bfloat16":
      return new Uint16Array(length);
    case "float16":
      return new Float16Array(length);
  }
}

function encodeElement(value: number, dtype: DType): number {
  if (dtype === "bfloat16") return toBfloat16(value);
  if (dtype === "bool") return value !== 0 ? 1 : 0;
  requireFits(value, dtype);
  return value;
}

function toBigInt(value: number | bigint): bigint {
  if (typeof value === "number") requireFits(value, "int64");
  return BigInt(value);
}

const ranges: Readonly<Partial<Record<DType, readonly [least: number, most: number]>>> = {
  int64: [-(2 ** 63), 2 ** 63 - 1024], // the largest float64 below 2^63
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint8: [0, 255],
  bool: [0, 1],
};

function requireFits(value: number, dtype: DType): void {
  const range = ranges[dtype];
  if (range === undefined) return;
  if (Number.isInteger(value) && value >= range[0] && value <= range[1]) return;
  throw new TypeError(`Cannot represent ${value} as ${dtype}`);
}

/**
 * The element of `dtype` nearest to `value`, as a number.
 *
 * @throws {TypeError} when `dtype` is of integers or truth values and has none
 */
export function elementOf(value: number, dtype: DType): number {
  switch (dtype) {
    case "float32":
      return Math.fround(value);
    case "float16":
      return Math.f16round(value);
    case "bfloat16":
      wordBits[0] = toBfloat16(value) << 16;
      return word[0]!;
    default:
      requireFits(value, dtype);
      return value;
  }
}

const word: Float32Array = new Float32Array(1);
const wordBits: Uint32Array = new Uint32Array(word.buffer);

/** The upper half of a float32, rounded to nearest, ties to even. */
function toBfloat16(value: number): number {
  word[0] = value;
  const bits = wordBits[0]!;
  if (Number.isNaN(value)) return 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}
