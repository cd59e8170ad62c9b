import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { decodeElements, encodeElements } from "../../core/elements.ts";
import {
  arange,
  type DType,
  dtypes,
  empty,
  fromBytes,
  fromTypedArray,
  full,
  liveTensors,
  ones,
  rand,
  randn,
  Random,
  scalar,
  scope,
  type Tensor,
  tensor,
  truncNormal,
  zeros,
} from "../../mod.ts";

/** Numbers that every element of a dtype can be. */
const representable: Readonly<Record<DType, readonly number[]>> = {
  float32: [0, -1.5, 3.4028234663852886e38, 2 ** -149, Infinity, -Infinity, NaN],
  float64: [0, -0.1, 1.7976931348623157e308, 5e-324, Infinity, NaN],
  bfloat16: [0, 1, -1.5, 3.3895313892515355e38, 2 ** -126, Infinity, NaN],
  float16: [0, 1, -1.5, 65504, 2 ** -24, -Infinity, NaN],
  int64: [0, -1, Number.MAX_SAFE_INTEGER, -(2 ** 63)],
  int32: [0, -1, 2 ** 31 - 1, -(2 ** 31)],
  uint8: [0, 1, 255],
  bool: [0, 1, 1],
};

Deno.test("tensor() and toTypedArray() round-trip every dtype", () => {
  using _ = scope();
  assertEquals(Object.keys(representable).sort(), [...dtypes].sort());
  for (const dtype of dtypes) {
    const values = [...representable[dtype]];
    const t = tensor(values, { dtype });
    assertEquals([t.dtype, t.shape], [dtype, [values.length]]);
    assertEquals(t.toNumbers(), values, dtype);
    // Through bytes and through the typed array it came out as.
    assertEquals(fromBytes(t.toBytes(), t.shape, { dtype }).toNumbers(), values, dtype);
    const array = t.toTypedArray();
    assertEquals(fromTypedArray(array, t.shape, { dtype }).toBytes(), t.toBytes(), dtype);
    assertEquals(decodeElements(encodeElements(array, dtype).bytes, dtype), array, dtype);
  }
});

Deno.test("to() converts between all dtypes as JavaScript does", () => {
  using _ = scope();
  for (const from of dtypes) {
    for (const to of dtypes) {
      const t = tensor([0, 1, 1], { dtype: from }).to(to);
      assertEquals([t.dtype, t.toNumbers()], [to, [0, 1, 1]]);
    }
  }
  const t = tensor([-1.75, 0, 2.5]);
  assertEquals(t.to("int32").toNumbers(), [-1, 0, 2]);
  assertEquals(t.to("bool").toNumbers(), [1, 0, 1]);
  assertEquals(t.to("float32"), t);
  assertThrows(() => t.to("float8" as DType), TypeError, 'dtype "float8": expected one of float32');
});

Deno.test("fromTypedArray() takes the dtype of the array's kind", () => {
  using _ = scope();
  assertEquals(fromTypedArray(Float32Array.of(1)).dtype, "float32");
  assertEquals(fromTypedArray(Float64Array.of(1)).dtype, "float64");
  assertEquals(fromTypedArray(BigInt64Array.of(1n)).dtype, "int64");
  assertEquals(fromTypedArray(Int32Array.of(1)).dtype, "int32");
  assertEquals(fromTypedArray(Uint8Array.of(1)).dtype, "uint8");
  assertThrows(() => fromTypedArray(Uint16Array.of(1)), TypeError, "array of that kind");
});

Deno.test("fromTypedArray() copies a part of a buffer, and never shares it", () => {
  using _ = scope();
  const buffer = Float32Array.of(0, 1, 2, 3).buffer;
  const part = new Float32Array(buffer, 4, 2);
  const t = fromTypedArray(part);
  part.fill(9);
  assertEquals(t.toNumbers(), [1, 2]);
  (t.toTypedArray() as Float32Array).fill(7);
  assertEquals(t.toNumbers(), [1, 2]);
});

