/**
 * Reverse-mode differentiation on a tape.
 *
 * An operation is declared once, as its forward and its vector-Jacobian product
 * (`vjp`), by {@link op}. The engine does what is the same for all of them: it
 * records the call when a gradient may be asked for, undoes broadcasting, skips
 * inputs that need no gradient, adds contributions up and frees what is done.
 *
 * @module
 */
import type { Handle } from "../ffi/handle.ts";
import { inArena } from "./scope.ts";
import { formatShape, sameShape, type Shape } from "./shape.ts";
import type { DType } from "./dtype.ts";
import type { Tensor } from "./tensor.ts";

/** What the vjp of an operation may look at. */
export interface Context<Inputs extends readonly Tensor[], Options> {
  /** The inputs, if the rule keeps them. */
  readonly x: Inputs;
  /** The output, if the rule keeps it. */
  readonly y: Tensor;
  /** What the forward saved besides. */
  readonly saved: readonly Tensor[];
  /** The options of the call. */
  readonly options: Options;
  /** Shapes of the inputs, always known. */
  readonly shapes: readonly Shape[];
  /** Which inputs need a gradient. */
  readonly needs: readonly boolean[];
}

/** An operation: its checks, its forward, its gradient. */
export interface Rule<Inputs extends readonly Tensor[], Options> {
  /** Throws if shapes, dtypes or devices do not fit. */
  check?(x: Inputs, options: Options): void;
  /**
   * Computes the output: a handle that libtorch returned, or, of an operation
   * composed of others, a tensor; what such a one makes besides is freed, unless saved.
   * `recorded` says whether it may be gone back through: what is saved is kept only then.
   */
  forward(
    x: Inputs,
    options: Options,
    save: (...tensors: Tensor[]) => void,
    recorded: boolean,
  ): Handle | Tensor;
  /** The gradient of the loss by each input, given that by the output; `null` for none. */
  readonly vjp:
    | ((dy: Tensor, context: Context<Inputs, Options>) => readonly (Tensor | null)[])
    | null;
  /** What the vjp looks at: the inputs, the output, both or neither. */
  readonly keeps?: "x" | "y" | "xy";
  /** Whether the forward is composed of other operations. */
  readonly composed?: boolean;
}

/** An operation that can be called: inputs first, then options. */
export type Op<Inputs extends readonly Tensor[], Options = void> = (
  x: Inputs,
  options: Options,
) => Tensor;

/** Every operation by its name; a test walks it. */
export const rules: Map<string, Rule<readonly Tensor[], unknown>> = new Map();

/** Declares an operation. */
export function op<Inputs extends readonly Tensor[], Options = void>(
  name: string,
  rule: Rule<Inputs, Options>,
): Op<Inputs, Options> {
  if (rules.has(name)) throw new Error(`internal: two operations are called ${name}`);
  const general = rule as unknown as Rule<readonly Tensor[], unknown>;
  rules.set(name, general);
  return (x, options) => run(name, general, x, options);
}

// The tape.

let enabled = true;
let nextOrder = 1;

/** Whether operations are recorded. */
export function isGradEnabled(): boolean {
  return enabled;
}

/**
 * Runs `body` without recording: what it makes has no gradient.
 *
 * @throws {TypeError} when `body` is asynchronous
 */
export function noGrad<T>(body: () => T): T {
  const before = enabled;
  enabled = false;
  try {
    const result = body();
    if (result instanceof Promise) {
      throw new TypeError("Cannot run an asynchronous function in noGrad: await outside of it");
    }
    return result;
  } finally {
    enabled = before;
  }
}

/** One recorded call, or a leaf whose gradient is wanted. */
export class Node {
  /** Later calls have larger numbers. */
  readonly order: number = nextOrder++;
  /** The accumulated gradient of a leaf. */
  grad: Tensor | null = null;
  #references = 1;

  /** A leaf has no record. */
  constructor(readonly record: TapeEntry | null) {}

  /** Counts one more holder. */
  retain(): this {
    this.#references++;
    return this;
  }

  /** Counts one holder less; the last one frees what the call kept, and so on up the tape. */
  release(): void {
    const pending: Node[] = [this];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (--node.#references > 0) continue;
      node.grad?.dispose();
      node.grad = null;
      if (node.record === null) continue;
      node.record.free();
      for (const parent of node.record.parents) if (parent !== null) pending.push(parent);
    }
  }
}

