/**
 * What is left of an experiment: its measurements, a chart and a paragraph.
 *
 * @module
 */
import { join } from "@std/path";
import { writeFileAtomic } from "../../core/io/file.ts";
import { drawChart } from "../chart.ts";
import { formatDuration } from "../cli/terminal.ts";
import { version } from "../version.ts";
import type { Experiment, Finding } from "./experiment.ts";

/** What was asked for. */
export interface Setting {
  /** The name of the experiment. */
  readonly id: string;
  /** How large. */
  readonly scale: string;
  /** From how many seeds. */
  readonly seeds: number;
  /** How many models were trained for it, and for how many seconds in all. */
  readonly training: { readonly models: number; readonly seconds: number };
}

/**
 * Writes `data.json`, `chart.svg` and `README.md` into a folder, and gives back the
 * paragraph of the last.
 */
export async function writeFinding(
  folder: string,
  { title, claim }: Experiment,
  finding: Finding,
  setting: Setting,
): Promise<string> {
  const { rows, chart, measured, verdict } = finding;
  const data = { ...setting, title, claim, measured, verdict, ponder: version, rows };
  const text = paragraph(claim, finding);
  await Deno.mkdir(folder, { recursive: true });
  await writeFileAtomic(join(folder, "data.json"), JSON.stringify(data, null, 1) + "\n");
  await writeFileAtomic(join(folder, "chart.svg"), await drawChart(chart));
  await writeFileAtomic(join(folder, "README.md"), page(setting, title, text));
  return text;
}

/** What the source says, what was measured, and whether they agree. */
function paragraph(claim: string, { measured, verdict }: Finding): string {
  const conclusion = {
    "agrees": "That agrees with the claim.",
    "agrees in part": "That agrees with the claim in part.",
    "does not agree": "That does not agree with the claim.",
    "not tested here": "That tests nothing of the claim.",
  }[verdict];
  return `${claim}. ${measured} ${conclusion}`;
}

function page({ id, scale, seeds, training }: Setting, title: string, text: string): string {
  const flags = `--preset=${scale}${seeds > 1 ? ` --seeds=${seeds}` : ""}`;
  return `# ${id.toUpperCase()}: ${title}\n\n` +
    "```sh\n" + `deno task reproduce ${id} ${flags}\n` + "```\n\n" +
    `![${title}](chart.svg)\n\n${text}\n\n` +
    trainingText(seeds, training) + "\n";
}

function trainingText(seeds: number, { models, seconds }: Setting["training"]): string {
  if (models === 0) return "Nothing was trained for it.";
  return `${models} models, ${seeds === 1 ? "one seed each" : `${seeds} seeds of each kind`}, ` +
    `${formatDuration(seconds)} of training in all; experiments share their models.`;
}
