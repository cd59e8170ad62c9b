import { type Rotary, selfAttention } from "../ops/attention.ts";
import type { Tensor } from "../tensor.ts";
import type { Dropout } from "./dropout.ts";
import { type LayerOptions, Linear } from "./linear.ts";

/** Multi-head self-attention without a mask, `[B, L, D]` → `[B, L, D]`. */
export class Attention {
  // The names that published checkpoints use.
  /** Queries, keys and values of all heads, `[3Hd, D]`. */
  readonly qkv_proj: Linear;
  /** `[D, Hd]`. */
  readonly o_proj: Linear;
  readonly #heads: number;

  /** `H = heads` heads of `d = ⌊width / heads⌋` features each. */
  constructor(
    width: number,
    heads: number,
    options: LayerOptions & { readonly bias?: boolean },
  ) {
    if (!Number.isInteger(heads) || heads < 1 || heads > width) {
      throw new RangeError(`Cannot share a width of ${width} among ${heads} heads`);
    }
    const inner = heads * Math.floor(width / heads);
    this.qkv_proj = new Linear(width, 3 * inner, options);
    this.o_proj = new Linear(inner, width, options);
    this.#heads = heads;
  }

  /** Every position attends to every other; `dropout` drops some of the attention. */
  forward(x: Tensor, rotary: Rotary | null, dropout: Dropout | null = null): Tensor {
    const qkv = this.qkv_proj.forward(x);
    const heads = this.#heads;
    const keep = dropout?.mask([x.shape[0]! * heads, x.shape[1]!, x.shape[1]!], qkv) ?? null;
    return this.o_proj.forward(selfAttention([qkv], { heads, rotary, keep }));
  }
}
