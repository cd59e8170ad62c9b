/**
 * `deno task zoo list|pull|verify|add`: the pretrained weights.
 *
 * @module
 */
import { join } from "@std/path";
import type { Device } from "../../core/device.ts";
import { parseCommand, UsageError } from "../cli/flags.ts";
import {
  formatBytes,
  formatCount,
  formatPercent,
  print,
  ProgressLine,
  table,
} from "../cli/terminal.ts";
import { addPretrained } from "../pretrained/add.ts";
import { obtain } from "../pretrained/fetch.ts";
import {
  entryOf,
  type PretrainedEntry,
  pretrainedIndex,
  readIndex,
  sizeBytesOf,
} from "../pretrained/index.ts";
import { contradiction, evaluateFolder, PART } from "../pretrained/measure.ts";
import { cachedFolder, cloneFolder, findPretrained, folderProblem } from "../pretrained/places.ts";
import { computeFlags, openLibrary, userPath, weightsPath } from "./_shared.ts";

const listDeclaration = {
  name: "zoo list",
  summary: "Show the pretrained weights, what they reach, and where they are",
  positionals: [],
  flags: { json: { type: "boolean", help: "print one JSON object" } },
} as const;

const pullDeclaration = {
  name: "zoo pull",
  summary: "Fetch pretrained weights into the cache, unless they are here already",
  positionals: [{ name: "name", optional: true, help: "which, as zoo list shows them" }],
  flags: {
    all: { type: "boolean", help: "all of them" },
    from: {
      type: "string",
      placeholder: "address",
      help: "a base URL or hf:owner/repo, in place of PONDER_WEIGHTS_URL; " +
        "what the clone has is fetched, too",
    },
    offline: { type: "boolean", help: "fetch nothing: fail if they are not here" },
  },
} as const;

const verifyDeclaration = {
  name: "zoo verify",
  summary: "Check the files of pretrained weights, and evaluate them against their card",
  positionals: [{ name: "name", optional: true, help: "which; all that are here if left out" }],
  flags: {
    puzzles: {
      type: "integer",
      min: 1,
      default: PART,
      help: "how many held-out puzzles; all of them must come out exactly as on the card",
    },
    folder: {
      type: "string",
      placeholder: "folder",
      help: "where an index and weights lie, in place of Ponder's own",
    },
    ...computeFlags,
    json: { type: "boolean", help: "print one JSON object" },
  },
} as const;

const addDeclaration = {
  name: "zoo add",
  summary: "Evaluate weights, and put them beside the pretrained ones with a card",
  positionals: [{
    name: "weights",
    help: "a run, for its best weights, a folder of weights, or a recipe for its newest run",
  }],
  flags: {
    name: { type: "string", placeholder: "name", help: "what to call them; as the recipe" },
    dtype: {
      type: "choice",
      choices: ["float32", "bfloat16"],
      default: "float32",
      help: "how numbers are kept",
    },
    minutes: { type: "number", min: 0.01, help: "how long it trained; as the run says" },
    hardware: {
      type: "string",
      placeholder: "text",
      help: "what it trained on; as the preset says",
    },
    replace: { type: "boolean", help: "take the place of weights of the same name" },
    folder: {
      type: "string",
      placeholder: "folder",
      help: "where the index and the weights lie; zoo/weights of the clone if left out",
    },
    ...computeFlags,
  },
} as const;

/** The commands, for the table of `zoo`. */
export const pretrainedCommands = {
  list: { summary: listDeclaration.summary, run: listCommand },
  pull: { summary: pullDeclaration.summary, run: pullCommand },
  verify: { summary: verifyDeclaration.summary, run: verifyCommand },
  add: { summary: addDeclaration.summary, run: addCommand },
} as const;

function listCommand(args: readonly string[]): Promise<void> {
  const { flags } = parseCommand(listDeclaration, args);
  const rows = Object.entries(pretrainedIndex().entries).map(([name, entry]) => {
    const found = findPretrained(entry);
    return { name, where: found?.place ?? "remote", path: found?.folder ?? null, ...entry };
  });
  if (flags.json) {
    console.log(JSON.stringify({ weights: rows }));
    return Promise.resolve();
  }
  const shown = rows.map(({ name, where, metrics, ...entry }) => ({
    ...{ name, where },
    parameters: formatCount(entry.parameters),
    exact: formatPercent(metrics.exact),
    minutes: Number(entry.minutes.toPrecision(2)),
    size: formatBytes(sizeBytesOf({ metrics, ...entry })),
  }));
  print(table(shown, [
    { key: "name" },
    { key: "parameters", align: "right" },
    { key: "exact", align: "right" },
    { key: "minutes", align: "right" },
    { key: "size", align: "right" },
    { key: "where" },
  ]));
  return Promise.resolve();
}

