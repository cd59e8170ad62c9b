import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  arange,
  bceWithLogits,
  cat,
  crossEntropy,
  type Device,
  type DType,
  embedding,
  fromTypedArray,
  full,
  layerNorm,
  LibraryError,
  linear,
  liveTensors,
  loadLibrary,
  type Nested,
  noGrad,
  ones,
  randn,
  Random,
  scalar,
  scope,
  selfAttention,
  stablemaxCrossEntropy,
  stack,
  swiglu,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";
import { libraryFile } from "../../ffi/locate.ts";
import { assertClose } from "../close.ts";

const ints = (values: Nested, dtype: DType = "int64"): Tensor => tensor(values, { dtype });
const wide = (values: Nested): Tensor => tensor(values, { dtype: "float64" });

/** Shape, dtype and numbers at once. */
function facts(t: Tensor): [readonly number[], DType, number[]] {
  return [t.shape, t.dtype, t.toNumbers()];
}

// What it is.

Deno.test("Tensor says what it is", () => {
  using _ = scope();
  const a = ints([[1, 2, 3], [4, 5, 6]]);
  assertEquals([a.shape, a.dtype, a.device, a.size], [[2, 3], "int64", "cpu", 6]);
  assertEquals([a.strides, a.offset, a.isContiguous, a.name], [[3, 1], 0, true, "tensor"]);
  const b = a.transpose(0, 1).slice(0, 1);
  assertEquals([b.shape, b.strides, b.offset, b.isContiguous], [[2, 2], [1, 3], 1, false]);
  assertEquals(b.toNumbers(), [2, 5, 3, 6]);
  assertEquals([b.contiguous().strides, b.contiguous().toNumbers()], [[2, 1], [2, 5, 3, 6]]);
  assertEquals(a.contiguous(), a);
});

Deno.test("item() takes the one number of any shape, and refuses more or fewer", () => {
  using _ = scope();
  assertEquals([scalar(3).item(), tensor([[4]]).item(), ints([5]).item()], [3, 4, 5]);
  assertThrows(() => ones([2, 3]).item(), TypeError, "Cannot take one number of [2, 3]");
  assertThrows(() => ones([0]).item(), TypeError, "Cannot take one number of [0]");
});

// Elementwise: values against JavaScript's own.

const unary: Readonly<Record<string, [(t: Tensor) => Tensor, (x: number) => number, number[]]>> = {
  neg: [(t) => t.neg(), (x) => -x, [-1.5, 0.5]],
  abs: [(t) => t.abs(), Math.abs, [-1.5, 0, 0.5]],
  sign: [(t) => t.sign(), Math.sign, [-1.5, 0, 0.5]],
  exp: [(t) => t.exp(), Math.exp, [-2, 0, 3]],
  log: [(t) => t.log(), Math.log, [0.1, 1, 20]],
  log1p: [(t) => t.log1p(), Math.log1p, [1e-10, 1]],
  sqrt: [(t) => t.sqrt(), Math.sqrt, [0, 2]],
  rsqrt: [(t) => t.rsqrt(), (x) => 1 / Math.sqrt(x), [0.5, 2]],
  square: [(t) => t.square(), (x) => x * x, [-3, 2]],
  sin: [(t) => t.sin(), Math.sin, [-1, 2]],
  cos: [(t) => t.cos(), Math.cos, [-1, 2]],
  tanh: [(t) => t.tanh(), Math.tanh, [-1, 2]],
  sigmoid: [(t) => t.sigmoid(), (x) => 1 / (1 + Math.exp(-x)), [-1, 0, 30]],
  silu: [(t) => t.silu(), (x) => x / (1 + Math.exp(-x)), [-1, 2]],
  relu: [(t) => t.relu(), (x) => Math.max(x, 0), [-1, 0, 2]],
  // x Φ(x) at points whose Φ is tabulated
  gelu: [(t) => t.gelu(), (x) => x * (x < 0 ? 0.15865525393145707 : 0.8413447460685429), [-1, 1]],
  pow: [(t) => t.pow(2.5), (x) => x ** 2.5, [0, 0.5, 3]],
  add: [(t) => t.add(1.25), (x) => x + 1.25, [-1, 2]],
  sub: [(t) => t.sub(1.25), (x) => x - 1.25, [-1, 2]],
  mul: [(t) => t.mul(-3), (x) => x * -3, [-1, 2]],
  div: [(t) => t.div(3), (x) => x / 3, [-1, 2]],
  maximum: [(t) => t.maximum(0.5), (x) => Math.max(x, 0.5), [-1, 0.5, 2]],
  minimum: [(t) => t.minimum(0.5), (x) => Math.min(x, 0.5), [-1, 0.5, 2]],
  clamp: [(t) => t.clamp({ min: -1, max: 1 }), (x) => Math.min(1, Math.max(-1, x)), [-3, 0.5, 3]],
};