/** What the tape keeps of a call. */
export class TapeEntry {
  /** Shapes of the inputs. */
  readonly shapes: readonly Shape[];
  /** Element types of the inputs. */
  readonly dtypes: readonly DType[];
  /** The inputs, where the rule keeps them. */
  readonly x: readonly Tensor[];
  /** The output, where the rule keeps it. */
  readonly y: Tensor | null;
  readonly #kept: readonly Tensor[];
  readonly #versions: readonly number[];
  #freed = false;

  /** Holds what the rule keeps of a call of the operation `name`. */
  constructor(
    readonly name: string,
    readonly rule: Rule<readonly Tensor[], unknown>,
    inputs: readonly Tensor[],
    readonly parents: readonly (Node | null)[],
    output: Tensor,
    readonly saved: readonly Tensor[],
    readonly options: unknown,
  ) {
    this.shapes = inputs.map((t) => t.shape);
    this.dtypes = inputs.map((t) => t.dtype);
    const keeps = rule.keeps ?? "";
    this.x = keeps.includes("x") ? inputs.map((t) => t.hold()) : [];
    this.y = keeps.includes("y") ? output.hold() : null;
    this.#kept = [...this.x, ...(this.y === null ? [] : [this.y]), ...saved];
    this.#versions = this.#kept.map((t) => t.handle.storage.version);
  }

  /** The gradients of the inputs, given that of the output. */
  gradients(dy: Tensor): readonly (Tensor | null)[] {
    if (this.#freed) {
      throw new Error(
        `Cannot go back through ${this.name} again: its tape was freed by the first backward; ` +
          `pass { retainGraph: true } there`,
      );
    }
    if (this.#kept.some((t, i) => t.handle.storage.version !== this.#versions[i])) {
      throw new Error(`Cannot go back through ${this.name}: a tensor it needs was overwritten`);
    }
    return this.rule.vjp!(dy, {
      x: this.x,
      y: this.y!,
      saved: this.saved,
      options: this.options,
      shapes: this.shapes,
      needs: this.parents.map((parent) => parent !== null),
    });
  }

  /** Frees what the gradient would have needed. */
  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    for (const tensor of this.#kept) tensor.dispose();
  }
}

let construct: (handle: Handle, name: string) => Tensor = () => {
  throw new Error("internal: core/tensor.ts was not imported");
};

/** Internal to core: tensor.ts says how a tensor is made, as this module cannot import it. */
export function setTensorConstructor(make: typeof construct): void {
  construct = make;
}

/** Internal to core: a new tensor that the innermost scope owns. */
export function wrap(handle: Handle, name: string): Tensor {
  return construct(handle, name);
}

function run(
  name: string,
  rule: Rule<readonly Tensor[], unknown>,
  x: readonly Tensor[],
  options: unknown,
): Tensor {
  if (x.length > 1) requireSameDevice(name, x);
  rule.check?.(x, options);
  const recorded = enabled && rule.vjp !== null && x.some((t) => t.node !== null);
  const saved: Tensor[] = [];
  const output = rule.composed
    ? runComposed(name, rule, x, options, recorded ? saved : null)
    : wrap(rule.forward(x, options, notComposed, recorded) as Handle, name);
  if (recorded) {
    const parents = x.map((t) => t.node?.retain() ?? null);
    output.node = new Node(new TapeEntry(name, rule, x, parents, output, saved, options));
  }
  return output;
}

function notComposed(): never {
  throw new Error("internal: only a composed operation may save");
}

/** Runs a forward that is made of operations; what it saves leaves every scope. */
function runComposed(
  name: string,
  rule: Rule<readonly Tensor[], unknown>,
  x: readonly Tensor[],
  options: unknown,
  saved: Tensor[] | null,
): Tensor {
  const save = (...tensors: Tensor[]) => {
    if (saved !== null) { for (const tensor of tensors) saved.push(tensor.hold()); }
  };
  try {
    const [output] = noGrad(() =>
      inArena(() => [rule.forward(x, options, save, saved !== null) as Tensor])
    );
    return output!.named(name);
  } catch (error) {
    for (const tensor of saved ?? []) tensor.dispose();
    throw error;
  }
}

function requireSameDevice(name: string, x: readonly Tensor[]): void {
  const { device } = x[0]!;
  for (let i = 1; i < x.length; i++) {
    // A number on the CPU goes with tensors of any device, as in libtorch.
    if (x[i]!.device !== device && !(x[i]!.device === "cpu" && x[i]!.shape.length === 0)) {
      throw new TypeError(`Cannot ${name} a tensor on ${device} with one on ${x[i]!.device}`);
    }
  }
}

// Going back.

