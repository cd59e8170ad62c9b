/**
 * E14 and E15: the answers on the way to the last.
 *
 * @module
 */
import type { TopLevelSpec } from "../../chart.ts";
import type { Puzzle } from "../../tasks/task.ts";
import { think } from "../../thinking.ts";
import { lineChart } from "../charts.ts";
import { type Experiment, type Row, verdictOf } from "../experiment.ts";
import type { Lab, Trained } from "../lab.ts";
import { listed, percent } from "../text.ts";

/** E14: one puzzle, segment by segment. */
export const intermediateAnswers: Experiment = {
  title: "Intermediate answers",
  claim: "HRM writes no reasoning down: it answers the whole puzzle after every segment, and " +
    "refines that answer until it is right (Wang et al. 2025, arXiv:2506.21734, figure 7)",
  run: async (lab) => {
    const trained = await lab.known("hrm");
    const puzzle = slowest(lab, trained);
    const { task } = trained;
    const answers = think(task, [trained.model], [puzzle], { device: lab.device })
      .map(({ answers }) => answers[0]!);
    const question = task.question(puzzle);
    const side = Math.round(Math.sqrt(question.length));
    const judgements = answers.map((answer) => task.judge(puzzle, answer));
    const rows = answers.flatMap((answer, i) =>
      [...answer].map((digit, cell): Row => ({
        segment: i + 1,
        row: Math.floor(cell / side),
        column: cell % side,
        digit,
        cell: question[cell] !== 0
          ? "given"
          : i > 0 && digit !== answers[i - 1]![cell]
          ? "changed"
          : "kept",
      }))
    );
    const right = judgements.map(({ blanks, blanksRight }) => blanksRight / blanks);
    const solvedAt = judgements.findIndex(({ exact }) => exact) + 1;
    return {
      rows,
      chart: boards(rows, side),
      measured:
        `Of a held-out puzzle's blank cells, ${
          listed(right.map((share) => percent(share)))
        } are right after segments 1 to ${right.length}` +
        (solvedAt > 0 ? `; it is solved after segment ${solvedAt}.` : "; it is not solved."),
      verdict: verdictOf(solvedAt > 1, right.at(-1)! > right[0]!),
    };
  },
};

/** The held-out puzzle, of those solved in the end, that takes the most segments. */
function slowest(lab: Lab, { model, task, puzzles }: Trained): Puzzle {
  const some = puzzles.slice(0, 200);
  const thoughts = think(task, [model], some, { device: lab.device });
  const solvedAt = some.map((puzzle, i) =>
    thoughts.findIndex(({ answers }) => task.judge(puzzle, answers[i]!).exact)
  );
  return some[solvedAt.indexOf(Math.max(...solvedAt))]!;
}

/** Boards side by side. */
function boards(rows: readonly Row[], side: number): TopLevelSpec {
  const place = {
    x: { field: "column", type: "ordinal" as const, axis: null },
    y: { field: "row", type: "ordinal" as const, axis: null },
  };
  return {
    title: "What HRM answers after each segment",
    data: { values: [...rows] },
    facet: {
      field: "segment",
      type: "ordinal",
      title: null,
      header: { labelExpr: "'segment ' + datum.value" },
    },
    columns: 4,
    spec: {
      width: side * 22,
      height: side * 22,
      layer: [
        {
          mark: { type: "rect", stroke: "white" },
          encoding: {
            ...place,
            color: {
              field: "cell",
              type: "nominal",
              title: "cell",
              scale: {
                domain: ["given", "kept", "changed"],
                range: ["#d9d9d9", "#cfe3f7", "#fdbe85"],
              },
            },
          },
        },
        { mark: { type: "text", fontSize: 13 }, encoding: { ...place, text: { field: "digit" } } },
      ],
    },
  };
}

/** E15: cells that become right, and cells that become wrong. */
export const selfCorrection: Experiment = {
  title: "Self-correction",
  claim:
    "A chain of thought carries an early error on to its end; a model that answers anew after " +
    "every segment can take errors back (the article's argument; no numbers)",
  run: async (lab) => {
    const rows: Row[] = [];
    const mended: number[] = [], spoilt: number[] = [];
    const names = ["hrm", "trm"] as const;
    for (const name of names) {
      const trained = await lab.known(name);
      const counts = corrections(lab, trained);
      counts.forEach(({ toRight, toWrong }, i) =>
        rows.push(
          { panel: name, segment: i + 2, cells: "wrong to right", share: toRight },
          { panel: name, segment: i + 2, cells: "right to wrong", share: toWrong },
        )
      );
      mended.push(counts.reduce((sum, { toRight }) => sum + toRight, 0));
      spoilt.push(counts.reduce((sum, { toWrong }) => sum + toWrong, 0));
    }
    return {
      rows,
      chart: lineChart({
        title: "Blank cells that a segment changes from wrong to right, and back",
        rows,
        x: { field: "segment", title: "segment" },
        y: { field: "share", title: "of all blank cells", format: ".1%" },
        series: { field: "cells", title: "" },
        panels: "panel",
      }),
      measured: "Of the blank cells, the segments after the first " +
        listed(
          names.map((name, i) =>
            `mend ${percent(mended[i]!)} and spoil ${percent(spoilt[i]!)} in ${name}`
          ),
        ) + ".",
      verdict: verdictOf(...mended.map((share, i) => share > 2 * spoilt[i]!)),
    };
  },
};

/** For each segment after the first, the shares of blank cells that become right and wrong. */
function corrections(
  lab: Lab,
  { model, task, puzzles }: Trained,
): { readonly toRight: number; readonly toWrong: number }[] {
  const thoughts = think(task, [model], puzzles, { device: lab.device });
  const solution = puzzles.map((puzzle) => (puzzle as Puzzle & { solution: Uint8Array }).solution);
  return thoughts.slice(1).map(({ answers }, i) => {
    let blanks = 0, toRight = 0, toWrong = 0;
    puzzles.forEach((puzzle, p) => {
      task.question(puzzle).forEach((given, cell) => {
        if (given !== 0) return;
        blanks++;
        const want = solution[p]![cell];
        const was = thoughts[i]!.answers[p]![cell] === want;
        const is = answers[p]![cell] === want;
        if (is && !was) toRight++;
        if (was && !is) toWrong++;
      });
    });
    return { toRight: toRight / blanks, toWrong: toWrong / blanks };
  });
}
