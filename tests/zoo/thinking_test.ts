import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { fromTypedArray, tensor, zeros } from "../../core/create.ts";
import { Random } from "../../core/random.ts";
import { scope } from "../../core/scope.ts";
import { liveTensors } from "../../ffi/mod.ts";
import { makeModel } from "../../models/family.ts";
import type { Hrm, HrmConfig } from "../../models/hrm.ts";
import type { Model, Question, States } from "../../models/model.ts";
import {
  decodeBoard,
  generateSudoku,
  solve,
  type SudokuPuzzle,
  type SudokuSize,
} from "../../tasks/mod.ts";
import { evaluate } from "../../zoo/evaluate.ts";
import { sudokuTask } from "../../zoo/tasks/sudoku.ts";
import { type Candidate, rank, think, type ThinkOptions } from "../../zoo/thinking.ts";
import { families, smallRun } from "./_family.ts";
import { sudokuConfig, tinyConfig } from "./_tiny.ts";

// rank()

/** A candidate by the letter of its answer. */
function candidate(letter: string, haltLogit: number | null = null, units = 1): Candidate {
  return { answer: Uint8Array.of(letter.charCodeAt(0)), haltLogit, units };
}

/** The letters of the answers, best first, with their halting logits. */
function ranked(
  candidates: readonly Candidate[],
  rule: "vote" | "q",
): [string, number | null][] {
  return rank(candidates, rule).map(({ answer, haltLogit }) => [
    String.fromCharCode(answer[0]!),
    haltLogit,
  ]);
}

Deno.test("rank() puts the answers given most often first, each once, by its surest candidate", () => {
  const given = ["b", "c", "b", "a", "b", "c"].map((letter, i) => candidate(letter, -i));
  const want: [string, number][] = [["b", 0], ["c", -1], ["a", -3]];
  assertEquals(ranked(given, "vote"), want);
  assertEquals(ranked(given.toReversed(), "vote"), want);
  const bestLast = [candidate("b", -3), candidate("a", 9), candidate("b", -1)];
  assertEquals(ranked(bestLast, "vote"), [["b", -1], ["a", 9]]);
  assertEquals(ranked(bestLast, "q"), [["a", 9], ["b", -1]]);
});

Deno.test("rank() breaks ties by the mean probability of halting, not by the best or the sum", () => {
  // logits of mean −1 each, but probabilities 0.50 + 0.12 and 0.27 + 0.27
  const spread = [candidate("a", 0), candidate("a", -2)];
  const even = [candidate("b", -1), candidate("b", -1)];
  assertEquals(ranked([...spread, ...even], "vote"), [["a", 0], ["b", -1]]);
  assertEquals(ranked([...even, ...spread], "vote"), [["a", 0], ["b", -1]]);
  const oneSure = [candidate("c", 3), candidate("c", -20)]; // 0.95 + 0.00
  const both = [candidate("d", 0.5), candidate("d", 0.5)]; // 0.62 + 0.62
  assertEquals(ranked([...oneSure, ...both], "vote"), [["d", 0.5], ["c", 3]]);
  assertEquals(ranked([...oneSure, ...both], "q"), [["c", 3], ["d", 0.5]]);
});

Deno.test("rank() without halting logits counts votes, and of equals takes the first", () => {
  const letters = (given: string, rule: "vote" | "q") =>
    ranked([...given].map((c) => candidate(c)), rule).map(([letter]) => letter).join("");
  assertEquals(letters("abb", "vote"), "ba");
  assertEquals(letters("ab", "vote"), "ab");
  assertEquals(letters("ba", "vote"), "ba");
  assertEquals(letters("cabab", "vote"), "abc");
  assertEquals(letters("abb", "q"), "ab");
});

