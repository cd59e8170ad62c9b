/**
 * Tiny Recursive Model. Jolicoeur-Martineau 2025, arXiv:2510.04871; reference
 * SamsungSAILMontreal/TinyRecursiveModels@e7b6871 models/recursive_reasoning/trm.py.
 *
 * | paper | here | reference |
 * |---|---|---|
 * | `net` | `L_level` | `L_level` |
 * | `y`, the answer | `zH` | `z_H` |
 * | `z`, the latent reasoning | `zL` | `z_L` |
 * | `T` recursions, of which the last is on the tape | `hCycles` | `H_cycles` |
 * | `n` refinements of `z` in a recursion | `lCycles` | `L_cycles` |
 * | `N_sup` segments | `haltMaxSteps` | `halt_max_steps` |
 *
 * Shapes: `B` rows, `L` tokens, `P` prefix positions of the puzzle embedding, `D` features.
 *
 * Where paper and reference differ, the reference counts: the halting loss weighs ½,
 * exploration is drawn at every segment, the optimiser is AdamATan2.
 *
 * @module
 */
import { truncNormal } from "../core/create.ts";
import { SwiGlu, swiGluWidth } from "../core/nn/swiglu.ts";
import { addRmsNorm } from "../core/ops/softmax.ts";
import { tidy } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { Block, type Layer, Level } from "./block.ts";
import {
  type HaltingConfig,
  HaltingModel,
  haltOnly,
  paperHalting,
  type Segment,
  type SegmentNetwork,
} from "./halting.ts";
import type { HrmStates } from "./hrm.ts";
import type { ModelOptions } from "./model.ts";
import { untaped } from "./untaped.ts";
import { HaltingNetwork, paperTokens, prefixLength, type TokenConfig } from "./token_network.ts";

/** Everything that defines a TRM. */
export interface TrmConfig extends TokenConfig, HaltingConfig {
  /** Which model. */
  readonly kind: "trm";
  /** What mixes positions. */
  readonly mixer: "attention" | "mlp";
  /** Prefix positions; those that the puzzle embedding does not fill are zero. 0: as many as it fills; none without it. */
  readonly puzzleEmbLen: number;
  /** Blocks of the network. */
  readonly lLayers: number;
  /** Recursions in a segment, `T`; the last is gone back through. */
  readonly hCycles: number;
  /** Refinements of `z` in a recursion, `n`. */
  readonly lCycles: number;
}

/** As published with attention, for 9×9 Sudoku: 6,828,034 parameters. */
export const trmPaper: TrmConfig = {
  ...paperTokens,
  ...paperHalting,
  kind: "trm",
  mixer: "attention",
  puzzleEmbLen: 16,
  lLayers: 2,
  hCycles: 3,
  lCycles: 6,
};

/** As published with an MLP over the positions, for 9×9 Sudoku: 5,028,866 parameters. */
export const trmMlpPaper: TrmConfig = { ...trmPaper, mixer: "mlp", posEncodings: "none" };

/** The block that mixes positions by an MLP over them; it is bound to one length. */
export class MixerBlock implements Layer {
  /** Mixes positions. */
  readonly mlp_t: SwiGlu;
  /** Mixes features. */
  readonly mlp: SwiGlu;
  readonly #eps: number;

  /** For `length` positions, with freshly drawn weights. */
  constructor(length: number, config: TrmConfig, options: ModelOptions) {
    const { hiddenSize, expansion, mlpMultiple, rmsNormEps } = config;
    const swiGlu = (width: number) =>
      new SwiGlu(width, swiGluWidth(width, expansion, mlpMultiple), options);
    this.mlp_t = swiGlu(length);
    this.mlp = swiGlu(hiddenSize);
    this.#eps = rmsNormEps;
  }

  /** `xᵀ = norm(xᵀ + mlp_t(xᵀ))`, normed over the positions; `x = norm(x + mlp(x))`. */
  forward(x: Tensor): Tensor {
    return tidy(() => {
      const t = x.transpose(1, 2).contiguous(); // [B, D, L]
      const mixed = addRmsNorm([t, this.mlp_t.forward(t)], { eps: this.#eps });
      const y = mixed.transpose(1, 2).contiguous();
      return addRmsNorm([y, this.mlp.forward(y)], { eps: this.#eps });
    });
  }
}

/** The network of one segment. Its states are those of HRM. */
export class TrmInner extends HaltingNetwork implements SegmentNetwork<HrmStates> {
  /** `net`: refines `z` given `x` and `y`, and `y` given `z`. */
  readonly L_level: Level;
  /** Where `y` starts, `[D]`; fixed. */
  readonly H_init: Tensor;
  /** Where `z` starts, `[D]`; fixed. */
  readonly L_init: Tensor;
  readonly #config: TrmConfig;

  /** With freshly drawn weights. */
  constructor(config: TrmConfig, options: ModelOptions) {
    const { puzzleEmbNdim, puzzleEmbLen } = config;
    super(config, options, puzzleEmbNdim > 0 ? puzzleEmbLen || prefixLength(config) : 0);
    const { hiddenSize, lLayers, mixer } = config;
    this.#config = config;
    this.L_level = new Level(
      lLayers,
      () =>
        mixer === "mlp" ? new MixerBlock(this.length, config, options) : new Block(config, options),
    );
    this.H_init = truncNormal([hiddenSize], options.random, options);
    this.L_init = truncNormal([hiddenSize], options.random, options);
  }

  /** Both states at their fixed start. */
  initialStates(): HrmStates {
    return { zH: this.everywhere(this.H_init), zL: this.everywhere(this.L_init) };
  }

  /** One segment, the paper's `deep_recursion`: `T` recursions, the last on the tape as a whole. */
  segment(states: HrmStates, inputs: Tensor, puzzle: Tensor | null): Segment<HrmStates> {
    const { hCycles: T } = this.#config;
    const x = tidy(() => this.embed(inputs, puzzle));
    const start = [states.zH, states.zL] as const;

    // with torch.no_grad(): for j in range(T - 1): y, z = latent_recursion(x, y, z, n)
    const before = untaped(start, T - 1, ([y, z]) => this.#latentRecursion(x, y, z));
    // y, z = latent_recursion(x, y, z, n)
    const [y, z] = this.#latentRecursion(x, ...before);

    // return (y.detach(), z.detach()), output_head(y), Q_head(y)
    const after = { zH: y.detach(), zL: z.detach() };
    return { states: after, logits: this.readTokens(y), ...this.readHalting(y) };
  }

  /** The paper's `latent_recursion`. */
  #latentRecursion(x: Tensor, y: Tensor, z: Tensor): readonly [y: Tensor, z: Tensor] {
    const { lCycles: n } = this.#config;
    const { rotary } = this;
    // for i in range(n): z = net(x, y, z)
    for (let i = 0; i < n; i++) z = this.L_level.forward(z, [y, x], rotary);
    // y = net(y, z)
    return [this.L_level.forward(y, [z], rotary), z];
  }
}

/** TRM with adaptive computation: a segment at a time. */
export class Trm extends HaltingModel<HrmStates, TrmInner> {
  /** With weights drawn from `random`. */
  constructor(config: TrmConfig, options: ModelOptions) {
    super(new TrmInner(config, options), config, haltOnly);
  }
}