for (const [name, [call, want, values]] of Object.entries(unary)) {
  Deno.test(`${name}() equals JavaScript's numbers`, () => {
    using _ = scope();
    const expected = { shape: [values.length], values: values.map(want) };
    const near = { float64: 1e-14, float32: 1e-6, bfloat16: 2e-2 } as const;
    for (const [dtype, tolerance] of Object.entries(near) as [DType, number][]) {
      const y = call(tensor(values, { dtype }));
      assertEquals(y.dtype, dtype);
      assertClose(y, expected, { rtol: tolerance, atol: tolerance });
    }
  });
}

Deno.test("add(), sub(), mul(), div() and atan2() broadcast in both directions", () => {
  using _ = scope();
  const a = wide([[1], [2]]), b = wide([10, 20, 40]);
  assertEquals(facts(a.add(b)), [[2, 3], "float64", [11, 21, 41, 12, 22, 42]]);
  assertEquals(a.sub(b).toNumbers(), [-9, -19, -39, -8, -18, -38]);
  assertEquals(a.mul(b).toNumbers(), [10, 20, 40, 20, 40, 80]);
  assertEquals(b.div(a).toNumbers(), [10, 20, 40, 5, 10, 20]);
  assertEquals(a.atan2(b).shape, [2, 3]);
  assertAlmostEquals(wide(1).atan2(wide(-1)).item(), 0.75 * Math.PI, 1e-15);
  assertEquals(ones([0, 3]).add(ones([1])).shape, [0, 3]);
});

Deno.test("add(), sub() and mul() of integers are exact and of the wider dtype", () => {
  using _ = scope();
  const big = fromTypedArray(BigInt64Array.of(2n ** 62n, -(2n ** 62n)));
  const sum = big.add(ints([1, -1]));
  assertEquals(sum.toTypedArray(), BigInt64Array.of(2n ** 62n + 1n, -(2n ** 62n) - 1n));
  assertEquals(big.sub(1).toTypedArray(), BigInt64Array.of(2n ** 62n - 1n, -(2n ** 62n) - 1n));
  assertEquals(facts(ints([1, 2], "int32").add(ints([3, 4], "int32"))), [[2], "int32", [4, 6]]);
  assertEquals(facts(ints([1, 2], "int32").add(ints([3, 4], "uint8"))), [[2], "int32", [4, 6]]);
  assertEquals(facts(ints([1, 2], "int32").sub(ints([3, 4], "uint8"))), [[2], "int32", [-2, -2]]);
  assertEquals(facts(ints([1, 2], "uint8").sub(ints([3, 1], "uint8"))), [[2], "uint8", [254, 1]]);
  assertEquals(facts(ints([[1], [2]]).sub(ints([1, 2]))), [[2, 2], "int64", [0, -1, 1, 0]]);
  assertEquals(facts(ints([1, 2]).add(tensor([0.5, 0.5]))), [[2], "float32", [1.5, 2.5]]);
  assertEquals(facts(tensor([0.5]).sub(ints([200], "uint8"))), [[1], "float32", [-199.5]]);
  assertEquals(facts(ints([2, 3]).mul(ints([5, 7]))), [[2], "int64", [10, 21]]);
  assertEquals(facts(ints([2, 3]).mul(4)), [[2], "int64", [8, 12]]);
  assertEquals(facts(ints([7, 2]).div(2)), [[2], "float32", [3.5, 1]]);
  assertEquals(facts(ints([7, 2], "uint8").sub(3)), [[2], "uint8", [4, 255]]);
});

