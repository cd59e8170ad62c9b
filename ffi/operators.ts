/**
 * Every operator that core calls through the dispatcher, by its schema. A test
 * compares this table with the schemas inside the installed library.
 *
 * Source: libtorch's own registrations, 2.11 to 2.13.
 *
 * @module
 */
import { type Call, operator } from "./dispatch.ts";
import { metaRules, orOnMeta } from "./meta.ts";
import type { Operator } from "./schema.ts";

/** The schemas, by the names that core uses. */
export const schemas = {
  // Elementwise.
  mul: "mul.Tensor(Tensor self, Tensor other) -> Tensor",
  div: "div.Tensor(Tensor self, Tensor other) -> Tensor",
  neg: "neg(Tensor self) -> Tensor",
  abs: "abs(Tensor self) -> Tensor",
  sign: "sign(Tensor self) -> Tensor",
  exp: "exp(Tensor self) -> Tensor",
  log: "log(Tensor self) -> Tensor",
  sqrt: "sqrt(Tensor self) -> Tensor",
  rsqrt: "rsqrt(Tensor self) -> Tensor",
  square: "square(Tensor self) -> Tensor",
  sin: "sin(Tensor self) -> Tensor",
  cos: "cos(Tensor self) -> Tensor",
  tanh: "tanh(Tensor self) -> Tensor",
  sigmoid: "sigmoid(Tensor self) -> Tensor",
  silu: "silu(Tensor self) -> Tensor",
  relu: "relu(Tensor self) -> Tensor",
  gelu: 'gelu(Tensor self, *, str approximate="none") -> Tensor',
  log1p: "log1p(Tensor self) -> Tensor",
  atan2: "atan2(Tensor self, Tensor other) -> Tensor",
  maximum: "maximum(Tensor self, Tensor other) -> Tensor",
  minimum: "minimum(Tensor self, Tensor other) -> Tensor",
  where: "where.self(Tensor condition, Tensor self, Tensor other) -> Tensor",
  isfinite: "isfinite(Tensor self) -> Tensor",
  siluBackward: "silu_backward(Tensor grad_output, Tensor self) -> Tensor",
  geluBackward:
    'gelu_backward(Tensor grad_output, Tensor self, *, str approximate="none") -> Tensor',
  sigmoidBackward: "sigmoid_backward(Tensor grad_output, Tensor output) -> Tensor",
  tanhBackward: "tanh_backward(Tensor grad_output, Tensor output) -> Tensor",

  // Comparison and logic.
  eq: "eq.Tensor(Tensor self, Tensor other) -> Tensor",
  ne: "ne.Tensor(Tensor self, Tensor other) -> Tensor",
  lt: "lt.Tensor(Tensor self, Tensor other) -> Tensor",
  le: "le.Tensor(Tensor self, Tensor other) -> Tensor",
  gt: "gt.Tensor(Tensor self, Tensor other) -> Tensor",
  ge: "ge.Tensor(Tensor self, Tensor other) -> Tensor",
  logicalAnd: "logical_and(Tensor self, Tensor other) -> Tensor",
  logicalOr: "logical_or(Tensor self, Tensor other) -> Tensor",
  logicalNot: "logical_not(Tensor self) -> Tensor",

  // Reductions.
  sum:
    "sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
  mean:
    "mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
  amax: "amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor",
  amin: "amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor",
  all: "all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor",
  any: "any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor",
  argmax: "argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor",
  cumsum: "cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor",

  // Matrix products.
  matmul: "matmul(Tensor self, Tensor other) -> Tensor",

  // Softmax and norms.
  softmax: "_softmax(Tensor self, int dim, bool half_to_float) -> Tensor",
  softmaxOut:
    "_softmax.out(Tensor self, int dim, bool half_to_float, *, Tensor(a!) out) -> Tensor(a!)",
  softmaxBackward:
    "_softmax_backward_data(Tensor grad_output, Tensor output, int dim, ScalarType input_dtype) -> Tensor",
  logSoftmax: "_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor",
  logSoftmaxBackward:
    "_log_softmax_backward_data(Tensor grad_output, Tensor output, int dim, ScalarType input_dtype) -> Tensor",
  layerNorm:
    "native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? bias, float eps) -> (Tensor, Tensor, Tensor)",
  layerNormBackward:
    "native_layer_norm_backward(Tensor grad_out, Tensor input, SymInt[] normalized_shape, Tensor mean, Tensor rstd, Tensor? weight, Tensor? bias, bool[3] output_mask) -> (Tensor, Tensor, Tensor)",

  // Kernels of CUDA; the CPU knows the first, too.
  fusedRmsNorm:
    "_fused_rms_norm(Tensor input, int[] normalized_shape, Tensor? weight, float? eps) -> (Tensor, Tensor)",
  fusedRmsNormBackward:
    "_fused_rms_norm_backward(Tensor grad_out, Tensor input, int[] normalized_shape, Tensor rstd, Tensor? weight, bool[2] output_mask) -> (Tensor, Tensor)",

  // Attention; a kernel of the CPU.
  flashAttentionCpu:
    "_scaled_dot_product_flash_attention_for_cpu(Tensor query, Tensor key, Tensor value, float dropout_p=0.0, bool is_causal=False, *, Tensor? attn_mask=None, float? scale=None) -> (Tensor output, Tensor logsumexp)",

  flashAttentionCpuBackward:
    "_scaled_dot_product_flash_attention_for_cpu_backward(Tensor grad_out, Tensor query, Tensor key, Tensor value, Tensor out, Tensor logsumexp, float dropout_p, bool is_causal, *, Tensor? attn_mask=None, float? scale=None) -> (Tensor grad_query, Tensor grad_key, Tensor grad_value)",
  // … and two of CUDA: the first for 16-bit floats, the second for float32, too.
  flashAttention:
    "_scaled_dot_product_flash_attention(Tensor query, Tensor key, Tensor value, float dropout_p=0.0, bool is_causal=False, bool return_debug_mask=False, *, float? scale=None) -> (Tensor output, Tensor logsumexp, Tensor cum_seq_q, Tensor cum_seq_k, SymInt max_q, SymInt max_k, Tensor rng_state, Tensor unused, Tensor debug_attn_mask)",
  flashAttentionBackward:
    "_scaled_dot_product_flash_attention_backward(Tensor grad_out, Tensor query, Tensor key, Tensor value, Tensor out, Tensor logsumexp, Tensor cum_seq_q, Tensor cum_seq_k, SymInt max_q, SymInt max_k, float dropout_p, bool is_causal, Tensor philox_seed, Tensor philox_offset, *, float? scale=None) -> (Tensor grad_query, Tensor grad_key, Tensor grad_value)",
  efficientAttention:
    "_scaled_dot_product_efficient_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_bias, bool compute_log_sumexp, float dropout_p=0.0, bool is_causal=False, *, float? scale=None) -> (Tensor output, Tensor log_sumexp, Tensor philox_seed, Tensor philox_offset)",
  efficientAttentionBackward:
    "_scaled_dot_product_efficient_attention_backward(Tensor grad_out_, Tensor query, Tensor key, Tensor value, Tensor attn_bias, Tensor out, Tensor logsumexp, Tensor philox_seed, Tensor philox_offset, float dropout_p, bool[4] grad_input_mask, bool is_causal=False, *, float? scale=None) -> (Tensor, Tensor, Tensor, Tensor)",

  // Indexing.
  embedding:
    "embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False) -> Tensor",
  embeddingBackward:
    "embedding_dense_backward(Tensor grad_output, Tensor indices, SymInt num_weights, SymInt padding_idx, bool scale_grad_by_freq) -> Tensor",
  gather: "gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor",
  indexSelect: "index_select(Tensor self, int dim, Tensor index) -> Tensor",
  scatterAdd: "scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
  indexCopy_: "index_copy_(Tensor(a!) self, int dim, Tensor index, Tensor source) -> Tensor(a!)",
  flip: "flip(Tensor self, int[] dims) -> Tensor",

  // Movement that copies.
  cat: "cat(Tensor[] tensors, int dim=0) -> Tensor",
  toCopy:
    "_to_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, bool non_blocking=False, MemoryFormat? memory_format=None) -> Tensor",

  // What direct kernels do on the CPU and on CUDA, for tensors on meta.
  powTensor: "pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor",
  bmmOut: "bmm.out(Tensor self, Tensor mat2, *, Tensor(a!) out) -> Tensor(a!)",

  pinMemory: "_pin_memory(Tensor self, Device? device=None) -> Tensor",

  // Into given memory.
  mulOut: "mul.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)",
  siluOut: "silu.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)",
  siluBackwardOut:
    "silu_backward.grad_input(Tensor grad_output, Tensor self, *, Tensor(a!) grad_input) -> Tensor(a!)",
  mul_: "mul_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)",
  div_: "div_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)",
  lerp_: "lerp_.Tensor(Tensor(a!) self, Tensor end, Tensor weight) -> Tensor(a!)",
  sqrt_: "sqrt_(Tensor(a!) self) -> Tensor(a!)",
  sign_: "sign_(Tensor(a!) self) -> Tensor(a!)",
  atan2_: "atan2_(Tensor(a!) self, Tensor other) -> Tensor(a!)",
  foreachAddcmul_:
    "_foreach_addcmul_.Tensor(Tensor(a!)[] self, Tensor[] tensor1, Tensor[] tensor2, Tensor scalars) -> ()",
} as const;

/** Those whose results are of a layout of oneDNN's own, without strides. */
export const opaqueSchemas = {
  packLinearWeight: "mkldnn::_reorder_linear_weight(Tensor self, int? batch_size=None) -> Tensor Y",
} as const;

/** Every operator as a function over handles. */
export type Aten = { readonly [K in keyof typeof schemas]: Operator<(typeof schemas)[K]> };

function build(): Aten {
  const table: Record<string, Call> = {};
  for (const [name, schema] of Object.entries(schemas)) table[name] = operator(schema);
  const all = table as unknown as Aten;
  for (const [name, rule] of Object.entries(metaRules(all))) {
    table[name] = orOnMeta(name, table[name]!, rule as Call);
  }
  return all;
}

/** The operators. They check kinds of arguments, not shapes: core does. */
export const aten: Aten = build();
