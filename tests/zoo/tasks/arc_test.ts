import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { Random } from "../../../core/random.ts";
import {
  arcRows,
  formatArcChallenges,
  formatArcSolutions,
  formatArcTask,
  generateArcMini,
} from "../../../tasks/mod.ts";
import { evaluate } from "../../../zoo/evaluate.ts";
import type { Model } from "../../../models/model.ts";
import { fromTypedArray, zeros } from "../../../core/create.ts";
import type { ArcConfig } from "../../../zoo/recipe.ts";
import { recipes } from "../../../zoo/recipes.ts";
import { arcTask, readTasks } from "../../../zoo/tasks/arc.ts";
import { changedCells } from "../../../zoo/tasks/task.ts";
import { think } from "../../../zoo/thinking.ts";
import { inFolder } from "../../ffi/_folder.ts";

const config: ArcConfig = {
  ...recipes["trm-arc"]!.presets.cpu.task as ArcConfig,
  size: 6,
  trainPuzzles: 6,
  testPuzzles: 4,
  augmentations: 5,
};

/** Runs `body` where data sets may be built. */
function inDataFolder(body: (folder: string) => Promise<void> | void): Promise<void> {
  return inFolder(async (folder) => {
    const before = Deno.cwd();
    Deno.chdir(folder);
    try {
      await body(folder);
    } finally {
      Deno.chdir(before);
    }
  });
}

Deno.test("arcTask() builds a data set once, and draws batches from it that know their task", () =>
  inDataFolder(async () => {
    const task = arcTask(config);
    const lines: string[] = [];
    await task.prepare!(1, (line) => lines.push(line));
    await task.prepare!(1, (line) => lines.push(line));
    assertEquals(lines.length, 1, "it was built again");
    const { train, test } = task.load(1, () => {});
    assertEquals(test.length, 4);
    const { inputs, labels, puzzleIdentifiers } = train.batch(0, 16, "cpu");
    assertEquals([inputs.shape, labels.shape], [[16, 36], [16, 36]]);
    const ids = puzzleIdentifiers.toNumbers();
    assert(ids.every((id) => id >= 1 && id < task.numPuzzleIdentifiers), `${ids}`);
    const wanted = labels.toNumbers();
    assert(wanted.every((label) => label === -100 || (label >= 1 && label < 12)));
    assert(wanted.includes(-100) && wanted.some((label) => label > 1));
    const again = train.batch(0, 16, "cpu").inputs.toNumbers();
    assertEquals(again, inputs.toNumbers());
    assert(String(train.batch(1, 16, "cpu").inputs.toNumbers()) !== String(again));
  }));

Deno.test("arcTask() may be prepared by several at once", () =>
  inDataFolder(async () => {
    await Promise.all([1, 2, 3].map(async () => await arcTask(config).prepare!(1, () => {})));
    assertEquals(arcTask(config).load(1, () => {}).test.length, 4);
    assertEquals([...Deno.readDirSync("data")].length, 1);
  }));

Deno.test("arcTask() trains on no test pair of the tasks that are held out", () =>
  inDataFolder(async () => {
    const task = arcTask(config);
    await task.prepare!(1, () => {});
    const { train, test } = task.load(1, () => {});
    const asked = new Set(
      test.flatMap((question) =>
        task.vary(question, 99, new Random(0)).map(({ puzzle }) => {
          const { inputs, puzzleIdentifier } = task.encode(puzzle);
          return `${puzzleIdentifier}: ${[...Array.from(inputs)]}`;
        })
      ),
    );
    assert(asked.size > 8);
    for (let step = 0; step < 30; step++) {
      const { inputs, puzzleIdentifiers } = train.batch(step, 16, "cpu");
      const tokens = inputs.toNumbers();
      puzzleIdentifiers.toNumbers().forEach((id, row) => {
        assert(!asked.has(`${id}: ${tokens.slice(36 * row, 36 * (row + 1))}`));
      });
    }
  }));

Deno.test("arcTask() judges the output right in every arrangement, once it is arranged back", () => {
  const task = arcTask(config);
  for (const question of task.heldOut(2)) {
    const variants = task.vary(question, 99, new Random(0));
    assert(variants.length > 1 && variants.length <= 6);
    for (const { puzzle, undo } of variants) {
      const tokens = Int32Array.from(
        task.encode(puzzle).labels as Int32Array,
        (t) => t < 0 ? 0 : t,
      );
      const verdict = task.judge(question, undo(task.decode(tokens, puzzle)));
      assertEquals([verdict.exact, verdict.valid, verdict.cellsRight], [true, true, verdict.cells]);
    }
    assertEquals(task.judge(question, Uint8Array.of(0, 0)).valid, false);
    assertEquals(task.judge(question, task.question(question)).exact, false);
  }
});

