/**
 * ARC: tasks of our own, or those of a folder or file. A model learns each task by an
 * embedding of its own, from the demonstrations, and is asked its test pairs.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { isFile } from "../../core/io/file.ts";
import { Random } from "../../core/random.ts";
import {
  type ArcAugmentation,
  type ArcGrid,
  arcGridKey,
  type ArcMiniFamilyName,
  type ArcPuzzlePlan,
  arcRows,
  arcSeqLen,
  type ArcTask,
  arcTrainGroups,
  arcVocabSize,
  augmentArcGrid,
  cropArcGrid,
  drawArcTask,
  encodeArcGrid,
  formatArcGrid,
  generateArcMini,
  identityArcAugmentation,
  ignoredLabel,
  invertArcAugmentation,
  parseArcChallenges,
  parseArcIdentifier,
  parseArcTask,
  planArcPuzzles,
  writePuzzleDataset,
} from "../../tasks/mod.ts";
import type { ArcConfig } from "../recipe.ts";
import { datasetSampler, isDatasetFolder } from "./_folder.ts";
import { readText } from "./_shared.ts";
import type { Judgement, Puzzle, Task, Tokens, Variant } from "./task.ts";

// Random streams of one seed, apart from the model's (0) and exploration's (1).
const TASK_STREAM = 2, TEST_STREAM = 3, AUGMENT_STREAM = 6, OFFSET_STREAM = 7;

/** Where data sets are built, beside the runs. */
const DATA = "data";

/** A test pair of a task, or of an augmentation of it; the rating is the cells of its output. */
export interface ArcQuestion extends Puzzle {
  /** The task, not augmented. */
  readonly task: ArcTask;
  /** Which of its test pairs. */
  readonly test: number;
  /** What was done to the pair. */
  readonly augmentation: ArcAugmentation;
  /** Which puzzle the augmented task is to the puzzle embedding. */
  readonly identifier: number;
  /** The identifier of the task itself; those of its augmentations follow. */
  readonly firstIdentifier: number;
  /** The names of the task and its augmentations. */
  readonly names: readonly string[];
}

/** The tasks that a config describes. */
export function arcTask(config: ArcConfig): Task<ArcQuestion> {
  const { size } = config;
  let known: { readonly seed: number; readonly plan: ArcPuzzlePlan } | null = null;
  const planOf = (seed: number): ArcPuzzlePlan => {
    if (known?.seed !== seed) known = { seed, plan: planTasks(config, seed) };
    return known.plan;
  };
  const heldOut = (seed: number) => questionsOf(planOf(seed));
  return {
    title: `ARC of up to ${size}×${size}`,
    seqLen: arcSeqLen(size),
    vocabSize: arcVocabSize,
    numPuzzleIdentifiers: 1 + (config.trainPuzzles + config.testPuzzles) *
        (1 + config.augmentations),
    ratingTitle: "cells",
    heldOut,
    prepare: async (seed, report) => await buildDataset(config, seed, () => planOf(seed), report),
    load: (seed, report) => {
      const test = heldOut(seed);
      report(`Held out ${test.length} test pairs of ${config.testPuzzles} tasks`);
      return { train: datasetSampler(datasetFolder(config, seed), seed), test };
    },
    encode: (question) => encoded(question, size),
    decode: (tokens) => bytesOf(cropArcGrid(tokens)),
    judge,
    vary: varied,
    read: (text, seed) => {
      const questions = heldOut(seed);
      const found = questions.find(({ task }) => task.name === text);
      if (found !== undefined) return found;
      const names = questions.slice(0, 4).map(({ task }) => task.name).join(", ");
      throw new TypeError(
        `Cannot solve "${text}": a model knows the tasks that it was trained on alone, ${names}, …`,
      );
    },
    draw: (question, answer) => draw(question, gridOf(answer)),
    format: (answer) => formatArcGrid(gridOf(answer)),
    question: (question) => bytesOf(pairOf(question).input),
    group: ({ task }) => task.name,
    submission,
  };
}