/** How to go back. */
export interface BackwardOptions {
  /** Keep what the tape holds, so that it can be gone through again; default false. */
  readonly retainGraph?: boolean;
}

/**
 * The gradients of a scalar `loss` by `targets`, in their order and of their
 * shapes and dtypes; zeros for one that the loss does not depend on. Frees the tape.
 *
 * @throws {TypeError} when the loss is no scalar, or nothing in it is differentiable
 */
export function grad(
  loss: Tensor,
  targets: readonly Tensor[],
  options: BackwardOptions = {},
): Tensor[] {
  for (const target of targets) {
    if (target.node === null) {
      throw new TypeError(`Cannot take the gradient by ${target}: it does not require one`);
    }
  }
  const wanted = new Set(targets.map((target) => target.node!));
  const found = inArena<Tensor>(() => {
    const gradients = goBack(loss, wanted, options);
    return targets.map((t) => gradients.get(t.node!) ?? t.zerosLike());
  });
  return found as Tensor[];
}

/**
 * Adds the gradients of a scalar `loss` to `grad` of every leaf that it depends
 * on. Frees the tape.
 *
 * @throws {TypeError} when the loss is no scalar, or nothing in it is differentiable
 */
export function backward(loss: Tensor, options: BackwardOptions = {}): void {
  noGrad(() =>
    inArena(() => {
      for (const [leaf, gradient] of goBack(loss, null, options)) {
        const total = (leaf.grad === null ? gradient : gradient.add(leaf.grad)).hold();
        leaf.grad?.dispose();
        leaf.grad = total;
      }
      return [];
    })
  );
}

/** Gradients of the wanted nodes, or of all leaves. */
function goBack(
  loss: Tensor,
  wanted: ReadonlySet<Node> | null,
  { retainGraph = false }: BackwardOptions,
): Map<Node, Tensor> {
  if (loss.node === null) throw new TypeError(`Cannot go back from ${loss}: it has no gradient`);
  if (loss.size !== 1) {
    throw new TypeError(`Cannot go back from shape ${formatShape(loss.shape)}: reduce it first`);
  }
  return noGrad(() => {
    const pending = new Map<Node, Tensor>([[loss.node!, loss.onesLike()]]);
    const results = new Map<Node, Tensor>();
    for (const node of reachable(loss.node!)) {
      const dy = pending.get(node);
      if (dy === undefined) continue; // no path carried a gradient here
      pending.delete(node);
      if (wanted === null ? node.record === null : wanted.has(node)) {
        results.set(node, dy.alias());
      }
      if (node.record !== null) spread(node.record, dy, pending);
      dy.dispose();
      if (!retainGraph) node.record?.free();
    }
    return results;
  });
}

/** Every node that `root` depends on, the latest call first. */
function reachable(root: Node): Node[] {
  const seen = new Set<Node>([root]);
  const pending: Node[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    for (const parent of node.record?.parents ?? []) {
      if (parent === null || seen.has(parent)) continue;
      seen.add(parent);
      pending.push(parent);
    }
  }
  return [...seen].sort((a, b) => b.order - a.order);
}

/** Adds what `dy` contributes to each input's gradient. */
function spread(record: TapeEntry, dy: Tensor, pending: Map<Node, Tensor>): void {
  const { parents, shapes, dtypes } = record;
  const gradients = inArena<Tensor>(() => {
    const seen = new Set<Tensor>([dy]); // a rule may hand on dy, or one gradient twice
    return record.gradients(dy).map((g, i) => {
      if (g === null || parents[i] === null) return null;
      const fitted = fit(g, shapes[i]!, dtypes[i]!);
      if (seen.has(fitted)) return fitted.alias();
      seen.add(fitted);
      return fitted;
    });
  });
  gradients.forEach((gradient, i) => {
    if (gradient === null) return;
    const parent = parents[i]!;
    const before = pending.get(parent);
    if (before === undefined) {
      pending.set(parent, gradient);
      return;
    }
    pending.set(parent, before.add(gradient));
    before.dispose();
    gradient.dispose();
  });
}

/** Undoes broadcasting and a change of dtype. */
function fit(gradient: Tensor, shape: Shape, dtype: DType): Tensor {
  let result = gradient;
  if (!sameShape(result.shape, shape)) {
    const extra = result.shape.length - shape.length;
    const axes = result.shape.flatMap((n, i) =>
      i < extra || (shape[i - extra] === 1 && n !== 1) ? [i] : []
    );
    if (axes.length > 0) result = result.sum(axes, { keepDims: true });
    result = result.reshape(shape);
  }
  return result.dtype === dtype ? result : result.to(dtype);
}
