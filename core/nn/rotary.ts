import { fromTypedArray } from "../create.ts";
import type { Device } from "../device.ts";
import type { Rotary } from "../ops/attention.ts";

/**
 * Angles `p θ^(−2i/d)` of positions `p < length` and dimensions `i < d/2`, twice
 * side by side: cosines and sines `[length, d]` in float32. Su et al. 2021,
 * arXiv:2104.09864.
 */
export function rotaryTables(
  length: number,
  dimensions: number,
  { theta = 10000, device = "cpu" }: { readonly theta?: number; readonly device?: Device } = {},
): Rotary {
  const cos = new Float32Array(length * dimensions), sin = new Float32Array(length * dimensions);
  const half = dimensions / 2;
  for (let position = 0; position < length; position++) {
    for (let i = 0; i < dimensions; i++) {
      // Rounded to float32 at each step, as the reference computes it.
      const exponent = Math.fround(2 * (i % half) / dimensions);
      const frequency = Math.fround(1 / Math.fround(Math.pow(theta, exponent)));
      const angle = Math.fround(position * frequency);
      cos[position * dimensions + i] = Math.cos(angle);
      sin[position * dimensions + i] = Math.sin(angle);
    }
  }
  const shape = [length, dimensions];
  return {
    cos: fromTypedArray(cos, shape, { device }),
    sin: fromTypedArray(sin, shape, { device }),
  };
}