Deno.test("rank() leaves its candidates as they are, and knows answers by all of their cells", () => {
  const of = (...cells: number[]): Candidate => ({
    answer: Uint8Array.from(cells),
    haltLogit: 0,
    units: 1,
  });
  const given = [of(1, 11), of(11, 1), of(1, 1, 1), of(1, 11)];
  const copy = structuredClone(given);
  assertEquals(rank(given, "vote").map(({ answer }) => [...answer]), [
    [1, 11],
    [11, 1],
    [1, 1, 1],
  ]);
  assertEquals(given, copy);
  for (const rule of ["vote", "q"] as const) assertEquals(rank([of(7)], rule), [of(7)]);
});

// Models by a script.

/** What a scripted model says of one board: what it answers, and its logit of halting. */
type Answerer = (board: Uint8Array, unit: number) => { answer: Uint8Array; haltLogit: number };

/** A model that is asked boards one by one; `halts` where its logit is above 0. */
function scripted(answerer: Answerer, trained = 1, head = true): Model {
  const start = ({ inputs }: Question) => ({ unit: zeros([inputs.shape[0]!]) });
  const think = ({ unit }: States, { inputs }: Question) => {
    const [rows, cells] = inputs.shape as [number, number];
    const size = Math.sqrt(cells), kinds = size + 2;
    const tokens = inputs.toTypedArray() as Int32Array;
    const done = unit!.toNumbers();
    const said = done.map((n, row) =>
      answerer(decodeBoard(tokens.subarray(row * cells, (row + 1) * cells), size as SudokuSize), n)
    );
    const logits = new Float32Array(rows * cells * kinds);
    said.forEach(({ answer }, row) =>
      answer.forEach((digit, cell) => logits[(row * cells + cell) * kinds + digit + 1] = 1)
    );
    const qHalt = head ? tensor(said.map(({ haltLogit }) => haltLogit)) : null;
    return {
      states: { unit: unit!.add(1) },
      logits: fromTypedArray(logits, [rows, cells, kinds]),
      qHalt,
      wantsToHalt: qHalt?.gt(0) ?? null,
    };
  };
  const depth = { unit: head ? "segment" : "loop", trained, most: Infinity };
  return { depth, start, think } as unknown as Model;
}

/** Answers with the solution, by the solver of tasks. */
const solver: Answerer = (board) => ({ answer: solve(board).solution!, haltLogit: 3 });

function puzzlesOf(size: SudokuSize, count: number, seed = size): SudokuPuzzle[] {
  const random = new Random(seed);
  const clues = { 4: [5, 9], 6: [12, 20], 9: [28, 40] } as const;
  return Array.from({ length: count }, () => generateSudoku(random, { size, clues: clues[size] }));
}

const config = sudokuConfig();
const tasks = {
  4: sudokuTask({ ...config, size: 4 }),
  6: sudokuTask({ ...config, size: 6 }),
  9: sudokuTask({ ...config, size: 9 }),
};
const { 4: four, 6: six, 9: nine } = tasks;

const textOf = (board: Uint8Array) => [...board].join("");

for (const size of [4, 6, 9] as const) {
  Deno.test(`think() brings answers to rearranged ${size}×${size} puzzles back`, () => {
    const puzzles = puzzlesOf(size, 4);
    const asked = new Set<string>();
    const model = scripted((board, unit) => {
      asked.add(textOf(board));
      return solver(board, unit);
    });
    const solutions = puzzles.map(({ solution }) => textOf(solution));
    assertEquals(
      think(tasks[size], [model], puzzles, { votes: 10 })[0]!.answers.map(textOf),
      solutions,
    );
    assert(asked.size > 4 * 8, `only ${asked.size} arrangements were asked`);
    for (const { puzzle } of puzzles) {
      assert(asked.has(textOf(puzzle)), "the puzzle itself is asked");
    }
    // surer of the second arrangement, so that its answer is the one chosen
    const shown = new Set(puzzles.map(({ puzzle }) => textOf(puzzle)));
    const shy = scripted((board) => ({
      answer: solve(board).solution!,
      haltLogit: shown.has(textOf(board)) ? -1 : 1,
    }));
    for (let seed = 0; seed < 8; seed++) {
      const [thought] = think(tasks[size], [shy], puzzles, { votes: 2, choose: "q", seed });
      assertEquals(thought!.answers.map(textOf), solutions);
      assertEquals(thought!.haltLogits, [1, 1, 1, 1]);
    }
  });

  Deno.test(`think() brings back every cell of a wrong answer to a ${size}×${size} puzzle too`, () => {
    const puzzles = puzzlesOf(size, 3);
    // it repeats the clues and leaves blanks: brought back, that is the puzzle itself
    let runs = 0;
    const model = scripted((board) => ({ answer: board, haltLogit: runs++ })); // the last the surest
    const [thought] = think(tasks[size], [model], puzzles, { votes: 7, choose: "q" });
    assertEquals(thought!.answers.map(textOf), puzzles.map(({ puzzle }) => textOf(puzzle)));
    assertEquals(thought!.haltLogits, [6, 13, 20]);
  });
}

