/**
 * Model cards, and the table of all weights, as Markdown.
 *
 * @module
 */
import { formatBytes, formatPercent } from "../cli/terminal.ts";
import { recipes } from "../recipes.ts";
import type { Preset } from "../recipe.ts";
import type { SavedConfig } from "../weights.ts";
import { type PretrainedEntry, type PretrainedIndex, sizeBytesOf, WEIGHT_FILES } from "./index.ts";

/** The card of weights: what they are, what they reach, how to use and to reproduce them. */
export function modelCard(name: string, entry: PretrainedEntry, saved: SavedConfig): string {
  const { recipe, preset, metrics, data, hardware, licence, files } = entry;
  const paragraphs = [
    `---\nlicense: ${licence.toLowerCase()}\nlibrary_name: ponder\n---`,
    `# ${name}`,
    `${recipes[recipe]?.summary ?? recipe}: ${thousands(entry.parameters)} parameters in ` +
    `${entry.dtype}, the preset \`${preset}\` of the recipe \`${recipe}\` of Ponder.`,
    "## What it reaches",
    scoresTable(metrics),
    unitsTable(metrics),
    `On ${thousands(metrics.puzzles)} held-out puzzles; exact counts a puzzle only if every cell ` +
    `is right. ${selectionText(entry, saved.config)} One seed.`,
    "## Use",
    usage(name, entry),
    "## Training",
    `${data}.`,
    `${thousands(entry.steps)} steps in ${minutesText(entry.minutes)} on ${hardware}, seed ` +
    `${entry.seed}. Everything else is in \`config.json\`. To train the same again:`,
    fenced("sh", reproduceCommand(saved)),
    "## Files",
    filesTable(files),
    `\`deno task zoo verify ${name}\` checks them and evaluates again. Licence: ${licence}.`,
  ];
  return paragraphs.join("\n\n") + "\n";
}

/** All weights, a row each. */
export function weightsTable({ entries }: PretrainedIndex): string {
  const rows = Object.entries(entries).map(([name, entry]) => [
    `[\`${name}\`](../zoo/weights/${entry.folder}/README.md)`,
    `\`${entry.preset}\``,
    thousands(entry.parameters),
    formatPercent(entry.metrics.exact),
    formatPercent(entry.metrics.blanks),
    minutesText(entry.minutes),
    formatBytes(sizeBytesOf(entry)),
  ]);
  const titles = ["name", "preset", "parameters", "exact", "blank cells", "trained in", "size"];
  return markdownTable(titles, rows);
}

/** The command that trains such weights: the preset, and what was changed of it. */
export function reproduceCommand({ recipe, preset, config }: SavedConfig): string {
  const known = recipes[recipe]?.presets[preset];
  const changes = known === undefined ? [] : changedFields(known, config);
  return [`deno task train ${recipe} --preset=${preset}`, ...changes].join(" ");
}

/** The fields that are not as in the preset, as flags of `deno task train`. */
export function changedFields(known: Preset, config: Preset): string[] {
  return (["model", "task", "optim", "run"] as const).flatMap((group) => {
    const before = known[group] as unknown as Readonly<Record<string, unknown>>;
    return Object.entries(config[group])
      .filter(([field, value]) => before[field] !== value)
      .map(([field, value]) => `--${group}.${field}=${value}`);
  });
}

function scoresTable({ exact, blanks, cells, valid }: PretrainedEntry["metrics"]): string {
  const shares = [exact, blanks, cells, valid].map((share) => formatPercent(share));
  return markdownTable(["exact", "blank cells", "all cells", "valid"], [shares]);
}

/** Exact by unit of thought; nothing where there is one unit alone. */
function unitsTable({ unit, exactByUnit }: PretrainedEntry["metrics"]): string {
  const plural = unit === "pass" ? "passes" : `${unit}s`;
  const titles = [plural, ...exactByUnit.map((_, i) => `${i + 1}`)];
  return markdownTable(titles, [["exact", ...exactByUnit.map((share) => formatPercent(share))]]);
}

function selectionText({ selection }: PretrainedEntry, { run }: Preset): string {
  return selection === "last"
    ? "These are the weights after the last step, chosen before any evaluation."
    : `While training, they did best on the first ${run.evalPuzzles} of these puzzles, which ` +
      "flatters them a little.";
}

function usage(name: string, { seed }: PretrainedEntry): string {
  const script = `import { loadPretrained, think } from "@ponder/ponder/zoo";

const { model, task } = await loadPretrained("${name}");
const puzzle = task.heldOut(${seed})[0]!;
const answer = think(task, [model], [puzzle]).at(-1)!.answers[0]!;
console.log(task.draw(puzzle, answer));`;
  return `${fenced("ts", script)}\n\n${fenced("sh", `deno task solve ${name}`)}`;
}

function filesTable(files: PretrainedEntry["files"]): string {
  const rows = WEIGHT_FILES.map((name) => [
    `\`${name}\``,
    thousands(files[name].bytes),
    `\`${files[name].sha256}\``,
  ]);
  return markdownTable(["file", "bytes", "SHA-256"], rows);
}

/** A table as `deno fmt` writes it. */
function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = titles.map((_, i) =>
    Math.max(3, ...[titles, ...rows].map((cells) => cells[i]!.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [titles, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("\n");
}

function fenced(language: string, code: string): string {
  return "```" + `${language}\n${code}\n` + "```";
}

function minutesText(minutes: number): string {
  return `${Number(minutes.toPrecision(2))} minutes`;
}

function thousands(count: number): string {
  return count.toLocaleString("en-US");
}
