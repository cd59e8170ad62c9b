/**
 * What surrounds every network here: tokens and puzzle embeddings in, logits of
 * tokens and of halting out. The parameter names are those of the published
 * checkpoints.
 *
 * Source: sapientinc/HRM@42410da models/hrm/hrm_act_v1.py.
 *
 * @module
 */
import { noGrad } from "../core/autograd.ts";
import { zeros } from "../core/create.ts";
import { Embedding } from "../core/nn/embedding.ts";
import { type LayerOptions, Linear } from "../core/nn/linear.ts";
import { rotaryTables } from "../core/nn/rotary.ts";
import type { Rotary } from "../core/ops/attention.ts";
import { cat, embedding, type Tensor } from "../core/tensor.ts";
import type { BlockConfig } from "./block.ts";

/** The tokens, and how they become vectors. */
export interface TokenConfig extends BlockConfig {
  /** Kinds of tokens, `V`. */
  readonly vocabSize: number;
  /** Tokens of a puzzle, `L`. */
  readonly seqLen: number;
  /** Rows of the puzzle-embedding table. */
  readonly numPuzzleIdentifiers: number;
  /** Width of a row of that table; 0 for none, and then no prefix. */
  readonly puzzleEmbNdim: number;
  /** How positions are told apart: rotated queries and keys, a learned embedding, or not at all. */
  readonly posEncodings: "rope" | "learned" | "none";
  /** Base of the rotary frequencies. */
  readonly ropeTheta: number;
  /** The dtype in which the model computes; its weights are float32. */
  readonly forwardDtype: "float32" | "bfloat16" | "float64";
}

/** What HRM, TRM and their relatives were published with, for 9×9 Sudoku. */
export const paperTokens: TokenConfig = {
  vocabSize: 11,
  seqLen: 81,
  numPuzzleIdentifiers: 1,
  puzzleEmbNdim: 512,
  hiddenSize: 512,
  numHeads: 8,
  expansion: 4,
  mlpMultiple: 256,
  rmsNormEps: 1e-5,
  posEncodings: "rope",
  ropeTheta: 10000,
  forwardDtype: "bfloat16",
};

/** Positions before the tokens: as many as the puzzle embedding fills. */
export function prefixLength(
  { puzzleEmbNdim, hiddenSize }: Pick<TokenConfig, "puzzleEmbNdim" | "hiddenSize">,
): number {
  return Math.ceil(puzzleEmbNdim / hiddenSize);
}

/** Embeds tokens behind a prefix of `P` puzzle positions, and reads tokens out. */
export class TokenNetwork {
  /** Tokens. */
  readonly embed_tokens: Embedding;
  /** Tokens again. */
  readonly lm_head: Linear;
  /** Puzzles: a table that sign-SGD trains, outside the other parameters. */
  readonly puzzle_emb?: { readonly weights: Tensor };
  /** Positions, where they are learned. */
  readonly embed_pos?: Embedding;
  readonly #config: TokenConfig;
  readonly #prefix: number;
  readonly #rotary: Rotary | null;

  /** With freshly drawn weights, and `prefix` positions before the tokens. */
  constructor(config: TokenConfig, options: LayerOptions, prefix: number = prefixLength(config)) {
    const { hiddenSize: width, numPuzzleIdentifiers, puzzleEmbNdim, posEncodings } = config;
    const { device = "cpu" } = options;
    const std = 1 / Math.sqrt(width);
    this.#config = config;
    this.#prefix = prefix;
    this.embed_tokens = new Embedding(config.vocabSize, width, { ...options, std });
    this.lm_head = new Linear(width, config.vocabSize, options);
    if (puzzleEmbNdim > 0) {
      this.puzzle_emb = { weights: zeros([numPuzzleIdentifiers, puzzleEmbNdim], { device }) };
    }
    if (posEncodings === "learned") {
      this.embed_pos = new Embedding(this.length, width, { ...options, std });
    }
    const { ropeTheta: theta, numHeads } = config;
    this.#rotary = posEncodings === "rope"
      ? rotaryTables(this.length, Math.floor(width / numHeads), { theta, device })
      : null;
  }

  /** Positions in all, `P + L`. */
  get length(): number {
    return this.#prefix + this.#config.seqLen;
  }

  /** The angles of the positions, if they are rotated. */
  get rotary(): Rotary | null {
    return this.#rotary;
  }

  /** `[B, P + L, D]`, of variance about 1. `puzzle` is `[B, puzzleEmbNdim]`. */
  embed(inputs: Tensor, puzzle: Tensor | null): Tensor {
    const { hiddenSize: width, forwardDtype: dtype } = this.#config;
    let x = this.embed_tokens.forward(inputs, dtype);
    if (puzzle !== null) {
      const padding = this.#prefix * width - puzzle.shape[1]!;
      const tokens = puzzle.to(dtype).pad(1, [0, padding]).reshape([-1, this.#prefix, width]);
      x = cat([tokens, x], 1);
    }
    if (this.embed_pos !== undefined) {
      x = x.add(this.embed_pos.embedding_weight.to(dtype)).mul(Math.SQRT1_2);
    }
    return x.mul(Math.sqrt(width));
  }

  /** The rows of the puzzle table, `[B, puzzleEmbNdim]`: a leaf in training; null without a table. */
  lookUp(puzzleIdentifiers: Tensor, training: boolean): Tensor | null {
    const table = this.puzzle_emb?.weights;
    if (table === undefined) return null;
    const rows = noGrad(() => embedding(table, puzzleIdentifiers));
    return training ? rows.requireGrad() : rows;
  }

  /** The vector `[D]` at every position, `[1, P + L, D]`, in the dtype of computation. */
  everywhere(vector: Tensor): Tensor {
    const { hiddenSize: width, forwardDtype } = this.#config;
    return vector.detach().to(forwardDtype).reshape([1, 1, width]).expand([1, this.length, width]);
  }

  /** Logits of the tokens, `[B, P + L, D]` → `[B, L, V]`. */
  readTokens(z: Tensor): Tensor {
    return this.lm_head.forward(z.slice(1, this.#prefix));
  }
}

/** A token network that also says whether it would rather halt. */
export class HaltingNetwork extends TokenNetwork {
  /** Halt and continue. */
  readonly q_head: Linear;

  /** With freshly drawn weights; it almost never halts at first. */
  constructor(config: TokenConfig, options: LayerOptions, prefix?: number) {
    super(config, options, prefix);
    this.q_head = new Linear(config.hiddenSize, 2, { ...options, bias: true });
    noGrad(() => {
      this.q_head.weight.fill_(0);
      this.q_head.bias!.fill_(-5);
    });
  }

  /** The logits of halting and of going on, read at the first position, float32 `[B]` each. */
  readHalting(z: Tensor): { qHalt: Tensor; qContinue: Tensor } {
    const q = this.q_head.forward(z.select(1, 0)).to("float32");
    return { qHalt: q.select(1, 0), qContinue: q.select(1, 1) };
  }
}
