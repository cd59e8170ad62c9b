/**
 * The tables of a comparison, for the terminal and for a page.
 *
 * @module
 */
import {
  type Cell,
  type Column,
  formatBytes,
  formatCount,
  formatPercent,
} from "../cli/terminal.ts";
import { benchmarks, type PublishedFigure } from "../published.ts";
import { plural } from "../show.ts";
import { type RatedShare, referenceOf, type Row, type Section } from "./rows.ts";
import type { Estimate } from "./statistics.ts";

/** A table with what there is to say of it. */
export interface TitledTable {
  /** What it shows. */
  readonly title: string;
  /** What its columns count. */
  readonly caption: string;
  /** Its columns. */
  readonly columns: readonly Column[];
  /** Its rows. */
  readonly rows: readonly Readonly<Record<string, Cell>>[];
}

/** Units of thought that have a column. */
const UNITS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32] as const;

/** What the models of a section reach and cost. */
export function sectionTables(section: Section): TitledTable[] {
  return [
    scoresTable(section),
    ratingsTable(section),
    ...(section.rows.some(({ exactByUnit }) => exactByUnit.length > 1)
      ? [unitsTable(section)]
      : []),
    costsTable(section),
  ];
}

/** What is to be known of a section besides its tables, a sentence each. */
export function remarks(section: Section): string[] {
  const { rows } = section;
  const changes = Map.groupBy(rows, ({ changes }) => changes.join(" "));
  const selected = rows.filter((row) => row.selected);
  const hardware = Map.groupBy(
    rows.filter((row) => row.hardware !== null),
    (row) => row.hardware!,
  );
  return [
    ...(comparison(section) ?? []),
    ...[...changes].filter(([flags]) => flags !== "").map(([flags, rows]) =>
      `Changed of the preset, in ${namesOf(rows)}: ${flags}`
    ),
    ...(selected.length === 0 ? [] : [
      `The weights of ${namesOf(selected)} were chosen by evaluations on some of these puzzles, ` +
      "which flatters them a little.",
    ]),
    ...(hardware.size === 0 ? [] : [
      `Minutes are those of the training, on ${
        [...hardware].map(([where, rows]) => `${where} (${namesOf(rows)})`).join(", on ")
      }.`,
    ]),
  ];
}

/** Which models are outside the interval of HRM on the puzzles that need guessing, or on all. */
function comparison(section: Section): string[] | null {
  const reference = referenceOf(section);
  const others = section.rows.filter((row) => row !== reference);
  if (reference === null || others.length === 0) return null;
  const what = reference.aboveZero === null
    ? "all puzzles"
    : `the puzzles with 1 and more ${section.ratingTitle}`;
  const of = ({ aboveZero, exact }: Row) => aboveZero?.exact ?? exact;
  const names = (isMeant: (a: Estimate, b: Estimate) => boolean) =>
    namesOf(others.filter((row) => isMeant(of(row), of(reference)))) || "none";
  return [
    `On ${what}, solving less than ${reference.name} by a margin outside both intervals: ` +
    `${names((a, b) => a.high < b.low)}; more: ${names((a, b) => a.low > b.high)}.`,
  ];
}

function namesOf(rows: readonly Row[]): string {
  return rows.map(({ name }) => name).join(", ");
}

function scoresTable({ rows }: Section): TitledTable {
  return {
    title: "What they reach",
    caption:
      "exact: every cell right, with its 95 % interval, over the seeds or over the puzzles " +
      "of one; halted: exact where a model stops when it wants to, and after how many units of " +
      "thought in the mean",
    columns: [
      { key: "model" },
      { key: "exact", align: "right" },
      { key: "interval", title: "95 %", align: "right" },
      { key: "over" },
      { key: "blanks", align: "right" },
      { key: "valid", align: "right" },
      { key: "halted", align: "right" },
      { key: "units", title: "after", align: "right" },
    ],
    rows: rows.map((row) => ({
      model: row.name,
      exact: formatPercent(row.exact.mean),
      interval: formatInterval(row.exact),
      over: row.exact.over === "seeds"
        ? `${row.seeds.length} seeds`
        : `${formatCount(row.puzzles * row.seeds.length)} puzzles`,
      blanks: formatPercent(row.blanks),
      valid: formatPercent(row.valid),
      halted: row.halting && formatPercent(row.halting.exact.mean),
      units: row.halting && `${row.halting.meanUnits.toFixed(1)} of ${row.exactByUnit.length}`,
    })),
  };
}

