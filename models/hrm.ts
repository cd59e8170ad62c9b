/**
 * Hierarchical Reasoning Model. Wang et al. 2025, arXiv:2506.21734; reference
 * sapientinc/HRM@42410da models/hrm/hrm_act_v1.py.
 *
 * | paper | here | reference |
 * |---|---|---|
 * | `f_I`, input network | {@link TokenNetwork.embed} | `_input_embeddings` |
 * | `f_L`, low-level module | `L_level` | `L_level` |
 * | `f_H`, high-level module | `H_level` | `H_level` |
 * | `f_O`, output network | `lm_head` | `lm_head` |
 * | `Q` head | `q_head` | `q_head` |
 * | `N` cycles of `T` steps | `hCycles`, `lCycles` | `H_cycles`, `L_cycles` |
 * | `z_H`, `z_L` | `zH`, `zL` | `z_H`, `z_L` |
 * | `M_max` segments | `haltMaxSteps` | `halt_max_steps` |
 *
 * Shapes: `B` rows, `L` tokens, `P` prefix positions of the puzzle embedding, `D` features.
 *
 * Where we differ: the inner width of the feed-forward layer may round to another
 * multiple than 256 (`mlpMultiple`). Where paper and reference differ, the
 * reference counts: Q losses weigh ½, exploration is drawn at every segment.
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

/** Everything that defines an HRM. */
export interface HrmConfig extends TokenConfig, HaltingConfig {
  /** Which model. */
  readonly kind: "hrm";
  /** Blocks of the high-level module. */
  readonly hLayers: number;
  /** Blocks of the low-level module. */
  readonly lLayers: number;
  /** High-level cycles in a segment, `N`. */
  readonly hCycles: number;
  /** Low-level steps in a cycle, `T`. */
  readonly lCycles: number;
}

/** The published architecture, for 9×9 Sudoku. 27,275,266 parameters with one puzzle identifier. */
export const hrmPaper: HrmConfig = {
  ...paperTokens,
  ...paperHalting,
  kind: "hrm",
  hLayers: 4,
  lLayers: 4,
  hCycles: 2,
  lCycles: 2,
};

/** The two states, `[B, P + L, D]` each. */
export type HrmStates = {
  /** High level: slow, abstract; the answer is read from it. */
  readonly zH: Tensor;
  /** Low level: fast, detailed. */
  readonly zL: Tensor;
};

/** The network of one segment. */
export class HrmInner extends HaltingNetwork implements SegmentNetwork<HrmStates> {
  /** `f_H`. */
  readonly H_level: Level;
  /** `f_L`. */
  readonly L_level: Level;
  /** Where `z_H` starts, `[D]`; fixed. */
  readonly H_init: Tensor;
  /** Where `z_L` starts, `[D]`; fixed. */
  readonly L_init: Tensor;
  readonly #config: HrmConfig;

  /** With freshly drawn weights. */
  constructor(config: HrmConfig, options: ModelOptions) {
    super(config, options);
    const { hiddenSize, hLayers, lLayers } = config;
    this.#config = config;
    this.H_level = new Level(hLayers, () => new Block(config, options));
    this.L_level = new Level(lLayers, () => new Block(config, options));
    this.H_init = truncNormal([hiddenSize], options.random, options);
    this.L_init = truncNormal([hiddenSize], options.random, options);
  }

  /** Both states at their fixed start. */
  initialStates(): HrmStates {
    return { zH: this.everywhere(this.H_init), zL: this.everywhere(this.L_init) };
  }

  /**
   * One segment: `N` cycles of `T` low-level steps and one high-level step, of which
   * only the last of each is gone back through (the one-step gradient).
   */
  segment({ zH, zL }: HrmStates, inputs: Tensor, puzzle: Tensor | null): Segment<HrmStates> {
    const { hCycles: N, lCycles: T } = this.#config;
    const { rotary } = this;
    // x̃ = input_embedding(x)
    const x = tidy(() => this.embed(inputs, puzzle));

    // with no_grad(): for i in range(N * T - 1):
    [zH, zL] = untaped([zH, zL] as const, N * T - 1, ([zH, zL], i) => {
      // zL = L_net(zL, zH, x̃)
      zL = this.L_level.forward(zL, [zH, x], rotary);
      // if (i + 1) % T == 0: zH = H_net(zH, zL)
      if ((i + 1) % T === 0) zH = this.H_level.forward(zH, [zL], rotary);
      return [zH, zL] as const;
    });

    // 1-step grad: zL = L_net(zL, zH, x̃); zH = H_net(zH, zL)
    zL = this.L_level.forward(zL, [zH, x], rotary);
    zH = this.H_level.forward(zH, [zL], rotary);

    // return (zH, zL), output_head(zH), Q_head(zH)
    const states = { zH: zH.detach(), zL: zL.detach() };
    return { states, logits: this.readTokens(zH), ...this.readHalting(zH) };
  }
}

/** HRM with adaptive computation: a segment at a time. */
export class Hrm extends HaltingModel<HrmStates, HrmInner> {
  /** With weights drawn from `random`. */
  constructor(config: HrmConfig, options: ModelOptions) {
    super(new HrmInner(config, options), config, haltOrContinue);
  }
}
