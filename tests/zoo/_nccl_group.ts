/** Processes that exchange tensors by what stands in for NCCL. */
import { loadLibrary } from "../../ffi/mod.ts";
import { openNccl } from "../../ffi/nccl.ts";
import type { Group } from "../../zoo/distributed.ts";

/** Lets a group exchange tensors by the stand-in in a file, which wants to be given this stream. */
export async function joinByDouble(group: Group, file: string): Promise<void> {
  loadLibrary();
  await group.joinGpus(openNccl(file), { address: 0x57n, isDone: () => true });
}
