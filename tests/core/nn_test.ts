import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { decodeSafetensors, encodeSafetensors } from "../../core/io/safetensors.ts";
import {
  Attention,
  countParameters,
  disposeModule,
  Dropout,
  Embedding,
  grad,
  LayerNorm,
  Linear,
  liveTensors,
  loadStateDict,
  type Module,
  namedParameters,
  namedTensors,
  ones,
  parameters,
  randn,
  Random,
  scope,
  selfAttention,
  stateDict,
  type StoredTensor,
  SwiGlu,
  swiGluWidth,
  type Tensor,
  tensor,
} from "../../mod.ts";
import { assertClose } from "../close.ts";
import { readGolden } from "../golden.ts";

/** Layers in fields, in an array, and fields that are none. */
class Model {
  readonly embed: Embedding;
  readonly layers: readonly { readonly attn: Attention; readonly mlp: SwiGlu }[];
  readonly norm: LayerNorm;
  readonly head: Linear;
  readonly angles: Tensor;
  readonly config = { width: 4, name: "tiny", nothing: null, list: new Float32Array(2) };
  readonly #hidden: Tensor;

  constructor(random: Random) {
    this.embed = new Embedding(5, 4, { random, std: 0.5 });
    const layer = () => ({
      attn: new Attention(4, 2, { random }),
      mlp: new SwiGlu(4, swiGluWidth(4, 2, 2), { random }),
    });
    this.layers = [layer(), layer()];
    this.norm = new LayerNorm(4);
    this.head = new Linear(4, 3, { random, bias: true });
    this.angles = ones([2]);
    this.#hidden = ones([7]);
  }

