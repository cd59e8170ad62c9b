/**
 * `deno task compare <task> [weights…]`.
 *
 * @module
 */
import { dirname, join } from "@std/path";
import type { Device } from "../../core/device.ts";
import { writeFileAtomic } from "../../core/io/file.ts";
import { Interrupted, parseCommand, unknownName, UsageError } from "../cli/flags.ts";
import { print, printError, ProgressLine } from "../cli/terminal.ts";
import { matches } from "../compare/match.ts";
import { type Measurement, measureWeights } from "../compare/measure.ts";
import { comparisonPage } from "../compare/page.ts";
import { type ComparisonRun, comparisonRuns, finalWeights } from "../compare/plan.ts";
import { type Comparison, runKey, sectionsOf } from "../compare/rows.ts";
import { comparisonText } from "../compare/text.ts";
import { pretrainedIndex } from "../pretrained/index.ts";
import { findPretrained } from "../pretrained/places.ts";
import { publishedOf } from "../published.ts";
import { models } from "../recipes/models.ts";
import type { TaskData } from "../tasks/task.ts";
import { makeTask, taskKinds } from "../tasks/tasks.ts";
import { presetProblem } from "../validate.ts";
import { readConfig } from "../weights.ts";
import { newRun } from "./_requested_run.ts";
import { computeFlags, openLibrary, RUNS, userPath, weightsPath } from "./_shared.ts";
import { trainVisibly } from "./_visible_training.ts";
import { fieldsOf } from "./train.ts";

const declaration = {
  name: "compare",
  summary: "Hold models against each other: what they reach, and what they cost",
  positionals: [
    { name: "task", help: "what they solve", choices: taskKinds },
    {
      name: "weights",
      optional: true,
      rest: true,
      help: "folders of weights, runs or names, seeds of one model together; all pretrained " +
        "weights for the task if left out",
    },
  ],
  flags: {
    models: { type: "string", placeholder: "a,b,…", help: "these models only" },
    puzzles: { type: "integer", min: 1, help: "how many held-out puzzles; all if left out" },
    train: {
      type: "boolean",
      help: `train what is missing in ${RUNS}/compare/, and compare that`,
    },
    preset: { type: "string", placeholder: "name", help: "of what is trained; tiny if left out" },
    seeds: { type: "integer", min: 1, max: 100, help: "of what is trained; 3 if left out" },
    match: {
      type: "choice",
      choices: matches,
      help: "train each as its recipe says, with layers for as many parameters as HRM, or with " +
        "steps for as much compute; recipe if left out",
    },
    ...computeFlags,
    html: { type: "string", placeholder: "file", help: "write a page with charts" },
    json: { type: "boolean", help: "print one JSON object" },
  },
  groups: {
    optim: { help: `the optimisation of what is trained: ${fieldsOf("optim")}` },
    task: { help: `its puzzles: ${fieldsOf("task")}` },
    run: { help: `its runs: ${fieldsOf("run")}` },
  },
} as const;

/** What the command line says. */
type Asked = ReturnType<typeof parsed>;

function parsed(args: readonly string[]) {
  return parseCommand(declaration, args);
}

/** Measures weights, having trained those that are missing if told to, and shows all side by side. */
export async function compareCommand(args: readonly string[]): Promise<void> {
  const asked = parsed(args);
  const { flags, positionals: { task } } = asked;
  requireUse(asked);
  const runs = flags.train ? wantedRuns(asked) : null;
  const folders = runs?.map(finalWeights) ?? weightsFolders(asked);
  const library = openLibrary(flags);
  if (runs !== null) await trainMissing(runs, flags.device);
  const comparison: Comparison = {
    task,
    sections: sectionsOf(measureAll(folders, flags)),
    published: publishedOf(task),
  };
  if (flags.html !== undefined) {
    const file = userPath(flags.html);
    await Deno.mkdir(dirname(file), { recursive: true });
    await writeFileAtomic(file, await comparisonPage(comparison));
  }
  if (flags.json) console.log(JSON.stringify(comparison));
  else print(`${library}\n\n${comparisonText(comparison)}`);
}

/** Refuses flags that would have no effect. */
function requireUse({ flags, positionals: { weights }, groups }: Asked): void {
  const { optim, task, run } = groups;
  if (flags.train) {
    if (weights.length > 0) throw new UsageError("Cannot use --train with weights that are named");
    if (run.has("seed")) throw new UsageError("Cannot change --run.seed: --seeds says how many");
    return;
  }
  const training =
    (["preset", "seeds", "match"] as const).find((name) => flags[name] !== undefined) ??
      Object.entries({ optim, task, run }).flatMap(([group, fields]) =>
        [...fields.keys()].map((field) => `${group}.${field}`)
      )[0];
  if (training !== undefined) throw new UsageError(`Cannot use --${training} without --train`);
  if (flags.models !== undefined && weights.length > 0) {
    throw new UsageError("Cannot use --models with weights that are named");
  }
}

