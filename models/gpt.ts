/**
 * The transformer of minGPT without its mask: learned positions, LayerNorm with gain
 * and bias before each layer, GELU, biases, dropout. The recurrent transformer of
 * Yang et al. 2023 (L1R32H4) is made of it.
 *
 * Source: azreasoners/recurrent_transformer@a738bc0 mingpt/model.py.
 *
 * Where we differ: queries, keys and values are one projection; initial weights are
 * drawn from a normal distribution cut off at two deviations.
 *
 * @module
 */
import { noGrad } from "../core/autograd.ts";
import { truncNormal } from "../core/create.ts";
import { Attention } from "../core/nn/attention.ts";
import type { Dropout } from "../core/nn/dropout.ts";
import { Embedding } from "../core/nn/embedding.ts";
import { LayerNorm } from "../core/nn/layer_norm.ts";
import { Linear } from "../core/nn/linear.ts";
import { namedParameters } from "../core/nn/module.ts";
import { tidy } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Backbone, BackboneConfig } from "./backbone.ts";
import type { ModelOptions } from "./model.ts";

/** The deviation of the initial weights. */
const STD = 0.02;

/** `W₂ gelu(W₁ x + b₁) + b₂`, four times as wide inside. */
class GeluMlp {
  readonly up_proj: Linear;
  readonly down_proj: Linear;

  constructor(width: number, options: ModelOptions) {
    this.up_proj = new Linear(width, 4 * width, { ...options, bias: true });
    this.down_proj = new Linear(4 * width, width, { ...options, bias: true });
  }

  forward(x: Tensor): Tensor {
    return this.down_proj.forward(this.up_proj.forward(x).gelu());
  }
}

/** The block: `x = x + attention(norm1(x))`, `x = x + mlp(norm2(x))`. */
class GptBlock {
  readonly norm1: LayerNorm;
  readonly self_attn: Attention;
  readonly norm2: LayerNorm;
  readonly mlp: GeluMlp;

  constructor(width: number, heads: number, options: ModelOptions) {
    this.norm1 = new LayerNorm(width, options);
    this.self_attn = new Attention(width, heads, { ...options, bias: true });
    this.norm2 = new LayerNorm(width, options);
    this.mlp = new GeluMlp(width, options);
  }

  forward(x: Tensor, dropout: Dropout | null): Tensor {
    const dropped = (a: Tensor) => dropout === null ? a : dropout.forward(a);
    return tidy(() => {
      const attention = this.self_attn.forward(this.norm1.forward(x), null, dropout);
      const y = x.add(dropped(attention));
      return y.add(dropped(this.mlp.forward(this.norm2.forward(y))));
    });
  }
}

/** Everything from tokens to tokens. */
export class GptBackbone implements Backbone {
  /** Tokens. */
  readonly embed_tokens: Embedding;
  /** Positions; 0 at first. */
  readonly embed_pos: Embedding;
  /** The blocks, in order. */
  readonly layers: readonly GptBlock[];
  /** The norm before the head. */
  readonly norm: LayerNorm;
  /** Tokens again. */
  readonly lm_head: Linear;
  readonly #config: BackboneConfig;

  /** With freshly drawn weights. */
  constructor(config: BackboneConfig, options: ModelOptions) {
    const { vocabSize, seqLen, hiddenSize: width, numHeads, numLayers } = config;
    this.#config = config;
    this.embed_tokens = new Embedding(vocabSize, width, { ...options, std: STD });
    this.embed_pos = new Embedding(seqLen, width, { ...options, std: 0 });
    this.layers = Array.from(
      { length: numLayers },
      () => new GptBlock(width, numHeads, options),
    );
    this.norm = new LayerNorm(width, options);
    this.lm_head = new Linear(width, vocabSize, options);
    noGrad(() => {
      for (const [name, weight] of namedParameters(this)) {
        if (weight.shape.length !== 2 || name.startsWith("embed_")) continue;
        weight.copy_(truncNormal(weight.shape, options.random, { ...options, std: STD }));
      }
    });
  }

  /** It has no puzzle embedding. */
  lookUp(): null {
    return null;
  }

  /** Tokens plus positions. */
  embed(inputs: Tensor, _puzzle: Tensor | null, dropout: Dropout | null): Tensor {
    const { forwardDtype: dtype } = this.#config;
    const x = this.embed_tokens.forward(inputs, dtype);
    const sum = x.add(this.embed_pos.embedding_weight.to(dtype));
    return dropout === null ? sum : dropout.forward(sum);
  }

  /** Once through the blocks. */
  forward(x: Tensor, dropout: Dropout | null): Tensor {
    return tidy(() => this.layers.reduce((y, layer) => layer.forward(y, dropout), x));
  }

  /** LayerNorm. */
  normed(x: Tensor): Tensor {
    return this.norm.forward(x);
  }

  /** Logits of the tokens. */
  readTokens(x: Tensor): Tensor {
    return this.lm_head.forward(x);
  }
}
