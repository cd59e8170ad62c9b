/**
 * `deno task eval <recipe|run|weights>`.
 *
 * @module
 */
import type { Model } from "../../models/model.ts";
import { parseCommand, UsageError } from "../cli/flags.ts";
import { print } from "../cli/terminal.ts";
import { score } from "../evaluate.ts";
import { plural, showEvaluation } from "../show.ts";
import type { TaskConfig } from "../recipe.ts";
import { makeTask } from "../tasks/tasks.ts";
import { think, type ThinkOptions } from "../thinking.ts";
import { loadWeights, type SavedConfig } from "../weights.ts";
import { depthFlag, depthOf } from "./_depth.ts";
import { computeFlags, openLibrary, userPath, weightsPath } from "./_shared.ts";

const declaration = {
  name: "eval",
  summary: "Evaluate weights on held-out puzzles",
  positionals: [{
    name: "weights",
    help: "a folder of weights, a run, or a recipe: its newest run, else pretrained weights",
  }],
  flags: {
    file: {
      type: "string",
      placeholder: "path",
      help: "puzzles to evaluate on in place of held-out ones",
    },
    puzzles: { type: "integer", min: 1, help: "how many puzzles; all if left out" },
    ...depthFlag,
    votes: {
      type: "integer",
      min: 1,
      default: 1,
      help: "rearrangements of each puzzle to answer, the puzzle itself the first",
    },
    samples: { type: "integer", min: 1, default: 1, help: "noisy runs of each of them" },
    noise: {
      type: "number",
      min: 0,
      help: "deviation of the noise in the recursion; 0, or 0.1 with several samples",
    },
    ensemble: { type: "string", placeholder: "a,b,…", help: "further weights that answer too" },
    choose: {
      type: "choice",
      choices: ["vote", "q"],
      help: "which answer counts: the one given most often, or the halting head's favourite; " +
        "q with samples alone, else vote",
    },
    seed: {
      type: "integer",
      min: 0,
      max: 2 ** 31 - 1,
      default: 0,
      help: "where the random numbers of votes and noise start",
    },
    batch: { type: "integer", min: 1, default: 256, help: "puzzles at a time" },
    ...computeFlags,
    submission: {
      type: "string",
      placeholder: "path",
      help: "write two attempts for each ARC test pair, in Kaggle's form",
    },
    json: { type: "boolean", help: "print one JSON object" },
  },
} as const;

/** Evaluates, and prints the scores. */
export function evalCommand(args: readonly string[]): Promise<void> {
  const { flags, positionals } = parseCommand(declaration, args);
  const path = weightsPath(positionals.weights);
  const library = openLibrary(flags);
  const { model, saved, folder } = loadWeights(path, flags.device);
  const task = makeTask(heldOutConfig(saved.config.task, flags));
  const others = (flags.ensemble?.split(",") ?? []).map((name) =>
    loadWeights(weightsPath(name.trim()), flags.device)
  );
  for (const other of others) requireAlike(saved, other.saved, other.folder);
  const models = [model, ...others.map((other) => other.model)];
  requireSameUnit(models);
  const options = testTimeOptions(flags, models);
  if (flags.submission !== undefined && task.submission === undefined) {
    throw new UsageError(`Cannot use --submission: ${task.title} has no competition's form`);
  }
  const puzzles = task.heldOut(saved.config.run.seed);
  const thoughts = think(task, models, puzzles, options);
  if (flags.submission !== undefined) {
    const ranked = thoughts.at(-1)!.ranked.map((answers) => answers.map(({ answer }) => answer));
    const submission = task.submission!(puzzles, ranked);
    Deno.writeTextFileSync(userPath(flags.submission), JSON.stringify(submission));
  }
  const evaluation = score(task, model.depth.unit, puzzles, thoughts);
  if (flags.json) console.log(JSON.stringify({ weights: folder, ...evaluation }));
  else print(`${library}\nWeights in "${folder}"\n\n${showEvaluation(evaluation)}`);
  return Promise.resolve();
}

/** The task with the puzzles that the flags ask for held out. */
function heldOutConfig<C extends TaskConfig>(
  config: C,
  { file, puzzles }: { readonly file?: string | undefined; readonly puzzles?: number | undefined },
): C {
  if (file === undefined) {
    const { testFile, testPuzzles } = config;
    if (testFile === null && puzzles !== undefined && puzzles > testPuzzles) {
      throw new UsageError(
        `Cannot evaluate on ${puzzles} puzzles: only ${testPuzzles} were kept out of training`,
      );
    }
    return { ...config, testPuzzles: puzzles ?? testPuzzles };
  }
  if (config.kind === "arc") {
    throw new UsageError("Cannot use --file: a model knows the ARC tasks it was trained on alone");
  }
  return { ...config, testFile: userPath(file), testPuzzles: puzzles ?? Infinity };
}

/** The flags that say how to think. */
interface TestTimeFlags {
  readonly segments?: string | undefined;
  readonly votes: number;
  readonly samples: number;
  readonly noise?: number | undefined;
  readonly choose?: "vote" | "q" | undefined;
  readonly seed: number;
  readonly batch: number;
  readonly device: "cpu" | "cuda";
}

/** The same as options; refuses what would have no effect. */
function testTimeOptions(flags: TestTimeFlags, models: readonly Model[]): ThinkOptions {
  const { votes, samples, seed, choose, device, batch: batchSize } = flags;
  const noise = flags.noise ?? (samples > 1 ? 0.1 : 0);
  if (samples > 1 && noise === 0) {
    throw new UsageError("Cannot use --samples without noise: all of them would be the same");
  }
  const hasHead = models.every(({ depth }) => depth.unit === "segment");
  if (
    !hasHead &&
    (choose === "q" || (samples > 1 && votes === 1 && models.length === 1 && choose === undefined))
  ) {
    throw new UsageError(
      "Cannot choose by the halting head: the model has none; use --choose=vote",
    );
  }
  if (choose !== undefined && votes * samples * models.length === 1) {
    throw new UsageError(
      `Cannot use --choose=${choose}: there is one answer; ask for more by --votes, --samples or --ensemble`,
    );
  }
  return {
    ...depthOf(flags.segments, models[0]!),
    ...(choose === undefined ? {} : { choose }),
    ...{ votes, samples, noise, seed, batchSize, device },
  };
}

/** Models that answer together must count their thoughts alike. */
function requireSameUnit([first, ...others]: readonly Model[]): void {
  const odd = others.find(({ depth }) => depth.unit !== first!.depth.unit);
  if (odd === undefined) return;
  throw new UsageError(
    `Cannot use --ensemble: one model thinks in ${plural(first!.depth.unit)}, ` +
      `another in ${plural(odd.depth.unit)}`,
  );
}

/** Models that answer together must be asked the same. */
function requireAlike(first: SavedConfig, other: SavedConfig, folder: string): void {
  const { model: { seqLen, vocabSize }, task } = first.config;
  const { model } = other.config;
  if (model.seqLen !== seqLen || model.vocabSize !== vocabSize) {
    throw new UsageError(
      `Cannot use --ensemble with "${folder}": it knows puzzles of ${model.seqLen} tokens, ` +
        `not ${seqLen}`,
    );
  }
  const tasksOf = ({ config: { task, run } }: SavedConfig) => JSON.stringify([task, run.seed]);
  if (task.kind === "arc" && tasksOf(first) !== tasksOf(other)) {
    throw new UsageError(`Cannot use --ensemble with "${folder}": it was trained on other tasks`);
  }
}
