/**
 * `deno task data build|inspect|download`: data sets in the official layout.
 *
 * @module
 */
import { join } from "@std/path";
import type { ArcTask, SudokuSize } from "../../tasks/mod.ts";
import { chooseCommand, Interrupted, parseCommand, UsageError } from "../cli/flags.ts";
import { formatBytes, formatDuration, print, ProgressLine } from "../cli/terminal.ts";
import { arcPlan, parseTasks } from "../data/arc.ts";
import { cachedCsv, cachedTasks, dataCache, type FetchOptions } from "../data/cache.ts";
import { contentChecksum, readTaskFiles } from "../data/files.ts";
import { generatedArc, generatedMazes, generatedSudokus } from "../data/generated.ts";
import { inspectSplits, OpenSplits, samplesOf, splitNames } from "../data/inspect.ts";
import { mazeCsvPlan } from "../data/maze.ts";
import { showInspection } from "../data/show.ts";
import { type ArchiveName, type DataName, type HubName, sources } from "../data/sources.ts";
import type { CsvFiles } from "../data/split.ts";
import { sudokuCsvPlan } from "../data/sudoku.ts";
import { type BuildWatch, type DatasetPlan, writeDataset } from "../data/write.ts";
import { requireNewFolder } from "./_requested_run.ts";
import { userPath } from "./_shared.ts";

/** Where data sets are built, beside the runs. */
const DATA = "data";

const commands = {
  build: { summary: "Write a data set in the layout of HRM and TRM", run: buildCommand },
  inspect: { summary: "Show what a data set holds", run: inspectCommand },
  download: { summary: "Fetch the files of a data set into the cache", run: downloadCommand },
} as const;

/** Runs `data build`, `data inspect` or `data download`. */
export async function dataCommand(args: readonly string[]): Promise<void> {
  const { name, rest } = chooseCommand("deno task data", commands, args);
  await commands[name].run(rest);
}

// Build

const count = (help: string, value: number) =>
  ({ type: "integer", min: 1, max: 1e8, default: value, help }) as const;
const optionalCount = (help: string) => ({ type: "integer", min: 1, max: 1e8, help }) as const;
const share = (help: string) =>
  ({ type: "number", min: 0, max: 1, default: 0, help: `the share of ${help}` }) as const;
const augmentations = (value: number, what: string) =>
  ({ type: "integer", min: 0, max: 1e5, default: value, help: what }) as const;

/** Flags of every build. */
const outFlags = {
  out: { type: "string", placeholder: "folder", help: `where to; ${DATA}/<name> if left out` },
  seed: { type: "integer", min: 0, max: 2 ** 31 - 1, default: 1, help: "where chance starts" },
} as const;

/** Flags of what is fetched. */
const fetchFlags = {
  source: { type: "string", placeholder: "path", help: "files on disk to take instead" },
  offline: { type: "boolean", help: "keep off the network" },
} as const;

/** Flags of all that is made of ARC tasks. */
const arcFlags = { aug: augmentations(1000, "augmentations to try for of each task") } as const;

/** Where to, and how to plan it. */
interface Build {
  readonly out: string | undefined;
  readonly plan: (watch: Watch) => Promise<DatasetPlan>;
}

