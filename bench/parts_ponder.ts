// Ponder's turn at a part of parts.ts: one process, so that others can take turns with it.
//
//   deno run -A bench/parts_ponder.ts block '{"threads": 2, "steps": 5, "seconds": 20}'
import { grad } from "../core/autograd.ts";
import { fromTypedArray, full } from "../core/create.ts";
import { selfAttention } from "../core/ops/attention.ts";
import { crossEntropy } from "../core/ops/loss.ts";
import { linear } from "../core/ops/matmul.ts";
import { addRmsNorm } from "../core/ops/softmax.ts";
import { swiglu } from "../core/ops/swiglu.ts";
import { scope } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { loadLibrary } from "../ffi/mod.ts";
import {
  block,
  blockNumbers,
  mlp,
  mlpNumbers,
  type Numbers,
  type Part,
  takeTurn,
} from "./parts.ts";

function tensorOf({ data, shape }: Numbers): Tensor {
  return fromTypedArray(data, shape);
}

/** The block's input and weights, and the loss that they have. */
function makeBlock() {
  const { x, qkv, o, gateUp, down, target } = blockNumbers();
  const inputs = { x, qkv, o, gateUp, down };
  const tensors = Object.values(inputs).map(tensorOf), aim = tensorOf(target);
  const loss = () => {
    const gap = applyBlock(tensors).sub(aim);
    return gap.mul(gap).mean();
  };
  return { names: Object.keys(inputs), tensors, loss };
}

function applyBlock(tensors: readonly Tensor[]): Tensor {
  const [x, qkv, o, gateUp, down] = tensors as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const { heads, eps } = block;
  const mixed = selfAttention([linear([x, qkv])], { heads, rotary: null });
  const y = addRmsNorm([x, linear([mixed, o])], { eps });
  return addRmsNorm([y, swiglu([y, gateUp, down])], { eps });
}

function blockForward(): Part {
  const { loss } = makeBlock();
  return {
    step: () => {
      using _ = scope();
      return loss().item();
    },
  };
}

function blockWithGradients(): Part {
  const { names, tensors, loss } = makeBlock();
  for (const tensor of tensors) tensor.requireGrad();
  let last: readonly Tensor[] = [];
  return {
    step: () => {
      using step = scope();
      for (const gradient of last) gradient.dispose();
      const value = loss();
      last = grad(value, tensors).map((gradient) => step.keep(gradient));
      return value.item();
    },
    gradients: () => Object.fromEntries(names.map((name, i) => [name, last[i]!.toNumbers()])),
  };
}

function mlpStep(): Part {
  const { x: batch, labels: classes, ...first } = mlpNumbers();
  const x = tensorOf(batch), labels = fromTypedArray(classes);
  const weights = Object.values(first).map((numbers) => tensorOf(numbers).requireGrad());
  const [w1, b1, w2, b2] = weights as [Tensor, Tensor, Tensor, Tensor];
  return {
    step: () => {
      using _ = scope();
      const logits = linear([linear([x, w1, b1]).relu(), w2, b2]);
      const loss = crossEntropy(logits, labels).mean();
      const rate = full([1], mlp.lr);
      for (const [i, gradient] of grad(loss, weights).entries()) {
        weights[i]!.detach().addcmul_(gradient, rate.expand(gradient.shape), -1); // w − lr dw
      }
      return loss.item();
    },
  };
}

await takeTurn(({ threads }) => ({
  about: `libtorch ${loadLibrary({ threads }).version}`,
  parts: { "block-forward": blockForward, block: blockWithGradients, mlp: mlpStep },
}));