/** The tasks, their augmentations and their identifiers. */
function planTasks(config: ArcConfig, seed: number): ArcPuzzlePlan {
  const { augmentations, size, trainPuzzles, testPuzzles, trainFile, testFile } = config;
  const tasks = (file: string | null, count: number, stream: number) =>
    file === null
      ? generated(config, count, new Random(seed, stream))
      : readTasks(file).slice(0, count);
  const training = tasks(trainFile, trainPuzzles, TASK_STREAM);
  const evaluation = tasks(testFile, testPuzzles, TEST_STREAM);
  return planArcPuzzles(new Random(seed, AUGMENT_STREAM), [
    { name: "training", tasks: training, evaluated: false },
    { name: "evaluation", tasks: evaluation, evaluated: true },
  ], { size, augmentations });
}

function generated({ size, families }: ArcConfig, count: number, random: Random): ArcTask[] {
  const options = { size, ...(families === "" ? {} : { families: familiesOf(families) }) };
  const names = new Set<string>();
  const tasks: ArcTask[] = [];
  while (tasks.length < count) {
    const task = generateArcMini(random, options);
    if (names.has(task.name)) continue;
    names.add(task.name);
    tasks.push(task);
  }
  return tasks;
}

function familiesOf(families: string): ArcMiniFamilyName[] {
  return families.split(",") as ArcMiniFamilyName[]; // validated with the config
}

/** The tasks of a folder of JSON files, or of a file of many with its solutions beside it. */
export function readTasks(path: string): ArcTask[] {
  if (path.endsWith(".json")) {
    const solutions = path.replace("challenges", "solutions");
    const challenges = { text: readText(path), file: path };
    if (solutions === path || !isFile(solutions)) return parseArcChallenges(challenges);
    return parseArcChallenges(challenges, { text: readText(solutions), file: solutions });
  }
  const names = [...Deno.readDirSync(path)].map(({ name }) => name);
  const files = names.filter((name) => name.endsWith(".json")).sort();
  if (files.length === 0) throw new TypeError(`Cannot use "${path}": it has no JSON files`);
  return files.map((name) => parseArcTask(readText(join(path, name)), join(path, name)));
}

// The data set to train on, in the official layout

/** Where the training set of a config and a seed is built. */
function datasetFolder(config: ArcConfig, seed: number): string {
  const { testPuzzles, trainPuzzles, ...rest } = config;
  const key = JSON.stringify({ ...rest, testPuzzles, trainPuzzles, seed });
  const hash = createHash("sha256").update(key).digest("hex").slice(0, 12);
  return join(DATA, `arc-${config.trainFile === null ? "mini-" : ""}${config.size}-${hash}`);
}

async function buildDataset(
  config: ArcConfig,
  seed: number,
  plan: () => ArcPuzzlePlan,
  report: (line: string) => void,
): Promise<void> {
  const folder = datasetFolder(config, seed);
  if (isDatasetFolder(folder, "train")) return;
  const { size, identifiers, train, tasks } = plan();
  report(
    `Building ${train.examples} examples of ${tasks.length} tasks in ${train.puzzles} ` +
      `arrangements in "${folder}"`,
  );
  const groups = arcTrainGroups(new Random(seed, OFFSET_STREAM), plan());
  const spec = { vocabSize: arcVocabSize, seqLen: arcSeqLen(size), identifiers };
  try {
    await writePuzzleDataset(folder, "train", groups, spec);
  } catch (error) {
    if (!isDatasetFolder(folder, "train")) throw error; // else another process was quicker
  }
}

// Questions

function questionsOf({ identifiers, tasks }: ArcPuzzlePlan): ArcQuestion[] {
  return tasks.filter(({ evaluated }) => evaluated).flatMap(
    ({ task, firstIdentifier, numPuzzles }) => {
      const names = identifiers.slice(firstIdentifier, firstIdentifier + numPuzzles);
      return task.test.map((pair, test): ArcQuestion => ({
        task,
        test,
        augmentation: identityArcAugmentation(),
        identifier: firstIdentifier,
        firstIdentifier,
        names,
        rating: pair.output?.cells.length ?? 0,
      }));
    },
  );
}

