/**
 * What all optimisers share: parameters in one flat buffer, so that a step is a
 * handful of operations however many parameters there are.
 *
 * @module
 */
import { reinterpret } from "../../ffi/memory.ts";
import { bytesOf } from "../dtype.ts";
import { restoreTensor, type StoredTensor, storeTensor } from "../nn/module.ts";
import { inArena, tidy } from "../scope.ts";
import { contiguousStrides, formatShape, sameShape } from "../shape.ts";
import { cat, type Tensor } from "../tensor.ts";
import { noGrad } from "../autograd.ts";

/** A named parameter. */
export type Named = readonly [name: string, tensor: Tensor];

/**
 * How many elements are updated at a time on the CPU: few enough that what one operation
 * wrote is in the cache when the next one reads it.
 */
const PIECE = 1 << 17;

/** A part of a flat buffer: small parameters whole, one after another, or a part of a large one. */
interface Piece {
  readonly from: number;
  readonly to: number;
  /** Which parameters. */
  readonly of: readonly number[];
  /** Where the first of them starts. */
  readonly start: number;
}

/** Parameters moved into one buffer; each of them becomes a view of its part. */
export class FlatParameters {
  /** All elements, one parameter after another, `[N]`. */
  readonly buffer: Tensor;
  /** The parameters. */
  readonly parameters: readonly Named[];
  readonly #pieces: readonly Piece[];

  /**
   * @throws {TypeError} when there is none, or their dtypes or devices differ
   */
  constructor(parameters: readonly Named[]) {
    const first = parameters[0]?.[1];
    if (first === undefined) throw new TypeError("Cannot optimise a model without parameters");
    for (const [name, { dtype, device }] of parameters) {
      if (dtype !== first.dtype || device !== first.device) {
        throw new TypeError(`Cannot optimise ${name}: it is ${dtype} on ${device}`);
      }
    }
    this.parameters = parameters;
    this.buffer = unowned(() => joined(parameters.map(([, tensor]) => tensor)));
    for (const [i, view] of this.views(this.buffer).entries()) parameters[i]![1].rebind(view);
    const limit = first.device === "cpu" ? PIECE : Infinity;
    this.#pieces = [...piecesOf(parameters.map(([, { size }]) => size), limit)];
  }

  /**
   * Runs an update piece by piece: with a part of the gradients, `[n]`, which it must leave as
   * it is, and a function that gives the same part of a flat buffer.
   */
  update(
    gradients: readonly Tensor[],
    body: (gradient: Tensor, part: (buffer: Tensor) => Tensor) => void,
  ): void {
    requireGradients(this.parameters, gradients);
    for (const { from, to, of, start } of this.#pieces) {
      updating(() => {
        const parts = of.map((i) => gradients[i]!);
        const whole = parts.length === 1 ? flattened(parts[0]!) : joined(parts);
        body(whole.slice(0, from - start, to - start), (buffer) => buffer.slice(0, from, to));
      });
    }
  }

  /** The parts of a flat buffer that belong to each parameter. */
  views(buffer: Tensor): ReturnType<typeof reinterpret>[] {
    let offset = buffer.offset;
    return this.parameters.map(([, { shape, size }]) => {
      const bytes = bytesOf(buffer.dtype);
      const view = reinterpret(buffer.handle, shape, contiguousStrides(shape), offset, bytes);
      offset += size;
      return view;
    });
  }

  /** A buffer of the same size, filled with zeros, that nobody but the caller owns. */
  zeros(): Tensor {
    return unowned(() => this.buffer.zerosLike());
  }
}

/** Parameters of these sizes in pieces of at most `limit` elements. */
function* piecesOf(sizes: readonly number[], limit: number): Generator<Piece> {
  let from = 0, to = 0, of: number[] = [];
  for (const [i, size] of sizes.entries()) {
    if (of.length > 0 && to - from + size > limit) {
      yield { from, to, of, start: from };
      [from, of] = [to, []];
    }
    [to, of] = [to + size, [...of, i]];
    if (size <= limit) continue;
    const start = from; // it is alone
    for (; from < to; from += limit) {
      yield { from, to: Math.min(from + limit, to), of, start };
    }
    [from, of] = [to, []];
  }
  if (of.length > 0) yield { from, to, of, start: from };
}

