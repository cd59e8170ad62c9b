import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { Random } from "../../../core/random.ts";
import { scope } from "../../../core/scope.ts";
import type { Batch } from "../../../models/model.ts";
import {
  decodeBoard,
  formatBoard,
  isValidSolution,
  parseBoard,
  puzzleSignature,
  solve,
  type SudokuPuzzle,
  type SudokuSize,
} from "../../../tasks/mod.ts";
import type { SudokuConfig } from "../../../zoo/recipe.ts";
import {
  encodeSudoku,
  heldOutSudokus,
  loadSudokus,
  sudokuTask,
} from "../../../zoo/tasks/sudoku.ts";
import { type Sampler, tokenBatch } from "../../../zoo/tasks/task.ts";
import { inFolder } from "../../ffi/_folder.ts";
import { sudokuConfig } from "../_tiny.ts";

const task4 = sudokuConfig();
const task6 = sudokuConfig({ size: 6, minClues: 8, maxClues: 20, trainPuzzles: 60 });

/** The rows of a batch as text, each `puzzle solution`. */
function rowsOf({ inputs, labels }: Batch): string[] {
  const [rows, length] = inputs.shape as [number, number];
  const texts = [inputs, labels].map((tokens) => {
    const all = tokens.toNumbers();
    return Array.from(
      { length: rows },
      (_, i) => formatBoard(decodeBoard(all.slice(i * length, (i + 1) * length), 4)),
    );
  });
  return texts[0]!.map((text, i) => `${text} ${texts[1]![i]}`);
}

function textOf({ puzzle, solution }: SudokuPuzzle): string {
  return `${formatBoard(puzzle)} ${formatBoard(solution)}`;
}

function signatures(of: readonly SudokuPuzzle[]): Set<number> {
  return new Set(of.map(({ puzzle, solution }) => puzzleSignature(puzzle, solution)));
}

// Training batches.

/** What trains on 4×4 puzzles. */
function samplerOf(changes: Partial<SudokuConfig> = {}, seed = 5): Sampler {
  return sudokuTask({ ...task4, testPuzzles: 1, ...changes }).load(seed, () => {}).train;
}

Deno.test("sudokuTask().load() trains on the puzzles as they are, if they are not rearranged", () => {
  using _ = scope();
  const { train } = loadSudokus({ ...task4, trainPuzzles: 8, testPuzzles: 1 }, 5);
  const batch = samplerOf({ trainPuzzles: 8, augment: false }).batch(0, 8, "cpu");
  assertEquals(rowsOf(batch).toSorted(), train.map(textOf).toSorted());
  assertEquals(batch.puzzleIdentifiers.toNumbers(), Array(8).fill(0));
});

Deno.test("sudokuTask().load() rearranges puzzles into others that are as right", () => {
  using _ = scope();
  const [one] = loadSudokus({ ...task4, trainPuzzles: 1, testPuzzles: 1 }, 5).train;
  const sampler = samplerOf({ trainPuzzles: 1, augment: true });
  const clues = (text: string) => text.slice(0, 16).replaceAll(".", "").length;
  const seen = new Set<string>();
  for (let step = 0; step < 20; step++) {
    const batch = sampler.batch(step, 1, "cpu");
    const [puzzle, solution] = [batch.inputs, batch.labels].map((tokens) =>
      decodeBoard(tokens.toNumbers(), 4)
    );
    assert(isValidSolution(puzzle!, solution!));
    assertEquals(solve(puzzle!).solutions, 1);
    const [row] = rowsOf(batch);
    assertEquals(clues(row!), clues(textOf(one!)));
    seen.add(row!);
  }
  assert(seen.size > 15, `only ${seen.size} of 20 differ`);
});

