/**
 * The C functions of libtorch that Ponder calls, one row a symbol, with the C
 * signature beside it. Only functions that catch C++ exceptions and return a
 * code are here, and a few of libc that the same library handle resolves.
 *
 * Handles (`AtenTensorHandle`, lists, strings) are `usize` as bigint, the
 * fastest form that Deno has; results come back through buffers.
 *
 * Source: `torch/csrc/stable/c/shim.h`, `torch/csrc/inductor/aoti_torch/c/shim.h`
 * and `generated/c_shim_{aten,cpu,cuda}.h` of PyTorch 2.11 to 2.13.
 *
 * @module
 */

/** Symbols of `libtorch_cpu`, present since 2.10 unless optional. */
export const symbolTable = {
  // uint64_t aoti_torch_abi_version()
  aoti_torch_abi_version: { parameters: [], result: "u64" },
  // void aoti_torch_grad_mode_set_enabled(bool)
  aoti_torch_grad_mode_set_enabled: { parameters: ["bool"], result: "void" },
  // torch_call_dispatcher(const char* name, const char* overload, StableIValue* stack, uint64_t abi)
  torch_call_dispatcher: { parameters: ["buffer", "buffer", "buffer", "u64"], result: "i32" },
  // torch_get_num_threads(uint32_t* out)
  torch_get_num_threads: { parameters: ["buffer"], result: "i32" },

  // Tensor handles.
  // aoti_torch_new_tensor_handle(AtenTensorHandle, AtenTensorHandle* out)
  aoti_torch_new_tensor_handle: { parameters: ["usize", "buffer"], result: "i32" },
  // aoti_torch_delete_tensor_object(AtenTensorHandle)
  aoti_torch_delete_tensor_object: { parameters: ["usize"], result: "i32" },
  // aoti_torch_new_uninitialized_tensor(AtenTensorHandle* out): one that is undefined in C++
  aoti_torch_new_uninitialized_tensor: { parameters: ["buffer"], result: "i32" },
  // aoti_torch_is_defined(AtenTensorHandle, bool* out)
  aoti_torch_is_defined: { parameters: ["usize", "buffer"], result: "i32" },
  // aoti_torch_get_dim(AtenTensorHandle, int64_t* out)
  aoti_torch_get_dim: { parameters: ["usize", "buffer"], result: "i32" },
  // aoti_torch_get_sizes(AtenTensorHandle, int64_t** out)
  aoti_torch_get_sizes: { parameters: ["usize", "buffer"], result: "i32" },
  // aoti_torch_get_strides(AtenTensorHandle, int64_t** out)
  aoti_torch_get_strides: { parameters: ["usize", "buffer"], result: "i32" },
  // aoti_torch_get_storage_offset(AtenTensorHandle, int64_t* out)
  aoti_torch_get_storage_offset: { parameters: ["usize", "buffer"], result: "i32" },
  // aoti_torch_get_storage_size(AtenTensorHandle, int64_t* out)
  aoti_torch_get_storage_size: { parameters: ["usize", "buffer"], result: "i32" },
  // aoti_torch_get_dtype(AtenTensorHandle, int32_t* out)
  aoti_torch_get_dtype: { parameters: ["usize", "buffer"], result: "i32" },
  // aoti_torch_get_device_type(AtenTensorHandle, int32_t* out)
  aoti_torch_get_device_type: { parameters: ["usize", "buffer"], result: "i32" },
  // aoti_torch_get_device_index(AtenTensorHandle, int32_t* out)
  aoti_torch_get_device_index: { parameters: ["usize", "buffer"], result: "i32" },
  // aoti_torch_get_data_ptr(AtenTensorHandle, void** out)
  aoti_torch_get_data_ptr: { parameters: ["usize", "buffer"], result: "i32" },

  // Creation, views, copies.
  // aoti_torch_empty_strided(int64_t ndim, sizes*, strides*, dtype, device_type, device_index, out*)
  aoti_torch_empty_strided: {
    parameters: ["i64", "buffer", "buffer", "i32", "i32", "i32", "buffer"],
    result: "i32",
  },
  // aoti_torch__reinterpret_tensor(self, int64_t ndim, sizes*, strides*, int64_t offset_increment, out*)
  aoti_torch__reinterpret_tensor: {
    parameters: ["usize", "i64", "buffer", "buffer", "i64", "buffer"],
    result: "i32",
  },
  // aoti_torch_copy_(self, src, int32_t non_blocking)
  aoti_torch_copy_: { parameters: ["usize", "usize", "i32"], result: "i32" },
  // aoti_torch_aten_subtract_Tensor(self, other, double alpha, AtenTensorHandle* out)
  aoti_torch_aten_subtract_Tensor: {
    parameters: ["usize", "usize", "f64", "buffer"],
    result: "i32",
  },
  // aoti_torch_aten_fill__Scalar(self, double)
  aoti_torch_aten_fill__Scalar: { parameters: ["usize", "f64"], result: "i32" },

  // Lists, strings and optionals of the dispatcher's stack.
  // torch_new_list_reserve_size(size_t, StableListHandle* out)
  torch_new_list_reserve_size: { parameters: ["usize", "buffer"], result: "i32" },
  // torch_list_push_back(StableListHandle, StableIValue)
  torch_list_push_back: { parameters: ["usize", "u64"], result: "i32" },
  // torch_new_string_handle(const char*, size_t, StringHandle* out)
  torch_new_string_handle: { parameters: ["buffer", "usize", "buffer"], result: "i32" },
  // torch_new_stable_ivalue(StableIValue** out), since 2.13
  torch_new_stable_ivalue: { parameters: ["buffer"], result: "i32", optional: true },
  // const char* torch_exception_get_what_without_backtrace(), since 2.13
  torch_exception_get_what_without_backtrace: { parameters: [], result: "usize", optional: true },

  // libc and libstdc++, resolved through libtorch's own dependencies.
  // void* memcpy(void*, const void*, size_t): to a buffer, from a buffer, between addresses
  memcpy_from: { name: "memcpy", parameters: ["buffer", "usize", "usize"], result: "usize" },
  memcpy_to: { name: "memcpy", parameters: ["usize", "buffer", "usize"], result: "usize" },
  // size_t strlen(const char*)
  strlen: { parameters: ["usize"], result: "usize" },
  // void* operator new(size_t): what libtorch before 2.13 deletes an optional with
  operator_new: { name: "_Znwm", parameters: ["usize"], result: "usize", optional: true },
  // int mallopt(int, int): glibc only
  mallopt: { parameters: ["i32", "i32"], result: "i32", optional: true },
} as const satisfies Deno.ForeignLibraryInterface;

