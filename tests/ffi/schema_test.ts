import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { libraryFile } from "../../ffi/locate.ts";
import { loadLibrary } from "../../ffi/library.ts";
import { opaqueSchemas, schemas } from "../../ffi/operators.ts";
import { parseSchema } from "../../ffi/schema.ts";
import { codeOf, dtypes } from "../../core/dtype.ts";
import { deviceCodeOf } from "../../core/device.ts";

const file = join(loadLibrary().directory, libraryFile("cpu"));

// The schemas of the installed library, as its registrations spell them.

const CHUNK_BYTES = 8 << 20;
/** Longer than any schema, so that one that lies across two chunks is whole in the second. */
const OVERLAP_BYTES = 4096;

/** Where read-only data lies: the section `.rodata` of an ELF file, all of any other. */
function readOnlyData(file: Deno.FsFile): { start: number; end: number } {
  const size = file.statSync().size;
  const read = (at: number, count: number): DataView => {
    const bytes = new Uint8Array(count);
    file.seekSync(at, Deno.SeekMode.Start);
    for (let n = 0; n < count;) n += file.readSync(bytes.subarray(n))!;
    return new DataView(bytes.buffer);
  };
  const head = read(0, 64);
  if (head.getUint32(0) !== 0x7f454c46) return { start: 0, end: size };
  const number = (view: DataView, at: number) => Number(view.getBigUint64(at, true));
  const width = head.getUint16(0x3a, true), count = head.getUint16(0x3c, true);
  const table = read(number(head, 0x28), width * count);
  const section = (i: number) => ({
    name: table.getUint32(i * width, true),
    start: number(table, i * width + 24),
    end: number(table, i * width + 24) + number(table, i * width + 32),
  });
  const { start, end } = section(head.getUint16(0x3e, true));
  const names = new TextDecoder().decode(read(start, end - start).buffer as ArrayBuffer);
  const sections = Array.from({ length: count }, (_, i) => section(i));
  return sections.find(({ name }) => names.startsWith(".rodata\0", name))!;
}

/** Every schema in the library of an operator in `wanted`, by the operator's name. */
function registered(wanted: ReadonlySet<string>): Map<string, Set<string>> {
  using library = Deno.openSync(file);
  const { start, end } = readOnlyData(library);
  const found = new Map<string, Set<string>>();
  const bytes = new Uint8Array(CHUNK_BYTES + OVERLAP_BYTES);
  const decoder = new TextDecoder("latin1");
  for (let at = start; at < end; at += CHUNK_BYTES) {
    library.seekSync(at, Deno.SeekMode.Start);
    let filled = 0;
    for (let n: number | null = 1; n && filled < bytes.length; filled += n ?? 0) {
      n = library.readSync(bytes.subarray(filled));
    }
    for (const schema of schemasIn(decoder.decode(bytes.subarray(0, filled)))) {
      const name = nameOf(schema);
      if (wanted.has(name)) found.set(name, (found.get(name) ?? new Set()).add(schema));
    }
  }
  return found;
}

/** The texts between zeros that look like `name(…) -> …`. */
function* schemasIn(text: string): Generator<string> {
  for (let at = text.indexOf(") -> "); at >= 0; at = text.indexOf(") -> ", at + 5)) {
    const start = text.lastIndexOf("\0", at) + 1, end = text.indexOf("\0", at);
    if (end > at && end - start < OVERLAP_BYTES) yield text.slice(start, end);
  }
}

function nameOf(schema: string): string {
  return schema.slice(0, schema.indexOf("("));
}

/** The rows of a table whose schema the library does not hold. */
function wrongRows(table: Readonly<Record<string, string>>): string[] {
  const found = registered(new Set(Object.values(table).map(nameOf)));
  const spelled = (schema: string) => schema.replaceAll('"', "'"); // quotes differ by version
  return Object.entries(table).flatMap(([row, schema]) => {
    const own = [...found.get(nameOf(schema)) ?? []].map(spelled);
    return own.includes(spelled(schema)) ? [] : [row];
  });
}