Deno.test("sudokuTask().load() rearranges every row of a batch its own way, by the seed and the step", () => {
  using _ = scope();
  // one puzzle four times, so that rows differ by their arrangement alone
  const file = Deno.makeTempFileSync();
  try {
    Deno.writeTextFileSync(file, ".2...412...4....\n".repeat(4));
    const of = (seed: number) =>
      samplerOf({ trainFile: file, trainPuzzles: 4, augment: true }, seed);
    const [sampler, again] = [of(1), of(1)];
    const first = rowsOf(sampler.batch(0, 4, "cpu")), second = rowsOf(sampler.batch(1, 4, "cpu"));
    assertEquals(new Set([...first, ...second]).size, 8);
    assertEquals(rowsOf(again.batch(1, 4, "cpu")), second);
    assertEquals(rowsOf(again.batch(0, 4, "cpu")), first);
    assertNotEquals(rowsOf(of(2).batch(0, 4, "cpu")), first);
  } finally {
    Deno.removeSync(file);
  }
});

Deno.test("sudokuTask().load() wants labels of all cells, or of the blanks alone if told so", () => {
  using _ = scope();
  for (const augment of [false, true]) {
    const [all, some] = (["all", "blanks"] as const).map((supervise) =>
      samplerOf({ augment, supervise }).batch(2, 4, "cpu")
    );
    const inputs = all!.inputs.toNumbers(), labels = all!.labels.toNumbers();
    assertEquals(some!.inputs.toNumbers(), inputs);
    assert(labels.every((label) => label >= 2 && label <= 5), `${labels}`);
    assertEquals(some!.labels.toNumbers(), labels.map((t, i) => inputs[i] === 1 ? t : -100));
  }
});

// As a task.

const solution4 = parseBoard("1243341221344321");
const puzzle4 = { puzzle: parseBoard(".2...412...4...."), solution: solution4, rating: 3 };

Deno.test("sudokuTask() says how many tokens of how many kinds a puzzle has", () => {
  for (const size of [4, 6, 9]) {
    const task = sudokuTask({ ...task4, size });
    const { title, seqLen, vocabSize, numPuzzleIdentifiers } = task;
    assertEquals(
      [title, seqLen, vocabSize, numPuzzleIdentifiers],
      [`${size}×${size} Sudoku`, size * size, size + 2, 1],
    );
  }
});

Deno.test("sudokuTask().encode() writes digits as their successors, and decode() reads them", () => {
  const task = sudokuTask(task4);
  const { inputs, labels, puzzleIdentifier } = task.encode(puzzle4);
  assertEquals(Array.from(inputs), [..."0200041200040000"].map((d) => Number(d) + 1));
  assertEquals(Array.from(labels), [..."1243341221344321"].map((d) => Number(d) + 1));
  assertEquals(puzzleIdentifier, 0);
  assertEquals(task.decode(Int32Array.from(labels), puzzle4), solution4);
  assertEquals(task.question(puzzle4), puzzle4.puzzle);
  assertEquals(task.format(task.question(puzzle4)), ".2...412...4....");
  assertEquals(encodeSudoku(puzzle4), task.encode(puzzle4), "all cells count");
});

Deno.test("tokenBatch() stacks rows", () => {
  using _ = scope();
  const [a, b] = [1, 2].map((n) => ({ inputs: [n, n], labels: [n, -100], puzzleIdentifier: n }));
  const { inputs, labels, puzzleIdentifiers } = tokenBatch([a!, b!], "cpu");
  const all = [inputs, labels, puzzleIdentifiers];
  assertEquals(all.map(({ shape, dtype }) => [dtype, shape]), [
    ["int32", [2, 2]],
    ["int32", [2, 2]],
    ["int32", [2]],
  ]);
  assertEquals(all.map((t) => t.toNumbers()), [[1, 1, 2, 2], [1, -100, 2, -100], [1, 2]]);
});