  forward(symbols: Tensor): Tensor {
    let x = this.embed.forward(symbols, "float32");
    for (const { attn, mlp } of this.layers) x = mlp.forward(x.add(attn.forward(x, null)));
    return this.head.forward(this.norm.forward(x)).mul(this.#hidden.size / 7);
  }
}

const names = [
  "embed.embedding_weight",
  ...[0, 1].flatMap((i) => [
    `layers.${i}.attn.qkv_proj.weight`,
    `layers.${i}.attn.o_proj.weight`,
    `layers.${i}.mlp.gate_up_proj.weight`,
    `layers.${i}.mlp.down_proj.weight`,
  ]),
  "norm.weight",
  "norm.bias",
  "head.weight",
  "head.bias",
  "angles",
];

Deno.test("namedTensors() finds tensors by their paths, in the order of the fields", () => {
  using _ = scope();
  const model = new Model(new Random(1));
  assertEquals(namedTensors(model).map(([name]) => name), names);
  assertEquals(namedTensors(model, "model.")[0]![0], "model.embed.embedding_weight");
  assertEquals(namedParameters(model).map(([name]) => name), names.slice(0, -1));
  assertEquals(namedTensors({}), []);
});

Deno.test("countParameters() counts what is trained", () => {
  using _ = scope();
  const inner = swiGluWidth(4, 2, 2);
  const layer = 12 * 4 + 4 * 4 + 2 * inner * 4 + 4 * inner;
  assertEquals(countParameters(new Model(new Random(1))), 5 * 4 + 2 * layer + 8 + 12 + 3);
});

Deno.test("A module's parameters all get gradients, and disposeModule() frees them", () => {
  using _ = scope();
  const before = liveTensors();
  const model = new Model(new Random(1));
  {
    using _ = scope();
    const y = model.forward(tensor([[0, 3, 1]], { dtype: "int64" }));
    assertEquals(y.shape, [1, 3, 3]);
    for (const g of grad(y.square().sum(), parameters(model))) assert(g.abs().max().item() > 0);
  }
  assertEquals(liveTensors() - before, names.length + 1);
  disposeModule(model);
  assertEquals(liveTensors() - before, 1); // the private field is the class's own business
});

Deno.test("loadStateDict() makes a module equal to the one whose stateDict() it takes", () => {
  using _ = scope();
  const a = new Model(new Random(1)), b = new Model(new Random(2));
  const symbols = tensor([[4, 2]], { dtype: "int64" });
  loadStateDict(b, stateDict(a));
  assertEquals(b.forward(symbols).toBytes(), a.forward(symbols).toBytes());
  const state = stateDict(a);
  a.head.weight.detach().fill_(0);
  assertEquals(state.get("head.weight"), stateDict(b).get("head.weight")); // it is a copy
});

Deno.test("stateDict() round-trips through a safetensors file", () => {
  using _ = scope();
  const a = new Model(new Random(1)), b = new Model(new Random(2));
  const file = encodeSafetensors(stateDict(a, "model."), { recipe: "tiny" });
  const { tensors, metadata } = decodeSafetensors(file);
  assertEquals(metadata, { recipe: "tiny" });
  loadStateDict(b, tensors, "model.");
  assertEquals(stateDict(b), stateDict(a));
});

Deno.test("loadStateDict() converts dtypes", () => {
  using _ = scope();
  const model = { w: ones([2]) };
  const data = tensor([1.5, -2], { dtype: "bfloat16" }).toBytes();
  loadStateDict(model, new Map([["w", { dtype: "bfloat16", shape: [2], data }]]));
  assertEquals([model.w.dtype, model.w.toNumbers()], ["float32", [1.5, -2]]);
});

Deno.test("loadStateDict() refuses missing, unknown and misshapen tensors, and changes nothing", () => {
  using _ = scope();
  const model = { a: ones([2]), b: ones([2, 3]), c: ones([1]) };
  const before = stateDict(model);
  const good = stateDict({ a: ones([2]).mul(9), b: ones([2, 3]), c: ones([1]) });
  const without = (...keys: string[]) => new Map([...good].filter(([key]) => !keys.includes(key)));
  const refuse = (state: Map<string, StoredTensor>, message: string) =>
    assertThrows(() => loadStateDict(model, state), TypeError, message);

  refuse(without("b"), "Cannot load weights: 1 missing (b) of 3 tensors");
  refuse(new Map([...good, ["d", good.get("a")!]]), "1 unknown (d) of 3 tensors");
  refuse(new Map([["d", good.get("a")!]]), "3 missing (a, b, c) 1 unknown (d) of 3 tensors");
  const many = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`p${i}`, ones([1])]));
  assertThrows(
    () => loadStateDict(many as Module, new Map()),
    TypeError,
    "5 missing (p0, p1, p2, …)",
  );
  refuse(
    new Map([...good, ["b", { dtype: "float32", shape: [3, 2], data: new Uint8Array(24) }]]),
    "Cannot load b: it is [3, 2] in the file, [2, 3] in the model",
  );
  assertEquals(stateDict(model), before);
});

Deno.test("loadStateDict() reaches the views into an optimiser's buffer", () => {
  using _ = scope();
  const w = ones([4]);
  const model = { part: w.slice(0, 1, 3) };
  loadStateDict(model, stateDict({ part: tensor([5, 6]) }));
  assertEquals(w.toNumbers(), [1, 5, 6, 1]);
});

// Layers.

Deno.test("Linear.forward() is x Wᵀ + b, of any number of axes, in the dtype of x", () => {
  using _ = scope();
  const layer = new Linear(3, 2, { random: new Random(1), bias: true });
  layer.weight.detach().copy_(tensor([[1, 2, 3], [4, 5, 6]]));
  layer.bias!.detach().copy_(tensor([10, 20]));
  assertEquals(layer.forward(tensor([1, 0, -1])).toNumbers(), [8, 18]);
  const y = layer.forward(ones([2, 1, 3], { dtype: "bfloat16" }));
  assertEquals([y.shape, y.dtype, y.toNumbers()], [[2, 1, 2], "bfloat16", [16, 35, 16, 35]]);
  assertEquals(new Linear(3, 2, { random: new Random(1) }).bias, undefined);
});

