/**
 * Results as text.
 *
 * @module
 */
import { formatPercent, table, wrap } from "./cli/terminal.ts";
import type { Evaluation } from "./evaluate.ts";
import type { Puzzle, Task } from "./tasks/task.ts";

/** Lines are broken for a terminal alone: a program that reads them wants them whole. */
const WIDTH = Deno.stdout.isTerminal() ? 80 : Number.MAX_SAFE_INTEGER;

/** An evaluation as tables. */
export function showEvaluation(
  { puzzles, unit, final, byUnit, byRating, ratingTitle, meanUnits, qHalt, passAt }: Evaluation,
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
      { key: "rating", title: ratingTitle, align: "right" },
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
    ...passAt.filter(({ k }) => k > 1).map(({ k, exact, wholeGroups }) =>
      `${formatPercent(exact)} among the first ${k} answers` +
      (wholeGroups === undefined ? "" : ` (${formatPercent(wholeGroups)} of whole tasks)`)
    ),
    ...(qHalt === null ? [] : [`halting logit right for ${formatPercent(qHalt)}`]),
  ];
  const words = `${puzzles} held-out puzzles: ${summary.join(", ")}`;
  return [units, ratings, wrap(words, WIDTH)].join("\n\n");
}

/** The plural of a word for a unit of thought. */
export function plural(unit: Evaluation["unit"]): string {
  return unit === "pass" ? "passes" : `${unit}s`;
}

/** A puzzle, and a model's answer beside it; `changed` are the cells to be marked as such. */
export function showAnswer<P extends Puzzle>(
  task: Task<P>,
  puzzle: P,
  answer: Uint8Array,
  changed?: ReadonlySet<number>,
): string {
  const { valid, cells } = task.judge(puzzle, answer);
  const verdict = cells === 0 ? "not judged, no answer is known" : valid ? "solved" : "not solved";
  const asked = task.format(task.question(puzzle));
  const answered = `-> ${task.format(answer)}: ${verdict}`;
  const told = [`${asked} ${answered}`, `${asked}\n${answered}`, verdict].find((text) =>
    text.split("\n").every((line) => line.length <= WIDTH)
  );
  return [task.draw(puzzle, answer, changed), told].join("\n");
}
