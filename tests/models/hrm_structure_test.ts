import { assert, assertEquals } from "@std/assert";
import { grad, isGradEnabled } from "../../core/autograd.ts";
import {
  countParameters,
  namedParameters,
  namedTensors,
  parameters,
} from "../../core/nn/module.ts";
import { Random } from "../../core/random.ts";
import { scope } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";
import { initialCarry } from "../../models/halting.ts";
import { Hrm, type HrmConfig, hrmPaper } from "../../models/hrm.ts";
import { segmentLoss } from "../../models/supervision.ts";
import { assertClose } from "../close.ts";
import { smallBatch, smallConfig, smallHrm } from "./_small.ts";

/** Draws zeros, which is quicker. */
class Zeros extends Random {
  override normal(): number {
    return 0;
  }
}

/** How many parameters a config has, by hand. */
function parametersOf(config: HrmConfig): number {
  const { vocabSize: V, hiddenSize: D, expansion, mlpMultiple, hLayers, lLayers } = config;
  const inner = Math.ceil(Math.round(expansion * D * 2 / 3) / mlpMultiple) * mlpMultiple;
  const block = 3 * D * D + D * D + 2 * inner * D + D * inner;
  const positions = config.seqLen + Math.ceil(config.puzzleEmbNdim / D);
  const learned = config.posEncodings === "learned" ? positions * D : 0;
  return 2 * V * D + (2 * D + 2) + learned + (hLayers + lLayers) * block;
}

Deno.test("Hrm has 27,275,266 parameters as published", () => {
  using _ = scope();
  const model = new Hrm(hrmPaper, { random: new Zeros(0) });
  assertEquals(countParameters(model), 27_275_266);
  assertEquals(parametersOf(hrmPaper), 27_275_266);
  assertEquals(model.inner.puzzle_emb!.weights.shape, [1, 512]); // trained apart
  const untrained = namedTensors(model).filter(([, t]) => !t.requiresGrad).map(([name]) => name);
  assertEquals(untrained, ["inner.puzzle_emb.weights", "inner.H_init", "inner.L_init"]);
});

Deno.test("Hrm has as many parameters as its config says", () => {
  using _ = scope();
  const variants: Partial<HrmConfig>[] = [
    {},
    { hLayers: 3, lLayers: 1 },
    { posEncodings: "learned" },
    { posEncodings: "learned", puzzleEmbNdim: 0 },
    { puzzleEmbNdim: 40 },
    { expansion: 2.5, mlpMultiple: 4 },
  ];
  for (const changes of variants) {
    const config = { ...smallConfig, ...changes };
    const model = new Hrm(config, { random: new Random(1) });
    assertEquals(countParameters(model), parametersOf(config), JSON.stringify(changes));
  }
});

Deno.test("Hrm.step() puts as many positions before the tokens as the puzzle embedding fills", () => {
  using _ = scope();
  const batch = smallBatch(2);
  for (const [puzzleEmbNdim, prefix] of [[0, 0], [5, 1], [16, 1], [40, 3]] as const) {
    for (const posEncodings of ["rope", "learned"] as const) {
      const model = smallHrm({ puzzleEmbNdim, posEncodings });
      const { carry, outputs } = model.step(initialCarry(model.initialStates(), batch), batch);
      assertEquals(carry.states.zH.shape, [2, prefix + 5, 16]);
      assertEquals(outputs.logits.shape, [2, 5, 7]);
      assertEquals([outputs.qHalt!.shape, outputs.qContinue!.shape], [[2], [2]]);
    }
  }
});

Deno.test("HrmInner.segment() does N cycles of T low steps and a high one, the last of each on the tape", () => {
  using _ = scope();
  for (const [hCycles, lCycles] of [[2, 3], [1, 1], [3, 1], [1, 4]] as const) {
    const model = smallHrm({ hCycles, lCycles });
    const calls: string[] = [];
    for (const name of ["L_level", "H_level"] as const) {
      const level = model.inner[name];
      const forward = level.forward.bind(level);
      const letter = name[0]!;
      level.forward = (...args) => {
        calls.push(isGradEnabled() ? letter : letter.toLowerCase());
        return forward(...args);
      };
    }
    const batch = smallBatch(2);
    model.step(initialCarry(model.initialStates(), batch), batch);
    const cycle = "l".repeat(lCycles) + "h";
    assertEquals(calls.join(""), cycle.repeat(hCycles).slice(0, -2) + "LH");
  }
});

