import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { decodeSafetensors, encodeSafetensors } from "../../core/io/safetensors.ts";
import { stateDict } from "../../core/nn/module.ts";
import { warmupCosine } from "../../core/optim/schedule.ts";
import { Random } from "../../core/random.ts";
import { makeModel } from "../../models/family.ts";
import { presetProblem } from "../../zoo/validate.ts";
import { version } from "../../zoo/version.ts";
import { train } from "../../zoo/train.ts";
import { restoreWeights } from "../../zoo/weights.ts";
import { inFolder, namesIn } from "../ffi/_folder.ts";
import {
  checkpointOf,
  checkpointPath,
  dataOf,
  metricsOf,
  taskOf,
  textOf,
  tinyConfig,
} from "./_tiny.ts";

/** The tensors of saved weights, as text. */
function weightsIn(folder: string): Record<string, string> {
  const { tensors } = decodeSafetensors(Deno.readFileSync(join(folder, "model.safetensors")));
  return Object.fromEntries([...tensors].map(([name, { data }]) => [name, textOf(data)]));
}

Deno.test("train() leaves config, metrics, checkpoint, best and final, and nothing else", () =>
  inFolder(async (folder) => {
    const saved = tinyConfig();
    await train({ saved, data: dataOf(saved), folder });
    const run = ["best", "checkpoint", "config.json", "final", "metrics.jsonl"];
    assertEquals(await namesIn(folder), run);
    assertEquals(await namesIn(join(folder, "checkpoint")), ["state.safetensors"]);
    for (const name of ["best", "final"]) {
      assertEquals(await namesIn(join(folder, name)), ["config.json", "model.safetensors"]);
    }
  }));

Deno.test("train() reports and leaves the same however many steps are read together", () =>
  inFolder(async (folder) => {
    const saved = tinyConfig({ optim: { clipNorm: 0.5 } });
    const runs = await Promise.all([1, 4, 1000].map(async (readEvery) => {
      const place = join(folder, `${readEvery}`), told: number[] = [];
      const onStep = (step: number) => told.push(step);
      await train({ saved, data: dataOf(saved), folder: place, readEvery, onStep });
      return { told, metrics: metricsOf(place), checkpoint: checkpointOf(place) };
    }));
    assertEquals(runs[0]!.told, Array.from({ length: saved.config.run.steps }, (_, i) => i + 1));
    for (const run of runs.slice(1)) assertEquals(run, runs[0]);
  }));

Deno.test("train() saves the complete config beside the run, the best and the final weights", () =>
  inFolder(async (folder) => {
    const saved = tinyConfig();
    await train({ saved, data: dataOf(saved), folder });
    for (const name of ["", "best", "final"]) {
      const config = JSON.parse(Deno.readTextFileSync(join(folder, name, "config.json")));
      assertEquals(config, { ...saved });
      assertEquals(config.ponder, version);
      assertEquals(Object.keys(config.config).sort(), ["claim", "model", "optim", "run", "task"]);
      assertEquals(presetProblem(config.config), null);
    }
  }));

Deno.test("train() saves the averaged weights, and the puzzle table as it is", () =>
  inFolder(async (folder) => {
    const saved = tinyConfig();
    await train({ saved, data: dataOf(saved), folder });
    const { tensors } = checkpointOf(folder);
    const bytes = (name: string) => tensors[name]!.slice(tensors[name]!.indexOf("] ") + 2);
    const final = weightsIn(join(folder, "final"));
    let averaged = 0;
    for (const [name, weights] of Object.entries(final)) {
      const average = name.replace("model.", "ema.");
      if (average in tensors) averaged++;
      assert(weights === bytes(average in tensors ? average : name), name);
    }
    assertEquals(averaged, Object.keys(final).length - 3); // all but H_init, L_init, puzzle_emb
  }));

Deno.test("train() without averaging saves the weights themselves", () =>
  inFolder(async (folder) => {
    const saved = tinyConfig({ optim: { ema: 0 }, run: { steps: 4 } });
    await train({ saved, data: dataOf(saved), folder });
    const { tensors } = checkpointOf(folder);
    for (const [name, weights] of Object.entries(weightsIn(join(folder, "final")))) {
      assert(tensors[name]!.endsWith(weights), name);
    }
  }));

Deno.test("train() keeps as best the last of the evaluations that solved most", () =>
  inFolder(async (folder) => {
    const saved = tinyConfig({ run: { evalEvery: 4, checkpointEvery: 1 } });
    const seen: { exact: number; ema: string }[] = [];
    const { evaluation } = await train({
      saved,
      data: dataOf(saved),
      folder,
      onEvaluation: (_, { final }) => seen.push({ exact: final.exact, ema: "" }),
      onStep: (step) => {
        if (step > 1 && (step - 1) % 4 !== 0) return; // the checkpoint is of the step before
        const last = seen.at(-1);
        if (last !== undefined) {
          last.ema = checkpointOf(folder).tensors["ema.inner.lm_head.weight"]!;
        }
      },
    });
    const most = Math.max(...seen.map(({ exact }) => exact));
    const best = seen.findLast(({ exact }) => exact === most)!;
    assertEquals(checkpointOf(folder).progress["best"], most);
    const head = (name: string) => weightsIn(join(folder, name))["model.inner.lm_head.weight"]!;
    const isFinalBest = evaluation!.final.exact >= most; // the last evaluation competes too
    assert((isFinalBest ? head("final") : best.ema).endsWith(head("best")));
  }));