/** The pair that is asked, augmented. */
function pairOf({ task, test, augmentation }: ArcQuestion): {
  readonly input: ArcGrid;
  readonly output: ArcGrid | null;
} {
  const { input, output } = task.test[test]!;
  return {
    input: augmentArcGrid(augmentation, input),
    output: output === null ? null : augmentArcGrid(augmentation, output),
  };
}

function encoded(question: ArcQuestion, size: number): Tokens {
  const { input, output } = pairOf(question);
  const inputs = encodeArcGrid(input, { size });
  const labels = output === null
    ? new Int32Array(inputs.length).fill(ignoredLabel)
    : Int32Array.from(encodeArcGrid(output, { size }), (token) =>
      token === 0 ? ignoredLabel : token);
  return { inputs, labels, puzzleIdentifier: question.identifier };
}

/** The task itself and its augmentations, which the model was trained on as well. */
function varied(question: ArcQuestion, count: number): Variant<ArcQuestion>[] {
  return question.names.slice(0, count).map((name, i) => {
    const { augmentation } = parseArcIdentifier(name);
    const inverse = invertArcAugmentation(augmentation);
    return {
      puzzle: { ...question, augmentation, identifier: question.firstIdentifier + i },
      undo: (answer: Uint8Array) => bytesOf(augmentArcGrid(inverse, gridOf(answer))),
    };
  });
}

/** Only the output itself obeys the rule of a task, so that exact and valid are one. */
function judge(question: ArcQuestion, answer: Uint8Array): Judgement {
  const { output } = pairOf(question);
  const grid = gridOf(answer);
  if (output === null) {
    return { exact: false, valid: false, cells: 0, cellsRight: 0, blanks: 0, blanksRight: 0 };
  }
  const cells = output.cells.length;
  const cellsRight = output.cells.reduce((sum, colour, cell) => {
    const row = Math.floor(cell / output.columns), column = cell % output.columns;
    const isInside = row < grid.rows && column < grid.columns;
    return sum + (isInside && grid.cells[row * grid.columns + column] === colour ? 1 : 0);
  }, 0);
  const exact = arcGridKey(grid) === arcGridKey(output);
  return { exact, valid: exact, cells, cellsRight, blanks: cells, blanksRight: cellsRight };
}

/** Two attempts for each test pair by task: the form of the Kaggle competitions. */
function submission(
  questions: readonly ArcQuestion[],
  ranked: readonly (readonly Uint8Array[])[],
): Record<string, { attempt_1: number[][]; attempt_2: number[][] }[]> {
  const rowsOf = (answer: Uint8Array) => {
    const grid = gridOf(answer);
    return grid.cells.length === 0 ? [[0]] : arcRows(grid); // no empty grid is allowed
  };
  const byTask: Record<string, { attempt_1: number[][]; attempt_2: number[][] }[]> = {};
  questions.forEach(({ task: { name } }, i) => {
    const [first, second = first] = ranked[i]!;
    (byTask[name] ??= []).push({ attempt_1: rowsOf(first!), attempt_2: rowsOf(second!) });
  });
  return byTask;
}

/** A grid as bytes: rows, columns, colours. */
function bytesOf({ rows, columns, cells }: ArcGrid): Uint8Array {
  return Uint8Array.of(rows, columns, ...cells);
}

function gridOf(bytes: Uint8Array): ArcGrid {
  return { rows: bytes[0]!, columns: bytes[1]!, cells: bytes.subarray(2) };
}

function draw({ task, test }: ArcQuestion, answer: ArcGrid): string {
  const asked = { ...task, test: [task.test[test]!] };
  return drawArcTask(asked, { predictions: [answer] });
}
