/** Prints how many threads each process of an MPI job may have; all of them are told the same. */
import { assertEquals } from "@std/assert";
import { joinGroup } from "../../zoo/distributed.ts";

const group = joinGroup();
const threads = await group.threads();
for (const other of await group.gatherAll(threads)) assertEquals(other, threads);
if (group.isFirst) console.log(threads);
group.leave();
