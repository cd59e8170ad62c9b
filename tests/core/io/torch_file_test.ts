import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader, ZipWriter } from "@zip.js/zip.js";
import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import {
  PersistentId,
  type Picklable,
  pickle,
  PickleCall,
  PickleGlobal,
} from "../../../core/io/pickle.ts";
import { decodeSafetensors } from "../../../core/io/safetensors.ts";
import {
  decodeTorchFile,
  type DecodeTorchFileOptions,
  encodeTorchFile,
} from "../../../core/io/torch_file.ts";
import type { StoredTensor } from "../../../core/nn/module.ts";
import { Random } from "../../../core/random.ts";
import { inFolder } from "../../ffi/_folder.ts";
import { hasTorch, needsTorch, runPython } from "../../python.ts";

type Records = Record<string, Uint8Array | string>;

const encoder = new TextEncoder();

/** A zip archive of records, in which a text stands for its UTF-8. */
async function zipOf(records: Records, level = 0): Promise<Uint8Array> {
  const zip = new ZipWriter(new Uint8ArrayWriter(), { level, useWebWorkers: false });
  for (const [name, content] of Object.entries(records)) {
    const bytes = typeof content === "string" ? encoder.encode(content) : content;
    await zip.add(name, new Uint8ArrayReader(bytes));
  }
  return await zip.close();
}

/** The records of a checkpoint whose pickle is `value`, with storages "0", "1", … */
function records(value: Picklable, storages: readonly Uint8Array[] = []): Records {
  return {
    "x/data.pkl": pickle(value),
    "x/byteorder": "little",
    ...Object.fromEntries(storages.map((data, i) => [`x/data/${i}`, data])),
    "x/version": "3\n",
  };
}

function global(name: string): PickleGlobal {
  return new PickleGlobal(name);
}

function storage(type: string, numel: Picklable, key: Picklable = "0"): PersistentId {
  return new PersistentId(["storage", global(type), key, "cuda:1", numel]);
}

/** What `_rebuild_tensor_v2` makes of a storage. */
function tensor(
  of: Picklable,
  offset: Picklable,
  shape: Picklable,
  strides: Picklable,
): PickleCall {
  const hooks = new PickleCall(global("collections OrderedDict"), []);
  return new PickleCall(
    global("torch._utils _rebuild_tensor_v2"),
    [of, offset, shape, strides, false, hooks],
  );
}

function bytesOf(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** A state dict of one tensor of four float32 elements, 0 to 3, as a view. */
function fourAs(offset: Picklable, shape: Picklable, strides: Picklable): Promise<Uint8Array> {
  const view = tensor(storage("torch FloatStorage", 4), offset, shape, strides);
  return zipOf(records(new Map([["w", view]]), [bytesOf(0, 1, 2, 3)]));
}

/** Checks that a file is refused with a message, soon. */
async function assertRefused(
  file: Uint8Array | Promise<Uint8Array>,
  message: string,
  options: DecodeTorchFileOptions = {},
): Promise<void> {
  const bytes = await file;
  const start = performance.now();
  const error = await assertRejects(() => decodeTorchFile(bytes, options), SyntaxError, message);
  assertMatch(error.message, /^Cannot read (the checkpoint|"x\.pt"): its? /);
  assertLess(error.message.length, 500);
  assertLess(performance.now() - start, 2000);
}

async function assertUnusable(value: Picklable, message: string): Promise<void> {
  const bytes = await zipOf(records(value, [bytesOf(0, 1, 2, 3)]));
  await assertRejects(
    () => decodeTorchFile(bytes),
    TypeError,
    `Cannot use the checkpoint: ${message}`,
  );
}

/** A copy with another number at an offset, little-endian. */
function patched(bytes: Uint8Array, at: number, value: number, width: 2 | 4): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  if (width === 2) view.setUint16(at, value, true);
  else view.setUint32(at, value, true);
  return copy;
}

/** Where the header of a record lies in the central directory. */
function centralHeader(bytes: Uint8Array, name: string): number {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const at = text.lastIndexOf(name) - 46;
  assertEquals(text.slice(at, at + 4), "PK\x01\x02");
  return at;
}

