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

/** The task that a config describes. */
export function makeTask(config: TaskConfig): Task {
  switch (config.kind) {
    case "sudoku":
      return sudokuTask(config);
    case "maze":
      return mazeTask(config);
    case "arc":
      return arcTask(config);
  }
}
