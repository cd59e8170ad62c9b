/**
 * The models that the playground offers: those of the zoo, and those of runs.
 *
 * @module
 */
import { join } from "@std/path";
import { type PretrainedEntry, pretrainedIndex } from "../pretrained/index.ts";
import { findPretrained } from "../pretrained/places.ts";
import type { TaskConfig } from "../recipe.ts";
import { recipes } from "../recipes.ts";
import type { RunPlace } from "../runs.ts";
import { makeTask } from "../tasks/tasks.ts";
import { readConfig } from "../weights.ts";
import type { ModelEntry } from "./protocol.ts";
import { newestRuns } from "./runs.ts";

/** A model, and where it lies; null where it is not on this machine. */
export interface Located {
  /** What the page is told. */
  readonly entry: ModelEntry;
  /** The folder of its weights. */
  readonly folder: string | null;
}

/** All models by name; a run that is called as one of the zoo gives way to it. */
export function locateModels(runs: string): Map<string, Located> {
  const { entries } = pretrainedIndex();
  const zoo = Object.entries(entries).map(([name, entry]) => ofZoo(name, entry));
  const own = newestRuns(runs).filter(({ name }) => !Object.hasOwn(entries, name)).flatMap(ofRun);
  return new Map([...zoo, ...own].map((located) => [located.entry.name, located]));
}

function ofZoo(name: string, pretrained: PretrainedEntry): Located {
  const { recipe, preset, parameters, metrics: { exact } } = pretrained;
  const folder = findPretrained(pretrained)?.folder ?? null;
  const config = folder === null
    ? recipes[recipe]?.presets[preset]?.task
    : readConfig(folder).config.task;
  const place = folder === null ? "remote" : "zoo";
  return { entry: { name, place, ...taskOf(config), parameters, exact }, folder };
}

/** A run that has saved weights; its best ones, else the last. */
function ofRun({ name, folder: run }: RunPlace): Located[] {
  for (const kept of ["best", "final"]) {
    const folder = join(run, kept);
    try {
      const { config } = readConfig(folder);
      const none = { parameters: null, exact: null };
      return [{ entry: { name, place: "run", ...taskOf(config.task), ...none }, folder }];
    } catch {
      // none kept, or of a model or task of the user's own
    }
  }
  return [];
}

function taskOf(config: TaskConfig | undefined): Pick<ModelEntry, "kind" | "title"> {
  if (config === undefined) return { kind: null, title: null };
  return { kind: config.kind, title: makeTask(config).title };
}