Deno.test("sudokuTask().judge() counts cells and blanks, and tells rules from the stored answer", () => {
  const task = sudokuTask(task4);
  const judged = (clues: string, answer: string) => {
    const { exact, valid, cells, cellsRight, blanks, blanksRight } = task.judge(
      { puzzle: parseBoard(clues), solution: solution4, rating: 0 } as SudokuPuzzle,
      parseBoard(answer),
    );
    return [exact, valid, cells, cellsRight, blanks, blanksRight];
  };
  assertEquals(judged(".2...412...4....", "1243341221344321"), [true, true, 16, 16, 11, 11]);
  assertEquals(judged(".2...412...4....", "1243341221344322"), [false, false, 16, 15, 11, 10]);
  // a clue left blank: wrong, but among the blanks nothing is
  assertEquals(judged("1243341221344..1", ".243341221344321"), [false, false, 16, 15, 2, 2]);
  // another solution, with 3 and 4 exchanged
  assertEquals(judged("1...............", "1234431221433421"), [false, true, 16, 8, 15, 7]);
});

Deno.test("sudokuTask().vary() gives the puzzle itself, then rearrangements that undo() takes back", () => {
  for (const [task, config] of [[sudokuTask(task4), task4], [sudokuTask(task6), task6]] as const) {
    const size = config.size as SudokuSize;
    for (const puzzle of heldOutSudokus({ ...config, testPuzzles: 3 }, 2)) {
      const variants = task.vary(puzzle, 9, new Random(3));
      assertEquals(variants.length, 9);
      assertEquals(variants[0]!.puzzle, puzzle);
      assertEquals(variants[0]!.undo(puzzle.solution), puzzle.solution);
      for (const { puzzle: asked, undo } of variants) {
        const varied = asked as SudokuPuzzle;
        assertEquals(solve(varied.puzzle).solution, varied.solution);
        assertEquals(varied.rating, puzzle.rating);
        assertEquals(undo(varied.solution), puzzle.solution);
        assertEquals(undo(varied.puzzle), puzzle.puzzle);
      }
      const boards = new Set(variants.map(({ puzzle }) => (puzzle as SudokuPuzzle).puzzle.join()));
      assert(boards.size >= 8, `${size}: only ${boards.size} of 9 differ`);
      assertEquals(task.vary(puzzle, 1, new Random(3)).length, 1);
    }
  }
});

Deno.test("sudokuTask().vary() of the first puzzles does not depend on those after them", () => {
  const task = sudokuTask(task4);
  const puzzles = heldOutSudokus({ ...task4, testPuzzles: 4 }, 2);
  const asked = (count: number) => {
    const random = new Random(3);
    return puzzles.slice(0, count).flatMap((puzzle) =>
      task.vary(puzzle, 5, random).map(({ puzzle }) => puzzle)
    );
  };
  assertEquals(asked(4).slice(0, 10), asked(2));
});

Deno.test("sudokuTask().read() solves what a user wrote, and says what it cannot", () => {
  const task = sudokuTask(task4);
  const read = task.read(".2...412...4....", 0) as SudokuPuzzle;
  assertEquals([read.puzzle, read.solution], [puzzle4.puzzle, solution4]);
  assertEquals(read.rating, solve(puzzle4.puzzle).backtracks);
  const refuse = (text: string, message: string) =>
    assertThrows(() => task.read(text, 0), TypeError, message);
  refuse(".".repeat(81), "Cannot solve 81 cells: these weights know boards of 16");
  refuse("11..............", "Cannot judge the answer: the puzzle has no solution");
  refuse("1...............", "Cannot judge the answer: the puzzle has more than one solution");
});

