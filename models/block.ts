/**
 * The transformer block that HRM, TRM and their baselines share, and a stack of it.
 *
 * Source: sapientinc/HRM@42410da models/layers.py and models/hrm/hrm_act_v1.py.
 *
 * @module
 */
import { Attention } from "../core/nn/attention.ts";
import type { LayerOptions } from "../core/nn/linear.ts";
import { SwiGlu, swiGluWidth } from "../core/nn/swiglu.ts";
import type { Rotary } from "../core/ops/attention.ts";
import { addRmsNorm } from "../core/ops/softmax.ts";
import { tidy } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";

/** The measures of a block. */
export interface BlockConfig {
  /** Features of each position, `D`. */
  readonly hiddenSize: number;
  /** Attention heads; they share `D`. */
  readonly numHeads: number;
  /** The feed-forward layer's inner width is ⅔ · expansion · `D`, rounded up. */
  readonly expansion: number;
  /** … to a multiple of this; 256 in the published models. */
  readonly mlpMultiple: number;
  /** ε of the RMS norm. */
  readonly rmsNormEps: number;
}

/** Attention and feed-forward, the norm after each residual: `[B, L, D]` → `[B, L, D]`. */
export class Block {
  /** Mixes positions. */
  readonly self_attn: Attention;
  /** Mixes features. */
  readonly mlp: SwiGlu;
  readonly #eps: number;

  /** With freshly drawn weights. */
  constructor(config: BlockConfig, options: LayerOptions) {
    const { hiddenSize, numHeads, expansion, mlpMultiple, rmsNormEps } = config;
    this.self_attn = new Attention(hiddenSize, numHeads, options);
    this.mlp = new SwiGlu(hiddenSize, swiGluWidth(hiddenSize, expansion, mlpMultiple), options);
    this.#eps = rmsNormEps;
  }

  /** `x = norm(x + attention(x))`, `x = norm(x + mlp(x))`. */
  forward(x: Tensor, rotary: Rotary | null): Tensor {
    return tidy(() => {
      const y = addRmsNorm([x, this.self_attn.forward(x, rotary)], { eps: this.#eps });
      return addRmsNorm([y, this.mlp.forward(y)], { eps: this.#eps });
    });
  }
}

/** A recurrent module: adds an injection to its state and passes the sum through its blocks. */
export class Level {
  /** The blocks, in order. */
  readonly layers: readonly Block[];

  /** With `numLayers` blocks. */
  constructor(numLayers: number, config: BlockConfig, options: LayerOptions) {
    this.layers = Array.from({ length: numLayers }, () => new Block(config, options));
  }

  /** `[B, L, D]`, `[B, L, D]` → `[B, L, D]`. */
  forward(state: Tensor, injection: Tensor, rotary: Rotary | null): Tensor {
    return tidy(() =>
      this.layers.reduce((x, layer) => layer.forward(x, rotary), state.add(injection))
    );
  }
}
