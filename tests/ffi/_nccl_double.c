/*
 * A stand-in for NCCL where there are no GPUs: the same C functions, called the same way, but what
 * they add up and hand on lies in the memory of the host, and goes over MPI, at once. It shows that
 * NCCL is called as nccl.h declares it, with the right counts in the right order. It shows nothing
 * of GPUs, of streams, or of NCCL itself.
 *
 * It is stricter than NCCL where a wrong call would go unnoticed here: the stream must be STREAM.
 * With nccl.h in front of it (cc -include nccl.h), the compiler compares the declarations.
 *
 * Compiled by tests/ffi/_nccl.ts with the library of Open MPI, whose headers it does without.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef NCCL_H_
typedef struct ncclComm* ncclComm_t;
typedef struct { char internal[128]; } ncclUniqueId;
typedef enum { ncclSuccess = 0, ncclInvalidArgument = 4, ncclInvalidUsage = 5, ncclRemoteError = 6 } ncclResult_t;
typedef enum { ncclSum = 0 } ncclRedOp_t;
typedef enum {
  ncclUint8 = 1, ncclInt32 = 2, ncclInt64 = 4, ncclFloat16 = 6, ncclFloat32 = 7, ncclFloat64 = 8, ncclBfloat16 = 9
} ncclDataType_t;
typedef struct CUstream_st* cudaStream_t;
#endif

_Static_assert(sizeof(ncclUniqueId) == 128 && ncclSum == 0, "as ffi/nccl.ts has them");
_Static_assert(ncclUint8 == 1 && ncclInt32 == 2 && ncclInt64 == 4 && ncclFloat16 == 6, "the same");
_Static_assert(ncclFloat32 == 7 && ncclFloat64 == 8 && ncclBfloat16 == 9, "the same");
_Static_assert(ncclInvalidArgument == 4 && ncclInvalidUsage == 5 && ncclRemoteError == 6, "the same");

#define STREAM ((cudaStream_t)0x57)

struct ncclComm {
  int size, rank;
};

extern char ompi_mpi_comm_world, ompi_mpi_byte, ompi_mpi_op_sum;
extern char ompi_mpi_int32_t, ompi_mpi_int64_t, ompi_mpi_float, ompi_mpi_double;
int MPI_Allreduce(const void*, void*, int, void*, void*, void*);
int MPI_Bcast(void*, int, void*, int, void*);
int MPI_Comm_rank(void*, int*);
int MPI_Comm_size(void*, int*);

/* Calls between ncclGroupStart and ncclGroupEnd: none are left open. */
static int open_groups = 0;
static const char* last_error = "";

static ncclResult_t refuse(ncclResult_t code, const char* why) {
  last_error = why;
  return code;
}

static size_t bytes_of(ncclDataType_t type) {
  switch (type) {
    case ncclUint8: return 1;
    case ncclFloat16: case ncclBfloat16: return 2;
    case ncclInt32: case ncclFloat32: return 4;
    case ncclInt64: case ncclFloat64: return 8;
    default: return 0;
  }
}

static void* mpi_type_of(ncclDataType_t type) {
  switch (type) {
    case ncclInt32: return &ompi_mpi_int32_t;
    case ncclInt64: return &ompi_mpi_int64_t;
    case ncclFloat32: return &ompi_mpi_float;
    case ncclFloat64: return &ompi_mpi_double;
    default: return NULL;
  }
}

ncclResult_t ncclGetVersion(int* version) {
  *version = 29907; /* 2.99.7: of no NCCL that there is */
  return ncclSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  for (int i = 0; i < 128; i++) id->internal[i] = (char)(37 * i + 11); /* every byte in its place */
  return ncclSuccess;
}

ncclResult_t ncclCommInitRank(ncclComm_t* out, int size, ncclUniqueId id, int rank) {
  ncclUniqueId want;
  ncclGetUniqueId(&want);
  if (memcmp(&id, &want, sizeof id) != 0) return refuse(ncclInvalidUsage, "another id");
  int mpi_size, mpi_rank;
  MPI_Comm_size(&ompi_mpi_comm_world, &mpi_size);
  MPI_Comm_rank(&ompi_mpi_comm_world, &mpi_rank);
  if (size != mpi_size || rank != mpi_rank) return refuse(ncclInvalidArgument, "another rank or size");
  *out = malloc(sizeof **out);
  (*out)->size = size;
  (*out)->rank = rank;
  return ncclSuccess;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* error) {
  *error = getenv("NCCL_DOUBLE_FAILS") == NULL ? ncclSuccess : ncclRemoteError;
  return comm == NULL ? refuse(ncclInvalidArgument, "no communicator") : ncclSuccess;
}

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  if (open_groups != 0) return refuse(ncclInvalidUsage, "a group of calls was left open");
  free(comm);
  return ncclSuccess;
}

/* A tensor on meta, which has no elements, starts at 0: nothing is moved there. */
static int is_meta(const void* at) {
  return (uintptr_t)at < 65536;
}

ncclResult_t ncclAllReduce(const void* from, void* to, size_t count, ncclDataType_t type, ncclRedOp_t op,
                           ncclComm_t comm, cudaStream_t stream) {
  void* mpi_type = mpi_type_of(type);
  if (mpi_type == NULL || op != ncclSum || comm == NULL || stream != STREAM || from != to)
    return refuse(ncclInvalidArgument, "ncclAllReduce");
  if (is_meta(to)) return ncclSuccess;
  void* in_place = (void*)1;
  MPI_Allreduce(in_place, to, (int)count, mpi_type, &ompi_mpi_op_sum, &ompi_mpi_comm_world);
  return ncclSuccess;
}

ncclResult_t ncclBroadcast(const void* from, void* to, size_t count, ncclDataType_t type, int root,
                           ncclComm_t comm, cudaStream_t stream) {
  size_t bytes = count * bytes_of(type);
  if (bytes_of(type) == 0 || comm == NULL || root < 0 || root >= comm->size || stream != STREAM)
    return refuse(ncclInvalidArgument, "ncclBroadcast");
  if (open_groups == 0 && comm->size > 1) return refuse(ncclInvalidUsage, "not between start and end of a group");
  if (is_meta(to)) return ncclSuccess;
  if (root == comm->rank) memmove(to, from, bytes);
  MPI_Bcast(to, (int)bytes, &ompi_mpi_byte, root, &ompi_mpi_comm_world);
  return ncclSuccess;
}

ncclResult_t ncclGroupStart(void) {
  open_groups++;
  return ncclSuccess;
}

ncclResult_t ncclGroupEnd(void) {
  open_groups--;
  return ncclSuccess;
}

const char* ncclGetErrorString(ncclResult_t code) {
  switch (code) {
    case ncclSuccess: return "no error";
    case ncclRemoteError: return "remote process exited or there was a network error";
    default: return "invalid";
  }
}

const char* ncclGetLastError(ncclComm_t comm) {
  return comm == NULL ? last_error : "";
}
