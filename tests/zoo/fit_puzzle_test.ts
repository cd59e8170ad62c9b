import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { stateDict } from "../../core/nn/module.ts";
import { Random } from "../../core/random.ts";
import { Trm, type TrmConfig } from "../../models/trm.ts";
import { formatArcTask, generateArcMini } from "../../tasks/mod.ts";
import { evaluate } from "../../zoo/evaluate.ts";
import { fitPuzzle } from "../../zoo/fit_puzzle.ts";
import type { ArcConfig } from "../../zoo/recipe.ts";
import { fittedTo, recipes } from "../../zoo/recipes.ts";
import { arcTask } from "../../zoo/tasks/arc.ts";
import { train } from "../../zoo/train.ts";
import { loadWeights, savedConfig } from "../../zoo/weights.ts";
import { inFolder } from "../ffi/_folder.ts";
import { command, textOf } from "./_tiny.ts";

const preset = recipes["trm-arc"]!.presets["tiny"]!;
const config: ArcConfig = {
  ...preset.task as ArcConfig,
  ...{ trainPuzzles: 40, testPuzzles: 8, families: "recolour" },
};
const optim = { ...preset.optim, lr: 5e-3 };

/** A small TRM. */
function modelConfig(changes: Partial<TrmConfig> = {}): TrmConfig {
  return fittedTo(config, {
    ...preset.model as TrmConfig,
    ...{ hiddenSize: 32, puzzleEmbNdim: 32, lLayers: 1, lCycles: 2, haltMaxSteps: 2 },
    ...changes,
  });
}

Deno.test("fitPuzzle() learns a task that a model was not trained on, and leaves all else as it is", () =>
  inFolder(async (folder) => {
    const before = Deno.cwd();
    Deno.chdir(folder); // the data set is built there
    try {
      const task = arcTask(config);
      await task.prepare!(1, () => {});
      const run = { ...preset.run, batchSize: 32, steps: 250, evalEvery: 1000 };
      const saved = savedConfig("trm-arc", "tiny", {
        ...preset,
        model: modelConfig(),
        task: config,
        optim,
        run,
      });
      await train({ saved, data: task.load(1, () => {}), folder });
      const { model } = loadWeights(folder);

      const fresh = generateArcMini(new Random(100), { size: 6, families: ["recolour"] });
      const question = task.read(formatArcTask(fresh), 1, { file: "fresh.json" });
      const { batches, demonstrations } = task.lesson!(question, 1)!;
      const accuracy = () => evaluate(task, model, demonstrations).final;
      const weights = stateDict(model), first = accuracy();
      fitPuzzle(model, batches, { steps: 100, optim });
      const last = accuracy();
      assert(last.cells > first.cells + 0.05, `${first.cells} -> ${last.cells}`);
      for (const [name, { data, shape }] of stateDict(model)) {
        const rowBytes = name.endsWith("puzzle_emb.weights") ? 4 * shape[1]! : 0;
        const kept = textOf(weights.get(name)!.data.subarray(rowBytes));
        assert(textOf(data.subarray(rowBytes)) === kept, `${name} has changed`);
      }

      const open = { ...fresh, test: [{ ...fresh.test[0]!, output: null }] };
      Deno.writeTextFileSync("open.json", formatArcTask(open));
      const file = join(Deno.cwd(), "open.json");
      const { code, stdout, stderr } = await command("solve", folder, file, "--fit=3");
      assertEquals(code, 0, stderr);
      assertMatch(
        stderr,
        /^The model was not trained on this task: learning .*, 3 steps, .* frozen/,
      );
      assertMatch(stderr, /Before: \d of \d demonstrations right.*\n[^]*After: \d of \d/);
      assertMatch(
        stdout,
        /After segment 2, \d+ cells? changed[^]*: not judged, no answer is known/,
      );
    } finally {
      Deno.chdir(before);
    }
  }));

Deno.test("fitPuzzle() says of a model without puzzle embeddings that it cannot learn", () => {
  const model = new Trm(modelConfig({ puzzleEmbNdim: 0 }), { random: new Random(1) });
  const text = '{"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[1]]}]}';
  const task = arcTask(config);
  const { batches } = task.lesson!(task.read(text, 1, { file: "a.json" }), 1)!;
  const learn = () => fitPuzzle(model, batches, { steps: 1, optim });
  assertThrows(learn, TypeError, "the model has no puzzle embeddings");
  assertEquals(model.puzzleTable, null);
});
