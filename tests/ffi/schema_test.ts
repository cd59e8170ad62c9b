import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { libraryFile } from "../../ffi/locate.ts";
import { loadLibrary } from "../../ffi/library.ts";
import { opaqueSchemas, schemas } from "../../ffi/operators.ts";
import { parseSchema } from "../../ffi/schema.ts";
import { codeOf, dtypes } from "../../core/dtype.ts";
import { deviceCodeOf } from "../../core/device.ts";
import { wrongRows } from "./_schemas.ts";

const file = join(loadLibrary().directory, libraryFile("cpu"));

Deno.test("schemas: every row is what the installed library registers; wrong ones are named", () => {
  const wrong = {
    unknown: "no_such_operator(Tensor self) -> Tensor",
    fewer: "mul.Tensor(Tensor self) -> Tensor",
    kinds: "sum.dim_IntList(Tensor self, int dim, bool keepdim=False) -> Tensor",
    result: "amax(Tensor self, int[1] dim=[], bool keepdim=False) -> (Tensor, Tensor)",
  };
  assertEquals(wrongRows(file, { ...schemas, ...opaqueSchemas, ...wrong }), Object.keys(wrong));
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
  const devices = ["cpu", "cuda", "meta"].map((device) => `aoti_torch_device_type_${device}`);
  const table: Record<string, typeof call> = Object.fromEntries(
    [...names, ...devices].map((name) => [name, call]),
  );
  const library = Deno.dlopen(file, table);
  const number = (name: string) => library.symbols[name]!();
  assertEquals(
    dtypes.map((dtype) => [dtype, codeOf(dtype)]),
    dtypes.map((dtype, i) => [dtype, number(names[i]!)]),
  );
  assertEquals(
    ["cpu", "cuda", "meta"].map((d) => deviceCodeOf(d as "cpu").type),
    devices.map(number),
  );
  library.close();
});