Deno.test("div() of bfloat16 by a number does not round the number first", () => {
  using _ = scope();
  const a = randn([500], new Random(1), { dtype: "bfloat16" });
  const want = a.to("float32").div(3.14159).to("bfloat16");
  assertEquals(a.div(3.14159).toBytes(), want.toBytes());
  assertEquals(a.select(0, 0).div(3).dtype, "bfloat16");
});

Deno.test("maximum(), minimum() and where() choose element by element", () => {
  using _ = scope();
  const a = tensor([1, 5]), b = tensor([[2], [4]]);
  assertEquals(a.maximum(b).toNumbers(), [2, 5, 4, 5]);
  assertEquals(a.minimum(b).toNumbers(), [1, 2, 1, 4]);
  assertEquals(facts(a.gt(b).where(a, b)), [[2, 2], "float32", [2, 5, 4, 5]]);
  const choice = ints([1, 0], "bool").where(ints([1, 2]), ints(9));
  assertEquals(facts(choice), [[2], "int64", [1, 9]]);
});

Deno.test("eq(), lt() and their like compare dtypes and numbers, as bool", () => {
  using _ = scope();
  const a = tensor([1, 2, 3]);
  assertEquals(facts(a.eq(2)), [[3], "bool", [0, 1, 0]]);
  assertEquals(a.ne(ints([1, 0, 3])).toNumbers(), [0, 1, 0]);
  assertEquals(a.lt(2).toNumbers(), [1, 0, 0]);
  assertEquals(a.le(2).toNumbers(), [1, 1, 0]);
  assertEquals(a.gt(2).toNumbers(), [0, 0, 1]);
  assertEquals(a.ge(2).toNumbers(), [0, 1, 1]);
  assertEquals(tensor([0.1]).eq(0.1).toNumbers(), [1]); // the number becomes float32
  assertEquals(ints([1]).lt(1.5).toNumbers(), [1]); // and is not rounded to an integer
  assertEquals(a.lt(2).logicalOr(a.gt(2)).toNumbers(), [1, 0, 1]);
  assertEquals(a.lt(3).logicalAnd(a.gt(1)).toNumbers(), [0, 1, 0]);
  assertEquals(tensor([0, 2, NaN]).logicalNot().toNumbers(), [1, 0, 0]);
  assertEquals(tensor([0, Infinity, NaN]).isFinite().toNumbers(), [1, 0, 0]);
});

// Reductions.

Deno.test("sum(), mean(), max() and min() over one axis, several, all, none", () => {
  using _ = scope();
  const a = tensor([[1, 2, 3], [4, 5, 9]]);
  assertEquals(facts(a.sum()), [[], "float32", [24]]);
  assertEquals(facts(a.sum(0)), [[3], "float32", [5, 7, 12]]);
  assertEquals(facts(a.mean(-1, { keepDims: true })), [[2, 1], "float32", [2, 6]]);
  assertEquals(facts(a.max([0, 1], { keepDims: true })), [[1, 1], "float32", [9]]);
  assertEquals(a.min(0).toNumbers(), [1, 2, 3]);
  for (const same of [a.sum([]), a.mean([]), a.max([]), a.min([], { keepDims: true })]) {
    assertEquals(facts(same), facts(a));
  }
  assertEquals(scalar(5).sum().item(), 5);
  assertEquals(facts(ones([0, 2]).sum(0)), [[2], "float32", [0, 0]]);
});

Deno.test("sum() of integers and bools is int64; mean() of them is refused", () => {
  using _ = scope();
  assertEquals(facts(ints([200, 100], "uint8").sum()), [[], "int64", [300]]);
  assertEquals(facts(ints([1, 0, 1], "bool").sum()), [[], "int64", [2]]);
  assertEquals(facts(ints([1, 1], "bool").cumsum(0)), [[2], "int64", [1, 2]]);
  assertThrows(() => ints([1]).mean(), TypeError, "Cannot take the mean of int64");
});

