// deno run -A bench/memory.ts
//
// Prints what a training step holds once it has thought and before it goes back: the
// tape's activations, by how deep the model thinks. The one-step gradient holds the same
// however deep; backpropagation through time holds more with every recurrence.
import { Random } from "../core/random.ts";
import { scope } from "../core/scope.ts";
import { liveBytes } from "../ffi/mod.ts";
import { makeModel, type ModelConfig } from "../models/family.ts";
import { batchOf } from "../models/model.ts";
import { table } from "../zoo/cli/terminal.ts";
import { recipes } from "../zoo/recipes.ts";

const BATCH = 32;
const depths = [1, 2, 4, 8, 16] as const;

/** The model of a recipe's cpu preset. */
function cpu<K extends ModelConfig["kind"]>(kind: K): Extract<ModelConfig, { kind: K }> {
  return recipes[`${kind}-sudoku`]!.presets.cpu.model as Extract<ModelConfig, { kind: K }>;
}

/** Schemes of gradients, each at a depth. */
const schemes: Readonly<Record<string, (depth: number) => ModelConfig>> = {
  "hrm: one-step gradient, N = T = depth": (depth) => ({
    ...cpu("hrm"),
    hCycles: depth,
    lCycles: depth,
  }),
  "l-only: one-step gradient, depth cycles": (cycles) => ({ ...cpu("l-only"), cycles }),
  "trm: last recursion whole, T = depth": (hCycles) => ({ ...cpu("trm"), hCycles }),
  "trm: last recursion whole, n = depth": (lCycles) => ({ ...cpu("trm"), lCycles }),
  "recurrent: through time, R = depth": (recurrences) => ({
    ...cpu("recurrent"),
    recurrences,
    gradientSteps: recurrences,
    lossAt: "last",
  }),
  "recurrent: one-step gradient, R = depth": (recurrences) => ({
    ...cpu("recurrent"),
    recurrences,
    gradientSteps: 1,
    lossAt: "last",
  }),
  "looped: window of 1, b = depth": (loops) => ({
    ...cpu("looped"),
    loops,
    loopsStart: loops,
    window: 1,
  }),
};

/** Bytes that a step holds before it goes back, its weights, its carry and its batch left out. */
function heldBytes(config: ModelConfig): number {
  using _ = scope();
  const random = new Random(1);
  const model = makeModel(config, { random });
  const tokens = () =>
    Int32Array.from({ length: BATCH * config.seqLen }, () => random.below(config.vocabSize));
  const batch = batchOf(
    { inputs: tokens(), labels: tokens(), puzzleIdentifiers: new Int32Array(BATCH) },
    config.seqLen,
  );
  const carry = model.initialCarry(batch);
  const before = liveBytes();
  model.step(carry, batch, { training: { random, step: 2 ** 30 } });
  return liveBytes() - before;
}

const rows = Object.entries(schemes).map(([scheme, configAt]) => ({
  scheme,
  ...Object.fromEntries(
    depths.map((depth) => [`${depth}`, (heldBytes(configAt(depth)) / 2 ** 20).toFixed(1)]),
  ),
}));
console.log(`MiB held before going back, batch ${BATCH}, by depth`);
console.log(table(rows, [
  { key: "scheme", title: "" },
  ...depths.map((depth) => ({ key: `${depth}`, align: "right" as const })),
]));
