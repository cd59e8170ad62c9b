import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { crc32c, encodeEvent, encodeRecord, tensorBoardWriter } from "../../zoo/tensorboard.ts";
import { train } from "../../zoo/train.ts";
import { inFolder, namesIn } from "../ffi/_folder.ts";
import { hasTensorBoard, needsTensorBoard, runPython } from "../python.ts";
import { command, dataOf, metricsOf, tinyConfig, tinyFlags } from "./_tiny.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const hex = (data: Uint8Array) => Array.from(data, (b) => b.toString(16).padStart(2, "0")).join("");

Deno.test("crc32c() gives the values of RFC 3720, §B.4", () => {
  const counted = Uint8Array.from({ length: 32 }, (_, i) => i);
  assertEquals(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assertEquals(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assertEquals(crc32c(counted), 0x46dd794e);
  assertEquals(crc32c(counted.toReversed()), 0x113fdb5c);
  assertEquals(crc32c(bytes("123456789")), 0xe3069283);
});

Deno.test("encodeEvent() writes what protobuf's own library writes", () => {
  const wallTime = 1.5;
  assertEquals(
    hex(encodeEvent({ wallTime, fileVersion: "brain.Event:2" })),
    "09000000000000f83f" + "1a0d" + hex(bytes("brain.Event:2")),
  );
  assertEquals(
    hex(encodeEvent({ wallTime, step: 300, scalars: { "training/loss": 0.25 } })),
    "09000000000000f83f10ac022a160a140a0d747261696e696e672f6c6f7373150000803e",
  );
  assertEquals(
    hex(encodeEvent({ wallTime, step: 300, isStart: true })),
    "09000000000000f83f10ac023a020801",
  );
});

Deno.test("encodeRecord() frames data as TFRecords are framed", () => {
  const version = encodeEvent({ wallTime: 0, fileVersion: "brain.Event:2" });
  const record = encodeRecord(version);
  assertEquals(hex(record.subarray(0, 12)), "1800000000000000a37f4b22"); // as in every event file
  assertEquals(record.subarray(12, -4), version);
  assertEquals(record.length, version.length + 16);
});

Deno.test("train --log=tensorboard writes an event file into the run", () =>
  inFolder(async (folder) => {
    const run = join(folder, "run");
    const flags = [...tinyFlags, "--steps=3", `--out=${run}`, "--log=tensorboard"];
    assertEquals((await command("train", "hrm-sudoku", ...flags)).code, 0);
    const [file] = (await namesIn(run)).filter((name) => name.startsWith("events"));
    assertMatch(file!, /^events\.out\.tfevents\.\d{10}\..+\.ponder$/);
    assertEquals(recordsIn(join(run, file!)), 2 + metricsOf(run).length);
  }));

/** How many whole records a file has, to its last byte. */
function recordsIn(path: string): number {
  const view = new DataView(Deno.readFileSync(path).buffer);
  let records = 0, at = 0;
  for (; at < view.byteLength; records++) at += 16 + Number(view.getBigUint64(at, true));
  assertEquals(at, view.byteLength);
  return records;
}

// What TensorBoard's own reader finds in a run

const READ = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0}).Reload()
print(json.dumps({tag: [[e.step, e.value] for e in events.Scalars(tag)]
                  for tag in events.Tags()["scalars"]}))
`;

async function readScalars(folder: string): Promise<Record<string, [number, number][]>> {
  return JSON.parse(await runPython(READ, folder));
}

Deno.test({
  name: `TensorBoard reads the metrics of a run that stopped and went on${needsTensorBoard}`,
  ignore: !hasTensorBoard,
  fn: () =>
    inFolder(async (folder) => {
      const saved = tinyConfig(), data = dataOf(saved);
      const run = (options: object) =>
        train({ saved, data, folder, onMetrics: tensorBoardWriter(folder), ...options });
      const controller = new AbortController();
      const onStep = (step: number) => step === 13 && controller.abort();
      await run({ signal: controller.signal, onStep });
      await run({ resume: true });

      const lines = metricsOf(folder).filter(({ loss }) => loss !== undefined);
      const scalars = await readScalars(folder);
      for (const name of ["loss", "gradNorm", "lr"]) {
        const want = lines.map((line) => [line["step"], Math.fround(line[name] as number)]);
        assertEquals(scalars[`training/${name}`], want);
      }
      assertEquals(scalars["heldOut/exact"]!.map(([step]) => step), [8, 16, 24]);
    }),
});

Deno.test({
  name: `TensorBoard forgets what a killed run reported beyond its checkpoint${needsTensorBoard}`,
  ignore: !hasTensorBoard,
  fn: () =>
    inFolder(async (folder) => {
      const killed = tensorBoardWriter(folder);
      for (const step of [5, 10, 15, 20]) killed({ step, loss: step });
      const [file] = await namesIn(folder);
      Deno.writeFileSync(join(folder, file!), encodeRecord(bytes("cut off")).subarray(0, 15), {
        append: true,
      });
      const resumed = tensorBoardWriter(folder);
      for (const step of [15, 20]) resumed({ step, loss: -step });
      assertEquals(await readScalars(folder), {
        "training/loss": [[5, 5], [10, 10], [15, -15], [20, -20]],
      });
    }),
});
