/** Several processes train as one does. */
import { assert, assertAlmostEquals, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { decodeSafetensors } from "../../core/io/safetensors.ts";
import { decodeElements } from "../../core/elements.ts";
import { gpuOf } from "../../zoo/distributed.ts";
import { inFolder } from "../ffi/_folder.ts";
import { doubleProblem, ncclDouble } from "../ffi/_nccl.ts";
import { ended, mpiProblem, mpirun } from "./_mpi.ts";
import { families } from "./_family.ts";
import { type Steps, stepsOf, works } from "./_shared_steps.ts";
import { checkpointOf, checkpointPath, command, metricsOf, tinyFlags } from "./_tiny.ts";

const STEPS = 50;

/** 50 steps of HRM on 4×4 boards, each reported, with evaluations on the way. */
const flags = [
  ...["train", "hrm-sudoku", ...tinyFlags, `--steps=${STEPS}`],
  ...["--run.batchSize=8", "--run.reportEvery=1", "--run.evalEvery=20", "--run.checkpointEvery=25"],
];

/** The same as changes of the tiny config, but that a report is due in between reads. */
function changes(steps: number): string {
  const often = { reportEvery: 7, evalEvery: 20, checkpointEvery: 25 };
  return JSON.stringify({ run: { batchSize: 8, steps, ...often } });
}

function distributed(count: number, ...more: string[]): Deno.Command {
  return mpirun(count, "zoo/cli.ts", ...more, "--distributed");
}

/** A test that several processes are needed for. */
function testMpi(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: name + mpiProblem, ignore: mpiProblem !== "", fn });
}

/** A test of what NCCL would be asked for, where something that compiles stands in for it. */
function testNccl(name: string, fn: (folder: string, double: string) => Promise<void>): void {
  const problem = mpiProblem || doubleProblem;
  Deno.test({
    name: name + problem,
    ignore: problem !== "",
    fn: () => inFolder(async (folder) => await fn(folder, await ncclDouble(folder))),
  });
}

/** Equal, numbers to 1e-5 of their size. */
function assertCloseTo(got: unknown, want: unknown, what: string): void {
  if (typeof want === "number" && typeof got === "number") {
    assertAlmostEquals(got, want, 1e-5 * Math.max(1, Math.abs(want)), what);
  } else if (typeof want === "object" && want !== null) {
    for (const [name, value] of Object.entries(want)) {
      assertCloseTo((got as Record<string, unknown>)[name], value, `${what} ${name}`);
    }
  } else {
    assertEquals(got, want, what);
  }
}

/** What a checkpoint holds, as numbers. */
function numbersIn(folder: string): Record<string, number[]> {
  const { tensors } = decodeSafetensors(Deno.readFileSync(checkpointPath(folder)));
  return Object.fromEntries(
    [...tensors].map((
      [name, { data, dtype }],
    ) => [
      name,
      Array.from(decodeElements(data.slice(), dtype) as ArrayLike<number | bigint>, Number),
    ]),
  );
}

/** Two runs came to the same, but for rounding. */
function assertLike(folder: string, whole: string, what: string): void {
  const got = metricsOf(folder), want = metricsOf(whole);
  assertEquals(got.map(({ step }) => step), want.map(({ step }) => step), what);
  want.forEach((line, i) => assertCloseTo(got[i], line, `${what}, step ${line["step"]}:`));
  const progress = checkpointOf(folder).progress;
  assertEquals(progress["exploration"], checkpointOf(whole).progress["exploration"]);
  const numbers = numbersIn(folder);
  for (const [name, values] of Object.entries(numbersIn(whole))) {
    assertEquals(numbers[name]!.length, values.length, name);
    const most = Math.max(...values.map((value, i) => Math.abs(value - numbers[name]![i]!)));
    assert(most < (name.startsWith("optimizer.") ? 1e-5 : 1e-3), `${what}: ${name} by ${most}`);
  }
}

async function trainAlone(...args: string[]): Promise<void> {
  const { code, stderr } = await command(...args);
  assertEquals(code, 0, stderr);
}

/** That several processes do the steps that one does. */
async function assertSameSteps(running: Deno.Command): Promise<void> {
  const { code, stdout, stderr } = await ended(running);
  assertEquals(code, 0, stderr);
  const all: Steps[] = JSON.parse(stdout);
  for (const [i, [recipe, preset]] of works.entries()) {
    const what = `${recipe} ${preset}`;
    const got = all[i]!, want = await stepsOf(recipe, preset, null);
    assert(got.isSame, `${what}: the processes have come apart`);
    assertCloseTo(got.reports, want.reports, what);
    const errors = want.weights.map((w, k) => Math.abs(w - got.weights[k]!));
    assert(Math.max(...errors) < 2e-5, `${what}: weights by ${Math.max(...errors)}`);
  }
}

