import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { train, type TrainOptions, type TrainResult } from "../../zoo/train.ts";
import { inFolder } from "../ffi/_folder.ts";
import {
  checkpointOf,
  checkpointPath,
  dataOf,
  metricsOf,
  textOf,
  tinyConfig,
  tinyFlags,
} from "./_tiny.ts";

// 24 steps: reports after every 5, evaluations after 8 and 16, checkpoints after every 6.
const saved = tinyConfig();
const data = dataOf(saved);

function run(folder: string, options: Partial<TrainOptions> = {}): Promise<TrainResult> {
  return train({ saved, data, folder, ...options });
}

/** Trains until step `last`, then presses Ctrl-C. */
function runUntil(last: number, folder: string, resume: boolean): Promise<TrainResult> {
  const controller = new AbortController();
  return run(folder, {
    resume,
    signal: controller.signal,
    onStep: (step) => step === last && controller.abort(),
  });
}

/** Both runs left the same, bit for bit. */
function assertSameRun(folder: string, whole: string, what: string): void {
  const got = checkpointOf(folder), want = checkpointOf(whole);
  assertEquals(got.progress, want.progress, `${what}: progress`);
  assertEquals(Object.keys(got.tensors), Object.keys(want.tensors), `${what}: names`);
  for (const [name, tensor] of Object.entries(want.tensors)) {
    assert(got.tensors[name] === tensor, `${what}: ${name} differs`);
  }
  assertEquals(metricsOf(folder), metricsOf(whole), `${what}: metrics`);
  for (const name of ["best", "final"]) {
    const weights = (at: string) => textOf(Deno.readFileSync(join(at, name, "model.safetensors")));
    assert(weights(folder) === weights(whole), `${what}: ${name} weights differ`);
  }
  assertEquals(
    Deno.readTextFileSync(join(folder, "config.json")),
    Deno.readTextFileSync(join(whole, "config.json")),
    `${what}: config`,
  );
}

Deno.test("train() writes a checkpoint of all that a run is", () =>
  inFolder(async (folder) => {
    await run(folder);
    const { tensors, progress } = checkpointOf(folder);
    const kinds = new Set(Object.keys(tensors).map((name) => name.split(".")[0]));
    assertEquals([...kinds].sort(), ["carry", "ema", "model", "optimizer"]);
    assertEquals(Object.keys(tensors).filter((name) => /^(carry|optimizer)/.test(name)).sort(), [
      ...["carry.halted", "carry.inputs", "carry.labels", "carry.puzzleIdentifiers"],
      ...["carry.steps", "carry.zH", "carry.zL"],
      ...["optimizer.m", "optimizer.step", "optimizer.v"],
    ]);
    assertEquals(Object.keys(progress).sort(), ["best", "exploration", "step", "window"]);
    const weight = "inner.lm_head.weight";
    assert(tensors[`ema.${weight}`] !== tensors[`model.${weight}`]);
  }));

Deno.test("train() reports means every few steps, and each evaluation once", () =>
  inFolder(async (folder) => {
    await run(folder);
    const lines = metricsOf(folder).map((line) =>
      `${line["step"]} ${
        "evaluation" in line ? "evaluation" : "final" in line ? "final" : "report"
      }`
    );
    assertEquals(lines, [
      ...["5 report", "8 evaluation", "10 report", "15 report", "16 evaluation", "20 report"],
      "24 final",
    ]);
  }));

Deno.test("train() resumed after a signal ends as the uninterrupted run, wherever it stopped", () =>
  inFolder(async (whole) => {
    await run(whole);
    // before any checkpoint, at one, within a window of metrics, at an evaluation, at the end
    for (const last of [1, 6, 7, 8, 23, 24]) {
      await inFolder(async (folder) => {
        const first = await runUntil(last, folder, false);
        assertEquals({ ...first, seconds: 0 }, {
          ...{ step: last, seconds: 0, stopped: last < 24, evaluation: null },
        });
        await run(folder, { resume: true });
        assertSameRun(folder, whole, `stopped after ${last} steps`);
      });
    }
  }));

Deno.test("train() stopped before its first step resumes from the start", () =>
  inFolder(async (whole) => {
    await run(whole);
    await inFolder(async (folder) => {
      const result = await run(folder, { signal: AbortSignal.abort() });
      assertEquals(result.step, 0);
      await run(folder, { resume: true });
      assertSameRun(folder, whole, "stopped before the first step");
    });
  }));

Deno.test("train() stopped again and again ends as the uninterrupted run", () =>
  inFolder(async (whole) => {
    await run(whole);
    await inFolder(async (folder) => {
      for (const [i, last] of [2, 3, 9, 16, 17, 22].entries()) await runUntil(last, folder, i > 0);
      await run(folder, { resume: true });
      assertSameRun(folder, whole, "stopped six times");
    });
  }));

