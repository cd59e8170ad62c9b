/**
 * E16: whether what HRM learns of one task serves another; with the dimensions of its states.
 *
 * @module
 */
import { maze } from "../../recipes/works.ts";
import type { Task } from "../../tasks/task.ts";
import { makeTask } from "../../tasks/tasks.ts";
import { type Experiment, type Part, type Row, shareFields, verdictOf } from "../experiment.ts";
import type { Evaluated, Lab, OwnTask, Trained } from "../lab.ts";
import { interleaved, withSharedTokens } from "../shared_tokens.ts";
import { clearlyAbove, interval, listed } from "../text.ts";
import { dimensions, dimensionsChart } from "./dynamics.ts";

/** Steps on one task at the scale `cpu`, after which neither task is unlearnt nor solved. */
const CPU_STEPS = 800;

/** Clues of Sudokus, at scales below `paper`, that are learnt in so few steps. */
const CLUES = { minClues: 6, maxClues: 10 } as const;

/** E16: what one task teaches for another, and how many dimensions the states fill. */
export const tasksAndDimensions: Experiment = {
  title: "Transfer between tasks, dimensions of the states",
  claim:
    "What HRM learns of one task serves no other: it is trained for each from the start (the " +
    "article's argument; no numbers). Its high-level state fills about three times as many " +
    "dimensions as its low-level one (participation ratios 89.95 and 30.22 of 512 on Sudoku), as " +
    "higher areas of the mouse cortex do; before training both are equal (Wang et al. 2025, " +
    "arXiv:2506.21734)",
  run: async (lab) => {
    const between = await transfer(lab);
    const filled = await dimensions(lab);
    return {
      rows: [...between.rows, ...filled.rows],
      chart: {
        hconcat: [scoresChart(between.rows), dimensionsChart(filled.rows)],
        spacing: 40,
        resolve: { scale: { color: "independent" } },
      },
      measured: `${between.measured} ${filled.measured}`,
      verdict: verdictOf(...between.conditions, ...filled.conditions),
    };
  },
};

/**
 * One HRM on two tasks, Sudokus and mazes, told apart by tokens and puzzle identifiers. Each is
 * learnt alone, together with the other, and from the weights of the other; always from as many
 * rows of that task.
 */
async function transfer(lab: Lab): Promise<Part> {
  const { tasks, together, each } = twoTasks(lab);
  const { run } = lab.preset("hrm");
  const steps = lab.scale === "cpu" ? CPU_STEPS : run.steps;
  const alone = [
    await lab.train("hrm", { on: each[0], run: { steps } }),
    await lab.train("hrm", { on: each[1], run: { steps } }),
  ] as const;
  const later = [
    await lab.train("hrm", { on: each[0], run: { steps }, from: alone[1] }),
    await lab.train("hrm", { on: each[1], run: { steps }, from: alone[0] }),
  ] as const;
  const both = await lab.train("hrm", { on: together, run: { steps: 2 * steps } });
  const results = ([0, 1] as const).map((k) => {
    const task = tasks[k], other = 1 - k as 0 | 1;
    const scores = {
      "alone": asked(lab, alone[k], task),
      "from the other's weights": asked(lab, later[k], task),
      "both together": asked(lab, both, task),
      "first, then the other": asked(lab, later[other], task),
      "never, but the other": asked(lab, alone[other], task),
    };
    return { task: task.title, scores };
  });
  return {
    rows: results.flatMap(({ task, scores }) =>
      Object.entries(scores).map(([trained, exact]) => ({ task, trained, ...shareFields(exact) }))
    ),
    measured: `After ${steps} steps on each, ` +
      listed(
        results.map(({ task, scores }) =>
          `of ${task} ${interval(scores.alone)} are solved when learnt alone, ${
            interval(scores["from the other's weights"])
          } when begun with the other's weights, ${
            interval(scores["both together"])
          } by one model of both, ${
            interval(scores["first, then the other"])
          } when the other was learnt since and ${
            interval(scores["never, but the other"])
          } when only the other was`
        ),
      ) + ".",
    conditions: results.map(({ scores }) =>
      !clearlyAbove(scores["from the other's weights"], scores.alone) &&
      !clearlyAbove(scores["both together"], scores.alone)
    ),
  };
}

/** The preset's Sudokus and as many mazes of like size, as tasks that one model can be asked. */
function twoTasks(lab: Lab) {
  const { task } = lab.preset("hrm");
  const { trainPuzzles, testPuzzles } = task;
  const configs = lab.scale === "paper"
    ? [task, maze.paper.task]
    : [{ ...task, ...CLUES }, { ...maze.tiny.task, trainPuzzles, testPuzzles }];
  const tasks = withSharedTokens(configs.map(makeTask)) as [Task, Task];
  const on = (task: Task, trainedOn: string): OwnTask => ({
    config: { kind: "sudoku-maze", trainedOn, tasks: configs } as OwnTask["config"],
    task,
  });
  const both: Task = {
    ...tasks[0], // asked at the end of training; the other is asked here
    title: tasks.map(({ title }) => title).join(" and "),
    load: (seed, report) => {
      const loaded = tasks.map((task) => task.load(seed, report));
      return { train: interleaved(loaded.map(({ train }) => train)), test: loaded[0]!.test };
    },
  };
  return {
    tasks,
    together: on(both, "both"),
    each: [on(tasks[0], "sudoku"), on(tasks[1], "maze")] as const,
  };
}

/** What models solve of a task that need not be the one they were trained on. */
function asked(lab: Lab, trained: readonly Trained[], task: Task): Evaluated["exact"] {
  return lab.evaluate(trained.map((one) => ({
    ...one,
    task,
    puzzles: task.heldOut(one.config.run.seed),
  }))).exact;
}

/** Those scores as bars. */
function scoresChart(rows: readonly Row[]) {
  const place = {
    x: { field: "task", type: "nominal", title: null, axis: { labelAngle: 0 } },
    xOffset: { field: "trained", type: "nominal", sort: null },
  } as const;
  const y = {
    field: "exact",
    type: "quantitative",
    title: "puzzles solved",
    axis: { format: ".0%" },
  } as const;
  const color = { field: "trained", type: "nominal", title: "learnt", sort: null } as const;
  const intervals = { ...place, y: { ...y, field: "low" }, y2: { field: "high" } };
  return {
    title: "Puzzles solved, by how they were learnt",
    data: { values: [...rows] },
    width: 360,
    height: 240,
    layer: [
      { mark: "bar" as const, encoding: { ...place, y, color } },
      { mark: "rule" as const, encoding: intervals },
    ],
  };
}
