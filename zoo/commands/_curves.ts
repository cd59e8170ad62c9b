/**
 * Curves of runs as text.
 *
 * @module
 */
import type { Curve, MetricCurves } from "../runs.ts";

/** What marks the curves in a plot, in their order; no more can be told apart. */
export const MARKS = "*o+x#@%&";

const WIDTH = 80;
const HEIGHT = 12;
const LABEL = 9;

/** The curves in plain characters, at most 80 columns wide; where two meet, the first is seen. */
export function plotText({ metric, curves }: MetricCurves, marks: readonly string[]): string {
  const points = [...curves.values()].flat();
  const [left, right] = bounds(points.map(([step]) => step));
  const [bottom, top] = bounds(points.map(([, value]) => value));
  const columns = WIDTH - LABEL - 2;
  const rows = Array.from({ length: HEIGHT }, () => Array<string>(columns).fill(" "));
  const perColumn = (right - left) / (columns - 1);
  [...curves.values()].forEach((curve, i) => {
    for (let column = 0; column < columns; column++) {
      const value = valueAt(curve, left + column * perColumn, perColumn / 2);
      if (value === null) continue;
      const row = rows[Math.round((top - value) / (top - bottom) * (HEIGHT - 1))]!;
      if (row[column] === " ") row[column] = marks[i]!;
    }
  });
  const labels = new Map([[0, top], [HEIGHT - 1, bottom]]);
  const lines = rows.map((row, i) => {
    const label = labels.has(i) ? shortNumber(labels.get(i)!) : "";
    return `${label.padStart(LABEL)} │${row.join("")}`.trimEnd();
  });
  const [first, last] = [left, right].map(shortNumber);
  const axis = `${" ".repeat(LABEL)} └${"─".repeat(columns)}`;
  const ends = first + (last ?? "").padStart(columns - first!.length);
  return [metric, ...lines, axis, " ".repeat(LABEL + 2) + ends].join("\n");
}

/** The least and the largest, a little apart if they are the same. */
function bounds(values: readonly number[]): readonly [number, number] {
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (least < most) return [least, most];
  const room = Math.abs(least) * 0.1 || 1;
  return [least - room, most + room];
}

/** The mean of a curve's points near a step; between two points, on the line through both. */
function valueAt(curve: Curve, step: number, reach: number): number | null {
  const near = curve.filter(([at]) => Math.abs(at - step) <= reach);
  if (near.length > 0) return near.reduce((sum, [, value]) => sum + value, 0) / near.length;
  const before = curve.findLast(([at]) => at < step);
  const after = curve.find(([at]) => at > step);
  if (before === undefined || after === undefined) return null;
  const share = (step - before[0]) / (after[0] - before[0]);
  return before[1] + share * (after[1] - before[1]);
}

/** At most nine characters. */
function shortNumber(value: number): string {
  return String(Number.isInteger(value) && Math.abs(value) < 1e8 ? value : +value.toPrecision(3));
}
