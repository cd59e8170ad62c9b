/** What a GPU computes, beside what the CPU computes. PONDER_TEST_DEVICE=cpu tries the tests. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Ema } from "../../core/optim/ema.ts";
import {
  adamATan2,
  type Device,
  Dropout,
  type DType,
  fromTypedArray,
  grad,
  loadStateDict,
  randn,
  Random,
  scope,
  selfAttention,
  stateDict,
  type Tensor,
  truncNormal,
  zeros,
} from "../../core/mod.ts";
import { decodeSafetensors, encodeSafetensors } from "../../core/io/safetensors.ts";
import { rotaryTables } from "../../core/nn/rotary.ts";
import { signSgd } from "../../core/optim/sign_sgd.ts";
import { liveTensors } from "../../ffi/handle.ts";
import { deviceMemory, OutOfMemoryError, synchronize } from "../../ffi/mod.ts";
import { assertClose } from "../close.ts";
import { gpu, testGpu } from "../ffi/_cuda.ts";
import { samples } from "./op_samples.ts";

/** How far a GPU may be from the CPU: it adds in another order. */
const bounds: Partial<Record<DType, { rtol: number; atol: number }>> = {
  float64: { rtol: 1e-10, atol: 1e-10 },
  float32: { rtol: 1e-4, atol: 1e-5 },
  bfloat16: { rtol: 5e-2, atol: 5e-2 },
};

/** That results on the GPU are those on the CPU. */
function assertSame(
  got: readonly Tensor[],
  want: readonly Tensor[],
  dtype: DType,
  what = "",
): void {
  assertEquals(got.length, want.length);
  got.forEach((t, i) => {
    assertEquals([t.shape, t.dtype], [want[i]!.shape, want[i]!.dtype], what);
    const expected = { shape: want[i]!.shape, values: want[i]!.toNumbers() };
    assertClose(t.to("cpu"), expected, bounds[dtype]!, what);
  });
}

for (const [name, list] of Object.entries(samples)) {
  testGpu(`${name}() is on a GPU what it is on the CPU, forward and back`, () => {
    for (const sample of list) {
      for (const dtype of ["float64", "float32"] as const) {
        using _ = scope();
        const run = (device: Device): Tensor[] => {
          const random = new Random(1);
          const x = sample.x.map((argument) => {
            const count = argument.shape.reduce((product, n) => product * n, 1);
            const values = Float64Array.from(argument.values(random, count));
            const own = argument.dtype === "float64" ? dtype : argument.dtype;
            return fromTypedArray(values, argument.shape, { dtype: own, device });
          });
          const varying = x.filter((t, i) => sample.x[i]!.varies && t.requireGrad());
          const y = sample.call(...x);
          return [y, ...grad(y.sum(), varying)];
        };
        assertSame(run(gpu), run("cpu"), dtype, sample.what);
      }
    }
  });
}

for (const dtype of ["bfloat16", "float32", "float64"] as const) {
  for (const [length, d] of [[82, 64], [17, 32], [5, 12]] as const) {
    testGpu(
      `selfAttention() of ${dtype}, ${length} positions of ${d}, equals that by products`,
      () => {
        const before = liveTensors();
        {
          using _ = scope();
          const { cos, sin } = rotaryTables(length, d, { device: gpu });
          const run = (options: { kernel?: null }): Tensor[] => {
            const qkv = randn([2, length, 6 * d], new Random(1), { dtype, device: gpu });
            const leaf = qkv.requireGrad();
            const y = selfAttention([leaf], { heads: 2, rotary: { cos, sin }, ...options });
            const dy = randn(y.shape, new Random(2), { dtype, device: gpu });
            return [y, ...grad(y.mul(dy).sum(), [leaf])];
          };
          const wide = dtype === "float64" ? "float32" : dtype; // the angles are float32
          assertSame(run({}), run({ kernel: null }), wide);
        }
        assertEquals(liveTensors(), before);
      },
    );
  }
}

testGpu("Tensors go to a GPU and back unchanged, whatever their size, dtype and layout", () => {
  using _ = scope();
  for (const size of [0, 1, 1000, 20_000_000]) {
    const values = Int32Array.from({ length: size }, (_, i) => i % 1024);
    const there = fromTypedArray(values, [size], { device: gpu });
    assertEquals(there.sum().item(), values.reduce((sum, x) => sum + x, 0));
  }
  const a = randn([3, 4], new Random(1));
  assertEquals(a.transpose(0, 1).to(gpu).toNumbers(), a.transpose(0, 1).toNumbers());
  for (const dtype of ["bfloat16", "float64", "int32", "bool"] as const) {
    const b = a.mul(3).to(dtype);
    assertEquals(b.to(gpu).toNumbers(), b.toNumbers());
  }
});

testGpu("Initial weights, dropout and files are the same on a GPU as on the CPU", () => {
  using _ = scope();
  const on = (device: Device) =>
    [
      truncNormal([5, 7], new Random(3), { device }),
      new Dropout(0.3, new Random(4)).mask([64], { dtype: "float32", device }),
    ].map((t) => t.toNumbers());
  assertEquals(on(gpu), on("cpu"));
  const module = { weight: truncNormal([4, 4], new Random(5), { device: gpu }) };
  const { tensors } = decodeSafetensors(encodeSafetensors(stateDict(module)));
  const other = { weight: zeros([4, 4], { device: gpu }) };
  loadStateDict(other, tensors);
  assertEquals(other.weight.toNumbers(), module.weight.toNumbers());
});

testGpu("Optimisers and averages step on a GPU as on the CPU", () => {
  using _ = scope();
  const run = (device: Device): Tensor[] => {
    const w = truncNormal([8, 4], new Random(6), { device }).requireGrad();
    const table = truncNormal([5, 4], new Random(7), { device });
    const optimizer = adamATan2([["w", w]], {
      betas: [0.9, 0.95],
      weightDecay: 0.1,
      convention: "imoneoi",
    });
    const ema = new Ema({ w }, 0.9);
    for (let step = 0; step < 3; step++) {
      optimizer.step([randn([8, 4], new Random(step), { device })], 1e-2);
      ema.update();
      const rows = fromTypedArray(Int32Array.of(4, 0, 4), [3], { device });
      const gradients = randn([3, 4], new Random(step + 9), { device });
      signSgd(table, rows, gradients, { lr: 1e-2, weightDecay: 0.1 });
    }
    const averages = [...ema.state().values()].map(({ data, shape }) =>
      fromTypedArray(new Float32Array(data.slice().buffer), shape, { device })
    );
    optimizer.dispose();
    ema.dispose();
    return [w.detach(), table, ...averages];
  };
  assertSame(run(gpu), run("cpu"), "float32");
});

testGpu("Memory that a GPU does not have is refused by an error of its own", () => {
  assertThrows(() => zeros([2 ** 45], { device: gpu }), OutOfMemoryError);
  if (gpu !== "cuda") return;
  synchronize();
  const { usedBytes, totalBytes } = deviceMemory();
  assert(usedBytes > 0 && usedBytes < totalBytes);
});