Deno.test("train() stopped by minutes evaluates, and leaves no trace of that when resumed", () =>
  inFolder(async (whole) => {
    await run(whole);
    await inFolder(async (folder) => {
      const minutes = 1e-12; // over after one step
      for (let step = 1; step <= 8; step++) {
        const result = await run(folder, { minutes, resume: step > 1 });
        assertEquals([result.step, result.stopped], [step, true]);
        assertEquals(metricsOf(folder).at(-1)!["final"], result.evaluation);
        assertEquals(metricsOf(folder).filter((line) => "final" in line).length, 1);
      }
      await run(folder, { resume: true });
      assertSameRun(folder, whole, "stopped eight times by minutes");
    });
  }));

Deno.test("train() resumed after it was done evaluates again, and changes nothing", () =>
  inFolder(async (whole) => {
    await run(whole);
    await inFolder(async (folder) => {
      await run(folder);
      const { evaluation, step, stopped } = await run(folder, { resume: true });
      assertEquals([step, stopped], [24, false]);
      assertEquals(metricsOf(folder).at(-1)!["final"], evaluation);
      assertSameRun(folder, whole, "resumed at the end");
    });
  }));

Deno.test("train() resumes from the last checkpoint after being killed beyond it", () =>
  inFolder(async (whole) => {
    await run(whole);
    await inFolder(async (folder) => {
      const killed = new Error("killed");
      const onStep = (step: number) => {
        if (step === 11) throw killed; // the last checkpoint is of step 6
      };
      assertEquals(await run(folder, { onStep }).catch((error) => error), killed);
      const metrics = join(folder, "metrics.jsonl");
      assertEquals(metricsOf(folder).map(({ step }) => step), [5, 8, 10]);
      Deno.writeTextFileSync(metrics, '{"step":11,"seco', { append: true }); // torn in the middle
      Deno.writeTextFileSync(`${checkpointPath(folder)}.tmp-1`, "half a checkpoint");

      const steps: number[] = [];
      await run(folder, { resume: true, onStep: (step) => steps.push(step) });
      assertEquals(steps, Array.from({ length: 18 }, (_, i) => i + 7));
      assertSameRun(folder, whole, "killed after 10 steps");
    });
  }));

Deno.test("train() goes on to more steps than were asked for at first", () =>
  inFolder(async (whole) => {
    const optim = { minRatio: 1 }; // else the learning rates depend on the number of steps
    const long = tinyConfig({ optim }), short = tinyConfig({ optim, run: { steps: 13 } });
    await train({ saved: long, data, folder: whole });
    await inFolder(async (folder) => {
      await train({ saved: short, data, folder });
      await train({ saved: long, data, folder, resume: true });
      assertSameRun(folder, whole, "13 steps, then 24");
    });
  }));

Deno.test("train() refuses to go back to fewer steps than are done", () =>
  inFolder(async (folder) => {
    await run(folder);
    const fewer = tinyConfig({ run: { steps: 5 } });
    const error = await train({ saved: fewer, data, folder, resume: true }).catch((e) => e);
    assertEquals(error.message, "Cannot train for 5 steps: the run has done 24 already");
  }));

/** The command as a user calls it, in a process of its own and on one thread. */
function trainCommand(...args: string[]): Deno.Command {
  const script = new URL("../../zoo/cli.ts", import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-check", "--allow-all", script, "train", "hrm-sudoku", ...args],
    env: { NO_COLOR: "1", OMP_NUM_THREADS: "1" },
    stdout: "piped",
    stderr: "piped",
  });
}

async function fileHasLines(path: string): Promise<void> {
  while ((await Deno.readTextFile(path).catch(() => "")) === "") {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("deno task train stops at Ctrl-C, says how to go on, and goes on to the same end", () =>
  inFolder(async (parent) => {
    const whole = join(parent, "whole"), folder = join(parent, "stopped");
    const flags = [...tinyFlags, "--steps=300", "--threads=1", "--run.evalEvery=100"];
    const uninterrupted = trainCommand(...flags, `--out=${whole}`).output();

    const child = trainCommand(...flags, `--out=${folder}`).spawn();
    await fileHasLines(join(folder, "metrics.jsonl"));
    child.kill("SIGINT");
    const { code, stderr } = await child.output();
    const text = new TextDecoder().decode(stderr);
    assertEquals(code, 130, text);
    const [, step, name] =
      /^Stopped at step (\d+) and saved; go on by .*--resume="(.*)"$/m.exec(text) ?? [];
    assert(Number(step) < 300, `too late to interrupt: ${text}`);
    assertEquals(name, folder);
    assertEquals(checkpointOf(folder).progress["step"], Number(step));

    const resumed = await trainCommand(`--resume=${folder}`, "--threads=1").output();
    const output = new TextDecoder().decode(resumed.stdout);
    assertEquals(resumed.code, 0, new TextDecoder().decode(resumed.stderr));
    assertMatch(output, /^Run in ".*", resumed$/m);
    assertEquals((await uninterrupted).code, 0);
    assertSameRun(folder, whole, "stopped by Ctrl-C");
  }));
