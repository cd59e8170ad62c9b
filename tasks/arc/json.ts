/**
 * Tasks as JSON, given as text. Two forms are read and written:
 *
 * - one task a file, `{"train": [{"input", "output"}, …], "test": […]}`, as in
 *   ARC-AGI and ConceptARC;
 * - all tasks of a set in one file, by name, with the outputs of the test pairs
 *   in a second: the challenges and solutions of Kaggle.
 *
 * Other keys are skipped. A test pair may lack its output.
 *
 * @module
 */

import {
  type ArcGrid,
  arcGrid,
  type ArcPair,
  arcRows,
  arcRowsFault,
  type ArcTask,
  type ArcTestPair,
} from "./grid.ts";

/** The content of a file. */
export interface ArcText {
  /** The content. */
  readonly text: string;
  /** What the errors call it. */
  readonly file: string;
}

/**
 * The task of a file that holds one. It is called what the file is called, the
 * folder and `.json` left out.
 *
 * @param text the content of the file
 * @param file what the errors call it, and the name of the task
 * @throws {SyntaxError} naming the file, the task, the pair and the row that
 * cannot be read, and why
 *
 * @example
 * ```ts
 * import { parseArcTask } from "@ponder/ponder/tasks";
 *
 * const text = `{"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[3]]}]}`;
 * const { name, train, test } = parseArcTask(text, "easy/3rd.json");
 * console.log(name, train.length, test[0]!.output); // 3rd 1 null
 * ```
 */
export function parseArcTask(text: string, file: string): ArcTask {
  const name = file.replace(/^.*[/\\]/, "").replace(/\.json$/i, "");
  return new TaskReader(file, name).task(parseJson({ text, file }));
}

/**
 * The tasks of a file that holds many by name, in the order of their names; with
 * the outputs of the test pairs, where a file of them is given.
 *
 * @throws {SyntaxError} naming the file, the task, the pair and the row that
 * cannot be read, and why; a task that the solutions lack; or a number of them
 * that is not that of the test inputs
 *
 * @example
 * ```ts
 * import { parseArcChallenges } from "@ponder/ponder/tasks";
 *
 * const pair = `{"input": [[1]], "output": [[2]]}`;
 * const challenges = `{"3rd": {"train": [${pair}], "test": [{"input": [[3]]}]}}`;
 * const [task] = parseArcChallenges(
 *   { text: challenges, file: "challenges.json" },
 *   { text: `{"3rd": [[[4]]]}`, file: "solutions.json" },
 * );
 * console.log(task!.test[0]!.output!.cells[0]); // 4
 * ```
 */
export function parseArcChallenges(challenges: ArcText, solutions?: ArcText): ArcTask[] {
  const byName = parseObject(challenges, "tasks by name");
  const answers = solutions === undefined
    ? undefined
    : parseObject(solutions, "lists of grids by the name of the task");
  // in order of names: JavaScript would put those that are all digits first
  return Object.keys(byName).sort().map((name) => {
    const task = new TaskReader(challenges.file, name).task(byName[name]);
    if (answers === undefined) return task;
    const outputs = Object.hasOwn(answers, name) ? answers[name] : undefined;
    return new TaskReader(solutions!.file, name).answered(task, outputs);
  });
}

/** A task as JSON in one line, which {@link parseArcTask} reads; its name is left to the file. */
export function formatArcTask(task: ArcTask): string {
  const test = task.test.map(({ input, output }) =>
    output === null ? { input: arcRows(input) } : pairJson({ input, output })
  );
  return JSON.stringify({ train: task.train.map(pairJson), test });
}

/**
 * Tasks by name as JSON, without the outputs of the test pairs; a line for each task.
 *
 * @throws {RangeError} when two have one name
 */
export function formatArcChallenges(tasks: readonly ArcTask[]): string {
  return jsonByName(tasks, ({ train, test }) => ({
    train: train.map(pairJson),
    test: test.map(({ input }) => ({ input: arcRows(input) })),
  }));
}

/**
 * The outputs of the test pairs of tasks by name as JSON, a line for each task.
 *
 * @throws {RangeError} when two have one name, or an output is not known
 */
