/**
 * E5 and half of E16: what the states do while a model thinks.
 *
 * @module
 */
import { Random } from "../../../core/random.ts";
import { makeModel } from "../../../models/family.ts";
import { meanOf } from "../../compare/statistics.ts";
import { tokenBatch } from "../../tasks/task.ts";
import { lineChart } from "../charts.ts";
import { type Experiment, type Part, type Row, verdictOf } from "../experiment.ts";
import type { Lab, Trained } from "../lab.ts";
import {
  participationRatio,
  type PartTrace,
  principalPlane,
  relativeChange,
  traceParts,
} from "../trace.ts";

/** How many puzzles are watched. */
const WATCHED = 32;

/** E5: how much each update changes a state. */
export const convergence: Experiment = {
  title: "Hierarchical convergence",
  claim: "In HRM the low-level state converges within a cycle and jumps when the high level is " +
    "updated, which goes on changing steadily; a recurrent network's changes die out, and a deep " +
    "network changes most in its first and last layers (Wang et al. 2025, arXiv:2506.21734, " +
    "figure 3)",
  run: async (lab) => {
    const hrm = await lab.known("hrm");
    const recurrent = await lab.known("recurrent");
    const plain = await lab.known("transformer");
    const units = recurrent.model.depth.trained;
    const ofHrm = traced(lab, hrm, hrm.model.depth.trained);
    const traces = {
      "HRM, low level": changes(ofHrm, "zL"),
      "HRM, high level": changes(ofHrm, "zH"),
      "recurrent, a recurrence": changes(traced(lab, recurrent, 4 * units), "z"),
      "plain, a layer": changes(traced(lab, plain, 1), "layer"),
    };
    const rows = Object.entries(traces).flatMap(([part, values]) =>
      values.map(({ update, change }) => ({ part, update, change }))
    );
    const low = traces["HRM, low level"], high = traces["HRM, high level"];
    const firsts = low.filter(({ isFirst }) => isFirst).map(({ change }) => change);
    const others = low.filter(({ isFirst }) => !isFirst).map(({ change }) => change);
    const fall = ratioOfEnds(traces["recurrent, a recurrence"]);
    const highFall = ratioOfEnds(high);
    const jump = meanOf(firsts) / meanOf(others);
    return {
      rows: [...rows, ...plane(ofHrm)],
      chart: lineChart({
        title: "How much an update changes the state",
        rows,
        x: { field: "update", title: "update" },
        y: { field: "change", title: "relative change" },
        series: { field: "part", title: "" },
      }),
      measured: `The first low-level update after a high-level one changes the state ${
        jump.toFixed(1)
      } times as much as the others. From the second update to the last, the change falls to ${
        fall.toFixed(3)
      } of what it was in the recurrent transformer, run four times as long as it was trained, and to ${
        highFall.toFixed(3)
      } in HRM's high level.`,
      verdict: verdictOf(jump > 1.2, fall < 0.3, highFall > fall),
    };
  },
};

/** How many dimensions the states of a trained and of a fresh HRM fill. */
export async function dimensions(
  lab: Lab,
): Promise<Part> {
  const trained = await lab.known("hrm");
  const fresh = makeModel(trained.config.model, {
    random: new Random(trained.config.run.seed, 0),
    device: lab.device,
  });
  const rows: Row[] = [];
  const ratios = [["trained", trained.model], ["untrained", fresh]].map(([name, model]) => {
    const trace = traced(lab, { ...trained, model: model as typeof fresh }, fresh.depth.trained);
    const last = (part: string) => trace.filter((t) => t.part === part).at(-1)!.state;
    const [zH, zL] = [participationRatio(last("zH")), participationRatio(last("zL"))];
    rows.push(
      { model: name as string, state: "high level", dimensions: zH },
      { model: name as string, state: "low level", dimensions: zL },
    );
    return { zH, zL, ratio: zH / zL };
  });
  const [after, before] = ratios as [typeof ratios[0], typeof ratios[0]];
  const { hiddenSize } = trained.config.model;
  return {
    rows,
    measured: `Of ${hiddenSize} dimensions, the trained high level fills ${
      after.zH.toFixed(1)
    } and the low level ${after.zL.toFixed(1)}, a ratio of ${after.ratio.toFixed(2)}; untrained ${
      before.zH.toFixed(1)
    } and ${before.zL.toFixed(1)}, ${before.ratio.toFixed(2)}.`,
    conditions: [after.ratio > 1.5, after.ratio > 1.2 * before.ratio],
  };
}

/** Those dimensions as bars. */
export function dimensionsChart(rows: readonly Row[]) {
  return {
    title: "Dimensions that the states fill",
    data: { values: [...rows] },
    width: 200,
    height: 240,
    mark: "bar",
    encoding: {
      x: { field: "model", type: "nominal", title: null, axis: { labelAngle: 0 } },
      xOffset: { field: "state", type: "nominal" },
      y: { field: "dimensions", type: "quantitative", title: "participation ratio" },
      color: { field: "state", type: "nominal", title: null },
    },
  } as const;
}

function traced(lab: Lab, { model, task, puzzles }: Trained, units: number): PartTrace[] {
  const rows = puzzles.slice(0, WATCHED).map((puzzle) => task.encode(puzzle));
  return traceParts(model, tokenBatch(rows, lab.device), units);
}

interface Change {
  readonly update: number;
  readonly change: number;
  /** Whether another part was updated just before. */
  readonly isFirst: boolean;
}

/** How much each update of a part but its first changed it. */
function changes(trace: readonly PartTrace[], part: string): Change[] {
  const own = trace.filter((t) => t.part === part);
  return own.slice(1).map(({ update, state }, i) => ({
    update,
    change: relativeChange(own[i]!.state, state),
    isFirst: trace[update - 2]!.part !== part,
  }));
}

function ratioOfEnds(values: readonly Change[]): number {
  return values.at(-1)!.change / values[0]!.change;
}

/** Where the states of the first puzzle go, in the plane of most variance of each part. */
function plane(trace: readonly PartTrace[]): Row[] {
  return ["zH", "zL"].flatMap((part) => {
    const own = trace.filter((t) => t.part === part);
    const length = own[0]!.state.values.length / WATCHED;
    const points = principalPlane(own.map(({ state }) => state.values.subarray(0, length)));
    return points.map(([x, y], i) => ({
      part: `${part} in its plane`,
      update: own[i]!.update,
      x,
      y,
    }));
  });
}
