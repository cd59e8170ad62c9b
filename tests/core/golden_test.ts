import { assertEquals } from "@std/assert";
import {
  addRmsNorm,
  crossEntropy,
  grad,
  rmsNorm,
  rotaryTables,
  scope,
  selfAttention,
  stablemaxCrossEntropy,
  swiglu,
  type Tensor,
  zeros,
} from "../../mod.ts";
import { assertClose } from "../close.ts";
import { readGolden } from "../golden.ts";

const golden = readGolden("ops");
const exact = { rtol: 1e-12, atol: 1e-12 };

Deno.test("stablemaxCrossEntropy() and its gradient equal PyTorch's", () => {
  using _ = scope();
  const logits = golden.tensor("loss/logits").requireGrad();
  const loss = stablemaxCrossEntropy(logits, golden.tensor("loss/labels"));
  assertEquals(loss.dtype, "float64");
  assertClose(loss, golden.tensor("stablemax/loss"), exact);
  assertClose(grad(loss.sum(), [logits])[0]!, golden.tensor("stablemax/grad"), exact);
});

Deno.test("crossEntropy() and its gradient equal PyTorch's", () => {
  using _ = scope();
  const logits = golden.tensor("loss/logits").requireGrad();
  const loss = crossEntropy(logits, golden.tensor("loss/labels"));
  assertClose(loss, golden.tensor("softmax/loss"), exact);
  assertClose(grad(loss.sum(), [logits])[0]!, golden.tensor("softmax/grad"), exact);
});

Deno.test("crossEntropy() computes narrower logits in float32, stablemaxCrossEntropy() in float64", () => {
  using _ = scope();
  const logits = golden.tensor("loss/logits"), labels = golden.tensor("loss/labels").to("int64");
  const narrow = logits.to("bfloat16");
  assertEquals(crossEntropy(narrow, labels).dtype, "float32");
  assertClose(crossEntropy(narrow, labels), crossEntropy(narrow.to("float64"), labels));
  assertClose(
    stablemaxCrossEntropy(narrow, labels),
    stablemaxCrossEntropy(narrow.to("float64"), labels),
    exact,
  );
});

Deno.test("Losses count no label that is ignored", () => {
  using _ = scope();
  const logits = golden.tensor("loss/logits").requireGrad(), labels = golden.tensor("loss/labels");
  for (const score of [crossEntropy, stablemaxCrossEntropy]) {
    const loss = score(logits, labels.mul(0).add(3), { ignore: 3 });
    assertEquals(new Set(loss.toNumbers()), new Set([0]));
    assertEquals(new Set(grad(loss.sum(), [logits])[0]!.abs().toNumbers()), new Set([0]));
  }
});

Deno.test("rmsNorm() and its gradient equal PyTorch's, zero rows too", () => {
  using _ = scope();
  const eps = golden.json.rms_norm_eps;
  const x = golden.tensor("rms_norm/x").requireGrad();
  const y = rmsNorm([x], { eps });
  assertClose(y, golden.tensor("rms_norm/y"));
  const [dx] = grad(y.mul(golden.tensor("rms_norm/dy")).sum(), [x]);
  assertClose(dx!, golden.tensor("rms_norm/dx"), { rtol: 1e-4, atol: 1e-4 });
  assertClose(addRmsNorm([x, x.zerosLike()], { eps }), golden.tensor("rms_norm/y"));
});

Deno.test("rmsNorm() of bfloat16 equals PyTorch's bit for bit", () => {
  using _ = scope();
  const y = rmsNorm([golden.tensor("rms_norm/x_bf16")], { eps: golden.json.rms_norm_eps });
  assertEquals(y.toBytes(), golden.tensor("rms_norm/y_bf16").toBytes());
});

Deno.test("rotaryTables() equal PyTorch's", () => {
  using _ = scope();
  const { length, dim, theta } = golden.json.rope;
  const { cos, sin } = rotaryTables(length, dim, { theta });
  assertClose(cos, golden.tensor("rope/cos"), { rtol: 0, atol: 1e-6 });
  assertClose(sin, golden.tensor("rope/sin"), { rtol: 0, atol: 1e-6 });
});

/** `softmax(q kᵀ / √d) v` for `[B, L, H, d]`, written out with plain operations. */
function attend(q: Tensor, k: Tensor, v: Tensor): Tensor {
  const [batch, length, heads, d] = q.shape as [number, number, number, number];
  const [Q, K, V] = [q, k, v].map((t) => t.transpose(1, 2)) as [Tensor, Tensor, Tensor];
  const scores = Q.matmul(K.transpose(2, 3)).mul(1 / Math.sqrt(d));
  return scores.softmax(-1).matmul(V).transpose(1, 2).reshape([batch, length, heads * d]);
}

Deno.test("selfAttention() rotates queries and keys as PyTorch's rope does", () => {
  using _ = scope();
  const x = golden.tensor("rope/x"), rotated = golden.tensor("rope/y");
  const [batch, length, heads, d] = x.shape as [number, number, number, number];
  const v = x.flip(0);
  const qkv = [x, x.mul(2), v].map((t) => t.reshape([batch, length, 1, heads * d]));
  const joined = zeros([batch, length, 3, heads * d]);
  qkv.forEach((part, i) => joined.slice(2, i, i + 1).copy_(part));
  const rotary = { cos: golden.tensor("rope/cos"), sin: golden.tensor("rope/sin") };
  const flat = joined.reshape([batch, length, 3 * heads * d]);
  const y = selfAttention([flat], { heads, rotary });
  assertClose(y, attend(rotated, rotated.mul(2), v), { rtol: 1e-5, atol: 1e-5 });
  const plain = selfAttention([flat], { heads, rotary: null });
  assertClose(plain, attend(x, x.mul(2), v), { rtol: 1e-5, atol: 1e-5 });
});

Deno.test("swiglu() equals PyTorch's", () => {
  using _ = scope();
  const [x, w1, w2] = ["x", "gate_up", "down"].map((name) => golden.tensor(`swiglu/${name}`));
  assertClose(swiglu([x!, w1!, w2!]), golden.tensor("swiglu/y"), { rtol: 1e-5, atol: 1e-5 });
});
