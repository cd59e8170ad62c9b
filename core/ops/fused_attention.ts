/**
 * libtorch's kernels that attend block by block, so that no scores are stored. Dao et al. 2022,
 * arXiv:2205.14135.
 *
 * @module
 */
import { type Handle, undefinedTensor } from "../../ffi/handle.ts";
import { aten } from "../../ffi/operators.ts";
import { wrap } from "../autograd.ts";
import { noteProduct } from "../flops.ts";
import type { Tensor } from "../tensor.ts";

/** `softmax(q kᵀ / √d) v` of `[B, H, L, d]`, and its gradients. */
export interface FusedAttention {
  /** The result, and what the gradients want besides. */
  forward(q: Tensor, k: Tensor, v: Tensor): { readonly y: Tensor; readonly rest: Tensor[] };
  /** The gradients of `q`, `k` and `v`, given that of the result. */
  backward(
    dy: Tensor,
    kept: { readonly q: Tensor; readonly k: Tensor; readonly v: Tensor; readonly y: Tensor },
    rest: readonly Tensor[],
  ): Tensor[];
}

/** The kernel of the CPU. */
export const cpuFlash: FusedAttention = {
  forward(q, k, v) {
    const [y, logSums] = named(
      aten.flashAttentionCpu(q.handle, k.handle, v.handle, 0, false, null, null),
    );
    return { y: y!, rest: [logSums!] };
  },
  backward(dy, { q, k, v, y }, [logSums]) {
    const of = [dy, q, k, v, y, logSums!].map((t) => t.handle) as SixHandles;
    return named(aten.flashAttentionCpuBackward(...of, 0, false, null, null));
  },
};

/** FlashAttention on CUDA: 16-bit floats, on GPUs of the Ampere generation and newer. */
export const cudaFlash: FusedAttention = {
  forward(q, k, v) {
    const [y, logSums, rowsQ, rowsK, , , seed, offset, mask] = aten.flashAttention(
      ...[q.handle, k.handle, v.handle] as const,
      ...[0, false, false, null] as const,
    );
    for (const unused of [rowsQ, rowsK, mask]) unused.release();
    const [result, ...rest] = named([y, logSums, seed, offset]);
    return { y: result!, rest };
  },
  backward(dy, { q, k, v, y }, [logSums, seed, offset]) {
    return withoutTensor((nothing) => {
      const of = [dy, q, k, v, y, logSums!].map((t) => t.handle) as SixHandles;
      const lengths = [q.shape[2]!, k.shape[2]!] as const;
      const random = [seed!.handle, offset!.handle] as const;
      const gradients = aten.flashAttentionBackward(
        ...of,
        ...[nothing, nothing, ...lengths, 0, false] as const,
        ...random,
        null,
      );
      return named(gradients);
    });
  },
};

/** The memory-efficient kernel of CUDA, which takes float32, too. */
export const cudaEfficient: FusedAttention = {
  forward(q, k, v) {
    const results = aten.efficientAttention(
      ...[q.handle, k.handle, v.handle, null] as const,
      ...[true, 0, false, null] as const,
    );
    const [y, ...rest] = named(results);
    return { y: y!, rest };
  },
  backward(dy, { q, k, v, y }, [logSums, seed, offset]) {
    return withoutTensor((nothing) => {
      const [dq, dk, dv, dBias] = aten.efficientAttentionBackward(
        ...[dy.handle, q.handle, k.handle, v.handle, nothing] as const,
        ...[y.handle, logSums!.handle, seed!.handle, offset!.handle] as const,
        ...[0, [true, true, true, false], false, null] as const,
      );
      dBias.release();
      return named([dq, dk, dv]);
    });
  },
};

/**
 * The kernel for queries of width `d`, or null where scores are better stored. On the CPU that
 * is so wherever gradients are wanted, and for 16-bit floats, at which the kernel is half as
 * fast. CUDA's want rows that lie at multiples of 16 bytes. `meta` stands for CUDA.
 *
 * @param recorded whether it will be gone back through
 */
export function fusedKernel(
  { device, dtype, size }: Tensor,
  d: number,
  recorded: boolean,
): FusedAttention | null {
  if (size === 0) return null;
  if (device === "cpu") {
    return !recorded && (dtype === "float32" || dtype === "float64") ? cpuFlash : null;
  }
  if (d % 8 !== 0 || d > 256) return null;
  if (dtype === "float32") return cudaEfficient;
  return dtype === "float64" ? null : cudaFlash;
}

/** Counts the products of one pass: two forward; back as many more, and the scores once again. */
export function noteAttention({ shape }: Tensor, direction: "forward" | "backward"): void {
  const [batch, heads, length, d] = shape as [number, number, number, number];
  const products = direction === "forward" ? 2 : 5;
  for (let i = 0; i < products; i++) noteProduct(shape, [batch, heads, d, length]);
}

type SixHandles = [Handle, Handle, Handle, Handle, Handle, Handle];

function named(handles: readonly Handle[]): Tensor[] {
  return handles.map((handle) => wrap(handle, "fusedAttention"));
}

/** With a tensor that is not there, for arguments that CUDA's kernels want and do not use here. */
function withoutTensor<T>(body: (nothing: Handle) => T): T {
  const nothing = undefinedTensor();
  try {
    return body(nothing);
  } finally {
    nothing.release();
  }
}