/** Answers rightly to those arrangements of a task whose identifier `knows`, else a grid of one cell. */
function scripted(knows: (identifier: number) => boolean): Model {
  const task = arcTask(config);
  const answers = new Map(
    task.heldOut(2).flatMap((question) =>
      task.vary(question, 99, new Random(0)).map(({ puzzle }) => {
        const { labels, puzzleIdentifier } = task.encode(puzzle);
        return [puzzleIdentifier, labels] as const;
      })
    ),
  );
  return {
    depth: { unit: "pass", trained: 1, most: 1 },
    start: () => ({ z: zeros([1]) }),
    think: (
      _: unknown,
      { puzzleIdentifiers }: { puzzleIdentifiers: { toNumbers(): number[] } },
    ) => {
      const ids = puzzleIdentifiers.toNumbers();
      const logits = new Float32Array(ids.length * 36 * 12);
      ids.forEach((id, row) => {
        for (let i = 0; i < 36; i++) {
          const token = knows(id) ? Math.max(0, answers.get(id)![i]!) : i === 0 ? 2 : 1;
          logits[(row * 36 + i) * 12 + token] = 1;
        }
      });
      return {
        states: { z: zeros([1]) },
        logits: fromTypedArray(logits, [ids.length, 36, 12]),
        qHalt: null,
        wantsToHalt: null,
      };
    },
  } as unknown as Model;
}

Deno.test("evaluate() of ARC votes over the arrangements, and counts K attempts", () => {
  const task = arcTask(config);
  const questions = task.heldOut(2);
  const firsts = new Set(questions.map(({ firstIdentifier }) => firstIdentifier));
  const onlyItself = scripted((id) => firsts.has(id));
  assertEquals(evaluate(task, onlyItself, questions).final.exact, 1);
  const voted = evaluate(task, onlyItself, questions, { votes: 6 });
  assertEquals(voted.final.exact, 0, "the wrong answer has more votes");
  assertEquals(voted.passAt, [
    { k: 1, exact: 0, wholeGroups: 0, withinGroups: 0 },
    { k: 2, exact: 1, wholeGroups: 1, withinGroups: 1 },
  ]);
  const onlyOthers = scripted((id) => !firsts.has(id));
  assertEquals(evaluate(task, onlyOthers, questions).final.exact, 0);
  assertEquals(evaluate(task, onlyOthers, questions, { votes: 6 }).final.exact, 1);
});

Deno.test("arcTask().submission() has two attempts for each test pair, by task", () => {
  const task = arcTask(config);
  const questions = task.heldOut(2);
  const { ranked } = think(task, [scripted(() => true)], questions, { votes: 3 }).at(-1)!;
  const answers = ranked.map((all) => all.map(({ answer }) => answer));
  answers[0] = [Uint8Array.of(0, 0), Uint8Array.of(1, 2, 3, 4)];
  const submitted = task.submission!(questions, answers) as Record<string, unknown[]>;
  assertEquals(Object.keys(submitted), questions.map(({ task }) => task.name));
  const [first, second] = questions;
  assertEquals(submitted[first!.task.name], [{ attempt_1: [[0]], attempt_2: [[3, 4]] }]);
  const { output } = second!.task.test[0]!;
  const right = arcRows(output!);
  assertEquals(submitted[second!.task.name], [{ attempt_1: right, attempt_2: right }]);
});

Deno.test("readTasks() reads a folder of tasks, and a file of many with its solutions", () =>
  inFolder((folder) => {
    const random = new Random(1);
    const tasks = ["a", "b"].map((name) => generateArcMini(random, { size: 6, name }));
    for (const task of tasks) {
      Deno.writeTextFileSync(join(folder, `${task.name}.json`), formatArcTask(task));
    }
    assertEquals(readTasks(folder), tasks);
    const many = join(folder, "many");
    Deno.mkdirSync(many);
    const challenges = join(many, "x_challenges.json");
    Deno.writeTextFileSync(challenges, formatArcChallenges(tasks));
    assertEquals(readTasks(challenges)[0]!.test[0]!.output, null);
    Deno.writeTextFileSync(join(many, "x_solutions.json"), formatArcSolutions(tasks));
    assertEquals(readTasks(challenges), tasks);
    Deno.mkdirSync(join(folder, "none"));
    assertThrows(() => readTasks(join(folder, "none")), TypeError, "no JSON files");
    return Promise.resolve();
  }));

