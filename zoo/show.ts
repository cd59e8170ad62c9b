/**
 * Results as text.
 *
 * @module
 */
import { drawBoard, formatBoard, isValidSolution, type SudokuPuzzle } from "../tasks/mod.ts";
import { colours, formatPercent, table } from "./cli/terminal.ts";
import type { Evaluation } from "./evaluate.ts";

/** An evaluation as tables. */
export function showEvaluation({ puzzles, final, bySegment, byRating, qHalt }: Evaluation): string {
  const scores = ({ exact, blanks, cells, valid }: Evaluation["final"]) => ({
    exact: formatPercent(exact),
    blanks: formatPercent(blanks),
    cells: formatPercent(cells),
    valid: formatPercent(valid),
  });
  const segments = table(
    bySegment.map((row, i) => ({ segment: i + 1, ...scores(row) })),
    [
      { key: "segment", title: "segments", align: "right" },
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
  return `${segments}\n\n${ratings}\n\n` +
    `${puzzles} held-out puzzles: ${formatPercent(final.exact)} exact, ` +
    `${formatPercent(bySegment[0]!.exact)} after one segment; ` +
    `halting logit right for ${formatPercent(qHalt)}`;
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
