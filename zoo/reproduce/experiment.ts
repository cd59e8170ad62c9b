/**
 * What an experiment is: a claim, and the measurement that tests it.
 *
 * @module
 */
import type { TopLevelSpec } from "../chart.ts";
import type { Estimate } from "../compare/statistics.ts";
import type { Lab } from "./lab.ts";

/** One measurement: plain values by name, as they go into `data.json`. */
export type Row = Readonly<Record<string, string | number | boolean | null>>;

/** Whether a measurement bears a claim out. */
export type Verdict = "agrees" | "agrees in part" | "does not agree" | "not tested here";

/** What an experiment found. */
export interface Finding {
  /** Everything that was measured. */
  readonly rows: readonly Row[];
  /** The measurements as a chart. */
  readonly chart: TopLevelSpec;
  /** The measurements in one to three sentences. */
  readonly measured: string;
  /** Whether they bear the claim out, by the rule that the experiment's code states. */
  readonly verdict: Verdict;
}

/** What one of the measurements of an experiment found. */
export interface Part extends Pick<Finding, "rows" | "measured"> {
  /** What has to hold for the claim to. */
  readonly conditions: readonly boolean[];
}

/** A claim, and how to test it. */
export interface Experiment {
  /** What is tested, in a few words. */
  readonly title: string;
  /** What the source says or shows, with the source. */
  readonly claim: string;
  /** Trains and measures. */
  readonly run: (lab: Lab) => Promise<Finding>;
}

/** A share with its interval, as fields of a row. */
export function shareFields({ mean, low, high }: Estimate): Row {
  return { exact: mean, low, high };
}

/** What all of several conditions, some or none of them say of a claim. */
export function verdictOf(...conditions: readonly boolean[]): Verdict {
  if (conditions.every(Boolean)) return "agrees";
  return conditions.some(Boolean) ? "agrees in part" : "does not agree";
}
