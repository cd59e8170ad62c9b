import { truncNormal } from "../create.ts";
import type { DType } from "../dtype.ts";
import { embedding, type Tensor } from "../tensor.ts";
import type { LayerOptions } from "./linear.ts";

/** A learned vector for each of `count` symbols: `[…]` integers → `[…, width]`. */
export class Embedding {
  // The name that published checkpoints use.
  /** `[count, width]`, float32. */
  readonly embedding_weight: Tensor;

  /** Drawn from a truncated normal with deviation `std`. */
  constructor(
    count: number,
    width: number,
    { random, device = "cpu", std }: LayerOptions & { readonly std: number },
  ) {
    this.embedding_weight = truncNormal([count, width], random, { std, device }).requireGrad();
  }

  /** The vectors of `symbols`, int32 or int64, in `dtype`. */
  forward(symbols: Tensor, dtype: DType): Tensor {
    return embedding(this.embedding_weight.to(dtype), symbols);
  }
}
