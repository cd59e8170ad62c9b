/**
 * E8 to E11: deep supervision, and the head that says when to halt.
 *
 * @module
 */
import { HaltingModel, haltOnly } from "../../../models/halting.ts";
import { type HrmConfig, HrmInner } from "../../../models/hrm.ts";
import { meanOf } from "../../compare/statistics.ts";
import { exactAxis, lineChart } from "../charts.ts";
import { type Experiment, type Row, shareFields, verdictOf } from "../experiment.ts";
import type { Evaluated, Lab, Trained } from "../lab.ts";
import { clearlyAbove, interval, listed, percent } from "../text.ts";

/** Segments in training. */
const segments = [1, 2, 4, 8] as const;

/** E8: more segments in training. */
export const deepSupervision: Experiment = {
  title: "Deep supervision",
  claim: "On ARC-1, two segments in place of one bring 13 points, eight about double the score, " +
    "and a model trained with 16 and asked after one is still 15 points above one trained with " +
    "one (ARC Prize 2025, arcprize.org/blog/hrm-analysis)",
  run: async (lab) => {
    const whole: Evaluated[] = [], first: Evaluated[] = [];
    for (const M of segments) {
      const trained = await withSegments(lab, M);
      whole.push(lab.evaluate(trained));
      first.push(lab.evaluate(trained, { units: 1 }));
    }
    const rows = segments.flatMap((M, i) => [
      { segments: M, asked: "after all of them", ...shareFields(whole[i]!.exact) },
      { segments: M, asked: "after the first", ...shareFields(first[i]!.exact) },
    ]);
    const [one, two] = [whole[0]!.exact, whole[1]!.exact];
    const last = whole.at(-1)!.exact, lastFirst = first.at(-1)!.exact;
    return {
      rows,
      chart: lineChart({
        title: "HRM, trained with more segments",
        rows,
        x: { field: "segments", title: "segments in training", scale: "log" },
        y: exactAxis,
        series: { field: "asked", title: "asked" },
      }),
      measured: `HRM trained with 1, 2, 4 and 8 segments solves ${
        listed(whole.map(({ exact }) => percent(exact.mean)))
      }; trained with eight and asked after the first, ${interval(lastFirst)}.`,
      verdict: verdictOf(
        clearlyAbove(two, one),
        last.mean >= 2 * one.mean,
        clearlyAbove(lastFirst, one),
      ),
    };
  },
};

/** E9: halting where the head says so. */
export const adaptiveHalting: Experiment = {
  title: "Adaptive thinking time",
  claim: "Halting by its head, HRM takes far fewer segments than its limit M, hardly more for a " +
    "larger M, and solves about as much as with all M (Wang et al. 2025, arXiv:2506.21734, " +
    "figure 5)",
  run: async (lab) => {
    const rows: Row[] = [];
    const taken: number[] = [], losses: number[] = [];
    for (const M of segments.slice(1)) {
      const trained = await withSegments(lab, M);
      const all = lab.evaluate(trained), halted = lab.evaluate(trained, { halt: true });
      const mean = meanOf(halted.evaluations.map(({ meanUnits }) => meanUnits));
      taken.push(mean);
      losses.push(all.exact.mean - halted.exact.mean);
      rows.push(
        { M, how: "all segments", segments: M, ...shareFields(all.exact) },
        { M, how: "halting", segments: mean, ...shareFields(halted.exact) },
      );
    }
    const most = segments.at(-1)!;
    return {
      rows,
      chart: lineChart({
        title: "HRM, all segments or as many as it wants",
        rows,
        x: { field: "segments", title: "segments taken, in the mean" },
        y: exactAxis,
        series: { field: "how", title: "" },
      }),
      measured: `Limited to ${listed(segments.slice(1).map(String))} segments and halting by its ` +
        `head, HRM takes ${listed(taken.map((t) => t.toFixed(1)))}, and solves ${
          listed(losses.map((loss) => `${(100 * loss).toFixed(1)}`))
        } points less than with all of them.`,
      verdict: verdictOf(
        taken.at(-1)! < 0.6 * most,
        taken.at(-1)! / taken[0]! < 0.75 * most / segments[1],
        Math.max(...losses) < 0.05,
      ),
    };
  },
};

