import { assertEquals, assertMatch } from "@std/assert";
import { lastLine, tallyOf, total } from "./run.ts";

Deno.test("tallyOf() reads the summary of deno test, with steps and what was ignored", () => {
  const summaries: [string, number, number, number][] = [
    ["ok | 2 passed (1 step) | 0 failed | 1 ignored (8ms)", 2, 0, 1],
    ["ok | 5 passed | 0 failed (104ms)", 5, 0, 0],
    ["FAILED | 3 passed (12 steps) | 2 failed (1 step) | 4 ignored (2 steps) (1s)", 3, 2, 4],
    ["ok | 0 passed | 0 failed | 3 filtered out (10ms)", 0, 0, 0],
  ];
  for (const [line, passed, failed, skipped] of summaries) {
    const output = `running 2 tests from ./a_test.ts\na ... ok (1ms)\n\n${line}\n\n`;
    assertEquals(tallyOf(output, failed > 0 ? 1 : 0), { passed, failed, skipped });
  }
});

Deno.test("tallyOf() counts only the last summary, for a test may print another", () => {
  const output = "ok | 9 passed | 0 failed (1ms)\nx ok | 8 passed | 0 failed\n" +
    "\nok | 1 passed | 0 failed (3ms)\n";
  assertEquals(tallyOf(output, 0), { passed: 1, failed: 0, skipped: 0 });
});

Deno.test("tallyOf() counts a run that failed without a failed test as one failure", () => {
  assertEquals(tallyOf("", 1), { passed: 0, failed: 1, skipped: 0 }); // a type error
  assertEquals(tallyOf("ok | 3 passed | 0 failed (1ms)\n", 134).failed, 1); // killed at its end
});

Deno.test("total() adds up, and fails when no test ran", () => {
  const a = { passed: 2, failed: 1, skipped: 0 }, b = { passed: 3, failed: 0, skipped: 4 };
  assertEquals(total([a, b]), { passed: 5, failed: 1, skipped: 4 });
  assertEquals(total([{ passed: 0, failed: 0, skipped: 2 }]).failed, 1);
  assertEquals(total([]).failed, 1);
});

Deno.test("lastLine() is plain, and names what was skipped only if anything was", () => {
  assertEquals(lastLine({ passed: 3, failed: 0, skipped: 0 }), "3 passed, 0 failed");
  assertEquals(lastLine({ passed: 3, failed: 1, skipped: 2 }), "3 passed, 1 failed, 2 skipped");
});

Deno.test("run.ts ends with its line, and fails for a path that does not exist", async () => {
  const runner = new URL("./run.ts", import.meta.url).pathname;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--allow-all", runner, "tests/there_is_no_such_test.ts"],
  }).output();
  assertEquals(code, 1);
  assertMatch(new TextDecoder().decode(stdout), /\n0 passed, 1 failed\n$/);
});