Deno.test("schemas: every row is what the installed library registers; wrong ones are named", () => {
  const wrong = {
    unknown: "no_such_operator(Tensor self) -> Tensor",
    fewer: "mul.Tensor(Tensor self) -> Tensor",
    kinds: "sum.dim_IntList(Tensor self, int dim, bool keepdim=False) -> Tensor",
    result: "amax(Tensor self, int[1] dim=[], bool keepdim=False) -> (Tensor, Tensor)",
  };
  assertEquals(wrongRows({ ...schemas, ...opaqueSchemas, ...wrong }), Object.keys(wrong));
});

// Taking schemas apart.

Deno.test("parseSchema() takes names, overloads, arguments and results apart", () => {
  const { name, overload, parameters, results } = parseSchema(
    "sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
  );
  assertEquals([name, overload, results], ["aten::sum", "dim_IntList", ["tensor"]]);
  const plain = { list: false, optional: false, written: false };
  assertEquals(parameters, [
    { base: "Tensor", name: "self", ...plain },
    { base: "int", name: "dim", ...plain, list: true, optional: true },
    { base: "bool", name: "keepdim", ...plain },
    { base: "ScalarType", name: "dtype", ...plain, optional: true },
  ]);
});

Deno.test("parseSchema() knows what is written, lists of tensors, and several results or none", () => {
  const inPlace = parseSchema("mul_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)");
  assertEquals(inPlace.parameters.map(({ written }) => written), [true, false]);
  assertEquals(inPlace.results, ["argument"]);
  const foreach = parseSchema(schemas.foreachAddcmul_);
  assertEquals(foreach.parameters.map(({ written, list }) => [written, list]), [
    [true, true],
    [false, true],
    [false, true],
    [false, false],
  ]);
  assertEquals(foreach.results, []);
  assertEquals(parseSchema(schemas.layerNormBackward).results, ["tensor", "tensor", "tensor"]);
  assertEquals(parseSchema("is_same_size(Tensor self, Tensor other) -> bool").results, ["bool"]);
  assertEquals(parseSchema("prims::sin(Tensor self) -> Tensor").name, "prims::sin");
  assertEquals(parseSchema("empty() -> Tensor").parameters, []);
});

Deno.test("parseSchema() refuses what it could not pass or read", () => {
  const refuse = (schema: string, message: string) =>
    assertThrows(() => parseSchema(schema), SyntaxError, message);
  refuse("mul(Tensor self", "is no operator schema");
  refuse("add.Scalar(Tensor self, Scalar other) -> Tensor", 'parameter "Scalar other"');
  refuse("index.Tensor(Tensor self, Tensor?[] indices) -> Tensor", 'parameter "Tensor?[] indices"');
  refuse("split(Tensor self, int size) -> Tensor[]", 'result "Tensor[]"');
  refuse("item(Tensor self) -> Scalar", 'result "Scalar"');
});

Deno.test("dtypes and devices have the numbers of the installed library", () => {
  const call = { parameters: [], result: "i32" } as const;
  const names = dtypes.map((dtype) => `aoti_torch_dtype_${dtype}`);
  const devices = ["cpu", "cuda"].map((device) => `aoti_torch_device_type_${device}`);
  const table: Record<string, typeof call> = Object.fromEntries(
    [...names, ...devices].map((name) => [name, call]),
  );
  const library = Deno.dlopen(file, table);
  const number = (name: string) => library.symbols[name]!();
  assertEquals(
    dtypes.map((dtype) => [dtype, codeOf(dtype)]),
    dtypes.map((dtype, i) => [dtype, number(names[i]!)]),
  );
  assertEquals(["cpu", "cuda"].map((d) => deviceCodeOf(d as "cpu").type), devices.map(number));
  library.close();
});
