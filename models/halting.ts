/**
 * Adaptive computation: a model thinks in segments, and each row of a batch goes on
 * until it halts; then the row takes in the next puzzle. One segment is one
 * optimiser step (deep supervision), and nothing flows back across segments.
 *
 * Source: Wang et al. 2025, arXiv:2506.21734 §2; sapientinc/HRM@42410da
 * models/hrm/hrm_act_v1.py.
 *
 * @module
 */
import { noGrad } from "../core/autograd.ts";
import { fromTypedArray, full, zeros } from "../core/create.ts";
import type { Random } from "../core/random.ts";
import { tidy } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import {
  type Batch,
  type Carry,
  type Depth,
  mapStates,
  type Model,
  type Question,
  type States,
  type Step,
  type StepOptions,
  type Thought,
  type Training,
} from "./model.ts";
import type { HaltingNetwork } from "./token_network.ts";

/** When a row may halt. */
export interface HaltingConfig {
  /** The most segments for one puzzle, `M_max`. */
  readonly haltMaxSteps: number;
  /** How often a row must go on for a random number of segments. */
  readonly haltExplorationProb: number;
}

/** What HRM, TRM and their relatives were published with. */
export const paperHalting: HaltingConfig = { haltMaxSteps: 16, haltExplorationProb: 0.1 };

/** What a segment gives out. */
export interface Segment<S extends States = States> {
  /** The states after it, cut off from the tape. */
  readonly states: S;
  /** Logits of every token, `[B, L, V]`. */
  readonly logits: Tensor;
  /** Logit of halting, float32 `[B]`. */
  readonly qHalt: Tensor;
  /** Logit of going on, float32 `[B]`. */
  readonly qContinue: Tensor;
}

/** The network of one segment. */
export interface SegmentNetwork<S extends States> extends HaltingNetwork {
  /** The states at the start of every puzzle, `[1, P + L, D]`, in the dtype of computation. */
  initialStates(): S;
  /** One segment. `puzzle` holds the rows of the puzzle table, `[B, puzzleEmbNdim]`. */
  segment(states: S, inputs: Tensor, puzzle: Tensor | null): Segment<S>;
}

/** How the halting head is read and trained. */
export interface HaltingRule {
  /** Which rows want to halt, bool `[B]`. */
  wantsToHalt(q: Pick<Segment, "qHalt" | "qContinue">): Tensor;
  /** Whether going on is valued by what the next segment says; it costs a segment without gradients. */
  readonly bootstraps: boolean;
}

/** HRM's: halt where that is worth more than going on, and learn both (Q-learning). */
export const haltOrContinue: HaltingRule = {
  wantsToHalt: ({ qHalt, qContinue }) => qHalt.gt(qContinue),
  bootstraps: true,
};

/** TRM's: halt where the answer is more likely right than not; nothing is learnt of going on. */
export const haltOnly: HaltingRule = {
  wantsToHalt: ({ qHalt }) => qHalt.gt(0),
  bootstraps: false,
};

/** A network inside the halting loop: a model that thinks in segments. */
export class HaltingModel<S extends States, Network extends SegmentNetwork<S>> implements Model<S> {
  /** The network. */
  readonly inner: Network;
  readonly #halting: HaltingConfig;
  readonly #rule: HaltingRule;

  /** A network, when it may halt, and when it wants to. */
  constructor(inner: Network, halting: HaltingConfig, rule: HaltingRule) {
    this.inner = inner;
    this.#halting = halting;
    this.#rule = rule;
  }