/** Checks that there is a gradient for each parameter. */
function requireGradients(parameters: readonly Named[], gradients: readonly Tensor[]): void {
  if (gradients.length !== parameters.length) {
    throw new TypeError(
      `Cannot step with ${gradients.length} gradients of ${parameters.length} parameters`,
    );
  }
  for (const [i, { shape, dtype }] of gradients.entries()) {
    const [name, parameter] = parameters[i]!;
    if (sameShape(shape, parameter.shape) && dtype === parameter.dtype) continue;
    throw new TypeError(
      `Cannot step with the gradient of ${name}: it is ${dtype} ${formatShape(shape)}, ` +
        `not ${parameter.dtype} ${formatShape(parameter.shape)}`,
    );
  }
}

function joined(tensors: readonly Tensor[]): Tensor {
  return noGrad(() => cat(tensors.map(flattened)));
}

function flattened(tensor: Tensor): Tensor {
  return tensor.detach().reshape([tensor.size]);
}

/** A tensor that nobody but the caller owns; what is made on the way is freed. */
export function unowned(make: () => Tensor): Tensor {
  using made = noGrad(() => tidy(make));
  return made.hold();
}

/** Updates parameters by their gradients. */
export interface Optimizer {
  /** One step with gradients in the order of the parameters. */
  step(gradients: readonly Tensor[], lr: number): void;
  /** Everything but the parameters that the next step depends on. */
  state(): Map<string, StoredTensor>;
  /** Continues from a state that {@link Optimizer.state} returned. */
  load(state: ReadonlyMap<string, StoredTensor>): void;
  /** Frees its buffers. */
  dispose(): void;
}

/**
 * One optimiser for the parameters of which `isFirst` holds and another for the rest,
 * as one. Both must be there.
 */
export function grouped(
  parameters: readonly Named[],
  isFirst: (parameter: Named) => boolean,
  make: (parameters: readonly Named[], isFirst: boolean) => Optimizer,
): Optimizer {
  const groups = [true, false].map((first) => {
    const places = parameters.flatMap((p, i) => isFirst(p) === first ? [i] : []);
    return { places, optimizer: make(places.map((i) => parameters[i]!), first) };
  });
  const all = groups.map(({ optimizer }, i) => ({ prefix: `${i}.`, optimizer }));
  return {
    step(gradients: readonly Tensor[], lr: number): void {
      requireGradients(parameters, gradients); // before the first group is changed
      for (const { places, optimizer } of groups) {
        optimizer.step(places.map((i) => gradients[i]!), lr);
      }
    },
    state(): Map<string, StoredTensor> {
      return new Map(
        all.flatMap(({ prefix, optimizer }) =>
          [...optimizer.state()].map(([name, tensor]) => [prefix + name, tensor] as const)
        ),
      );
    },
    load(state: ReadonlyMap<string, StoredTensor>): void {
      for (const { prefix, optimizer } of all) {
        const own = [...state].filter(([name]) => name.startsWith(prefix));
        optimizer.load(new Map(own.map(([name, t]) => [name.slice(prefix.length), t])));
      }
    },
    dispose(): void {
      for (const { optimizer } of all) optimizer.dispose();
    },
  };
}

/** Runs a step whose intermediate tensors are all freed at its end. */
export function updating(body: () => void): void {
  noGrad(() =>
    inArena(() => {
      body();
      return [];
    })
  );
}

/** Flat buffers and a step count, as a file holds them. */
export function storeState(
  step: number,
  buffers: Readonly<Record<string, Tensor>>,
): Map<string, StoredTensor> {
  const data = new Uint8Array(new BigInt64Array([BigInt(step)]).buffer);
  const state = new Map<string, StoredTensor>([["step", { dtype: "int64", shape: [], data }]]);
  for (const [name, buffer] of Object.entries(buffers)) state.set(name, storeTensor(buffer));
  return state;
}

/** Restores what {@link storeState} stored, and returns the step count. */
export function restoreState(
  state: ReadonlyMap<string, StoredTensor>,
  buffers: Readonly<Record<string, Tensor>>,
): number {
  const step = state.get("step");
  if (step === undefined) throw new TypeError("Cannot restore an optimiser: its step is missing");
  for (const [name, buffer] of Object.entries(buffers)) {
    const stored = state.get(name);
    if (stored === undefined || stored.shape[0] !== buffer.size) {
      throw new TypeError(`Cannot restore an optimiser: ${name} is missing or of another size`);
    }
    restoreTensor(buffer, stored);
  }
  const { buffer, byteOffset } = step.data;
  return Number(new DataView(buffer, byteOffset).getBigInt64(0, true));
}
