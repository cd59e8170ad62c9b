// deno task bench [work …] [--all] [--compile] [--rounds=3] [--steps=6] [--seconds=5] [--threads=2]
//                 [--json=FILE] [--check=FILE]
//
// Times Ponder beside PyTorch eager, which computes the same step: the two take turns, each
// in a process of its own on the same threads, and start from the same weights and batch, so
// that equal losses show that they do the same work: `loss 1` is how far apart they are at the
// first step, and `loss` how far they come at the steps that are timed, where a model may
// have made more of the rounding. PyTorch is `python3`, or what PONDER_PYTHON names; where it
// has no torch, its columns stay empty and a line says so.
//
// A work is a name of works.ts or how some of them begin: `hrm-small-float32`, `hrm-small`,
// `hrm`. At `block`, `block-forward` and `mlp` the peers are JavaScript's frameworks
// (javascript.ts), in a table of their own. With --compile the same PyTorch code takes a third turn under torch.compile, which
// needs a C++ compiler and minutes to warm up.
//
// `of ceiling` is the share that a step reaches of the speed of one large matrix product
// alone, in the same process. --check compares the ratios with those that --json wrote
// before, and fails where one has fallen by more than 15 %.
import { parseCommand, runMain } from "../zoo/cli/flags.ts";
import { type Column, ProgressLine, table } from "../zoo/cli/terminal.ts";
import { extent, largestDifference, median, threadsFlag } from "./figures.ts";
import { partsTable, timeParts } from "./javascript.ts";
import { partNames } from "./parts.ts";
import type { StepPreset } from "./step.ts";
import {
  findPython,
  fromStart,
  ponderMultiply,
  ponderStep,
  pytorchMultiply,
  pytorchStep,
  type Turn,
  withWeights,
} from "./turns.ts";
import { chooseWorks, firstStep, steps } from "./works.ts";

/** Steps before the clock starts. */
const WARMUP = 2;

/** The part of a ratio that may be lost to noise. */
const TOLERANCE = 0.15;

const declaration = {
  name: "bench",
  summary: "Time Ponder beside PyTorch and JavaScript's frameworks",
  positionals: [{
    name: "work",
    help: "what to time, such as hrm-small-float32, or how its name begins, such as hrm",
    rest: true,
  }],
  flags: {
    all: { type: "boolean", help: "time the papers' own sizes, too, if no work is named" },
    compile: { type: "boolean", help: "time PyTorch under torch.compile, too; takes minutes" },
    rounds: { type: "integer", min: 1, default: 3, help: "how often they take turns" },
    steps: { type: "integer", min: 1, default: 6, help: "steps that are timed in a turn" },
    seconds: { type: "integer", min: 1, default: 5, help: "… or fewer, at JavaScript's, by then" },
    threads: threadsFlag,
    json: { type: "string", placeholder: "file", help: "write the figures there too" },
    check: { type: "string", placeholder: "file", help: "fail where a ratio is 15 % below this" },
  },
} as const;

/** Who takes part. */
interface Contest {
  readonly python: string | null;
  readonly compile: boolean;
  readonly rounds: number;
  readonly steps: number;
  readonly threads: number;
}

/** How a peer did beside Ponder; all null where it took no turn. */
interface Comparison {
  readonly pytorch_ms: number | null;
  /** PyTorch's time over Ponder's: the median of the rounds' ratios, and its range. */
  readonly ratio: number | null;
  readonly ratio_range: readonly [number, number] | null;
  /** The difference of the losses of the first step, from equal weights, relative. */
  readonly first_loss_difference: number | null;
  /** The largest one of the steps that are timed. */
  readonly loss_difference: number | null;
  /** Ponder's memory over PyTorch's. */
  readonly memory_ratio: number | null;
}

/** One row of the table. */
interface Row extends Comparison {
  readonly work: string;
  readonly ponder_ms: number;
  /** The share of a large product's speed that Ponder reaches; null where there is none. */
  readonly ceiling: number | null;
  /** The same for PyTorch under torch.compile. */
  readonly compiled: Comparison;
}

