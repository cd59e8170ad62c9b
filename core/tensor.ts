/**
 * The tensor: an array of numbers of one dtype on one device, with its operations
 * as methods.
 *
 * @module
 */
import { fill } from "../ffi/kernels.ts";
import {
  deviceCode,
  dtypeCode,
  type Handle,
  sizes,
  storageOffset,
  strides as stridesOf,
} from "../ffi/handle.ts";
import { copyInto } from "../ffi/kernels.ts";
import { readBytes } from "../ffi/memory.ts";
import { aten } from "../ffi/operators.ts";
import {
  backward,
  type BackwardOptions,
  isGradEnabled,
  Node,
  noGrad,
  setTensorConstructor,
  wrap,
} from "./autograd.ts";
import { empty, full, scalar } from "./create.ts";
import { type Device, deviceCodeOf, deviceOf, isDevice } from "./device.ts";
import { displayTensor, type MediaBundle } from "./display.ts";
import { bytesOf, codeOf, type DType, dtypeOf, isFloating, type NumericArray } from "./dtype.ts";
import { decodeElements, elementOf } from "./elements.ts";
import { formatTensor } from "./format.ts";
import * as compare from "./ops/compare.ts";
import * as elementwise from "./ops/elementwise.ts";
import * as indexing from "./ops/indexing.ts";
import { requireSome } from "./ops/indexing.ts";
import * as matmuls from "./ops/matmul.ts";
import * as movement from "./ops/movement.ts";
import * as reduce from "./ops/reduce.ts";
import * as softmaxes from "./ops/softmax.ts";
import { adopt, type Scope } from "./scope.ts";
import {
  contiguousStrides,
  formatShape,
  normalizeAxes,
  normalizeAxis,
  resolveReshape,
  sameShape,
  type Shape,
  sizeOf,
} from "./shape.ts";

/** An axis or several, negative ones counted from the back. */
export type Axes = number | readonly number[];

/** Whether reduced axes stay, with size 1; default false. */
export interface KeepDims {
  /** Whether they stay. */
  readonly keepDims?: boolean;
}

/** What to free when a tensor that no scope owns is collected. */
interface Net {
  handle: Handle;
  node: Node | null;
}

const unscoped: FinalizationRegistry<Net> = new FinalizationRegistry(({ handle, node }) => {
  handle.release();
  node?.release();
});

/** An n-dimensional array. Made by the functions of `create.ts` and by operations. */
export class Tensor {
  #handle: Handle;
  #disposed = false;
  #name: string;
  #shape: Shape | undefined;
  #strides: Shape | undefined;
  #dtype: DType | undefined;
  #device: Device | undefined;
  #node: Node | null = null;
  #net: Net | null = null;
  /** Internal to core: the scope that frees it. */
  owner: Scope | null = null;

  /** Internal to core: takes the handle over. */
  constructor(handle: Handle, name: string) {
    this.#handle = handle;
    this.#name = name;
  }

  // What it is.

  /** The sizes of its axes. */
  get shape(): Shape {
    return this.#shape ??= sizes(this.handle);
  }

  /** The element type. */
  get dtype(): DType {
    return this.#dtype ??= dtypeOf(this.dtypeCode);
  }

  /** Where it lies. */
  get device(): Device {
    return this.#device ??= deviceOf(deviceCode(this.handle));
  }

  /** How many elements it has. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Steps in memory along each axis, in elements. */
  get strides(): Shape {
    return this.#strides ??= stridesOf(this.handle);
  }

  /** Where it starts in its memory, in elements. */
  get offset(): number {
    return storageOffset(this.handle);
  }

  /** Whether its elements lie row by row without gaps. */
  get isContiguous(): boolean {
    const wanted = contiguousStrides(this.shape);
    return this.size === 0 || this.shape.every((n, i) => n === 1 || this.strides[i] === wanted[i]);
  }

  /** The operation that made it. */
  get name(): string {
    return this.#name;
  }

  // Life.

  /** Whether it was freed. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /** Frees it. What the tape still needs of it stays until the tape is gone. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.owner?.disown(this);
    this.owner = null;
    if (this.#net !== null) unscoped.unregister(this);
    this.#handle.release();
    this.#node?.release();
    this.#node = null;
  }

  /** Frees it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Internal to core: libtorch's tensor; throws if it was freed. */
  get handle(): Handle {
    if (this.#disposed) {
      const shape = this.#shape === undefined ? "" : ` ${formatShape(this.#shape)}`;
      throw new ReferenceError(`Cannot use the result${shape} of ${this.#name}: it was freed`);
    }
    return this.#handle;
  }