Deno.test("max(), min(), mean() and argmax() of nothing are refused", () => {
  using _ = scope();
  const none = ones([2, 0]);
  assertThrows(() => none.max(1), TypeError, "Cannot take the max of [2, 0]: an axis is empty");
  assertThrows(() => none.min(), TypeError, "min of [2, 0]");
  assertThrows(() => none.mean(), TypeError, "mean of [2, 0]");
  assertThrows(() => none.argmax(1), TypeError, "argmax of [2, 0]");
  assertEquals(none.max(0).shape, [0]);
});

Deno.test("all(), any(), argmax() and cumsum() along an axis", () => {
  using _ = scope();
  const a = tensor([[1, 0, 3], [4, 5, 5]]);
  assertEquals(facts(a.all(1)), [[2], "bool", [0, 1]]);
  assertEquals(facts(a.any(0, { keepDims: true })), [[1, 3], "bool", [1, 1, 1]]);
  assertEquals(facts(ints([0, 2], "uint8").any(0)), [[], "bool", [1]]);
  assertEquals(facts(ints([0, 2], "uint8").all(0)), [[], "bool", [0]]);
  assertEquals(facts(a.argmax(1)), [[2], "int64", [2, 1]]);
  assertEquals(a.cumsum(1).toNumbers(), [1, 1, 4, 4, 9, 14]);
  assertThrows(
    () => scalar(1).argmax(0),
    RangeError,
    "Cannot search axis 0 of a tensor with 0 axes",
  );
});

Deno.test("softmax() sums to one along its axis, and takes large numbers", () => {
  using _ = scope();
  const a = wide([[1000, 1000 + Math.log(3)], [-5, -Infinity]]);
  assertClose(a.softmax(1), { shape: [2, 2], values: [0.25, 0.75, 1, 0] }, { rtol: 1e-12 });
  assertClose(a.softmax(1).log(), a.logSoftmax(1));
  assertClose(randn([3, 4], new Random(1)).softmax(0).sum(0), ones([4]));
});

// Products.

Deno.test("matmul() equals sums of products, batched and broadcast, in float dtypes", () => {
  using _ = scope();
  const a = wide([[1, 2], [3, 4]]), b = wide([[5, 6], [7, 8]]);
  assertEquals(a.matmul(b).toNumbers(), [19, 22, 43, 50]);
  assertEquals(a.transpose(0, 1).matmul(b).toNumbers(), [26, 30, 38, 44]);
  const batch = stack([a, b]);
  assertEquals(batch.matmul(b.unsqueeze(0)).toNumbers(), [19, 22, 43, 50, 67, 78, 91, 106]);
  assertEquals(facts(ones([2, 0]).matmul(ones([0, 3]))), [[2, 3], "float32", [0, 0, 0, 0, 0, 0]]);
  const half = ones([2, 2], { dtype: "bfloat16" });
  assertEquals(facts(half.matmul(half)), [[2, 2], "bfloat16", [2, 2, 2, 2]]);
});

// Movement.

Deno.test("reshape(), permute(), slice(), expand() and split() share memory", () => {
  using _ = scope();
  const a = arange(24, { dtype: "float32" }).reshape([2, 3, 4]);
  const views = [
    a.reshape([6, -1]),
    a.permute([2, 0, 1]),
    a.slice(1, -2),
    a.select(2, -1),
    a.unsqueeze(0),
    a.slice(0, 0, 1).squeeze(0),
    a.slice(1, 0, 1).expand([2, 5, 4]),
    ...a.split(2, -1),
  ];
  a.fill_(7);
  for (const view of views) assertEquals(new Set(view.toNumbers()), new Set([7]));
});

Deno.test("reshape() copies only where memory allows no view", () => {
  using _ = scope();
  const a = arange(6).reshape([2, 3]);
  const turned = a.transpose(0, 1);
  const flat = turned.reshape([6]);
  assertEquals(flat.toNumbers(), [0, 3, 1, 4, 2, 5]);
  assertEquals(turned.reshape([3, 2, 1]).strides.slice(0, 2), [1, 3]);
  a.fill_(9);
  assertEquals(flat.toNumbers(), [0, 3, 1, 4, 2, 5]);
});

