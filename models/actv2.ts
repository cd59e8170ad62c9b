/**
 * A plain transformer inside HRM's outer loop: the baseline of ARC Prize 2025
 * (arcprize.org/blog/hrm-analysis); reference
 * SamsungSAILMontreal/TinyRecursiveModels@e7b6871
 * models/recursive_reasoning/transformers_baseline.py.
 *
 * | reference | here |
 * |---|---|
 * | `H_level`, the stack | `H_level` |
 * | `z_H` | `zH` |
 *
 * Shapes: `B` rows, `L` tokens, `P` prefix positions of the puzzle embedding, `D` features.
 *
 * As in the reference, the value of going on is never trained: a row halts once its
 * logit of halting exceeds the bias that the other started with.
 *
 * @module
 */
import { truncNormal } from "../core/create.ts";
import { tidy } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { Block, Level } from "./block.ts";
import {
  type HaltingConfig,
  HaltingModel,
  type HaltingRule,
  haltOrContinue,
  paperHalting,
  type Segment,
  type SegmentNetwork,
} from "./halting.ts";
import type { ModelOptions } from "./model.ts";
import { HaltingNetwork, paperTokens, type TokenConfig } from "./token_network.ts";

/** Everything that defines the baseline. */
export interface Actv2Config extends TokenConfig, HaltingConfig {
  /** Which model. */
  readonly kind: "actv2";
  /** Blocks of the stack. */
  readonly hLayers: number;
}

/** As published, for 9×9 Sudoku: 12 heads of 42, so that the last 8 of 512 features reach none. */
export const actv2Paper: Actv2Config = {
  ...paperTokens,
  ...paperHalting,
  kind: "actv2",
  numHeads: 12,
  hLayers: 8,
};

/** The one state, `[B, P + L, D]`. */
export type Actv2States = {
  /** The answer is read from it. */
  readonly zH: Tensor;
};

/** The network of one segment. */
export class Actv2Inner extends HaltingNetwork implements SegmentNetwork<Actv2States> {
  /** The stack. */
  readonly H_level: Level;
  /** Where the state starts, `[D]`; fixed. */
  readonly H_init: Tensor;

  /** With freshly drawn weights. */
  constructor(config: Actv2Config, options: ModelOptions) {
    super(config, options);
    this.H_level = new Level(config.hLayers, () => new Block(config, options));
    this.H_init = truncNormal([config.hiddenSize], options.random, options);
  }

  /** The state at its fixed start. */
  initialStates(): Actv2States {
    return { zH: this.everywhere(this.H_init) };
  }

  /** One segment: once through the stack, on the tape. */
  segment({ zH }: Actv2States, inputs: Tensor, puzzle: Tensor | null): Segment<Actv2States> {
    const x = tidy(() => this.embed(inputs, puzzle));
    zH = this.H_level.forward(zH, [x], this.rotary);
    return { states: { zH: zH.detach() }, logits: this.readTokens(zH), ...this.readHalting(zH) };
  }
}

const untrainedContinue: HaltingRule = { ...haltOrContinue, bootstraps: false };

/** The baseline with adaptive computation. */
export class Actv2 extends HaltingModel<Actv2States, Actv2Inner> {
  /** With weights drawn from `random`. */
  constructor(config: Actv2Config, options: ModelOptions) {
    super(new Actv2Inner(config, options), config, untrainedContinue);
  }
}
