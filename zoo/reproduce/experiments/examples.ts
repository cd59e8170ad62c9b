/**
 * E12 and E13: how few examples do, and the published bars.
 *
 * @module
 */
import { countParameters } from "../../../core/nn/module.ts";
import { formatCount } from "../../cli/terminal.ts";
import { pretrainedIndex } from "../../pretrained.ts";
import { benchmarks, published } from "../../published.ts";
import { barChart, exactAxis, lineChart } from "../charts.ts";
import { type Experiment, type Row, shareFields, verdictOf } from "../experiment.ts";
import type { Evaluated } from "../lab.ts";
import { clearlyAbove, interval, percent } from "../text.ts";

/** E12: trained on few puzzles, with and without rearrangements of them. */
export const fewExamples: Experiment = {
  title: "A thousand examples",
  claim: "Trained on 1,000 puzzles and rearrangements of them, without pretraining, HRM of 27 " +
    "million parameters solves 55.0 % of Sudoku-Extreme (Wang et al. 2025, arXiv:2506.21734, " +
    "figure 1)",
  run: async (lab) => {
    const { task: { trainPuzzles: most }, run: { batchSize } } = lab.preset("hrm");
    const counts = [Math.max(batchSize, most / 20), most / 2];
    const rows: Row[] = [];
    const reached: Evaluated[] = [];
    let parameters = 0;
    for (const augment of [true, false]) {
      for (const trainPuzzles of counts) {
        const trained = await lab.train("hrm", { task: { trainPuzzles, augment } });
        const evaluated = lab.evaluate(trained);
        parameters = countParameters(trained[0]!.model);
        const how = augment ? "rearranged each time" : "as they are";
        rows.push({ how, puzzles: trainPuzzles, parameters, ...shareFields(evaluated.exact) });
        reached.push(evaluated);
      }
    }
    const [, many, , manyFixed] = reached.map(({ exact }) => exact);
    return {
      rows,
      chart: lineChart({
        title: "HRM, trained on few puzzles",
        rows,
        x: { field: "puzzles", title: "puzzles to train on", scale: "log" },
        y: exactAxis,
        series: { field: "how", title: "puzzles" },
      }),
      measured:
        `From ${counts[1]} puzzles and no pretraining, HRM of ${
          formatCount(parameters)
        } parameters ` +
        `solves ${interval(many!)} of held-out ones with rearrangements, and ${
          interval(manyFixed!)
        } without.`,
      verdict: verdictOf(many!.mean > 0.5, clearlyAbove(many!, manyFixed!)),
    };
  },
};

/** E13: the published figures, and ours beside them. */
export const publishedBars: Experiment = {
  title: "The published bars",
  claim:
    "HRM solves 55.0 % of Sudoku-Extreme and 74.5 % of Maze-Hard, where large language models " +
    "solve none, and 40.3 % of ARC-AGI-1, more than o3-mini-high's 34.5 % (Wang et al. 2025, " +
    "arXiv:2506.21734, figure 1)",
  run: () => {
    const figures: Row[] = published.map(({ name, kind, benchmark, exact, source }) => ({
      name,
      kind: kind === "llm" ? "language model" : "trained on the puzzles",
      group: benchmarks[benchmark].title,
      exact,
      source,
    }));
    const ours: Row[] = Object.entries(pretrainedIndex().entries).map(([name, entry]) => ({
      name,
      kind: "ours",
      group: `Ours: ${entry.data.split(",")[0]}`,
      exact: entry.metrics.exact,
      source: `pretrained weights, ${entry.metrics.puzzles} held-out puzzles`,
    }));
    const best = (recipe: string) =>
      ours.find(({ name }) => name === recipe)?.["exact"] as number | undefined;
    const [hrm, plain] = [best("hrm-sudoku"), best("transformer-sudoku")];
    return Promise.resolve({
      rows: [...figures, ...ours],
      chart: barChart({
        title: "Published figures, and ours on puzzles of our own",
        rows: [...figures, ...ours],
        category: "name",
        group: "group",
      }),
      measured: "The published figures are shown as their sources give them, and not run again " +
        `here. On our own smaller puzzles, ${percent(hrm ?? 0)} for hrm-sudoku and ${
          percent(plain ?? 0)
        } for the plain transformer of the same size: other puzzles, so that no bar of ours may ` +
        "be compared with theirs.",
      verdict: "not tested here",
    });
  },
};