Deno.test("think() answers the puzzle as it is with one vote, and first of several", () => {
  const puzzles = puzzlesOf(4, 3);
  const asked: string[] = [];
  const model = scripted((board) => {
    asked.push(textOf(board));
    return { answer: board, haltLogit: 0 };
  });
  const boards = puzzles.map(({ puzzle }) => textOf(puzzle));
  think(four, [model], puzzles);
  assertEquals(asked, boards);
  think(four, [model], puzzles, { votes: 3 });
  const first = [3, 6, 9].map((i) => asked[i]!); // one puzzle after another, in three ways each
  assertEquals(first, boards);
  assertEquals(asked.length, 12);
  assertEquals(new Set(asked.slice(3)).size, 9);
});

/** Solves a board only if `canSolve`; else it repeats the clues. */
function partial(canSolve: (board: Uint8Array) => boolean): Answerer {
  return (board, unit) => canSolve(board) ? solver(board, unit) : { answer: board, haltLogit: -3 };
}

Deno.test("think() with votes solves what a model solves in one orientation only, by its halting logit", () => {
  const puzzles = puzzlesOf(9, 4);
  // a clue in the first cell, which the puzzles themselves do not have
  const blind = puzzles.map((p) => ({ ...p, puzzle: p.puzzle.with(0, 0) }))
    .filter(({ puzzle }) => solve(puzzle).solutions === 1);
  assert(blind.length >= 2, "the case tells nothing");
  const model = scripted(partial((board) => board[0] !== 0 && board[1] !== 0));
  assertEquals(evaluate(nine, model, blind).final.exact, 0);
  const byQ = evaluate(nine, model, blind, { votes: 32, choose: "q", seed: 1 });
  assertEquals([byQ.final.exact, byQ.qHalt], [1, 1]);
  // about a fifth of the orientations have clues there, so that votes go to the wrong answer
  assertEquals(evaluate(nine, model, blind, { votes: 32, choose: "vote", seed: 1 }).final.exact, 0);
});

Deno.test("think() with votes overrules a model that is wrong in one orientation only", () => {
  const puzzles = puzzlesOf(6, 4);
  const shown = new Set(puzzles.map(({ puzzle }) => textOf(puzzle)));
  const model = scripted(partial((board) => !shown.has(textOf(board))));
  assertEquals(evaluate(six, model, puzzles).final.exact, 0);
  assertEquals(evaluate(six, model, puzzles, { votes: 2 }).final.exact, 1, "the surer of two");
  assertEquals(evaluate(six, model, puzzles, { votes: 5 }).final.exact, 1);
});

Deno.test("think() of several models takes the majority, whatever the order, and without heads too", () => {
  const puzzles = puzzlesOf(4, 5);
  const wrong: Answerer = (board) => ({ answer: board, haltLogit: 9 });
  const one = [scripted(solver), scripted(wrong), scripted(solver)];
  assertEquals(evaluate(four, one, puzzles).final.exact, 1);
  assertEquals(evaluate(four, one.toReversed(), puzzles).final.exact, 1);
  assertEquals(evaluate(four, one.slice(0, 2), puzzles).final.exact, 0, "of two the surer");
  assertEquals(evaluate(four, one, puzzles, { choose: "q" }).final.exact, 0);
  const headless = [scripted(solver, 1, false), scripted(wrong), scripted(solver, 1, false)];
  const evaluation = evaluate(four, headless, puzzles);
  assertEquals([evaluation.final.exact, evaluation.qHalt], [1, null]);
});