  /** Segments. */
  get depth(): Depth {
    return { unit: "segment", trained: this.#halting.haltMaxSteps, most: Infinity };
  }

  /** The table of puzzle embeddings. */
  get puzzleTable(): Tensor | null {
    return this.inner.puzzle_emb?.weights ?? null;
  }

  /** The states at the start of every puzzle, `[1, P + L, D]`. */
  initialStates(): S {
    return this.inner.initialStates();
  }

  /** All rows halted. */
  initialCarry(batch: Batch): Carry<S> {
    return initialCarry(this.initialStates(), batch);
  }

  /** The same for every puzzle. */
  start({ inputs }: Question): S {
    const rows = inputs.shape[0]!;
    return mapStates(this.initialStates(), (z) => z.expand([rows, ...z.shape.slice(1)]));
  }

  /** One segment. */
  think(states: S, { inputs, puzzleIdentifiers }: Question): Thought<S> {
    const segment = noGrad(() =>
      this.inner.segment(states, inputs, this.inner.lookUp(puzzleIdentifiers, false))
    );
    const { logits, qHalt } = segment;
    return {
      states: segment.states,
      logits,
      qHalt,
      wantsToHalt: this.#rule.wantsToHalt(segment),
    };
  }

  /**
   * One segment for every row; halted rows first take in the batch's rows. Without
   * `training`, every row does all segments, as the references evaluate.
   */
  step(carry: Carry<S>, batch: Batch, { training }: StepOptions = {}): Step<S> {
    const { haltMaxSteps } = this.#halting;
    const fresh = refill(carry, batch, this.initialStates());
    const { inputs, puzzleIdentifiers } = fresh.data;
    const puzzleRows = this.inner.lookUp(puzzleIdentifiers, training !== undefined);
    const segment = this.inner.segment(fresh.states, inputs, puzzleRows);
    const { states, logits, qHalt, qContinue } = segment;

    return noGrad(() => {
      const steps = fresh.steps.add(1);
      const last = steps.ge(haltMaxSteps);
      let halted = last, targetQContinue: Tensor | null = null;
      if (training !== undefined && haltMaxSteps > 1) {
        const wants = this.#rule.wantsToHalt(segment);
        halted = haltInTraining({ steps, wants, last }, this.#halting, training);
        if (this.#rule.bootstraps) {
          // The value of going on is that of the best choice one segment later.
          targetQContinue = tidy(() => {
            const next = this.inner.segment(states, inputs, puzzleRows);
            return last.where(next.qHalt, next.qHalt.maximum(next.qContinue)).sigmoid();
          });
        }
      }
      return {
        carry: { states, steps, halted, data: fresh.data },
        outputs: { logits, qHalt, qContinue, targetQContinue },
        puzzleRows,
      };
    });
  }
}

/** A carry with every row halted, so that the first segment takes in the whole batch. */
export function initialCarry<S extends States>(initial: S, batch: Batch): Carry<S> {
  const rows = batch.inputs.shape[0]!;
  const { device } = batch.inputs;
  const states = mapStates(initial, (z) => z.expand([rows, ...z.shape.slice(1)]).clone());
  return {
    states,
    steps: zeros([rows], { dtype: "int32", device }),
    halted: full([rows], 1, { dtype: "bool", device }),
    data: {
      inputs: batch.inputs.zerosLike(),
      labels: batch.labels.zerosLike(),
      puzzleIdentifiers: batch.puzzleIdentifiers.zerosLike(),
    },
  };
}

/** Gives every halted row the initial states, no segments, and the batch's row. */
export function refill<S extends States>(
  carry: Carry<S>,
  batch: Batch,
  initial: S,
): { states: S; steps: Tensor; data: Batch } {
  const { halted } = carry;
  const choose = (fresh: Tensor, kept: Tensor) =>
    halted.reshape([-1, ...kept.shape.slice(1).map(() => 1)]).where(fresh, kept);
  return {
    states: mapStates(carry.states, (z, name) => choose(initial[name]!, z)),
    steps: choose(zeros([], { dtype: "int32", device: carry.steps.device }), carry.steps),
    data: {
      inputs: choose(batch.inputs, carry.data.inputs),
      labels: choose(batch.labels, carry.data.labels),
      puzzleIdentifiers: choose(batch.puzzleIdentifiers, carry.data.puzzleIdentifiers),
    },
  };
}

/**
 * Which rows halt in training: those at the last segment, and those that want to,
 * unless exploration makes them go on. The draw is repeated at every segment, as
 * the reference does.
 *
 * @param steps segments done, this one included
 * @param wants which rows want to halt
 * @param last which rows are at the last segment
 */
export function haltInTraining(
  { steps, wants, last }: { steps: Tensor; wants: Tensor; last: Tensor },
  { haltMaxSteps, haltExplorationProb }: HaltingConfig,
  { random, elsewhere = { before: 0, after: 0 } }: Pick<Training, "random" | "elsewhere">,
): Tensor {
  if (haltMaxSteps <= 1) return last;
  const halted = last.logicalOr(wants);
  if (haltExplorationProb <= 0) return halted;
  const draw = (rows: number) =>
    explorationFloor(rows, { haltMaxSteps, haltExplorationProb }, random);
  draw(elsewhere.before);
  const least = draw(steps.size);
  draw(elsewhere.after);
  return halted.logicalAnd(steps.ge(fromTypedArray(least).to(steps.device)));
}

/** The least number of segments for each row: with probability ε uniform in `2 … M_max`, else 0. */
function explorationFloor(
  rows: number,
  { haltMaxSteps, haltExplorationProb }: HaltingConfig,
  random: Random,
): Int32Array {
  return Int32Array.from({ length: rows }, () => {
    const explores = random.uniform() < haltExplorationProb;
    const floor = 2 + random.below(haltMaxSteps - 1);
    return explores ? floor : 0;
  });
}