/**
 * Kernels called without the dispatcher, for each device: they borrow their
 * handles and take `Scalar` arguments, which the dispatcher's ABI cannot pass.
 * The row `x` is the symbol `aoti_torch_cpu_x` of `libtorch_cpu` and
 * `aoti_torch_cuda_x` of `libtorch_cuda`.
 */
export const kernelTable = {
  // (self, other, AtenTensorHandle* out)
  mul_Tensor: { parameters: ["usize", "usize", "buffer"], result: "i32" },
  // (self, other, double alpha, AtenTensorHandle* out)
  add_Tensor: { parameters: ["usize", "usize", "f64", "buffer"], result: "i32" },
  // (self, double other, double alpha, AtenTensorHandle* out)
  add_Scalar: { parameters: ["usize", "f64", "f64", "buffer"], result: "i32" },
  // (self, double other, AtenTensorHandle* out)
  mul_Scalar: { parameters: ["usize", "f64", "buffer"], result: "i32" },
  // (self, double exponent, AtenTensorHandle* out)
  pow_Tensor_Scalar: { parameters: ["usize", "f64", "buffer"], result: "i32" },
  // (out, self, batch1, batch2, double beta, double alpha)
  baddbmm_out: {
    parameters: ["usize", "usize", "usize", "usize", "f64", "f64"],
    result: "i32",
  },
  // oneDNN's matrix product, of the CPU's library alone:
  // (X, W, AtenTensorHandle* B, const char* attr, const double** scalars, int64_t scalars_len,
  //  const char** algorithm, AtenTensorHandle* out)
  _linear_pointwise: {
    parameters: ["usize", "usize", "usize", "buffer", "usize", "i64", "usize", "buffer"],
    result: "i32",
    optional: true,
  },
  // the same, and elementwise with another tensor: (X, other, W, AtenTensorHandle* B, const char* attr, out)
  _linear_pointwise_binary: {
    parameters: ["usize", "usize", "usize", "usize", "buffer", "buffer"],
    result: "i32",
    optional: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** CUDA's own runtime, `cuda_runtime_api.h`, which `libtorch_cuda` brings along, and its stream. */
export const cudaTable = {
  // cudaError_t cudaGetDeviceCount(int* count)
  cudaGetDeviceCount: { parameters: ["buffer"], result: "i32" },
  // cudaError_t cudaMemGetInfo(size_t* free, size_t* total)
  cudaMemGetInfo: { parameters: ["buffer", "buffer"], result: "i32" },
  // cudaError_t cudaDeviceSynchronize()
  cudaDeviceSynchronize: { parameters: [], result: "i32" },
  // cudaError_t cudaSetDevice(int device), for the thread that calls it
  cudaSetDevice: { parameters: ["i32"], result: "i32" },
  // cudaError_t cudaStreamQuery(cudaStream_t)
  cudaStreamQuery: { parameters: ["usize"], result: "i32" },
  // const char* cudaGetErrorString(cudaError_t)
  cudaGetErrorString: { parameters: ["i32"], result: "usize" },
  // aoti_torch_get_current_cuda_stream(int32_t device_index, void** out)
  aoti_torch_get_current_cuda_stream: { parameters: ["i32", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The name of a row of {@link kernelTable}. */
export type KernelName = keyof typeof kernelTable;
