/**
 * Hierarchical Reasoning Model. Wang et al. 2025, arXiv:2506.21734; reference
 * sapientinc/HRM@42410da models/hrm/hrm_act_v1.py.
 *
 * | paper | here | reference |
 * |---|---|---|
 * | `f_I`, input network | {@link HrmInner.embed} | `_input_embeddings` |
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
import { noGrad } from "../core/autograd.ts";
import { truncNormal, zeros } from "../core/create.ts";
import type { Device } from "../core/device.ts";
import { Embedding } from "../core/nn/embedding.ts";
import { type LayerOptions, Linear } from "../core/nn/linear.ts";
import { rotaryTables } from "../core/nn/rotary.ts";
import type { Rotary } from "../core/ops/attention.ts";
import type { Random } from "../core/random.ts";
import { tidy } from "../core/scope.ts";
import { cat, embedding, type Tensor } from "../core/tensor.ts";
import { type BlockConfig, Level } from "./block.ts";
import { type Batch, type Carry, type HaltingConfig, haltInTraining, refill } from "./halting.ts";
import type { Outputs } from "./supervision.ts";

/** Everything that defines an HRM. */
export interface HrmConfig extends BlockConfig, HaltingConfig {
  /** Kinds of tokens, `V`. */
  readonly vocabSize: number;
  /** Tokens of a puzzle, `L`. */
  readonly seqLen: number;
  /** Rows of the puzzle-embedding table. */
  readonly numPuzzleIdentifiers: number;
  /** Width of a row of that table; 0 for none, and then no prefix. */
  readonly puzzleEmbNdim: number;
  /** Blocks of the high-level module. */
  readonly hLayers: number;
  /** Blocks of the low-level module. */
  readonly lLayers: number;
  /** High-level cycles in a segment, `N`. */
  readonly hCycles: number;
  /** Low-level steps in a cycle, `T`. */
  readonly lCycles: number;
  /** How positions are told apart: rotated queries and keys, or a learned embedding. */
  readonly posEncodings: "rope" | "learned";
  /** Base of the rotary frequencies. */
  readonly ropeTheta: number;
  /** The dtype in which the model computes; its weights are float32. */
  readonly forwardDtype: "float32" | "bfloat16" | "float64";
}

/** The published architecture, for 9×9 Sudoku. 27,275,266 parameters with one puzzle identifier. */
export const hrmPaper: HrmConfig = {
  vocabSize: 11,
  seqLen: 81,
  numPuzzleIdentifiers: 1,
  puzzleEmbNdim: 512,
  hiddenSize: 512,
  numHeads: 8,
  expansion: 4,
  mlpMultiple: 256,
  rmsNormEps: 1e-5,
  hLayers: 4,
  lLayers: 4,
  hCycles: 2,
  lCycles: 2,
  posEncodings: "rope",
  ropeTheta: 10000,
  forwardDtype: "bfloat16",
  haltMaxSteps: 16,
  haltExplorationProb: 0.1,
};

/** The two states, `[B, P + L, D]` each. */
export type HrmStates = {
  /** High level: slow, abstract; the answer is read from it. */
  readonly zH: Tensor;
  /** Low level: fast, detailed. */
  readonly zL: Tensor;
};

/** The network of one segment. */
export class HrmInner {
  // Named as in the published checkpoints, and in their order.
  /** Where `z_H` starts, `[D]`; fixed. */
  readonly H_init: Tensor;
  /** Where `z_L` starts, `[D]`; fixed. */
  readonly L_init: Tensor;
  /** Tokens. */
  readonly embed_tokens: Embedding;
  /** Tokens again. */
  readonly lm_head: Linear;
  /** Halt and continue. */
  readonly q_head: Linear;
  /** Puzzles: a table that sign-SGD trains, outside the other parameters. */
  readonly puzzle_emb?: { readonly weights: Tensor };
  /** Positions, where they are learned. */
  readonly embed_pos?: Embedding;
  /** `f_H`. */
  readonly H_level: Level;
  /** `f_L`. */
  readonly L_level: Level;
  readonly #config: HrmConfig;
  readonly #rotary: Rotary | null;

