/**
 * What the plain, the recurrent and the looped transformer are made of: an
 * embedding, blocks, a norm and a head, in one of three styles.
 *
 * @module
 */
import { noGrad } from "../core/autograd.ts";
import { Dropout } from "../core/nn/dropout.ts";
import { rmsNorm } from "../core/ops/softmax.ts";
import { tidy } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { Block, type Layer, PreNormBlock } from "./block.ts";
import { GptBackbone } from "./gpt.ts";
import { initialCarry, refill } from "./halting.ts";
import type {
  Batch,
  Carry,
  Depth,
  Model,
  ModelOptions,
  Question,
  States,
  Step,
  StepOptions,
  Thought,
  Training,
} from "./model.ts";
import { type TokenConfig, TokenNetwork } from "./token_network.ts";
import { untaped } from "./untaped.ts";

/** The measures of a backbone. */
export interface BackboneConfig extends TokenConfig {
  /**
   * HRM's blocks, whose norms come after the layers; the same with the norms before
   * them; or those of minGPT, which have learned positions and no puzzle embedding
   * whatever `posEncodings` and `puzzleEmbNdim` say.
   */
  readonly backbone: "post-norm" | "pre-norm" | "gpt";
  /** Blocks. */
  readonly numLayers: number;
  /** The share that dropout drops in training; of `gpt` alone. */
  readonly dropout: number;
}

/** Tokens to vectors, vectors to vectors, vectors to tokens. */
export interface Backbone {
  /** Puzzles: a table that sign-SGD trains, outside the other parameters. */
  readonly puzzle_emb?: { readonly weights: Tensor };
  /** The rows of the puzzle table, `[B, puzzleEmbNdim]`: a leaf in training; null without a table. */
  lookUp(puzzleIdentifiers: Tensor, training: boolean): Tensor | null;
  /** Integers `[B, L]` → `[B, P + L, D]`. */
  embed(inputs: Tensor, puzzle: Tensor | null, dropout: Dropout | null): Tensor;
  /** Once through the blocks, `[B, P + L, D]` → `[B, P + L, D]`. */
  forward(x: Tensor, dropout: Dropout | null): Tensor;
  /** The norm that the head expects, of the same shape. */
  normed(x: Tensor): Tensor;
  /** `[B, P + L, D]` → logits `[B, L, V]`. */
  readTokens(x: Tensor): Tensor;
}

/** The backbone that a config describes, with freshly drawn weights. */
export function makeBackbone(config: BackboneConfig, options: ModelOptions): Backbone {
  return config.backbone === "gpt"
    ? new GptBackbone(config, options)
    : new TokenBackbone(config, options);
}

/** HRM's surroundings with a stack of blocks inside. */
class TokenBackbone extends TokenNetwork implements Backbone {
  readonly layers: readonly Layer[];
  readonly #norm: (x: Tensor) => Tensor;

  constructor(config: BackboneConfig, options: ModelOptions) {
    super(config, options);
    const isPreNorm = config.backbone === "pre-norm";
    const Kind = isPreNorm ? PreNormBlock : Block;
    this.layers = Array.from({ length: config.numLayers }, () => new Kind(config, options));
    // blocks that end in a norm leave nothing to do
    this.#norm = isPreNorm ? (x) => rmsNorm([x], { eps: config.rmsNormEps }) : (x) => x;
  }

  override embed(inputs: Tensor, puzzle: Tensor | null): Tensor {
    return tidy(() => super.embed(inputs, puzzle));
  }

  forward(x: Tensor): Tensor {
    return tidy(() => this.layers.reduce((y, layer) => layer.forward(y, this.rotary), x));
  }

  normed(x: Tensor): Tensor {
    return this.#norm(x);
  }
}

/** What a step of a {@link BackboneModel} gives out. */
export interface Answer {
  /** Logits that the loss is taken of, each with its weight; the last are the answer. */
  readonly supervised: readonly { readonly logits: Tensor; readonly weight: number }[];
  /** Units of thought that it took. */
  readonly units: number;
}

