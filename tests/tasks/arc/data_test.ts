// The 800 tasks of ARC-AGI-1 and the 160 of ConceptARC, where PONDER_TEST_DATA names their folder.
import { assert, assertEquals } from "@std/assert";
import { Random } from "../../../core/random.ts";
import {
  augmentArcTask,
  drawArcAugmentations,
  invertArcAugmentation,
} from "../../../tasks/arc/augment.ts";
import { cropArcGrid, encodeArcGrid } from "../../../tasks/arc/encode.ts";
import type { ArcTask } from "../../../tasks/arc/grid.ts";
import { formatArcIdentifier, parseArcIdentifier } from "../../../tasks/arc/identifier.ts";
import {
  formatArcChallenges,
  formatArcSolutions,
  formatArcTask,
  parseArcChallenges,
  parseArcTask,
} from "../../../tasks/arc/json.ts";
import { arcTestGroups, arcTrainGroups, planArcPuzzles } from "../../../tasks/arc/puzzles.ts";
import { scoreArc, voteArc } from "../../../tasks/arc/vote.ts";

const data = Deno.env.get("PONDER_TEST_DATA");
const ignore = data === undefined;

/** The tasks of a folder and the folders in it, in the order of their names. */
function readTasks(folder: string): ArcTask[] {
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  return entries.flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return readTasks(path);
    return name.endsWith(".json") ? [parseArcTask(Deno.readTextFileSync(path), path)] : [];
  });
}

const count = (tasks: readonly ArcTask[]): number[] => [
  tasks.length,
  tasks.reduce((sum, { train }) => sum + train.length, 0),
  tasks.reduce((sum, { test }) => sum + test.length, 0),
];

Deno.test({
  name: "parseArcTask() reads all of ARC-AGI-1 and ConceptARC, as many pairs as there are",
  ignore,
  fn: () => {
    assertEquals(count(readTasks(`${data}/arc-1/training`)), [400, 1302, 416]);
    assertEquals(count(readTasks(`${data}/arc-1/evaluation`)), [400, 1363, 419]);
    assertEquals(count(readTasks(`${data}/concept-arc`)), [160, 427, 480]);
  },
});

Deno.test({
  name: "formatArcTask(), formatArcChallenges() and formatArcSolutions() lose nothing of them",
  ignore,
  fn: () => {
    const tasks = ["arc-1", "concept-arc"].flatMap((folder) => readTasks(`${data}/${folder}`))
      .sort((a, b) => a.name < b.name ? -1 : 1);
    for (const task of tasks) {
      assertEquals(parseArcTask(formatArcTask(task), `${task.name}.json`), task);
    }
    const challenges = { text: formatArcChallenges(tasks), file: "challenges.json" };
    const solutions = { text: formatArcSolutions(tasks), file: "solutions.json" };
    assert(JSON.stringify(parseArcChallenges(challenges, solutions)) === JSON.stringify(tasks));
  },
});

Deno.test({
  name: "the augmentations of ARC-AGI-1 are undone, and encoding by cropping",
  ignore,
  fn: () => {
    const random = new Random(1);
    for (const task of readTasks(`${data}/arc-1`)) {
      const text = formatArcTask(task);
      for (const augmentation of drawArcAugmentations(random, task, 3)) {
        const name = formatArcIdentifier(task.name, augmentation, "hrm");
        const inverse = invertArcAugmentation(parseArcIdentifier(name).augmentation);
        const augmented = augmentArcTask(augmentation, task);
        for (const { input, output } of augmented.train) {
          for (const grid of [input, output]) {
            assertEquals(cropArcGrid(encodeArcGrid(grid)), grid);
          }
        }
        assertEquals(formatArcTask(augmentArcTask(inverse, augmented)), text);
      }
    }
  },
});

Deno.test({
  name: "planArcPuzzles() splits ARC-AGI-1 and ConceptARC as the papers do",
  ignore,
  fn: () => {
    const random = new Random(2);
    const plan = planArcPuzzles(random, [
      { name: "training", tasks: readTasks(`${data}/arc-1/training`), evaluated: false },
      { name: "evaluation", tasks: readTasks(`${data}/arc-1/evaluation`), evaluated: true },
      { name: "concept", tasks: readTasks(`${data}/concept-arc`), evaluated: false },
    ], { augmentations: 2 });
    assertEquals(plan.identifiers.length, 1 + 3 * 960);
    const pairs = 1302 + 416 + 1363 + 427 + 480;
    assertEquals(plan.train, { groups: 960, puzzles: 3 * 960, examples: 3 * pairs });
    assertEquals(plan.test, { groups: 400, puzzles: 3 * 400, examples: 3 * 419 });
    let numExamples = 0;
    for (const group of arcTrainGroups(random, plan)) {
      for (const { examples } of group) numExamples += examples.length;
    }
    assertEquals(numExamples, plan.train.examples);
  },
});

Deno.test({
  name: "voteArc() gives the right answers to ARC-AGI-1 where they are predicted",
  ignore,
  fn: () => {
    const tasks = readTasks(`${data}/arc-1/evaluation`);
    const subsets = [{ name: "evaluation", tasks, evaluated: true }];
    const plan = planArcPuzzles(new Random(3), subsets, { augmentations: 2 });
    function* predictions() {
      for (const group of arcTestGroups(plan)) {
        for (const { identifier: id, examples } of group) {
          const identifier = plan.identifiers[id]!;
          for (const { inputs, labels } of examples) {
            yield { identifier, inputs, tokens: labels, qHalt: 1 };
          }
        }
      }
    }
    assertEquals(scoreArc(voteArc(predictions()), tasks, [1]), [
      { k: 1, wholeTasks: 1, withinTasks: 1 },
    ]);
  },
});