/** Each data set with its flags. */
const builders = {
  "sudoku": (args) => {
    const { flags } = parseCommand({
      ...titled("sudoku"),
      flags: {
        size: { type: "choice", choices: ["4", "6", "9"], default: "9", help: "cells of a side" },
        "min-clues": optionalCount("the fewest clues; 4, 8 or 17 by size if left out"),
        "max-clues": optionalCount("the most clues; 10, 20 or 40 by size if left out"),
        "hard-share": share("puzzles that singles alone do not solve"),
        "hard-rating": count("the fewest backtracks of such a puzzle", 1),
        "minimal-share": share("other puzzles from which no clue can be taken away"),
        train: count("puzzles to train on", 1000),
        test: count("puzzles to test on", 1000),
        aug: augmentations(0, "rearrangements of each puzzle that is trained on"),
        ...outFlags,
      },
    }, args);
    const { train, test, aug, seed, out } = flags;
    const size = Number(flags.size) as SudokuSize;
    const [fewest, most] = ({ 4: [4, 10], 6: [8, 20], 9: [17, 40] } as const)[size];
    const minClues = flags["min-clues"] ?? Math.min(fewest, flags["max-clues"] ?? fewest);
    const maxClues = flags["max-clues"] ?? Math.max(most, minClues);
    const shares = { hardShare: flags["hard-share"], minimalShare: flags["minimal-share"] };
    if (minClues > maxClues) {
      throw new UsageError(`Cannot use --min-clues=${minClues} with --max-clues=${maxClues}`);
    }
    if (shares.hardShare + shares.minimalShare > 1) {
      throw new UsageError("Cannot use --hard-share and --minimal-share: together over 1");
    }
    const clues = { minClues, maxClues, hardRating: flags["hard-rating"], ...shares };
    const request = { size, ...clues, train, test, aug, seed };
    return { out, plan: (watch) => generatedSudokus(request, watch) };
  },
  "maze": (args) => {
    const { flags: { out, ...flags } } = parseCommand({
      ...titled("maze"),
      flags: {
        size: { type: "integer", min: 2, max: 64, default: 10, help: "rows and columns" },
        "min-path": optionalCount("the fewest steps of the shortest path; the size if left out"),
        train: count("mazes to train on", 1000),
        test: count("mazes to test on", 1000),
        aug: { type: "boolean", help: "train on all eight rotations and reflections of each" },
        ...outFlags,
      },
    }, args);
    const { size, train, test, aug, seed } = flags;
    const request = { size, minPath: flags["min-path"] ?? size, train, test, aug, seed };
    return { out, plan: (watch) => generatedMazes(request, watch) };
  },
  "arc-mini": (args) => {
    const { flags: { out, ...request } } = parseCommand({
      ...titled("arc-mini"),
      flags: {
        size: { type: "integer", min: 6, max: 30, default: 10, help: "rows and columns, at most" },
        train: count("tasks to train on, test pairs and all", 200),
        test: count("tasks of which the test pairs are kept for testing", 50),
        aug: augmentations(100, "augmentations to try for of each task"),
        ...outFlags,
      },
    }, args);
    return { out, plan: (watch) => generatedArc(request, watch) };
  },
  "sudoku-extreme": (args) => {
    const { flags } = parseCommand({
      ...titled("sudoku-extreme"),
      flags: {
        subset: count("puzzles drawn to train on", 1000),
        full: { type: "boolean", help: "train on all puzzles instead" },
        test: optionalCount("puzzles drawn to test on; all if left out"),
        "min-difficulty": { type: "integer", min: 0, help: "the least rating; any if left out" },
        aug: augmentations(1000, "rearrangements of each puzzle that is trained on"),
        ...fetchFlags,
        ...outFlags,
      },
    }, args);
    const request = {
      subset: flags.full ? null : flags.subset,
      test: flags.test ?? null,
      minDifficulty: flags["min-difficulty"] ?? null,
      aug: flags.aug,
      seed: flags.seed,
    };
    const plan = csvPlan("sudoku-extreme", flags, sudokuCsvPlan, request);
    return { out: flags.out, plan };
  },
  "maze-hard": (args) => {
    const { flags } = parseCommand({
      ...titled("maze-hard"),
      flags: {
        subset: optionalCount("mazes drawn to train on; all if left out"),
        test: optionalCount("mazes drawn to test on; all if left out"),
        aug: { type: "boolean", help: "train on all eight rotations and reflections of each" },
        ...fetchFlags,
        ...outFlags,
      },
    }, args);
    const { subset = null, test = null, aug, seed } = flags;
    const plan = csvPlan("maze-hard", flags, mazeCsvPlan, { subset, test, aug, seed });
    return { out: flags.out, plan };
  },
  "arc-1": (args) => arcBuild("arc-1", args),
  "arc-2": (args) => arcBuild("arc-2", args),
  "concept-arc": conceptArcBuild,
} as const satisfies Record<DataName, (args: readonly string[]) => Build>;

function titled(name: DataName): { readonly name: string; readonly summary: string } {
  return { name: `data build ${name}`, summary: sources[name].summary };
}

async function buildCommand(args: readonly string[]): Promise<void> {
  const { name, rest } = chooseCommand("deno task data build", sources, args);
  const { out, plan } = builders[name](rest);
  const folder = out === undefined ? join(DATA, name) : userPath(out);
  requireNewFolder(folder);
  const start = performance.now();
  const written = await attended("Stopped; nothing was written", async (watch) => {
    return await writeDataset(folder, await plan(watch), watch);
  });
  for (const split of splitNames) {
    const { totalGroups, totalPuzzles, meanPuzzleExamples } = written[split];
    const examples = Math.round(totalPuzzles! * meanPuzzleExamples);
    print(`${split}: ${totalGroups} groups, ${totalPuzzles} puzzles, ${examples} examples`);
  }
  const time = formatDuration((performance.now() - start) / 1000);
  print(`Data set in "${folder}", made in ${time}; try deno task data inspect ${folder}`);
}