/** The models that are asked for. */
function wantedModels({ flags: { models: text } }: Asked): string[] {
  const known = Object.keys(models);
  if (text === undefined) return known;
  const names = [...new Set(text.split(",").map((name) => name.trim()))];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw unknownName("model", unknown, known);
  return names;
}

// Weights that are there

/** The folders that are named, or those of all pretrained weights for the task. */
function weightsFolders(asked: Asked): string[] {
  const { task, weights } = asked.positionals;
  if (weights.length === 0) return pretrainedFolders(asked);
  const folders = weights.map(weightsPath).map((path) =>
    path.endsWith(".safetensors") ? dirname(path) : path
  );
  requireComparable(task, folders);
  return folders;
}

function pretrainedFolders(asked: Asked): string[] {
  const { task } = asked.positionals;
  const wanted = wantedModels(asked).map((model) => `${model}-${task}`);
  const named = Object.entries(pretrainedIndex().entries)
    .filter(([, { recipe }]) => wanted.includes(recipe))
    .map(([name, entry]) => ({ name, folder: findPretrained(entry)?.folder }));
  const missing = named.filter(({ folder }) => folder === undefined).map(({ name }) => name);
  if (missing.length > 0) {
    printError(
      `Not on this machine: ${missing.join(", ")}; deno task zoo pull --all fetches them`,
    );
  }
  const folders = named.flatMap(({ folder }) => folder === undefined ? [] : [folder]);
  if (folders.length > 0) return folders;
  throw new UsageError(
    `No pretrained weights for ${wanted.join(", ")} on this machine: name some, or say --train`,
  );
}

/** Refuses weights for another task, and those of one run twice. */
function requireComparable(task: string, folders: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const folder of folders) {
    const saved = readConfig(folder);
    const { kind } = saved.config.task;
    if (kind !== task) {
      throw new UsageError(`Cannot compare "${folder}" on ${task}: it is for ${kind}`);
    }
    const run = `${runKey(saved)} ${saved.config.run.seed}`;
    if (seen.has(run)) {
      throw new UsageError(
        `Cannot compare "${folder}" with "${seen.get(run)}": they are one run, from one seed`,
      );
    }
    seen.set(run, folder);
  }
}

function measureAll(
  folders: readonly string[],
  options: Parameters<typeof measureWeights>[1],
): Measurement[] {
  using progress = new ProgressLine();
  return folders.map((folder, i) => {
    progress.update(`Measuring ${i + 1} of ${folders.length}: ${folder}`);
    return measureWeights(folder, options);
  });
}

// Weights that are trained

/** The runs that the flags ask for. */
function wantedRuns(asked: Asked): ComparisonRun[] {
  const { flags, positionals: { task }, groups } = asked;
  const { preset = "tiny", seeds = 3, match = "recipe", device } = flags;
  const runs = comparisonRuns({
    ...{ task, seeds, preset, match },
    models: wantedModels(asked),
    folder: join(RUNS, "compare"),
    configOf: (recipe, seed) =>
      newRun(recipe, { preset, seed, device }, { ...groups, model: new Map() }),
  });
  for (const { saved } of runs) {
    const problem = presetProblem(saved.config);
    if (problem !== null) throw new UsageError(problem);
  }
  return runs;
}

/** Trains what is not done yet, one run after the other. */
async function trainMissing(runs: readonly ComparisonRun[], device: Device): Promise<void> {
  const progress = new ProgressLine();
  const missing = runs.filter(({ state }) => state !== "finished");
  progress.log(`${runs.length - missing.length} of ${runs.length} runs are done`);
  let last: { key: string; data: TaskData } | undefined;
  for (const [i, { model, saved, folder, state }] of missing.entries()) {
    const { task: config, run: { seed, steps } } = saved.config;
    const key = JSON.stringify([config, seed]);
    if (last?.key !== key) {
      const task = makeTask(config);
      await task.prepare?.(seed, () => {});
      last = { key, data: task.load(seed, () => {}) };
    }
    progress.log(
      `Run ${i + 1} of ${missing.length}: ${model}, seed ${seed}, ${steps} steps` +
        (state === "unfinished" ? ", resumed" : ""),
    );
    const { data } = last;
    const result = await trainVisibly({
      saved,
      data,
      folder,
      device,
      resume: state === "unfinished",
    });
    if (result.evaluation === null) {
      throw new Interrupted(`Stopped at step ${result.step} and saved; the same command goes on`);
    }
  }
}
