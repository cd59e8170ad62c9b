import { assert, assertEquals } from "@std/assert";
import { runScript } from "../script.ts";
import type { Report } from "./_fuzz.ts";

Deno.test("Random calls of every operation end in results or JavaScript errors, never in a crash", async () => {
  const script =
    `import { fuzz } from "./tests/ffi/_fuzz.ts"; console.log(JSON.stringify(fuzz(1, 8000)));`;
  const { code, signal, stdout, stderr } = await runScript(script, ["--allow-all"]);
  assertEquals([code, signal, stderr], [0, null, ""]);
  const report: Report = JSON.parse(stdout);
  assertEquals(report.forgotten, [], "operations that the fuzz does not call");
  assertEquals(report.never, [], "operations that no call got through");
  assertEquals(report.strange, [], "errors that are no answer to a wrong call");
  assertEquals(report.left, 0, "tensors left");

  // What we refuse ourselves costs microseconds and leaks nothing; libtorch's errors cost both.
  const reached = Object.values(report.reached).reduce((sum, count) => sum + count, 0);
  const wrong = report.refused + reached;
  console.log(
    `${report.calls} calls: ${report.results} results, ${wrong} errors, of which ${reached} ` +
      `(${(100 * reached / wrong).toFixed(1)} %) reached libtorch`,
  );
  assert(report.results > 0.4 * report.calls && wrong > 0.2 * report.calls);
  const unforeseeable = /out of (DATA )?(bounds|range)|can't allocate memory/; // decided by elements, or by the machine
  const avoidable = Object.keys(report.reached).filter((text) => !unforeseeable.test(text));
  assertEquals(avoidable, [], "wrong calls that a check should have caught");
});