Deno.test("permute(), transpose(), slice(), select(), split(), flip() and pad() move elements", () => {
  using _ = scope();
  const a = arange(6).reshape([2, 3]);
  assertEquals(facts(a.permute([1, 0])), [[3, 2], "int64", [0, 3, 1, 4, 2, 5]]);
  assertEquals(a.transpose(-1, 0).toNumbers(), [0, 3, 1, 4, 2, 5]);
  assertEquals(facts(a.slice(1, 1, 3)), [[2, 2], "int64", [1, 2, 4, 5]]);
  assertEquals(a.slice(-1, -2, -1).toNumbers(), [1, 4]);
  assertEquals(facts(a.slice(0, 2)), [[0, 3], "int64", []]);
  assertEquals(facts(a.select(1, -1)), [[2], "int64", [2, 5]]);
  assertEquals(a.split(3, 1).map((t) => t.toNumbers()), [[0, 3], [1, 4], [2, 5]]);
  assertEquals(a.flip([0, 1]).toNumbers(), [5, 4, 3, 2, 1, 0]);
  assertEquals(facts(a.pad(1, [1, 0], 9)), [[2, 4], "int64", [9, 0, 1, 2, 9, 3, 4, 5]]);
  assertEquals(facts(a.expand([2, 2, 3]).sum(0)), [[2, 3], "int64", [0, 2, 4, 6, 8, 10]]);
});

Deno.test("cat() and stack() join along an old axis and a new one", () => {
  using _ = scope();
  const a = ints([[1, 2]]), b = ints([[3, 4], [5, 6]]);
  assertEquals(facts(cat([a, b])), [[3, 2], "int64", [1, 2, 3, 4, 5, 6]]);
  assertEquals(facts(cat([b, b.slice(1, 0, 1)], -1)), [[2, 3], "int64", [3, 4, 3, 5, 6, 5]]);
  assertEquals(facts(stack([ints([1, 2]), ints([3, 4])], -1)), [[2, 2], "int64", [1, 3, 2, 4]]);
  assertEquals(facts(stack([scalar(1), scalar(2)])), [[2], "float32", [1, 2]]);
});

Deno.test("slice(), select(), split() and squeeze() refuse what is not there", () => {
  using _ = scope();
  const a = ones([2, 3]);
  assertThrows(() => a.slice(1, 1, 4), RangeError, "Cannot slice 1 to 4 of an axis of 3");
  assertThrows(() => a.slice(1, 2, 1), RangeError, "Cannot slice 2 to 1");
  assertThrows(() => a.slice(1, -4), RangeError, "Cannot slice -4 to 3");
  assertThrows(() => a.slice(1, 0.5), RangeError, "Cannot slice 0.5");
  for (const index of [3, -4, -5, 1.5]) {
    assertThrows(() => a.select(1, index), RangeError, `Cannot select ${index} of an axis of 3`);
  }
  assertThrows(() => a.split(2, 1), TypeError, "Cannot split an axis of 3 into 2 equal parts");
  assertThrows(() => a.squeeze(0), TypeError, "Cannot squeeze axis 0 of [2, 3]");
  assertThrows(() => a.pad(0, [-1, 0]), RangeError, "Cannot pad by [-1, 0]");
});

// Indexing.

Deno.test("gather(), indexSelect(), scatterAdd() and embedding() read and write by places", () => {
  using _ = scope();
  const a = tensor([[1, 2, 3], [4, 5, 6]]);
  assertEquals(facts(a.gather(1, ints([[2, 0], [1, 1]]))), [[2, 2], "float32", [3, 1, 5, 5]]);
  assertEquals(a.gather(0, ints([[1, 0, 1]])).toNumbers(), [4, 2, 6]);
  assertEquals(facts(a.indexSelect(1, ints([2, 2, 0]))).at(-1), [3, 3, 1, 6, 6, 4]);
  const sum = a.scatterAdd(1, ints([[0, 0], [2, 1]]), tensor([[10, 20], [30, 40]]));
  assertEquals(sum.toNumbers(), [31, 2, 3, 4, 45, 36]);
  const rows = embedding(a, ints([[1], [0]], "int32"));
  assertEquals(facts(rows), [[2, 1, 3], "float32", [4, 5, 6, 1, 2, 3]]);
});

