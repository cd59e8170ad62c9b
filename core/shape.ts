/**
 * Rules of shapes: pure functions, run before libtorch is asked.
 *
 * @module
 */

/** The sizes of a tensor's axes. */
export type Shape = readonly number[];

/** `[2, 3]`, as messages show a shape. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** How many elements a shape has. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** Whether two shapes are equal. */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Strides, in elements, of a tensor stored row by row. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= Math.max(1, shape[i]!);
  }
  return strides;
}

/**
 * The shape to which `a` and `b` broadcast.
 *
 * @throws {TypeError} when some axis differs and neither is 1
 */
export function broadcastShapes(a: Shape, b: Shape, what: string): number[] {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const m = i <= a.length ? a[a.length - i]! : 1;
    const n = i <= b.length ? b[b.length - i]! : 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw new TypeError(
        `Cannot ${what} ${formatShape(a)} with ${formatShape(b)}: ` +
          `sizes ${m} and ${n} of axis ${-i} must be equal or 1`,
      );
    }
    shape[rank - i] = m === 1 ? n : m;
  }
  return shape;
}

/**
 * The axis counted from the front.
 *
 * @throws {RangeError} when there is no such axis
 */
export function normalizeAxis(axis: number, rank: number, what: string): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || normal < 0 || normal >= rank) {
    throw new RangeError(`Cannot ${what} axis ${axis} of a tensor with ${rank} axes`);
  }
  return normal;
}

/** Axes counted from the front, each once; all of them for `undefined`. */
export function normalizeAxes(
  axes: number | readonly number[] | undefined,
  rank: number,
  what: string,
): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = (typeof axes === "number" ? [axes] : axes).map((a) => normalizeAxis(a, rank, what));
  if (new Set(list).size !== list.length) {
    throw new RangeError(`Cannot ${what} axes ${formatShape(list)}: one is named twice`);
  }
  return list;
}

/** The shape after reducing `axes`. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): number[] {
  const result: number[] = [];
  for (let i = 0; i < shape.length; i++) {
    if (!axes.includes(i)) result.push(shape[i]!);
    else if (keepDims) result.push(1);
  }
  return result;
}

/**
 * `wanted` with its one -1 filled in.
 *
 * @throws {TypeError} when the sizes do not fit
 */
export function resolveReshape(shape: Shape, wanted: Shape): number[] {
  const size = sizeOf(shape);
  const known = wanted.reduce((product, n) => n === -1 ? product : product * n, 1);
  const unknowns = wanted.filter((n) => n === -1).length;
  const fits = unknowns === 0 ? known === size : known > 0 && size % known === 0;
  if (unknowns > 1 || wanted.some((n) => !Number.isInteger(n) || n < -1) || !fits) {
    throw new TypeError(
      `Cannot reshape ${formatShape(shape)} to ${formatShape(wanted)}: ` +
        (unknowns > 1 ? "only one size may be -1" : `${size} elements do not fit`),
    );
  }
  return wanted.map((n) => n === -1 ? size / known : n);
}

/**
 * Strides with which `shape` under `strides` can be read as `wanted` without a
 * copy, or `null` when it cannot.
 */
export function viewStrides(shape: Shape, strides: Shape, wanted: Shape): number[] | null {
  if (sizeOf(shape) === 0) return contiguousStrides(wanted);
  const runs = contiguousRuns(shape, strides);
  const result = new Array<number>(wanted.length).fill(1);
  let left = 1, step = 1;
  for (let i = wanted.length - 1; i >= 0; i--) {
    const n = wanted[i]!;
    if (n === 1) continue;
    if (left === 1) ({ size: left, step } = runs.shift()!);
    if (left % n !== 0) return null;
    result[i] = step;
    step *= n;
    left /= n;
  }
  return result;
}

/** Runs of axes that lie one after another in memory, the innermost first. */
function contiguousRuns(shape: Shape, strides: Shape): { size: number; step: number }[] {
  const runs: { size: number; step: number }[] = [];
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] === 1) continue;
    const last = runs.at(-1);
    if (last !== undefined && strides[i] === last.step * last.size) last.size *= shape[i]!;
    else runs.push({ size: shape[i]!, step: strides[i]! });
  }
  return runs;
}

/**
 * The shape of `a @ b`: matrices in the last two axes, the others broadcast.
 *
 * @throws {TypeError} when either has fewer than two axes or the inner sizes differ
 */
export function matmulShape(a: Shape, b: Shape): number[] {
  const pair = `${formatShape(a)} with ${formatShape(b)}`;
  if (a.length < 2 || b.length < 2) {
    throw new TypeError(`Cannot matmul ${pair}: both need at least two axes`);
  }
  const inner = a[a.length - 1]!, other = b[b.length - 2]!;
  if (inner !== other) {
    throw new TypeError(`Cannot matmul ${pair}: inner sizes ${inner} and ${other} must be equal`);
  }
  const batch = broadcastShapes(a.slice(0, -2), b.slice(0, -2), "matmul batches");
  return [...batch, a[a.length - 2]!, b[b.length - 1]!];
}
