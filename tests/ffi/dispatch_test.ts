import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Call, operator } from "../../ffi/dispatch.ts";
import { OutOfMemoryError, TorchError, torchError } from "../../ffi/errors.ts";
import { type Handle, liveTensors, sizes } from "../../ffi/handle.ts";
import { direct } from "../../ffi/kernels.ts";
import { allocate, readBytes, reinterpret, writeBytes } from "../../ffi/memory.ts";
import { aten, schemas } from "../../ffi/operators.ts";
import { type ArgumentKind, parseSchema } from "../../ffi/schema.ts";

const FLOAT32 = 6;
const cpu = { type: 0, index: 0 };

/** A float32 tensor of zeros, row by row. */
function zeros(...shape: number[]): Handle {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((product, n) => product * n, 1));
  const handle = allocate(shape, strides, FLOAT32, cpu);
  writeBytes(handle, new Uint8Array(4 * shape.reduce((product, n) => product * n, 1)));
  return handle;
}

/** An argument of the right kind. */
function right({ base, list }: ArgumentKind, tensor: Handle): unknown {
  const plain = {
    Tensor: tensor,
    int: 0,
    float: 0.5,
    bool: false,
    ScalarType: FLOAT32,
    Device: cpu,
    none: null,
    str: "none",
  }[base];
  return list ? [plain] : plain;
}

/** Arguments of every wrong kind. */
function wrong({ base, list, optional }: ArgumentKind, tensor: Handle, freed: Handle): unknown[] {
  const all: [unknown, ...ArgumentKind["base"][]][] = [
    [tensor, "Tensor"],
    [freed],
    [1, "int", "float", "ScalarType"],
    [1.5, "float"],
    [NaN, "float"],
    [2 ** 60, "float"],
    [1n],
    [true, "bool"],
    ["text", "str"],
    [{}],
    [Symbol("s")],
    [undefined],
    [() => 0],
  ];
  const plain = all.flatMap(([value, ...fits]) => fits.includes(base) ? [] : [value]);
  const absent = optional || base === "none" ? [] : [null];
  if (!list) return [...plain, ...absent, [right({ base } as ArgumentKind, tensor)]];
  return [
    ...plain.map((value) => [value]),
    [null],
    ...absent,
    right({ base } as ArgumentKind, tensor),
    { length: 1 },
  ];
}

Deno.test("operator() refuses every argument of a wrong kind of every operator, before libtorch", () => {
  const tensor = zeros(2, 2), freed = zeros(1);
  freed.release();
  const before = liveTensors();
  let calls = 0;
  for (const [name, schema] of Object.entries(schemas)) {
    const call = aten[name as keyof typeof aten] as Call;
    const { parameters } = parseSchema(schema);
    const good = parameters.map((kind) => right(kind, tensor));
    parameters.forEach((kind, i) => {
      for (const value of wrong(kind, tensor, freed)) {
        const error = assertThrows(() => call(...good.with(i, value)), TypeError, "internal: ");
        assert(error.message.includes(`as ${kind.name}`), error.message);
        calls++;
      }
    });
    assertThrows(() => call(...good.slice(1)), TypeError, `takes ${good.length} arguments`);
    assertThrows(() => call(...good, null), TypeError, `takes ${good.length} arguments`);
  }
  assert(calls > 2000, `${calls} calls`);
  assertEquals(liveTensors(), before);
  tensor.release();
});

Deno.test("operator() passes numbers, flags, lists, optionals and texts, and reads results", () => {
  const a = allocate([2, 3], [3, 1], FLOAT32, cpu);
  writeBytes(a, new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer));
  const numbers = (handle: Handle): number[] => {
    const out = new Float32Array(sizes(handle).reduce((product, n) => product * n, 1));
    readBytes(handle, new Uint8Array(out.buffer));
    handle.release();
    return Array.from(out);
  };
  assertEquals(numbers(aten.sum(a, [0], false, null)), [5, 7, 9]);
  assertEquals(numbers(aten.sum(a, null, false, FLOAT32)), [21]);
  assertEquals(numbers(aten.sum(a, [-1], true, null)), [6, 15]);
  assertEquals(numbers(aten.cat([a, a], 1)).length, 12);
  assertEquals(numbers(aten.gelu(a, "tanh")).map((x) => x.toFixed(3))[0], "0.841");
  const [y, mean, rstd] = aten.layerNorm(a, [3], null, null, 1e-5);
  assertEquals(numbers(mean!), [2, 5]);
  assertEquals([numbers(y!).length, numbers(rstd!).length], [6, 2]);
  assertEquals(aten.mul_(a, a), undefined);
  assertEquals(numbers(a), [1, 4, 9, 16, 25, 36]);
});