function ratingsTable({ rows, ratingTitle }: Section): TitledTable {
  const ratings = [...new Set(rows.flatMap(({ byRating }) => byRating.map((r) => r.rating)))]
    .sort((a, b) => parseInt(a) - parseInt(b));
  const shareAt = (row: Row, rating: string) => row.byRating.find((r) => r.rating === rating);
  const hasGuessing = rows.some(({ aboveZero }) => aboveZero !== null);
  const counts = rows.map((row) => ratings.map((rating) => shareAt(row, rating)?.puzzles ?? 0));
  const asMany = new Set(counts.map(String)).size === 1;
  return {
    title: `Exact by ${ratingTitle}`,
    caption: hasGuessing
      ? "1+: those above 0 together, the puzzles that need guessing, with their 95 % interval"
      : "",
    columns: [
      { key: "model" },
      ...(hasGuessing
        ? [
          { key: "1+", align: "right" },
          { key: "interval", title: "95 %", align: "right" },
        ] as const
        : []),
      ...ratings.map((key) => ({ key, align: "right" } as const)),
    ],
    rows: [
      ...rows.map((row) => ({
        model: row.name,
        "1+": row.aboveZero && formatPercent(row.aboveZero.exact.mean),
        interval: row.aboveZero && formatInterval(row.aboveZero.exact),
        ...Object.fromEntries(ratings.map((key) => [key, formatShare(shareAt(row, key))])),
      })),
      ...(asMany
        ? [{
          model: "puzzles",
          "1+": rows[0]?.aboveZero?.puzzles,
          interval: "",
          ...Object.fromEntries(ratings.map((key, i) => [key, counts[0]![i]])),
        }]
        : []),
    ],
  };
}

function unitsTable({ rows }: Section): TitledTable {
  const deep = rows.filter(({ exactByUnit }) => exactByUnit.length > 1);
  const most = Math.max(...deep.map(({ exactByUnit }) => exactByUnit.length));
  const units = UNITS.filter((unit) => unit <= most);
  const names = [...new Set(deep.map(({ unit }) => plural(unit)))];
  return {
    title: `Exact after so many ${names.join(" or ")}`,
    caption: "",
    columns: [
      { key: "model" },
      ...units.map((unit) => ({ key: `${unit}`, align: "right" } as const)),
    ],
    rows: deep.map(({ name, exactByUnit }) => ({
      model: name,
      ...Object.fromEntries(
        units.map((unit) => {
          const share = exactByUnit[unit - 1];
          return [`${unit}`, share === undefined ? null : formatPercent(share)];
        }),
      ),
    })),
  };
}

function costsTable(section: Section): TitledTable {
  const { rows } = section;
  const reference = referenceOf(section);
  return {
    title: "What they cost",
    caption: "FLOPs of matrix products: of the training from one seed, and of one answer; " +
      "memory: the most that tensors took at once while answering",
    columns: [
      { key: "model" },
      { key: "parameters", align: "right" },
      { key: "training", title: "FLOPs", align: "right" },
      ...(reference === null ? [] : [{ key: "ratio", title: "× hrm", align: "right" } as const]),
      { key: "minutes", align: "right" },
      { key: "answer", align: "right" },
      { key: "speed", title: "puzzles/s", align: "right" },
      { key: "memory", align: "right" },
    ],
    rows: rows.map((row) => ({
      model: row.name,
      parameters: formatCount(row.parameters),
      training: formatFlops(row.trainingFlops),
      ratio: reference && (row.trainingFlops / reference.trainingFlops).toFixed(2),
      minutes: row.minutes && Number(row.minutes.toPrecision(2)),
      answer: formatFlops(row.answerFlops),
      speed: Number(row.puzzlesPerSecond.toPrecision(2)),
      memory: formatBytes(row.peakBytes),
    })),
  };
}

/** Figures of papers, a row each solver; where they stand is listed by number. */
export function publishedTable(
  figures: readonly PublishedFigure[],
): { readonly table: TitledTable; readonly sources: readonly string[] } {
  const sources = [...new Set(figures.map(({ source }) => source))];
  const asked = [...new Set(figures.map(({ benchmark }) => benchmark))];
  const solvers = Map.groupBy(
    figures,
    ({ name, parameters, source }) => JSON.stringify([name, parameters, source]),
  );
  const table = {
    title: "Published elsewhere, on other puzzles: not to be ranked with the above",
    caption: asked.map((key) => `${benchmarks[key].short}: ${benchmarks[key].title}`).join("; "),
    columns: [
      { key: "name", title: "model" },
      { key: "parameters", align: "right" },
      ...asked.map((key) => ({ key, title: benchmarks[key].short, align: "right" } as const)),
      { key: "source", align: "right" },
    ] as const,
    rows: [...solvers.values()].map((shares) => ({
      name: shares[0]!.name,
      parameters: shares[0]!.parameters && formatCount(shares[0]!.parameters),
      ...Object.fromEntries(
        shares.map(({ benchmark, exact }) => [benchmark, formatPercent(exact)]),
      ),
      source: `[${sources.indexOf(shares[0]!.source) + 1}]`,
    })),
  };
  return { table, sources };
}

function formatShare(share: RatedShare | undefined): string | null {
  return share === undefined ? null : formatPercent(share.exact.mean);
}

/** `92.0–95.0`, in per cent. */
function formatInterval({ low, high }: Estimate): string {
  return `${formatPercent(low).slice(0, -1)}–${formatPercent(high).slice(0, -1)}`;
}

/** `96.8T`. */
export function formatFlops(flops: number): string {
  if (flops < 1e15) return formatCount(flops).replace("B", "G");
  return flops < 1e18 ? `${(flops / 1e15).toPrecision(3)}P` : `${(flops / 1e18).toPrecision(3)}E`;
}