/** E10: more segments at test time than in training. */
export const inferenceScaling: Experiment = {
  title: "More segments at test time",
  claim: "HRM trained with few segments solves more when it is given more at test time, without " +
    "training again; trained with 8 it still gains at 16 (Wang et al. 2025, arXiv:2506.21734, " +
    "figure 5c)",
  run: async (lab) => {
    const rows: Row[] = [];
    const gains: { readonly M: number; readonly at: Evaluated; readonly more: Evaluated }[] = [];
    for (const M of segments.slice(1)) {
      const trained = await withSegments(lab, M);
      const evaluated = [1, 2, 4, 8, 16].map((units) => ({
        units,
        ...lab.evaluate(trained, { units }),
      }));
      for (const { units, exact } of evaluated) {
        rows.push({ trained: `${M} segments`, segments: units, ...shareFields(exact) });
      }
      gains.push({ M, at: evaluated.find(({ units }) => units === M)!, more: evaluated.at(-1)! });
    }
    return {
      rows,
      chart: lineChart({
        title: "HRM, asked for more segments than it was trained with",
        rows,
        x: { field: "segments", title: "segments at test time", scale: "log" },
        y: exactAxis,
        series: { field: "trained", title: "trained with" },
      }),
      measured: "HRM trained with " +
        listed(
          gains.map(({ M, at, more }) =>
            `${M} segments solves ${interval(at.exact)} with as many and ${
              interval(more.exact)
            } with 16`
          ),
        ) + ".",
      verdict: verdictOf(...gains.map(({ at, more }) => more.exact.mean > at.exact.mean)),
    };
  },
};

/** E11: the head with and without a value of going on. */
export const haltingHead: Experiment = {
  title: "What the halting head learns",
  claim:
    "The halting head learns whether the answer is right, and needs no value of going on: TRM " +
    "solves 87.4 % without and 86.1 % with it (Jolicoeur-Martineau 2025, arXiv:2510.04871)",
  run: async (lab) => {
    const withValue = await lab.train("hrm");
    const without = await lab.train("hrm", { own: haltOnlyHrm });
    const variants = [["halt and continue", withValue], ["halt alone", without]] as const;
    const results = variants.map(([head, trained]) => {
      const evaluated = lab.evaluate(trained);
      const right = meanOf(evaluated.evaluations.map(({ qHalt }) => qHalt!));
      const solved = evaluated.exact.mean;
      const rows = [
        { head, what: "puzzles solved", value: solved },
        { head, what: "head right about the answer", value: right },
        { head, what: "always the same guess", value: Math.max(solved, 1 - solved) },
      ];
      return { exact: evaluated.exact, right, rows };
    });
    const [both, alone] = results as [typeof results[0], typeof results[0]];
    const baseline = Math.max(alone.exact.mean, 1 - alone.exact.mean);
    const rows = results.flatMap((result) => result.rows);
    return {
      rows,
      chart: {
        title: "HRM with and without a value of going on",
        data: { values: rows },
        width: 540,
        height: 220,
        mark: "bar",
        encoding: {
          x: {
            field: "what",
            type: "nominal",
            title: null,
            sort: null,
            axis: { labelAngle: 0, labelLimit: 0 },
          },
          xOffset: { field: "head", type: "nominal", sort: null },
          y: {
            field: "value",
            type: "quantitative",
            title: "of all held-out puzzles",
            axis: { format: ".0%" },
          },
          color: { field: "head", type: "nominal", title: "head", sort: null },
        },
      },
      measured: `With a value of going on HRM solves ${interval(both.exact)}, without ${
        interval(alone.exact)
      }; the head is right about ${percent(both.right)} and ${
        percent(alone.right)
      } of its answers, where one and the same guess would be right about ${percent(baseline)}.`,
      verdict: verdictOf(alone.exact.high >= both.exact.low, alone.right > baseline),
    };
  },
};

/** HRM that learns nothing of going on, as TRM does not. */
const haltOnlyHrm = {
  name: "hrm-halt-only",
  make: (config: object, options: ConstructorParameters<typeof HrmInner>[1]) =>
    new HaltingModel(new HrmInner(config as HrmConfig, options), config as HrmConfig, haltOnly),
};

function withSegments(lab: Lab, haltMaxSteps: number): Promise<Trained[]> {
  return lab.train("hrm", { model: { haltMaxSteps } });
}
