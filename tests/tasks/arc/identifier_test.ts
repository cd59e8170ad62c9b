import { assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4";
import { identityArcAugmentation } from "../../../tasks/arc/augment.ts";
import { formatArcIdentifier, parseArcIdentifier } from "../../../tasks/arc/identifier.ts";
import { augmentations } from "./_arbitrary.ts";

const augmentation = { dihedral: 3, colours: Uint8Array.of(0, 2, 1, 3, 4, 5, 6, 7, 9, 8) };

Deno.test("formatArcIdentifier() writes the names of both repositories", () => {
  assertEquals(formatArcIdentifier("007bbfb7", augmentation, "trm"), "007bbfb7|||t3|||0213456798");
  assertEquals(formatArcIdentifier("007bbfb7", augmentation, "hrm"), "007bbfb7_t3_0213456798");
  for (const style of ["trm", "hrm"] as const) {
    assertEquals(formatArcIdentifier("a_b", identityArcAugmentation(), style), "a_b");
  }
});

Deno.test("parseArcIdentifier() reads either, and a task's own name", () => {
  for (const name of ["x_y_t3_0213456798", "x_y|||t3|||0213456798"]) {
    assertEquals(parseArcIdentifier(name), { task: "x_y", augmentation });
  }
  for (const name of ["AboveBelow1", "a_t1", "a_t3_x", "t3_0213456798", ""]) {
    assertEquals(parseArcIdentifier(name), { task: name, augmentation: identityArcAugmentation() });
  }
});

Deno.test("parseArcIdentifier() reads what formatArcIdentifier() writes", () => {
  const style = fc.constantFrom("hrm" as const, "trm" as const);
  const task = fc.string().filter((name) => !name.includes("|"));
  fc.assert(fc.property(task, augmentations(), style, (task, augmentation, style) => {
    const name = formatArcIdentifier(task, augmentation, style);
    assertEquals(parseArcIdentifier(name), { task, augmentation });
  }));
});

Deno.test("parseArcIdentifier() says what is wrong with a name", () => {
  const cases: [name: string, why: string][] = [
    ["a|||t8|||0123456789", "its dihedral id is 8: expected 0 to 7"],
    ["a_t12_0123456789", "its dihedral id is 12"],
    ["a_t1_0123456788", "its colours are 0123456788: expected 0, then 1 to 9 in any order"],
    ["a_t1_1023456789", "its colours are 1023456789"],
    ["a|||t1|||012345678", "its colours are 012345678:"],
    ["a|||1|||0123456789", 'expected it to end in "|||t"'],
    ["a|||t1_0123456789", 'expected it to end in "|||t"'],
  ];
  for (const [name, why] of cases) {
    assertThrows(
      () => parseArcIdentifier(name),
      SyntaxError,
      `Cannot read "${name}" as the name of a task: ${why}`,
    );
  }
});

Deno.test("formatArcIdentifier() refuses a task whose own name would be misread", () => {
  for (const name of ["a_t1_0213456789", "a|||b"]) {
    for (const other of [augmentation, identityArcAugmentation()]) {
      assertThrows(
        () => formatArcIdentifier(name, other, "hrm"),
        RangeError,
        `Cannot name the augmentations of task "${name}"`,
      );
    }
  }
});
