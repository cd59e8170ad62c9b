import { fromTypedArray } from "../create.ts";
import type { Random } from "../random.ts";
import { type Shape, sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Sets a share of the elements to zero, and scales the others up so that the mean
 * stays. Srivastava et al. 2014, jmlr.org/papers/v15/srivastava14a.html.
 */
export class Dropout {
  readonly #rate: number;
  readonly #random: Random;

  /**
   * Drops at a rate.
   *
   * @param rate the share that is dropped, in `[0, 1)`; drawn in steps of 2⁻¹⁶
   * @throws {RangeError} when the rate lies outside
   */
  constructor(rate: number, random: Random) {
    if (!(rate >= 0 && rate < 1)) {
      throw new RangeError(`Cannot drop a share of ${rate}: expected one from 0 to below 1`);
    }
    this.#rate = rate;
    this.#random = random;
  }

  /** Factors 0 and `1 / (1 − rate)`, of a shape, in the dtype and on the device of `like`. */
  mask(shape: Shape, like: Pick<Tensor, "dtype" | "device">): Tensor {
    const size = sizeOf(shape);
    const factors = new Float32Array(size);
    const threshold = Math.min(0xffff, Math.round(this.#rate * 0x10000));
    const kept = 0x10000 / (0x10000 - threshold); // of the rate as it is drawn
    for (let i = 0; i < size; i += 2) { // two elements from one word
      const word = this.#random.uint32();
      if ((word & 0xffff) >= threshold) factors[i] = kept;
      if (i + 1 < size && (word >>> 16) >= threshold) factors[i + 1] = kept;
    }
    return fromTypedArray(factors, shape, { device: like.device }).to(like.dtype);
  }

  /** `x` with some elements dropped. */
  forward(x: Tensor): Tensor {
    return this.#rate === 0 ? x : x.mul(this.mask(x.shape, x));
  }
}