  /** With freshly drawn weights. */
  constructor(config: HrmConfig, options: LayerOptions) {
    const { hiddenSize: width, numPuzzleIdentifiers, puzzleEmbNdim } = config;
    const { random, device = "cpu" } = options;
    const std = 1 / Math.sqrt(width);
    this.#config = config;
    this.embed_tokens = new Embedding(config.vocabSize, width, { ...options, std });
    this.lm_head = new Linear(width, config.vocabSize, options);
    this.q_head = new Linear(width, 2, { ...options, bias: true });
    noGrad(() => { // almost never halt at first
      this.q_head.weight.fill_(0);
      this.q_head.bias!.fill_(-5);
    });
    if (puzzleEmbNdim > 0) {
      this.puzzle_emb = { weights: zeros([numPuzzleIdentifiers, puzzleEmbNdim], { device }) };
    }
    const length = config.seqLen + prefixLength(config);
    if (config.posEncodings === "learned") {
      this.embed_pos = new Embedding(length, width, { ...options, std });
    }
    const { ropeTheta: theta } = config;
    this.#rotary = config.posEncodings === "rope"
      ? rotaryTables(length, width / config.numHeads, { theta, device })
      : null;
    this.H_level = new Level(config.hLayers, config, options);
    this.L_level = new Level(config.lLayers, config, options);
    this.H_init = truncNormal([width], random, { device });
    this.L_init = truncNormal([width], random, { device });
  }

