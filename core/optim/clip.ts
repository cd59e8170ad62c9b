import { noGrad } from "../autograd.ts";
import { inArena } from "../scope.ts";
import type { Tensor } from "../tensor.ts";

/** The length of all gradients together, `√Σ g²`, as a float32 scalar. */
export function gradNorm(gradients: readonly Tensor[]): Tensor {
  if (gradients.length === 0) throw new TypeError("Cannot take the length of no gradients");
  const [norm] = noGrad(() =>
    inArena<Tensor>(() => {
      const squares = gradients.map((g) => g.to("float32").square().sum());
      return [squares.reduce((sum, s) => sum.add(s)).sqrt()];
    })
  );
  return norm!;
}

/**
 * Gradients whose length together is at most `maxNorm`, scaled by
 * `min(1, maxNorm / (norm + 1e-6))`. Pascanu et al. 2013, arXiv:1211.5063.
 *
 * @param norm their length, where {@link gradNorm} was asked already
 */
export function clipGradNorm(
  gradients: readonly Tensor[],
  maxNorm: number,
  norm?: Tensor,
): Tensor[] {
  return noGrad(() => {
    const clipped = inArena<Tensor>(() => {
      const scale = (norm ?? gradNorm(gradients)).add(1e-6).pow(-1).mul(maxNorm).clamp({ max: 1 });
      return gradients.map((g) => g.mul(scale.to(g.dtype)));
    });
    return clipped as Tensor[];
  });
}
