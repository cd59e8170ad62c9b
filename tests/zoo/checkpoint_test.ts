import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { decodeSafetensors, encodeSafetensors } from "../../core/io/safetensors.ts";
import { hasCheckpoint } from "../../zoo/checkpoint.ts";
import { train } from "../../zoo/train.ts";
import { inFolder, namesIn } from "../ffi/_folder.ts";
import { type Changes, checkpointPath, dataOf, textOf, tinyConfig } from "./_tiny.ts";

const short = { run: { steps: 3, checkpointEvery: 1 } };

/** The message of the error with which a run does not go on, with `…` for its folder. */
async function resumeError(folder: string, changes: Changes = {}): Promise<string> {
  const saved = tinyConfig({ ...changes, run: { ...short.run, ...changes.run } });
  const options = { saved, data: dataOf(saved), folder, resume: true };
  const error = await assertRejects(() => train(options), Error);
  return error.message.replaceAll(folder, "…");
}

/** A finished run, and what to do in its folder. */
async function afterRun(work: (folder: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const saved = tinyConfig(short);
    await train({ saved, data: dataOf(saved), folder });
    await work(folder);
  });
}

/** Everything in a folder that a failed resumption must leave as it is. */
function contents(folder: string): Record<string, string> {
  const files = ["config.json", "metrics.jsonl", "checkpoint/state.safetensors"];
  return Object.fromEntries(
    files.map((name) => [name, textOf(Deno.readFileSync(join(folder, name)))]),
  );
}

Deno.test("loadCheckpoint() names a file that is cut off or foreign, and changes nothing", () =>
  afterRun(async (folder) => {
    const path = checkpointPath(folder);
    const whole = Deno.readFileSync(path);
    const broken: Record<string, Uint8Array> = {
      "nothing": new Uint8Array(),
      "half the header": whole.slice(0, 300),
      "half the data": whole.slice(0, whole.length / 2),
      "one byte less": whole.slice(0, -1),
      "text": new TextEncoder().encode("This is not a checkpoint"),
    };
    for (const [what, bytes] of Object.entries(broken)) {
      Deno.writeFileSync(path, bytes);
      const before = contents(folder);
      assertStringIncludes(
        await resumeError(folder),
        'Cannot read safetensors file "…/checkpoint/state.safetensors": ',
        what,
      );
      assert(String(Object.values(contents(folder))) === String(Object.values(before)), what);
    }
  }));

Deno.test("loadCheckpoint() refuses weights, and a checkpoint that lies about how far it came", () =>
  afterRun(async (folder) => {
    const path = checkpointPath(folder);
    const { tensors, metadata } = decodeSafetensors(Deno.readFileSync(path));
    const progress = JSON.parse(metadata["progress"]!);
    const said = 'Cannot use "…/checkpoint/state.safetensors": ';
    const lies: (Record<string, string> | undefined)[] = [
      undefined,
      { progress: "null" },
      { progress: "{}" },
      { progress: JSON.stringify({ ...progress, step: -1 }) },
      { progress: JSON.stringify({ ...progress, step: "3" }) },
      { progress: JSON.stringify({ ...progress, exploration: null }) },
      { progress: JSON.stringify({ ...progress, window: undefined }) },
    ];
    for (const lie of lies) {
      Deno.writeFileSync(path, encodeSafetensors(tensors, lie));
      const want = `${said}it does not say how far the run came`;
      assertEquals(await resumeError(folder), want, JSON.stringify(lie));
    }
    Deno.writeFileSync(path, encodeSafetensors(tensors, { progress: "{" }));
    assertStringIncludes(await resumeError(folder), `${said}`);

    Deno.copyFileSync(join(folder, "final", "model.safetensors"), path);
    assertEquals(await resumeError(folder), `${said}it does not say how far the run came`);
  }));

Deno.test("loadCheckpoint() refuses a checkpoint in which something is missing", () =>
  afterRun(async (folder) => {
    const path = checkpointPath(folder);
    const { tensors, metadata } = decodeSafetensors(Deno.readFileSync(path));
    const said = 'Cannot use "…/checkpoint/state.safetensors": ';
    const without: Record<string, string> = {
      "model.inner.lm_head.weight": "Cannot load weights: 1 missing (inner.lm_head.weight) of ",
      "optimizer.step": "Cannot restore an optimiser: its step is missing",
      "optimizer.m": "Cannot restore an optimiser: m is missing or of another size",
      "ema.inner.lm_head.weight": "Cannot restore the average of inner.lm_head.weight",
      "carry.zH": "its carry is of another batch size or model",
      "carry.halted": "its carry is of another batch size or model",
    };
    for (const [name, message] of Object.entries(without)) {
      const rest = [...tensors].filter(([other]) => other !== name);
      Deno.writeFileSync(path, encodeSafetensors(rest, metadata));
      assertStringIncludes(await resumeError(folder), said + message);
    }
  }));

Deno.test("loadCheckpoint() refuses the checkpoint of another model or batch size", () =>
  afterRun(async (folder) => {
    const before = contents(folder);
    const said = 'Cannot use "…/checkpoint/state.safetensors": ';
    const message = (changes: Changes) => resumeError(folder, changes);
    assertStringIncludes(await message({ model: { hiddenSize: 32 } }), `${said}Cannot load inner.`);
    assertStringIncludes(
      await message({ model: { puzzleEmbNdim: 0 } }),
      `${said}Cannot load weights: 1 unknown (inner.puzzle_emb.weights)`,
    );
    assertStringIncludes(await message({ model: { hLayers: 2 } }), `${said}Cannot load weights: `);
    assertEquals(
      await message({ run: { batchSize: 5 } }),
      `${said}its carry is of another batch size or model`,
    );
    assert(String(Object.values(contents(folder))) === String(Object.values(before)));
  }));

Deno.test("saveCheckpoint() keeps the last good checkpoint when it cannot write", () =>
  inFolder(async (folder) => {
    const saved = tinyConfig(short);
    const checkpoint = join(folder, "checkpoint");
    let before = "";
    // as if the disk were full: the folder of the checkpoint gives way to a file
    const onStep = (step: number) => {
      if (step !== 2) return;
      before = textOf(Deno.readFileSync(checkpointPath(folder)));
      Deno.renameSync(checkpoint, `${checkpoint}.aside`);
      Deno.writeTextFileSync(checkpoint, "");
    };
    await assertRejects(() => train({ saved, data: dataOf(saved), folder, onStep }), Error, folder);
    assertEquals(await namesIn(`${checkpoint}.aside`), ["state.safetensors"]);
    Deno.removeSync(checkpoint);
    Deno.renameSync(`${checkpoint}.aside`, checkpoint);
    assert(textOf(Deno.readFileSync(checkpointPath(folder))) === before);
    const { step } = await train({ saved, data: dataOf(saved), folder, resume: true });
    assertEquals(step, 3);
  }));

Deno.test("train() writes nothing where it cannot make its folder", () =>
  inFolder(async (parent) => {
    const file = join(parent, "file");
    Deno.writeTextFileSync(file, "not a folder");
    const saved = tinyConfig(short);
    const options = { saved, data: dataOf(saved), folder: join(file, "run") };
    await assertRejects(() => train(options), Error, file);
    assertEquals(await namesIn(parent), ["file"]);
  }));

Deno.test("hasCheckpoint() tells a run that can go on from any other folder", () =>
  afterRun((folder) => {
    assert(hasCheckpoint(folder));
    for (const other of [join(folder, "final"), join(folder, "config.json"), "no such folder"]) {
      assert(!hasCheckpoint(other), other);
    }
    return Promise.resolve();
  }));
