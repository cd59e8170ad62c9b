/**
 * The notebook's cells, in order and in one process, as Deno's kernel runs them: the last
 * expression of a cell is what it shows. The outputs in the file were made by the kernel itself.
 */
import { assertEquals } from "@std/assert";
import { runScript } from "../script.ts";

interface Cell {
  readonly cell_type: string;
  readonly source: string | readonly string[];
  readonly outputs?: readonly { readonly data: Readonly<Record<string, unknown>> }[];
}

const path = new URL("../../docs/tour.ipynb", import.meta.url);
const { cells } = JSON.parse(Deno.readTextFileSync(path)) as { cells: readonly Cell[] };
const code = cells.filter(({ cell_type }) => cell_type === "code");

/** A cell whose last line, an expression, is shown. */
function shown({ source }: Cell): string {
  const lines = (typeof source === "string" ? source : source.join("")).split("\n");
  const last = lines.pop()!.replace(/;?\s*(\/\/.*)?$/, "");
  return [...lines, `show(${last});`].join("\n");
}

const SHOW = `
const display = Symbol.for("Jupyter.display");
function show(value) { console.log("SHOWN " + JSON.stringify(value[display]())); }
`;

Deno.test("tour.ipynb runs from its first cell to its last, and shows what it holds", async () => {
  const script = [SHOW, ...code.map(shown)].join("\n");
  const { code: exit, stdout, stderr } = await runScript(script, ["--allow-all"]);
  assertEquals(exit, 0, stderr);
  const bundles = [...stdout.matchAll(/^SHOWN (.*)$/gm)]
    .map(([, json]) => JSON.parse(json!) as Record<string, string>);
  const stored = code.map(({ outputs }) => outputs!.map(({ data }) => data));
  assertEquals(stored.map(({ length }) => length), code.map(() => 1));
  assertEquals(bundles.map(kindsOf), stored.map(([data]) => kindsOf(data!)));
  // what is neither trained nor computed with many sums is the same on every machine
  const text = (data: unknown) => [data].flat().join("");
  for (const cell of [0, 1]) {
    assertEquals(bundles[cell]!["text/html"], text(stored[cell]![0]!["text/html"]));
  }
});

function kindsOf(bundle: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(bundle).sort();
}
