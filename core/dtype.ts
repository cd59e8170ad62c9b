/**
 * Element types.
 *
 * @module
 */

/** The element type of a tensor. */
export type DType =
  | "float32"
  | "float64"
  | "bfloat16"
  | "float16"
  | "int64"
  | "int32"
  | "uint8"
  | "bool";

/** A typed array that holds a tensor's elements. */
export type NumericArray =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | Int32Array
  | Uint8Array
  | Uint16Array;

interface DTypeRow {
  /** `c10::ScalarType`. */
  readonly code: number;
  /** Bytes of one element. */
  readonly bytes: number;
  readonly floating: boolean;
}

const rows: Readonly<Record<DType, DTypeRow>> = {
  float32: { code: 6, bytes: 4, floating: true },
  float64: { code: 7, bytes: 8, floating: true },
  bfloat16: { code: 15, bytes: 2, floating: true },
  float16: { code: 5, bytes: 2, floating: true },
  int64: { code: 4, bytes: 8, floating: false },
  int32: { code: 3, bytes: 4, floating: false },
  uint8: { code: 0, bytes: 1, floating: false },
  bool: { code: 11, bytes: 1, floating: false },
};

/** Every element type. */
export const dtypes: readonly DType[] = Object.keys(rows) as DType[];

/** Bytes of one element of `dtype`. */
export function bytesOf(dtype: DType): number {
  return rows[dtype].bytes;
}

/** Whether `dtype` has fractions, and so may have gradients. */
export function isFloating(dtype: DType): boolean {
  return rows[dtype].floating;
}

/** The number of `dtype` in libtorch. Internal to core. */
export function codeOf(dtype: DType): number {
  requireDType(dtype);
  return rows[dtype].code;
}

/** Throws for a name that is no dtype. Internal to core. */
export function requireDType(dtype: DType): void {
  if (Object.hasOwn(rows, dtype)) return;
  throw new TypeError(`Cannot use dtype "${dtype}": expected one of ${dtypes.join(", ")}`);
}

/** The dtype of libtorch's number. Internal to core. */
export function dtypeOf(code: number): DType {
  const found = dtypes.find((dtype) => rows[dtype].code === code);
  if (found === undefined) throw new TypeError(`Cannot represent libtorch's dtype number ${code}`);
  return found;
}
