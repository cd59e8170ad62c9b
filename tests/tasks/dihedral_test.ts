import { assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4";
import { dihedral, exchangesSides, inverseDihedral, numDihedral } from "../../tasks/dihedral.ts";

const anyGrid = fc.record({
  rows: fc.integer({ min: 1, max: 9 }),
  columns: fc.integer({ min: 1, max: 9 }),
}).chain(({ rows, columns }) =>
  fc.uint8Array({ minLength: rows * columns, maxLength: rows * columns })
    .map((cells) => ({ cells, rows, columns }))
);
const anyId = fc.integer({ min: 0, max: numDihedral - 1 });

const golden = JSON.parse(
  Deno.readTextFileSync(new URL("../golden/maze_twin.json", import.meta.url)),
);

Deno.test("dihedral() turns counter-clockwise, and reflects across four axes", () => {
  const texts = Array.from({ length: numDihedral }, (_, id) => {
    const { cells, columns } = dihedral(Uint8Array.of(1, 2, 3, 4, 5, 6), 2, 3, id);
    return cells.join("").replaceAll(new RegExp(`.{${columns}}(?=.)`, "g"), "$& ");
  });
  assertEquals(texts, [
    "123 456",
    "36 25 14",
    "654 321",
    "41 52 63",
    "321 654",
    "456 123",
    "14 25 36",
    "63 52 41",
  ]);
});

Deno.test("dihedral() equals numpy", () => {
  for (const { rows, columns, cells, transforms } of golden.grids) {
    for (let id = 0; id < numDihedral; id++) {
      const out = dihedral(Uint8Array.from(cells), rows, columns, id);
      assertEquals(
        { ...out, cells: [...out.cells] },
        transforms[id],
        `${rows}x${columns} by ${id}`,
      );
    }
  }
});

Deno.test("inverseDihedral() undoes dihedral(), and leaves the grid it is given", () => {
  fc.assert(fc.property(anyGrid, anyId, ({ cells, rows, columns }, id) => {
    const before = cells.slice();
    const out = dihedral(cells, rows, columns, id);
    assertEquals(cells, before);
    assertEquals(exchangesSides(id), exchangesSides(inverseDihedral(id)));
    const back = dihedral(out.cells, out.rows, out.columns, inverseDihedral(id));
    assertEquals(back, { cells, rows, columns });
  }));
});

Deno.test("dihedral() by one id after another is dihedral() by a third", () => {
  const square = Uint8Array.from({ length: 9 }, (_, i) => i);
  const all = Array.from({ length: 8 }, (_, id) => dihedral(square, 3, 3, id).cells.join());
  assertEquals(new Set(all).size, 8);
  for (let first = 0; first < 8; first++) {
    const row = Array.from(all.keys(), (second) => {
      const { cells } = dihedral(dihedral(square, 3, 3, first).cells, 3, 3, second);
      return all.indexOf(cells.join());
    });
    assertEquals(row.toSorted(), [0, 1, 2, 3, 4, 5, 6, 7]);
  }
});

Deno.test("dihedral() refuses unknown ids and grids of other sizes", () => {
  for (const id of [-1, 8, 1.5, NaN]) {
    assertThrows(
      () => dihedral(new Uint8Array(4), 2, 2, id),
      RangeError,
      `Cannot transform by dihedral id ${id}: expected an integer from 0 to 7`,
    );
    assertThrows(() => inverseDihedral(id), RangeError, `dihedral id ${id}`);
    assertThrows(() => exchangesSides(id), RangeError, `dihedral id ${id}`);
  }
  assertThrows(
    () => dihedral(new Uint8Array(5), 2, 3, 1),
    RangeError,
    "Cannot transform 5 cells as 2x3: expected as many as rows times columns",
  );
  assertThrows(() => dihedral(new Uint8Array(5), 2.5, 2, 1), RangeError, "as 2.5x2");
});
