/**
 * The gated feed-forward layer as one operation, so that its backward reuses
 * memory and recomputes what is cheap.
 *
 * @module
 */
import { direct } from "../../ffi/kernels.ts";
import { aten } from "../../ffi/operators.ts";
import { type Op, op, wrap } from "../autograd.ts";
import { noteProduct } from "../flops.ts";
import { formatShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { packedFor, rows, suitsOneDnn, timesWeight } from "./matmul.ts";

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
  forward: ([x, w1, w2], _, save, recorded) => {
    const activated = recorded
      ? recordedGate(rows(x), w1, save)
      : fusedGate(rows(x), w1) ?? gateOf(rows(x), w1);
    return timesWeight(activated, w2, recorded)
      .reshape([...x.shape.slice(0, -1), w2.shape[0]!]);
  },
  keeps: "x",
  vjp: (dy, { x: [x, w1, w2], saved: [hidden, s] }) => {
    const [gate, up] = hidden!.split(2, 1);
    const dyRows = rows(dy);
    const dActivated = dyRows.matmul(w2); // a = silu(g) u
    const dHidden = hidden!.emptyLike();
    const [dGate, dUp] = dHidden.split(2, 1);
    aten.mulOut(dActivated.handle, s!.handle, dUp!.handle); // du = silu(g) da
    dActivated.mul_(up!);
    aten.siluBackwardOut(dActivated.handle, gate!.handle, dGate!.handle); // dg = silu'(g) u da
    return [
      dHidden.matmul(w1).reshape(x.shape),
      dHidden.transpose(0, 1).matmul(rows(x)),
      dyRows.transpose(0, 1).matmul(s!.mul(up!)),
    ];
  },
});

/** `silu(G) ⊙ U`, `[N, I]`; saves `[G, U]` and `silu(G)`, which costs more than the product. */
function recordedGate(x: Tensor, w1: Tensor, save: (...tensors: Tensor[]) => void): Tensor {
  const hidden = x.matmul(w1.transpose(0, 1));
  const [gate, up] = hidden.split(2, 1);
  const s = silu(gate!);
  save(hidden, s);
  return s.mul(up!);
}

/** The same in less memory, for what is not gone back through. */
function gateOf(x: Tensor, w1: Tensor): Tensor {
  const [gate, up] = x.matmul(w1.transpose(0, 1)).split(2, 1);
  return silu(gate!).mul_(up!);
}

function silu(gate: Tensor): Tensor {
  const s = gate.emptyLike();
  aten.siluOut(gate.handle, s.handle);
  return s;
}

/**
 * The same by two products whose elements are activated and gated before they are stored;
 * null where that can't be. For bfloat16 alone: in float32 it is no faster, and oneDNN's
 * exponential is off by more than PyTorch's.
 */
function fusedGate(x: Tensor, w1: Tensor): Tensor | null {
  if (x.dtype !== "bfloat16" || !suitsOneDnn(x, w1.transpose(0, 1))) return null;
  const [gate, up] = w1.split(2, 0);
  const [gateWeight, upWeight] = [gate!, up!].map((w) => packedFor(x, w) ?? w.handle);
  const activated = direct.oneDnnProduct(x.handle, gateWeight!, "silu");
  if (activated === null) return null;
  const factor = wrap(activated, "silu");
  const gated = direct.oneDnnGatedProduct(x.handle, upWeight!, factor.handle);
  if (gated === null) return null;
  noteProduct(x.shape, [w1.shape[1]!, w1.shape[0]!]);
  return wrap(gated, "swiglu");
}
