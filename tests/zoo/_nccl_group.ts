/** Processes that exchange tensors by what stands in for NCCL. */
import { loadLibrary } from "../../ffi/mod.ts";
import { joinMpi } from "../../ffi/mpi.ts";
import { openNccl } from "../../ffi/nccl.ts";
import { Group } from "../../zoo/distributed.ts";
import { GpuExchange } from "../../zoo/exchange.ts";

/** The processes of this job, which exchange tensors by the stand-in in a file. */
export async function joinByDouble(file: string): Promise<Group> {
  loadLibrary();
  const mpi = joinMpi(), stream = { address: 0x57n, isDone: () => true }; // which it wants to be given
  return new Group(mpi, await GpuExchange.join(mpi, openNccl(file), stream));
}
