import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { zeros } from "../../core/mod.ts";
import { OutOfMemoryError } from "../../ffi/mod.ts";
import { makeModel } from "../../models/family.ts";
import { Random } from "../../core/random.ts";
import { trainVisibly } from "../../zoo/commands/_visible_training.ts";
import { inFolder } from "../ffi/_folder.ts";
import { dataOf, tinyConfig } from "./_tiny.ts";

/** Runs a body, and what was written to standard error meanwhile. */
async function heard(body: () => Promise<unknown>): Promise<string> {
  const lines: string[] = [], write = Deno.stderr.writeSync;
  Deno.stderr.writeSync = (bytes) => lines.push(new TextDecoder().decode(bytes)) && bytes.length;
  try {
    await body();
  } finally {
    Deno.stderr.writeSync = write;
  }
  return lines.join("");
}

Deno.test("trainVisibly() says what there is to lower where memory is not enough, and how", () =>
  inFolder(async (folder) => {
    const saved = tinyConfig();
    const model = makeModel(saved.config.model, { random: new Random(1) });
    model.step = () => {
      throw zeros([2 ** 45]);
    };
    const error = await assertRejects(
      () => trainVisibly({ saved, data: dataOf(saved), folder, model }),
      Error,
    );
    assertEquals((error as Error).cause instanceof OutOfMemoryError, true);
    assertEquals(
      (error as Error).message.replace(/: .*can't allocate.*/, ": …").replaceAll(folder, "FOLDER"),
      "Cannot train on cpu with 4 rows at a time: …\n" +
        'The same steps take less by deno task train hrm-sudoku --resume="FOLDER" --micro-batch=2\n' +
        "Other steps, from anew, by a lower --run.batchSize than 4, or a smaller --preset",
    );
  }));

Deno.test("trainVisibly() says at its end how much memory tensors took", () =>
  inFolder(async (folder) => {
    const saved = tinyConfig({ run: { steps: 2 } });
    const said = await heard(() => trainVisibly({ saved, data: dataOf(saved), folder }));
    assertMatch(said, /Memory: [\d.,]+ [KM]i?B of tensors at most/);
  }));
