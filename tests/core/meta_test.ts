/** Tensors without elements: what a GPU would be asked to do, where there is none. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { operator } from "../../ffi/dispatch.ts";
import { TorchError } from "../../ffi/errors.ts";
import { type Handle, liveBytes, liveTensors, undefinedTensor } from "../../ffi/handle.ts";
import { metaRules } from "../../ffi/meta.ts";
import { allocate, readBytes, writeBytes } from "../../ffi/memory.ts";
import { aten, schemas } from "../../ffi/operators.ts";
import { parseSchema } from "../../ffi/schema.ts";
import {
  type Device,
  type DType,
  fromTypedArray,
  grad,
  ones,
  Random,
  scope,
  selfAttention,
  type Tensor,
  tensor,
  zeros,
} from "../../core/mod.ts";
import { type Sample, samples } from "./op_samples.ts";

Deno.test("A tensor on meta has shape, dtype, views and a size in bytes, and no elements", () => {
  using _ = scope();
  const before = liveBytes();
  const a = zeros([2, 3], { device: "meta", dtype: "bfloat16" });
  assertEquals([a.device, a.shape, a.dtype, a.isContiguous], ["meta", [2, 3], "bfloat16", true]);
  assertEquals(liveBytes() - before, 12);
  const view = a.transpose(0, 1).slice(0, 1, 3);
  assertEquals([view.shape, view.strides, view.device], [[2, 2], [1, 3], "meta"]);
  assertEquals(String(a), "Tensor bfloat16 [2, 3] on meta");
  assertEquals(Deno.inspect(tensor([1]).to("meta").mul(2)), "Tensor float32 [1] on meta");
  assertEquals([a.to("meta"), a.to("float32").device], [a, "meta"]);
  a.copy_(ones([3]));
});

Deno.test("Reading a tensor on meta says that there is nothing to read", () => {
  using _ = scope();
  const a = ones([1], { device: "meta" });
  for (const read of [() => a.item(), () => a.toNumbers(), () => a.toBytes()]) {
    assertThrows(read, TypeError, "Cannot read the result [1] of full: a tensor on meta has no");
  }
  assertThrows(() => a.to("cpu"), TorchError, "Cannot copy out of meta tensor");
  assertThrows(() => ones([2]).copy_(a), TorchError, "Cannot copy out of meta tensor");
});

Deno.test("Tensors on meta mix with numbers on the CPU, and with nothing else there", () => {
  using _ = scope();
  const a = ones([2], { device: "meta" });
  assertEquals(a.add(1).div(2).maximum(0).gt(0.5).device, "meta");
  assertThrows(() => a.add(ones([2])), TypeError, "a tensor on meta with one on cpu");
});

Deno.test("Memory that is not the CPU's is neither written nor read by address", () => {
  const a = allocate([2], [1], 6, { type: 14, index: -1 });
  assertThrows(() => writeBytes(a, new Uint8Array(8)), TorchError, "not on the CPU");
  assertThrows(() => readBytes(a, new Uint8Array(8)), TorchError, "not on the CPU");
  a.release();
});

// Every operation.

/** Of a call and its gradients: shape, dtype and name. */
function traits(sample: Sample, device: Device, dtype: DType): unknown[] {
  using _ = scope();
  const random = new Random(1);
  const x = sample.x.map((argument) => {
    const count = argument.shape.reduce((product, n) => product * n, 1);
    const values = Float64Array.from(argument.values(random, count));
    const own = argument.dtype === "float64" ? dtype : argument.dtype;
    return fromTypedArray(values, argument.shape, { dtype: own }).to(device);
  });
  const varying = x.filter((t, i) => sample.x[i]!.varies && t.requireGrad());
  const y = sample.call(...x);
  return [y, ...grad(y.sum(), varying)].map((t) => {
    assertEquals(t.device, device);
    return [t.shape, t.dtype];
  });
}

for (const [name, list] of Object.entries(samples)) {
  Deno.test(`${name}() has on meta the shapes and dtypes of the CPU, forward and back`, () => {
    for (const sample of list) {
      for (const dtype of ["float64", "float32"] as const) {
        assertEquals(traits(sample, "meta", dtype), traits(sample, "cpu", dtype), sample.what);
      }
    }
  });
}

for (const dtype of ["float32", "bfloat16", "float64"] as const) {
  Deno.test(`selfAttention() of ${dtype} has on meta the shapes of the CPU, by CUDA's kernels`, () => {
    const angles = (): Tensor => ones([5, 8]);
    const attend = (device: Device): unknown[] => {
      using _ = scope();
      const qkv = ones([2, 5, 48], { dtype, device }).requireGrad();
      const kept = qkv.detach().mul(0);
      const rotary = { cos: angles().to(device), sin: angles().to(device) };
      const y = selfAttention([qkv], { heads: 2, rotary });
      const plain = selfAttention([qkv], { heads: 2, rotary: null });
      const [dqkv] = grad(y.add(plain).sum(), [qkv]);
      return [y, plain, dqkv!, selfAttention([kept], { heads: 2, rotary })]
        .map((t) => [t.shape, t.dtype]);
    };
    const before = liveTensors();
    assertEquals(attend("meta"), attend("cpu"));
    assertEquals(liveTensors(), before);
  });
}

// Operators that libtorch's C++ has no kernel for on meta: PyTorch adds theirs in Python.

/** A value that fits an argument. */
function fitting(name: string, list: boolean, base: string, a: Handle): unknown {
  if (list) return base === "bool" ? Array(name === "output_mask" ? 3 : 4).fill(true) : [2];
  const values: Record<string, unknown> = { int: name === "num_weights" ? 3 : 0, float: 0 };
  return base === "Tensor" ? a : base === "bool" ? false : values[base] ?? null;
}

Deno.test("metaRules() has none that libtorch could do without", () => {
  const device = { type: 14, index: -1 };
  const matrix = allocate([2, 2], [2, 1], 6, device);
  const places = allocate([2], [1], 4, device);
  const heads = allocate([2, 2, 2, 2], [8, 4, 2, 1], 6, device);
  const rules = (Object.keys(metaRules(aten)) as (keyof typeof schemas)[])
    .filter((name) => name !== "fusedRmsNorm"); // one operation in place of a dozen
  for (const name of rules) {
    const { parameters } = parseSchema(schemas[name]);
    const a = name.includes("Attention") ? heads : matrix;
    const args = parameters.map((p) => {
      if (p.optional) return null;
      return p.name.startsWith("ind") ? places : fitting(p.name, p.list, p.base, a);
    });
    assertThrows(
      () => operator(schemas[name])(...args),
      TorchError,
      "no fake impl or Meta kernel registered",
      name,
    );
  }
  assert(rules.length > 10);
  for (const handle of [matrix, places, heads]) handle.release();
});

Deno.test("An undefined tensor can be held, passed and freed", () => {
  const before = liveTensors();
  const nothing = undefinedTensor();
  assertEquals(nothing.storage.bytes, 0);
  assertThrows(() => aten.neg(nothing), TorchError);
  nothing.release();
  assertEquals(liveTensors(), before);
});
