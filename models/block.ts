/**
 * Transformer blocks, and the recurrent module that HRM, TRM and their relatives
 * make of them.
 *
 * Source: sapientinc/HRM@42410da models/layers.py and models/hrm/hrm_act_v1.py.
 *
 * @module
 */
import { Attention } from "../core/nn/attention.ts";
import type { LayerOptions } from "../core/nn/linear.ts";
import { SwiGlu, swiGluWidth } from "../core/nn/swiglu.ts";
import type { Rotary } from "../core/ops/attention.ts";
import { addRmsNorm, rmsNorm } from "../core/ops/softmax.ts";
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

/** Anything that mixes positions and features: `[B, L, D]` → `[B, L, D]`. */
export interface Layer {
  /** `rotary` holds the positions' angles, for those layers that rotate. */
  forward(x: Tensor, rotary: Rotary | null): Tensor;
}

/** The published block: the norm comes after each residual, and has no gain. */
export class Block implements Layer {
  /** Mixes positions. */
  readonly self_attn: Attention;
  /** Mixes features. */
  readonly mlp: SwiGlu;
  /** ε of the norm. */
  readonly eps: number;

  /** With freshly drawn weights. */
  constructor(config: BlockConfig, options: LayerOptions) {
    const { hiddenSize, numHeads, expansion, mlpMultiple, rmsNormEps } = config;
    this.self_attn = new Attention(hiddenSize, numHeads, options);
    this.mlp = new SwiGlu(hiddenSize, swiGluWidth(hiddenSize, expansion, mlpMultiple), options);
    this.eps = rmsNormEps;
  }

  /** `x = norm(x + attention(x))`, `x = norm(x + mlp(x))`. */
  forward(x: Tensor, rotary: Rotary | null): Tensor {
    return tidy(() => {
      const y = addRmsNorm([x, this.self_attn.forward(x, rotary)], { eps: this.eps });
      return addRmsNorm([y, this.mlp.forward(y)], { eps: this.eps });
    });
  }
}

/** The same layers with the norm before each of them, as in Llama but without a gain. */
export class PreNormBlock extends Block {
  /** `x = x + attention(norm(x))`, `x = x + mlp(norm(x))`. */
  override forward(x: Tensor, rotary: Rotary | null): Tensor {
    const norm = (a: Tensor) => rmsNorm([a], { eps: this.eps });
    return tidy(() => {
      const y = x.add(this.self_attn.forward(norm(x), rotary));
      return y.add(this.mlp.forward(norm(y)));
    });
  }
}

/** A recurrent module: adds injections to its state and passes the sum through its layers. */
export class Level {
  /** The layers, in order. */
  readonly layers: readonly Layer[];

  /** Of `numLayers` layers that `make` makes. */
  constructor(numLayers: number, make: () => Layer) {
    this.layers = Array.from({ length: numLayers }, make);
  }

  /** `[B, L, D]` each → `[B, L, D]`. */
  forward(state: Tensor, injections: readonly Tensor[], rotary: Rotary | null): Tensor {
    return tidy(() => {
      const injection = injections.reduce((sum, more) => sum.add(more));
      return this.layers.reduce((x, layer) => layer.forward(x, rotary), state.add(injection));
    });
  }
}
