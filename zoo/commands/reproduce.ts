/**
 * `deno task reproduce <experiment>`.
 *
 * @module
 */
import { join } from "@std/path";
import { apart, scope } from "../../core/scope.ts";
import { Interrupted, parseCommand } from "../cli/flags.ts";
import { formatDuration, print, ProgressLine, table } from "../cli/terminal.ts";
import { type ExperimentId, experiments } from "../reproduce/experiments.ts";
import { Lab, scales } from "../reproduce/lab.ts";
import { writeFinding } from "../reproduce/write.ts";
import { computeFlags, openLibrary, RUNS, userPath } from "./_shared.ts";

const ids = Object.keys(experiments) as ExperimentId[];

const declaration = {
  name: "reproduce",
  summary: "Test a claim of the article: train, measure, draw and say whether it holds",
  positionals: [{
    name: "experiment",
    optional: true,
    choices: [...ids, "all"],
    help: "which claim; all of them one after the other; a list of them if left out",
  }],
  flags: {
    preset: {
      type: "choice",
      choices: scales,
      default: "cpu",
      help: "how large: cpu ends in half an hour, paper is as published",
    },
    seeds: {
      type: "integer",
      min: 1,
      max: 100,
      default: 1,
      help: "how often each model is trained",
    },
    ...computeFlags,
    out: {
      type: "string",
      placeholder: "folder",
      help: `where to keep models and results; ${RUNS}/reproduce if left out`,
    },
  },
} as const;

/** Does one experiment or all, and leaves data, a chart and a paragraph of each. */
export async function reproduceCommand(args: readonly string[]): Promise<void> {
  const { flags, positionals: { experiment } } = parseCommand(declaration, args);
  if (experiment === undefined) {
    print(list());
    return;
  }
  print(openLibrary(flags));
  const out = join(userPath(flags.out ?? join(RUNS, "reproduce")), flags.preset);
  const chosen = experiment === "all" ? ids : [experiment as ExperimentId];
  using progress = new ProgressLine();
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  Deno.addSignalListener("SIGINT", interrupt);
  const newLab = () =>
    new Lab({
      scale: flags.preset,
      seeds: flags.seeds,
      folder: join(out, "models"),
      device: flags.device,
      report: (line) => progress.log(line),
      onStep: (what, step, steps) => progress.update(`${what}: step ${step}/${steps}`),
      signal: controller.signal,
    });
  try {
    for (const id of chosen) await reproduce(id, newLab(), flags, join(out, id), progress);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    throw new Interrupted("Stopped and saved; the same command goes on from there");
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
}

async function reproduce(
  id: ExperimentId,
  lab: Lab,
  { preset: scale, seeds }: { readonly preset: string; readonly seeds: number },
  folder: string,
  progress: ProgressLine,
): Promise<void> {
  const experiment = experiments[id];
  progress.log(`\n${id.toUpperCase()}: ${experiment.title}`);
  const began = performance.now();
  const finding = await apart(async () => {
    using _ = scope();
    return await experiment.run(lab);
  });
  const seconds = (performance.now() - began) / 1000;
  const { training } = lab;
  const text = await writeFinding(folder, experiment, finding, { id, scale, seeds, training });
  progress.log(`${text}\n${formatDuration(seconds)}; data, chart and text in "${folder}"`);
}

function list(): string {
  const rows = ids.map((id) => ({ id, title: experiments[id].title }));
  return `${table(rows, [{ key: "id" }, { key: "title", title: "claim" }])}\n\n` +
    "deno task reproduce <id> tests one";
}
