import { assertEquals } from "@std/assert";
import { fromTypedArray, tensor, zeros } from "../../core/create.ts";
import { Random } from "../../core/random.ts";
import type { Carry } from "../../models/halting.ts";
import { Hrm, type HrmStates } from "../../models/hrm.ts";
import { parseBoard, type SudokuPuzzle } from "../../tasks/mod.ts";
import { evaluate, think } from "../../zoo/evaluate.ts";
import { tinyConfig } from "./_tiny.ts";

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

/** A model that answers by the script, whatever it is asked. */
function scriptedModel({ answers, haltLogits }: typeof script): Hrm {
  let segment = 0, first = 0;
  const step = (carry: Carry<HrmStates>) => {
    const rows = carry.steps.size;
    const mine = <T>(all: readonly T[]) => all.slice(first, first + rows);
    const boards = mine(answers[segment]!).map(parseBoard);
    const logits = new Float32Array(rows * 16 * 6);
    boards.forEach((board, row) =>
      board.forEach((digit, cell) => logits[(row * 16 + cell) * 6 + digit + 1] = 1)
    );
    const qHalt = tensor(mine(haltLogits[segment]!));
    segment = (segment + 1) % answers.length;
    if (segment === 0) first += rows;
    return {
      carry: { ...carry, ...copies(carry) },
      outputs: { logits: fromTypedArray(logits, [rows, 16, 6]), qHalt },
    };
  };
  const initialStates = () => ({ zH: zeros([1, 1, 1]), zL: zeros([1, 1, 1]) });
  const config = { haltMaxSteps: answers.length };
  return { config, initialStates, step } as unknown as Hrm;
}

/** The tensors of a carry anew, as every step of a model makes them. */
function copies({ states, steps, halted, data }: Carry<HrmStates>): Carry<HrmStates> {
  return {
    states: { zH: states.zH.clone(), zL: states.zL.clone() },
    steps: steps.clone(),
    halted: halted.clone(),
    data: {
      inputs: data.inputs.clone(),
      labels: data.labels.clone(),
      puzzleIdentifiers: data.puzzleIdentifiers.clone(),
    },
  };
}

Deno.test("evaluate() counts what it says, after each segment and by rating", () => {
  const second = { exact: 1 / 3, blanks: 20 / 28, cells: 39 / 48, valid: 2 / 3 };
  assertEquals(evaluate(scriptedModel(script), puzzles), {
    puzzles: 3,
    final: second,
    bySegment: [{ exact: 1 / 3, blanks: 27 / 28, cells: 46 / 48, valid: 1 / 3 }, second],
    byRating: [
      { rating: "0", puzzles: 1, exact: 1 },
      { rating: "3-4", puzzles: 1, exact: 0 },
      { rating: "50+", puzzles: 1, exact: 0 },
    ],
    qHalt: 1 / 3, // only the second: unsolved, and its logit is below 0
  });
});

Deno.test("evaluate() does not depend on the size of batches", () => {
  const want = evaluate(scriptedModel(script), puzzles);
  for (const batchSize of [1, 2, 3]) {
    assertEquals(evaluate(scriptedModel(script), puzzles, { batchSize }), want);
  }
  const { config } = tinyConfig();
  const model = new Hrm(config.model, { random: new Random(3) });
  const whole = evaluate(model, puzzles, { segments: 4 });
  assertEquals(evaluate(model, puzzles, { segments: 4, batchSize: 2 }), whole);
});

Deno.test("evaluate() goes on for as many segments as it is told, whatever the model would do", () => {
  const { config } = tinyConfig({ model: { haltMaxSteps: 2 } });
  const model = new Hrm(config.model, { random: new Random(3) });
  model.inner.q_head.weight.detach().fill_(0.5); // else every logit is −5 at first
  assertEquals(evaluate(model, puzzles).bySegment.length, 2);
  assertEquals(evaluate(model, puzzles, { segments: 5 }).bySegment.length, 5);
  const long = think(model, puzzles, 5), short = think(model, puzzles, 3);
  assertEquals(long.slice(0, 3), short, "the first segments are the same");
  const logits = long.map(({ haltLogits }) => String(haltLogits));
  assertEquals(new Set(logits).size, 5, "no segment starts again from the beginning");
});

Deno.test("think() answers with digits, and 0 where the model names none", () => {
  const thoughts = think(scriptedModel(script), puzzles, 2);
  const texts = thoughts.map(({ answers }) => answers.map((board) => [...board].join("")));
  assertEquals(texts, script.answers.map((row) => row.map((text) => text.replace(".", "0"))));
  assertEquals(thoughts.map(({ haltLogits }) => haltLogits), script.haltLogits);
});