Deno.test("think() of models that take different numbers of units keeps the last answers of the quicker", () => {
  const puzzles = puzzlesOf(4, 2);
  const units = (n: number): Answerer => (board, unit) => ({
    answer: unit + 1 >= n ? solve(board).solution! : board,
    haltLogit: unit + 1 >= n ? 1 : -1,
  });
  const models = [scripted(units(1), 6), scripted(units(3), 6)];
  const thoughts = think(four, models, puzzles, { halt: true });
  assertEquals(thoughts.map(({ units }) => units), [[1, 1], [1.5, 1.5], [2, 2]]);
  const { byUnit, meanUnits } = evaluate(four, models, puzzles, { halt: true });
  assertEquals(byUnit.map(({ exact }) => exact), [1, 1, 1]);
  assertEquals(meanUnits, 2);
});

Deno.test("evaluate() with halting does not depend on the size of batches, nor on their order", () => {
  const need = (puzzle: SudokuPuzzle) => puzzle.solution[0]!;
  const unordered = puzzlesOf(4, 7);
  const needs = unordered.map(need);
  assert(new Set(needs).size >= 3, `the case tells nothing: ${needs}`);
  const share = (unit: number) => needs.filter((n) => n <= unit).length / 7;
  const want = Array.from({ length: Math.max(...needs) }, (_, i) => share(i + 1));
  for (const order of [1, -1]) {
    const puzzles = unordered.toSorted((a, b) => order * (need(a) - need(b)));
    // a puzzle takes as many units as its first digit says, and is solved then
    const answerer: Answerer = (board, unit) => {
      const { solution } = solve(board);
      const done = unit + 1 >= solution![0]!;
      return { answer: done ? solution! : board, haltLogit: done ? 1 : -1 };
    };
    for (const batchSize of [1, 2, 3, 7, 100]) {
      const how = { halt: true, batchSize };
      const { byUnit, meanUnits, final, qHalt } = evaluate(
        four,
        scripted(answerer, 6),
        puzzles,
        how,
      );
      assertEquals(byUnit.map(({ exact }) => exact), want);
      assertAlmostEquals(meanUnits, needs.reduce((a, b) => a + b) / 7);
      assertEquals([final.exact, qHalt], [1, 1]);
    }
  }
});

Deno.test("think() of noisy runs alone asks the halting head by default, and of all else the majority", () => {
  const puzzles = puzzlesOf(4, 3);
  // the noise is added to the number of units: where it is great, the answer is right
  const model = scripted((board, unit) =>
    unit > 0.8 ? solver(board, unit) : { answer: board, haltLogit: -1 }
  );
  const exact = (models: Model[], how: ThinkOptions) =>
    evaluate(four, models, puzzles, { noise: 1, samples: 20, ...how }).final.exact;
  assertEquals([exact([model], {}), exact([model], { choose: "q" })], [1, 1]);
  assertEquals(exact([model], { choose: "vote" }), 0);
  assertEquals([exact([model, model], {}), exact([model], { votes: 2 })], [0, 0]);
  assertEquals(exact([model], { votes: 2, choose: "q" }), 1);
});