testMpi("sharedStep() does what trainStep() does, for every family of models", async () => {
  await assertSameSteps(mpirun(3, "tests/zoo/_shared_steps.ts"));
});

testNccl("sharedStep() asks NCCL for what trainStep() does", async (_, double) => {
  await assertSameSteps(mpirun(3, "tests/zoo/_shared_steps.ts", double));
});

testNccl(
  "queueSharedStep() trains every family on meta: it reads no element",
  async (_, double) => {
    const { code, stdout, stderr } = await ended(mpirun(2, "tests/zoo/_queue_nccl.ts", double));
    assertEquals([code, stdout], [0, `${families.length}\n`], stderr);
  },
);

testNccl(
  "train() by NCCL and 2 and 3 processes reports what one process does",
  async (parent, double) => {
    const whole = join(parent, "whole");
    await trainAlone(...flags, "--run.reportEvery=7", `--out=${whole}`);
    for (const count of [2, 3]) {
      const folder = join(parent, `${count}`);
      const { code, stdout, stderr } = await ended(
        mpirun(count, "tests/zoo/_train_nccl.ts", double, `--out=${folder}`, changes(STEPS)),
      );
      assertEquals(code, 0, stderr);
      assertMatch(stdout, /^Open MPI \S+ and NCCL 2\.99\.7\n$/);
      assertLike(folder, whole, `${count} processes`);
    }
  },
);

testMpi(
  "train --distributed by 1, 2, 3 and 4 processes reports what one process does",
  () =>
    inFolder(async (parent) => {
      const whole = join(parent, "whole");
      await trainAlone(...flags, `--out=${whole}`);
      for (const count of [1, 2, 3, 4]) {
        const folder = join(parent, `${count}`);
        const { code, stdout, stderr } = await ended(
          distributed(count, ...flags, `--out=${folder}`),
        );
        assertEquals(code, 0, stderr);
        assertMatch(stdout, new RegExp(`^${count} processes by Open MPI`, "m"));
        assertEquals(stdout.match(/^Run in/gm)?.length, 1, "only the first process speaks");
        assertMatch(stderr, /each hands over \d\S* \S+ a step, which takes \S+ ms/);
        assertLike(folder, whole, `${count} processes`);
        const [line] = metricsOf(folder);
        assert(line!["communicationBytes"] as number > 4 * 5000);
      }
    }),
);

testMpi(
  "train --distributed goes on with another number of processes",
  () =>
    inFolder(async (parent) => {
      const whole = join(parent, "whole"), folder = join(parent, "run");
      await trainAlone(...flags, "--optim.minRatio=1", `--out=${whole}`);
      const parts = [[2, 13], [4, 26], [3, 38]] as const;
      for (const [i, [count, steps]] of parts.entries()) {
        const run = i === 0
          ? [...flags, "--optim.minRatio=1", `--steps=${steps}`, `--out=${folder}`]
          : ["train", "hrm-sudoku", `--resume=${folder}`, `--steps=${steps}`];
        const { code, stderr } = await ended(distributed(count, ...run));
        assertEquals(code, 0, stderr);
      }
      await trainAlone("train", "hrm-sudoku", `--resume=${folder}`, `--steps=${STEPS}`);
      assertLike(folder, whole, "2, 4, 3 processes and one");
    }),
);

const long = [...flags, "--steps=100000", "--run.evalEvery=100000"];

/** A run in a folder that has written its metrics. */
async function begun(folder: string, running: Deno.Command): Promise<Deno.ChildProcess> {
  const child = running.spawn();
  const metrics = () => Deno.readTextFile(join(folder, "metrics.jsonl")).catch(() => "");
  while (!/"step":3\d,/.test(await metrics())) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return child;
}

/** The process of a job that has a rank, found by its environment. */
async function processOf(rank: number, folder: string): Promise<number> {
  for await (const { name } of Deno.readDir("/proc")) {
    const read = (file: string) => Deno.readTextFile(`/proc/${name}/${file}`).catch(() => "");
    if (!/^\d+$/.test(name) || !(await read("cmdline")).includes(`--out=${folder}`)) continue;
    const variables = (await read("environ")).split("\0");
    if (variables.includes(`OMPI_COMM_WORLD_RANK=${rank}`)) return Number(name);
  }
  throw new Error(`no process ${rank}`);
}

