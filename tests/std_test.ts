import { assertEquals, assertThrows } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";

Deno.test("the offline stand-ins for @std behave as @std", () => {
  assertEquals(join("a", "b"), "a/b");
  assertEquals(parseArgs(["--x=3"]).x, 3);
  assertThrows(() => assertEquals(1, 2));
});
