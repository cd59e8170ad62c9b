import type { Tensor } from "../core/tensor.ts";

/** How far apart two numbers may be: `atol + rtol · |want|`. */
export interface Tolerance {
  readonly rtol?: number;
  readonly atol?: number;
}

/** Asserts that a tensor has the wanted shape and numbers, and says where it differs most. */
export function assertClose(
  got: Tensor,
  want: Tensor | { readonly shape: readonly number[]; readonly values: ArrayLike<number> },
  { rtol = 1e-5, atol = 1e-6 }: Tolerance = {},
  what = "result",
): void {
  const wantShape = want.shape;
  if (String(got.shape) !== String(wantShape)) {
    throw new Error(`${what}: shape [${got.shape}], expected [${wantShape}]`);
  }
  const a = got.toNumbers();
  const b = "values" in want ? want.values : want.toNumbers();
  let worst = -1, excess = 0, count = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!, y = b[i]!;
    const bound = atol + rtol * Math.abs(y);
    const difference = Object.is(x, y) || x === y ? 0 : Math.abs(x - y);
    if (difference <= bound) continue;
    count++;
    const over = Number.isNaN(difference) ? Infinity : difference / bound;
    if (over > excess) [worst, excess] = [i, over];
  }
  if (count === 0) return;
  throw new Error(
    `${what}: ${count} of ${a.length} differ; worst at ${worst}: got ${a[worst]}, ` +
      `expected ${b[worst]} within ${atol + rtol * Math.abs(b[worst]!)}`,
  );
}