Deno.test("train() with the same seed is the same, with another it is another", () =>
  inFolder(async (parent) => {
    const folders = ["a", "b", "c"].map((name) => join(parent, name));
    for (const [i, seed] of [1, 1, 2].entries()) {
      const saved = tinyConfig({ run: { steps: 6, seed } });
      await train({ saved, data: dataOf(saved), folder: folders[i]! });
    }
    const [a, b, c] = folders.map((folder) => checkpointOf(folder));
    assertEquals(a, b);
    assertEquals(metricsOf(folders[0]!), metricsOf(folders[1]!));
    for (const name of ["model.inner.lm_head.weight", "carry.inputs", "optimizer.m"]) {
      assertNotEquals(a!.tensors[name], c!.tensors[name], name);
    }
  }));

Deno.test("train() follows the schedule, counting steps from 1", () =>
  inFolder(async (folder) => {
    const saved = tinyConfig({ run: { reportEvery: 1, steps: 8 } });
    await train({ saved, data: dataOf(saved), folder });
    const { optim, run } = saved.config;
    const rates = metricsOf(folder).flatMap(({ lr }) => lr === undefined ? [] : [lr]);
    const schedule = { ...optim, totalSteps: run.steps };
    assertEquals(rates, Array.from({ length: 8 }, (_, i) => warmupCosine(schedule, i + 1)));
  }));

Deno.test("train() stops with a clear error when it diverges, and keeps the last checkpoint", () =>
  inFolder(async (folder) => {
    // each step multiplies the weights by −10⁵
    const saved = tinyConfig({
      optim: { lr: 100, weightDecay: 1000, warmupSteps: 0, minRatio: 1 },
      run: { checkpointEvery: 2, steps: 40 },
    });
    let last = 0;
    const onStep = (step: number) => {
      last = step;
    };
    const error = await assertRejects(
      () => train({ saved, data: dataOf(saved), folder, onStep }),
      RangeError,
    );
    assertMatch(
      error.message,
      /^Cannot go on training: the .* is (NaN|Infinity|-Infinity); start anew with a lower --optim.lr$/,
    );
    assert(last >= 2, `diverged after ${last} steps already`);
    assertEquals(checkpointOf(folder).progress["step"], last - last % 2);
    const { tensors } = decodeSafetensors(Deno.readFileSync(checkpointPath(folder)));
    for (const [name, { dtype, data }] of tensors) {
      if (dtype !== "float32") continue;
      assert(new Float32Array(data.slice().buffer).every(Number.isFinite), `${name} is spoilt`);
    }
  }));

Deno.test("train() does not go on from weights that are no numbers", () =>
  inFolder(async (folder) => {
    const saved = tinyConfig();
    const data = dataOf(saved);
    await train({ saved, data, folder, minutes: 0 });
    const { tensors, metadata } = decodeSafetensors(Deno.readFileSync(checkpointPath(folder)));
    const { data: bytes, ...spec } = tensors.get("model.inner.q_head.weight")!;
    const spoilt = new Uint8Array(new Float32Array(bytes.length / 4).fill(NaN).buffer);
    const entries = new Map(tensors).set("model.inner.q_head.weight", { ...spec, data: spoilt });
    const before = encodeSafetensors(entries, metadata);
    Deno.writeFileSync(checkpointPath(folder), before);
    const error = await assertRejects(
      () => train({ saved, data, folder, resume: true }),
      RangeError,
    );
    assertStringIncludes(error.message, "the loss is NaN");
    assert(textOf(Deno.readFileSync(checkpointPath(folder))) === textOf(before));
  }));

Deno.test("train() of a model and a task that the caller made is that of their configs", () =>
  inFolder(async (folder) => {
    const saved = tinyConfig(), data = dataOf(saved);
    const { model, task, optim, run } = saved.config;
    await train({ saved, data, folder: join(folder, "ours") });
    const own = {
      ...saved,
      config: { model: { ...model, kind: "mine" }, task: { ...task, kind: "mine" }, optim, run },
    };
    const made = makeModel(model, { random: new Random(run.seed, 0) });
    const where = join(folder, "own");
    await train({ saved: own, model: made, task: taskOf(saved), data, folder: where });
    const weights = weightsIn(join(where, "final"));
    assertEquals(weights, weightsIn(join(folder, "ours", "final")));
    const { config } = JSON.parse(Deno.readTextFileSync(join(where, "final", "config.json")));
    assertEquals([config.model.kind, config.task.kind], ["mine", "mine"]);

    const last = textOf(stateDict(made).get("inner.lm_head.weight")!.data);
    restoreWeights(made, where);
    const best = textOf(stateDict(made).get("inner.lm_head.weight")!.data);
    assertEquals(best, weightsIn(join(where, "best"))["model.inner.lm_head.weight"]);
    assert(last !== best, "the weights are the averaged ones");
  }));

Deno.test("train() names the kind of a model or a task that there is not and that it was not given", () =>
  inFolder(async (folder) => {
    const saved = tinyConfig(), data = dataOf(saved);
    const { config } = saved;
    for (const group of ["model", "task"] as const) {
      const own = { ...saved, config: { ...config, [group]: { kind: "mine" } } };
      const message = `Unknown kind of ${group} "mine": expected one of `;
      await assertRejects(() => train({ saved: own, data, folder }), TypeError, message);
    }
  }));