Deno.test("Linear is drawn with deviation 1/√in, the bias 0, the same from the same seed", () => {
  using _ = scope();
  const make = () => new Linear(256, 200, { random: new Random(5), bias: true });
  const layer = make();
  const values = layer.weight.toNumbers();
  const deviation = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
  assertAlmostEquals(deviation, 1 / 16, 0.001);
  assert(Math.max(...values.map(Math.abs)) <= 2.2737 / 16);
  assertEquals(new Set(layer.bias!.toNumbers()), new Set([0]));
  assertEquals(make().weight.toBytes(), layer.weight.toBytes());
});

Deno.test("LayerNorm.forward() has mean 0 and variance 1, then gain and bias", () => {
  using _ = scope();
  const layer = new LayerNorm(4, { eps: 0 });
  assertClose(layer.forward(tensor([[1, 2, 3, 4]])).square().mean(), tensor(1));
  layer.weight.detach().copy_(tensor([1, 2, 3, 4]));
  layer.bias.detach().fill_(10);
  const z = [-3, -1, 1, 3].map((x) => x / Math.sqrt(5));
  const want = { shape: [1, 4], values: z.map((x, i) => x * (i + 1) + 10) };
  assertClose(layer.forward(tensor([[1, 2, 3, 4]])), want);
  const half = layer.forward(tensor([[1, 2, 3, 4]], { dtype: "bfloat16" }));
  assertEquals(half.dtype, "bfloat16");
  assertClose(half, want, { rtol: 1e-2 });
});

Deno.test("Embedding.forward() looks rows up in the wanted dtype", () => {
  using _ = scope();
  const layer = new Embedding(3, 2, { random: new Random(1), std: 1 });
  const rows = layer.embedding_weight.to("bfloat16").toNumbers();
  const y = layer.forward(tensor([2, 0], { dtype: "int32" }), "bfloat16");
  assertEquals([y.dtype, y.toNumbers()], ["bfloat16", [...rows.slice(4), ...rows.slice(0, 2)]]);
});

Deno.test("Attention rounds the width of a head down, and refuses heads without a feature", () => {
  using _ = scope();
  const random = new Random(1);
  const layer = new Attention(11, 4, { random }); // 4 heads of 2
  assertEquals([layer.qkv_proj.weight.shape, layer.o_proj.weight.shape], [[24, 11], [11, 8]]);
  assertEquals(layer.forward(ones([2, 3, 11]), null).shape, [2, 3, 11]);
  for (const heads of [7, 0, -1, 1.5]) {
    const message = `Cannot share a width of 6 among ${heads} heads`;
    assertThrows(() => new Attention(6, heads, { random }), RangeError, message);
  }
});

Deno.test("Attention.forward() treats positions alike: it commutes with their order", () => {
  using _ = scope();
  const layer = new Attention(8, 2, { random: new Random(1) });
  const x = randn([2, 5, 8], new Random(2));
  const order = tensor([3, 0, 4, 1, 2], { dtype: "int64" });
  assertClose(
    layer.forward(x.indexSelect(1, order), null),
    layer.forward(x, null).indexSelect(1, order),
  );
});

Deno.test("swiGluWidth() equals the official code's widths", () => {
  const widths = readGolden("ops").json.mlp_width_expansion_4;
  for (const [width, inner] of Object.entries(widths)) {
    assertEquals(swiGluWidth(Number(width), 4, 256), inner);
  }
  assertEquals(swiGluWidth(512, 4, 1), 1365);
});

// Dropout.

/** A module of dropout at the start of a stream. */
const dropout = (rate: number, seed = 1) => new Dropout(rate, new Random(seed));

/** What is kept is multiplied by; the rate is rounded to a 65536th, short of 1. */
function keptFactor(rate: number): number {
  const dropped = Math.min(0xffff, Math.round(rate * 0x10000));
  return Math.fround(0x10000 / (0x10000 - dropped));
}