async function pullCommand(args: readonly string[]): Promise<void> {
  const { flags, positionals } = parseCommand(pullDeclaration, args);
  if (flags.all === (positionals.name !== undefined)) {
    throw new UsageError("Name the weights to pull, or say --all: deno task zoo list shows them");
  }
  const { entries } = pretrainedIndex();
  const names = positionals.name === undefined ? Object.keys(entries) : [positionals.name];
  for (const name of names) {
    const entry = entryOf(name);
    using progress = new ProgressLine();
    const { folder, place, fetched } = await obtain(entry, {
      ...(flags.from === undefined ? {} : { baseUrl: flags.from, clone: null }),
      offline: flags.offline,
      report: (line) => progress.log(line),
      onProgress: ({ path, received, total }) =>
        progress.update(`${path}: ${formatBytes(received)} of ${formatBytes(total)}`),
    });
    progress.finish();
    print(`${name}: ${fetched ? "fetched into" : `in the ${place} already,`} "${folder}"`);
  }
}

/** What verification found. */
interface Verdict {
  readonly name: string;
  readonly folder: string;
  readonly puzzles: number | null;
  readonly exact: number | null;
  readonly card: number;
  readonly problem: string | null;
}

function verifyCommand(args: readonly string[]): Promise<void> {
  const { flags, positionals } = parseCommand(verifyDeclaration, args);
  const root = flags.folder === undefined ? null : userPath(flags.folder);
  const index = root === null ? pretrainedIndex() : readIndex(root);
  const folderOf = (entry: PretrainedEntry) =>
    root === null ? ownFolder(entry) : join(root, entry.folder);
  const names = positionals.name === undefined
    ? Object.keys(index.entries).filter((name) => isFolder(folderOf(index.entries[name]!)))
    : [positionals.name];
  const chosen = names.map((name) => ({ name, entry: entryOf(name, index) }));
  if (chosen.length === 0) throw new Error("No weights to verify: none are on this machine");
  openLibrary(flags);
  const verdicts = chosen.map(({ name, entry }) => {
    const puzzles = Math.min(flags.puzzles, entry.metrics.puzzles);
    return verdictOn(name, entry, folderOf(entry), puzzles, flags.device);
  });
  if (flags.json) console.log(JSON.stringify({ weights: verdicts }));
  else print(showVerdicts(verdicts));
  const wrong = verdicts.filter(({ problem }) => problem !== null);
  if (wrong.length === 0) return Promise.resolve();
  const why = wrong.map(({ name, problem }) => `${name}: ${problem}`).join("\n");
  throw new Error(`${wrong.length} of ${verdicts.length} are not as the index says\n${why}`);
}

/** The files first: what is not what the index lists is not loaded. */
function verdictOn(
  name: string,
  entry: PretrainedEntry,
  folder: string,
  puzzles: number,
  device: Device,
): Verdict {
  const card = entry.metrics.exact;
  const damage = folderProblem(folder, entry);
  if (damage !== null) return { name, folder, puzzles: null, exact: null, card, problem: damage };
  const evaluation = evaluateFolder(folder, { puzzles, device });
  const { exact } = evaluation.final;
  return { name, folder, puzzles, exact, card, problem: contradiction(entry.metrics, evaluation) };
}

function showVerdicts(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ name, puzzles, exact, card, problem }) => ({
    ...{ name, puzzles },
    files: puzzles === null ? "differ" : "as listed",
    exact: exact === null ? null : formatPercent(exact),
    card: formatPercent(card),
    verdict: problem === null ? "holds" : "does not hold",
  }));
  return table(rows, [
    { key: "name" },
    { key: "files" },
    { key: "puzzles", align: "right" },
    { key: "exact", align: "right" },
    { key: "card", align: "right" },
    { key: "verdict" },
  ]);
}

/** Where an entry lies, damaged or not: in the clone if there is one, else in the cache. */
function ownFolder(entry: PretrainedEntry): string {
  const clone = cloneFolder();
  const folder = clone === null ? null : join(clone, entry.folder);
  return folder !== null && isFolder(folder) ? folder : cachedFolder(entry);
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function addCommand(args: readonly string[]): Promise<void> {
  const { flags, positionals } = parseCommand(addDeclaration, args);
  const folder = flags.folder === undefined ? cloneFolder() : userPath(flags.folder);
  if (folder === null) {
    throw new UsageError("Cannot add weights to a package: clone the repository, or say --folder");
  }
  const path = weightsPath(positionals.weights);
  openLibrary(flags);
  const { name, entry } = await addPretrained(path, { ...flags, folder });
  const { exact, puzzles } = entry.metrics;
  print(
    `${name}: ${formatCount(entry.parameters)} parameters, ` +
      `${formatPercent(exact)} of ${puzzles} held-out puzzles exact\n` +
      `${formatBytes(sizeBytesOf(entry))} and a card in "${join(folder, entry.folder)}"`,
  );
}
