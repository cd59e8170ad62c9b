import { assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4";
import {
  decodeMaze,
  encodeMaze,
  mazePad,
  mazeSeqLen,
  mazeVocabSize,
} from "../../../tasks/maze/encoding.ts";
import { parseMaze } from "../../../tasks/maze/maze.ts";
import { anyMaze } from "./_reference.ts";

const golden = JSON.parse(
  Deno.readTextFileSync(new URL("../../golden/maze_twin.json", import.meta.url)),
);

Deno.test("encodeMaze() makes the tokens that the numpy twin makes", () => {
  const withTokens = golden.mazes.filter(({ tokens }: { tokens?: number[] }) => tokens);
  assertEquals(withTokens.length > 10, true);
  for (const { text, tokens } of withTokens) {
    assertEquals([...encodeMaze(parseMaze(text))], tokens);
  }
});

Deno.test("the vocabulary and the length of 30x30 are those of Maze-Hard", () => {
  assertEquals([mazeVocabSize, mazePad, mazeSeqLen(30), mazeSeqLen(9, 12)], [6, 0, 900, 108]);
});

Deno.test("encodeMaze() writes into the array it is given", () => {
  const batch = new Uint8Array(12), row = batch.subarray(4, 8);
  assertEquals(encodeMaze(parseMaze("S#/oG"), row), row);
  assertEquals([...batch.subarray(3, 9)], [0, 3, 1, 5, 4, 0]);
});

Deno.test("decodeMaze() undoes encodeMaze(), whose tokens lie in the vocabulary", () => {
  fc.assert(fc.property(anyMaze(8), (maze) => {
    const tokens = encodeMaze(maze);
    assertEquals(decodeMaze(tokens, maze.rows, maze.columns), maze);
    assertEquals(decodeMaze([...tokens], maze.rows, maze.columns), maze);
    assertEquals(tokens.every((token) => token >= 1 && token < mazeVocabSize), true);
  }));
});

Deno.test("decodeMaze() makes 0 of every token that is no kind of cell", () => {
  const { cells } = decodeMaze([0, 1, 5, 6, 255, 257, -1, NaN, 2.5], 3);
  assertEquals([...cells], [0, 1, 5, 0, 0, 0, 0, 0, 0]);
});

Deno.test("encodeMaze() and decodeMaze() refuse wrong lengths and cells", () => {
  const maze = parseMaze("S#/oG");
  assertThrows(() => encodeMaze(maze, new Uint8Array(3)), RangeError, "4 cells in 3 tokens");
  assertThrows(
    () => decodeMaze([1, 2], 2),
    RangeError,
    "Cannot hold a maze of 4 cells in 2 tokens",
  );
  for (const bad of [0, 6]) {
    const cells = Uint8Array.of(3, 1, bad, 4);
    assertThrows(
      () => encodeMaze({ ...maze, cells }),
      RangeError,
      `Cannot encode ${bad} in row 2, column 1 of a maze: expected 1 to 5`,
    );
  }
});