Deno.test("tensor() rounds to bfloat16 to the nearest, ties to even, as libtorch does", () => {
  using _ = scope();
  const bits = (value: number): number => {
    const [low, high] = tensor([value], { dtype: "bfloat16" }).toBytes();
    return high! << 8 | low!;
  };
  assertEquals(bits(1), 0x3f80);
  assertEquals(bits(-2), 0xc000);
  assertEquals(bits(Math.PI), 0x4049);
  assertEquals(bits(1 + 2 ** -8), 0x3f80); // a tie: down to even
  assertEquals(bits(1 + 3 * 2 ** -8), 0x3f82); // a tie: up to even
  assertEquals(bits(1 + 2 ** -8 + 2 ** -16), 0x3f81); // beyond a tie
  assertEquals(bits(3.4028234663852886e38), 0x7f80); // rounds to infinity
  assertEquals(bits(-Infinity), 0xff80);
  assertEquals(bits(NaN), 0x7fc0);
  assertEquals(bits(-0), 0x8000);
  const random = new Random(2);
  const values = Float32Array.from({ length: 2000 }, () => random.normal() * 10 ** random.below(5));
  const ours = fromTypedArray(values, undefined, { dtype: "bfloat16" });
  assertEquals(ours.toBytes(), fromTypedArray(values).to("bfloat16").toBytes());
  const half = fromTypedArray(values, undefined, { dtype: "float16" });
  assertEquals(half.toBytes(), fromTypedArray(values).to("float16").toBytes());
});

Deno.test("tensor(), full() and fill_() refuse numbers that the dtype cannot hold", () => {
  using _ = scope();
  const cases: [DType, number][] = [
    ["int64", 0.5],
    ["int64", NaN],
    ["int64", 2 ** 63],
    ["int32", 2 ** 31],
    ["int32", Infinity],
    ["uint8", 256],
    ["uint8", -1],
  ];
  for (const [dtype, value] of cases) {
    const message = `Cannot represent ${value} as ${dtype}`;
    assertThrows(() => tensor([value], { dtype }), TypeError, message);
    assertThrows(() => full([1], value, { dtype }), TypeError, message);
    assertThrows(() => zeros([1], { dtype }).fill_(value), TypeError, message);
  }
  assertThrows(() => full([1], 2, { dtype: "bool" }), TypeError, "Cannot represent 2 as bool");
  assertEquals(tensor([0, 2, -0.5], { dtype: "bool" }).toNumbers(), [0, 1, 1]);
  assertThrows(() => tensor([1], { dtype: "int8" as DType }), TypeError, 'dtype "int8"');
});

Deno.test("tensor() takes nested arrays of any depth, empty ones too", () => {
  using _ = scope();
  assertEquals(tensor(3).shape, []);
  assertEquals(tensor([]).shape, [0]);
  assertEquals(tensor([[], []]).shape, [2, 0]);
  const t = tensor([[[1, 2], [3, 4]], [[5, 6], [7, 8]]], { dtype: "int64" });
  assertEquals([t.shape, t.toNumbers()], [[2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]]);
});

Deno.test("tensor() refuses rows that differ", () => {
  assertThrows(() => tensor([[1, 2], [3]]), TypeError, "rows that differ: 1 and 2 elements");
  assertThrows(() => tensor([[1, 2], 3]), TypeError, "differ in depth");
  assertThrows(() => tensor([1, [2]]), TypeError, "differ in depth");
  assertThrows(() => tensor([[], [1]]), TypeError, "rows that differ: 1 and 0 elements");
});

Deno.test("fromTypedArray() and fromBytes() refuse shapes of other sizes, and bad shapes", () => {
  assertThrows(
    () => fromTypedArray(Float32Array.of(1, 2, 3), [2, 2]),
    TypeError,
    "Cannot shape 3 elements as [2, 2]",
  );
  assertThrows(
    () => fromBytes(new Uint8Array(6), [2], { dtype: "float32" }),
    TypeError,
    "Cannot read 6 bytes as float32 [2]: expected 8",
  );
  for (const shape of [[-1], [1.5], [NaN], [2 ** 53], [2 ** 30, 2 ** 30]]) {
    assertThrows(
      () => empty(shape),
      RangeError,
      `Cannot make a tensor of shape [${shape.join(", ")}]`,
    );
  }
  assertThrows(() => empty(Array.from({ length: 65 }, () => 1)), RangeError, "at most 64");
});