/** The plan of CSV files: those in the cache, or those that the user names. */
function csvPlan<R>(
  name: HubName,
  { source, offline, test }: {
    readonly source?: string | undefined;
    readonly offline: boolean;
    readonly test?: number | undefined;
  },
  planOf: (
    files: CsvFiles,
    request: R & { readonly source: string },
    watch: BuildWatch,
  ) => Promise<DatasetPlan>,
  request: R,
): Build["plan"] {
  const { repo, revision, files: names } = sources[name];
  const given = source === undefined ? undefined : givenPath(source);
  if (given !== undefined && !given.isFolder && test === undefined) {
    throw new UsageError(`Cannot use --source="${source}" without --test: how many to test on`);
  }
  return async (watch) => {
    const files = given === undefined
      ? await cachedCsv(name, { offline, ...watch.fetching })
      : given.isFolder
      ? { train: join(given.path, names.train), test: join(given.path, names.test) }
      : { train: given.path };
    const from = given === undefined ? `${repo}@${revision}` : `files of ${given.path}`;
    return await planOf(files, { ...request, source: from }, watch);
  };
}

/** A path that the user named, which must be there. */
function givenPath(source: string): { readonly path: string; readonly isFolder: boolean } {
  const path = userPath(source);
  try {
    return { path, isFolder: Deno.statSync(path).isDirectory };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UsageError(`Cannot find --source="${source}"`);
  }
}

/** ARC-AGI, training and evaluation tasks, and those of ConceptARC where they are asked for. */
function arcBuild(name: "arc-1" | "arc-2", args: readonly string[]): Build {
  const { flags } = parseCommand({
    ...titled(name),
    flags: {
      ...arcFlags,
      "with-concept-arc": { type: "boolean", help: "train on the tasks of ConceptARC as well" },
      "concept-source": {
        type: "string",
        placeholder: "path",
        help: "the same, with its files on disk",
      },
      ...fetchFlags,
      ...outFlags,
    },
  }, args);
  const { aug, seed, out, offline } = flags;
  const conceptSource = pathOf(flags["concept-source"]), source = pathOf(flags.source);
  const withConceptArc = flags["with-concept-arc"] || conceptSource !== undefined;
  const plan = async (watch: Watch): Promise<DatasetPlan> => {
    const own = await tasksOf(name, source, offline, watch);
    const concepts = withConceptArc
      ? [await tasksOf("concept-arc", conceptSource, offline, watch)]
      : [];
    const subsets = [
      { name: "training", tasks: own.of("training"), evaluated: false },
      { name: "evaluation", tasks: own.of("evaluation"), evaluated: true },
      ...concepts.map((it) => ({ name: "concept", tasks: it.of(), evaluated: false })),
    ];
    const all = [own, ...concepts];
    const info = {
      name,
      source: all.map(({ from }) => from).join(" and "),
      licence: all.map(({ licence }) => licence).join(" and "),
      options: { aug, seed, withConceptArc },
    };
    return await arcPlan(subsets, { aug, seed, info }, watch);
  };
  return { out, plan };
}

/** ConceptARC by itself: no task is only trained on. */
function conceptArcBuild(args: readonly string[]): Build {
  const { flags } = parseCommand({
    ...titled("concept-arc"),
    flags: { ...arcFlags, ...fetchFlags, ...outFlags },
  }, args);
  const { aug, seed, out, offline } = flags;
  const source = pathOf(flags.source);
  const plan = async (watch: Watch): Promise<DatasetPlan> => {
    const { of, from, licence } = await tasksOf("concept-arc", source, offline, watch);
    const subsets = [{ name: "concept", tasks: of(), evaluated: true }];
    const info = { name: "concept-arc", source: from, licence, options: { aug, seed } };
    return await arcPlan(subsets, { aug, seed, info }, watch);
  };
  return { out, plan };
}

/** The whole path of what a flag names, which must be there. */
function pathOf(source: string | undefined): string | undefined {
  return source === undefined ? undefined : givenPath(source).path;
}

/** The tasks of a data set by subset, from the cache or from where the user says. */
async function tasksOf(
  name: ArchiveName,
  given: string | undefined,
  offline: boolean,
  watch: Watch,
): Promise<{
  readonly from: string;
  readonly licence: string;
  readonly of: (subset?: string) => ArcTask[];
}> {
  const { repo, commit, sha256, licence } = sources[name];
  const official = `${repo}@${commit.slice(0, 7)}`;
  const files = given === undefined
    ? await cachedTasks(name, { offline, ...watch.fetching })
    : await readTaskFiles(given, sources[name]);
  const isOfficial = contentChecksum(files) === sha256;
  if (!isOfficial) watch.report?.(`${given} differs from ${official}`);
  const folder = given ?? join(dataCache(), name);
  return {
    licence,
    from: isOfficial ? official : `files of ${given}`,
    of: (subset?: string) => parseTasks(files, folder, subset),
  };
}

