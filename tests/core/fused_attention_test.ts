/** What surrounds the fused kernels of attention: the CPU's stands in for those of CUDA. */
import { assert, assertEquals } from "@std/assert";
import {
  type Device,
  type DType,
  grad,
  randn,
  Random,
  scope,
  selfAttention,
  type Tensor,
  zeros,
} from "../../core/mod.ts";
import {
  cpuFlash,
  cudaEfficient,
  cudaFlash,
  type FusedAttention,
  fusedKernel,
} from "../../core/ops/fused_attention.ts";
import { countFlops } from "../../core/flops.ts";
import { rotaryTables } from "../../core/nn/rotary.ts";
import { countLaunches } from "../../ffi/mod.ts";
import { liveTensors } from "../../ffi/handle.ts";
import { assertClose } from "../close.ts";

for (const dtype of ["float64", "float32"] as const) {
  for (const turns of [true, false]) {
    const what = `${dtype}, ${turns ? "with" : "without"} rotary positions`;
    Deno.test(`selfAttention() by a fused kernel equals that by products, in ${what}`, () => {
      const tolerance = dtype === "float64" ? 1e-6 : 1e-4; // the angles are float32
      const run = (kernel: FusedAttention | null): Tensor[] => {
        const qkv = randn([2, 5, 48], new Random(1), { dtype }).requireGrad();
        const { cos, sin } = rotaryTables(5, 8);
        const rotary = turns ? { cos: cos.to(dtype), sin: sin.to(dtype) } : null;
        const y = selfAttention([qkv], { heads: 2, rotary, kernel });
        const [dqkv] = grad(y.mul(randn(y.shape, new Random(2), { dtype })).sum(), [qkv]);
        return [y, dqkv!];
      };
      const before = liveTensors();
      {
        using _ = scope();
        const [y, dqkv] = run(null), [fusedY, fusedGradient] = run(cpuFlash);
        const bounds = { rtol: tolerance, atol: tolerance };
        assertClose(fusedY!, y!, bounds);
        assertClose(fusedGradient!, dqkv!, bounds);
      }
      assertEquals(liveTensors(), before);
    });
  }
}

Deno.test("fusedKernel() suits device, dtype and width; scores are stored where none does", () => {
  using _ = scope();
  const kernel = (device: Device, dtype: DType, d: number, recorded = true) =>
    fusedKernel(zeros([1, 2, 3 * d], { device, dtype }), d, recorded);
  assertEquals(kernel("meta", "bfloat16", 64), cudaFlash);
  assertEquals(kernel("meta", "float16", 256, false), cudaFlash);
  assertEquals(kernel("meta", "float32", 64), cudaEfficient);
  for (const [dtype, d] of [["bfloat16", 12], ["bfloat16", 264], ["float64", 64]] as const) {
    assertEquals(kernel("meta", dtype, d), null);
  }
  assertEquals(kernel("cpu", "float32", 12, false), cpuFlash);
  for (const [dtype, recorded] of [["float32", true], ["bfloat16", false]] as const) {
    assertEquals(kernel("cpu", dtype, 64, recorded), null);
  }
});

Deno.test("selfAttention() on meta calls CUDA's kernels once each way, and counts their products", () => {
  for (const [dtype, name] of [["bfloat16", "flash"], ["float32", "efficient"]] as const) {
    using _ = scope();
    const qkv = zeros([2, 5, 48], { dtype, device: "meta" }).requireGrad();
    let counts: ReadonlyMap<string, number> = new Map();
    const flops = countFlops(() => {
      counts = countLaunches(() =>
        grad(selfAttention([qkv], { heads: 2, rotary: null }).sum(), [qkv])
      );
    });
    assertEquals(counts.get(`${name}Attention`), 1);
    assertEquals(counts.get(`${name}AttentionBackward`), 1);
    assert(!counts.has("baddbmm") && !counts.has("matmul"));
    assertEquals(flops, 7 * 2 * (2 * 2 * 5 * 5 * 8));
  }
});
