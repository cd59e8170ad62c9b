/**
 * What `data inspect` prints.
 *
 * @module
 */
import { formatBytes, table } from "../cli/terminal.ts";
import { type Inspection, type PuzzleKind, splitNames, tokenNames } from "./inspect.ts";
import type { Ratings } from "./write.ts";

const BAR = 30;

/** An inspection in lines, the drawings excepted. */
export function showInspection(inspection: Inspection): string {
  const { folder, puzzle, seqLen, vocabSize, identifiers, build } = inspection;
  const head = `${folder}: ${titleOf(puzzle)}, ${seqLen} tokens of ${vocabSize} kinds, ` +
    `${identifiers} puzzle identifier${identifiers === 1 ? "" : "s"}`;
  const made = build === null
    ? "Not made by Ponder: it says nothing of its source"
    : `Made by Ponder ${build.ponder} as ${build.name} from ${build.source}\n` +
      `Licence: ${build.licence}`;
  const ratings = build?.ratings ?? null;
  const histograms = ratings === null
    ? []
    : splitNames.filter((split) => inspection.splits[split] !== undefined)
      .map((split) => showRatings(`Rating (${ratings.title}), ${split}`, ratings[split]));
  return [`${head}\n${made}`, splitTable(inspection), tokenTable(inspection), ...histograms]
    .join("\n\n");
}

function titleOf(puzzle: PuzzleKind): string {
  if (puzzle.kind === "unknown") return "puzzles of no kind that Ponder knows";
  const { kind, size } = puzzle;
  return { sudoku: `${size}×${size} Sudoku`, maze: `${size}×${size} mazes`, arc: "ARC" }[kind];
}

function splitTable({ splits, seqLen }: Inspection): string {
  const rows = splitNames.flatMap((split) => {
    const it = splits[split];
    if (it === undefined) return [];
    const { groups, puzzles, examples, dtypes } = it;
    const width = (dtype: string) => Number(/\d+$/.exec(dtype)![0]) / 8;
    const bytes = examples * seqLen * dtypes.reduce((sum, dtype) => sum + width(dtype), 0);
    return [{
      ...{ split, groups, puzzles, examples },
      dtype: [...new Set(dtypes)].join(", "),
      size: formatBytes(bytes),
    }];
  });
  const right = (key: "groups" | "puzzles" | "examples" | "size") =>
    ({ key, align: "right" }) as const;
  return table(rows, [
    { key: "split" },
    right("groups"),
    right("puzzles"),
    right("examples"),
    { key: "dtype" },
    right("size"),
  ]);
}

function tokenTable({ splits, puzzle, vocabSize }: Inspection): string {
  const names = tokenNames(puzzle, vocabSize);
  const shown = splitNames.filter((split) => splits[split] !== undefined);
  const share = (counts: readonly number[], token: number) =>
    percent(counts[token]!, counts.reduce((sum, count) => sum + count, 0));
  const rows = names.map((name, token) => ({
    token,
    name,
    ...Object.fromEntries(shown.flatMap((split) => {
      const { inputs, labels } = splits[split]!.tokens;
      return [[`${split}In`, share(inputs, token)], [`${split}Out`, share(labels, token)]];
    })),
  }));
  const columns = shown.flatMap((split) => [
    { key: `${split}In`, title: `${split} inputs`, align: "right" as const },
    { key: `${split}Out`, title: `labels`, align: "right" as const },
  ]);
  const notes = shown.flatMap((split) => {
    const { examples, tokens } = splits[split]!;
    return tokens.examples < examples
      ? [`Tokens of ${split} counted in ${tokens.examples} of ${examples} examples`]
      : [];
  });
  return [table(rows, [{ key: "token", align: "right" }, { key: "name" }, ...columns]), ...notes]
    .join("\n");
}

/** A histogram of ratings: of each value where there are few, else of ranges. */
export function showRatings(title: string, ratings: Ratings): string {
  const total = ratings.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return `${title}: none`;
  const mean = ratings.reduce((sum, [rating, count]) => sum + rating * count, 0) / total;
  const least = ratings[0]![0], most = ratings.at(-1)![0];
  const edges = edgesOf(least, most, mean);
  const counts = edges.slice(0, -1).map((from, i) =>
    ratings.reduce((sum, [r, count]) => r >= from && r < edges[i + 1]! ? sum + count : sum, 0)
  );
  const highest = Math.max(...counts);
  const labels = edges.slice(0, -1).map((from, i) => {
    const to = edges[i + 1]! - 1;
    return from === to ? `${from}` : `${from}–${to}`;
  });
  const width = Math.max(...labels.map((label) => label.length));
  const lines = counts.map((count, i) => {
    const bar = "█".repeat(Math.ceil(BAR * count / highest));
    return `${labels[i]!.padStart(width)}  ${bar.padEnd(BAR)}  ${count}`;
  });
  return [`${title}: ${least} to ${most}, mean ${mean.toFixed(1)}`, ...lines].join("\n");
}

/** Where the ranges begin, and after the last one its end. */
function edgesOf(least: number, most: number, mean: number): number[] {
  const low = Math.floor(least), end = Math.floor(most) + 1;
  if (end - low <= 12) return Array.from({ length: end - low + 1 }, (_, i) => low + i);
  if (low <= 1 && end > 6 * mean) { // few are far above the others
    const edges = [0];
    for (let power = 1; power < end; power *= 10) edges.push(power, 2 * power, 5 * power);
    return [...edges.filter((edge) => edge < end), end];
  }
  const step = Math.ceil((end - low) / 10);
  const edges = Array.from({ length: Math.ceil((end - low) / step) }, (_, i) => low + i * step);
  return [...edges, end];
}

function percent(count: number, total: number): string {
  return total === 0 ? "–" : `${(100 * count / total).toFixed(1)}%`;
}