Deno.test("Dropout.forward() drops its share, scales the others and keeps the mean", () => {
  using _ = scope();
  const n = 40_001; // odd: the last word is half used
  for (const rate of [0.1, 0.5, 0.9]) {
    const y = dropout(rate).forward(ones([n], { dtype: "float64" }));
    const values = y.toNumbers();
    assertEquals(new Set(values), new Set([0, keptFactor(rate)]));
    const dropped = values.filter((v) => v === 0).length / n;
    assertAlmostEquals(dropped, rate, 4 * Math.sqrt(rate * (1 - rate) / n));
    assertAlmostEquals(y.mean().item(), 1, 4 * Math.sqrt(rate / (1 - rate) / n));
  }
});

Deno.test("Dropout.forward() scales by the rate that it draws by, also near 0 and 1", () => {
  using _ = scope();
  const words = 2 ** 20;
  const rates = [1 - 1 / 0x10000, 1 - 1.4 / 0x10000, 1 - 1e-9, 0.9999, 1 / 0x10000, 1e-9, 0.3];
  for (const rate of rates) {
    // all that is kept of so many words, counted, times what it is multiplied by
    const values = dropout(rate).forward(ones([2 * words])).toTypedArray() as Float32Array;
    const factors = new Set(values);
    factors.delete(0);
    assertEquals(factors, new Set([keptFactor(rate)]), `${rate}`);
    const kept = values.filter((v) => v !== 0).length / (2 * words);
    const share = 1 / keptFactor(rate); // the mean is 1 exactly, but for the draw
    const spread = Math.sqrt(share * (1 - share) / (2 * words));
    assertAlmostEquals(kept, share, 4 * spread + 1e-12, `${rate}`);
  }
});

Deno.test("Dropout.forward() drops neighbours independently of each other", () => {
  using _ = scope();
  const values = dropout(0.5).forward(ones([40_000])).toNumbers();
  for (const distance of [1, 2, 4, 8]) { // two share a word, eight a block of the generator
    const pairs = values.slice(distance).filter((v, i) => v === 0 && values[i] === 0).length;
    assertAlmostEquals(pairs / (40_000 - distance), 0.25, 0.01);
  }
});

Deno.test("Dropout.forward() draws anew each time, and the same from the same seed", () => {
  using _ = scope();
  const x = ones([3, 50]);
  const [a, b] = [dropout(0.3), dropout(0.3)];
  const first = a.forward(x).toNumbers();
  assertEquals(b.forward(x).toNumbers(), first);
  const second = a.forward(x).toNumbers();
  assert(String(second) !== String(first));
  assertEquals(b.forward(x).toNumbers(), second);
  assert(String(dropout(0.3, 2).forward(x).toNumbers()) !== String(first));
});

Deno.test("Dropout.forward() at rate 0 is the identity, and draws nothing", () => {
  using _ = scope();
  const random = new Random(1);
  const x = ones([5]);
  assert(new Dropout(0, random).forward(x) === x);
  assertEquals(random.state.drawn, 0);
  new Dropout(0.5, random).forward(x);
  assertEquals(random.state.drawn, 3); // two elements from one word
});

Deno.test("Dropout refuses a share below 0, of 1 or above, and what is no number", () => {
  for (const rate of [-0.1, 1, 1.5, NaN, Infinity]) {
    const message = `Cannot drop a share of ${rate}: expected one from 0 to below 1`;
    assertThrows(() => dropout(rate), RangeError, message);
  }
});

Deno.test("Dropout.mask() has the shape it is told, and the dtype of what it is for", () => {
  using _ = scope();
  for (const dtype of ["float32", "float64", "bfloat16"] as const) {
    const mask = dropout(0.5).mask([2, 0, 3], ones([1], { dtype }));
    assertEquals([mask.shape, mask.dtype, mask.requiresGrad], [[2, 0, 3], dtype, false]);
    const y = dropout(0.5).forward(ones([4], { dtype }));
    assertEquals([y.shape, y.dtype], [[4], dtype]);
  }
});