Deno.test("think() ranks the different answers of each puzzle, the chosen one first", () => {
  const puzzles = puzzlesOf(4, 2);
  const says = (digit: number, haltLogit: number) =>
    scripted((board) => ({ answer: board.map(() => digit), haltLogit }));
  const models = [says(1, 0), says(2, 5), says(3, -1), says(3, -2)];
  const told = (how: ThinkOptions) =>
    think(four, models, puzzles, how)[0]!.ranked.map((all) =>
      all.map(({ answer, haltLogit }) => `${answer[0]} ${haltLogit}`)
    );
  assertEquals(told({}), Array(2).fill(["3 -1", "2 5", "1 0"]));
  assertEquals(told({ choose: "q" }), Array(2).fill(["2 5", "1 0", "3 -1"]));
  const [thought] = think(four, models, puzzles);
  assertEquals(thought!.answers.map((a) => a[0]), [3, 3]);
  assertEquals(thought!.haltLogits, [-1, -1]);
});

Deno.test("think() of models that were trained with different numbers of units keeps to theirs", () => {
  const puzzles = puzzlesOf(4, 2);
  const thoughts = think(four, [scripted(solver, 2), scripted(solver, 4)], puzzles);
  assertEquals(thoughts.map(({ units }) => units[0]), [1, 2, 2.5, 3]);
});

/** What a scripted model is asked of each puzzle, and the noise in it after each unit. */
function noiseSeen(how: ThinkOptions, count = 7, trained = 3): Map<string, number[]> {
  const puzzles = puzzlesOf(4, count);
  const seen = new Map<string, number[]>();
  const model = scripted((board, unit) => {
    const text = textOf(board);
    seen.set(text, [...seen.get(text) ?? [], unit]);
    // rows halt at different units, so that others go on without them
    return { answer: board, haltLogit: board[0]! > 0 && unit > 1 ? 1 : -1 };
  }, trained);
  think(four, [model], puzzles, how);
  return seen;
}

Deno.test("think() draws noise and rearrangements that depend on no batch", () => {
  const options: ThinkOptions[] = [
    { noise: 0.3 },
    { noise: 0.3, samples: 3 },
    { noise: 0.3, votes: 3 },
    { noise: 0.3, halt: true, votes: 2, samples: 2 },
  ];
  for (const how of options) {
    const whole = noiseSeen({ ...how, batchSize: 256, seed: 4 });
    for (const batchSize of [1, 2, 4, 7]) {
      const asked = noiseSeen({ ...how, batchSize, seed: 4 });
      assertEquals(asked, whole, `${JSON.stringify(how)}, ${batchSize} at a time`);
    }
    // no row of any batch, run or unit has the noise of another
    const all = [...whole.values()].flat();
    assertEquals(new Set(all).size, all.length, JSON.stringify(how));
    assertNotEquals(noiseSeen({ ...how, seed: 5 }), whole);
  }
});

Deno.test("think() gives a puzzle the noise that it has among fewer, too", () => {
  const few = noiseSeen({ noise: 0.3, samples: 2 }, 3),
    more = noiseSeen({ noise: 0.3, samples: 2 });
  for (const [board, noise] of few) assertEquals(more.get(board), noise);
  assertEquals([few.size, more.size], [3, 7]);
});

Deno.test("think() takes a thousand samples", () => {
  const [noise] = noiseSeen({ noise: 0.3, samples: 1000, batchSize: 1 }, 1, 1).values();
  assertEquals([noise!.length, new Set(noise).size], [1000, 1000]);
});

// Real models.

function tinyModel(seed: number, changes: Partial<HrmConfig> = {}): Hrm {
  const { config } = tinyConfig({ model: changes });
  const model = makeModel(config.model, { random: new Random(seed) }) as Hrm;
  const { weight } = model.inner.q_head; // else every logit is −5
  weight.detach().copy_(
    fromTypedArray(Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)), [2, 16]),
  );
  return model;
}

Deno.test("think() gives the same from the same seed, with votes, noise and several models", () => {
  using _ = scope();
  const puzzles = puzzlesOf(4, 6);
  const models = [tinyModel(1), tinyModel(2)];
  const options = [
    { votes: 4 },
    { samples: 3, noise: 1 },
    { samples: 3, noise: 1, choose: "vote" },
    { votes: 2, samples: 2, noise: 1, units: 5 },
  ] as const;
  for (const how of options) {
    for (const some of [models, models.slice(0, 1)]) {
      const before = liveTensors();
      const first = think(four, some, puzzles, { ...how, seed: 5 });
      assertEquals(think(four, some, puzzles, { ...how, seed: 5 }), first);
      assertNotEquals(think(four, some, puzzles, { ...how, seed: 6 }), first, JSON.stringify(how));
      assertEquals(liveTensors(), before, "tensors are left");
    }
  }
});