Deno.test("arcTask().read() finds a held-out task by its name, and says which there are", () => {
  const task = arcTask(config);
  const [first] = task.heldOut(1);
  assertEquals(task.read(first!.task.name, 1).identifier, first!.identifier);
  assertThrows(() => task.read("nothing", 1), TypeError, first!.task.name);
  assertThrows(() => task.read(first!.task.name, 1, { number: 9 }), TypeError, "there is 1");
  assert(task.draw(first!, Uint8Array.of(1, 1, 3)).split("\n").every((line) => line.length <= 80));
});

Deno.test("arcTask().read() asks a known task another grid, whose answer nobody knows", () => {
  const task = arcTask(config);
  const [first] = task.heldOut(1);
  const { name } = first!.task;
  const question = task.read(`${name}:12/30`, 1);
  assertEquals([...task.question(question)], [2, 2, 1, 2, 3, 0]);
  assertEquals(question.identifier, first!.identifier);
  assertEquals(question.task.train, first!.task.train);
  assertEquals(task.judge(question, Uint8Array.of(1, 1, 5)).cells, 0);
  for (const grid of ["", "1x", "12/3", "1".repeat(config.size + 1), "1/".repeat(5000)]) {
    assertThrows(() => task.read(`${name}:${grid}`, 1), Error, "Cannot");
  }
  assertThrows(() => task.read(`nothing:12/30`, 1), TypeError, "Cannot find");
});

Deno.test("arcTask().read() knows a file by its demonstrations, and else has a lesson for it", () => {
  const task = arcTask(config);
  const [known] = task.heldOut(1);
  const { train, test } = known!.task;
  const written = {
    name: "copy",
    train: train.toReversed(),
    test: [{ input: test[0]!.input, output: null }],
  };
  const copy = task.read(formatArcTask(written), 1, { file: "copy.json" });
  assertEquals([copy.identifier, copy.names], [known!.identifier, known!.names]);
  assertEquals(task.lesson!(copy, 1), null);
  assertEquals(task.judge(copy, Uint8Array.of(1, 1, 3)).cells, 0, "there is nothing to judge by");

  const fresh = { ...known!.task, train: train.slice(1) };
  const question = task.read(formatArcTask(fresh), 1, { file: "fresh.json" });
  assertEquals(question.identifier, 0);
  const { batches, demonstrations } = task.lesson!(question, 1)!;
  assertEquals(demonstrations.map(({ task, test }) => task.test[test]), train.slice(1));
  const { inputs, puzzleIdentifiers } = batches.batch(0, 5, "cpu");
  assertEquals([inputs.shape, puzzleIdentifiers.toNumbers()], [[5, 36], [0, 0, 0, 0, 0]]);
  assertEquals(task.vary(question, 4, new Random(0)).length, 1);
});

Deno.test("arcTask().read() says of a file that it cannot use what it is", () => {
  const task = arcTask(config);
  const grid = [[1, 1, 1, 1, 1, 1, 1]];
  const pair = { input: grid, output: grid };
  const refuse = (text: object, message: string) =>
    assertThrows(() => task.read(JSON.stringify(text), 1, { file: "a.json" }), Error, message);
  refuse({ train: [pair], test: [pair] }, 'Cannot solve "a.json": it has a grid of 1×7');
  refuse({ train: [] }, "a.json: Cannot read task");
});

Deno.test("arcTask().draw() of a later answer shows what has changed in it", () => {
  const task = arcTask(config);
  const pair = '[{"input": [[1, 2]], "output": [[2, 2]]}]';
  const text = `{"train": ${pair}, "test": ${pair}}`;
  const question = task.read(text, 1, { file: "a.json" });
  const before = Uint8Array.of(1, 2, 1, 3), answer = Uint8Array.of(1, 2, 2, 3);
  const changed = changedCells(task, answer, before);
  assertEquals([...changed], [0]);
  assertEquals(task.draw(question, answer, changed), "1 2 → 2 d\nchanged:\n2 -");
  assertEquals([...changedCells(task, answer, Uint8Array.of(1, 1, 2))], [0, 1]);
  assertEquals([...changedCells(task, answer, undefined)], []);
});

const data = Deno.env.get("PONDER_TEST_DATA");

Deno.test({
  name: "arcTask() plans ARC-AGI-1 as published: 400 tasks to evaluate, 419 test pairs",
  ignore: data === undefined,
  fn: () => {
    const task = arcTask({
      ...config,
      size: 30,
      trainPuzzles: 400,
      testPuzzles: 400,
      augmentations: 1,
      trainFile: join(data!, "arc-1", "training"),
      testFile: join(data!, "arc-1", "evaluation"),
    });
    const questions = task.heldOut(1);
    assertEquals(questions.length, 419);
    assertEquals(new Set(questions.map(({ task }) => task.name)).size, 400);
    assertEquals([task.seqLen, task.vocabSize], [900, 12]);
  },
});