Deno.test("gather() and its like refuse indices of other dtypes, shapes and ranges", () => {
  using _ = scope();
  const a = ones([2, 3]);
  assertThrows(
    () => a.gather(1, tensor([[0]])),
    TypeError,
    "Cannot index with float32: expected int64",
  );
  assertThrows(() => a.gather(1, ints([0])), TypeError, "Cannot gather [2, 3] by an index of [1]");
  assertThrows(() => a.gather(1, ints([[0], [0], [0]])), TypeError, "by an index of [3, 1]");
  assertThrows(() => a.indexSelect(0, ints([[0]])), TypeError, "by an index of [1, 1]: one axis");
  assertThrows(() => embedding(ones([3]), ints([0])), TypeError, "rows of [3]: expected two axes");
  assertThrows(
    () => a.scatterAdd(1, ints([[0]]), wide([[1]])),
    TypeError,
    "Cannot scatter float64 into float32",
  );
  for (const place of [3, -1]) {
    assertThrows(() => a.gather(1, ints([[place]])), Error, "out of bounds");
  }
});

Deno.test("Numbers as operands, select() and stack() leave nothing but results", () => {
  using _ = scope();
  const a = tensor([[1, 2], [3, 4]], { dtype: "bfloat16" }).requireGrad(), n = ints([1, 2]);
  const before = liveTensors();
  const results = [
    ...[a.div(3), a.maximum(2), a.minimum(2), a.lt(2), a.clamp({ min: 2 }), a.sum([])],
    ...[a.select(0, 1), stack([a, a]), n.add(1), n.sub(1), n.mul(2), n.div(2), n.sub(a)],
  ];
  assertEquals(results.slice(0, 3).map(({ dtype }) => dtype), Array(3).fill("bfloat16"));
  for (const t of results) t.dispose();
  assertEquals(liveTensors(), before);
});

// In place.

Deno.test("fill_(), copy_(), mul_() and their like write to the tensor and its views", () => {
  using _ = scope();
  const a = zeros([2, 2]);
  const row = a.select(0, 1);
  assertEquals(a.fill_(3), a);
  row.copy_(ints([4, 16]));
  assertEquals(a.toNumbers(), [3, 3, 4, 16]);
  row.sqrt_().mul_(tensor([1, 10])).div_(scalar(2));
  assertEquals(a.toNumbers(), [3, 3, 1, 20]);
  a.lerp_(full([2, 2], 5), scalar(0.5));
  assertEquals(a.toNumbers(), [4, 4, 3, 12.5]);
  a.addcmul_(ones([2]), full([2, 1], 2), -0.5);
  assertEquals(a.toNumbers(), [3, 3, 2, 11.5]);
  a.indexCopy_(0, ints([1]), zeros([1, 2]));
  assertEquals(a.toNumbers(), [3, 3, 0, 0]);
  assertEquals(tensor([-2, 0, 5]).sign_().toNumbers(), [-1, 0, 1]);
  assertAlmostEquals(wide([1]).atan2_(wide([1])).item(), Math.PI / 4, 1e-15);
});

Deno.test("copy_() and mul_() refuse shapes and dtypes that do not fit into the tensor", () => {
  using _ = scope();
  const a = ones([2, 3]), n = ints([1, 2, 3]);
  assertThrows(() => a.copy_(ones([3, 2])), TypeError, "Cannot copy [2, 3] in place with [3, 2]");
  assertThrows(
    () => a.mul_(ones([1, 2, 3])),
    TypeError,
    "Cannot mul [2, 3] in place with [1, 2, 3]",
  );
  assertThrows(() => n.mul_(a.select(0, 0)), TypeError, "Cannot mul int64 in place with float32");
  assertThrows(
    () => a.lerp_(wide([1, 2, 3]), scalar(1)),
    TypeError,
    "Cannot lerp float32 in place with float64",
  );
  assertThrows(() => n.sqrt_(), TypeError, "int64");
  assertThrows(() => n.div_(n), TypeError, "int64");
  assertThrows(
    () => a.indexCopy_(0, ints([0]), ones([1, 2])),
    TypeError,
    "Cannot copy float32 [1, 2] by int64 [1] into float32 [2, 3]",
  );
});

