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
  type ArcOffset,
  arcOrigin,
  type ArcPlannedTask,
  type ArcPuzzlePlan,
  arcRows,
  arcSeqLen,
  type ArcTask,
  type ArcTestPair,
  arcTrainGroups,
  arcVocabSize,
  augmentArcGrid,
  cropArcGrid,
  drawArcGrid,
  drawArcOffset,
  drawArcPairs,
  drawArcTask,
  encodeArcGrid,
  formatArcGrid,
  generateArcMini,
  identityArcAugmentation,
  ignoredLabel,
  invertArcAugmentation,
  parseArcChallenges,
  parseArcGrid,
  parseArcIdentifier,
  parseArcTask,
  planArcPuzzles,
  writePuzzleDataset,
} from "../../tasks/mod.ts";
import { colours } from "../cli/terminal.ts";
import type { ArcConfig } from "../recipe.ts";
import { datasetSampler, isDatasetFolder } from "./_folder.ts";
import { chosen, readText } from "./_shared.ts";
import {
  type Judgement,
  type Lesson,
  type Puzzle,
  type ReadOptions,
  type Sketch,
  type Task,
  tokenBatch,
  type Tokens,
  type Variant,
} from "./task.ts";

// Random streams of one seed, apart from the model's (0) and exploration's (1).
const TASK_STREAM = 2, TEST_STREAM = 3, AUGMENT_STREAM = 6, OFFSET_STREAM = 7;
/** Streams from here on belong to the steps of a lesson, one each. */
const LESSON_STREAM = 1 << 16;

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
    read: (text, seed, options) => readQuestion(text, planOf(seed), options),
    lesson: (question, seed) => lesson(question, size, seed),
    draw: (question, answer, changed) => draw(question, gridOf(answer), changed),
    legend: "a to j are 0 to 9 where they are wrong",
    changed: (answer, before) => changedCells(gridOf(answer), gridOf(before)),
    format: (answer) => formatArcGrid(gridOf(answer)),
    question: (question) => bytesOf(pairOf(question).input),
    sketch: (answer) => sketch(gridOf(answer)),
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

