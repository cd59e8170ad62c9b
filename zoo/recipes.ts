/**
 * Every recipe by its name: each model on each task.
 *
 * @module
 */
import type { ModelConfig } from "../models/family.ts";
import { l1r32h4 } from "../models/recurrent.ts";
import type { Preset, Recipe } from "./recipe.ts";
import { claims, unmeasured } from "./recipes/claims.ts";
import { loopedVariants, models, type Sizes } from "./recipes/models.ts";
import { arc, l1r32h4Sudoku, maze, sudoku, type Work } from "./recipes/works.ts";
import type { Task } from "./tasks/task.ts";
import { makeTask } from "./tasks/tasks.ts";

const tasks = { sudoku, maze, arc } as const;
const titles = { sudoku: "Sudoku", maze: "mazes", arc: "ARC" } as const;

type Entry = readonly [preset: string, model: ModelConfig, work: Work];

/** The recipes that `deno task train` knows. */
export const recipes: Readonly<Record<string, Recipe>> = Object.fromEntries(
  (["sudoku", "maze", "arc"] as const).flatMap((task) =>
    Object.entries(models).map(([model, sizes]) => {
      const name = `${model}-${task}`;
      return [
        name,
        recipeOf(name, `${sizes.title} on ${titles[task]}`, entriesOf(name, sizes, task)),
      ];
    })
  ),
);

function recipeOf(name: string, summary: string, entries: readonly Entry[]): Recipe {
  const presets = Object.fromEntries(entries.map(([preset, model, work]): [string, Preset] => {
    const claim = claims[`${name} ${preset}`] ?? unmeasured;
    return [preset, { ...work, model: fittedTo(work.task, model), claim }];
  }));
  return { summary, presets: presets as Recipe["presets"] };
}

function entriesOf(name: string, sizes: Sizes, task: keyof typeof tasks): Entry[] {
  const works = tasks[task];
  return [
    ["tiny", sizes.tiny, works.tiny],
    ["cpu", sizes.cpu, works.cpu],
    ...further(name),
    ...(task === "arc" ? [["all-families", sizes.cpu, arc["all-families"]] as const] : []),
    ["paper", paperModel(sizes.paper, task), paperWork(sizes.paper, task)],
  ];
}

/** Presets that one recipe alone has. */
function further(name: string): Entry[] {
  switch (name) {
    case "hrm-sudoku":
      return [["cpu-9x9", models.hrm.cpu, sudoku["cpu-9x9"]]];
    case "transformer-sudoku":
      return [["cpu-pre-norm", { ...models.transformer.cpu, backbone: "pre-norm" }, sudoku.cpu]];
    case "recurrent-sudoku":
      return [["l1r32h4", l1r32h4, l1r32h4Sudoku]];
    case "looped-sudoku":
      return Object.entries(loopedVariants).map(([preset, model]) => [preset, model, sudoku.cpu]);
    default:
      return [];
  }
}

/** TRM refines four times in a recursion on mazes and ARC, six on Sudoku. */
function paperModel(model: ModelConfig, task: keyof typeof tasks): ModelConfig {
  return model.kind === "trm" && task !== "sudoku" ? { ...model, lCycles: 4 } : model;
}

/** TRM averages its weights, and trains longer. */
function paperWork({ kind }: ModelConfig, task: keyof typeof tasks): Work {
  const { paper } = tasks[task];
  if (kind !== "trm") return paper;
  return {
    ...paper,
    optim: { ...paper.optim, ema: 0.999 },
    run: { ...paper.run, steps: task === "arc" ? paper.run.steps : 65_104 },
  };
}

/** A model with as many tokens and identifiers as the puzzles have. */
export function fittedTo<C extends ModelConfig>(task: Preset["task"], model: C): C {
  return sizedFor(makeTask(task), model);
}

/** The same for a task that is made already. */
export function sizedFor<C extends ModelConfig>(
  { seqLen, vocabSize, numPuzzleIdentifiers }: Task,
  model: C,
): C {
  return { ...model, seqLen, vocabSize, numPuzzleIdentifiers };
}