Deno.test("mul_() refuses a view whose elements share memory", () => {
  using _ = scope();
  assertThrows(() => ones([1]).expand([3]).mul_(ones([3])), Error);
});

// Errors.

Deno.test("Operations of shapes that do not fit name both", () => {
  using _ = scope();
  const a = ones([2, 3]), b = ones([4]);
  for (
    const name of ["add", "sub", "mul", "div", "maximum", "minimum", "atan2", "eq", "lt"] as const
  ) {
    assertThrows(() => a[name](b), TypeError, `Cannot ${name} [2, 3] with [4]`);
  }
  assertThrows(
    () => a.matmul(a),
    TypeError,
    "Cannot matmul [2, 3] with [2, 3]: inner sizes 3 and 2",
  );
  assertThrows(() => a.eq(0).where(b, a), TypeError, "Cannot where [4] with [2, 3]");
  assertThrows(() => cat([a, b]), TypeError, "Cannot concatenate float32 [2, 3] with float32 [4]");
  assertThrows(() => cat([scalar(1)]), TypeError, "stack them");
  assertThrows(() => cat([]), TypeError, "Cannot concatenate no tensors");
  assertThrows(() => a.expand([3, 3]), TypeError, "Cannot expand [2, 3] to [3, 3]");
  assertThrows(() => a.expand([-1, 2, 3]), TypeError, "Cannot expand [2, 3] to [-1, 2, 3]");
  assertThrows(() => a.permute([0]), TypeError, "Cannot permute [2, 3] by [0]");
  assertThrows(
    () => linear([a, ones([2, 2])]),
    TypeError,
    "weight of [2, 2] to [2, 3]: expected [out, 3]",
  );
  assertThrows(
    () => linear([a, ones([4, 3]), b.slice(0, 1)]),
    TypeError,
    "bias of [3] to 4 outputs",
  );
  assertThrows(
    () => layerNorm([a, b, b], { eps: 1e-5 }),
    TypeError,
    "Cannot scale float32 [2, 3] by float32 [4]",
  );
  assertThrows(
    () => swiglu([a, ones([4, 3]), ones([3, 3])]),
    TypeError,
    "float32 [4, 3] and float32 [3, 3]",
  );
  assertThrows(
    () => bceWithLogits([a, b]),
    TypeError,
    "Cannot compare float32 [2, 3] with float32 [4]",
  );
  const labels = ints([0]);
  for (const loss of [crossEntropy, stablemaxCrossEntropy]) {
    assertThrows(() => loss(a, labels), TypeError, "logits [2, 3] by labels [1]");
    assertThrows(() => loss(a, ones([2])), TypeError, "float32 logits by float32 labels");
  }
  const attend = (heads: number) => selfAttention([ones([1, 2, 6])], { heads, rotary: null });
  for (const heads of [4, 0, -1, 0.5]) {
    assertThrows(
      () => attend(heads),
      TypeError,
      `Cannot attend over float32 [1, 2, 6] with ${heads} heads`,
    );
  }
});

Deno.test("Operations of dtypes that do not fit name them", () => {
  using _ = scope();
  const a = ones([2, 2]), n = ints([[1, 2], [3, 4]]), flags = n.gt(1);
  assertThrows(() => n.exp(), TypeError, "Cannot exp int64: convert to a float first");
  assertThrows(() => n.softmax(0), TypeError, "Cannot normalise int64");
  assertThrows(() => flags.add(1), TypeError, "Cannot add bool: use logical operations");
  assertThrows(() => flags.neg(), TypeError, "Cannot neg bool");
  assertThrows(() => n.add(0.5), TypeError, "Cannot represent 0.5 as int64");
  assertThrows(
    () => a.matmul(n),
    TypeError,
    "Cannot matmul float32 with int64: expected one float dtype",
  );
  assertThrows(() => a.matmul(a.to("float64")), TypeError, "float32 with float64");
  assertThrows(() => a.where(a, a), TypeError, "condition of float32: expected bool");
  assertThrows(() => cat([a, n]), TypeError, "Cannot concatenate float32 [2, 2] with int64 [2, 2]");
  assertThrows(() => n.isFinite(), TypeError, "Cannot test int64");
  assertThrows(() => a.to("complex64" as DType), TypeError, 'dtype "complex64"');
});