async function main(args: readonly string[]): Promise<void> {
  const { flags, positionals } = parseCommand(declaration, args);
  const { all, compile, rounds, steps, seconds, threads } = flags;
  const chosen = chooseWorks(positionals.work, all);
  const parts = partNames.filter((part) => chosen.includes(part));
  using progress = new ProgressLine();
  const contest = { python: await findPython(), compile, rounds, steps, threads };
  const others = chosen.filter((work) => !parts.some((part) => part === work));
  const rows = await timeWorks(others, contest, progress);
  const options = { steps, seconds, threads };
  const partRows = await timeParts(parts, rounds, options, progress);
  progress.finish();
  const shownColumns = compile ? [...columns, ...compiledColumns] : columns;
  // A figure that is cut off is none.
  if (rows.length > 0) console.log(table(rows.map(shown), shownColumns, Infinity));
  if (partRows.length > 0) console.log(partsTable(partRows));
  if (flags.json !== undefined) {
    const figures = JSON.stringify({ threads, rounds, steps, rows, parts: partRows }, null, 2);
    Deno.writeTextFileSync(flags.json, figures + "\n");
  }
  if (flags.check !== undefined) checkAgainst(flags.check, rows);
}

async function timeWorks(
  works: readonly string[],
  contest: Contest,
  progress: ProgressLine,
): Promise<Row[]> {
  if (works.length > 0 && contest.python === null) {
    progress.log("PyTorch is skipped: no python3 with torch; name one by PONDER_PYTHON");
  }
  const rows: Row[] = [];
  for (const work of works) {
    rows.push(
      work === "mul8"
        ? await timeMultiply(contest, progress)
        : work === "start"
        ? await timeStart(contest, progress)
        : await timeStep(work, contest, progress),
    );
  }
  return rows;
}

/**
 * Holds ratios to those of an earlier run.
 *
 * @throws {Error} when one has fallen, or there is none to compare
 */
function checkAgainst(file: string, rows: readonly Row[]): void {
  const before: { rows: Row[] } = JSON.parse(Deno.readTextFileSync(file));
  const known = new Map(before.rows.map(({ work, ratio }) => [work, ratio]));
  const pairs = rows.flatMap(({ work, ratio }) => {
    const old = known.get(work) ?? null;
    return old === null || ratio === null ? [] : [{ work, ratio, old }];
  });
  if (pairs.length === 0) throw new Error(`Nothing to compare with ${file}`);
  const fallen = pairs.filter(({ ratio, old }) => ratio < old * (1 - TOLERANCE));
  if (fallen.length === 0) {
    console.log(`${pairs.length} ratios are as in ${file}, or better`);
    return;
  }
  const list = fallen.map(({ work, ratio, old }) =>
    `${work} ${ratio.toFixed(2)}× (was ${old.toFixed(2)}×)`
  );
  throw new Error(`Slower beside PyTorch than in ${file}: ${list.join(", ")}`);
}

const columns: readonly Column[] = [
  { key: "work" },
  { key: "ponder", title: "Ponder ms", align: "right" },
  { key: "pytorch", title: "PyTorch ms", align: "right" },
  { key: "ratio", title: "speed", align: "right" },
  { key: "range", title: "range", align: "right" },
  { key: "memory", title: "memory", align: "right" },
  { key: "ceiling", title: "of ceiling", align: "right" },
  { key: "firstLoss", title: "loss 1", align: "right" },
  { key: "loss", align: "right" },
];

const compiledColumns: readonly Column[] = [
  { key: "compiled", title: "torch.compile ms", align: "right" },
  { key: "compiledRatio", title: "speed", align: "right" },
  { key: "compiledRange", title: "range", align: "right" },
  { key: "compiledFirstLoss", title: "loss 1", align: "right" },
  { key: "compiledLoss", title: "loss", align: "right" },
];

function shown(
  { work, ponder_ms, ceiling, compiled, ...eager }: Row,
): Record<string, string | null> {
  const digits = ponder_ms < 1 ? 5 : 1;
  const texts = (peer: Comparison) => ({
    time: peer.pytorch_ms?.toFixed(digits) ?? null,
    ratio: peer.ratio === null ? null : `${peer.ratio.toFixed(2)}×`,
    range: peer.ratio_range?.map((ratio) => ratio.toFixed(2)).join("–") ?? null,
    firstLoss: peer.first_loss_difference?.toExponential(0) ?? null,
    loss: peer.loss_difference?.toExponential(0) ?? null,
  });
  const { time: pytorch, ...rest } = texts(eager);
  const other = texts(compiled);
  return {
    work,
    ponder: ponder_ms.toFixed(digits),
    pytorch,
    ...rest,
    memory: eager.memory_ratio === null ? null : `${eager.memory_ratio.toFixed(2)}×`,
    ceiling: ceiling === null ? null : `${Math.round(ceiling * 100)} %`,
    compiled: other.time,
    compiledRatio: other.ratio,
    compiledRange: other.range,
    compiledFirstLoss: other.firstLoss,
    compiledLoss: other.loss,
  };
}

