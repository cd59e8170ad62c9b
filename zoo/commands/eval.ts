/**
 * `deno task eval <recipe|run|weights>`.
 *
 * @module
 */
import { parseCommand, UsageError } from "../cli/flags.ts";
import { evaluate } from "../evaluate.ts";
import { showEvaluation } from "../show.ts";
import { heldOutPuzzles } from "../sudoku_data.ts";
import { loadWeights } from "../weights.ts";
import { computeFlags, openLibrary, userPath, weightsPath } from "./_shared.ts";

const declaration = {
  name: "eval",
  summary: "Evaluate weights on held-out puzzles",
  positionals: [{
    name: "weights",
    help: "a folder of weights, a run, or a recipe for its newest run",
  }],
  flags: {
    file: {
      type: "string",
      placeholder: "path",
      help: "puzzles to evaluate on in place of held-out ones",
    },
    puzzles: { type: "integer", min: 1, help: "how many puzzles; all if left out" },
    segments: { type: "integer", min: 1, help: "segments of thinking; as in training if left out" },
    batch: { type: "integer", min: 1, default: 256, help: "puzzles at a time" },
    ...computeFlags,
    json: { type: "boolean", help: "print one JSON object" },
  },
} as const;

/** Evaluates, and prints the scores. */
export function evalCommand(args: readonly string[]): Promise<void> {
  const { flags, positionals } = parseCommand(declaration, args);
  const path = weightsPath(positionals.weights);
  const library = openLibrary(flags);
  const { model, saved, folder } = loadWeights(path, flags.device);
  const { task, run } = saved.config;
  const testFile = flags.file === undefined ? task.testFile : userPath(flags.file);
  const testPuzzles = flags.puzzles ?? (flags.file === undefined ? task.testPuzzles : Infinity);
  if (testFile === null && testPuzzles > task.testPuzzles) {
    throw new UsageError(
      `Cannot evaluate on ${testPuzzles} puzzles: only ${task.testPuzzles} were kept out of training`,
    );
  }
  const test = heldOutPuzzles({ ...task, testFile, testPuzzles }, run.seed);
  const { device, batch: batchSize } = flags;
  const segments = flags.segments ?? model.config.haltMaxSteps;
  const evaluation = evaluate(model, test, { segments, batchSize, device });
  if (flags.json) console.log(JSON.stringify({ weights: folder, ...evaluation }));
  else console.log(`${library}\nWeights in "${folder}"\n\n${showEvaluation(evaluation)}`);
  return Promise.resolve();
}
