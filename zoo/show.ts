/**
 * Results as text.
 *
 * @module
 */
import { drawBoard, formatBoard, isValidSolution, type SudokuPuzzle } from "../tasks/mod.ts";
import { colours, formatPercent, table } from "./cli/terminal.ts";
import type { Evaluation } from "./evaluate.ts";

/** An evaluation as tables. */
export function showEvaluation(
  { puzzles, unit, final, byUnit, byRating, meanUnits, qHalt }: Evaluation,
): string {
  const scores = ({ exact, blanks, cells, valid }: Evaluation["final"]) => ({
    exact: formatPercent(exact),
    blanks: formatPercent(blanks),
    cells: formatPercent(cells),
    valid: formatPercent(valid),
  });
  const units = table(
    byUnit.map((row, i) => ({ unit: i + 1, ...scores(row) })),
    [
      { key: "unit", title: plural(unit), align: "right" },
      { key: "exact", title: "exact", align: "right" },
      { key: "blanks", title: "blank cells", align: "right" },
      { key: "cells", title: "all cells", align: "right" },
      { key: "valid", title: "valid", align: "right" },
    ],
  );
  const ratings = table(
    byRating.map(({ rating, puzzles, exact }) => ({
      rating,
      puzzles,
      exact: formatPercent(exact),
    })),
    [
      { key: "rating", title: "backtracks", align: "right" },
      { key: "puzzles", title: "puzzles", align: "right" },
      { key: "exact", title: "exact", align: "right" },
    ],
  );
  const summary = [
    `${formatPercent(final.exact)} exact`,
    ...(byUnit.length > 1 ? [`${formatPercent(byUnit[0]!.exact)} after one ${unit}`] : []),
    ...(meanUnits < byUnit.length
      ? [`${meanUnits.toFixed(1)} ${plural(unit)} a puzzle in the mean`]
      : []),
    ...(qHalt === null ? [] : [`halting logit right for ${formatPercent(qHalt)}`]),
  ];
  return `${units}\n\n${ratings}\n\n${puzzles} held-out puzzles: ${summary.join(", ")}`;
}

/** The plural of a word for a unit of thought. */
export function plural(unit: Evaluation["unit"]): string {
  return unit === "pass" ? "passes" : `${unit}s`;
}

/** A puzzle, and a model's answer beside it: right cells green, wrong ones red and marked by `!`. */
export function showAnswer(puzzle: SudokuPuzzle, answer: Uint8Array): string {
  const drawn = drawBoard(answer, {
    clues: puzzle.puzzle,
    paint: (text, filled, cell) => {
      if (!filled) return colours.bold(text);
      return answer[cell] === puzzle.solution[cell]
        ? colours.green(text)
        : colours.red(text.slice(0, -1) + "!");
    },
  });
  const verdict = isValidSolution(puzzle.puzzle, answer) ? "solved" : "not solved";
  const left = drawBoard(puzzle.puzzle).split("\n"), right = drawn.split("\n");
  const sides = left.map((line, i) => `${line}   ${right[i]}`).join("\n");
  return `${sides}\n${formatBoard(puzzle.puzzle)} -> ${formatBoard(answer)}: ${verdict}`;
}
