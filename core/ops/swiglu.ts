/**
 * The gated feed-forward layer as one operation, so that its backward reuses
 * memory and recomputes what is cheap.
 *
 * @module
 */
import { aten } from "../../ffi/operators.ts";
import { type Op, op } from "../autograd.ts";
import { formatShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { rows } from "./matmul.ts";

/**
 * `W₂ (silu(G) ⊙ U)` with `[G, U] = W₁ x`: `[…, D]` by `W₁ [2I, D]` and `W₂ [D', I]`
 * to `[…, D']`. Source: Shazeer 2020, arXiv:2002.05202.
 */
export const swiglu: Op<readonly [x: Tensor, w1: Tensor, w2: Tensor]> = op("swiglu", {
  check: ([x, w1, w2]) => {
    const fits = w1.shape.length === 2 && w2.shape.length === 2 && x.shape.length >= 1 &&
      w1.shape[1] === x.shape.at(-1) && w1.shape[0] === 2 * w2.shape[1]!;
    if (!fits || x.dtype !== w1.dtype || x.dtype !== w2.dtype) {
      throw new TypeError(
        `Cannot apply swiglu weights ${w1.dtype} ${formatShape(w1.shape)} and ` +
          `${w2.dtype} ${formatShape(w2.shape)} to ${x.dtype} ${formatShape(x.shape)}`,
      );
    }
  },
  composed: true,
  forward: ([x, w1, w2], _, save) => {
    const hidden = rows(x).matmul(w1.transpose(0, 1));
    const [gate, up] = hidden.split(2, 1);
    const activated = gate!.emptyLike();
    aten.siluOut(gate!.handle, activated.handle);
    activated.mul_(up!);
    save(hidden, activated);
    return activated.matmul(w2.transpose(0, 1))
      .reshape([...x.shape.slice(0, -1), w2.shape[0]!]);
  },
  keeps: "x",
  vjp: (dy, { x: [x, w1, w2], saved: [hidden, activated] }) => {
    const [gate, up] = hidden!.split(2, 1);
    const dyRows = rows(dy);
    const dActivated = dyRows.matmul(w2); // a = silu(g) u
    const dHidden = hidden!.emptyLike();
    const [dGate, dUp] = dHidden.split(2, 1);
    const s = gate!.silu();
    aten.mulOut(dActivated.handle, s.handle, dUp!.handle); // du = silu(g) da
    dActivated.mul_(up!);
    aten.siluBackwardOut(dActivated.handle, gate!.handle, dGate!.handle); // dg = silu'(g) u da
    return [
      dHidden.matmul(w1).reshape(x.shape),
      dHidden.transpose(0, 1).matmul(rows(x)),
      dyRows.transpose(0, 1).matmul(activated!),
    ];
  },
});