Deno.test("operator() counts writes, also through views", () => {
  const a = zeros(4), view = reinterpret(a, [2], [1], 1, 4), one = zeros(1);
  const { version } = a.storage;
  aten.mul_(view, view);
  aten.foreachAddcmul_([a], [a], [a], one);
  assertEquals([a.storage, a.storage.version - version], [view.storage, 2]);
  for (const handle of [a, view, one]) handle.release();
});

Deno.test("operator() turns errors of libtorch into TorchError with its text", () => {
  const a = zeros(2, 3);
  const before = liveTensors();
  const error = assertThrows(
    () => aten.matmul(a, a),
    TorchError,
    "mat1 and mat2 shapes cannot be multiplied",
  );
  assertEquals([error.name, error.operator, error.message.includes("\n")], [
    "TorchError",
    "matmul",
    false,
  ]);
  assertThrows(() => aten.softmax(a, 7, false), TorchError, "Dimension out of range");
  assertThrows(() => direct.mul("cpu", a, zeros(5)), TorchError, "must match the size of tensor");
  assertThrows(() => operator("nonsense(Tensor self) -> Tensor")(a), TorchError, "nonsense");
  assertThrows(() => operator("mul.Wrong(Tensor self) -> Tensor")(a), TorchError, "Wrong");
  assertEquals(liveTensors() - before, 1); // the operand that nobody released
  a.release();
});

Deno.test("A lack of memory is an error of its own, of the CPU and of CUDA", () => {
  const allocateAll = () => allocate([2 ** 45], [1], FLOAT32, cpu);
  assertThrows(allocateAll, OutOfMemoryError, "can't allocate memory: you tried to allocate");
  const text = "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of …";
  const error = torchError("empty", text);
  assertEquals([error.name, error.message], ["OutOfMemoryError", `empty: ${text}`]);
  assertEquals(torchError("matmul", "shapes do not fit").name, "TorchError");
});

Deno.test("Handle is freed once, and refused after that", () => {
  const before = liveTensors();
  const a = zeros(2);
  assertEquals(a.retain(), a);
  a.release();
  assertEquals([a.freed, sizes(a)], [false, [2]]);
  a.release();
  assertEquals([a.freed, liveTensors()], [true, before]);
  assertThrows(() => a.address, ReferenceError, "a freed handle was used");
  assertThrows(() => a.retain(), ReferenceError, "a freed handle was retained");
  assertThrows(() => a.release(), ReferenceError, "a handle was freed twice");
  assertThrows(() => sizes(a), ReferenceError);
  assertThrows(() => aten.neg(a), TypeError, "cannot take a freed tensor as self");
});

Deno.test("reinterpret() refuses views that leave the storage", () => {
  const a = zeros(2, 3);
  const view = (shape: number[], strides: number[], offset: number) =>
    reinterpret(a, shape, strides, offset, 4).release();
  view([6], [1], 0);
  view([2], [3], 2);
  view([0, 9], [1, 1], 6);
  for (
    const [shape, strides, offset] of [
      [[7], [1], 0],
      [[2], [3], 3],
      [[1], [1], 6],
      [[1], [1], -1],
      [[2, 3], [4, 1], 0],
    ] as const
  ) {
    assertThrows(() => view([...shape], [...strides], offset), RangeError, "it leaves the storage");
  }
  assertThrows(() => view([-1], [1], 0), RangeError, "Cannot view with shape [-1]");
  assertThrows(() => view([2], [-1], 1), RangeError, "strides [-1]");
  assertThrows(() => view(Array(65).fill(1), Array(65).fill(1), 0), RangeError, "at most 64");
  a.release();
});

Deno.test("writeBytes() and readBytes() refuse more bytes than the storage has", () => {
  const a = zeros(2);
  assertThrows(() => writeBytes(a, new Uint8Array(9)), TorchError, "9 bytes do not fit");
  assertThrows(() => readBytes(a, new Uint8Array(12)), TorchError, "a storage of 8 bytes");
  writeBytes(a, new Uint8Array(0));
  a.release();
});

Deno.test("sizes() refuses more axes than it has room for", () => {
  const shape = Array.from({ length: 64 }, () => 1);
  const indices = allocate(shape, shape, 4, cpu), table = zeros(1, 1);
  writeBytes(indices, new Uint8Array(8));
  const deep = aten.embedding(table, indices, -1, false, false);
  assertThrows(() => sizes(deep), RangeError, "a tensor of 65 axes");
  for (const handle of [indices, table, deep]) handle.release();
});
