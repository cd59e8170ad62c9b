/**
 * `deno task solve <weights> [puzzle]`.
 *
 * @module
 */
import { parseCommand, UsageError } from "../cli/flags.ts";
import { think } from "../thinking.ts";
import { showAnswer } from "../show.ts";
import type { Puzzle, Task } from "../tasks/task.ts";
import { makeTask } from "../tasks/tasks.ts";
import { loadWeights } from "../weights.ts";
import { depthFlag, depthOf } from "./_depth.ts";
import { computeFlags, openLibrary, weightsPath } from "./_shared.ts";

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
      help: "a Sudoku or maze row by row, or the name of an ARC task; the hardest one if left out",
    },
  ],
  flags: {
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
  const { run } = saved.config;
  const task = makeTask(saved.config.task);
  const puzzle = positionals.puzzle === undefined
    ? hardest(task.heldOut(run.seed))
    : givenPuzzle(task, positionals.puzzle, run.seed);
  const how = { ...depthOf(flags.segments, model), device: flags.device };
  const thoughts = think(task, [model], [puzzle], how);
  const answers = thoughts.map(({ answers }) => answers[0]!);
  if (flags.json) {
    const haltLogits = thoughts.map(({ haltLogits }) => haltLogits?.[0] ?? null);
    const texts = answers.map((answer) => task.format(answer));
    console.log(
      JSON.stringify({ puzzle: task.format(task.question(puzzle)), answers: texts, haltLogits }),
    );
    return Promise.resolve();
  }
  answers.forEach((answer, i) => {
    const changed = i === 0
      ? 0
      : answer.filter((digit, cell) => digit !== answers[i - 1]![cell]).length;
    const change = i === 0 ? "" : `, ${changed} cell${changed === 1 ? "" : "s"} changed`;
    console.log(
      `After ${model.depth.unit} ${i + 1}${change}\n${showAnswer(task, puzzle, answer)}\n`,
    );
  });
  return Promise.resolve();
}

/** The puzzle with the highest rating. */
export function hardest<P extends Puzzle>(puzzles: readonly P[]): P {
  return puzzles.reduce((a, b) => b.rating > a.rating ? b : a);
}

function givenPuzzle(task: Task, text: string, seed: number): Puzzle {
  try {
    return task.read(text, seed);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
