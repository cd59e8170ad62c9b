// deno run -A bench/scale.ts              the expected speed-up of hrm-sudoku by many workers
// mpirun -n 2 deno run -A bench/scale.ts  how long it takes to sum so many bytes
//
// docs/scale.md says where the figures of the works come from, and what the model assumes.
import { zeros } from "../core/mod.ts";
import { Group } from "../zoo/distributed.ts";
import { joinMpi } from "../ffi/mpi.ts";
import { formatBytes, table } from "../zoo/cli/terminal.ts";

/** A step on one core, measured: `fixedMs + rows · (builtMs + rowMs)`. */
interface Work {
  readonly name: string;
  /** Rows of the batch, over all workers. */
  readonly rows: number;
  /** What a step takes however few its rows are. */
  readonly fixedMs: number;
  /** What building a row takes, which every worker does for the whole batch. */
  readonly builtMs: number;
  /** What thinking about a row and going back takes. */
  readonly rowMs: number;
  /** Bytes of gradients. */
  readonly bytes: number;
}

/** What lies between the workers. */
interface Network {
  readonly name: string;
  /** One message of no size, from worker to worker. */
  readonly latencyMs: number;
  /** Of one worker's link. */
  readonly bytesPerMs: number;
}

const works: readonly Work[] = [
  { name: "tiny", rows: 64, fixedMs: 10.8, builtMs: 0.003, rowMs: 0.668, bytes: 856e3 },
  { name: "cpu", rows: 64, fixedMs: 10.1, builtMs: 0.004, rowMs: 1.658, bytes: 857e3 },
  { name: "paper", rows: 768, fixedMs: 262, builtMs: 0.007, rowMs: 97, bytes: 109e6 },
];

/** Nominal figures of common hardware, not measured. */
const networks: readonly Network[] = [
  { name: "10 Gbit/s", latencyMs: 0.03, bytesPerMs: 1.25e6 },
  { name: "100 Gbit/s", latencyMs: 0.003, bytesPerMs: 12.5e6 },
];

/** Gradients; identifiers and rows of the puzzle table, each with its length; report; agreement. */
const MESSAGES = 7;

/** Milliseconds of a step by `n` workers that share `rows`. */
function stepMs(work: Work, rows: number, n: number, net: Network): number {
  const { fixedMs, builtMs, rowMs, bytes } = work;
  const compute = fixedMs + builtMs * rows + rowMs * Math.ceil(rows / n);
  if (n === 1) return compute;
  const latency = MESSAGES * Math.ceil(Math.log2(n)) * net.latencyMs;
  return compute + latency + 2 * (n - 1) / n * bytes / net.bytesPerMs; // a ring
}

const counts = [2, 4, 8, 16, 32, 64, 128, 256, 512] as const;

/** One batch shared by more and more workers; or as many rows for each of them as for one. */
function speedUps(isStrong: boolean): string {
  const rows = works.flatMap((work) =>
    networks.map((net) => {
      const alone = stepMs(work, work.rows, 1, net);
      const cells = counts.map((n) => {
        if (isStrong && n > work.rows) return [n, null];
        const ms = stepMs(work, isStrong ? work.rows : work.rows * n, n, net);
        return [n, (alone / ms * (isStrong ? 1 : n)).toFixed(1)];
      });
      return { work: work.name, network: net.name, ...Object.fromEntries(cells) };
    })
  );
  const numbers = counts.map((n) => ({ key: `${n}`, align: "right" }) as const);
  return table<string>(rows, [{ key: "work" }, { key: "network" }, ...numbers]);
}

/** Prints how long sums over all processes take. */
async function timeSums(): Promise<void> {
  const mpi = joinMpi(), group = new Group(mpi);
  for (const count of [2, 2 ** 10, 2 ** 14, 214e3, 2 ** 20, 2 ** 23, 27.3e6]) {
    const numbers = zeros([count]), times = count > 2 ** 20 ? 10 : 200;
    for (let i = 0; i < 3; i++) await group.sumTensors([numbers]);
    const began = performance.now();
    for (let i = 0; i < times; i++) await mpi.sumMemory(numbers.handle, count, "float32");
    const ms = (performance.now() - began) / times;
    if (group.isFirst) console.log(`${formatBytes(count * 4)}: ${ms.toFixed(3)} ms`);
  }
  group.leave();
}

if (Deno.env.has("OMPI_COMM_WORLD_SIZE")) {
  await timeSums();
} else {
  console.log(`One batch, shared\n${speedUps(true)}\n\nA batch for each\n${speedUps(false)}`);
}