/** A segment with the tape on all the way, and every state but the last two cut off from it. */
function unrolled(model: Hrm, inputs: Tensor, rows: Tensor): { logits: Tensor; q: Tensor } {
  const { inner } = model;
  const { hCycles: N, lCycles: T } = smallConfig;
  const start = initialCarry(model.initialStates(), smallBatch(2)).states;
  let { zH, zL } = start;
  const x = inner.embed(inputs, rows);
  for (let cycle = 1; cycle <= N; cycle++) {
    for (let step = 1; step <= T; step++) {
      zL = inner.L_level.forward(zL.detach(), [zH.detach(), x], null);
    }
    zH = inner.H_level.forward(zH.detach(), [zL], null);
  }
  return {
    logits: inner.lm_head.forward(zH.slice(1, 1)),
    q: inner.q_head.forward(zH.select(1, 0)),
  };
}

Deno.test("grad() of a segment is the one-step gradient, that of an unrolled segment cut off before", () => {
  using _ = scope();
  const model = smallHrm({ forwardDtype: "float64", posEncodings: "learned" });
  const batch = smallBatch(2);
  const training = { random: new Random(0), step: 0 };
  const { outputs, puzzleRows } = model.step(
    initialCarry(model.initialStates(), batch),
    batch,
    { training },
  );
  const parts = { ...outputs, targetQContinue: null };
  const targets = [...parameters(model), puzzleRows!];
  const got = grad(segmentLoss(parts, batch.labels, "stablemax").loss, targets);

  const { logits, q } = unrolled(model, batch.inputs, puzzleRows!);
  const again = { ...parts, logits, qHalt: q.to("float32").select(1, 0) };
  const want = grad(segmentLoss(again, batch.labels, "stablemax").loss, targets);
  const names = [...namedParameters(model).map(([name]) => name), "puzzle rows"];
  for (const [i, name] of names.entries()) {
    assert(
      name.includes("q_head.bias") || want[i]!.abs().max().item() > 0,
      `${name} has no gradient`,
    );
    assertClose(got[i]!, want[i]!, { rtol: 1e-6, atol: 1e-9 }, name);
  }
});

Deno.test("grad() of a segment does not reach the carry, nor the segments before", () => {
  using _ = scope();
  const model = smallHrm();
  const batch = smallBatch(2);
  const training = { random: new Random(0), step: 0 };
  const first = model.step(initialCarry(model.initialStates(), batch), batch, { training });
  for (const tensor of [...Object.values(first.carry.states), first.carry.halted]) {
    assertEquals(tensor.requiresGrad, false);
  }
});

/** The root mean square of the difference, as a share of that of `want`. */
function distance(got: Tensor, want: Tensor): number {
  const size = (t: Tensor) => t.square().mean().sqrt().item();
  return size(got.to("float64").sub(want.to("float64"))) / size(want.to("float64"));
}

// float32 rounds by 2⁻²⁴, bfloat16 by 2⁻⁹; the 14 blocks of a segment make five times that of it
for (const [forwardDtype, tolerance] of [["float64", 1e-6], ["bfloat16", 0.03]] as const) {
  Deno.test(`Hrm.step() in ${forwardDtype} stays within ${tolerance} of float32`, () => {
    using _ = scope();
    const batch = smallBatch(4);
    const run = (dtype: HrmConfig["forwardDtype"]) => {
      const model = smallHrm({ forwardDtype: dtype });
      const { carry, outputs } = model.step(initialCarry(model.initialStates(), batch), batch);
      return { ...carry.states, ...outputs };
    };
    const got = run(forwardDtype), want = run("float32");
    assertEquals([got.zH.dtype, got.zL.dtype], [forwardDtype, forwardDtype]);
    assertEquals([got.qHalt!.dtype, got.qContinue!.dtype], ["float32", "float32"]);
    for (const name of ["zH", "zL", "logits", "qHalt", "qContinue"] as const) {
      const error = distance(got[name]!, want[name]!);
      assert(error < tolerance, `${name} is ${error} away`);
    }
  });
}
