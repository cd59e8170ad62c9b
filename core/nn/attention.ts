import { type Rotary, selfAttention } from "../ops/attention.ts";
import type { Tensor } from "../tensor.ts";
import { type LayerOptions, Linear } from "./linear.ts";

/** Multi-head self-attention without a mask and without biases, `[B, L, D]` → `[B, L, D]`. */
export class Attention {
  // The names that published checkpoints use.
  /** Queries, keys and values of all heads, `[3D, D]`. */
  readonly qkv_proj: Linear;
  /** `[D, D]`. */
  readonly o_proj: Linear;
  readonly #heads: number;

  /** `heads` heads that share `width` features. */
  constructor(width: number, heads: number, options: LayerOptions) {
    if (width % heads !== 0) {
      throw new RangeError(`Cannot share a width of ${width} among ${heads} heads`);
    }
    this.qkv_proj = new Linear(width, 3 * width, options);
    this.o_proj = new Linear(width, width, options);
    this.#heads = heads;
  }

  /** Every position attends to every other. */
  forward(x: Tensor, rotary: Rotary | null): Tensor {
    const qkv = this.qkv_proj.forward(x);
    return this.o_proj.forward(selfAttention([qkv], { heads: this.#heads, rotary }));
  }
}