const state = new Map<string, StoredTensor>([
  ["f32", { dtype: "float32", shape: [2, 1], data: bytesOf(1, NaN) }],
  ["f64", { dtype: "float64", shape: [], data: new Uint8Array(Float64Array.of(Math.PI).buffer) }],
  ["f16", { dtype: "float16", shape: [1], data: Uint8Array.of(0, 0x3c) }],
  ["bf16", { dtype: "bfloat16", shape: [1, 1], data: Uint8Array.of(0x80, 0x3f) }],
  ["i64", { dtype: "int64", shape: [1], data: new Uint8Array(BigInt64Array.of(-5n).buffer) }],
  ["i32", { dtype: "int32", shape: [1, 1, 1], data: new Uint8Array(Int32Array.of(-5).buffer) }],
  ["u8", { dtype: "uint8", shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ["bool", { dtype: "bool", shape: [2], data: Uint8Array.of(1, 0) }],
  ["empty", { dtype: "float32", shape: [0, 4], data: new Uint8Array() }],
  ["__proto__", { dtype: "uint8", shape: [1], data: Uint8Array.of(7) }],
  ['a "quoted" \n é \u{1f600}', { dtype: "uint8", shape: [1], data: Uint8Array.of(7) }],
  ["", { dtype: "uint8", shape: [1], data: Uint8Array.of(7) }],
]);

Deno.test("encodeTorchFile() and decodeTorchFile() keep every dtype, shape and name, in order", async () => {
  const read = await decodeTorchFile(await encodeTorchFile(state));
  assertEquals([...read], [...state]);
  assertEquals(await decodeTorchFile(await encodeTorchFile(new Map())), new Map());
});

Deno.test("encodeTorchFile() writes the same bytes for the same state, wherever and whenever", async () => {
  const hash = async () => {
    const digest = await crypto.subtle.digest(
      "SHA-256",
      new Uint8Array(await encodeTorchFile(state)),
    );
    return new Uint8Array(digest).toHex();
  };
  const first = await hash();
  const zone = Deno.env.get("TZ");
  Deno.env.set("TZ", "Asia/Tokyo");
  assertEquals(await hash(), first);
  if (zone === undefined) Deno.env.delete("TZ");
  else Deno.env.set("TZ", zone);
});

Deno.test("encodeTorchFile() stores each record at a multiple of 64 bytes", async () => {
  const bytes = await encodeTorchFile(state);
  const names: string[] = [];
  for (const entry of await new ZipReader(new Uint8ArrayReader(bytes)).getEntries()) {
    const view = new DataView(bytes.buffer, entry.offset);
    assertEquals((entry.offset + 30 + view.getUint16(26, true) + view.getUint16(28, true)) % 64, 0);
    assertEquals(entry.compressionMethod, 0);
    names.push(entry.filename);
  }
  assertEquals(names.slice(0, 3), ["archive/data.pkl", "archive/byteorder", "archive/data/0"]);
  assertEquals(names.length, 3 + state.size);
});

Deno.test("encodeTorchFile() writes data that tensors share once", async () => {
  const data = new Uint8Array(4000);
  const tied = new Map<string, StoredTensor>([
    ["embedding", { dtype: "float32", shape: [10, 100], data }],
    ["head", { dtype: "float32", shape: [1000], data }],
    ["bits", { dtype: "int32", shape: [1000], data }],
  ]);
  const bytes = await encodeTorchFile(tied);
  assert(bytes.length > 8000 && bytes.length < 10_000, `${bytes.length}`); // once for each dtype
  const read = await decodeTorchFile(bytes);
  assertEquals([...read], [...tied]);
  assert(read.get("embedding")!.data.buffer === read.get("head")!.data.buffer);
});

Deno.test("encodeTorchFile() refuses what the format cannot say", async () => {
  const refused = (name: string, value: Partial<StoredTensor>, message: string) => {
    const good: StoredTensor = { dtype: "uint8", shape: [1], data: Uint8Array.of(1) };
    return assertRejects(
      () => encodeTorchFile(new Map([[name, { ...good, ...value }]])),
      TypeError,
      message,
    );
  };
  await refused("w", { shape: [2] }, 'Cannot write "w": uint8 [2] takes 2 bytes, got 1');
  await refused("w", { shape: [-1] }, 'Cannot write "w" of shape [-1]');
  await refused("w", { dtype: "complex64" as "uint8" }, 'Cannot use dtype "complex64"');
  await refused("\ud800", {}, "it is not valid Unicode");
});

Deno.test("decodeTorchFile() lays views out row by row", async () => {
  const read = async (...view: [Picklable, Picklable, Picklable]) => {
    const { shape, data } = (await decodeTorchFile(await fourAs(...view))).get("w")!;
    return [shape, [...new Float32Array(data.slice().buffer)]];
  };
  assertEquals(await read(0, [2, 2], [2, 1]), [[2, 2], [0, 1, 2, 3]]);
  assertEquals(await read(0, [2, 2], [1, 2]), [[2, 2], [0, 2, 1, 3]]); // transposed
  assertEquals(await read(1, [2], [2]), [[2], [1, 3]]); // every other
  assertEquals(await read(3, [], []), [[], [3]]); // a scalar
  assertEquals(await read(2, [1, 2, 1], [99, 1, 99]), [[1, 2, 1], [2, 3]]);
  assertEquals(await read(1, [2, 3], [1, 0]), [[2, 3], [1, 1, 1, 2, 2, 2]]); // expanded
  assertEquals(await read(4, [0, 3], [3, 1]), [[0, 3], []]);
  assertEquals(await read(0, [2, 1, 2], [2, 5, 1]), [[2, 1, 2], [0, 1, 2, 3]]);
});

Deno.test("decodeTorchFile() reads every kind of storage, parameters and untyped storages", async () => {
  const whole = Uint8Array.of(1, 0, 0xff, 0xff, 0, 0, 0, 0x80);
  const kinds = [
    ...[["Float", "float32", 2], ["Double", "float64", 1], ["Half", "float16", 4]] as const,
    ...[["BFloat16", "bfloat16", 4], ["Long", "int64", 1], ["Int", "int32", 2]] as const,
    ...[["Byte", "uint8", 8], ["Bool", "bool", 8]] as const,
  ];
  for (const [name, dtype, numel] of kinds) {
    const view = tensor(storage(`torch ${name}Storage`, numel), 0, [numel], [1]);
    const call = new PickleCall(global("torch._utils _rebuild_parameter"), [view, true, null]);
    const read = await decodeTorchFile(await zipOf(records(new Map([["w", call]]), [whole])));
    assertEquals([...read], [["w", { dtype, shape: [numel], data: whole }]]);
  }
  for (
    const [name, numel, want] of [
      ["Short", 4, [1, -1, 0, -32768]],
      ["Char", 8, [1, 0, -1, -1, 0, 0, 0, -128]],
    ] as const
  ) {
    const view = tensor(storage(`torch ${name}Storage`, numel), 0, [numel], [1]);
    const read = await decodeTorchFile(await zipOf(records(new Map([["w", view]]), [whole])));
    const data = new Uint8Array(Int32Array.from(want).buffer);
    assertEquals([...read], [["w", { dtype: "int32", shape: [numel], data }]]);
  }
  const untyped = storage("torch.storage UntypedStorage", 8);
  const v3 = new PickleCall(
    global("torch._utils _rebuild_tensor_v3"),
    [untyped, 1, [3], [1], false, null, global("torch bfloat16")],
  );
  const read = await decodeTorchFile(await zipOf(records(new Map([["w", v3]]), [whole])));
  assertEquals(read.get("w"), { dtype: "bfloat16", shape: [3], data: whole.subarray(2) });
});

Deno.test("decodeTorchFile() reads a deflated file, any folder and none, and no byte order", async () => {
  const view = tensor(storage("torch FloatStorage", 4), 0, [4], [1]);
  const data = bytesOf(0, 1, 2, 3);
  const want: StoredTensor = { dtype: "float32", shape: [4], data };
  const pkl = pickle(new Map([["w", view]]));
  for (
    const file of [
      await zipOf(records(new Map([["w", view]]), [data]), 9),
      await zipOf({ "a b/data.pkl": pkl, "a b/data/0": data }),
      await zipOf({ "data.pkl": pkl, "data/0": data, "byteorder": "little" }),
    ]
  ) {
    assertEquals([...await decodeTorchFile(file)], [["w", want]]);
    const inside = new Uint8Array(file.length + 3);
    inside.set(file, 3);
    assertEquals([...await decodeTorchFile(inside.subarray(3))], [["w", want]]);
  }
});

Deno.test("decodeTorchFile() refuses what a pickle wants to call", async () => {
  const evil = (name: string, ...args: Picklable[]) =>
    zipOf(records(new Map([["w", new PickleCall(global(name), args)]])));
  const error = await assertRejects(
    async () => await decodeTorchFile(await evil("os system", "true"), { fileName: "x.pt" }),
    SyntaxError,
  );
  assertEquals(
    error.message,
    'Cannot read "x.pt": it asks for os.system, which is not on the list of what a checkpoint ' +
      "needs; torch.save(model.state_dict(), path) writes a file without it",
  );
  await assertRefused(evil("builtins eval", "1"), "it asks for builtins.eval");
  await assertRefused(evil("torch.hub load", "a/b"), "it asks for torch.hub.load");
  await assertRefused(evil("torch load", "x"), "it asks for torch.load");
  await assertRefused(evil("torch FloatStorage", 9), "it calls torch.FloatStorage, which may only");
  await assertRefused(evil("collections OrderedDict", []), "in a way that torch.save does not");
  await assertRefused(evil("torch._utils _rebuild_parameter", 1), "a parameter of something else");
  await assertRefused(evil("torch._utils _rebuild_tensor_v2"), "a tensor of something else");
  const utils = "torch._utils _rebuild_tensor_v3";
  await assertRefused(evil(utils, 1, 0, [], [], false, null, 1), "a tensor of an unknown dtype");
  await assertRefused(
    evil(utils, 1, 0, [], [], false, null, global("torch int8")),
    "something else",
  );
});

Deno.test("decodeTorchFile() refuses offsets, sizes and strides beyond the storage", async () => {
  await assertRefused(
    fourAs(1, [2, 2], [2, 1]),
    "it has a tensor [2, 2] with the strides [2, 1] from element 1 of a storage that has 4",
  );
  await assertRefused(fourAs(5, [0], [1]), "from element 5 of a storage that has 4");
  await assertRefused(fourAs(0, [5], [1]), "it has a tensor [5]");
  await assertRefused(fourAs(0, [2], [4]), "it has a tensor [2]");
  await assertRefused(fourAs(0, [2 ** 53 - 1], [2 ** 53 - 1]), "it has a tensor [90071992547409");
  await assertRefused(fourAs(0, [2 ** 40, 2 ** 40], [0, 0]), "impossibly big");
  await assertRefused(fourAs(0, [0, 2 ** 40, 2 ** 40], [0, 0, 0]), "impossibly big");
  await assertRefused(fourAs(0, [2 ** 40], [0]), "its tensors repeat 16 bytes to 4398046511104");
  for (const bad of [-1, 0.5, null, "1", true, 2 ** 60]) {
    await assertRefused(fourAs(bad, [2], [1]), "whose offset, sizes or strides are no sizes");
    await assertRefused(fourAs(0, [bad], [1]), "whose offset, sizes or strides are no sizes");
    await assertRefused(fourAs(0, [2], [bad]), "whose offset, sizes or strides are no sizes");
    await assertRefused(fourAs(0, bad, [1]), "whose offset, sizes or strides are no sizes");
  }
  await assertRefused(fourAs(0, [2, 2], [1]), "whose offset, sizes or strides are no sizes");
  const axes = Array(65).fill(1);
  await assertRefused(fourAs(0, axes, axes), "whose offset, sizes or strides are no sizes");
});

Deno.test("decodeTorchFile() refuses storages that are missing, misdescribed or of the wrong size", async () => {
  const of = (value: PersistentId, ...data: Uint8Array[]) =>
    zipOf(records(new Map([["w", tensor(value, 0, [1], [1])]]), data));
  const float = "torch FloatStorage";
  await assertRefused(of(storage(float, 4)), 'its record "x/data/0" is missing');
  await assertRefused(
    of(storage(float, 4, "../version"), bytesOf(1)),
    'its record "x/data/../version" is missing',
  );
  await assertRefused(
    of(storage(float, 4), bytesOf(1, 2, 3)),
    'its record "x/data/0" has 12 bytes, its tensors need 16',
  );
  await assertRefused(of(storage(float, 2), bytesOf(1, 2, 3)), "has 12 bytes, its tensors need 8");
  const unnamed = "it refers to a storage without a name, a location or a size";
  for (const numel of [-1, 0.5, 2 ** 60, null]) {
    await assertRefused(of(storage(float, numel), bytesOf(1)), unnamed);
  }
  await assertRefused(of(storage(float, 1, 0), bytesOf(1)), unnamed);
  await assertRefused(of(storage(float, 1, "0".repeat(65)), bytesOf(1)), unnamed);
  await assertRefused(of(storage("torch float32", 1), bytesOf(1)), "data of an unknown kind");
  await assertRefused(of(new PersistentId("0"), bytesOf(1)), "data of an unknown kind");
  await assertRefused(of(new PersistentId(["module", 1]), bytesOf(1)), "data of an unknown kind");
  const twice = new Map([
    ["a", tensor(storage(float, 1), 0, [1], [1])],
    ["b", tensor(storage("torch IntStorage", 1), 0, [1], [1])],
  ]);
  await assertRefused(zipOf(records(twice, [bytesOf(1)])), 'the storage "0" in two ways');
});

Deno.test("decodeTorchFile() says what it is that holds no state dict", async () => {
  const w = tensor(storage("torch FloatStorage", 4), 0, [4], [1]);
  const advice = "torch.save(model.state_dict(), path) writes tensors only";
  await assertUnusable(w, "it holds a tensor, not names and tensors");
  await assertUnusable([w], "it holds a list or tuple, not names and tensors");
  await assertUnusable(7, "it holds a number, not names and tensors");
  await assertUnusable(
    new Map<string, Picklable>([["w", w], ["epoch", 3]]),
    `its entry "epoch" is a number, not a tensor; ${advice}`,
  );
  await assertUnusable(new Map([["w", null]]), `its entry "w" is None, not a tensor; ${advice}`);
  await assertUnusable(
    new Map<string, Picklable>([["epoch", 3], ["state_dict", new Map([["w", w]])]]),
    'its entry "epoch" is a number, not a tensor; it has tensors under "state_dict": ' +
      'in Python, torch.save(torch.load(path)["state_dict"], path)',
  );
  await assertUnusable(
    new Map<string, Picklable>([["model", new Map([["w", w]])]]),
    'its entry "model" is a dictionary, not a tensor; it has tensors under "model"',
  );
});

Deno.test("decodeTorchFile() refuses other files, and says which they are", async () => {
  const legacy = Uint8Array.fromHex("80028a0a6cfc9c46f9206aa850192e8002");
  await assertRefused(
    legacy as Uint8Array,
    "it is in PyTorch's format from before version 1.6; " +
      "in Python, torch.save(torch.load(path, weights_only=True), path) converts it",
  );
  await assertRefused(
    encoder.encode("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
    "it is a pointer to a file in Git LFS",
  );
  await assertRefused(new Uint8Array(), "it is no zip archive");
  await assertRefused(new Uint8Array(1000), "it is no zip archive");
  await assertRefused(pickle(new Map()), "it is no zip archive");
  await assertRefused(zipOf({ "a.txt": "b" }), 'it has no "data.pkl"');
  await assertRefused(zipOf({ "a/b/data.pkl": "b" }), 'it has no "data.pkl"');
  await assertRefused(zipOf({ "a/data.pkl": "b", "b/data.pkl": "b" }), "it has both");
  await assertRefused(
    zipOf({ "a/data.pkl": "b", "a/constants.pkl": "b" }),
    "a TorchScript program",
  );
  await assertRefused(
    zipOf({ ...records(new Map()), "x/byteorder": "big" }),
    'its byte order is "big", expected "little"',
  );
  await assertRefused(
    zipOf({ ...records(new Map()), "x/byteorder": "x".repeat(99) }),
    "claims 99 bytes",
  );
});

Deno.test("decodeTorchFile() refuses every truncation", async () => {
  const bytes = await encodeTorchFile(state);
  for (let length = 0; length < bytes.length; length += 1 + (length >> 5)) {
    await assertRefused(bytes.subarray(0, length), "", { fileName: "x.pt" });
  }
  await assertRefused(bytes.subarray(0, bytes.length - 1), "");
});

Deno.test("decodeTorchFile() refuses records given twice, encrypted, packed otherwise or damaged", async () => {
  const view = tensor(storage("torch FloatStorage", 4), 0, [4], [1]);
  const file = await zipOf(records(new Map([["w", view]]), [bytesOf(0, 1, 2, 3)]));
  const twice = await zipOf({ ...records(new Map()), "x/versiom": "" });
  const at = centralHeader(twice, "x/versiom");
  await assertRefused(patched(twice, at + 46 + 7, 0x6e6f, 2), 'the record "x/version" twice');
  const data = centralHeader(file, "x/data/0");
  await assertRefused(patched(file, data + 8, 1, 2), 'its record "x/data/0" is encrypted');
  await assertRefused(patched(file, data + 10, 12, 2), "is packed by method 12, known are 0 and 8");
  await assertRefused(patched(file, data + 16, 0, 4), 'its record "x/data/0" is damaged (Invalid');
  await assertRefused(patched(file, data + 24, 15, 4), "has 15 bytes, its tensors need 16");
  const first = file.findIndex((byte, i) => byte === 0x80 && file[i + 1] === 0x3f); // a 1
  await assertRefused(
    patched(file, first, 9, 2),
    'its record "x/data/0" is damaged (Invalid CRC32)',
  );
});

Deno.test("decodeTorchFile() refuses sizes that the archive does not have, before it unpacks", async () => {
  const floats = (numel: number, file: (of: Records) => Promise<Uint8Array>) => {
    const view = tensor(storage("torch FloatStorage", numel), 0, [1], [1]);
    return file(records(new Map([["w", view]]), [new Uint8Array(4 * 1000)]));
  };
  const claiming = async (level: number, sizeBytes: number): Promise<Uint8Array> => {
    const file = await floats(sizeBytes / 4, (of) => zipOf(of, level));
    const at = centralHeader(file, "x/data/0");
    const start = new DataView(file.buffer).getUint32(at + 42, true);
    return patched(patched(file, at + 24, sizeBytes, 4), start + 22, sizeBytes, 4);
  };
  await assertRefused(claiming(0, 4_000_000), "more than there are: truncated?");
  await assertRefused(claiming(9, 1000), '"x/data/0" is damaged (Invalid uncompressed size)');
  await assertRefused(claiming(9, 4_000_000), 'its record "x/data/0"');
  const most = 2 ** 32 - 8;
  await assertRefused(claiming(9, most), `its tensors take ${most} bytes, more than the limit of`);
  await assertRefused(claiming(9, 4000), "take 4000 bytes, more than the limit of 3999", {
    maxBytes: 3999,
  });
  const file = await claiming(9, 4000);
  assertEquals((await decodeTorchFile(file, { maxBytes: 4000 })).get("w")?.data.length, 4);
});

Deno.test("decodeTorchFile() refuses a zip bomb in bounded time and memory", async () => {
  const bomb = new Uint8Array(2 ** 27); // 128 MiB, far less in the file
  const view = (numel: number) =>
    new Map([["w", tensor(storage("torch FloatStorage", numel), 0, [1], [1])]]);
  const honest = await zipOf(records(view(2 ** 25), [bomb]), 1);
  assertLess(honest.length, 700_000);
  await assertRefused(honest, "its tensors take 134217728 bytes, more than the limit of");
  const lying = await zipOf(records(view(250), [bomb]), 1);
  const at = centralHeader(lying, "x/data/0");
  await assertRefused(patched(lying, at + 24, 1000, 4), "is damaged (Invalid uncompressed size)");
  const pickled = await zipOf({ "x/data.pkl": bomb }, 1);
  await assertRefused(pickled, 'its "data.pkl" claims 134217728 bytes, the limit is 67108864');
  const order = await zipOf({ "x/data.pkl": "N.", "x/byteorder": bomb }, 1);
  await assertRefused(order, 'its "byteorder" claims 134217728 bytes, the limit is 16');
});

Deno.test("decodeTorchFile() refuses many views that repeat a storage", async () => {
  const names = Array.from({ length: 2000 }, (_, i) => `w${i}`);
  const floats = new Uint8Array(400_000);
  const view = (i: number) =>
    tensor(storage("torch FloatStorage", 100_000), i, [49_000, 2], [1, 50_000]);
  const file = zipOf(records(new Map(names.map((name, i) => [name, view(i % 1000)])), [floats]));
  await assertRefused(file, "its tensors repeat 400000 bytes to 392000000");
  // The same view under many names is one, and plain ones are not copied.
  const same = zipOf(records(new Map(names.map((name) => [name, view(0)])), [floats]));
  const read = await decodeTorchFile(await same);
  assert(read.get("w0")!.data === read.get("w1999")!.data);
});

Deno.test("decodeTorchFile() of a damaged file gives tensors or a SyntaxError or TypeError", async () => {
  const random = new Random(20260802);
  const few = new Map([...state].slice(0, 4));
  const original = await encodeTorchFile(few);
  const base = records(
    new Map<string, Picklable>([
      ["w", tensor(storage("torch FloatStorage", 4), 0, [2, 2], [1, 2])],
      ["v", tensor(storage("torch FloatStorage", 4), 1, [3], [1])],
    ]),
    [bytesOf(0, 1, 2, 3)],
  );
  const start = performance.now();
  let numRefused = 0;
  for (let round = 0; round < 3000; round++) {
    const bytes = round % 3 > 0 ? damaged(original, random) : await zipOf({
      ...base,
      "x/data.pkl": damaged(base["x/data.pkl"] as Uint8Array, random), // past the checksums
    });
    try {
      for (const { dtype, shape, data } of (await decodeTorchFile(bytes)).values()) {
        const itemBytes = { float64: 8, int64: 8, float32: 4, int32: 4 }[dtype as "int32"] ??
          (dtype.endsWith("16") ? 2 : 1);
        assertEquals(data.length, shape.reduce((product, n) => product * n, itemBytes));
      }
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
      assertMatch(error.message, /^Cannot (read|use) the checkpoint: its? /);
      numRefused++;
    }
  }
  assert(numRefused > 1000 && numRefused < 3000, `refused ${numRefused}`);
  assertLess(performance.now() - start, 60_000);
});

/** A copy with one to three bytes changed, or cut short. */
function damaged(original: Uint8Array, random: Random): Uint8Array {
  const copy = original.slice();
  if (random.below(8) === 0) return copy.subarray(0, random.below(copy.length));
  for (let i = 0; i <= random.below(3); i++) copy[random.below(copy.length)] = random.below(256);
  return copy;
}

const golden = Deno.env.get("PONDER_TEST_GOLDEN");

Deno.test({
  name: "decodeTorchFile() reads what the official training script saves",
  ignore: golden === undefined,
  fn: async () => {
    const { tensors } = decodeSafetensors(await Deno.readFile(`${golden}/hrm_a.safetensors`));
    for (const fileName of ["hrm_a_official.pt", "hrm_a_official_cuda_bf16.pt"]) {
      const bytes = await Deno.readFile(`${golden}/${fileName}`);
      const read = await decodeTorchFile(bytes, { fileName });
      assertEquals(read.size, 23);
      let numRounded = 0;
      for (const [name, { dtype, shape, data }] of read) {
        const want = tensors.get(name.replace(/^_orig_mod\./, ""))!;
        assertEquals(shape, want.shape);
        if (dtype !== "bfloat16") {
          assertEquals(dtype, want.dtype);
          assert(data.toHex() === want.data.toHex(), name);
          continue;
        }
        numRounded++;
        // drawn in bfloat16 to begin with, so more than one rounding apart
        const exact = new Float32Array(want.data.slice().buffer);
        const halves = new Uint16Array(data.slice().buffer);
        const rounded = new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
        exact.forEach((value, i) => assert(Math.abs(rounded[i]! - value) <= Math.abs(value) / 64));
      }
      assertEquals(numRounded > 0, fileName.includes("bf16"));
      assertEquals([...await decodeTorchFile(await encodeTorchFile(read))], [...read]);
    }
  },
});

Deno.test({
  name: `encodeTorchFile() writes what torch.load(weights_only=True) reads${needsTorch}`,
  ignore: !hasTorch,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.writeFile(`${folder}/x.pt`, await encodeTorchFile(state));
      const script = `
import collections, sys, torch
for mmap in (False, True):
    state = torch.load(sys.argv[1] + "/x.pt", weights_only=True, mmap=mmap)
    assert type(state) is collections.OrderedDict
for name, tensor in state.items():
    data = bytes(tensor.contiguous().flatten().view(torch.uint8).tolist()) if tensor.numel() else b""
    print(name.encode().hex(), str(tensor.dtype)[6:], list(tensor.shape), data.hex(), sep=";")
`;
      const lines = [...state].map(([name, { dtype, shape, data }]) => {
        return [encoder.encode(name).toHex(), dtype, `[${shape.join(", ")}]`, data.toHex()].join(
          ";",
        );
      });
      assertEquals(await runPython(script, folder), lines.join("\n"));
    }),
});

Deno.test({
  name: `decodeTorchFile() reads what torch.save writes${needsTorch}`,
  ignore: !hasTorch,
  fn: () =>
    inFolder(async (folder) => {
      const script = `
import collections, sys, torch
state = collections.OrderedDict()
for name in "float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8".split():
    state[name] = torch.arange(24).reshape(2, 3, 4).to(getattr(torch, name))
base = torch.arange(60, dtype=torch.float32)
state["bool"] = base[:3] > 0
state["parameter"] = torch.nn.Parameter(base[:6].reshape(2, 3).clone())
state["transposed"] = base.reshape(3, 20).t()
state["strided"] = base.reshape(3, 4, 5)[1:, ::2, 1:4]
state["expanded"] = torch.tensor([[1.0], [2.0]]).expand(2, 3)
state["base"] = base
state["tied"] = base
state["scalar"] = torch.tensor(2.5)
state["empty"] = torch.empty(0, 3)
state["permuted"] = base.reshape(3, 4, 5).permute(2, 0, 1)
module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)).state_dict()
state.update(module)
for tensor in state.values(): tensor.requires_grad_(tensor.is_floating_point())
torch.save(state, sys.argv[1] + "/x.pt")
torch.save(dict(state), sys.argv[1] + "/dict.pt", pickle_protocol=4)
torch.save(module, sys.argv[1] + "/module.pt")
torch.save(state, sys.argv[1] + "/old.pt", _use_new_zipfile_serialization=False)
for name, tensor in state.items():
    wide = tensor.int() if tensor.dtype in (torch.int16, torch.int8) else tensor
    data = bytes(wide.detach().contiguous().flatten().view(torch.uint8).tolist()) if tensor.numel() else b""
    print(name, str(wide.dtype)[6:], list(tensor.shape), data.hex(), sep=";")
`;
      const want = await runPython(script, folder);
      for (const file of ["x.pt", "dict.pt"]) {
        const read = await decodeTorchFile(await Deno.readFile(`${folder}/${file}`));
        const lines = [...read].map(([name, { dtype, shape, data }]) => {
          return [name, dtype, `[${shape.join(", ")}]`, data.toHex()].join(";");
        });
        assertEquals(lines.join("\n"), want);
      }
      const module = await decodeTorchFile(await Deno.readFile(`${folder}/module.pt`));
      assertEquals([...module.keys()].slice(0, 2), ["0.weight", "0.bias"]);
      await assertRefused(await Deno.readFile(`${folder}/old.pt`), "from before version 1.6");
    }),
});
