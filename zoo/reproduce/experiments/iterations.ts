/**
 * E3 and E4: what more iterations than in training do, and what keeps the question in mind.
 *
 * @module
 */
import type { BackboneModel } from "../../../models/backbone.ts";
import type { States } from "../../../models/model.ts";
import { tokenBatch } from "../../tasks/task.ts";
import { exactAxis, lineChart } from "../charts.ts";
import { type Experiment, type Row, shareFields, verdictOf } from "../experiment.ts";
import type { Evaluated, Lab, ModelName, Trained } from "../lab.ts";
import { interval, percent } from "../text.ts";
import { meanCosine, traceParts, vectorsOf } from "../trace.ts";

/** How many times as many units of thought as in training. */
const factors = [0.5, 1, 2, 4, 8] as const;

/** E3: more iterations at test time. */
export const moreIterations: Experiment = {
  title: "More iterations at test time",
  claim: "Without the question injected at every iteration, accuracy collapses beyond the " +
    "iterations of training; with it, it holds (Bansal et al. 2022, arXiv:2202.05826)",
  run: async (lab) => {
    const without = await curve(lab, "recurrent, question at the start", "recurrent", {});
    const looped = await curve(lab, "looped, question in every loop", "looped", {});
    const trm = await curve(lab, "TRM, question in every step", "trm", {});
    const curves = [without, looped, trm];
    const held = ({ points }: Curve) => points.at(-1)!.exact.high >= points[1]!.exact.low;
    const said = ({ name, points }: Curve) =>
      `${name}: ${percent(points[1]!.exact.mean)} as trained, ${
        percent(points.at(-1)!.exact.mean)
      } with eight times the iterations`;
    return {
      rows: curves.flatMap(({ points }) => points.map(({ row }) => row)),
      chart: lineChart({
        title: "More iterations than in training",
        rows: curves.flatMap(({ points }) => points.map(({ row }) => row)),
        x: { field: "factor", title: "iterations, those of training = 1", scale: "log" },
        y: exactAxis,
        series: { field: "model", title: "model" },
      }),
      measured: `${curves.map(said).join("; ")}.`,
      verdict: verdictOf(!held(without), held(looped), held(trm)),
    };
  },
};

/** E4: the looped transformer with and without injection. */
export const injection: Experiment = {
  title: "Injection keeps the question in mind",
  claim: "A looped transformer needs the question added at every loop to stay stable beyond the " +
    "loops of training (Yang et al. 2024, arXiv:2311.12424); no Sudoku numbers are published, so " +
    "that the figures are ours",
  run: async (lab) => {
    const { loops } = lab.model("looped");
    const variants = {
      "with injection": {},
      "without injection": { injection: "none", window: loops },
    } as const;
    const rows: Row[] = [];
    const reached: Record<string, { trained: Evaluated; eight: Evaluated; cosine: number }> = {};
    for (const [variant, model] of Object.entries(variants)) {
      const trained = await lab.train("looped", { model });
      const cosines = closeness(lab, trained[0]!, 8 * loops);
      cosines.forEach((cosine, i) =>
        rows.push({ panel: "cosine of state and question", variant, loop: i + 1, value: cosine })
      );
      const byFactor = new Map(
        factors.map((factor) => [factor, lab.evaluate(trained, { units: loops * factor })]),
      );
      for (const [factor, { exact }] of byFactor) {
        const loop = loops * factor;
        rows.push({
          panel: "share of puzzles solved",
          variant,
          loop,
          value: exact.mean,
          ...shareFields(exact),
        });
      }
      reached[variant] = {
        trained: byFactor.get(1)!,
        eight: byFactor.get(8)!,
        cosine: cosines.at(-1)!,
      };
    }
    const [on, off] = [reached["with injection"]!, reached["without injection"]!];
    return {
      rows,
      chart: lineChart({
        title: "A looped transformer, the question injected or not",
        rows: rows.map(({ low: _low, high: _high, ...row }) => row),
        x: { field: "loop", title: "loops", scale: "log" },
        y: { field: "value", title: "" },
        series: { field: "variant", title: "" },
        panels: "panel",
      }),
      measured: `As trained, with ${loops} loops, ${
        interval(on.trained.exact)
      } with injection and ${interval(off.trained.exact)} without; with eight times the loops ${
        interval(on.eight.exact)
      } and ${interval(off.eight.exact)}. The cosine between state and embedded question is then ${
        on.cosine.toFixed(2)
      } and ${off.cosine.toFixed(2)}.`,
      verdict: verdictOf(
        on.eight.exact.high >= on.trained.exact.low,
        off.eight.exact.high < off.trained.exact.low,
        on.cosine > off.cosine,
      ),
    };
  },
};

interface Curve {
  readonly name: string;
  readonly points: readonly { readonly row: Row; readonly exact: Evaluated["exact"] }[];
}

/** What a model solves with fewer and more units of thought than in training. */
async function curve(lab: Lab, name: string, model: ModelName, change: object): Promise<Curve> {
  const trained = await lab.train(model, { model: { ...change } });
  const { depth } = trained[0]!.model;
  const points = factors.map((factor) => {
    const units = Math.max(1, depth.trained * factor);
    const { exact } = lab.evaluate(trained, { units });
    return { exact, row: { model: name, factor, units, ...shareFields(exact) } };
  });
  return { name, points };
}

/** The cosine of states and embedded question after each loop. */
function closeness(lab: Lab, { model, task, puzzles }: Trained, loops: number): number[] {
  const question = tokenBatch(puzzles.slice(0, 64).map((p) => task.encode(p)), lab.device);
  const { backbone } = model as unknown as BackboneModel<States>;
  const puzzle = backbone.lookUp(question.puzzleIdentifiers, false);
  const asked = vectorsOf(backbone.embed(question.inputs, puzzle, null));
  return traceParts(model, question, loops).map(({ state }) => meanCosine(state, asked));
}
