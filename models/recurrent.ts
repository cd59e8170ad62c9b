/**
 * Recurrent transformer: one stack of blocks applied again and again, with the question
 * only at the start. Yang, Ishay and Lee 2023, "Learning to solve constraint satisfaction
 * problems with recurrent transformer"; reference azreasoners/recurrent_transformer@a738bc0
 * mingpt/model.py. Also the recurrent baseline of Wang et al. 2025, arXiv:2506.21734 Fig. 2.
 *
 * | paper | here | reference |
 * |---|---|---|
 * | `L` blocks | `numLayers` | `n_layer` |
 * | `R` recurrences | `recurrences` | `n_recur` |
 * | loss after every recurrence | `lossAt: "every"` | `all_layers` |
 *
 * Shapes: `B` rows, `L` tokens, `P` prefix positions of the puzzle embedding, `D` features.
 *
 * Where we differ: with several blocks a loss is taken after the last of them, not after
 * each; a row's loss is the mean over its own tokens.
 *
 * @module
 */
import type { Dropout } from "../core/nn/dropout.ts";
import type { Tensor } from "../core/tensor.ts";
import { type Answer, type BackboneConfig, BackboneModel } from "./backbone.ts";
import type { Depth, ModelOptions, Training } from "./model.ts";
import { paperTokens } from "./token_network.ts";

/** Everything that defines a recurrent transformer. */
export interface RecurrentConfig extends BackboneConfig {
  /** Which model. */
  readonly kind: "recurrent";
  /** Times that the stack is applied, `R`. */
  readonly recurrences: number;
  /** Whether the loss is the sum of those after every recurrence, or that of the last. */
  readonly lossAt: "every" | "last";
  /**
   * Recurrences that are gone back through, and after which a loss is taken: `R` for
   * full backpropagation through time, 1 for the one-step gradient. Below `R` no
   * gradient reaches the embeddings: the question enters only at the start.
   */
  readonly gradientSteps: number;
}

/** As wide as HRM, as many blocks, and as much computation: 3 · 8 layers, for 9×9 Sudoku. */
export const recurrentPaper: RecurrentConfig = {
  ...paperTokens,
  kind: "recurrent",
  backbone: "post-norm",
  numLayers: 8,
  dropout: 0,
  recurrences: 3,
  lossAt: "last",
  gradientSteps: 3,
};

/** The published L1R32H4: one block of 128 features and 4 heads, 32 times, for 9×9 Sudoku. */
export const l1r32h4: RecurrentConfig = {
  ...recurrentPaper,
  backbone: "gpt",
  hiddenSize: 128,
  numHeads: 4,
  puzzleEmbNdim: 0,
  posEncodings: "learned",
  forwardDtype: "float32",
  numLayers: 1,
  dropout: 0.1,
  recurrences: 32,
  lossAt: "every",
  gradientSteps: 32,
};

/** The state, `[B, P + L, D]`. */
export type RecurrentStates = {
  /** At first the embedded question; the head reads it through the norm. */
  readonly z: Tensor;
};

/** The recurrent transformer. */
export class Recurrent extends BackboneModel<RecurrentStates> {
  readonly #config: RecurrentConfig;

  /** With weights drawn from `random`. */
  constructor(config: RecurrentConfig, options: ModelOptions) {
    super(config, options);
    this.#config = config;
  }

  /** Recurrences. */
  get depth(): Depth {
    return { unit: "recurrence", trained: this.#config.recurrences, most: Infinity };
  }

  /** The embedded question. */
  protected override begin(x: Tensor): RecurrentStates {
    return { z: x };
  }

  /** Once through the blocks. */
  protected override advance(
    { z }: RecurrentStates,
    _x: Tensor,
    dropout: Dropout | null,
  ): RecurrentStates {
    return { z: this.backbone.forward(z, dropout) };
  }

  /** Logits of the tokens. */
  protected override answer({ z }: RecurrentStates): Tensor {
    return this.backbone.readTokens(this.backbone.normed(z));
  }

  /** The recurrences whose losses count, after those that are not gone back through. */
  protected override learn(x: Tensor, _training: Training, dropout: Dropout | null): Answer {
    const { recurrences: R, gradientSteps, lossAt } = this.#config;
    let states = this.skip(R - gradientSteps, x, dropout);
    const supervised: { logits: Tensor; weight: number }[] = [];
    for (let r = R - gradientSteps + 1; r <= R; r++) {
      states = this.advance(states, x, dropout);
      if (lossAt === "every" || r === R) {
        supervised.push({ logits: this.answer(states), weight: 1 });
      }
    }
    return { supervised, units: R };
  }
}