// Download

const downloadDeclaration = {
  name: "data download",
  summary: "Fetch the files of a data set into the cache that all projects share",
  positionals: [{
    name: "name",
    help: "which data set",
    choices: Object.keys(sources) as DataName[],
  }],
  flags: fetchFlags,
} as const;

async function downloadCommand(args: readonly string[]): Promise<void> {
  const { flags, positionals: { name } } = parseCommand(downloadDeclaration, args);
  const { from } = sources[name];
  if (from === "seed") {
    throw new UsageError(
      `Cannot download ${name}: it is generated, by deno task data build ${name}`,
    );
  }
  const source = pathOf(flags.source);
  const paths = await attended("Stopped; a later download goes on", async (watch) => {
    const options = { offline: flags.offline, source, verify: true, ...watch.fetching };
    if (from === "hub") return Object.values(await cachedCsv(name as HubName, options));
    const files = await cachedTasks(name as ArchiveName, options);
    return [...files.keys()].map((path) => join(dataCache(), name, path));
  });
  const sizes: number[] = [];
  for (const path of paths) { // those that --source brought
    await Deno.stat(path).then(({ size }) => sizes.push(size), () => {});
  }
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  const { licence } = sources[name];
  print(
    `${name}: ${sizes.length} file${sizes.length === 1 ? "" : "s"}, ${formatBytes(bytes)}, in "${
      join(dataCache(), name)
    }"\n` +
      `Licence: ${licence}\nTry deno task data build ${name}`,
  );
}

// Inspect

const inspectDeclaration = {
  name: "data inspect",
  summary: "Show what a data set in the layout of HRM and TRM holds, whoever wrote it",
  positionals: [{
    name: "data",
    help: `a folder, or a name for what is built in ${DATA}/: ${Object.keys(sources).join(", ")}`,
  }],
  flags: {
    split: { type: "choice", choices: ["train", "test"], help: "one split alone" },
    samples: {
      type: "integer",
      min: 0,
      max: 1000,
      default: 1,
      help: "puzzles of each split to draw",
    },
    examples: {
      type: "integer",
      min: 1,
      default: 50_000,
      help: "examples of each split to count tokens in, evenly spread",
    },
    json: { type: "boolean", help: "print the counts as one JSON object" },
  },
} as const;

function inspectCommand(args: readonly string[]): Promise<void> {
  const { flags, positionals } = parseCommand(inspectDeclaration, args);
  const folder = builtFolder(positionals.data);
  using open = new OpenSplits(folder, flags.split === undefined ? splitNames : [flags.split]);
  const inspection = inspectSplits(open, flags.examples);
  if (flags.json) {
    console.log(JSON.stringify(inspection));
    return Promise.resolve();
  }
  print(showInspection(inspection));
  for (const [split, dataset] of Object.entries(open.sets)) {
    for (const { title, drawing } of samplesOf(dataset, flags.samples)) {
      print(`\n${split}, ${title}\n${drawing}`);
    }
  }
  return Promise.resolve();
}

/** The folder that a user names by a data set that is built, or by its path. */
function builtFolder(name: string): string {
  const built = join(DATA, name), path = userPath(name);
  if (Object.hasOwn(sources, name) && isFolder(built)) return built;
  if (isFolder(path)) return path;
  const hint = Object.hasOwn(sources, name)
    ? `build it by deno task data build ${name}`
    : `neither a folder nor one of: ${Object.keys(sources).join(", ")}`;
  throw new UsageError(`No data set "${name}": ${hint}`);
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

// All

/** What long work tells of itself, and what ends it. */
interface Watch extends BuildWatch {
  /** The same for what is fetched. */
  readonly fetching: Pick<FetchOptions, "report" | "onProgress" | "signal">;
}

/** Runs long work with a line of progress; Ctrl-C ends it cleanly. */
async function attended<T>(stopped: string, work: (watch: Watch) => Promise<T>): Promise<T> {
  using progress = new ProgressLine();
  const controller = new AbortController(), { signal } = controller;
  const interrupt = () => {
    if (signal.aborted) Deno.exit(130);
    controller.abort(new Interrupted(stopped));
  };
  const report = (line: string) => progress.log(line);
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    return await work({
      ...{ report, signal },
      onProgress: (line) => progress.update(line),
      fetching: {
        ...{ report, signal },
        onProgress: ({ what, received, total }) => {
          const of = total === undefined ? "" : ` of ${formatBytes(total)}`;
          progress.update(`${what}: ${formatBytes(received)}${of}`);
        },
      },
    });
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
  }
}
