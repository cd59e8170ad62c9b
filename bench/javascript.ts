// Times Ponder beside JavaScript's frameworks at the parts of parts.ts, for bench/run.ts. They
// take turns, each in a process of its own, and start from the same numbers, so that equal
// losses and gradients show that they do the same work. A peer is a script under peers/ that
// says how it is installed; one that is not is skipped, and a line says so.
import { type Column, type ProgressLine, table } from "../zoo/cli/terminal.ts";
import { extent, largestDifference, median } from "./figures.ts";
import type { PartName, PartTurn, TurnOptions } from "./parts.ts";

/** A peer's script, the arguments that it takes besides, and what it can compute; all if left out. */
interface Peer {
  readonly script: string;
  readonly args?: readonly string[];
  readonly only?: PartName;
}

const peers: Readonly<Record<string, Peer>> = {
  "jax-js": { script: "./peers/jax.ts" },
  "TensorFlow.js wasm": { script: "./peers/tfjs.ts", args: ["wasm"] },
  "TensorFlow.js cpu": { script: "./peers/tfjs.ts", args: ["cpu"] },
  "js-pytorch": { script: "./peers/js_pytorch.ts" },
  "ONNX Runtime": { script: "./peers/onnxruntime.ts", only: "block-forward" },
};

/** How one of them did at a part. */
export interface PartRow {
  readonly part: PartName;
  readonly name: string;
  readonly about: string;
  /** The median of all steps. */
  readonly ms: number;
  readonly range: readonly [number, number];
  /** Its time over Ponder's: the median of the rounds' ratios, and its range. */
  readonly ratio: number;
  readonly ratioRange: readonly [number, number];
  /** The largest difference from Ponder's losses, relative; null for Ponder. */
  readonly lossDifference: number | null;
  /** The same of the root mean squares of the gradients; null where there are none. */
  readonly gradientDifference: number | null;
}

/** Times parts in rounds of turns. */
export async function timeParts(
  parts: readonly PartName[],
  rounds: number,
  options: TurnOptions,
  progress: ProgressLine,
): Promise<PartRow[]> {
  const rows: PartRow[] = [], skipped = new Set<string>();
  for (const part of parts) rows.push(...await timePart(part, rounds, options, skipped, progress));
  return rows;
}

/** Those rows for people. */
export function partsTable(rows: readonly PartRow[]): string {
  return table(rows.map(shown), columns, Infinity);
}

async function timePart(
  part: PartName,
  rounds: number,
  options: TurnOptions,
  skipped: Set<string>,
  progress: ProgressLine,
): Promise<PartRow[]> {
  const ponder: PartTurn[] = [], turns = new Map<string, PartTurn[]>();
  for (let round = 1; round <= rounds; round++) {
    progress.update(`${part}: round ${round} of ${rounds}, Ponder`);
    ponder.push(await takeTurn("./parts_ponder.ts", [part, JSON.stringify(options)]));
    for (const [name, { script, args = [], only = part }] of Object.entries(peers)) {
      if (skipped.has(name) || only !== part) continue;
      progress.update(`${part}: round ${round} of ${rounds}, ${name}`);
      try {
        const turn = await takeTurn(script, [part, JSON.stringify(options), ...args]);
        turns.set(name, [...turns.get(name) ?? [], turn]);
      } catch (error) {
        progress.log(`${name} is skipped: ${(error as Error).message}`);
        skipped.add(name);
      }
    }
  }
  return [["Ponder", ponder] as const, ...turns].map(([name, of]) =>
    compare(part, name, of, ponder)
  );
}

/** One process. It never downloads: a package that is not installed is an error. */
async function takeTurn(script: string, args: readonly string[]): Promise<PartTurn> {
  const path = new URL(script, import.meta.url).pathname;
  const flags = ["-q", "--allow-all", "--no-lock", "--node-modules-dir=none", "--cached-only"];
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, path, ...args],
    env: { NO_COLOR: "1" },
  });
  const { success, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (success) return JSON.parse(text(stdout).split("\n").at(-1)!); // some greet before
  const lines = text(stderr).split("\n");
  throw new Error(lines.find((line) => line.includes("rror")) ?? lines.at(-1));
}

function compare(
  part: PartName,
  name: string,
  turns: readonly PartTurn[],
  ponder: readonly PartTurn[],
): PartRow {
  const ratios = turns.map((turn, i) => median(turn.stepMs) / median(ponder[i]!.stepMs));
  const times = turns.flatMap(({ stepMs }) => stepMs);
  const [own] = ponder as [PartTurn], [other] = turns as [PartTurn];
  const names = Object.keys(own.gradients);
  const gradients = (turn: PartTurn) => names.map((key) => turn.gradients[key]!);
  return {
    ...{ part, name, about: other.about, ms: median(times), range: extent(times) },
    ...{ ratio: median(ratios), ratioRange: extent(ratios) },
    lossDifference: other === own ? null : largestDifference(own.losses, other.losses),
    gradientDifference: other === own ? null : largestDifference(gradients(own), gradients(other)),
  };
}

const columns: readonly Column[] = [
  { key: "part" },
  { key: "about", title: "framework" },
  { key: "ms", align: "right" },
  { key: "range", align: "right" },
  { key: "ratio", title: "Ponder is faster", align: "right" },
  { key: "ratioRange", title: "range", align: "right" },
  { key: "loss", align: "right" },
  { key: "gradient", align: "right" },
];

function shown(row: PartRow): Record<string, string | null> {
  const isPonder = row.lossDifference === null;
  const range = (values: readonly number[], digits: number) =>
    values.map((value) => value.toFixed(digits)).join("–");
  return {
    part: row.part,
    about: isPonder ? "Ponder" : row.about,
    ms: row.ms.toFixed(1),
    range: range(row.range, 1),
    ratio: isPonder ? null : `${row.ratio.toFixed(1)}×`,
    ratioRange: isPonder ? null : range(row.ratioRange, 1),
    loss: row.lossDifference?.toExponential(0) ?? null,
    gradient: row.gradientDifference?.toExponential(0) ?? null,
  };
}
