/**
 * HRM without its high-level module: one module, one state, and the rest as it was.
 * The ablation of ARC Prize 2025 (arcprize.org/blog/hrm-analysis) and of Ge, Liao and
 * Poggio 2025, arXiv:2510.00355.
 *
 * | there | here |
 * |---|---|
 * | L module, 8 layers | `L_level`, `lLayers` |
 * | steps of a segment | `cycles` |
 *
 * Shapes: `B` rows, `L` tokens, `P` prefix positions of the puzzle embedding, `D` features.
 *
 * Where we differ: neither source publishes how many steps a segment has. The preset
 * takes as many as make it compute as many block layers as HRM does, 3 · 8 = (4 + 2) · 4.
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
  haltOrContinue,
  paperHalting,
  type Segment,
  type SegmentNetwork,
} from "./halting.ts";
import type { ModelOptions } from "./model.ts";
import { untaped } from "./untaped.ts";
import { HaltingNetwork, paperTokens, type TokenConfig } from "./token_network.ts";

/** Everything that defines an L-only model. */
export interface LOnlyConfig extends TokenConfig, HaltingConfig {
  /** Which model. */
  readonly kind: "l-only";
  /** Blocks of the module. */
  readonly lLayers: number;
  /** Steps of the module in a segment; the last is gone back through. */
  readonly cycles: number;
}

/** As large as HRM, and as much computation a segment, for 9×9 Sudoku. */
export const lOnlyPaper: LOnlyConfig = {
  ...paperTokens,
  ...paperHalting,
  kind: "l-only",
  lLayers: 8,
  cycles: 3,
};

/** The one state, `[B, P + L, D]`. */
export type LOnlyStates = {
  /** The answer is read from it. */
  readonly z: Tensor;
};

/** The network of one segment. */
export class LOnlyInner extends HaltingNetwork implements SegmentNetwork<LOnlyStates> {
  /** The module. */
  readonly L_level: Level;
  /** Where the state starts, `[D]`; fixed. */
  readonly L_init: Tensor;
  readonly #cycles: number;

  /** With freshly drawn weights. */
  constructor(config: LOnlyConfig, options: ModelOptions) {
    super(config, options);
    this.#cycles = config.cycles;
    this.L_level = new Level(config.lLayers, () => new Block(config, options));
    this.L_init = truncNormal([config.hiddenSize], options.random, options);
  }

  /** The state at its fixed start. */
  initialStates(): LOnlyStates {
    return { z: this.everywhere(this.L_init) };
  }

  /** One segment: the state refined `cycles` times, the last time on the tape. */
  segment({ z }: LOnlyStates, inputs: Tensor, puzzle: Tensor | null): Segment<LOnlyStates> {
    const { rotary } = this;
    const x = tidy(() => this.embed(inputs, puzzle));
    const advance = (z: Tensor) => this.L_level.forward(z, [x], rotary);
    [z] = untaped([z] as const, this.#cycles - 1, ([z]) => [advance(z)] as const);
    z = advance(z);
    return { states: { z: z.detach() }, logits: this.readTokens(z), ...this.readHalting(z) };
  }
}

/** The L-only model with adaptive computation. */
export class LOnly extends HaltingModel<LOnlyStates, LOnlyInner> {
  /** With weights drawn from `random`. */
  constructor(config: LOnlyConfig, options: ModelOptions) {
    super(new LOnlyInner(config, options), config, haltOrContinue);
  }
}
