import { scalar } from "../create.ts";
import {
  type Module,
  namedParameters,
  restoreTensor,
  type StoredTensor,
  storeTensor,
} from "../nn/module.ts";
import type { Tensor } from "../tensor.ts";
import { unowned, updating } from "./optimizer.ts";

/** Exponential moving averages of a module's parameters: `s ← μ s + (1 − μ) p` after each step. */
export class Ema {
  readonly #parameters: readonly (readonly [string, Tensor])[];
  readonly #averages: readonly Tensor[];
  readonly #rate: number;

  /** Starts from the parameters as they are; `rate` is μ, in `[0, 1]`. */
  constructor(module: Module, rate: number) {
    this.#parameters = namedParameters(module);
    this.#averages = this.#parameters.map(([, p]) => unowned(() => p.clone()));
    this.#rate = rate;
  }

  /** Takes the present parameters in. */
  update(): void {
    updating(() => {
      this.#averages.forEach((average, i) => {
        const weight = scalar(1 - this.#rate, { dtype: average.dtype });
        average.lerp_(this.#parameters[i]![1], weight);
      });
    });
  }

  /** Runs `body` with the averages in place of the parameters, which come back after it. */
  async applied<T>(body: () => T | Promise<T>): Promise<T> {
    this.#exchange();
    try {
      return await body();
    } finally {
      this.#exchange();
    }
  }

  #exchange(): void {
    updating(() => {
      this.#parameters.forEach(([, parameter], i) => {
        const before = parameter.detach().clone();
        parameter.copy_(this.#averages[i]!);
        this.#averages[i]!.copy_(before);
      });
    });
  }

  /** The averages by the parameters' names. */
  state(): Map<string, StoredTensor> {
    return new Map(
      this.#parameters.map(([name], i) => [name, storeTensor(this.#averages[i]!)]),
    );
  }

  /** Continues from a state that {@link Ema.state} returned. */
  load(state: ReadonlyMap<string, StoredTensor>): void {
    this.#parameters.forEach(([name], i) => {
      const stored = state.get(name);
      if (stored === undefined) throw new TypeError(`Cannot restore the average of ${name}`);
      restoreTensor(this.#averages[i]!, stored);
    });
  }

  /** Frees the averages. */
  dispose(): void {
    for (const average of this.#averages) average.dispose();
  }
}