  /** `x̃ = f_I(x)`: `[B, P + L, D]`, of variance about 1. `puzzle` is `[B, puzzleEmbNdim]`. */
  embed(inputs: Tensor, puzzle: Tensor | null): Tensor {
    const { hiddenSize: width, forwardDtype: dtype } = this.#config;
    const prefix = prefixLength(this.#config);
    let x = this.embed_tokens.forward(inputs, dtype);
    if (puzzle !== null) {
      const padding = prefix * width - puzzle.shape[1]!;
      const tokens = puzzle.to(dtype).pad(1, [0, padding]).reshape([-1, prefix, width]);
      x = cat([tokens, x], 1);
    }
    if (this.embed_pos !== undefined) {
      x = x.add(this.embed_pos.embedding_weight.to(dtype)).mul(Math.SQRT1_2);
    }
    return x.mul(Math.sqrt(width));
  }

  /**
   * One segment: `N` cycles of `T` low-level steps and one high-level step, of which
   * only the last of each is gone back through (the one-step gradient).
   */
  segment({ zH, zL }: HrmStates, inputs: Tensor, puzzle: Tensor | null): Segment {
    const { hCycles: N, lCycles: T } = this.#config;
    const rotary = this.#rotary;
    // x̃ = input_embedding(x)
    const x = tidy(() => this.embed(inputs, puzzle));

    // with no_grad(): for i in range(N * T - 1):
    noGrad(() => {
      for (let i = 1; i < N * T; i++) {
        // zL = L_net(zL, zH, x̃)
        zL = this.L_level.forward(zL, zH.add(x), rotary);
        // if (i + 1) % T == 0: zH = H_net(zH, zL)
        if (i % T === 0) zH = this.H_level.forward(zH, zL, rotary);
      }
    });

    // 1-step grad: zL = L_net(zL, zH, x̃); zH = H_net(zH, zL)
    zL = this.L_level.forward(zL, zH.add(x), rotary);
    zH = this.H_level.forward(zH, zL, rotary);

    // return (zH, zL), output_head(zH), Q_head(zH)
    const logits = this.lm_head.forward(zH.slice(1, prefixLength(this.#config)));
    const q = this.q_head.forward(zH.select(1, 0)).to("float32");
    const states = { zH: zH.detach(), zL: zL.detach() };
    return { states, logits, qHalt: q.select(1, 0), qContinue: q.select(1, 1) };
  }
}

/** What a segment gives out. */
export interface Segment {
  /** The states after it. */
  readonly states: HrmStates;
  /** Logits of every token, `[B, L, V]`. */
  readonly logits: Tensor;
  /** Logit of halting, float32 `[B]`. */
  readonly qHalt: Tensor;
  /** Logit of going on, float32 `[B]`. */
  readonly qContinue: Tensor;
}

/** Positions before the tokens: as many as the puzzle embedding fills. */
function prefixLength({ puzzleEmbNdim, hiddenSize }: HrmConfig): number {
  return Math.ceil(puzzleEmbNdim / hiddenSize);
}

/** How a segment is run. */
export interface SegmentOptions {
  /** Draws exploration; given in training only. In evaluation every row does all segments. */
  readonly training?: { readonly random: Random };
}

/** What a step gives back. */
export interface HrmStep {
  /** For the next step. */
  readonly carry: Carry<HrmStates>;
  /** For the loss. */
  readonly outputs: Outputs;
  /** The rows of the puzzle table that were used, `[B, puzzleEmbNdim]`: a leaf in training. */
  readonly puzzleRows: Tensor | null;
}

/** HRM with adaptive computation: a segment at a time. */
export class Hrm {
  /** The network. */
  readonly inner: HrmInner;
  /** What it was made from. */
  readonly config: HrmConfig;

  /** With weights drawn from `random`. */
  constructor(config: HrmConfig, options: { readonly random: Random; readonly device?: Device }) {
    this.config = config;
    this.inner = new HrmInner(config, options);
  }

  /** The states at the start of every puzzle, `[1, 1, D]`, in the dtype of computation. */
  initialStates(): HrmStates {
    const { hiddenSize: width, forwardDtype, seqLen } = this.config;
    const length = seqLen + prefixLength(this.config);
    const start = (z: Tensor) =>
      z.detach().to(forwardDtype).reshape([1, 1, width]).expand([1, length, width]);
    return { zH: start(this.inner.H_init), zL: start(this.inner.L_init) };
  }

  /** One segment for every row; halted rows first take in the batch's rows. */
  step(carry: Carry<HrmStates>, batch: Batch, { training }: SegmentOptions = {}): HrmStep {
    const { haltMaxSteps } = this.config;
    const fresh = refill(carry, batch, this.initialStates());
    const { inputs, puzzleIdentifiers } = fresh.data;
    const puzzleRows = this.#lookUp(puzzleIdentifiers, training !== undefined);
    const segment = this.inner.segment(fresh.states, inputs, puzzleRows);
    const { states, logits, qHalt, qContinue } = segment;

    return noGrad(() => {
      const steps = fresh.steps.add(1);
      const last = steps.ge(haltMaxSteps);
      let halted = last, targetQContinue: Tensor | null = null;
      if (training !== undefined && haltMaxSteps > 1) {
        const wants = qHalt.gt(qContinue);
        halted = haltInTraining({ steps, wants, last }, this.config, training.random);
        // The value of going on is that of the best choice one segment later.
        const next = this.inner.segment(states, inputs, puzzleRows);
        targetQContinue = last.where(next.qHalt, next.qHalt.maximum(next.qContinue)).sigmoid();
      }
      return {
        carry: { states, steps, halted, data: fresh.data },
        outputs: { logits, qHalt, qContinue, targetQContinue },
        puzzleRows,
      };
    });
  }

  #lookUp(puzzleIdentifiers: Tensor, training: boolean): Tensor | null {
    const table = this.inner.puzzle_emb?.weights;
    if (table === undefined) return null;
    const rows = noGrad(() => embedding(table, puzzleIdentifiers));
    return training ? rows.requireGrad() : rows;
  }
}
