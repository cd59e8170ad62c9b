import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import { decodeSafetensors, encodeSafetensors } from "../../core/io/safetensors.ts";
import { namedTensors, stateDict } from "../../core/nn/module.ts";
import { Random } from "../../core/random.ts";
import { makeModel } from "../../models/family.ts";
import type { Model } from "../../models/model.ts";
import { recipes } from "../../zoo/recipes.ts";
import {
  loadWeights,
  readConfig,
  savedConfig,
  saveWeights,
  WEIGHT_PREFIX,
} from "../../zoo/weights.ts";
import { inFolder, namesIn } from "../ffi/_folder.ts";
import { textOf, tinyConfig } from "./_tiny.ts";

const saved = tinyConfig();
const model = makeModel(saved.config.model, { random: new Random(1) });
const weights = stateDict(model, WEIGHT_PREFIX);

/** The message of the error that loading a folder throws, with `…` for the folder. */
function loadError(folder: string): string {
  const error = assertThrows(() => loadWeights(folder), Error);
  return error.message.replaceAll(folder, "…");
}

Deno.test("saveWeights() and loadWeights() keep every bit, the config and the official names", () =>
  inFolder(async (folder) => {
    await saveWeights(folder, weights, saved);
    const loaded = loadWeights(folder);
    assertEquals(loaded.saved, saved);
    assertEquals(loaded.folder, folder);
    const again = stateDict(loaded.model, WEIGHT_PREFIX);
    assertEquals([...again.keys()], [...weights.keys()]);
    for (const [name, { data }] of weights) assert(textOf(again.get(name)!.data) === textOf(data));
    assert(again.has("model.inner.L_level.layers.0.self_attn.qkv_proj.weight"));
    const trained = (of: Model) => namedTensors(of).map(([name, t]) => [name, t.requiresGrad]);
    assertEquals(trained(loaded.model), trained(model));

    const file = Deno.readFileSync(join(folder, "model.safetensors"));
    const { metadata } = decodeSafetensors(file);
    assertEquals(metadata, { recipe: "hrm-sudoku", ponder: saved.ponder });
  }));

Deno.test("loadWeights() takes a folder, a file, and of a run the best, else the final weights", () =>
  inFolder(async (run) => {
    const found = (path: string) => loadWeights(path).folder.slice(run.length + 1);
    await saveWeights(join(run, "final"), weights, saved);
    assertEquals(found(run), "final");
    await saveWeights(join(run, "best"), weights, saved);
    assertEquals(found(run), "best");
    assertEquals(found(join(run, "final")), "final");
    assertEquals(found(join(run, "final", "model.safetensors")), "final");
  }));

Deno.test("loadWeights() says where it looked in vain", () =>
  inFolder(async (folder) => {
    const where = '"…", "…/best", "…/final"';
    assertEquals(loadError(folder), `Cannot find weights: no model.safetensors in ${where}`);
    await saveWeights(folder, weights, saved);
    Deno.removeSync(join(folder, "config.json"));
    assertStringIncludes(loadError(folder), "…/config.json");
  }));

Deno.test("loadWeights() names a file that is cut off, lies or is foreign", () =>
  inFolder(async (folder) => {
    await saveWeights(folder, weights, saved);
    const file = join(folder, "model.safetensors");
    const whole = Deno.readFileSync(file);
    const broken: Record<string, Uint8Array> = {
      "nothing": new Uint8Array(),
      "a few bytes": whole.slice(0, 5),
      "half the header": whole.slice(0, 500),
      "half the data": whole.slice(0, whole.length / 2),
      "one byte less": whole.slice(0, -1),
      "one byte more": Uint8Array.of(...whole, 0),
      "text": new TextEncoder().encode("This is not a file of weights at all"),
      "a zip, as PyTorch writes": Uint8Array.of(0x50, 0x4b, 3, 4, ...new Uint8Array(60)),
    };
    for (const [what, bytes] of Object.entries(broken)) {
      Deno.writeFileSync(file, bytes);
      const message = loadError(folder);
      assert(message.startsWith('Cannot read safetensors file "…/model.safetensors": '), what);
    }
  }));