  /** Internal to core: the same tensor under another wrapper, off the tape. */
  alias(): Tensor {
    const alias = wrap(this.handle.retain(), this.#name);
    alias.#shape = this.#shape;
    alias.#dtype = this.#dtype;
    return alias;
  }

  /** Internal to core: an alias that no scope owns; whoever holds it disposes of it. */
  hold(): Tensor {
    const held = new Tensor(this.handle.retain(), this.#name);
    held.#shape = this.#shape;
    held.#dtype = this.#dtype;
    return held;
  }

  /** Internal to core: hands the handle over and ends the wrapper. */
  take(): Handle {
    const handle = this.handle.retain();
    this.dispose();
    return handle;
  }

  /** Internal to core: gives a leaf other memory of the same shape and dtype. */
  rebind(handle: Handle): void {
    this.handle.release();
    this.#handle = handle;
    this.#strides = undefined;
    if (this.#net !== null) this.#net.handle = handle;
  }

  /** Internal to core: its place on the tape. */
  get node(): Node | null {
    return this.#node;
  }

  set node(node: Node | null) {
    this.#node = node;
    if (this.#net !== null) this.#net.node = node;
  }

  /** Internal to core: has it freed when it is collected, as nobody else will. */
  watch(): void {
    if (this.#net !== null) return;
    this.#net = { handle: this.#handle, node: this.#node };
    unscoped.register(this, this.#net, this);
  }

  /** Internal to core: a view of this tensor's memory. */
  like(handle: Handle, shape: Shape, strides: Shape): Tensor {
    const view = wrap(handle, "view");
    view.#shape = shape;
    view.#strides = strides;
    view.#dtype = this.#dtype;
    view.#device = this.#device;
    return view;
  }

  /** Internal to core: calls it the result of `name`. */
  named(name: string): this {
    this.#name = name;
    return this;
  }

  /** Internal to core: the number of its dtype. */
  get dtypeCode(): number {
    return this.#dtype === undefined ? dtypeCode(this.handle) : codeOf(this.#dtype);
  }

  // Gradients.

  /** Whether a gradient can be taken by it or through it. */
  get requiresGrad(): boolean {
    return this.node !== null;
  }

  /**
   * Marks it as a leaf whose gradient will be wanted, and returns it.
   *
   * @throws {TypeError} when it is no float, or a result of recorded operations
   */
  requireGrad(): this {
    if (!isFloating(this.dtype)) {
      throw new TypeError(`Cannot take gradients by ${this.dtype}: expected a float`);
    }
    if (this.node !== null && this.node.record !== null) {
      throw new TypeError(`Cannot make a leaf of the result of ${this.#name}: detach it first`);
    }
    this.node ??= new Node(null);
    return this;
  }

  /** The gradient that {@link Tensor.backward} left in a leaf, or null. */
  get grad(): Tensor | null {
    return this.node?.grad ?? null;
  }

  /** Forgets the gradient of a leaf. */
  zeroGrad(): void {
    this.node?.grad?.dispose();
    if (this.node !== null) this.node.grad = null;
  }

  /** Adds the gradients of this scalar to `grad` of every leaf that it depends on. */
  backward(options: BackwardOptions = {}): void {
    backward(this, options);
  }

  /** The same memory, off the tape. */
  detach(): Tensor {
    return this.alias();
  }

  // Values.

  /**
   * The one number in it.
   *
   * @throws {TypeError} when it has more or fewer
   */
  item(): number {
    if (this.size !== 1) {
      throw new TypeError(`Cannot take one number of ${formatShape(this.shape)}`);
    }
    return Number(this.toTypedArray()[0]);
  }

  /** Its elements row by row, copied; bfloat16 and float16 as float32, bool as 0 and 1. */
  toTypedArray(): NumericArray {
    return decodeElements(this.toBytes(), this.dtype);
  }

  /** Its elements row by row as numbers; int64 beyond 2^53 is rounded. */
  toNumbers(): number[] {
    return Array.from(this.toTypedArray() as ArrayLike<number | bigint>, Number);
  }

  /** The bytes of its elements, row by row, copied. */
  toBytes(): Uint8Array<ArrayBuffer> {
    if (this.device === "meta") {
      throw new TypeError(
        `Cannot read the result ${formatShape(this.shape)} of ${this.#name}: ` +
          `a tensor on meta has no elements`,
      );
    }
    const host = this.device === "cpu" && this.isContiguous ? this : this.#hostCopy();
    const bytes = new Uint8Array(this.size * bytesOf(this.dtype));
    readBytes(host.handle, bytes);
    if (host !== this) host.dispose();
    return bytes;
  }

  #hostCopy(): Tensor {
    const host = empty(this.shape, { dtype: this.dtype });
    copyInto(host.handle, this.handle);
    return host;
  }

  /** Its kind and its first elements. */
  toString(): string {
    return formatTensor(this);
  }

  /** How `console.log` shows it. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }

  /** How a notebook shows it. */
  [Symbol.for("Jupyter.display")](): MediaBundle {
    return displayTensor(this);
  }

  // Others like it.

  /** New memory of the same dtype and device, of this shape by default. */
  emptyLike(shape: Shape = this.shape): Tensor {
    return empty(shape, this);
  }

  /** Zeros of the same shape, dtype and device. */
  zerosLike(): Tensor {
    return full(this.shape, 0, this);
  }

  /** Ones of the same shape, dtype and device. */
  onesLike(): Tensor {
    return full(this.shape, 1, this);
  }

  /** Itself if it is already so, else a copy of another dtype or on another device. */
  to(target: DType | Device): Tensor {
    if (isDevice(target)) {
      const device = deviceCodeOf(target);
      if (deviceOf(device) === this.device) return this;
      return elementwise.convert([this], { dtype: null, device });
    }
    if (target === this.dtype) return this;
    const options = { dtype: codeOf(target as DType), device: null };
    if (isFloating(target as DType)) return elementwise.convert([this], options);
    return noGrad(() => elementwise.convert([this], options)); // a step function
  }

  /** A copy, stored row by row. */
  clone(): Tensor {
    return elementwise.clone([this]);
  }

  /** Itself if it is stored row by row, else a copy that is. */
  contiguous(): Tensor {
    return this.isContiguous ? this : this.clone();
  }

  // In place: for buffers and parameters, never for what is on the tape.

  #writable(what: string): Handle {
    if (this.node !== null && (this.node.record !== null || isGradEnabled())) {
      throw new TypeError(`Cannot ${what} a tensor on the tape in place: use noGrad or detach`);
    }
    if (this.shape.some((n, i) => n > 1 && this.strides[i] === 0)) {
      throw new TypeError(`Cannot ${what} an expanded view in place: its elements share memory`);
    }
    return this.handle;
  }

  #requireFit(what: string, other: Tensor): void {
    const extra = this.shape.length - other.shape.length;
    const fits = extra >= 0 && other.shape.every((n, i) => n === 1 || n === this.shape[i + extra]);
    if (!fits) {
      throw new TypeError(
        `Cannot ${what} ${formatShape(this.shape)} in place with ${formatShape(other.shape)}`,
      );
    }
    if (other.node !== null && isGradEnabled()) {
      throw new TypeError(
        `Cannot ${what} a tensor on the tape into another: no gradient would pass; use noGrad or detach`,
      );
    }
    const exact = what === "lerp" || what === "addcmul"; // they do not promote
    if (exact ? other.dtype !== this.dtype : what !== "copy" && !holds(this.dtype, other.dtype)) {
      throw new TypeError(`Cannot ${what} ${this.dtype} in place with ${other.dtype}`);
    }
    if (other.device !== this.device && other.shape.length > 0 && what !== "copy") {
      throw new TypeError(`Cannot ${what} a tensor on ${this.device} with one on ${other.device}`);
    }
  }

  #requireFloating(what: string): void {
    if (!isFloating(this.dtype)) {
      throw new TypeError(`Cannot ${what} ${this.dtype} in place: expected a float`);
    }
  }

  /** Sets every element. */
  fill_(value: number): this {
    fill(this.#writable("fill"), elementOf(value, this.dtype));
    return this;
  }

  /** Copies the elements of another tensor, converting them. */
  copy_(source: Tensor): this {
    const target = this.#writable("copy");
    this.#requireFit("copy", source);
    copyInto(target, source.handle);
    return this;
  }

  /** Multiplies by another tensor. */
  mul_(other: Tensor): this {
    const target = this.#writable("mul");
    this.#requireFit("mul", other);
    aten.mul_(target, other.handle);
    return this;
  }

  /** Divides by another tensor. */
  div_(other: Tensor): this {
    this.#requireFloating("div");
    const target = this.#writable("div");
    this.#requireFit("div", other);
    aten.div_(target, other.handle);
    return this;
  }

  /** Moves towards `end` by the fraction `weight`: `a ← a + weight · (end − a)`. */
  lerp_(end: Tensor, weight: Tensor): this {
    this.#requireFloating("lerp");
    const target = this.#writable("lerp");
    this.#requireFit("lerp", end);
    this.#requireFit("lerp", weight);
    aten.lerp_(target, end.handle, weight.handle);
    return this;
  }

  /** Adds `scale · a · b`. */
  addcmul_(a: Tensor, b: Tensor, scale: number): this {
    this.#requireFloating("addcmul");
    const target = this.#writable("addcmul");
    this.#requireFit("addcmul", a);
    this.#requireFit("addcmul", b);
    const scales = full([1], scale, { dtype: this.dtype });
    aten.foreachAddcmul_([target], [a.handle], [b.handle], scales.handle);
    scales.dispose();
    return this;
  }

  /** Takes the square root. */
  sqrt_(): this {
    this.#requireFloating("sqrt");
    aten.sqrt_(this.#writable("sqrt"));
    return this;
  }

  /** Takes the sign. */
  sign_(): this {
    aten.sign_(this.#writable("sign"));
    return this;
  }

  /** Takes the angle of the point `(other, this)`. */
  atan2_(other: Tensor): this {
    this.#requireFloating("atan2");
    const target = this.#writable("atan2");
    this.#requireFit("atan2", other);
    aten.atan2_(target, other.handle);
    return this;
  }

  /** Replaces rows: slice `index[i]` of an axis by slice `i` of `source`. */
  indexCopy_(axis: number, index: Tensor, source: Tensor): this {
    const target = this.#writable("indexCopy");
    const at = normalizeAxis(axis, this.shape.length, "index");
    const rows = this.shape.with(at, index.size);
    if (!sameShape(source.shape, rows) || source.dtype !== this.dtype || index.dtype !== "int64") {
      throw new TypeError(
        `Cannot copy ${source.dtype} ${formatShape(source.shape)} by ${index.dtype} ` +
          `${formatShape(index.shape)} into ${this.dtype} ${formatShape(this.shape)}`,
      );
    }
    requireSome("copy", index, this, at);
    aten.indexCopy_(target, at, index.handle, source.handle);
    return this;
  }

  // Arithmetic.

  /** `this + other`. */
  add(other: Tensor | number): Tensor {
    return typeof other === "number"
      ? elementwise.addScalar([this], other)
      : elementwise.add([this, other]);
  }
  /** `this − other`. */
  sub(other: Tensor | number): Tensor {
    return typeof other === "number"
      ? elementwise.addScalar([this], this.dtype === "uint8" ? (256 - other) % 256 : -other)
      : elementwise.sub([this, other]);
  }
  /** `this · other`, elementwise. */
  mul(other: Tensor | number): Tensor {
    return typeof other === "number"
      ? elementwise.mulScalar([this], other)
      : elementwise.mul([this, other]);
  }
  /** `this / other`, elementwise; integers give float32. */
  div(other: Tensor | number): Tensor {
    return this.#beside(other, (b) => elementwise.div([this, b]));
  }
  /** `thisⁿ` for a number. */
  pow(n: number): Tensor {
    return elementwise.pow([this], n);
  }
  /** The larger of both. */
  maximum(other: Tensor | number): Tensor {
    return this.#beside(other, (b) => elementwise.maximum([this, b]));
  }
  /** The smaller of both. */
  minimum(other: Tensor | number): Tensor {
    return this.#beside(other, (b) => elementwise.minimum([this, b]));
  }
  /** Kept between two numbers. */
  clamp(options: elementwise.ClampOptions): Tensor {
    return elementwise.clamp([this], options);
  }
  /** The angle of the point `(other, this)`. */
  atan2(other: Tensor): Tensor {
    return elementwise.atan2([this, other]);
  }
  /** `−this`. */
  neg(): Tensor {
    return elementwise.neg([this]);
  }
  /** `|this|`. */
  abs(): Tensor {
    return elementwise.abs([this]);
  }
  /** −1, 0 or 1. */
  sign(): Tensor {
    return elementwise.sign([this]);
  }
  /** `e^this`. */
  exp(): Tensor {
    return elementwise.exp([this]);
  }
  /** The natural logarithm. */
  log(): Tensor {
    return elementwise.log([this]);
  }
  /** `ln(1 + this)`. */
  log1p(): Tensor {
    return elementwise.log1p([this]);
  }
  /** The square root. */
  sqrt(): Tensor {
    return elementwise.sqrt([this]);
  }
  /** `1 / √this`. */
  rsqrt(): Tensor {
    return elementwise.rsqrt([this]);
  }
  /** `this²`. */
  square(): Tensor {
    return elementwise.square([this]);
  }
  /** The sine. */
  sin(): Tensor {
    return elementwise.sin([this]);
  }
  /** The cosine. */
  cos(): Tensor {
    return elementwise.cos([this]);
  }
  /** The hyperbolic tangent. */
  tanh(): Tensor {
    return elementwise.tanh([this]);
  }
  /** `1 / (1 + e^−this)`. */
  sigmoid(): Tensor {
    return elementwise.sigmoid([this]);
  }
  /** `this · σ(this)`. */
  silu(): Tensor {
    return elementwise.silu([this]);
  }
  /** `max(this, 0)`. */
  relu(): Tensor {
    return elementwise.relu([this]);
  }
  /** `this · Φ(this)`. */
  gelu(): Tensor {
    return elementwise.gelu([this]);
  }

  // Comparison and choice.

  /** Whether `this = other`. */
  eq(other: Tensor | number): Tensor {
    return this.#compared(other, (b) => compare.eq([this, b]));
  }
  /** Whether `this ≠ other`. */
  ne(other: Tensor | number): Tensor {
    return this.#compared(other, (b) => compare.ne([this, b]));
  }
  /** Whether `this < other`. */
  lt(other: Tensor | number): Tensor {
    return this.#compared(other, (b) => compare.lt([this, b]));
  }
  /** Whether `this ≤ other`. */
  le(other: Tensor | number): Tensor {
    return this.#compared(other, (b) => compare.le([this, b]));
  }
  /** Whether `this > other`. */
  gt(other: Tensor | number): Tensor {
    return this.#compared(other, (b) => compare.gt([this, b]));
  }
  /** Whether `this ≥ other`. */
  ge(other: Tensor | number): Tensor {
    return this.#compared(other, (b) => compare.ge([this, b]));
  }
  /** Both. */
  logicalAnd(other: Tensor): Tensor {
    return compare.logicalAnd([this, other]);
  }
  /** Either. */
  logicalOr(other: Tensor): Tensor {
    return compare.logicalOr([this, other]);
  }
  /** Not this. */
  logicalNot(): Tensor {
    return compare.logicalNot([this]);
  }
  /** Whether each element is finite. */
  isFinite(): Tensor {
    return compare.isFinite([this]);
  }
  /** `a` where this bool tensor holds, else `b`. */
  where(a: Tensor, b: Tensor): Tensor {
    return elementwise.where([this, a, b]);
  }

  /** With a number as a tensor that does not change this one's dtype. */
  #beside(other: Tensor | number, operation: (b: Tensor) => Tensor): Tensor {
    if (typeof other !== "number") return operation(other);
    // A number without axes gives way to this tensor's dtype, so that it need not be rounded to it.
    const precise = !isFloating(this.dtype) || (this.shape.length > 0 && bytesOf(this.dtype) < 4);
    using number = scalar(other, { dtype: precise ? "float32" : this.dtype });
    return operation(number);
  }

  /** With a number to compare with, exact in float64 unless this tensor is a number itself. */
  #compared(other: Tensor | number, comparison: (b: Tensor) => Tensor): Tensor {
    if (typeof other !== "number") return comparison(other);
    using number = scalar(other, { dtype: "float64" });
    return comparison(number);
  }

  // Reduction.

  #reduce(
    reduction: typeof reduce.sum,
    what: string,
    axes: Axes | undefined,
    keepDims: boolean,
  ): Tensor {
    const list = normalizeAxes(axes, this.shape.length, what);
    if (list.length > 0 || this.shape.length === 0) {
      return reduction([this], { axes: list, keepDims });
    }
    // Over no axes: libtorch would take all of them.
    using lifted = this.unsqueeze(0);
    return reduction([lifted], { axes: [0], keepDims: false });
  }

  /** The sum over some axes, or all. */
  sum(axes?: Axes, { keepDims = false }: KeepDims = {}): Tensor {
    return this.#reduce(reduce.sum, "sum", axes, keepDims);
  }
  /** The mean over some axes, or all. */
  mean(axes?: Axes, { keepDims = false }: KeepDims = {}): Tensor {
    return this.#reduce(reduce.mean, "average", axes, keepDims);
  }
  /** The largest element over some axes, or all. */
  max(axes?: Axes, { keepDims = false }: KeepDims = {}): Tensor {
    return this.#reduce(reduce.max, "take the max of", axes, keepDims);
  }
  /** The smallest element over some axes, or all. */
  min(axes?: Axes, { keepDims = false }: KeepDims = {}): Tensor {
    return this.#reduce(reduce.min, "take the min of", axes, keepDims);
  }
  /** Whether all elements along an axis are true. */
  all(axis: number, { keepDims = false }: KeepDims = {}): Tensor {
    return reduce.all([this], { axis: this.#axis(axis, "test"), keepDims });
  }
  /** Whether any element along an axis is true. */
  any(axis: number, { keepDims = false }: KeepDims = {}): Tensor {
    return reduce.any([this], { axis: this.#axis(axis, "test"), keepDims });
  }
  /** Where along an axis the largest element is; int64. */
  argmax(axis: number, { keepDims = false }: KeepDims = {}): Tensor {
    return reduce.argmax([this], { axis: this.#axis(axis, "search"), keepDims });
  }
  /** Running sums along an axis. */
  cumsum(axis: number): Tensor {
    return reduce.cumsum([this], { axis: this.#axis(axis, "sum") });
  }
  /** `e^this / Σ e^this` along an axis. */
  softmax(axis: number): Tensor {
    return softmaxes.softmax([this], { axis: this.#axis(axis, "normalise") });
  }
  /** `this − ln Σ e^this` along an axis. */
  logSoftmax(axis: number): Tensor {
    return softmaxes.logSoftmax([this], { axis: this.#axis(axis, "normalise") });
  }

  #axis(axis: number, what: string): number {
    return normalizeAxis(axis, this.shape.length, what);
  }

  // Products.

  /** `this @ other`: matrices in the last two axes, the others broadcast. */
  matmul(other: Tensor): Tensor {
    return matmuls.matmul([this, other]);
  }

  // Movement.

  /** The same elements under another shape; one size may be −1. A view where memory allows. */
  reshape(shape: Shape): Tensor {
    const resolved = resolveReshape(this.shape, shape);
    return sameShape(resolved, this.shape) ? this : movement.reshape([this], { shape: resolved });
  }
  /** The axes in another order; a view. */
  permute(axes: readonly number[]): Tensor {
    const order = normalizeAxes(axes, this.shape.length, "permute");
    if (order.length !== this.shape.length) {
      throw new TypeError(`Cannot permute ${formatShape(this.shape)} by ${formatShape(axes)}`);
    }
    return movement.permute([this], { axes: order });
  }
  /** Two axes exchanged; a view. */
  transpose(a: number, b: number): Tensor {
    const order = this.shape.map((_, i) => i);
    const first = this.#axis(a, "transpose"), second = this.#axis(b, "transpose");
    order[first] = second;
    order[second] = first;
    return movement.permute([this], { axes: order });
  }
  /** Axes of size 1 repeated, and new ones in front; a view. */
  expand(shape: Shape): Tensor {
    return movement.expand([this], { shape });
  }
  /** A new axis of size 1; a view. */
  unsqueeze(axis: number): Tensor {
    const at = normalizeAxis(axis, this.shape.length + 1, "insert");
    return movement.reshape([this], { shape: this.shape.toSpliced(at, 0, 1) });
  }
  /** Without an axis of size 1; a view. */
  squeeze(axis: number): Tensor {
    const at = this.#axis(axis, "squeeze");
    if (this.shape[at] !== 1) {
      throw new TypeError(`Cannot squeeze axis ${axis} of ${formatShape(this.shape)}`);
    }
    return movement.reshape([this], { shape: this.shape.toSpliced(at, 1) });
  }
  /** `[start, end)` of an axis, negative numbers counted from its end; a view. */
  slice(axis: number, start: number, end?: number): Tensor {
    const at = this.#axis(axis, "slice");
    const n = this.shape[at]!;
    const from = start < 0 ? start + n : start;
    const to = end === undefined ? n : end < 0 ? end + n : end;
    if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to > n || from > to) {
      throw new RangeError(`Cannot slice ${start} to ${end ?? n} of an axis of ${n}`);
    }
    return movement.slice([this], { axis: at, start: from, end: to });
  }
  /** One slice of an axis, without that axis; a view. */
  select(axis: number, index: number): Tensor {
    const at = this.#axis(axis, "select");
    const n = this.shape[at]!;
    const from = index < 0 ? index + n : index;
    if (!Number.isInteger(from) || from < 0 || from >= n) {
      throw new RangeError(`Cannot select ${index} of an axis of ${n}`);
    }
    using range = this.slice(at, from, from + 1);
    return range.squeeze(at);
  }
  /** Equal parts along an axis; views. */
  split(parts: number, axis: number): Tensor[] {
    const at = this.#axis(axis, "split");
    const n = this.shape[at]!;
    if (!Number.isInteger(parts) || parts < 1 || n % parts !== 0) {
      throw new TypeError(`Cannot split an axis of ${n} into ${parts} equal parts`);
    }
    const step = n / parts;
    return Array.from({ length: parts }, (_, i) => this.slice(at, i * step, (i + 1) * step));
  }
  /** One axis made longer on both sides. */
  pad(axis: number, padding: readonly [before: number, after: number], value = 0): Tensor {
    if (padding.some((n) => !Number.isInteger(n) || n < 0)) {
      throw new RangeError(`Cannot pad by ${formatShape(padding)}`);
    }
    return movement.pad([this], { axis: this.#axis(axis, "pad"), padding, value });
  }
  /** Axes turned around. */
  flip(axes: Axes): Tensor {
    return movement.flip([this], { axes: normalizeAxes(axes, this.shape.length, "flip") });
  }

  // Indexing.

  /** Of every position the element at its index along an axis; the index is int64. */
  gather(axis: number, index: Tensor): Tensor {
    return indexing.gather([this, index], { axis: this.#axis(axis, "gather") });
  }
  /** Slices of an axis in the order of a list of indices. */
  indexSelect(axis: number, index: Tensor): Tensor {
    return indexing.indexSelect([this, index], { axis: this.#axis(axis, "index") });
  }
  /** With the elements of a source added at its indices along an axis. */
  scatterAdd(axis: number, index: Tensor, source: Tensor): Tensor {
    return indexing.scatterAdd([this, index, source], { axis: this.#axis(axis, "scatter") });
  }
  /** Internal to core: the gradient through a softmax whose result was `y`. */
  softmaxVjp(y: Tensor): Tensor {
    return softmaxes.softmaxVjp([this, y], { axis: y.shape.length - 1 });
  }
}

/** Whether a result of `other` and `dtype` can be stored as `dtype`, if not as precisely. */
function holds(dtype: DType, other: DType): boolean {
  const kind = (d: DType) => d === "bool" ? 0 : isFloating(d) ? 2 : 1;
  return kind(other) <= kind(dtype);
}

setTensorConstructor((handle, name) => {
  const tensor = new Tensor(handle, name);
  adopt(tensor);
  return tensor;
});

/** Tensors one after another along an axis. */
export function cat(tensors: readonly Tensor[], axis = 0): Tensor {
  const rank = tensors[0]?.shape.length ?? 0;
  return movement.cat(tensors, { axis: rank === 0 ? 0 : normalizeAxis(axis, rank, "concatenate") });
}

/** Tensors of one shape side by side along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const lifted = tensors.map((t) => t.unsqueeze(axis));
  const stacked = cat(lifted, axis);
  for (const t of lifted) t.dispose();
  return stacked;
}

/** Rows of a table, `weight[indices]`: `[N, D]` by `[…]` to `[…, D]`. */
export function embedding(weight: Tensor, indices: Tensor): Tensor {
  return indexing.embedding([weight, indices]);
}