function generated(
  { size, families, minPairs, maxPairs }: ArcConfig,
  count: number,
  random: Random,
): ArcTask[] {
  const pairs = [minPairs, maxPairs] as const;
  const options = { size, pairs, ...(families === "" ? {} : { families: familiesOf(families) }) };
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

/** The test pairs of the tasks that are evaluated. */
function questionsOf({ identifiers, tasks }: ArcPuzzlePlan): ArcQuestion[] {
  return tasks.filter(({ evaluated }) => evaluated)
    .flatMap((planned) => questionsOfTask(planned, identifiers));
}

function questionsOfTask(
  { task, firstIdentifier, numPuzzles }: Omit<ArcPlannedTask, "evaluated">,
  identifiers: readonly string[],
): ArcQuestion[] {
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
}

// Questions of a user

/** The identifier of no task in training; the puzzle embedding of a new task takes its place. */
const NEW_TASK = 0;

/** What a name asks of a known task; or a test pair of the task in a file, known or new. */
function readQuestion(
  text: string,
  plan: ArcPuzzlePlan,
  options: ReadOptions = {},
): ArcQuestion {
  const { file } = options;
  if (file === undefined) return chosen(namedQuestions(text, plan), options);
  const { identifiers, tasks, size } = plan;
  const task = parseArcTask(text, file);
  requireSize(task, size, file);
  const known = tasks.find((planned) => demonstrationKey(planned.task) === demonstrationKey(task));
  const planned = known ?? { firstIdentifier: NEW_TASK, numPuzzles: 1 };
  return chosen(questionsOfTask({ ...planned, task }, identifiers), options);
}

/** The test pairs of a known task, `name`; or a grid that its rule is asked instead, `name:012/340`. */
function namedQuestions(text: string, { identifiers, tasks, size }: ArcPuzzlePlan): ArcQuestion[] {
  const withName = (name: string) => tasks.find(({ task }) => task.name === name);
  const named = withName(text);
  if (named !== undefined) return questionsOfTask(named, identifiers);
  const end = text.lastIndexOf(":");
  const rule = withName(text.slice(0, Math.max(0, end)));
  if (rule !== undefined) {
    const task = {
      ...rule.task,
      test: [{ input: parseArcGrid(text.slice(end + 1)), output: null }],
    };
    requireSize(task, size, task.name);
    return questionsOfTask({ ...rule, task }, identifiers);
  }
  const names = tasks.filter(({ evaluated }) => evaluated).slice(0, 4).map(({ task }) => task.name);
  throw new TypeError(
    `Cannot find "${text}": expected the path of a task in JSON, or the name of a task that the ` +
      `model was trained on, ${names.join(", ")}, …; a grid of your own may follow it, :012/340`,
  );
}

function requireSize({ train, test }: ArcTask, size: number, file: string): void {
  const grids = [...train, ...test].flatMap(({ input, output }) => [input, output ?? input]);
  const large = grids.find(({ rows, columns }) => Math.max(rows, columns) > size);
  if (large === undefined) return;
  throw new TypeError(
    `Cannot solve "${file}": it has a grid of ${large.rows}×${large.columns}, these weights know ` +
      `up to ${size}×${size}; give weights of a larger --task.size`,
  );
}

/** Equal for tasks that show the same pairs, in any order. */
function demonstrationKey({ train }: ArcTask): string {
  return train.map(({ input, output }) => arcGridKey(input) + arcGridKey(output)).sort().join("");
}

/** The demonstrations of a task that the model was not trained on. */
function lesson(
  question: ArcQuestion,
  size: number,
  seed: number,
): Lesson<ArcQuestion> | null {
  const { task: { name, train }, identifier } = question;
  if (identifier !== NEW_TASK) return null;
  const task = { name, train, test: train };
  return {
    batches: {
      batch: (step, rows, device) => {
        const random = new Random(seed, LESSON_STREAM + step);
        const examples = Array.from({ length: rows }, (_, i) => {
          const pair = train[(step * rows + i) % train.length]!;
          const isMoved = random.uniform() < 0.5; // a question lies in the corner
          const offset = isMoved ? drawArcOffset(random, pair, size) : arcOrigin;
          return tokensOf(pair, identifier, size, offset);
        });
        return tokenBatch(examples, device);
      },
    },
    demonstrations: train.map(({ output }, test) => {
      return { ...question, task, test, rating: output.cells.length };
    }),
  };
}

/** The pair that is asked, augmented. */
function pairOf({ task, test, augmentation }: ArcQuestion): ArcTestPair {
  const { input, output } = task.test[test]!;
  return {
    input: augmentArcGrid(augmentation, input),
    output: output === null ? null : augmentArcGrid(augmentation, output),
  };
}

function encoded(question: ArcQuestion, size: number): Tokens {
  return tokensOf(pairOf(question), question.identifier, size);
}

function tokensOf(
  { input, output }: ArcTestPair,
  puzzleIdentifier: number,
  size: number,
  offset: ArcOffset = arcOrigin,
): Tokens {
  const canvas = { size, offset };
  const inputs = encodeArcGrid(input, canvas);
  const labels = output === null
    ? new Int32Array(inputs.length).fill(ignoredLabel)
    : Int32Array.from(encodeArcGrid(output, canvas), (token) => token === 0 ? ignoredLabel : token);
  return { inputs, labels, puzzleIdentifier };
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

/** Those of another size have changed as a whole. */
function changedCells(answer: ArcGrid, before: ArcGrid): number[] {
  const isResized = answer.rows !== before.rows || answer.columns !== before.columns;
  return [...answer.cells.keys()]
    .filter((cell) => isResized || answer.cells[cell] !== before.cells[cell]);
}

/** The colours as ARC's own pages show them. */
const fills = [
  ...["#000000", "#0074d9", "#ff4136", "#2ecc40", "#ffdc00"],
  ...["#aaaaaa", "#f012be", "#ff851b", "#7fdbff", "#870c25"],
];

function sketch({ rows, columns, cells }: ArcGrid): Sketch {
  return {
    rows,
    columns,
    cells: Array.from(cells, (colour) => ({ text: "", fill: fills[colour]! })),
  };
}

/** The task with the answer; of a later answer, the pair alone and what has changed in it. */
function draw({ task, test }: ArcQuestion, answer: ArcGrid, changed?: ReadonlySet<number>): string {
  const { input, output } = task.test[test]!;
  if (changed === undefined) {
    const shown = { ...task, test: [{ input, output }] };
    return inRed(drawArcTask(shown, { predictions: [answer] }));
  }
  const drawn = inRed(drawArcPairs([{ input, output: answer, answer: output }]));
  if (changed.size === 0) return drawn;
  const lines = drawArcGrid(answer, { answer: output, cellWidth: 1 }).split("\n");
  const news = lines.map((line, y) =>
    Array.from(line, (cell, x) => changed.has(y * answer.columns + x) ? cell : "-").join(" ")
  );
  return `${drawn}\nchanged:\n${inRed(news.join("\n"))}`;
}

/** A drawing with the letters of wrong cells in red. */
function inRed(drawn: string): string {
  return drawn.replaceAll(/[a-j]/g, colours.red);
}
