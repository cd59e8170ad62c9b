/**
 * Mazes: cells, shortest paths, judging, generating, equivalent mazes, tokens,
 * files and drawings.
 *
 * @module
 */

export {
  formatMaze,
  type Maze,
  mazeCell,
  mazeCharacters,
  type MazeEnds,
  mazeEnds,
  type MazePuzzle,
  parseMaze,
} from "./maze.ts";
export {
  shortestPathLength,
  solveMaze,
  type SolveMazeOptions,
  type SolveMazeResult,
} from "./solver.ts";
export { isShortestPath, judgeMaze, markedPathLength, type MazeVerdict } from "./judge.ts";
export {
  type GeneratedMaze,
  generateMaze,
  type GenerateMazeOptions,
  mazeHard,
} from "./generator.ts";
export { augmentMaze, transformMaze } from "./augment.ts";
export { mazeSignature } from "./equivalence.ts";
export { decodeMaze, encodeMaze, mazePad, mazeSeqLen, mazeVocabSize } from "./encoding.ts";
export {
  formatMazes,
  type FormatMazesOptions,
  type MazeFilePuzzle,
  type MazeLineReader,
  mazeLineReader,
  parseMazes,
} from "./file.ts";
export { drawMaze, type DrawMazeOptions } from "./draw.ts";
