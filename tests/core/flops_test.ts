import { assertEquals, assertThrows } from "@std/assert";
import {
  countFlops,
  grad,
  linear,
  noGrad,
  ones,
  randn,
  Random,
  selfAttention,
  swiglu,
  type Tensor,
} from "../../core/mod.ts";

const random = new Random(1);
const leaf = (shape: readonly number[]): Tensor => randn(shape, random).requireGrad();

/** Operations of a forward, and of going back to all leaves. */
function counted(forward: () => Tensor, leaves: readonly Tensor[]): [number, number] {
  let loss: Tensor;
  const there = countFlops(() => loss = forward().sum());
  return [there, countFlops(() => grad(loss, leaves))];
}

Deno.test("countFlops() counts 2 m k n for a product of matrices, each of a batch", () => {
  assertEquals(countFlops(() => ones([2, 3]).matmul(ones([3, 4]))), 2 * 2 * 3 * 4);
  assertEquals(countFlops(() => ones([5, 2, 3]).matmul(ones([5, 3, 4]))), 5 * 2 * 2 * 3 * 4);
  assertEquals(countFlops(() => ones([5, 2, 3]).matmul(ones([3, 4]))), 5 * 2 * 2 * 3 * 4);
  // large enough for the kernel that plain matrices take on the CPU
  assertEquals(countFlops(() => ones([64, 64]).matmul(ones([64, 64]))), 2 * 64 ** 3);
});

Deno.test("countFlops() counts nothing but products", () => {
  assertEquals(countFlops(() => ones([8, 8]).add(1).softmax(-1).sum()), 0);
});

Deno.test("countFlops() counts a linear layer there, and back once for each gradient wanted", () => {
  const [rows, inputs, outputs] = [6, 5, 3];
  const once = 2 * rows * inputs * outputs;
  const weight = leaf([outputs, inputs]), bias = leaf([outputs]);
  const x = leaf([2, 3, inputs]);
  assertEquals(counted(() => linear([x, weight, bias]), [x, weight, bias]), [once, 2 * once]);
  const given = x.detach();
  assertEquals(counted(() => linear([given, weight, bias]), [weight, bias]), [once, once]);
});

Deno.test("countFlops() counts scores and values of attention, and four products back", () => {
  const [batch, heads, length, d] = [2, 3, 5, 4];
  const product = 2 * batch * heads * length * length * d;
  const qkv = leaf([batch, length, 3 * heads * d]);
  const attend = () => selfAttention([qkv], { heads, rotary: null });
  assertEquals(counted(attend, [qkv]), [2 * product, 4 * product]);
});

Deno.test("countFlops() counts SwiGLU as its two layers", () => {
  const [rows, width, inner] = [7, 4, 6];
  const once = 2 * rows * width * 2 * inner + 2 * rows * inner * width;
  const x = leaf([rows, width]), w1 = leaf([2 * inner, width]), w2 = leaf([width, inner]);
  assertEquals(counted(() => swiglu([x, w1, w2]), [x, w1, w2]), [once, 2 * once]);
});

Deno.test("countFlops() nests, and counts what is not recorded", () => {
  const product = () => noGrad(() => ones([2, 2]).matmul(ones([2, 2])));
  let inner = 0;
  const outer = countFlops(() => {
    product();
    inner = countFlops(product);
  });
  assertEquals([inner, outer], [16, 32]);
});

Deno.test("countFlops() starts anew after an error, and refuses what is asynchronous", () => {
  assertThrows(
    () =>
      countFlops(() => {
        ones([2, 2]).matmul(ones([2, 2]));
        throw new Error("no");
      }),
    Error,
    "no",
  );
  assertEquals(countFlops(() => {}), 0);
  assertThrows(() => countFlops(() => Promise.resolve()), TypeError, "asynchronous");
});