/** A model made of a backbone, which answers a whole batch in one step: no row goes on to the next. */
export abstract class BackboneModel<S extends States> implements Model<S> {
  /** The backbone. */
  readonly backbone: Backbone;
  readonly #dropout: number;

  /** With freshly drawn weights. */
  constructor(config: BackboneConfig, options: ModelOptions) {
    this.backbone = makeBackbone(config, options);
    this.#dropout = config.dropout;
  }

  /** How deep it thinks. */
  abstract readonly depth: Depth;

  /** The states before the first unit of thought, given the embedded question. */
  protected abstract begin(x: Tensor): S;

  /** One unit of thought. */
  protected abstract advance(states: S, x: Tensor, dropout: Dropout | null): S;

  /** Logits of the answer in the states. */
  protected abstract answer(states: S): Tensor;

  /** What a training step computes, from the embedded question on. */
  protected abstract learn(x: Tensor, training: Training, dropout: Dropout | null): Answer;

  /** The states after some units of thought that are not gone back through. */
  protected skip(units: number, x: Tensor, dropout: Dropout | null): S {
    const start = this.begin(x);
    const names = Object.keys(start);
    const statesOf = (tensors: readonly Tensor[]) =>
      Object.fromEntries(tensors.map((z, i) => [names[i]!, z])) as S;
    return statesOf(
      untaped(
        Object.values(start) as readonly Tensor[],
        units,
        (tensors) => Object.values(this.advance(statesOf(tensors), x, dropout)),
      ),
    );
  }

  /** The table of puzzle embeddings. */
  get puzzleTable(): Tensor | null {
    return this.backbone.puzzle_emb?.weights ?? null;
  }

  /** All rows halted; there is nothing else to carry. */
  initialCarry(batch: Batch): Carry {
    return initialCarry({}, batch);
  }

  /** The states before the first unit of thought. */
  start(question: Question): S {
    return noGrad(() => this.begin(this.#embed(question)));
  }

  /** One unit of thought. */
  think(states: S, question: Question): Thought<S> {
    return noGrad(() => {
      const after = this.advance(states, this.#embed(question), null);
      return { states: after, logits: this.answer(after), qHalt: null, wantsToHalt: null };
    });
  }

  /** The whole batch, as many units of thought as it is trained with. */
  step(carry: Carry, batch: Batch, { training }: StepOptions = {}): Step {
    const { data, steps } = refill(carry, batch, {});
    const puzzleRows = this.backbone.lookUp(data.puzzleIdentifiers, training !== undefined);
    const { supervised, units } = training === undefined
      ? this.#evaluate(data)
      : this.#train(data.inputs, puzzleRows, training);
    const after = {
      states: {},
      steps: steps.add(units),
      halted: carry.halted.onesLike(),
      data,
    };
    const { logits } = supervised.at(-1)!;
    const outputs = { logits, supervised, qHalt: null, qContinue: null, targetQContinue: null };
    return { carry: after, outputs, puzzleRows };
  }

  #train(inputs: Tensor, puzzleRows: Tensor | null, training: Training): Answer {
    const random = training.dropped ?? training.random;
    const dropout = this.#dropout === 0 ? null : new Dropout(this.#dropout, random);
    return this.learn(this.backbone.embed(inputs, puzzleRows, dropout), training, dropout);
  }

  #evaluate(question: Question): Answer {
    const units = this.depth.trained;
    let thought = this.think(this.start(question), question);
    for (let unit = 1; unit < units; unit++) thought = this.think(thought.states, question);
    return { supervised: [{ logits: thought.logits, weight: 1 }], units };
  }

  #embed({ inputs, puzzleIdentifiers }: Question): Tensor {
    return this.backbone.embed(inputs, this.backbone.lookUp(puzzleIdentifiers, false), null);
  }
}
