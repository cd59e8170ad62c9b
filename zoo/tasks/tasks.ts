/**
 * Every kind of puzzle by its name.
 *
 * @module
 */
import type { TaskConfig } from "../recipe.ts";
import { arcTask } from "./arc.ts";
import { mazeTask } from "./maze.ts";
import { sudokuTask } from "./sudoku.ts";
import type { Task } from "./task.ts";

/** The kinds of tasks. */
export const taskKinds: readonly TaskConfig["kind"][] = ["sudoku", "maze", "arc"];

/**
 * The task that a config describes.
 *
 * @throws {TypeError} when there is no task of that kind
 */
export function makeTask(config: TaskConfig): Task {
  switch (config.kind) {
    case "sudoku":
      return sudokuTask(config);
    case "maze":
      return mazeTask(config);
    case "arc":
      return arcTask(config);
    default:
      throw new TypeError(
        `Unknown kind of task "${(config satisfies never as { kind: string }).kind}": ` +
          `expected one of ${taskKinds.join(", ")}, or a task in place of its config`,
      );
  }
}
