import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  liveTensors,
  type MediaBundle,
  ones,
  scope,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";

function shown(x: Tensor): MediaBundle {
  const method = Symbol.for("Jupyter.display") as unknown as keyof Tensor;
  return (x[method] as unknown as () => MediaBundle).call(x);
}

Deno.test("a tensor is shown as a table, shaded by magnitude and sign", () => {
  using _ = scope();
  const { "text/html": html, "text/plain": plain } = shown(tensor([[1, -2], [0, 0.123456]]));
  assertStringIncludes(html!, "Tensor float32 [2, 2]");
  assertEquals([...html!.matchAll(/<td[^>]*>([^<]*)/g)].map(([, text]) => text), [
    ...["1", "-2", "0", "0.1235"],
  ]);
  assertEquals([...html!.matchAll(/rgba\(([^)]*)\)/g)].map(([, ground]) => ground), [
    ...["220,60,40,0.30", "40,90,220,0.60", "220,60,40,0.00", "220,60,40,0.04"],
  ]);
  assertEquals(plain, tensor([[1, -2], [0, 0.123456]]).toString());
});

Deno.test("the middle of long axes is left out, and NaN and infinities shade nothing", () => {
  using _ = scope();
  const { "text/html": html } = shown(ones([40, 3]));
  assertEquals(html!.split("<tr>").length - 1, 17);
  const odd = shown(tensor([NaN, Infinity, 2]))["text/html"]!;
  assertEquals([...odd.matchAll(/,([\d.]+)\)/g)].map(([, alpha]) => alpha), [
    "0.00",
    "0.00",
    "0.60",
  ]);
});

Deno.test("scalars, empty tensors, other ranks and dtypes are shown", () => {
  using _ = scope();
  assertStringIncludes(shown(tensor(3))["text/html"]!, ">3</td>");
  assertStringIncludes(shown(zeros([0, 3]))["text/html"]!, "<pre>Tensor float32 [0, 3]");
  assertStringIncludes(shown(zeros([2, 2, 2]))["text/html"]!, "<pre>");
  for (const dtype of ["int64", "bool", "bfloat16", "float64"] as const) {
    assertStringIncludes(shown(tensor([1, 0], { dtype }))["text/html"]!, ">1</td>");
  }
});

Deno.test("showing a tensor leaves nothing behind, and a freed one says so", () => {
  using _ = scope();
  const x = ones([3, 4]).transpose(0, 1); // not contiguous: read by a copy
  const before = liveTensors();
  shown(x);
  assertEquals(liveTensors(), before);
  x.dispose();
  const { "text/html": html } = shown(x);
  assert(html!.startsWith("<pre>Tensor (freed"), html);
});
