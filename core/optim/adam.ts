/**
 * Adam with decoupled weight decay, and its variant without an epsilon.
 *
 * @module
 */
import { scalar } from "../create.ts";
import type { StoredTensor } from "../nn/module.ts";
import type { Tensor } from "../tensor.ts";
import {
  FlatParameters,
  type Named,
  type Optimizer,
  restoreState,
  storeState,
  updating,
} from "./optimizer.ts";

/** Settings of both. */
export interface AdamOptions {
  /** Decay rates of the running mean and the running square. */
  readonly betas: readonly [number, number];
  /** Decoupled weight decay: each step multiplies the parameters by `1 − lr · weightDecay`. */
  readonly weightDecay: number;
}

/** How far the parameters go along the two running averages, after bias correction. */
type Direction = (
  m: Tensor,
  v: Tensor,
  corrections: readonly [number, number],
) => { direction: Tensor; scale: number };

/** Adam over one flat buffer. */
class Adam implements Optimizer {
  readonly #flat: FlatParameters;
  readonly #options: AdamOptions;
  readonly #direction: Direction;
  readonly #m: Tensor;
  readonly #v: Tensor;
  #step = 0;

  constructor(parameters: readonly Named[], options: AdamOptions, direction: Direction) {
    this.#flat = new FlatParameters(parameters);
    this.#options = options;
    this.#direction = direction;
    this.#m = this.#flat.zeros();
    this.#v = this.#flat.zeros();
  }

  step(gradients: readonly Tensor[], lr: number): void {
    const { betas: [beta1, beta2], weightDecay } = this.#options;
    const t = this.#step + 1;
    const corrections = [1 - beta1 ** t, 1 - beta2 ** t] as const;
    updating(() => {
      const { buffer } = this.#flat;
      const [rate1, rate2, decay] = [1 - beta1, 1 - beta2, 1 - lr * weightDecay]
        .map((value) => scalar(value, { dtype: buffer.dtype }));
      const one = scalar(1, { dtype: buffer.dtype, device: buffer.device });
      this.#flat.update(gradients, (g, part) => {
        const [p, m, v] = [buffer, this.#m, this.#v].map(part) as [Tensor, Tensor, Tensor];
        m.lerp_(g, rate1!); // m ← β₁ m + (1 − β₁) g
        v.lerp_(g.square(), rate2!); // v ← β₂ v + (1 − β₂) g²
        const { direction, scale } = this.#direction(m, v, corrections);
        p.mul_(decay!);
        p.addcmul_(direction, one, -lr * scale);
      });
    });
    this.#step = t;
  }

  state(): Map<string, StoredTensor> {
    return storeState(this.#step, { m: this.#m, v: this.#v });
  }

  load(state: ReadonlyMap<string, StoredTensor>): void {
    this.#step = restoreState(state, { m: this.#m, v: this.#v });
  }

  dispose(): void {
    for (const buffer of [this.#m, this.#v, this.#flat.buffer]) buffer.dispose();
  }
}

/**
 * AdamW: `p ← (1 − lr λ) p − lr m̂ / (√v̂ + ε)`. Loshchilov and Hutter 2019, arXiv:1711.05101.
 */
export function adamW(
  parameters: readonly Named[],
  options: AdamOptions & { readonly eps: number },
): Optimizer {
  return new Adam(parameters, options, (m, v, [c1, c2]) => {
    const denominator = v.mul(1 / c2).sqrt_().add(options.eps);
    return { direction: m.div(denominator), scale: 1 / c1 };
  });
}

/** The two published forms of {@link adamATan2}. */
export type ATan2Convention = "imoneoi" | "lucidrains";

/**
 * Adam whose step is an angle, so that no epsilon is needed. Everett et al. 2024,
 * arXiv:2407.05872. Two conventions are in use:
 *
 * - `imoneoi`, of the official HRM: `p ← (1 − lr λ) p − lr / (1 − β₁ᵗ) · atan2(m, √v̂)`
 * - `lucidrains`: `p ← (1 − lr λ) p − 1.27 lr · atan2(m̂, √v̂)`
 */
export function adamATan2(
  parameters: readonly Named[],
  options: AdamOptions & { readonly convention: ATan2Convention },
): Optimizer {
  const official = options.convention === "imoneoi";
  return new Adam(parameters, options, (m, v, [c1, c2]) => {
    const denominator = v.mul(1 / c2).sqrt_();
    const numerator = official ? m : m.mul(1 / c1);
    return { direction: numerator.atan2(denominator), scale: official ? 1 / c1 : 1.27 };
  });
}
