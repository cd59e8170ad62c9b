/**
 * ARC tasks as a data set: a group for each task, in it the task and its
 * augmentations, each a puzzle with an identifier of its own. Demonstrations of all
 * tasks are trained on, test pairs of those that are not evaluated as well.
 *
 * Source: SamsungSAILMontreal/TinyRecursiveModels@e7b6871 dataset/build_arc_dataset.py.
 *
 * @module
 */
import { Random } from "../../core/random.ts";
import {
  arcMaxSize,
  type ArcPuzzlePlan,
  arcSeqLen,
  type ArcSplitSize,
  type ArcSubset,
  type ArcTask,
  arcTestGroups,
  arcTrainGroups,
  arcVocabSize,
  formatArcTask,
  parseArcTask,
  planArcPuzzles,
} from "../../tasks/mod.ts";
import type { TaskFiles } from "./files.ts";
import { breathing, type BuildInfo, type BuildWatch, type DatasetPlan } from "./write.ts";

// Random streams of one seed; 0 to 4 are those of generated.ts, sudoku.ts and split.ts.
const AUGMENT_STREAM = 5, OFFSET_STREAM = 6;

/** How a data set of tasks is made. */
export interface ArcPlanOptions {
  /** Rows and columns of the canvas; 30 unless given. */
  readonly size?: number;
  /** Augmentations to try for of each task. */
  readonly aug: number;
  /** Where random numbers start. */
  readonly seed: number;
  /** What `build.json` says. */
  readonly info: Pick<BuildInfo, "name" | "source" | "licence" | "options">;
}

/**
 * The data set of these tasks. `test_puzzles.json` has those that are evaluated, by
 * name, with all outputs.
 */
export async function arcPlan(
  subsets: readonly ArcSubset[],
  { size = arcMaxSize, aug, seed, info }: ArcPlanOptions,
  watch: BuildWatch = {},
): Promise<DatasetPlan> {
  const plan = await planTasks(new Random(seed, AUGMENT_STREAM), subsets, size, aug, watch);
  const { identifiers, train, test } = plan;
  const bytes = 2 * arcSeqLen(size) * (train.examples + test.examples);
  watch.report?.(
    `${plan.tasks.length} tasks in ${identifiers.length - 1} arrangements: ${train.examples} ` +
      `examples to train on, ${test.examples} to test on, ${Math.ceil(bytes / 1e6)} MB`,
  );
  const evaluated = subsets.filter((subset) => subset.evaluated).flatMap(({ tasks }) => tasks);
  return {
    spec: { vocabSize: arcVocabSize, seqLen: arcSeqLen(size), identifiers },
    train: {
      groups: arcTrainGroups(new Random(seed, OFFSET_STREAM), plan),
      total: train.groups,
    },
    test: { groups: arcTestGroups(plan), total: test.groups },
    info: () => ({ ...info, ratings: null }),
    files: { "test_puzzles.json": tasksByName(evaluated) },
  };
}

/** What `planArcPuzzles()` plans, one task after the other, so that there is time between them. */
async function planTasks(
  random: Random,
  subsets: readonly ArcSubset[],
  size: number,
  augmentations: number,
  watch: BuildWatch,
): Promise<ArcPuzzlePlan> {
  const { tasks } = planArcPuzzles(random, subsets, { augmentations: 0, size }); // checks all
  const breathe = breathing(watch.signal);
  const plans: ArcPuzzlePlan[] = [];
  for (const { task, evaluated } of tasks) {
    const subset = { name: task.name, tasks: [task], evaluated };
    plans.push(planArcPuzzles(random, [subset], { augmentations, size }));
    if (await breathe()) watch.onProgress?.(`Augmenting task ${plans.length} of ${tasks.length}`);
  }
  return joined(plans, size);
}

/** Plans one after the other as one. */
function joined(plans: readonly ArcPuzzlePlan[], size: number): ArcPuzzlePlan {
  const identifiers = ["<blank>"];
  const tasks = plans.flatMap((plan) => {
    const shift = identifiers.length - 1;
    for (const name of plan.identifiers.slice(1)) identifiers.push(name);
    return plan.tasks.map((task) => ({ ...task, firstIdentifier: task.firstIdentifier + shift }));
  });
  const sum = (split: "train" | "test"): ArcSplitSize => {
    const total = { groups: 0, puzzles: 0, examples: 0 };
    for (const { [split]: { groups, puzzles, examples } } of plans) {
      total.groups += groups;
      total.puzzles += puzzles;
      total.examples += examples;
    }
    return total;
  };
  return { size, tasks, identifiers, train: sum("train"), test: sum("test") };
}

/** Tasks as the official builder writes them beside the data set: with the outputs to be found. */
function tasksByName(tasks: readonly ArcTask[]): string {
  const lines = tasks.map((task) => `${JSON.stringify(task.name)}: ${formatArcTask(task)}`);
  return lines.length === 0 ? "{}\n" : `{\n${lines.join(",\n")}\n}\n`;
}

/** The tasks of files; `folder` is what the errors say before their paths. */
export function parseTasks(files: TaskFiles, folder: string, subset?: string): ArcTask[] {
  const decoder = new TextDecoder();
  return [...files].filter(([path]) => subset === undefined || path.startsWith(`${subset}/`))
    .map(([path, bytes]) => parseArcTask(decoder.decode(bytes), `${folder}/${path}`));
}