Deno.test("empty(), zeros(), ones(), full() and scalar() have the wanted shape, dtype and numbers", () => {
  using _ = scope();
  assertEquals(empty([2, 0]).shape, [2, 0]);
  assertEquals(zeros([2], { dtype: "bool" }).toNumbers(), [0, 0]);
  assertEquals(ones([2, 1], { dtype: "float16" }).toNumbers(), [1, 1]);
  assertEquals(full([2], -3, { dtype: "int32" }).toNumbers(), [-3, -3]);
  assertEquals([scalar(0.1).shape, scalar(0.1).item()], [[], Math.fround(0.1)]);
  assertEquals(scalar(0.1, { dtype: "float64" }).item(), 0.1);
  const like = ones([2, 3], { dtype: "int64" });
  for (const t of [like.zerosLike(), like.onesLike(), like.emptyLike()]) {
    assertEquals([t.shape, t.dtype], [[2, 3], "int64"]);
  }
});

Deno.test("arange() counts to its end, in any step and dtype", () => {
  using _ = scope();
  assertEquals([arange(3).dtype, arange(3).toNumbers()], ["int64", [0, 1, 2]]);
  assertEquals(arange(5, { start: 1, step: 2 }).toNumbers(), [1, 3]);
  assertEquals(arange(0, { start: 3, step: -1 }).toNumbers(), [3, 2, 1]);
  assertEquals(arange(1, { step: 0.25, dtype: "float64" }).toNumbers(), [0, 0.25, 0.5, 0.75]);
  assertEquals(arange(0).shape, [0]);
  assertEquals(arange(0, { start: 3 }).shape, [0]);
  assertThrows(() => arange(3, { step: 0 }), RangeError, "Cannot step by 0");
  assertThrows(() => arange(NaN), RangeError, "Cannot count");
  assertThrows(() => arange(Infinity), RangeError, "Cannot count");
  assertThrows(() => arange(1, { step: 0.5 }), TypeError, "Cannot represent 0.5 as int64");
});

/** The mean and the deviation of a tensor's elements. */
function moments(t: Tensor): [mean: number, deviation: number] {
  const x = t.toNumbers();
  const mean = x.reduce((sum, v) => sum + v, 0) / x.length;
  return [mean, Math.sqrt(x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / x.length)];
}

Deno.test("randn() and rand() follow their distributions, and repeat with their seed", () => {
  using _ = scope();
  const [mean, deviation] = moments(randn([100, 200], new Random(1)));
  assertAlmostEquals(mean, 0, 0.02);
  assertAlmostEquals(deviation, 1, 0.02);
  const uniform = rand([20_000], new Random(1));
  assertAlmostEquals(moments(uniform)[0], 0.5, 0.01);
  assert(uniform.toNumbers().every((x) => x >= 0 && x < 1));
  assertEquals(randn([4], new Random(3)).toBytes(), randn([4], new Random(3)).toBytes());
  assertEquals(randn([2], new Random(1), { dtype: "bfloat16" }).dtype, "bfloat16");
});

Deno.test("truncNormal() has mean 0, the wanted deviation, and support up to 2.2737 of it", () => {
  using _ = scope();
  const golden = JSON.parse(Deno.readTextFileSync(new URL("../golden/ops.json", import.meta.url)));
  const t = truncNormal([200, 500], new Random(4), { std: 0.5 });
  const [mean, deviation] = moments(t);
  assertAlmostEquals(mean, 0, 0.005);
  assertAlmostEquals(deviation, golden.truncated_normal["std_of_200000_at_0.5"], 0.005);
  const largest = t.abs().max().item(), bound = 2 * golden.truncated_normal.scale * 0.5;
  assert(largest <= bound && largest > 0.99 * bound, `${largest} of ${bound}`);
});

Deno.test("A failed creation leaves no tensor", () => {
  using _ = scope();
  const before = liveTensors();
  assertThrows(() => ones([2], { device: "tpu" as "cpu" }), TypeError, 'device "tpu"');
  assertThrows(() => full([2], 0.5, { dtype: "int64" }), TypeError);
  assertThrows(() => fromTypedArray(Float64Array.of(0.5), [1], { dtype: "int64" }), TypeError);
  assertEquals(liveTensors(), before);
});
