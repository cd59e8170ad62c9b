import { assertEquals } from "@std/assert";
import { fromTypedArray, tensor, zeros } from "../../core/create.ts";
import { Random } from "../../core/random.ts";
import { Hrm, type HrmConfig } from "../../models/hrm.ts";
import type { Model, Question, States } from "../../models/model.ts";
import { parseBoard, type SudokuPuzzle } from "../../tasks/mod.ts";
import { evaluate } from "../../zoo/evaluate.ts";
import { think } from "../../zoo/thinking.ts";
import { taskOf, tinyConfig } from "./_tiny.ts";

const task = taskOf(tinyConfig());

/** Three 4×4 puzzles of one solution; the last has others besides. */
const solution = "1243341221344321";
const puzzles = [
  puzzleOf(".2...412...4....", 0), // 11 blanks
  puzzleOf("1243341221344..1", 4), // 2 blanks
  puzzleOf("1...............", 60), // 15 blanks
];

function puzzleOf(clues: string, rating: number): SudokuPuzzle {
  return { puzzle: parseBoard(clues), solution: parseBoard(solution), rating };
}

/** Answers and halting logits of a model: by segment, then by puzzle. */
const script = {
  answers: [
    ["1243341221344322", ".243341221344321", solution],
    [solution, ".243341221344321", "1234431221433421"], // the last with 3 and 4 exchanged
  ],
  haltLogits: [[9, 9, 9], [-1, -0.5, 0]],
};

/** A model that answers by the script, whatever it is asked; batch after batch. */
function scriptedModel({ answers, haltLogits }: typeof script): Model {
  let first = 0;
  const start = ({ inputs }: Question) => ({ segment: zeros(inputs.shape.slice(0, 1)) });
  const think = ({ segment }: States) => {
    const rows = segment!.size, done = rows === 0 ? 0 : segment!.toNumbers()[0]!;
    const mine = <T>(all: readonly T[]) => all.slice(first, first + rows);
    const boards = mine(answers[done]!).map(parseBoard);
    const logits = new Float32Array(rows * 16 * 6);
    boards.forEach((board, row) =>
      board.forEach((digit, cell) => logits[(row * 16 + cell) * 6 + digit + 1] = 1)
    );
    const qHalt = tensor(mine(haltLogits[done]!));
    if (done + 1 === answers.length) first += rows;
    return {
      states: { segment: segment!.add(1) },
      logits: fromTypedArray(logits, [rows, 16, 6]),
      qHalt,
      wantsToHalt: qHalt.gt(0),
    };
  };
  const depth = { unit: "segment", trained: answers.length, most: Infinity };
  return { depth, start, think } as unknown as Model;
}

Deno.test("evaluate() counts what it says, after each segment and by rating", () => {
  const second = { exact: 1 / 3, blanks: 20 / 28, cells: 39 / 48, valid: 2 / 3 };
  assertEquals(evaluate(task, scriptedModel(script), puzzles), {
    puzzles: 3,
    final: second,
    unit: "segment",
    meanUnits: 2,
    byUnit: [{ exact: 1 / 3, blanks: 27 / 28, cells: 46 / 48, valid: 1 / 3 }, second],
    byRating: [
      { rating: "0", puzzles: 1, exact: 1 },
      { rating: "3-4", puzzles: 1, exact: 0 },
      { rating: "50-99", puzzles: 1, exact: 0 },
    ],
    ratingTitle: "backtracks",
    qHalt: 1 / 3, // only the second: unsolved, and its logit is below 0
    passAt: [],
  });
});

Deno.test("evaluate() counts puzzles by their rating, all from 500 on together", () => {
  const ratings = [0, 1, 2, 3, 4, 5, 9, 10, 19, 20, 99, 100, 499, 500, 1e6];
  const rated = ratings.map((rating) => puzzleOf(".2...412...4....", rating));
  const all = { answers: [rated.map(() => solution)], haltLogits: [rated.map(() => 1)] };
  const { byRating } = evaluate(task, scriptedModel(all), rated);
  assertEquals(
    byRating.map(({ rating, puzzles }) => `${rating}: ${puzzles}`),
    ["0: 1", "1: 1", "2: 1", "3-4: 2", "5-9: 2", "10-19: 2", "20-49: 1", "50-99: 1"].concat(
      ["100-199: 1", "200-499: 1", "500+: 2"],
    ),
  );
});

Deno.test("evaluate() says how many puzzles are solved by one of the first K answers", () => {
  const wrong = ["1243341221344322", "1243341221344324", "1243341221344323"] as const;
  // by puzzle: the right answer the surest, the second, the third, none; and one answer alone
  const places = [0, 1, 2, 3, 0];
  const asked = places.map(() => puzzles[0]!);
  const models = [0, 1, 2].map((m) =>
    scriptedModel({
      answers: [places.map((place, i) => i === 4 || place === m ? solution : wrong[m]!)],
      haltLogits: [places.map(() => 3 - m)],
    })
  );
  const { passAt, final } = evaluate(task, models, asked);
  assertEquals(passAt, [{ k: 1, exact: 2 / 5 }, { k: 2, exact: 3 / 5 }, { k: 5, exact: 4 / 5 }]);
  assertEquals(final.exact, 2 / 5);
  const one = scriptedModel({ answers: [[solution]], haltLogits: [[1]] });
  const other = scriptedModel({ answers: [[solution]], haltLogits: [[2]] });
  assertEquals(evaluate(task, [one, other], asked.slice(0, 1)).passAt, [], "all say the same");
});

Deno.test("evaluate() does not depend on the size of batches", () => {
  const want = evaluate(task, scriptedModel(script), puzzles);
  for (const batchSize of [1, 2, 3]) {
    assertEquals(evaluate(task, scriptedModel(script), puzzles, { batchSize }), want);
  }
  const { config } = tinyConfig();
  const model = new Hrm(config.model as HrmConfig, { random: new Random(3) });
  const whole = evaluate(task, model, puzzles, { units: 4 });
  assertEquals(evaluate(task, model, puzzles, { units: 4, batchSize: 2 }), whole);
});

Deno.test("evaluate() goes on for as many segments as it is told, whatever the model would do", () => {
  const { config } = tinyConfig({ model: { haltMaxSteps: 2 } });
  const model = new Hrm(config.model as HrmConfig, { random: new Random(3) });
  model.inner.q_head.weight.detach().fill_(0.5); // else every logit is −5 at first
  assertEquals(evaluate(task, model, puzzles).byUnit.length, 2);
  assertEquals(evaluate(task, model, puzzles, { units: 5 }).byUnit.length, 5);
  const long = think(task, [model], puzzles, { units: 5 });
  const short = think(task, [model], puzzles, { units: 3 });
  assertEquals(long.slice(0, 3), short, "the first segments are the same");
  const logits = long.map(({ haltLogits }) => String(haltLogits));
  assertEquals(new Set(logits).size, 5, "no segment starts again from the beginning");
});

Deno.test("think() answers with digits, and 0 where the model names none", () => {
  const thoughts = think(task, [scriptedModel(script)], puzzles);
  const texts = thoughts.map(({ answers }) => answers.map((board) => [...board].join("")));
  assertEquals(texts, script.answers.map((row) => row.map((text) => text.replace(".", "0"))));
  assertEquals(thoughts.map(({ haltLogits }) => haltLogits), script.haltLogits);
});
