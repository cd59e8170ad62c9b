/**
 * Looped transformer: blocks applied again and again, the question injected every time.
 * Yang et al. 2024, arXiv:2311.12424; reference Leiay/looped_transformer@6b3bdb2
 * scripts/models.py. Its other objective is the progressive loss of Bansal et al. 2022,
 * arXiv:2202.05826; reference aks2203/deep-thinking@152fb11.
 *
 * | paper | here | reference |
 * |---|---|---|
 * | `Y ← M(Y + P)` | `injection: "add"` | `z=f(x+z)` |
 * | | `injection: "multiply"` | `z=f(x*z)` |
 * | recall: features and input side by side | `injection: "concat"` | `recall` |
 * | the same weights without injection | `injection: "none"` | `gpt2_tying` |
 * | `b` loops, loss over the last `T` | `loops`, `window` | `n_loops`, `n_loop_window` |
 * | curriculum of loops | `loopsStart`, `loopsIncrement`, `loopsInterval` | `curriculum.loops` |
 * | `α` of the progressive loss | `alpha` | `alpha` |
 *
 * Shapes: `B` rows, `L` tokens, `P` prefix positions of the puzzle embedding, `D` features.
 *
 * Where we differ: the tasks are puzzles, not regressions in context, nor images: positions
 * are embedded once, not at every loop; recall ends in a linear layer, not in a convolution.
 *
 * @module
 */
import type { Dropout } from "../core/nn/dropout.ts";
import { Linear } from "../core/nn/linear.ts";
import { cat, type Tensor } from "../core/tensor.ts";
import { type Answer, type BackboneConfig, BackboneModel } from "./backbone.ts";
import type { Depth, ModelOptions, Training } from "./model.ts";
import { paperTokens } from "./token_network.ts";

/** Everything that defines a looped transformer. */
export interface LoopedConfig extends BackboneConfig {
  /** Which model. */
  readonly kind: "looped";
  /** How the question enters each loop. */
  readonly injection: "add" | "multiply" | "concat" | "none";
  /** The most loops in training, `b`. */
  readonly loops: number;
  /** Loops at the first step of training; `loops` for no curriculum. */
  readonly loopsStart: number;
  /** Loops that are added at a time, */
  readonly loopsIncrement: number;
  /** … after so many steps each time. */
  readonly loopsInterval: number;
  /** The mean loss over the last loops, or the progressive one. */
  readonly objective: "window" | "progressive";
  /** How many loops the window has, `T`; only they are gone back through. */
  readonly window: number;
  /** How much the progressive part weighs, `α`, from 0 to 1. */
  readonly alpha: number;
}

/** As wide as HRM, as many blocks, and as much computation: 3 · 8 layers, for 9×9 Sudoku. */
export const loopedPaper: LoopedConfig = {
  ...paperTokens,
  kind: "looped",
  backbone: "post-norm",
  numLayers: 8,
  dropout: 0,
  injection: "add",
  loops: 3,
  loopsStart: 3,
  loopsIncrement: 1,
  loopsInterval: 1000,
  objective: "window",
  window: 2,
  alpha: 0.5,
};

/** The state, `[B, P + L, D]`. */
export type LoopedStates = {
  /** The head reads it as it is. */
  readonly z: Tensor;
};

/** The looped transformer. */
export class Looped extends BackboneModel<LoopedStates> {
  /** Joins state and question side by side, where they are: `[D, 2D]`. */
  readonly inject?: Linear;
  readonly #config: LoopedConfig;

  /** With weights drawn from `random`. */
  constructor(config: LoopedConfig, options: ModelOptions) {
    super(config, options);
    this.#config = config;
    const { hiddenSize: width, injection } = config;
    if (injection === "concat") this.inject = new Linear(2 * width, width, options);
  }

  /** Loops. */
  get depth(): Depth {
    return { unit: "loop", trained: this.#config.loops, most: Infinity };
  }

  /** Loops at a step of training. */
  loopsAt(step: number): number {
    const { loops, loopsStart, loopsIncrement, loopsInterval } = this.#config;
    return Math.min(loops, loopsStart + Math.floor(step / loopsInterval) * loopsIncrement);
  }

  /** Zeros, ones or the embedded question, as the injection wants it. */
  protected override begin(x: Tensor): LoopedStates {
    const { injection } = this.#config;
    if (injection === "none") return { z: x };
    return { z: injection === "multiply" ? x.onesLike() : x.zerosLike() };
  }

  /** `z ← norm(f(z ⊕ x))`. */
  protected override advance(
    { z }: LoopedStates,
    x: Tensor,
    dropout: Dropout | null,
  ): LoopedStates {
    return { z: this.backbone.normed(this.backbone.forward(this.#injected(z, x), dropout)) };
  }

  /** Logits of the tokens. */
  protected override answer({ z }: LoopedStates): Tensor {
    return this.backbone.readTokens(z);
  }

  /** The loops that the objective asks for. */
  protected override learn(x: Tensor, training: Training, dropout: Dropout | null): Answer {
    const b = this.loopsAt(training.step);
    return this.#config.objective === "window"
      ? this.#window(x, b, dropout)
      : this.#progressive(x, b, training, dropout);
  }

  /** The mean loss over the last `T` of `b` loops. */
  #window(x: Tensor, b: number, dropout: Dropout | null): Answer {
    const T = Math.min(this.#config.window, b);
    let states = this.skip(b - T, x, dropout);
    const supervised: { logits: Tensor; weight: number }[] = [];
    for (let loop = b - T; loop < b; loop++) {
      states = this.advance(states, x, dropout);
      supervised.push({ logits: this.answer(states), weight: 1 / T });
    }
    return { supervised, units: b };
  }

  /** `(1 − α)` times the loss after all loops, plus `α` times that after `k` loops that follow `n` untaped ones. */
  #progressive(x: Tensor, b: number, { random }: Training, dropout: Dropout | null): Answer {
    const { alpha } = this.#config;
    const n = random.below(b);
    const k = 1 + random.below(b - n);
    const supervised: { logits: Tensor; weight: number }[] = [];
    const run = (states: LoopedStates, loops: number, weight: number) => {
      if (weight === 0) return;
      for (let loop = 0; loop < loops; loop++) states = this.advance(states, x, dropout);
      supervised.push({ logits: this.answer(states), weight });
    };
    run(this.skip(n, x, dropout), k, alpha);
    run(this.begin(x), b, 1 - alpha);
    return { supervised, units: b };
  }

  #injected(z: Tensor, x: Tensor): Tensor {
    switch (this.#config.injection) {
      case "add":
        return z.add(x);
      case "multiply":
        return z.mul(x);
      case "concat":
        return this.inject!.forward(cat([z, x], -1));
      case "none":
        return z;
    }
  }
}
