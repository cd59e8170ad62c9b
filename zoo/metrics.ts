/**
 * What a run reports: one JSON object a line in `metrics.jsonl`.
 *
 * @module
 */
import { join } from "@std/path";
import { writeFileAtomic } from "../core/io/file.ts";
import type { StepReport } from "./step.ts";

const FILE = "metrics.jsonl";

/** Sums of step reports until the next line. */
export class MetricsWindow {
  #sums: Record<string, number> = {};

  /** The sums, and `reports`, how many there are. */
  get sums(): Readonly<Record<string, number>> {
    return { ...this.#sums };
  }

  /** Takes a step in. */
  add(report: StepReport): void {
    for (const [name, value] of Object.entries({ ...report, reports: 1 })) {
      this.#sums[name] = (this.#sums[name] ?? 0) + value;
    }
  }

  /** Continues with sums from a checkpoint. */
  restore(sums: Readonly<Record<string, number>>): void {
    this.#sums = { ...sums };
  }

  /** The means, of losses by step and of the rest by finished puzzle; starts anew. */
  take(): Record<string, number | null> {
    const { reports = 1, count = 0, ...sums } = this.#sums;
    this.#sums = {};
    const perPuzzle = ["accuracy", "exactAccuracy", "qHaltAccuracy", "steps"];
    const means = Object.entries(sums).map(([name, sum]) =>
      [name, perPuzzle.includes(name) ? (count > 0 ? sum / count : null) : sum / reports] as const
    );
    return { ...Object.fromEntries(means), count };
  }
}

/** Adds a line. */
export function appendMetrics(folder: string, line: object): void {
  Deno.writeTextFileSync(join(folder, FILE), JSON.stringify(line) + "\n", { append: true });
}

/**
 * The last line of a run; null where there are none.
 *
 * @throws {SyntaxError} when it is damaged
 */
export function lastMetrics(
  folder: string,
): { readonly step?: number; readonly seconds?: number } | null {
  try {
    return JSON.parse(Deno.readTextFileSync(join(folder, FILE)).trimEnd().split("\n").at(-1)!);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Drops what was reported after `step`: a run that was killed may have gone beyond its checkpoint. */
export async function cutMetrics(folder: string, step: number): Promise<void> {
  const path = join(folder, FILE);
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  const kept = text.split("\n").filter((line) => isUpTo(line, step));
  await writeFileAtomic(path, kept.map((line) => line + "\n").join(""));
}

function isUpTo(line: string, step: number): boolean {
  try {
    const entry = JSON.parse(line) as { step: number; final?: unknown };
    return entry.step <= step && entry.final === undefined;
  } catch {
    return false; // cut off in the middle
  }
}
