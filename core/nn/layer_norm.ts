import { ones, zeros } from "../create.ts";
import { layerNorm } from "../ops/softmax.ts";
import type { Tensor } from "../tensor.ts";
import type { LayerOptions } from "./linear.ts";

/** Layer norm with gain and bias over the last axis. Ba et al. 2016, arXiv:1607.06450. */
export class LayerNorm {
  /** The gain, `[D]`. */
  readonly weight: Tensor;
  /** `[D]`. */
  readonly bias: Tensor;
  readonly #eps: number;

  /** Over `width` features. */
  constructor(
    width: number,
    { device = "cpu", eps = 1e-5 }: Pick<LayerOptions, "device"> & { readonly eps?: number } = {},
  ) {
    this.weight = ones([width], { device }).requireGrad();
    this.bias = zeros([width], { device }).requireGrad();
    this.#eps = eps;
  }

  /** `[…, D]` → `[…, D]`. */
  forward(x: Tensor): Tensor {
    const gain = this.weight.to(x.dtype), bias = this.bias.to(x.dtype);
    return layerNorm([x, gain, bias], { eps: this.#eps });
  }
}
