/**
 * A script that trains as `train --distributed --device=cuda` does, but on the CPU, with what stands
 * in for NCCL: `_train_nccl.ts <its file> --out=<folder> <changes of the tiny config, as JSON>`.
 */
import { together } from "../../zoo/commands/_together.ts";
import { trainVisibly } from "../../zoo/commands/_visible_training.ts";
import { joinByDouble } from "./_nccl_group.ts";
import { dataOf, tinyConfig } from "./_tiny.ts";

const [file, out, changes] = Deno.args as [string, string, string];
const saved = tinyConfig(JSON.parse(changes)), folder = out.replace("--out=", "");
await together(async () => {
  const group = await joinByDouble(file);
  await trainVisibly({ saved, data: dataOf(saved), folder, group, readEvery: 10 });
  if (group.isFirst) console.log(group.version);
});
