import { assert, assertEquals, assertThrows } from "@std/assert";
import { zeros } from "../../core/create.ts";
import { Random } from "../../core/random.ts";
import { scope } from "../../core/scope.ts";
import { liveBytes, liveTensors } from "../../ffi/mod.ts";
import { namedTensors } from "../../core/nn/module.ts";
import { carryTensors } from "../../models/model.ts";
import { evaluate } from "../../zoo/evaluate.ts";
import { trainStep } from "../../zoo/step.ts";
import { think } from "../../zoo/thinking.ts";
import { makeTrainee, train } from "../../zoo/train.ts";
import { inFolder } from "../ffi/_folder.ts";
import { type Changes, dataOf, taskOf, tinyConfig } from "./_tiny.ts";

interface Live {
  readonly tensors: number;
  readonly bytes: number;
}

function live(): Live {
  return { tensors: liveTensors(), bytes: liveBytes() };
}

/** What lives at the start, after each number of steps, and when all is freed. */
function liveAfter(changes: Changes, counts: readonly number[]): Live[] {
  const saved = tinyConfig(changes);
  const { train: sampler } = dataOf(saved);
  const before = live();
  const seen: Live[] = [];
  {
    using _ = scope();
    const trainee = makeTrainee(saved.config, "cpu");
    let carry = trainee.model.initialCarry(sampler.batch(0, 4, "cpu"));
    for (let step = 0; step < counts.at(-1)!; step++) {
      using s = scope();
      const rates = { lr: 1e-3, puzzleEmbLr: 1e-3 };
      const batch = sampler.batch(step, 4, "cpu");
      ({ carry } = trainStep(trainee, carry, batch, rates, { random: new Random(step), step }));
      s.keep(Object.values(carryTensors(carry)));
      if (counts.includes(step + 1)) seen.push(live());
    }
    trainee.optimizer.dispose();
    trainee.ema?.dispose();
  }
  return [before, ...seen, live()];
}

const variants: Record<string, Changes> = {
  "the tiny preset": {},
  "AdamW, clipping and no averages": { optim: { optimizer: "adamw", clipNorm: 1, ema: 0 } },
  "bfloat16 and the softmax loss": {
    model: { forwardDtype: "bfloat16" },
    optim: { loss: "softmax" },
  },
  "float64, learned positions and no puzzle embedding": {
    model: { forwardDtype: "float64", posEncodings: "learned", puzzleEmbNdim: 0 },
  },
};

for (const [name, changes] of Object.entries(variants)) {
  Deno.test(`trainStep() keeps as many tensors and bytes after 200 steps as after 10: ${name}`, () => {
    const [before, at10, at200, after] = liveAfter(changes, [10, 200]);
    assert(at10!.tensors > before!.tensors);
    assertEquals(at200, at10);
    assertEquals(after, before, "freed at the end");
  });
}

Deno.test("trainStep() frees what it made when the loss is no number", () => {
  const saved = tinyConfig();
  using _ = scope();
  const trainee = makeTrainee(saved.config, "cpu");
  const batch = dataOf(saved).train.batch(0, 4, "cpu");
  const carry = trainee.model.initialCarry(batch);
  new Map(namedTensors(trainee.model)).get("inner.lm_head.weight")!.detach().fill_(NaN);
  const before = live();
  const rates = { lr: 1e-3, puzzleEmbLr: 1e-3 };
  const training = { random: new Random(0), step: 0 };
  assertThrows(() => trainStep(trainee, carry, batch, rates, training), RangeError);
  assertEquals(live(), before);
  trainee.optimizer.dispose();
  trainee.ema!.dispose();
});

Deno.test("evaluate() and think() leave nothing behind, and hold one carry at a time", () => {
  const saved = tinyConfig();
  const task = taskOf(saved), { test } = dataOf(saved);
  using _ = scope();
  const { model, optimizer, ema } = makeTrainee(saved.config, "cpu");
  const atSegment: Live[] = [];
  const once = model.think.bind(model);
  model.think = (...args) => (atSegment.push(live()), once(...args));
  const before = live();
  think(task, [model], test, { units: 6 });
  assertEquals(live(), before);
  // at first all rows share the one state that they start from
  assertEquals(atSegment.slice(1), Array(5).fill(atSegment[1]));
  evaluate(task, model, test, { batchSize: 5, units: 2 });
  assertEquals(live(), before);
  optimizer.dispose();
  ema!.dispose();
});

Deno.test("train() leaves nothing behind, nor takes its caller's scope", () =>
  inFolder(async (folder) => {
    const saved = tinyConfig();
    const data = dataOf(saved);
    const before = live();
    {
      using outer = scope();
      await train({ saved, data, folder });
      assertEquals(live(), before);
      await train({ saved, data, folder, resume: true });
      assertEquals(live(), before);
      zeros([4]);
      assertEquals(outer.size, 1);
    }
    assertEquals(live(), before);
  }));

Deno.test("train() takes no more memory the longer it trains, to 1 % in 800 steps", () =>
  inFolder(async (folder) => {
    // what V8 compiles, and the young generation that it lets grow, would hide a leak
    const flags = ["--expose-gc", "--max-semi-space-size=1", "--no-opt", "--no-maglev"];
    const script = new URL("_memory.ts", import.meta.url).pathname;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "--no-check", "--allow-all", `--v8-flags=${flags}`, script, folder],
      env: { NO_COLOR: "1", OMP_NUM_THREADS: "1" },
    }).output();
    const decoder = new TextDecoder();
    assertEquals(code, 0, decoder.decode(stderr));
    const resident: Record<string, number> = JSON.parse(decoder.decode(stdout));
    // V8 and the allocator take and give back some at once; a leak shows in every hundred steps
    const bytes = [200, 300, 400, 500, 600, 700, 800, 900, 1000].map((step) => resident[step]!);
    const steps = bytes.slice(1).map((b, i) => b - bytes[i]!).sort((a, b) => a - b);
    const growth = steps.length * (steps[3]! + steps[4]!) / 2 / bytes[0]!;
    assert(growth < 0.01, `${JSON.stringify(resident)} grew by ${(100 * growth).toFixed(2)} %`);
  }));
