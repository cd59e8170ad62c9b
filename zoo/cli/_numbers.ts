/**
 * Numbers as people read them.
 *
 * @module
 */

/** What stands for a number that is not finite. */
const NOTHING = "–";

/**
 * A duration in its two largest units: `12 ms`, `3.2 s`, `1 m 15 s`, `2 h 05 m`, `3 d 04 h`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { formatDuration } from "./terminal.ts";
 *
 * assertEquals(formatDuration(75), "1 m 15 s");
 * ```
 */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return NOTHING;
  if (seconds < 0) return `-${formatDuration(-seconds)}`;
  if (Math.round(seconds * 1000) < 1000) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 3600) return twoUnits(s, 60, "m", "s");
  const m = Math.round(seconds / 60);
  if (m < 24 * 60) return twoUnits(m, 60, "h", "m");
  return twoUnits(Math.round(seconds / 3600), 24, "d", "h");
}

function twoUnits(value: number, base: number, large: string, small: string): string {
  const rest = String(value % base).padStart(2, "0");
  return `${Math.floor(value / base)} ${large} ${rest} ${small}`;
}

/**
 * A count: exact with a comma up to 9,999, then three digits and `k`, `M`, `B` or `T`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { formatCount } from "./terminal.ts";
 *
 * assertEquals(formatCount(1234), "1,234");
 * assertEquals(formatCount(27_275_266), "27.3M");
 * ```
 */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return NOTHING;
  if (count < 0) return `-${formatCount(-count)}`;
  if (count < 9999.5) return Math.round(count).toString().replace(/^(\d)(\d{3})$/, "$1,$2");
  return scaled(count / 1000, 1000, ["k", "M", "B", "T"]);
}

/**
 * A size in binary units: `512 B`, `1.50 KiB`, `3.14 GiB`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { formatBytes } from "./terminal.ts";
 *
 * assertEquals(formatBytes(1536), "1.50 KiB");
 * ```
 */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return NOTHING;
  if (bytes < 0) return `-${formatBytes(-bytes)}`;
  if (bytes < 1024) return `${Math.round(bytes)} B`;
  return scaled(bytes / 1024, 1024, [" KiB", " MiB", " GiB", " TiB"]);
}

/** Three digits and the unit that leaves less than `base` of it. */
function scaled(value: number, base: number, units: readonly string[]): string {
  let unit = 0;
  // 999.5 would be written as 1000
  while (value >= base - 0.5 && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return `${threeDigits(value)}${units[unit]}`;
}

function threeDigits(value: number): string {
  if (value < 9.995) return value.toFixed(2);
  return value < 99.95 ? value.toFixed(1) : value.toFixed(0);
}

/**
 * A fraction as a percentage with `digits` after the point; only exactly 0 and 1
 * are written as 0% and 100%.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { formatPercent } from "./terminal.ts";
 *
 * assertEquals(formatPercent(0.5523), "55.2%");
 * assertEquals(formatPercent(0.99999), "99.9%"); // not all were right
 * ```
 */
export function formatPercent(fraction: number, digits = 1): string {
  if (!Number.isFinite(fraction)) return NOTHING;
  if (fraction <= 0 || fraction >= 1) return `${(fraction * 100).toFixed(digits)}%`;
  const step = 10 ** -digits;
  const percent = Math.min(100 - step, Math.max(step, fraction * 100));
  return `${percent.toFixed(digits)}%`;
}

const BARS = "▁▂▃▄▅▆▇█";

/**
 * A chart one line high: the lowest value is `▁`, the highest `█`, and what is not
 * finite a space. More values than `width` are averaged in groups.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sparkline } from "./terminal.ts";
 *
 * assertEquals(sparkline([0, 1, 2, 3, 4, 5, 6, 7]), "▁▂▃▄▅▆▇█");
 * ```
 */
export function sparkline(values: readonly number[], width = 40): string {
  const points = values.length <= width ? values : averaged(values, width);
  const finite = points.filter(Number.isFinite);
  const least = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const most = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  return points.map((value) => {
    if (!Number.isFinite(value)) return " ";
    if (most === least) return BARS[3]!;
    return BARS[Math.round((value - least) / (most - least) * (BARS.length - 1))]!;
  }).join("");
}

/** `width` averages of neighbours, those that are not finite left out. */
function averaged(values: readonly number[], width: number): readonly number[] {
  return Array.from({ length: width }, (_, i) => {
    const from = Math.floor(i * values.length / width);
    const to = Math.floor((i + 1) * values.length / width);
    const finite = values.slice(from, to).filter(Number.isFinite);
    return finite.reduce((sum, value) => sum + value, 0) / finite.length;
  });
}