Deno.test("evaluate() with noise gives the same for every size of batches", () => {
  using _ = scope();
  const puzzles = puzzlesOf(4, 10);
  // in float64 a row is computed alike in a batch and alone, but for the last bits
  const model = tinyModel(1, { forwardDtype: "float64" });
  const options: ThinkOptions[] = [
    { noise: 1 },
    { noise: 1, samples: 4 },
    { noise: 1, samples: 2, votes: 2, choose: "vote" },
    { noise: 1, samples: 2, halt: true, units: 5 },
  ];
  const plain = evaluate(four, model, puzzles, { units: 5 });
  for (const how of options) {
    const [alone, ...others] = [1, 4, 256].map((batchSize) =>
      evaluate(four, model, puzzles, { ...how, batchSize })
    );
    for (const other of others) assertEquals(other, alone, JSON.stringify(how));
    assertNotEquals(alone!.byUnit, plain.byUnit.slice(0, alone!.byUnit.length));
  }
});

Deno.test("think() without noise makes all samples the same, and asks the model none the wiser", () => {
  using _ = scope();
  const puzzles = puzzlesOf(4, 6);
  const model = tinyModel(1);
  const plain = think(four, [model], puzzles);
  assertEquals(think(four, [model], puzzles, { samples: 3 }), plain);
  assertEquals(think(four, [model], puzzles, { noise: 0, seed: 9 }), plain);
  assertEquals(think(four, [model, model], puzzles), plain);
  assertNotEquals(think(four, [model], puzzles, { noise: 1 }), plain);
});

Deno.test("think() with noise draws anew for every run, and chooses the one whose halting logit is greatest", () => {
  using _ = scope();
  const puzzles = puzzlesOf(4, 8);
  const model = tinyModel(1);
  const [few, many] = [1, 8].map((samples) =>
    think(four, [model], puzzles, { samples, noise: 1, seed: 2 }).at(-1)!.haltLogits!
  );
  // the first of eight runs draws what the only one draws
  const greater = many!.map((q, i) => q - few![i]!);
  assert(greater.every((d) => d >= 0), `${greater}`);
  assert(greater.filter((d) => d > 0).length >= 4, `${greater}`);
});

Deno.test("think() of several models gives what each gives alone, where they agree to disagree", () => {
  using _ = scope();
  const puzzles = puzzlesOf(4, 6);
  const models = [tinyModel(1), tinyModel(2), tinyModel(3)];
  const alone = models.map((model) => think(four, [model], puzzles));
  const together = think(four, models, puzzles, { choose: "q" });
  together.forEach(({ answers, haltLogits }, unit) =>
    puzzles.forEach((_, i) => {
      const logits = alone.map((thoughts) => thoughts[unit]!.haltLogits![i]!);
      const best = logits.indexOf(Math.max(...logits));
      assertEquals(haltLogits![i], logits[best]);
      assertEquals(textOf(answers[i]!), textOf(alone[best]![unit]!.answers[i]!));
    })
  );
});

Deno.test("think() asks every kind of model", () => {
  const puzzles = puzzlesOf(4, 3);
  for (const name of families) {
    using _ = scope();
    const model = makeModel(smallRun(name).config.model, { random: new Random(1) });
    const thoughts = think(four, [model], puzzles, { votes: 2 });
    assertEquals(thoughts.length, model.depth.trained, name);
    assertEquals(thoughts[0]!.haltLogits === null, model.depth.unit !== "segment", name);
    for (const { answers } of thoughts) {
      for (const board of answers) assert(board.length === 16 && board.every((d) => d <= 4), name);
    }
  }
});