Deno.test("sudokuTask().draw() shows puzzle and answer side by side, wrong cells marked", () => {
  const task = sudokuTask(task4);
  const right = task.draw(puzzle4, solution4), wrong = task.draw(puzzle4, solution4.with(15, 2));
  // deno-lint-ignore no-control-regex
  const plain = (text: string) => text.replace(/\x1b\[\d+m/g, "");
  assertEquals(plain(right).includes("!"), false);
  assertEquals(plain(wrong).match(/!/g)?.length, 1);
  assertEquals(plain(wrong).replace("2!", "1 "), plain(right));
  const both = plain(task.draw(puzzle4, solution4.with(15, 2), new Set([0, 15])));
  assertEquals(both.replace("2*", "2!").replace(/(\d)'/, "$1 "), plain(wrong));
  assertEquals(both.match(/'/g)?.length, 1);
  const widths = plain(right).split("\n").map((line) => [...line].length);
  assertEquals(new Set(widths).size, 1);
});

// Data.

Deno.test("loadSudokus() is the same for the same seed, and another for another", () => {
  const text = (seed: number) => {
    const { train, test } = loadSudokus(task4, seed);
    return [train.map(textOf), test.map(textOf)];
  };
  assertEquals(text(1), text(1));
  assertNotEquals(text(1)[0], text(2)[0]);
  assertNotEquals(text(1)[1], text(2)[1]);
});

Deno.test("loadSudokus() makes puzzles with one solution each, held-out ones of no training kind", () => {
  const { train, test } = loadSudokus(task6, 1);
  assertEquals([train.length, test.length], [60, 12]);
  for (const { puzzle, solution } of [...train, ...test]) {
    const solved = solve(puzzle);
    assertEquals([solved.solutions, solved.solution], [1, solution]);
  }
  assert(signatures(train).isDisjointFrom(signatures(test)));
});

Deno.test("heldOutSudokus() are those of loadSudokus(), however few are asked for", () => {
  const { test } = loadSudokus(task6, 1);
  assertEquals(heldOutSudokus(task6, 1), test);
  assertEquals(heldOutSudokus({ ...task6, testPuzzles: 5 }, 1), test.slice(0, 5));
  assertEquals(heldOutSudokus({ ...task6, trainFile: "no such file" }, 1), test);
});

Deno.test("loadSudokus() reads files, and trains on nothing that is held out", () =>
  inFolder((folder) => {
    const { train, test } = loadSudokus(task6, 1);
    const trainFile = join(folder, "train.txt"), testFile = join(folder, "test.txt");
    const write = (path: string, puzzles: readonly SudokuPuzzle[]) =>
      Deno.writeTextFileSync(path, puzzles.map((p) => `${textOf(p)} ${p.rating}\n`).join(""));
    write(trainFile, [...train.slice(0, 6), test[0]!, ...train.slice(6)]);
    write(testFile, test);

    const lines: string[] = [];
    const read = loadSudokus(
      { ...task6, trainFile, testFile, trainPuzzles: 9, testPuzzles: 4 },
      1,
      (
        line,
      ) => lines.push(line),
    );
    assertEquals(read.test.map(textOf), test.slice(0, 4).map(textOf));
    assertEquals(read.train.map(textOf), train.slice(0, 8).map(textOf));
    assertEquals(lines, [
      "Held out 4 puzzles",
      "Read 8 puzzles to train on, left out 1 held out",
    ]);
    return Promise.resolve();
  }));

Deno.test("loadSudokus() names the file and the line that it cannot read", () =>
  inFolder((folder) => {
    const file = join(folder, "puzzles.txt");
    const message = (text: string) => {
      Deno.writeTextFileSync(file, text);
      const error = assertThrows(() => loadSudokus({ ...task4, trainFile: file }, 1), Error);
      return error.message.replaceAll(folder, "…");
    };
    assertEquals(
      message(".2...412...4....\n.2...412...4...x\n"),
      '…/puzzles.txt:2: Cannot read "x" at position 16 (row 4, column 4) as a cell: ' +
        'expected 1 to 4, or "." or "0" for a blank',
    );
    assertEquals(
      message("11..............\n"),
      "…/puzzles.txt:1: Cannot use the puzzle: its clues contradict, 1 twice in row 1",
    );
    assertEquals(message("# nothing\n"), 'Cannot use "…/puzzles.txt": it has no puzzles');
    const six = heldOutSudokus({ ...task6, testPuzzles: 1 }, 1).map(textOf);
    assertEquals(
      message(six[0]!),
      'Cannot use "…/puzzles.txt": it has a puzzle of 36 cells, the task 16',
    );
    return Promise.resolve();
  }));
