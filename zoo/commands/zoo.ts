/**
 * `deno task zoo`: the pretrained weights (`_pretrained.ts`); `import` and `export`:
 * weights from the official code, and back to it.
 *
 * @module
 */
import { parse, stringify } from "@std/yaml";
import { basename, dirname, join } from "@std/path";
import { writeFileAtomic } from "../../core/io/file.ts";
import { decodeTorchFile, encodeTorchFile } from "../../core/io/torch_file.ts";
import { countParameters, loadStateDict, stateDict } from "../../core/nn/module.ts";
import { scope } from "../../core/scope.ts";
import { makeModel, type ModelConfig } from "../../models/family.ts";
import { chooseCommand, parseCommand, UsageError } from "../cli/flags.ts";
import { formatBytes, formatCount, print, ProgressLine } from "../cli/terminal.ts";
import { downloadFromHub, isHubAddress, parseHubAddress } from "../hub.ts";
import { fromOfficial, type OfficialCheckpoint, toOfficial } from "../official.ts";
import type { Preset } from "../recipe.ts";
import { recipes } from "../recipes.ts";
import { presetProblem } from "../validate.ts";
import {
  loadWeights,
  NoRandom,
  readFrom,
  savedConfig,
  saveWeights,
  WEIGHT_PREFIX,
} from "../weights.ts";
import { describeDepth } from "./_describe.ts";
import { pretrainedCommands } from "./_pretrained.ts";
import { requireNewFolder, timestamp } from "./_requested_run.ts";
import { openLibrary, RUNS, userPath, weightsPath } from "./_shared.ts";

/** What the official training writes beside a checkpoint. */
const SETTINGS = "all_config.yaml";

const importDeclaration = {
  name: "zoo import",
  summary: "Take over a checkpoint of the official HRM, TRM or baseline code",
  positionals: [{
    name: "checkpoint",
    help: "a file that torch.save wrote, or hf:owner/repo[@revision][/file]",
  }],
  flags: {
    config: {
      type: "string",
      placeholder: "file",
      help: `its settings; ${SETTINGS} beside it if left out`,
    },
    "seq-len": {
      type: "integer",
      min: 1,
      max: 2 ** 20,
      help: "tokens of a puzzle; those of the published set with as many kinds if left out",
    },
    out: { type: "string", placeholder: "folder", help: `where to; a new one in ${RUNS}/` },
  },
} as const;

const exportDeclaration = {
  name: "zoo export",
  summary: "Write weights as the official code does, with its settings beside them",
  positionals: [{
    name: "weights",
    help: "a folder of weights, a run, or a recipe: its newest run, else pretrained weights",
  }],
  flags: {
    out: { type: "string", placeholder: "file", default: "checkpoint.pt", help: "the file" },
    uncompiled: {
      type: "boolean",
      help: "name the tensors as a model does that was not compiled",
    },
  },
} as const;

const commands = {
  ...pretrainedCommands,
  import: { summary: importDeclaration.summary, run: importCommand },
  export: { summary: exportDeclaration.summary, run: exportCommand },
} as const;

/** Runs a command of `zoo`. */
export async function zooCommand(args: readonly string[]): Promise<void> {
  const { name, rest } = chooseCommand("deno task zoo", commands, args);
  await commands[name].run(rest);
}