function timeStep(name: string, contest: Contest, progress: ProgressLine): Promise<Row> {
  const { threads } = contest;
  const preset: StepPreset = { ...steps[name]!, threads, steps: contest.steps, warmup: WARMUP };
  return withWeights(preset, (file) =>
    takeTurns(name, contest, progress, {
      ponder: () => ponderStep(file, { ...preset, ceiling: true }),
      pytorch: (python) => pytorchStep(python, file, preset),
      compiled: (python) => pytorchStep(python, file, preset, "--compile"),
    }));
}

function timeStart(contest: Contest, progress: ProgressLine): Promise<Row> {
  const preset: StepPreset = { ...firstStep, threads: contest.threads, steps: 1, warmup: 0 };
  return withWeights(preset, (file) =>
    takeTurns("start", contest, progress, {
      ponder: () => fromStart(() => ponderStep(file, preset)),
      pytorch: (python) => fromStart(() => pytorchStep(python, file, preset)),
    }));
}

function timeMultiply(contest: Contest, progress: ProgressLine): Promise<Row> {
  const sides = { ponder: ponderMultiply, pytorch: pytorchMultiply };
  return takeTurns("mul8", contest, progress, sides);
}

/** How each of those that take turns takes one. */
interface Sides {
  ponder(): Promise<Turn>;
  pytorch(python: string): Promise<Turn>;
  compiled?(python: string): Promise<Turn>;
}

async function takeTurns(
  work: string,
  { python, compile, rounds }: Contest,
  progress: ProgressLine,
  sides: Sides,
): Promise<Row> {
  const ours: Turn[] = [], eager: Turn[] = [], compiled: Turn[] = [];
  let compiles = compile && sides.compiled !== undefined;
  for (let round = 1; round <= rounds; round++) {
    const says = (who: string) => progress.update(`${work}: round ${round} of ${rounds}, ${who}`);
    says("Ponder");
    ours.push(await sides.ponder());
    if (python === null) continue;
    says("PyTorch");
    eager.push(await sides.pytorch(python));
    if (!compiles) continue;
    says("torch.compile");
    try {
      compiled.push(await sides.compiled!(python));
    } catch (error) {
      progress.log(`torch.compile is skipped for ${work}: ${(error as Error).message}`);
      compiles = false;
    }
  }
  const ponder_ms = median(ours.map(stepMs));
  return {
    work,
    ponder_ms,
    ceiling: ceilingOf(ours),
    ...compare(ours, eager),
    compiled: compare(ours, compiled),
  };
}

/** The share of the product's speed that the steps reach, the median of the turns. */
function ceilingOf(turns: readonly Turn[]): number | null {
  const shares = turns.flatMap((turn) => {
    const { flops, product_gflops } = turn;
    if (flops === undefined || product_gflops == null) return [];
    return [flops / (stepMs(turn) * 1e6) / product_gflops];
  });
  return shares.length === 0 ? null : median(shares);
}

/** Ponder's turns beside a peer's in the same rounds. */
function compare(ours: readonly Turn[], theirs: readonly Turn[]): Comparison {
  const ratios = theirs.map((turn, i) => stepMs(turn) / stepMs(ours[i]!));
  const memory = theirs.flatMap(({ peak_rss_mb: megabytes }, i) => {
    const own = ours[i]!.peak_rss_mb;
    return own === null || megabytes === null ? [] : [own / megabytes];
  });
  return {
    pytorch_ms: theirs.length === 0 ? null : median(theirs.map(stepMs)),
    ratio: ratios.length === 0 ? null : median(ratios),
    ratio_range: ratios.length === 0 ? null : extent(ratios),
    first_loss_difference: theirs.length === 0
      ? null
      : largestDifference([ours[0]!.first_loss], [theirs[0]!.first_loss]),
    loss_difference: theirs.length === 0
      ? null
      : largestDifference(ours[0]!.losses, theirs[0]!.losses),
    memory_ratio: memory.length === 0 ? null : median(memory),
  };
}

function stepMs(turn: Turn): number {
  return median(turn.step_ms);
}

if (import.meta.main) await runMain(() => main(Deno.args));
