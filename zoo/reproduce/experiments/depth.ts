/**
 * E1 and E2: what depth does, and how it is reached.
 *
 * @module
 */
import { countParameters } from "../../../core/nn/module.ts";
import type { TransformerConfig } from "../../../models/transformer.ts";
import { formatCount } from "../../cli/terminal.ts";
import { exactAxis, lineChart } from "../charts.ts";
import { type Experiment, type Row, shareFields, verdictOf } from "../experiment.ts";
import type { Evaluated, Fields, Lab, ModelName, Trained } from "../lab.ts";
import { clearlyAbove, interval, listed } from "../text.ts";

/** Norms before the layers, without which a deep stack does not learn at these learning rates. */
const preNorm = { backbone: "pre-norm" } as const;

/** E1: a plain transformer made wider, and made deeper. */
export const widthAndDepth: Experiment = {
  title: "Width or depth",
  claim:
    "Making a plain transformer wider does not help on Sudoku-Extreme-Full, making it deeper " +
    "does, and even 872 million parameters stay far from solving it (Wang et al. 2025, " +
    "arXiv:2506.21734, figure 2 left)",
  run: async (lab) => {
    const base = lab.model("transformer");
    const wide = (factor: number) => roundTo(base.hiddenSize * factor, 2 * base.numHeads);
    const wider = await sweep(
      lab,
      [1, Math.SQRT2, 2].map((factor) => ({
        ...{ hiddenSize: wide(factor), puzzleEmbNdim: wide(factor) },
      })),
    );
    const deeper = await sweep(
      lab,
      [1, 2, 4].map((factor) => ({
        numLayers: base.numLayers * factor,
      })),
    );
    const rows = [
      ...wider.map((trial) => rowOf("wider", trial)),
      ...deeper.map((trial) => rowOf("deeper", trial)),
    ];
    const [small, widest, deepest] = [wider[0]!, wider.at(-1)!, deeper.at(-1)!].map((t) => t.exact);
    return {
      rows,
      chart: lineChart({
        title: "A plain transformer, made wider or deeper",
        rows,
        x: { field: "parameters", title: "parameters", scale: "log", format: "~s" },
        y: exactAxis,
        series: { field: "how", title: "made" },
      }),
      measured: `With four times the parameters, the wider transformer solves ${
        interval(widest!)
      } and the deeper one ${interval(deepest!)}, where the smallest solves ${interval(small!)}.`,
      // depth helps; width helps less; neither solves all
      verdict: verdictOf(
        clearlyAbove(deepest!, small!),
        clearlyAbove(deepest!, widest!),
        Math.max(deepest!.mean, widest!.mean) < 0.95,
      ),
    };
  },
};

/** E2: the layers that a puzzle is put through, in three ways. */
export const recurrence: Experiment = {
  title: "Depth by recurrence",
  claim: "With as many layers computed, a recurrent transformer is better than a plain one, then " +
    "saturates; HRM goes on rising towards 100 % (Wang et al. 2025, arXiv:2506.21734, figure 2 " +
    "right)",
  run: async (lab) => {
    const [plain, again, hrm] = [
      lab.model("transformer"),
      lab.model("recurrent"),
      lab.model("hrm"),
    ];
    const inSegment = hrm.hCycles * (hrm.lCycles * hrm.lLayers + hrm.hLayers);
    const curves = {
      transformer: await curve(
        lab,
        "transformer",
        [1, 2, 4].map((factor) => {
          const numLayers = plain.numLayers * factor;
          return { layers: numLayers, model: { ...preNorm, numLayers } };
        }),
      ),
      recurrent: await curve(
        lab,
        "recurrent",
        [2, 4, 8].map((recurrences) => ({
          layers: again.numLayers * recurrences,
          model: { recurrences, gradientSteps: recurrences },
        })),
      ),
      hrm: await curve(
        lab,
        "hrm",
        [1, 2, 4, 8].map((haltMaxSteps) => ({
          layers: inSegment * haltMaxSteps,
          model: { haltMaxSteps },
        })),
      ),
    };
    const deepest = (model: keyof typeof curves) => curves[model].at(-1)!;
    const rows = Object.values(curves).flatMap((points) => points.map(({ row }) => row));
    const [last, before] = [deepest("hrm").exact, curves.hrm.at(-2)!.exact];
    return {
      rows,
      chart: lineChart({
        title: "Layers computed before the answer",
        rows,
        x: { field: "layers", title: "layers computed", scale: "log" },
        y: exactAxis,
        series: { field: "model", title: "model" },
      }),
      measured: "At their deepest, " +
        listed(
          Object.entries(curves).map(([model, points]) => {
            const { row, exact } = points.at(-1)!;
            const parameters = formatCount(row["parameters"] as number);
            return `${model} (${parameters} parameters, ${row["layers"]} layers) solves ${
              interval(exact)
            }`;
          }),
        ) + `; HRM with half of its layers ${interval(before)}.`,
      // recurrence beats layers of their own; HRM beats both, and still rises
      verdict: verdictOf(
        clearlyAbove(deepest("recurrent").exact, deepest("transformer").exact),
        clearlyAbove(last, deepest("recurrent").exact),
        clearlyAbove(last, before),
      ),
    };
  },
};

interface Point {
  readonly row: Row;
  readonly exact: Evaluated["exact"];
}

/** What a model solves, by the layers that it computes. */
async function curve(
  lab: Lab,
  name: ModelName,
  sizes: readonly { readonly layers: number; readonly model: Fields }[],
): Promise<Point[]> {
  const points: Point[] = [];
  for (const { layers, model } of sizes) {
    const trained = await lab.train(name, { model });
    const { exact } = lab.evaluate(trained);
    const parameters = countParameters(trained[0]!.model);
    points.push({ exact, row: { model: name, layers, parameters, ...shareFields(exact) } });
  }
  return points;
}

interface Trial extends Evaluated {
  readonly trained: readonly Trained[];
}

async function sweep(lab: Lab, changes: readonly Fields[]): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (const model of changes) {
    const trained = await lab.train("transformer", { model: { ...preNorm, ...model } });
    trials.push({ trained, ...lab.evaluate(trained) });
  }
  return trials;
}

function rowOf(how: string, { trained, exact }: Trial): Row {
  const { model, config } = trained[0]!;
  const { hiddenSize, numLayers } = config.model as TransformerConfig;
  return { how, hiddenSize, numLayers, parameters: countParameters(model), ...shareFields(exact) };
}

function roundTo(value: number, multiple: number): number {
  return multiple * Math.round(value / multiple);
}