testMpi(
  "train --distributed ends when a process is killed, and goes on from the checkpoint",
  () =>
    inFolder(async (parent) => {
      const folder = join(parent, "run"), whole = join(parent, "whole");
      const child = await begun(folder, distributed(2, ...long, `--out=${folder}`));
      Deno.kill(await processOf(1, folder), "SIGKILL");
      const { code, stderr } = await ended(child);
      assert(code !== 0);
      assertMatch(stderr, /process rank 1 .* exited on signal 9/s);
      const resume = `--resume="${folder}"`;
      assertMatch(stderr, new RegExp(`go on from the last checkpoint by .* ${resume}`));
      const done = checkpointOf(folder).progress["step"] as number;
      assert(done >= 25 && done % 25 === 0, `checkpoint of step ${done}`);

      const last = done + 10;
      await trainAlone("train", "hrm-sudoku", `--resume=${folder}`, `--steps=${last}`);
      await trainAlone(...long, `--steps=${last}`, `--out=${whole}`);
      const steps = (of: string) => metricsOf(of).map(({ step }) => step);
      assertEquals(steps(folder), steps(whole));
    }),
);

testNccl("train() by NCCL ends when a process is killed", async (parent, double) => {
  const folder = join(parent, "run");
  const run = mpirun(2, "tests/zoo/_train_nccl.ts", double, `--out=${folder}`, changes(100000));
  const child = await begun(folder, run);
  Deno.kill(await processOf(1, folder), "SIGKILL");
  const { code, stderr } = await ended(child);
  assert(code !== 0);
  assertMatch(stderr, /process rank 1 .* exited on signal 9/s);
  assertEquals(checkpointOf(folder).progress["step"] as number % 25, 0);
});

testMpi(
  "train --distributed stops all processes at one step when told to, and saves",
  () =>
    inFolder(async (parent) => {
      for (const signal of ["SIGINT", "SIGUSR2"] as const) {
        const folder = join(parent, signal);
        const child = await begun(folder, distributed(2, ...long, `--out=${folder}`));
        child.kill(signal);
        const { code, stderr } = await ended(child);
        assert(code !== 0);
        const [, step] = /^Stopped at step (\d+) and saved; go on by /m.exec(stderr) ?? [];
        assertEquals(checkpointOf(folder).progress["step"], Number(step), stderr);
      }
    }),
);

testMpi(
  "train --distributed says which process failed, and ends the others",
  () =>
    inFolder(async (folder) => {
      const run = [...flags, `--out=${join(folder, "run")}`];
      const many = await ended(distributed(3, ...run, "--run.batchSize=2"));
      assert(many.code !== 0);
      assertMatch(
        many.stderr,
        /^Process \d of 3: Cannot share batches of 2 rows among 3 processes: start 2 at most$/m,
      );
      const used = await ended(
        distributed(2, ...flags, `--out=${new URL(".", import.meta.url).pathname}`),
      );
      assertEquals(used.code, 2);
      assertMatch(used.stderr, /^Process 0 of 2: Cannot use --out=".*": it is not empty$/m);
    }),
);

testMpi("train --distributed shares the cores of a machine among its processes", async () => {
  const cores = navigator.hardwareConcurrency;
  for (const count of [1, 2, 2 * cores]) {
    const { stdout, stderr } = await ended(mpirun(count, "tests/zoo/_threads.ts"));
    assertEquals(stdout.trim(), `${Math.max(1, Math.floor(cores / count))}`, stderr);
  }
});

testMpi(
  "train --distributed --device=cuda says what it lacks, and starts no run",
  () =>
    inFolder(async (folder) => {
      const args = ["train", "hrm-sudoku", "--preset=tiny", "--device=cuda"];
      const { code, stderr } = await ended(distributed(2, ...args, `--out=${join(folder, "run")}`));
      assert(code !== 0);
      assertMatch(stderr, /^Process [01] of 2: Cannot compute on cuda with libtorch .*/m);
      assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
    }),
);

Deno.test("gpuOf() gives each process of a machine a GPU of its own, or says that they are too few", () => {
  const hosts = ["a", "b", "a", "b", "a"];
  assertEquals(hosts.map((_, rank) => gpuOf(rank, hosts, 3)), [0, 0, 1, 1, 2]);
  assertThrows(
    () => gpuOf(4, hosts, 2),
    RangeError,
    "Cannot give each of 3 processes on a a GPU of its own: it sees 2; start 2 at most there",
  );
});

Deno.test("train --distributed says where Open MPI is missing", async () => {
  const before = Deno.env.get("PONDER_MPI");
  Deno.env.set("PONDER_MPI", "/nowhere/libmpi.so.40");
  const missing = await command("train", "hrm-sudoku", "--distributed");
  if (before === undefined) Deno.env.delete("PONDER_MPI");
  else Deno.env.set("PONDER_MPI", before);
  assertEquals(missing.code, 1);
  assertMatch(
    missing.stderr,
    /^Cannot open Open MPI's "\/nowhere\/libmpi.so.40": .*'deno task setup'/,
  );
});