async function importCommand(args: readonly string[]): Promise<void> {
  const { flags, positionals } = parseCommand(importDeclaration, args);
  const file = isHubAddress(positionals.checkpoint)
    ? await fetchCheckpoint(positionals.checkpoint)
    : userPath(positionals.checkpoint);
  const settingsFile = flags.config === undefined
    ? join(dirname(file), SETTINGS)
    : userPath(flags.config);
  const settings = readFrom(settingsFile, () => parse(readText(settingsFile)));
  const state = await decodeTorchFile(Deno.readFileSync(file), { fileName: file });
  const official = readFrom(
    file,
    () => fromOfficial(state, settings, { seqLen: flags["seq-len"] }),
  );
  const { recipe, preset } = presetOf(official);
  const problem = presetProblem(preset);
  if (problem !== null) throw new SyntaxError(`Cannot use "${settingsFile}": ${problem}`);

  const folder = userPath(flags.out ?? join(RUNS, recipe, timestamp()));
  requireNewFolder(folder);
  openLibrary({ device: "cpu" });
  using _ = scope();
  const model = makeModel(official.model, { random: new NoRandom(0) });
  readFrom(file, () => loadStateDict(model, official.weights, WEIGHT_PREFIX));
  const saved = savedConfig(recipe, "imported", preset);
  await saveWeights(folder, stateDict(model, WEIGHT_PREFIX), saved);
  print(
    `${formatCount(countParameters(model))} parameters, ${describeDepth(official.model)}\n` +
      `Weights in "${folder}"; try deno task eval "${folder}"`,
  );
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new Deno.errors.NotFound(
      `Cannot find the settings "${path}": name them by --config`,
      { cause },
    );
  }
}

/** The recipe that has such a model and such puzzles, and its published preset made the checkpoint's. */
function presetOf({ model, optim }: OfficialCheckpoint): { recipe: string; preset: Preset } {
  for (const [recipe, { presets }] of Object.entries(recipes)) {
    const paper = presets["paper"]!;
    if (!isAlike(paper.model, model)) continue;
    const fitting = [paper, ...Object.values(presets)].find(({ model: { seqLen, vocabSize } }) =>
      seqLen === model.seqLen && vocabSize === model.vocabSize
    );
    if (fitting === undefined) continue;
    const { task } = fitting;
    return { recipe, preset: { ...paper, task, model, optim: { ...paper.optim, ...optim } } };
  }
  throw new SyntaxError(
    `Cannot import a model of ${model.seqLen} tokens of ${model.vocabSize} kinds: ` +
      `no recipe has such puzzles`,
  );
}

/** Whether both are of one kind, and mix positions alike. */
function isAlike(a: ModelConfig, b: ModelConfig): boolean {
  return a.kind === b.kind && (a.kind !== "trm" || b.kind !== "trm" || a.mixer === b.mixer);
}

/** Downloads a checkpoint and its settings, and says where the first is. */
async function fetchCheckpoint(address: string): Promise<string> {
  const { repo, revision, file } = parseHubAddress(address);
  const folder = join(RUNS, "hub", repo.replaceAll("/", "--"));
  using progress = new ProgressLine();
  const fetched = await downloadFromHub(repo, {
    folder,
    revision,
    files: file === undefined ? undefined : [file],
    report: (line) => progress.log(line),
    onProgress: ({ path, received, total }) =>
      progress.update(`${path}: ${formatBytes(received)} of ${formatBytes(total)}`),
  });
  progress.finish();
  const checkpoint = fetched.find(({ path }) => basename(path) !== SETTINGS);
  if (checkpoint === undefined) throw new UsageError(`No checkpoint in ${address}`);
  return checkpoint.file;
}

async function exportCommand(args: readonly string[]): Promise<void> {
  const { flags, positionals } = parseCommand(exportDeclaration, args);
  const file = userPath(flags.out);
  const settingsFile = join(dirname(file), SETTINGS);
  for (const path of [file, settingsFile]) requireMissing(path);
  openLibrary({ device: "cpu" });
  using _ = scope();
  const { model, saved: { config } } = loadWeights(weightsPath(positionals.weights));
  const { state, settings } = toOfficial(
    config.model,
    stateDict(model, WEIGHT_PREFIX),
    config.optim,
    { compiled: !flags.uncompiled },
  );
  const bytes = await encodeTorchFile(state);
  await Deno.mkdir(dirname(file), { recursive: true });
  await writeFileAtomic(file, bytes);
  await writeFileAtomic(settingsFile, stringify(settings));
  print(
    `${state.size} tensors, ${
      formatBytes(bytes.length)
    }, in "${file}"; settings in "${settingsFile}"`,
  );
}

/** Refuses to write over what is there. */
function requireMissing(path: string): void {
  try {
    Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  throw new UsageError(`Cannot write "${path}": it is there already; name another by --out`);
}