/** Compares the gradient of `f` by `x` with finite differences. */
function checkGradient(x: Tensor, f: (x: Tensor) => Tensor): void {
  const step = 1e-5;
  const values = x.toNumbers();
  const at = (list: readonly number[]) => {
    using _ = scope();
    return f(tensor(list, { dtype: "float64" }).reshape(x.shape)).item();
  };
  const slope = (i: number) =>
    (at(values.with(i, values[i]! + step)) - at(values.with(i, values[i]! - step))) / (2 * step);
  const [dx] = grad(f(x), [x]);
  assertClose(dx!, { shape: x.shape, values: values.map((_, i) => slope(i)) }, { rtol: 1e-6 });
}

Deno.test("Dropout.forward() passes the gradient where it kept, scaled", () => {
  using _ = scope();
  const x = randn([4, 6], new Random(2), { dtype: "float64" }).requireGrad();
  const [dx] = grad(dropout(0.25).forward(x).sum(), [x]);
  assertEquals(dx!.toNumbers(), dropout(0.25).mask([4, 6], x).toNumbers());
  checkGradient(x, (a) => dropout(0.25).forward(a.square()).sin().sum());
});

Deno.test("Attention.forward() with dropout has the gradient of finite differences", () => {
  using _ = scope();
  const layer = new Attention(8, 2, { random: new Random(1), bias: true });
  const x = randn([2, 3, 8], new Random(2), { dtype: "float64" }).requireGrad();
  checkGradient(x, (a) => layer.forward(a, null, dropout(0.4)).square().sum());
});

Deno.test("Attention.forward() drops attention, by the seed, and not at rate 0 nor without", () => {
  using _ = scope();
  const layer = new Attention(8, 2, { random: new Random(1) });
  const x = randn([2, 5, 8], new Random(2));
  const plain = layer.forward(x, null).toBytes();
  assertEquals(layer.forward(x, null, null).toBytes(), plain);
  assertEquals(layer.forward(x, null, dropout(0)).toBytes(), plain);
  const dropped = layer.forward(x, null, dropout(0.5)).toBytes();
  assertEquals(layer.forward(x, null, dropout(0.5)).toBytes(), dropped);
  assert(String(layer.forward(x, null, dropout(0.5, 2)).toBytes()) !== String(dropped));
  assert(String(dropped) !== String(plain));
});

Deno.test("Attention.forward() with dropout is in the mean what it is without", () => {
  using _ = scope();
  const layer = new Attention(4, 1, { random: new Random(1) });
  const x = randn([1, 3, 4], new Random(2)), many = x.expand([4000, 3, 4]);
  const mean = layer.forward(many, null, dropout(0.3)).mean(0, { keepDims: true });
  assertClose(mean, layer.forward(x, null), { rtol: 0, atol: 0.05 });
});

Deno.test("selfAttention() with keep multiplies the probabilities of each head", () => {
  using _ = scope();
  // queries and keys of 0: every position attends to all three alike
  const values = tensor([[1, 10], [2, 20], [4, 40]]);
  const qkv = ones([1, 3, 6]).mul(0).clone();
  qkv.slice(2, 4).copy_(values.reshape([1, 3, 2]));
  const keep = tensor([[[3, 0, 0], [0, 3, 0], [0, 0, 0]], [[0, 0, 3], [1, 1, 1], [3, 3, 0]]]);
  const y = selfAttention([qkv], { heads: 2, rotary: null, keep });
  assertClose(y, { shape: [1, 3, 2], values: [1, 40, 2, 70 / 3, 0, 30] });
});

Deno.test("selfAttention() refuses a keep of another shape or dtype", () => {
  using _ = scope();
  const qkv = ones([2, 3, 12]);
  const attend = (keep: Tensor) => selfAttention([qkv], { heads: 2, rotary: null, keep });
  const message = "Cannot drop attention of float32 [4, 3, 3] by ";
  for (const shape of [[2, 3, 3], [4, 3], [4, 3, 1], [1, 1, 1]]) {
    assertThrows(() => attend(ones(shape)), TypeError, `${message}float32 [${shape.join(", ")}]`);
  }
  const other = ones([4, 3, 3], { dtype: "float64" });
  assertThrows(() => attend(other), TypeError, `${message}float64 [4, 3, 3]`);
});
