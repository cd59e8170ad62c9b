import { truncNormal, zeros } from "../create.ts";
import type { Device } from "../device.ts";
import type { DType } from "../dtype.ts";
import { keptAs } from "../ops/elementwise.ts";
import { linear } from "../ops/matmul.ts";
import type { Random } from "../random.ts";
import type { Tensor } from "../tensor.ts";

/** What every layer with weights is made from. */
export interface LayerOptions {
  /** Draws the initial weights. */
  readonly random: Random;
  /** Where the weights lie; default the CPU. */
  readonly device?: Device;
}

/** A weight in the dtype of computation. Internal to nn. */
export function weightAs(weight: Tensor, dtype: DType): Tensor {
  return weight.dtype === dtype ? weight : keptAs([weight], dtype);
}

/**
 * `x Wᵀ + b`, `[…, in]` → `[…, out]`, in the dtype of `x`; the weights are float32.
 * Drawn from a truncated normal with deviation `1 / √in`, the bias 0.
 */
export class Linear {
  /** `[out, in]`. */
  readonly weight: Tensor;
  /** `[out]`, if there is one. */
  readonly bias?: Tensor;

  /** A layer from `inputs` to `outputs` features. */
  constructor(
    inputs: number,
    outputs: number,
    { random, device = "cpu", bias = false }: LayerOptions & { readonly bias?: boolean },
  ) {
    const std = 1 / Math.sqrt(inputs);
    this.weight = truncNormal([outputs, inputs], random, { std, device }).requireGrad();
    if (bias) this.bias = zeros([outputs], { device }).requireGrad();
  }

  /** `[…, in]` → `[…, out]`. */
  forward(x: Tensor): Tensor {
    const weight = weightAs(this.weight, x.dtype);
    return linear(this.bias === undefined ? [x, weight] : [x, weight, this.bias.to(x.dtype)]);
  }
}
