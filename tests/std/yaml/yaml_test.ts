import { assertEquals, assertThrows } from "@std/assert";
import { parse, stringify } from "@std/yaml";

Deno.test("parse() reads plain objects, and nothing but data", () => {
  const text = "arch:\n  H_cycles: 2\n  loss: {loss_type: softmax}\nlr: 1e-4\nlist: []\n";
  const want = { arch: { H_cycles: 2, loss: { loss_type: "softmax" } }, lr: 0.0001, list: [] };
  assertEquals(parse(text, { schema: "core" }), want);
  assertEquals(parse(stringify(want)), want);
  assertThrows(() => parse("a: !!js/function 'x'", { schema: "core" }), SyntaxError);
  assertThrows(() => parse("a: 1\na: 2", { schema: "core" }), SyntaxError);
  const hidden = parse("__proto__: {x: 1}", { schema: "core" }) as Record<string, unknown>;
  assertEquals([Object.keys(hidden), hidden.x], [["__proto__"], undefined]);
});

const golden = Deno.env.get("PONDER_TEST_GOLDEN");

Deno.test({
  name: "parse() reads the config that the official training script saves",
  ignore: golden === undefined,
  fn: async () => {
    const text = await Deno.readTextFile(`${golden}/hrm_a_all_config.yaml`);
    const config = parse(text, { schema: "core" }) as Record<string, Record<string, unknown>>;
    assertEquals(Object.getPrototypeOf(config), Object.prototype);
    assertEquals(config.arch?.hidden_size, 64);
    assertEquals(config.arch?.forward_dtype, "float32");
  },
});
