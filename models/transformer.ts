/**
 * Plain transformer, once through: "direct prediction" of Wang et al. 2025,
 * arXiv:2506.21734 Fig. 2. Vaswani et al. 2017, arXiv:1706.03762.
 *
 * Shapes: `B` rows, `L` tokens, `P` prefix positions of the puzzle embedding, `D` features.
 *
 * Where we differ: nothing is published of the blocks but that there are eight, as
 * wide as HRM's; the preset takes HRM's own.
 *
 * @module
 */
import type { Dropout } from "../core/nn/dropout.ts";
import type { Tensor } from "../core/tensor.ts";
import { type Answer, type BackboneConfig, BackboneModel } from "./backbone.ts";
import type { Depth, ModelOptions, Training } from "./model.ts";
import { paperTokens } from "./token_network.ts";

/** Everything that defines a plain transformer. */
export interface TransformerConfig extends BackboneConfig {
  /** Which model. */
  readonly kind: "transformer";
}

/** As wide as HRM and with as many blocks, for 9×9 Sudoku. */
export const transformerPaper: TransformerConfig = {
  ...paperTokens,
  kind: "transformer",
  backbone: "post-norm",
  numLayers: 8,
  dropout: 0,
};

/** The vectors that the head reads, `[B, P + L, D]`. */
export type TransformerStates = {
  /** After the blocks; before them, the embedded question. */
  readonly z: Tensor;
};

/** The plain transformer. */
export class Transformer extends BackboneModel<TransformerStates> {
  /** One pass, and no more: what comes out is no question. */
  readonly depth: Depth = { unit: "pass", trained: 1, most: 1 };

  /** With weights drawn from `random`. */
  constructor(config: TransformerConfig, options: ModelOptions) {
    super(config, options);
  }

  /** The embedded question. */
  protected override begin(x: Tensor): TransformerStates {
    return { z: x };
  }

  /** Once through the blocks. */
  protected override advance(
    { z }: TransformerStates,
    _x: Tensor,
    dropout: Dropout | null,
  ): TransformerStates {
    return { z: this.backbone.forward(z, dropout) };
  }

  /** Logits of the tokens. */
  protected override answer({ z }: TransformerStates): Tensor {
    return this.backbone.readTokens(this.backbone.normed(z));
  }

  /** One pass. */
  protected override learn(x: Tensor, _training: Training, dropout: Dropout | null): Answer {
    const logits = this.answer(this.advance({ z: x }, x, dropout));
    return { supervised: [{ logits, weight: 1 }], units: 1 };
  }
}
