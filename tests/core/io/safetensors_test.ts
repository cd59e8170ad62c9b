import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Random } from "../../../core/random.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsDtype,
  type SafetensorsEntry,
  safetensorsHeader,
  withSafetensors,
} from "../../../core/io/safetensors.ts";

/** `safetensors.torch.save` 0.8.0 of one int64, float32, bool and bfloat16 tensor. */
const PYTHON_FILE =
  "AAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJwdCJ9LCJiIjp7ImR0eXBlIjoiSTY0Iiwic2hhcGUiOls" +
  "yXSwiZGF0YV9vZmZzZXRzIjpbMCwxNl19LCJ3Ijp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsxLDJdLCJkYXRhX29mZn" +
  "NldHMiOlsxNiwyNF19LCJoIjp7ImR0eXBlIjoiQkYxNiIsInNoYXBlIjpbMV0sImRhdGFfb2Zmc2V0cyI6WzI0LDI2X" +
  "X0sIm0iOnsiZHR5cGUiOiJCT09MIiwic2hhcGUiOlszXSwiZGF0YV9vZmZzZXRzIjpbMjYsMjldfX0g//////////8A" +
  "AAAAAAEAAAAAwD8AAADAAD8BAAE=";

function entry(dtype: SafetensorsDtype, shape: number[], data: ArrayBufferView): SafetensorsEntry {
  return { dtype, shape, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

/** The tensors of {@link PYTHON_FILE}, in another order. */
const pythonEntries: [string, SafetensorsEntry][] = [
  ["m", entry("bool", [3], Uint8Array.of(1, 0, 1))],
  ["w", entry("float32", [1, 2], Float32Array.of(1.5, -2))],
  ["h", entry("bfloat16", [1], Uint16Array.of(0x3f00))],
  ["b", entry("int64", [2], BigInt64Array.of(-1n, 2n ** 40n))],
];

/** A file with any header, true or not, over `dataBytes` zeros. */
function fileOf(header: unknown, dataBytes: number): Uint8Array {
  const json = typeof header === "string" ? header : JSON.stringify(header);
  const text = new TextEncoder().encode(json);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

function info(dtype: string, shape: unknown, offsets: unknown): Record<string, unknown> {
  return { dtype, shape, data_offsets: offsets };
}

function assertRefused(bytes: Uint8Array, message: string): void {
  assertThrows(() => decodeSafetensors(bytes), SyntaxError, message);
}

Deno.test("encodeSafetensors() equals the Python package byte for byte", () => {
  const ours = encodeSafetensors(pythonEntries, { format: "pt" });
  assertEquals(ours.toBase64(), PYTHON_FILE);
});

Deno.test("decodeSafetensors() reads a file of the Python package", () => {
  const { tensors, metadata } = decodeSafetensors(Uint8Array.fromBase64(PYTHON_FILE));
  assertEquals(metadata, { format: "pt" });
  assertEquals([...tensors.keys()], ["b", "w", "h", "m"]);
  for (const [name, expected] of pythonEntries) assertEquals(tensors.get(name), expected);
});

Deno.test("encodeSafetensors() sorts by dtype, widest first, then by the bytes of the name", () => {
  const dtypes: SafetensorsDtype[] = [
    ...["bool", "uint8", "float16", "bfloat16"] as const,
    ...["int32", "float32", "float64", "int64"] as const,
  ];
  const { names } = safetensorsHeader([
    ...dtypes.map((dtype) => [dtype, { dtype, shape: [1] }] as const),
    ...["b", "a10", "a9", "a", "\u{1f600}", "\uffee"].map((name) =>
      [name, { dtype: "int32", shape: [1] }] as const
    ),
  ]);
  assertEquals(names, [
    ...["int64", "float64", "float32"],
    ...["a", "a10", "a9", "b", "int32", "\uffee", "\u{1f600}"],
    ...["bfloat16", "float16", "uint8", "bool"],
  ]);
});

Deno.test("encodeSafetensors() and decodeSafetensors() keep every dtype, shape and name", () => {
  const entries: [string, SafetensorsEntry][] = [
    ["f32", entry("float32", [2, 1], Float32Array.of(1, NaN))],
    ["f64", entry("float64", [], Float64Array.of(Math.PI))],
    ["f16", entry("float16", [1], Uint16Array.of(0x3c00))],
    ["i32", entry("int32", [1, 1, 1], Int32Array.of(-5))],
    ["empty", entry("float32", [0, 4], new Float32Array())],
    ["__proto__", entry("uint8", [1], Uint8Array.of(7))],
    ['a "quoted" \n é \u{1f600}', entry("uint8", [2], Uint8Array.of(1, 2))],
    ["", entry("bool", [1], Uint8Array.of(1))],
    ["0", entry("uint8", [1], Uint8Array.of(9))],
    ...pythonEntries,
  ];
  const metadata = { ponder: "0.1.0", "é": "\u2028" };
  const read = decodeSafetensors(encodeSafetensors(entries, metadata));
  assertEquals(read.metadata, metadata);
  assertEquals(read.tensors.size, entries.length);
  for (const [name, expected] of entries) assertEquals(read.tensors.get(name), expected);
});

Deno.test("decodeSafetensors() copies nothing and aligns every tensor to its elements", () => {
  const bytes = encodeSafetensors(pythonEntries);
  const { tensors } = decodeSafetensors(bytes);
  for (const { data, shape } of tensors.values()) {
    assertEquals(data.buffer, bytes.buffer);
    const numElements = shape.reduce((product, length) => product * length, 1);
    assertEquals(data.byteOffset % (data.length / numElements), 0);
  }
  const inside = new Uint8Array(bytes.length + 3);
  inside.set(bytes, 3);
  assertEquals(decodeSafetensors(inside.subarray(3)).tensors, tensors);
});

Deno.test("withSafetensors() reads one tensor at a time, closes the file, and names it in errors", async () => {
  const path = await Deno.makeTempFile();
  try {
    const bytes = encodeSafetensors(pythonEntries, { format: "pt" });
    await Deno.writeFile(path, bytes);
    const read = withSafetensors(path, ({ tensors, metadata }) => ({
      metadata,
      kept: tensors.get("h")!,
      whole: new Map([...tensors].map(([name, { data }]) => [name, data])),
    }));
    assertEquals(read.metadata, { format: "pt" });
    const decoded = [...decodeSafetensors(bytes).tensors].map(([name, { data }]) => [name, data]);
    assertEquals([...read.whole], decoded);
    assertEquals(read.whole.get("w")!.buffer.byteLength, 8); // not a view of the whole file
    assertThrows(() => read.kept.data, Error); // too late

    await Deno.writeFile(path, bytes.subarray(0, bytes.length - 1));
    assertThrows(
      () => withSafetensors(path, () => {}),
      SyntaxError,
      `Cannot read safetensors file "${path}": its tensors take 29 bytes, 28 follow the header: truncated?`,
    );
    await Deno.writeFile(path, new Uint8Array(8));
    assertThrows(() => withSafetensors(path, () => {}), SyntaxError, "does not start with");
    assertThrows(
      () => withSafetensors(`${path}.not`, () => {}),
      Deno.errors.NotFound,
    );
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("encodeSafetensors() writes an empty file that reads back", () => {
  const bytes = encodeSafetensors([]);
  assertEquals(bytes.length, 16); // {} and six spaces
  assertEquals(decodeSafetensors(bytes), { tensors: new Map(), metadata: {} });
});

Deno.test("encodeSafetensors() refuses what the format cannot say", () => {
  const good = entry("uint8", [1], Uint8Array.of(1));
  const refused = (name: string, value: SafetensorsEntry, message: string): unknown =>
    assertThrows(() => encodeSafetensors([[name, value]]), TypeError, message);
  refused("w", { ...good, shape: [2] }, 'Cannot write tensor "w": uint8 [2] takes 2 bytes, got 1');
  refused("w", { ...good, shape: [-1] }, "of shape [-1]");
  refused("w", { ...good, shape: [0.5] }, "of shape [0.5]");
  refused("w", { ...good, shape: [2 ** 30, 2 ** 30] }, "of shape [1073741824, 1073741824]");
  refused("w", { ...good, dtype: "complex64" as SafetensorsDtype }, 'of dtype "complex64"');
  refused("__metadata__", good, "Cannot name");
  refused("\ud800", good, "Cannot name");
  assertThrows(() => encodeSafetensors([["w", good], ["w", good]]), TypeError, '"w" twice');
  assertThrows(() => encodeSafetensors([], { step: 3 as unknown as string }), TypeError, '"step"');
  assertThrows(() => encodeSafetensors([], { note: "\udc00" }), TypeError, "not valid Unicode");
});

Deno.test("decodeSafetensors() names the file in its error", () => {
  const error = assertThrows(
    () => decodeSafetensors(new Uint8Array(3), { fileName: "a/weights.safetensors" }),
    SyntaxError,
  );
  assertEquals(
    error.message,
    'Cannot read safetensors file "a/weights.safetensors": ' +
      "it ends after 3 bytes, within the header's length",
  );
});

Deno.test("decodeSafetensors() refuses a header that is too long, cut off or not JSON", () => {
  const huge = fileOf({}, 0);
  new DataView(huge.buffer).setBigUint64(0, 100_000_001n, true);
  assertRefused(huge, "its header claims 100000001 bytes, the format allows 100 MB");
  huge.fill(0xff, 0, 8);
  assertRefused(huge, "claims 18446744073709551615 bytes");
  assertRefused(fileOf({}, 0).subarray(0, 9), "its header claims 2 bytes, 1 follow: truncated?");
  assertRefused(new Uint8Array(8), 'does not start with "{"');
  assertRefused(fileOf(" {}", 0), 'does not start with "{"');
  assertRefused(fileOf("[]", 0), 'does not start with "{"');
  assertRefused(fileOf('{"a":', 0), "its header is not JSON");
  const notUtf8 = fileOf('{"a":1}', 0);
  notUtf8[10] = 0xff;
  assertRefused(notUtf8, "its header is not UTF-8");
});

Deno.test("decodeSafetensors() refuses a key given twice, at any depth", () => {
  const a = '"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}';
  assertRefused(fileOf(`{${a},${a}}`, 1), 'the key "a" twice');
  assertRefused(fileOf(`{${a},${a.replace("a", "\\u0061")}}`, 1), 'the key "a" twice');
  assertRefused(fileOf(`{${a.replace("{", '{"dtype":"I8",')}}`, 1), 'the key "dtype" twice');
  assertRefused(fileOf('{"__metadata__":{"k":"1", "k" :"2"}}', 0), 'the key "k" twice');
  const tricky = fileOf(`{"__metadata__":{"x":"y","y":",\\"x\\":","z":"z"},${a}}`, 1);
  assertEquals(decodeSafetensors(tricky).metadata, { x: "y", y: ',"x":', z: "z" });
});

Deno.test("decodeSafetensors() refuses dtypes it does not support, and says which it does", () => {
  const known = "supported are I64, F64, F32, I32, BF16, F16, U8, BOOL";
  assertRefused(
    fileOf({ w: info("F8_E4M3", [1], [0, 1]) }, 1),
    `tensor "w" has dtype "F8_E4M3", which the format allows and Ponder does not support; ${known}`,
  );
  assertRefused(
    fileOf({ w: info("f32", [1], [0, 4]) }, 4),
    `tensor "w" has dtype "f32", which does not exist; ${known}`,
  );
  assertRefused(fileOf({ w: { shape: [1], data_offsets: [0, 4] } }, 4), "has dtype undefined");
});

Deno.test("decodeSafetensors() refuses shapes and offsets that are no sizes", () => {
  for (const shape of [[-1], [1.5], ["2"], [null], [2 ** 53], 3, null, { 0: 1 }]) {
    assertRefused(fileOf({ w: info("U8", shape, [0, 1]) }, 1), 'tensor "w" has the shape ');
  }
  for (const offsets of [[0], [0, 1, 2], [-1, 0], [0, 0.5], ["0", "1"], null, {}]) {
    assertRefused(fileOf({ w: info("U8", [1], offsets) }, 1), 'tensor "w" has the offsets ');
  }
  assertRefused(fileOf('{"w":{"dtype":"U8","shape":[-0],"data_offsets":[0,0]}}', 0), "the shape");
  assertRefused(fileOf({ w: 3 }, 0), 'tensor "w" is not described by an object');
  assertRefused(fileOf({ w: [1] }, 0), 'tensor "w" is not described by an object');
  assertRefused(fileOf({ __metadata__: { a: 1 } }, 0), "is not an object of strings");
  assertRefused(fileOf({ __metadata__: [] }, 0), "is not an object of strings");
});

Deno.test("decodeSafetensors() refuses sizes that disagree with shape and dtype", () => {
  assertRefused(
    fileOf({ w: info("F32", [2, 3], [0, 20]) }, 20),
    'tensor "w", float32 [2, 3], takes 24 bytes, its offsets [0, 20] hold 20',
  );
  assertRefused(fileOf({ w: info("F32", [1], [8, 4]) }, 8), "hold -4");
  assertRefused(fileOf({ w: info("F64", [2 ** 31, 2 ** 31], [0, 8]) }, 8), "is impossibly big");
});

Deno.test("decodeSafetensors() refuses overlaps, holes and bytes that belong to nobody", () => {
  const a = info("U8", [4], [0, 4]);
  assertRefused(
    fileOf({ a, b: info("U8", [4], [2, 6]) }, 6),
    'tensor "b" overlaps the tensor before it: starts at 2, expected 4',
  );
  assertRefused(
    fileOf({ a, b: info("U8", [1], [5, 6]) }, 6),
    'tensor "b" leaves a hole before it: starts at 5, expected 4',
  );
  assertRefused(fileOf({ a, b: a }, 4), "overlaps");
  assertRefused(fileOf({ a }, 3), "its tensors take 4 bytes, 3 follow the header: truncated?");
  assertRefused(fileOf({ a }, 5), "its tensors take 4 bytes, 5 follow the header: trailing bytes");
  assertRefused(fileOf({}, 1), "trailing bytes");
});

Deno.test("decodeSafetensors() reads tensors whose header is in another order than their data", () => {
  const bytes = fileOf({ b: info("U8", [1], [3, 4]), a: info("U8", [3], [0, 3]) }, 4);
  assertEquals([...decodeSafetensors(bytes).tensors.keys()], ["a", "b"]);
});

Deno.test("decodeSafetensors() of a damaged file gives a SyntaxError or a valid answer", () => {
  const random = new Random(20260713);
  const original = encodeSafetensors(pythonEntries, { format: "pt" });
  let numRefused = 0;
  for (let round = 0; round < 20_000; round++) {
    const bytes = damaged(original, random);
    try {
      assertValid(bytes);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      assertMatch(error.message, /^Cannot read safetensors data: /);
      numRefused++;
    }
  }
  assert(numRefused > 5_000 && numRefused < 20_000, `refused ${numRefused}`);
});

/** A copy with one to four bytes changed, or cut short, or grown. */
function damaged(original: Uint8Array, random: Random): Uint8Array {
  const copy = original.slice();
  const kind = random.below(4);
  if (kind === 0) return copy.subarray(0, random.below(copy.length));
  if (kind === 1) return new Uint8Array([...copy, ...copy.subarray(0, 1 + random.below(9))]);
  const numChanges = 1 + random.below(4);
  for (let i = 0; i < numChanges; i++) {
    const at = random.below(copy.length);
    // half of the time another character of the header, so that some stay JSON
    copy[at] = kind === 2 ? random.below(256) : original[8 + random.below(256)]!;
  }
  return copy;
}

/** Decodes, and checks that the tensors cover the data with the size their shapes ask for. */
function assertValid(bytes: Uint8Array): void {
  const sizes = { int64: 8, float64: 8, float32: 4, int32: 4, bfloat16: 2, float16: 2 };
  const { tensors } = decodeSafetensors(bytes);
  const headerLength = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  let end = bytes.byteOffset + 8 + headerLength;
  for (const { dtype, shape, data } of tensors.values()) {
    const itemBytes = dtype === "uint8" || dtype === "bool" ? 1 : sizes[dtype];
    assertEquals(data.length, shape.reduce((product, length) => product * length, itemBytes));
    assertEquals(data.byteOffset, end);
    end += data.length;
  }
  assertEquals(end, bytes.byteOffset + bytes.length);
}

/** Checks that a file made by Python is read, and written again as it was. */
async function assertReproduced(path: string | URL): Promise<void> {
  const bytes = await Deno.readFile(path);
  const { tensors, metadata } = decodeSafetensors(bytes, { fileName: `${path}` });
  assert(tensors.size > 10);
  assertEquals(encodeSafetensors(tensors, metadata).toBase64(), bytes.toBase64());
}

Deno.test("decodeSafetensors() and encodeSafetensors() reproduce a golden file of Python", async () => {
  await assertReproduced(new URL("../../golden/ops.safetensors", import.meta.url));
});

const golden = Deno.env.get("PONDER_TEST_GOLDEN");

Deno.test({
  name: "decodeSafetensors() and encodeSafetensors() reproduce the files of the official models",
  ignore: golden === undefined,
  fn: async () => {
    for (const name of ["hrm_a", "trm_a"]) {
      await assertReproduced(`${golden}/${name}.safetensors`);
    }
  },
});
