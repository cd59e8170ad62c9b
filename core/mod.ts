/**
 * Tensors, gradients, layers, optimisers and files.
 *
 * ```ts
 * import { tensor } from "@ponder/ponder/core";
 *
 * const x = tensor([[1, 2], [3, 4]]).requireGrad();
 * x.matmul(x).sum().backward();
 * console.log(x.grad!.toNumbers()); // [7, 11, 9, 13]
 * ```
 *
 * @module
 */
export {
  backward,
  type BackwardOptions,
  type Context,
  grad,
  isGradEnabled,
  type Node,
  noGrad,
  type Op,
  type Rule,
  type TapeEntry,
} from "./autograd.ts";
export {
  arange,
  empty,
  fromBytes,
  fromTypedArray,
  full,
  type Nested,
  ones,
  rand,
  randn,
  scalar,
  tensor,
  type TensorOptions,
  truncNormal,
  zeros,
} from "./create.ts";
export type { Device } from "./device.ts";
export type { MediaBundle } from "./display.ts";
export { bytesOf, type DType, dtypes, isFloating, type NumericArray } from "./dtype.ts";
export { countFlops } from "./flops.ts";
export { Random, type RandomState } from "./random.ts";
export { apart, type Owned, Scope, scope, tidy } from "./scope.ts";
export type { Shape } from "./shape.ts";
export { type Axes, cat, embedding, type KeepDims, stack, Tensor } from "./tensor.ts";

export { type AttentionOptions, type Rotary, selfAttention } from "./ops/attention.ts";
export type { FusedAttention } from "./ops/fused_attention.ts";
export {
  bceWithLogits,
  crossEntropy,
  type CrossEntropyOptions,
  stablemaxCrossEntropy,
} from "./ops/loss.ts";
export type { ClampOptions } from "./ops/elementwise.ts";
export { linear } from "./ops/matmul.ts";
export { addRmsNorm, layerNorm, type NormOptions, rmsNorm } from "./ops/softmax.ts";
export { swiglu } from "./ops/swiglu.ts";

export { Attention } from "./nn/attention.ts";
export { Dropout } from "./nn/dropout.ts";
export { Embedding } from "./nn/embedding.ts";
export { LayerNorm } from "./nn/layer_norm.ts";
export { type LayerOptions, Linear } from "./nn/linear.ts";
export {
  countParameters,
  disposeModule,
  loadStateDict,
  type Module,
  namedParameters,
  namedTensors,
  parameters,
  stateDict,
  type StoredTensor,
} from "./nn/module.ts";
export { rotaryTables } from "./nn/rotary.ts";
export { SwiGlu, swiGluWidth } from "./nn/swiglu.ts";

export { adamATan2, type AdamOptions, adamW, type ATan2Convention } from "./optim/adam.ts";
export { clipGradNorm, gradNorm } from "./optim/clip.ts";
export { Ema } from "./optim/ema.ts";
export { grouped, type Named, type Optimizer } from "./optim/optimizer.ts";
export { type WarmupCosine, warmupCosine } from "./optim/schedule.ts";
export { signSgd, type SignSgdOptions } from "./optim/sign_sgd.ts";
