import { assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../../core/random.ts";
import { parseBoard } from "../../../tasks/sudoku/board.ts";
import {
  decodeBoard,
  encodeBoard,
  sudokuBlank,
  sudokuPad,
  sudokuSeqLen,
  sudokuVocabSize,
} from "../../../tasks/sudoku/encoding.ts";
import { generateSudoku } from "../../../tasks/sudoku/generator.ts";
import { sudokuSizes } from "../../../tasks/sudoku/geometry.ts";

Deno.test("encodeBoard() makes blanks 1 and digits d + 1", () => {
  const board = parseBoard("1234............");
  assertEquals(encodeBoard(board), Uint8Array.of(2, 3, 4, 5, ...Array(12).fill(1)));
  assertEquals([sudokuPad, sudokuBlank], [0, 1]);
});

Deno.test("encodeBoard() writes into the array it is given", () => {
  const batch = new Uint8Array(3 * 16);
  const row = batch.subarray(16, 32);
  assertEquals(encodeBoard(parseBoard("4".padEnd(16, ".")), row), row);
  assertEquals([...batch.subarray(15, 18)], [0, 5, 1]);
});

Deno.test("sudokuVocabSize() and sudokuSeqLen() of 9x9 are those of Sudoku-Extreme", () => {
  assertEquals([sudokuVocabSize(9), sudokuSeqLen(9)], [11, 81]);
  assertEquals([sudokuVocabSize(4), sudokuSeqLen(4)], [6, 16]);
});

Deno.test("decodeBoard() undoes encodeBoard(), whose tokens lie in the vocabulary", () => {
  const random = new Random(1);
  for (const size of sudokuSizes) {
    const { puzzle, solution } = generateSudoku(random, { size, clues: [4, 40] });
    for (const board of [puzzle, solution]) {
      const tokens = encodeBoard(board);
      assertEquals(decodeBoard(tokens, size), board);
      assertEquals(decodeBoard([...tokens], size), board);
      assertEquals(tokens.every((token) => token >= 1 && token < sudokuVocabSize(size)), true);
    }
  }
});

Deno.test("decodeBoard() makes a blank of every token that is no digit", () => {
  const tokens = [0, 1, 2, 5, 6, 7, 255, -1, NaN, ...Array(7).fill(3)];
  assertEquals(
    decodeBoard(tokens, 4),
    Uint8Array.of(0, 0, 1, 4, 0, 0, 0, 0, 0, ...Array(7).fill(2)),
  );
});

Deno.test("encodeBoard() and decodeBoard() refuse wrong lengths and digits", () => {
  assertThrows(() => encodeBoard(new Uint8Array(16), new Uint8Array(15)), RangeError, "15 tokens");
  assertThrows(() => encodeBoard(new Uint8Array(16).fill(5)), RangeError, "Cannot use 5");
  assertThrows(() => decodeBoard([1, 2], 4), RangeError, "16 cells in 2 tokens");
});
