/**
 * Recursion that is not gone back through.
 *
 * @module
 */
import { noGrad } from "../core/autograd.ts";
import { tidy } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";

/**
 * The states after `advance` was applied `times` times without a tape. Only they are
 * kept: states on the way are freed as soon as the next are there, so that memory
 * does not grow with the number of times.
 */
export function untaped<S extends readonly Tensor[]>(
  states: S,
  times: number,
  advance: (states: S, i: number) => S,
): S {
  return noGrad(() => {
    let current = states;
    for (let i = 0; i < times; i++) {
      const next = tidy(() => advance(current, i));
      for (const z of current) if (!next.includes(z) && !states.includes(z)) z.dispose();
      current = next;
    }
    return current;
  });
}