Deno.test("loadWeights() names the file whose tensors are not those of its config", () =>
  inFolder(async (folder) => {
    const other = async (change: (all: typeof weights) => void) => {
      const changed = new Map(weights);
      change(changed);
      await saveWeights(folder, changed, saved);
      return loadError(folder);
    };
    const name = "model.inner.lm_head.weight", head = weights.get(name)!;
    const say = (what: string) => `Cannot use "…/model.safetensors": ${what}`;
    assertEquals(
      await other((all) => all.delete(name)),
      say(`Cannot load weights: 1 missing (${name}) of ${weights.size} tensors`),
    );
    assertEquals(
      await other((all) => all.set("model.inner.extra", head)),
      say(`Cannot load weights: 1 unknown (model.inner.extra) of ${weights.size} tensors`),
    );
    assertEquals(
      await other((all) => all.set(name, { ...head, shape: [16, 6] })),
      say(`Cannot load ${name}: it is [16, 6] in the file, [6, 16] in the model`),
    );
    const wide = tinyConfig({ model: { hiddenSize: 32 } });
    await saveWeights(folder, weights, wide);
    assertStringIncludes(loadError(folder), 'Cannot use "…/model.safetensors": Cannot load model.');
  }));

Deno.test("loadWeights() converts weights of another dtype", () =>
  inFolder(async (folder) => {
    await saveWeights(folder, weights, saved);
    const name = "model.inner.q_head.bias";
    const doubles = new Uint8Array(Float64Array.of(1.5, -2.5).buffer);
    const file = new Map(weights).set(name, { dtype: "float64", shape: [2], data: doubles });
    Deno.writeFileSync(join(folder, "model.safetensors"), encodeSafetensors(file));
    const bias = new Map(namedTensors(loadWeights(folder).model)).get("inner.q_head.bias");
    assertEquals([bias!.dtype, bias!.toNumbers()], ["float32", [1.5, -2.5]]);
  }));

Deno.test("readConfig() says what is wrong with a config, and names its file", () =>
  inFolder((folder) => {
    const config = saved.config;
    const message = (text: unknown) => {
      const json = typeof text === "string" ? text : JSON.stringify(text);
      Deno.writeTextFileSync(join(folder, "config.json"), json);
      const error = assertThrows(() => readConfig(folder), SyntaxError);
      const [, rest] = error.message.replaceAll(folder, "…").split('Cannot use "…/config.json": ');
      return rest;
    };
    const foreign = "it is no config that Ponder wrote";
    for (const text of ["null", "[]", "3", '{"model_type":"llama"}']) {
      assertEquals(message(text), foreign, text);
    }
    assertStringIncludes(message("{")!, "JSON");
    assertEquals(
      message({ ...saved, recipe: "x" }),
      `x is no recipe of ${Object.keys(recipes).join(", ")}`,
    );
    const { hiddenSize: _, ...incomplete } = config.model;
    assertEquals(
      message({ ...saved, config: { ...config, model: incomplete } }),
      "model.hiddenSize is undefined, not a number",
    );
    assertEquals(
      message({ ...saved, config: { ...config, optim: { ...config.optim, lr: "1" } } }),
      'optim.lr is "1", not a number',
    );
    assertEquals(
      message({ ...saved, config: undefined }),
      "model.vocabSize is undefined, not a number",
    );
    assertStringIncludes(
      message({ ...saved, config: { ...config, model: { ...config.model, numHeads: 3 } } })!,
      "expected a multiple of 6",
    );
    Deno.writeTextFileSync(join(folder, "config.json"), JSON.stringify(saved));
    assertEquals(readConfig(folder), saved);
    return Promise.resolve();
  }));

Deno.test("saveWeights() leaves nothing half-written where it cannot write", () =>
  inFolder(async (folder) => {
    // a folder has the name that the weights should take, so that the last act of writing fails
    Deno.mkdirSync(join(folder, "model.safetensors", "occupied"), { recursive: true });
    await assertRejects(() => saveWeights(folder, weights, saved));
    assertEquals(await namesIn(folder), ["config.json", "model.safetensors"]);
    assertEquals(await namesIn(join(folder, "model.safetensors")), ["occupied"]);

    const file = join(folder, "file");
    Deno.writeTextFileSync(file, "not a folder");
    await assertRejects(() => saveWeights(join(file, "best"), weights, saved), Error, file);
    assertEquals(Deno.readTextFileSync(file), "not a folder");
  }));

Deno.test("saveWeights() keeps the weights that were there until the new ones are whole", () =>
  inFolder(async (folder) => {
    await saveWeights(folder, weights, saved);
    const before = textOf(Deno.readFileSync(join(folder, "model.safetensors")));
    const wrong = new Map(weights).set("model.wrong", {
      dtype: "int32",
      shape: [9],
      data: new Uint8Array(),
    });
    await assertRejects(() => saveWeights(folder, wrong, saved), TypeError, "model.wrong");
    assert(textOf(Deno.readFileSync(join(folder, "model.safetensors"))) === before);
    assertEquals(await namesIn(folder), ["config.json", "model.safetensors"]);
  }));

Deno.test("savedConfig() says which Ponder wrote it", () => {
  assertEquals(savedConfig("hrm-sudoku", "tiny", saved.config), saved);
});
