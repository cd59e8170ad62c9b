// What `deno task bench` can time, by name: the training step of every model at the size of
// its recipe for minutes on a CPU, HRM and TRM at larger sizes, too, thinking at the paper's
// size, the start of a process, and one operation.
import type { Device } from "../core/device.ts";
import { unknownName } from "../zoo/cli/flags.ts";
import type { ModelConfig } from "../models/family.ts";
import { hrmPaper } from "../models/hrm.ts";
import { trmMlpPaper, trmPaper } from "../models/trm.ts";
import { recipes } from "../zoo/recipes.ts";
import { partNames } from "./parts.ts";

/** A training step, or thinking. */
export interface StepWork {
  /** Of this model. */
  readonly model: ModelConfig;
  /** On this many puzzles. */
  readonly batch: number;
  /** Segments of thinking that are timed in place of a training step. */
  readonly segments?: number;
  /** Where it is computed; the CPU if left out. */
  readonly device?: Device;
}

/** Models of which there is a recipe `<name>-sudoku` and a PyTorch twin in tests/golden. */
const family = "hrm l-only trm trm-mlp actv2 transformer recurrent looped".split(" ");

/** The recipes' own measures, so that what is timed is what is trained. */
const cpu = family.map((name): [string, StepWork] => {
  const { model, run } = recipes[`${name}-sudoku`]!.presets.cpu;
  return [`${name}-cpu-${model.forwardDtype}`, { model, batch: run.batchSize }];
});

const features = (hiddenSize: number) => ({ hiddenSize, puzzleEmbNdim: hiddenSize, numHeads: 4 });
const tiny = features(128), small = features(256);

/** For boards of 9×9; each is timed in float32 and in bfloat16. */
const larger: Readonly<Record<string, StepWork>> = {
  "hrm-tiny": { model: { ...hrmPaper, ...tiny, hLayers: 2, lLayers: 2 }, batch: 32 },
  "hrm-small": { model: { ...hrmPaper, ...small }, batch: 32 },
  "hrm-paper": { model: hrmPaper, batch: 16 },
  "trm-tiny": { model: { ...trmPaper, ...tiny }, batch: 32 },
  "trm-small": { model: { ...trmPaper, ...small }, batch: 32 },
  "trm-paper": { model: trmPaper, batch: 16 },
  "trm-mlp-tiny": { model: { ...trmMlpPaper, ...tiny }, batch: 32 },
  "trm-mlp-small": { model: { ...trmMlpPaper, ...small }, batch: 32 },
  "trm-mlp-paper": { model: trmMlpPaper, batch: 16 },
  "think-hrm-paper-1": { model: hrmPaper, batch: 1, segments: 16 },
  "think-hrm-paper-16": { model: hrmPaper, batch: 16, segments: 16 },
};

/** The steps. */
export const steps: Readonly<Record<string, StepWork>> = Object.fromEntries([
  ...cpu,
  ...Object.entries(larger).flatMap(([name, work]) => inBothDtypes(name, work)),
]);

function inBothDtypes(name: string, work: StepWork): [string, StepWork][] {
  return (["float32", "bfloat16"] as const).map((forwardDtype) => [
    `${name}-${forwardDtype}`,
    { ...work, model: { ...work.model, forwardDtype } },
  ]);
}

/** The step that ends what `start` times. */
export const firstStep: StepWork = steps["hrm-cpu-float32"]!;

/**
 * All works: the steps, a process from its start through one of them, one 8×8 multiply, and
 * the parts that JavaScript's frameworks can make, too.
 */
export const works: readonly string[] = [...Object.keys(steps), "start", "mul8", ...partNames];

/**
 * The works that are named, or begin with one of the words: `hrm`, `trm-mlp`, `hrm-small`.
 * Without a word all but the papers' own sizes, which take long; those, too, if `all`.
 *
 * @throws {UsageError} when a word fits none
 */
export function chooseWorks(words: readonly string[], all: boolean): readonly string[] {
  if (words.length === 0) return works.filter((work) => all || !work.includes("-paper-"));
  const fits = (word: string) => (work: string) => `${work}-`.startsWith(`${word}-`);
  for (const word of words) {
    if (!works.some(fits(word))) throw unknownName("work", word, works);
  }
  return works.filter((work) => words.some((word) => fits(word)(work)));
}
