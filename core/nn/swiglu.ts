import { swiglu } from "../ops/swiglu.ts";
import type { Tensor } from "../tensor.ts";
import { type LayerOptions, Linear, weightAs } from "./linear.ts";

/** SwiGLU feed-forward, `W₂(silu(G) ⊙ U)`, `[G, U] = W₁x`. Shazeer 2020, arXiv:2002.05202. `[…, D]` → `[…, D]`. */
export class SwiGlu {
  // The names that published checkpoints use.
  /** `W₁`, `[2I, D]`: the gate, then what it gates. */
  readonly gate_up_proj: Linear;
  /** `W₂`, `[D, I]`. */
  readonly down_proj: Linear;

  /** `width` features, {@link swiGluWidth} inside. */
  constructor(width: number, inner: number, options: LayerOptions) {
    this.gate_up_proj = new Linear(width, 2 * inner, options);
    this.down_proj = new Linear(inner, width, options);
  }

  /** In the dtype of `x`. */
  forward(x: Tensor): Tensor {
    const { gate_up_proj: up, down_proj: down } = this;
    return swiglu([x, weightAs(up.weight, x.dtype), weightAs(down.weight, x.dtype)]);
  }
}

/** The inner width: `⅔ · expansion · width`, rounded up to a multiple. */
export function swiGluWidth(width: number, expansion: number, multiple: number): number {
  return Math.ceil(Math.round(expansion * width * 2 / 3) / multiple) * multiple;
}
