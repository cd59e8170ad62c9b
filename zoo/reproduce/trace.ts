/**
 * The states of a model while it thinks, and what can be said of a cloud of them.
 *
 * @module
 */
import { noGrad } from "../../core/autograd.ts";
import { scope } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Model, Question } from "../../models/model.ts";

/** Vectors as the rows of a matrix. */
export interface Vectors {
  /** The numbers, row by row. */
  readonly values: Float32Array;
  /** Features of a vector, `D`. */
  readonly width: number;
}

/** What one part of a model gave out, update by update. */
export interface PartTrace {
  /** The part: `zH`, `zL`, `z`, or a layer. */
  readonly part: string;
  /** Which update of all it was, from 1. */
  readonly update: number;
  /** The unit of thought, from 1. */
  readonly unit: number;
  /** What came out, one row for each position of each puzzle. */
  readonly state: Vectors;
}

/** A part of a model that is called again and again. */
interface Part {
  forward(...args: unknown[]): Tensor;
}

/**
 * What the parts of a model give out, in their order: both modules of HRM, the one network
 * of TRM, the layers of a plain transformer, the stack of a recurrent or looped one.
 */
export function traceParts(model: Model, question: Question, units: number): PartTrace[] {
  const trace: PartTrace[] = [];
  let unit = 0;
  const undo = partsOf(model).map(([part, object]) => {
    const { forward } = object;
    object.forward = (...args) => {
      const out = forward.apply(object, args);
      trace.push({ part, update: trace.length + 1, unit, state: vectorsOf(out) });
      return out;
    };
    return () => object.forward = forward;
  });
  try {
    using _ = scope();
    noGrad(() => {
      let states = model.start(question);
      for (unit = 1; unit <= units; unit++) states = model.think(states, question).states;
    });
  } finally {
    undo.forEach((restore) => restore());
  }
  return trace;
}

function partsOf(model: Model): [name: string, part: Part][] {
  const { inner, backbone } = model as unknown as {
    readonly inner?: Readonly<Record<string, Part | undefined>>;
    readonly backbone?: Part & { readonly layers?: readonly Part[] };
  };
  if (inner !== undefined) {
    const parts = [["zL", inner["L_level"]], ["zH", inner["H_level"]]] as const;
    return parts.flatMap(([name, part]) => part === undefined ? [] : [[name, part]]);
  }
  if (model.depth.unit !== "pass") return [["z", backbone!]];
  return backbone!.layers!.map((layer) => ["layer", layer]);
}

/** Every position's vector of a state `[B, L, D]`. */
export function vectorsOf(state: Tensor): Vectors {
  using _ = scope();
  const values = state.to("float32").contiguous().toTypedArray() as Float32Array;
  return { values, width: state.shape.at(-1)! };
}

/** The root mean square of the difference of two states, in units of the second's own. */
export function relativeChange(before: Vectors, after: Vectors): number {
  let change = 0, size = 0;
  after.values.forEach((value, i) => {
    change += (value - before.values[i]!) ** 2;
    size += value ** 2;
  });
  return Math.sqrt(change / size);
}

/** The cosine between the vectors of two states, in the mean. */
export function meanCosine(a: Vectors, b: Vectors): number {
  const rows = a.values.length / a.width;
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    let ab = 0, aa = 0, bb = 0;
    for (let i = row * a.width; i < (row + 1) * a.width; i++) {
      ab += a.values[i]! * b.values[i]!;
      aa += a.values[i]! ** 2;
      bb += b.values[i]! ** 2;
    }
    sum += ab / Math.sqrt(Math.max(aa * bb, 1e-30));
  }
  return sum / rows;
}

/**
 * The participation ratio of vectors, `(Σλ)² / Σλ²` over the eigenvalues λ of their
 * covariance: how many dimensions they fill, from 1 to `D`. Neither sum needs the
 * eigenvalues: they are the trace of the covariance and of its square.
 */
export function participationRatio({ values, width: D }: Vectors): number {
  const rows = values.length / D;
  const mean = new Float64Array(D);
  values.forEach((value, i) => mean[i % D]! += value / rows);
  const covariance = new Float64Array(D * D);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < D; i++) {
      const a = values[row * D + i]! - mean[i]!;
      for (let j = 0; j < D; j++) {
        covariance[i * D + j]! += a * (values[row * D + j]! - mean[j]!) / rows;
      }
    }
  }
  let trace = 0, square = 0;
  for (let i = 0; i < D; i++) trace += covariance[i * D + i]!;
  for (const value of covariance) square += value ** 2;
  return trace ** 2 / square;
}

/** The two directions of most variance of a few long vectors: the coordinates of each. */
export function principalPlane(vectors: readonly Float32Array[]): [x: number, y: number][] {
  const n = vectors.length, length = vectors[0]!.length;
  const mean = new Float64Array(length);
  for (const vector of vectors) vector.forEach((value, i) => mean[i]! += value / n);
  // the n × n matrix of products has the same leading eigenvalues as the covariance
  const products = vectors.map((a) =>
    vectors.map((b) =>
      a.reduce((sum, value, i) => sum + (value - mean[i]!) * (b[i]! - mean[i]!), 0)
    )
  );
  const first = leading(products);
  const rest = products.map((row, i) =>
    row.map((value, j) => value - first.value * first.vector[i]! * first.vector[j]!)
  );
  const second = leading(rest);
  const scaled = ({ value, vector }: Eigen) => vector.map((v) => v * Math.sqrt(Math.max(0, value)));
  const [x, y] = [scaled(first), scaled(second)];
  return x.map((value, i) => [value, y[i]!]);
}

interface Eigen {
  readonly value: number;
  readonly vector: readonly number[];
}

/** The largest eigenvalue of a symmetric matrix and its vector, by power iteration. */
function leading(matrix: readonly (readonly number[])[]): Eigen {
  let vector = matrix.map((_, i) => 1 / (1 + i));
  let value = 0;
  for (let round = 0; round < 500; round++) {
    const next = matrix.map((row) => row.reduce((sum, a, j) => sum + a * vector[j]!, 0));
    value = Math.hypot(...next);
    if (value === 0) break;
    vector = next.map((v) => v / value);
  }
  return { value, vector };
}