export function formatArcSolutions(tasks: readonly ArcTask[]): string {
  return jsonByName(tasks, ({ name, test }) =>
    test.map(({ output }, i) => {
      if (output !== null) return arcRows(output);
      throw new RangeError(
        `Cannot write the solutions of task "${name}": the output of test pair ${
          i + 1
        } is not known`,
      );
    }));
}

function pairJson({ input, output }: ArcPair): { input: number[][]; output: number[][] } {
  return { input: arcRows(input), output: arcRows(output) };
}

function jsonByName(tasks: readonly ArcTask[], valueOf: (task: ArcTask) => unknown): string {
  const names = new Set<string>();
  const lines = tasks.map((task) => {
    if (names.has(task.name)) {
      throw new RangeError(`Cannot write two tasks of the name "${task.name}" to one file`);
    }
    names.add(task.name);
    return `${JSON.stringify(task.name)}: ${JSON.stringify(valueOf(task))}`;
  });
  return lines.length === 0 ? "{}" : `{\n${lines.join(",\n")}\n}`;
}

function parseJson({ text, file }: ArcText): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`${file}: Cannot read JSON: ${error.message}`, { cause: error });
  }
}

function parseObject(source: ArcText, what: string): Record<string, unknown> {
  const value = parseJson(source);
  if (isObject(value)) return value;
  throw new SyntaxError(
    `${source.file}: Cannot read tasks: expected an object of ${what}, not ${kindOf(value)}`,
  );
}

/** Reads the values of one task, of which its errors speak. */
class TaskReader {
  readonly #name: string;
  readonly #subject: string;

  constructor(file: string, name: string) {
    this.#name = name;
    this.#subject = `${file}: Cannot read task "${name}"`;
  }

  /** The task written as `value`. */
  task(value: unknown): ArcTask {
    if (!isObject(value)) this.#refuse(`expected an object, not ${kindOf(value)}`);
    const train = this.#list(value["train"], "train pairs")
      .map((pair, i) => this.#trainPair(pair, `train pair ${i + 1}`));
    const test = this.#list(value["test"], "test pairs")
      .map((pair, i) => this.#testPair(pair, `test pair ${i + 1}`));
    return { name: this.#name, train, test };
  }

  /** The task with the outputs written as `value`. */
  answered(task: ArcTask, value: unknown): ArcTask {
    if (value === undefined) this.#refuse("it has no solutions");
    const outputs = this.#list(value, "solutions");
    if (outputs.length !== task.test.length) {
      this.#refuse(`it has ${outputs.length} solutions for ${task.test.length} test inputs`);
    }
    const test = task.test.map(({ input }, i) => {
      return { input, output: this.#grid(outputs[i], `solution ${i + 1}`) };
    });
    return { ...task, test };
  }

  #trainPair(value: unknown, where: string): ArcPair {
    const pair = this.#pair(value, where);
    return {
      input: this.#grid(pair["input"], `${where}, input`),
      output: this.#grid(pair["output"], `${where}, output`),
    };
  }

  #testPair(value: unknown, where: string): ArcTestPair {
    const pair = this.#pair(value, where);
    const input = this.#grid(pair["input"], `${where}, input`);
    const output = pair["output"] ?? null;
    return { input, output: output === null ? null : this.#grid(output, `${where}, output`) };
  }

  #pair(value: unknown, where: string): Record<string, unknown> {
    if (isObject(value)) return value;
    return this.#refuse(`${where}: expected an object, not ${kindOf(value)}`);
  }

  #grid(value: unknown, where: string): ArcGrid {
    if (!Array.isArray(value)) {
      this.#refuse(`${where}: expected a list of rows, not ${kindOf(value)}`);
    }
    const odd = value.findIndex((row) => !Array.isArray(row));
    if (odd >= 0) {
      this.#refuse(`${where}: row ${odd + 1} is ${kindOf(value[odd])}: expected a list of cells`);
    }
    const fault = arcRowsFault(value);
    if (fault !== undefined) this.#refuse(`${where}: ${fault}`);
    return arcGrid(value);
  }

  #list(value: unknown, what: string): readonly unknown[] {
    if (!Array.isArray(value)) this.#refuse(`expected a list of ${what}, not ${kindOf(value)}`);
    if (value.length === 0) this.#refuse(`it has no ${what}`);
    return value;
  }

  #refuse(why: string): never {
    throw new SyntaxError(`${this.#subject}: ${why}`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
