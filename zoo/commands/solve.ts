/**
 * `deno task solve <weights> [puzzle]`.
 *
 * @module
 */
import { isFile } from "../../core/io/file.ts";
import type { Device } from "../../core/device.ts";
import type { Model } from "../../models/model.ts";
import { parseCommand, UsageError } from "../cli/flags.ts";
import { formatPercent, print, ProgressLine } from "../cli/terminal.ts";
import { evaluate } from "../evaluate.ts";
import { fitPuzzle } from "../fit_puzzle.ts";
import { think } from "../thinking.ts";
import { showAnswer } from "../show.ts";
import { changedCells, type Lesson, type Puzzle, type Task } from "../tasks/task.ts";
import { makeTask } from "../tasks/tasks.ts";
import { loadWeights, type SavedConfig } from "../weights.ts";
import { depthFlag, depthOf } from "./_depth.ts";
import { computeFlags, openLibrary, userPath, weightsPath } from "./_shared.ts";

const declaration = {
  name: "solve",
  summary: "Show the answer to a puzzle after every segment of thought",
  positionals: [
    {
      name: "weights",
      help: "a folder of weights, a run, or a recipe: its newest run, else pretrained weights",
    },
    {
      name: "puzzle",
      optional: true,
      help: "a Sudoku or maze row by row, the name of an ARC task, or a file: of Sudokus, of " +
        "mazes, or an ARC task in JSON; the hardest held-out puzzle if left out",
    },
  ],
  flags: {
    number: {
      type: "integer",
      min: 1,
      help: "which puzzle of a file, or test pair of an ARC task; the first if left out",
    },
    fit: {
      type: "integer",
      min: 1,
      default: 300,
      help: "steps in which to learn an ARC task that the model was not trained on",
    },
    ...depthFlag,
    ...computeFlags,
    json: { type: "boolean", help: "print one JSON object" },
  },
} as const;

/** Thinks about one puzzle, and draws every answer. */
export function solveCommand(args: readonly string[]): Promise<void> {
  const { flags, positionals } = parseCommand(declaration, args);
  const path = weightsPath(positionals.weights);
  openLibrary(flags);
  const { model, saved } = loadWeights(path, flags.device);
  const { seed } = saved.config.run;
  const task = makeTask(saved.config.task);
  const puzzle = positionals.puzzle === undefined
    ? hardest(task.heldOut(seed))
    : refusing(() => givenPuzzle(task, positionals.puzzle!, seed, flags.number));
  const how = { ...depthOf(flags.segments, model), device: flags.device };
  const lesson = refusing(() => task.lesson?.(puzzle, seed) ?? null);
  if (lesson !== null) learn(task, model, lesson, saved, flags);
  const thoughts = think(task, [model], [puzzle], how);
  const answers = thoughts.map(({ answers }) => answers[0]!);
  const changed = answers.map((answer, i) => changedCells(task, answer, answers[i - 1]));
  if (flags.json) {
    const haltLogits = thoughts.map(({ haltLogits }) => haltLogits?.[0] ?? null);
    const judged = answers.map((answer) => task.judge(puzzle, answer));
    console.log(JSON.stringify({
      puzzle: task.format(task.question(puzzle)),
      answers: answers.map((answer) => task.format(answer)),
      changed: changed.map((cells) => [...cells]),
      solved: judged.map(({ cells, valid }) => cells === 0 ? null : valid),
      haltLogits,
    }));
    return Promise.resolve();
  }
  if (task.legend !== undefined) print(`Marks: ${task.legend}\n`);
  const shown = answers.map((answer, i) => {
    const { size } = changed[i]!;
    const change = i === 0 ? "" : `, ${size} cell${size === 1 ? "" : "s"} changed`;
    const drawn = showAnswer(task, puzzle, answer, i === 0 ? undefined : changed[i]);
    return `After ${model.depth.unit} ${i + 1}${change}\n${drawn}`;
  });
  print(shown.join("\n\n"));
  return Promise.resolve();
}

/** The puzzle with the highest rating. */
export function hardest<P extends Puzzle>(puzzles: readonly P[]): P {
  return puzzles.reduce((a, b) => b.rating > a.rating ? b : a);
}

/** Runs `body`; what it cannot use is what the user gave. */
function refusing<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** A puzzle, or what stands in a file. */
function givenPuzzle(task: Task, given: string, seed: number, number: number | undefined): Puzzle {
  const file = userPath(given);
  if (isFile(file)) return task.read(Deno.readTextFileSync(file), seed, { file, number });
  if (/\.(json|txt|csv)$/i.test(given)) throw new UsageError(`Cannot find the file "${file}"`);
  return task.read(given, seed, { number });
}

/** Learns a task that the model was not trained on, and says how well. */
function learn(
  task: Task,
  model: Model,
  { batches, demonstrations }: Lesson,
  { config: { optim, run } }: SavedConfig,
  { fit: steps, device }: { readonly fit: number; readonly device: Device },
): void {
  using progress = new ProgressLine();
  const right = () => {
    const { exact, cells } = evaluate(task, model, demonstrations, { device }).final;
    return `${Math.round(exact * demonstrations.length)} of ${demonstrations.length} ` +
      `demonstrations right, ${formatPercent(cells)} of their cells`;
  };
  progress.log(
    `The model was not trained on this task: learning a puzzle embedding for it, ${steps} steps, ` +
      `all weights frozen\nBefore: ${right()}`,
  );
  refusing(() =>
    fitPuzzle(model, batches, {
      ...{ steps, optim, device, seed: run.seed },
      onStep: (step, { loss }) => progress.update(`step ${step}/${steps}  loss ${loss.toFixed(3)}`),
    })
  );
  progress.finish();
  progress.log(`After: ${right()}\n`);
}
