/**
 * `deno task solve <weights> [puzzle]`.
 *
 * @module
 */
import { type Board, parseBoard, solve, type SudokuPuzzle } from "../../tasks/mod.ts";
import { parseCommand, UsageError } from "../cli/flags.ts";
import { think } from "../thinking.ts";
import { showAnswer } from "../show.ts";
import { heldOutPuzzles } from "../sudoku_data.ts";
import { loadWeights } from "../weights.ts";
import { depthFlag, depthOf } from "./_depth.ts";
import { computeFlags, openLibrary, weightsPath } from "./_shared.ts";

const declaration = {
  name: "solve",
  summary: "Show the answer to a puzzle after every segment of thought",
  positionals: [
    { name: "weights", help: "a folder of weights, a run, or a recipe for its newest run" },
    {
      name: "puzzle",
      optional: true,
      help: "its cells row by row, . or 0 for a blank; the hardest held-out one if left out",
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
  const { task, run } = saved.config;
  const puzzle = positionals.puzzle === undefined
    ? hardest(heldOutPuzzles(task, run.seed))
    : givenPuzzle(positionals.puzzle, saved.config.model.seqLen);
  const depth = depthOf(flags.segments, model);
  const thoughts = think([model], [puzzle], { ...depth, device: flags.device });
  const answers = thoughts.map(({ answers }) => answers[0]!);
  if (flags.json) {
    const texts = answers.map((answer) => [...answer].join(""));
    const haltLogits = thoughts.map(({ haltLogits }) => haltLogits?.[0] ?? null);
    console.log(
      JSON.stringify({ puzzle: [...puzzle.puzzle].join(""), answers: texts, haltLogits }),
    );
    return Promise.resolve();
  }
  answers.forEach((answer, i) => {
    const changed = i === 0
      ? 0
      : answer.filter((digit, cell) => digit !== answers[i - 1]![cell]).length;
    const change = i === 0 ? "" : `, ${changed} cell${changed === 1 ? "" : "s"} changed`;
    console.log(`After ${model.depth.unit} ${i + 1}${change}\n${showAnswer(puzzle, answer)}\n`);
  });
  return Promise.resolve();
}

function hardest(puzzles: readonly SudokuPuzzle[]): SudokuPuzzle {
  return puzzles.reduce((a, b) => b.rating > a.rating ? b : a);
}

function givenPuzzle(text: string, cells: number): SudokuPuzzle {
  const puzzle = readBoard(text);
  if (puzzle.length !== cells) {
    throw new UsageError(
      `Cannot solve ${puzzle.length} cells: these weights know boards of ${cells}`,
    );
  }
  const { solutions, solution, backtracks } = solve(puzzle);
  if (solution === undefined || solutions !== 1) {
    throw new UsageError(
      `Cannot judge the answer: the puzzle has ${
        solutions === 0 ? "no" : "more than one"
      } solution`,
    );
  }
  return { puzzle, solution, rating: backtracks };
}

function readBoard(text: string): Board {
  try {
    return parseBoard(text);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
