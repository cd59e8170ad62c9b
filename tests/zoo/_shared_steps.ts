/**
 * A few steps of every family of models on batches in which puzzles recur, so that their rows of
 * the puzzle table are looked up in several processes: by one process, or as a script by all
 * processes of an MPI job, of which the first prints what came of it. An argument names the
 * stand-in for NCCL by which they exchange tensors.
 */
import { stateDict } from "../../core/nn/module.ts";
import { fromTypedArray } from "../../core/create.ts";
import { Random } from "../../core/random.ts";
import { scope } from "../../core/scope.ts";
import { type Group, joinGroup } from "../../zoo/distributed.ts";
import { sliceCarry } from "../../models/model.ts";
import { sharedStep, type StepReport, trainStep } from "../../zoo/step.ts";
import { makeTrainee } from "../../zoo/train.ts";
import { families, smallRun } from "./_family.ts";
import { joinByDouble } from "./_nccl_group.ts";
import { dataOf, textOf } from "./_tiny.ts";

const ROWS = 8, STEPS = 6;

/** What steps came to. */
export interface Steps {
  readonly reports: readonly StepReport[];
  readonly weights: readonly number[];
  /** Whether all processes have the same weights and random numbers, bit for bit. */
  readonly isSame: boolean;
}

/** The recipes and presets to try. */
export const works: readonly (readonly [recipe: string, preset: string])[] = [
  ...families.map((recipe) => [recipe, "tiny"] as const),
  ["looped-sudoku", "progressive"],
];

/** Steps of a model in float64, by this process or by several. */
export async function stepsOf(
  recipe: string,
  preset: string,
  group: Group | null,
  microBatch?: number,
): Promise<Steps> {
  using _ = scope();
  const { config } = smallRun(recipe, preset, {
    model: { forwardDtype: "float64", numPuzzleIdentifiers: 5 },
    run: { batchSize: ROWS },
  });
  const data = dataOf(smallRun(recipe, preset, { run: { batchSize: ROWS } }));
  const trainee = makeTrainee(config, "cpu");
  const random = new Random(7), reports: StepReport[] = [];
  const rates = { lr: 1e-3, puzzleEmbLr: 1e-3 };
  const identifiers = Int32Array.from({ length: ROWS }, (_, row) => row % 3 + 1);
  let carry = trainee.model.initialCarry(data.train.batch(0, ROWS, "cpu"));
  if (group !== null) carry = sliceCarry(carry, group.share(ROWS).start, group.share(ROWS).end);
  for (let step = 0; step < STEPS; step++) {
    const batch = {
      ...data.train.batch(step, ROWS, "cpu"),
      puzzleIdentifiers: fromTypedArray(identifiers),
    };
    const given = [trainee, carry, batch, rates, { random, step }, { microBatch }] as const;
    const result = group === null ? trainStep(...given) : await sharedStep(group, ...given);
    carry = result.carry;
    reports.push(result.report);
  }
  const bytes = [...stateDict(trainee.model, "").values()].map(({ data }) => data.slice());
  const state = `${random.state.drawn} ${bytes.map(textOf).join()}`;
  const states = group === null ? [state] : await group.gatherAll(state);
  trainee.optimizer.dispose();
  trainee.ema?.dispose();
  return {
    reports,
    weights: bytes.flatMap((part) => [...new Float32Array(part.buffer)]),
    isSame: new Set(states).size === 1,
  };
}

if (import.meta.main) {
  const [double] = Deno.args;
  const group = double === undefined ? joinGroup() : await joinByDouble(double);
  const all: Steps[] = [];
  for (const [recipe, preset] of works) {
    const microBatch = preset === "progressive" ? undefined : 2; // it draws for a batch at a time
    all.push(await stepsOf(recipe, preset, group, microBatch));
  }
  if (group.isFirst) console.log(JSON.stringify(all));
  group.leave();
}