Deno.test("Operations of axes that are not there name them", () => {
  using _ = scope();
  const a = ones([2, 3]);
  assertThrows(() => a.sum(2), RangeError, "Cannot sum axis 2 of a tensor with 2 axes");
  assertThrows(() => a.sum([0, -2]), RangeError, "Cannot sum axes [0, 0]: one is named twice");
  assertThrows(() => a.softmax(-3), RangeError, "Cannot normalise axis -3");
  assertThrows(() => a.unsqueeze(4), RangeError, "Cannot insert axis 4");
  assertThrows(() => cat([a], 2), RangeError, "Cannot concatenate axis 2");
});

Deno.test("to() refuses devices that are none, and says what a missing one lacks", () => {
  using _ = scope();
  const a = ones([1]);
  assertThrows(() => a.to("gpu" as Device), TypeError, '"gpu"');
  assertThrows(() => ones([1], { device: "cuda:x" as Device }), TypeError, 'device "cuda:x"');
  assertThrows(() => a.to("cuda:128"), RangeError, 'device "cuda:128": at most cuda:127');
  assertEquals(a.to("cpu"), a);
});

Deno.test({
  name: "to() and zeros() on cuda say which libtorch has none",
  ignore: hasCuda(),
  fn: () => {
    using _ = scope();
    const { version, directory } = loadLibrary();
    const message =
      `Cannot compute on cuda with libtorch ${version} in "${directory}": it is built without CUDA`;
    for (const make of [() => ones([1]).to("cuda"), () => zeros([1], { device: "cuda:1" })]) {
      assertThrows(make, LibraryError, message);
    }
  },
});

/** Whether the installed libtorch has a part for CUDA. */
function hasCuda(): boolean {
  try {
    return Deno.statSync(`${loadLibrary().directory}/${libraryFile("cuda")}`).isFile;
  } catch {
    return false;
  }
}

// Text.

Deno.test("toString() shows dtype, shape and elements in columns", () => {
  using _ = scope();
  assertEquals(String(scalar(1.5)), "Tensor float32 []\n1.5000");
  assertEquals(String(ones([2, 0])), "Tensor float32 [2, 0]");
  assertEquals(
    String(tensor([[1, -0.5], [100, 1e-9]])),
    "Tensor float32 [2, 2]\n[[       1, -0.50000],\n [     100, 1.000e-9]]",
  );
  assertEquals(
    String(ints([[[1, 22]], [[333, 4]]])),
    "Tensor int64 [2, 1, 2]\n[[[  1,  22]],\n [[333,   4]]]",
  );
  assertEquals(
    String(tensor([NaN, -Infinity, 1e7])),
    "Tensor float32 [3]\n[      NaN, -Infinity,  10000000]",
  );
  assertEquals(String(ints([1, 0], "bool")), "Tensor bool [2]\n[1, 0]");
  assertEquals(Deno.inspect(scalar(2)), "Tensor float32 []\n2");
});

Deno.test("toString() leaves out the middle of axes of long tensors", () => {
  using _ = scope();
  assertEquals(
    String(arange(1001)),
    "Tensor int64 [1001]\n[   0,    1,    2, …,  998,  999, 1000]",
  );
  assertEquals(
    String(arange(2000).reshape([2, 1000])),
    "Tensor int64 [2, 1000]\n" +
      "[[   0,    1,    2, …,  997,  998,  999],\n [1000, 1001, 1002, …, 1997, 1998, 1999]]",
  );
  assertEquals(String(arange(1000)).includes("…"), false);
});

Deno.test("toNumbers() reads views row by row", () => {
  using _ = scope();
  const a = noGrad(() => arange(6).reshape([2, 3]));
  assertEquals(a.transpose(0, 1).toNumbers(), [0, 3, 1, 4, 2, 5]);
  assertEquals(a.slice(1, 1).toNumbers(), [1, 2, 4, 5]);
  assertEquals(a.select(0, 1).expand([2, 3]).toNumbers(), [3, 4, 5, 3, 4, 5]);
});
