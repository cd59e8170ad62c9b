/**
 * What a run reports: one JSON object a line in `metrics.jsonl`.
 *
 * @module
 */
import { join } from "@std/path";
import { writeFileAtomic } from "../core/io/file.ts";
import type { Scores } from "./evaluate.ts";
import type { StepReport } from "./step.ts";

/** A line: of training, or `evaluation` or `final`, what held-out puzzles gave. */
export interface MetricsLine {
  /** Steps done. */
  readonly step: number;
  /** Seconds of training. */
  readonly seconds?: number;
  /** Scores on some held-out puzzles. */
  readonly evaluation?: Scores;
  /** The evaluation after the last step. */
  readonly final?: { readonly final: Scores };
  /** Everything else: means over the steps since the line before. */
  readonly [name: string]: unknown;
}

/** The numbers of a line by name, of training and on held-out puzzles. */
export function numbersOf(
  { step: _step, seconds: _seconds, evaluation, final, ...training }: MetricsLine,
): Readonly<Record<"training" | "heldOut", Readonly<Record<string, number>>>> {
  return { training: finiteOf(training), heldOut: finiteOf(evaluation ?? final?.final ?? {}) };
}

function finiteOf(record: object): Record<string, number> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => Number.isFinite(value)));
}

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

/** Where a run reports. */
export function metricsFile(folder: string): string {
  return join(folder, "metrics.jsonl");
}

/** Adds a line. */
export function appendMetrics(folder: string, line: MetricsLine): void {
  Deno.writeTextFileSync(metricsFile(folder), JSON.stringify(line) + "\n", { append: true });
}

/** The lines that a run reported while it trained, evaluations left out. */
export function readMetrics(
  folder: string,
): (MetricsLine & { readonly gradNorm?: number | null })[] {
  return readLines(folder).lines.filter(({ gradNorm }) => gradNorm !== undefined);
}

/** The last line of a run that can be read; null where there is none. */
export function lastMetrics(folder: string): MetricsLine | null {
  return readLines(folder).lines.at(-1) ?? null;
}

/** Every line of a run that can be read, and how many cannot: a killed run may leave half a line. */
export function readLines(
  folder: string,
): { readonly lines: readonly MetricsLine[]; readonly damaged: number } {
  const written = textOf(folder).split("\n").filter((line) => line !== "");
  const lines = written.map(parseLine).filter((line) => line !== null);
  return { lines, damaged: written.length - lines.length };
}

function textOf(folder: string): string {
  try {
    return Deno.readTextFileSync(metricsFile(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** What a line of the file says; null where it is damaged. */
export function parseLine(line: string): MetricsLine | null {
  try {
    const entry: unknown = JSON.parse(line);
    return Number.isFinite(Object(entry).step) ? entry as MetricsLine : null;
  } catch {
    return null;
  }
}

/** Drops what was reported after `step`: a run that was killed may have gone beyond its checkpoint. */
export async function cutMetrics(folder: string, step: number): Promise<void> {
  const { lines, damaged } = readLines(folder);
  if (lines.length + damaged === 0) return;
  const kept = lines.filter((line) => line.step <= step && line.final === undefined);
  await writeFileAtomic(
    metricsFile(folder),
    kept.map((line) => JSON.stringify(line) + "\n").join(""),
  );
}
