import { assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4";
import { openPuzzleDataset } from "../../../tasks/dataset/layout.ts";
import { digitsOf, inFolder, saveNpy, saveSets } from "./_folder.ts";

const small = {
  puzzleIdentifiers: [3, 0, 5, 3],
  puzzleIndices: [0, 2, 3, 3, 6],
  groupIndices: [0, 1, 4],
};

/** Changes a field of `dataset.json`; undefined removes it. */
function edit(folder: string, field: string, value: unknown): void {
  const path = `${folder}/train/dataset.json`;
  const fields = JSON.parse(Deno.readTextFileSync(path));
  Deno.writeTextFileSync(path, JSON.stringify({ ...fields, [field]: value }));
}

Deno.test("openPuzzleDataset() reads every set that the metadata names", () =>
  inFolder((folder) => {
    const other = { puzzleIdentifiers: [1], puzzleIndices: [0, 1], groupIndices: [0, 1] };
    saveSets(folder, "test", [small, other]);
    using dataset = openPuzzleDataset(folder, "test");
    assertEquals(dataset.metadata.sets, ["all", "set1"]);
    assertEquals(dataset.metadata.totalGroups, 3);
    const [all, set1] = dataset.sets;
    assertEquals([all!.numGroups, all!.numPuzzles, all!.numExamples], [2, 4, 6]);
    assertEquals([set1!.name, set1!.numExamples], ["set1", 1]);
    assertEquals(all!.puzzleIdentifiers, Int32Array.from(small.puzzleIdentifiers));
    for (let i = 0; i < 6; i++) {
      const { inputs, labels } = all!.readExample(i);
      assertEquals([[...inputs], [...labels]], [digitsOf(i), digitsOf(i)]);
    }
    const puzzles = Array.from({ length: 6 }, (_, i) => all!.puzzleOf(i));
    assertEquals(puzzles, [0, 0, 1, 3, 3, 3]); // puzzle 2 is empty
    assertThrows(() => all!.readExample(6), RangeError, "Cannot read example 6 of");
    assertThrows(() => all!.puzzleOf(-1), RangeError, "Cannot read example -1 of");
    assertEquals(dataset.readIdentifiers(), undefined);
  }));

Deno.test("openPuzzleDataset() reads int64 tokens and HRM's metadata without total_puzzles", () =>
  inFolder((folder) => {
    saveSets(folder, "train", [small]);
    edit(folder, "total_puzzles", undefined);
    edit(folder, "ignore_label_id", null);
    for (const field of ["inputs", "labels"]) {
      const tokens = Array.from({ length: 6 }, (_, row) => digitsOf(row)).flat();
      saveNpy(`${folder}/train/all__${field}.npy`, "int64", [6, 4], tokens);
    }
    using dataset = openPuzzleDataset(folder, "train");
    assertEquals([dataset.metadata.totalPuzzles, dataset.metadata.ignoreLabelId], [null, null]);
    assertEquals([...dataset.sets[0]!.readExample(5).inputs], digitsOf(5));
  }));

Deno.test("openPuzzleDataset() names the file and the row of what does not fit", () =>
  inFolder((folder) => {
    const path = (field: string) => `${folder}/train/all__${field}.npy`;
    const refuses = (field: string, values: readonly number[], why: string) => {
      saveSets(folder, "train", [small]);
      saveNpy(path(field), "int32", [values.length], values);
      assertThrows(
        () => openPuzzleDataset(folder, "train"),
        SyntaxError,
        `"${path(field)}": ${why}`,
      );
    };
    refuses("puzzle_indices", [], "it has no rows");
    refuses("puzzle_indices", [1, 2, 3, 3, 6], "row 0 holds the offset 1, expected 0");
    refuses("puzzle_indices", [0, 3, 2, 3, 6], "row 2 holds the offset 2, expected at least 3");
    refuses(
      "puzzle_indices",
      [0, 2, 3, 3, 5],
      "row 4 holds the offset 5, expected 6, the number of",
    );
    refuses("puzzle_indices", [0, 2, 3, 6], "it has 4 rows, expected 5, one more than puzzles");
    refuses("group_indices", [0, 1, 1, 4], "row 2 holds the offset 1, expected at least 2");
    refuses(
      "group_indices",
      [0, 1, 3],
      "row 2 holds the offset 3, expected 4, the number of puzzles",
    );
    refuses("puzzle_identifiers", [3, 20, 5, 3], "row 1 holds the identifier 20");
    refuses("puzzle_identifiers", [3, 0, -5, 3], "row 2 holds the identifier -5");
    refuses("inputs", [1, 2], "its shape is [2], expected [examples, 4]");
  }));

Deno.test("openPuzzleDataset() refuses arrays of other shapes, lengths and dtypes", () =>
  inFolder((folder) => {
    const refuses = (why: string) =>
      assertThrows(() => openPuzzleDataset(folder, "train"), SyntaxError, why);
    const path = `${folder}/train/all__`;
    saveSets(folder, "train", [small]);
    saveNpy(`${path}labels.npy`, "uint8", [5, 4], new Uint8Array(20));
    refuses(`Cannot read "${path}labels.npy": it has 5 rows, "${path}inputs.npy" 6`);
    saveNpy(`${path}labels.npy`, "uint8", [6, 3], new Uint8Array(18));
    refuses(`Cannot use "${path}labels.npy": its shape is [6, 3], expected [examples, 4]`);
    saveNpy(`${path}labels.npy`, "float32", [6, 4], new Float32Array(24));
    refuses(`Cannot use "${path}labels.npy": it holds float32, expected integers`);
    saveSets(folder, "train", [small]);
    saveNpy(`${path}group_indices.npy`, "int32", [1, 2], [0, 4]);
    refuses(`Cannot use "${path}group_indices.npy": its shape is [1, 2], expected one axis`);
    saveSets(folder, "train", [small]);
    edit(folder, "total_groups", 3);
    refuses(`its "total_groups" is 3, the arrays have 2`);
    saveSets(folder, "train", [small]);
    edit(folder, "seq_len", 5);
    refuses("its shape is [6, 4], expected [examples, 5]");
    Deno.removeSync(`${path}inputs.npy`);
    assertThrows(() => openPuzzleDataset(folder, "train"), Deno.errors.NotFound, "inputs.npy");
    assertThrows(
      () => openPuzzleDataset(folder, "test"),
      Deno.errors.NotFound,
      `Cannot find the data set "${folder}/test/dataset.json"`,
    );
  }));

Deno.test("PuzzleSet.readExample() names the file and the row of a token outside the vocabulary", () =>
  inFolder((folder) => {
    saveSets(folder, "train", [small]);
    const tokens = Array.from({ length: 6 }, (_, row) => digitsOf(row)).flat();
    tokens[2 * 4 + 1] = 8;
    saveNpy(`${folder}/train/all__labels.npy`, "uint8", [6, 4], tokens);
    using dataset = openPuzzleDataset(folder, "train"); // rows are checked when they are read
    const [set] = dataset.sets;
    set!.readExample(1);
    assertThrows(
      () => set!.readExample(2),
      SyntaxError,
      `Cannot use "${folder}/train/all__labels.npy": row 2 holds the token 8, the vocabulary has 8`,
    );
    tokens[2 * 4 + 1] = -1;
    saveNpy(`${folder}/train/all__inputs.npy`, "int32", [6, 4], tokens);
    using again = openPuzzleDataset(folder, "train");
    assertThrows(() => again.sets[0]!.readExample(2), SyntaxError, 'inputs.npy": row 2 holds');
  }));

Deno.test("openPuzzleDataset() names the field of dataset.json that is impossible", () =>
  inFolder((folder) => {
    saveSets(folder, "train", [small]);
    const sound = Deno.readTextFileSync(`${folder}/train/dataset.json`);
    const refuses = (field: string, value: unknown, why: string) => {
      Deno.writeTextFileSync(`${folder}/train/dataset.json`, sound);
      edit(folder, field, value);
      const start = `Cannot read data set "${folder}/train/dataset.json": `;
      assertThrows(() => openPuzzleDataset(folder, "train"), SyntaxError, start + why);
    };
    refuses("vocab_size", "11", `its "vocab_size" is "11", expected an integer from 1 on`);
    refuses("seq_len", undefined, `its "seq_len" is missing, expected an integer from 1 on`);
    refuses("pad_id", 8, `its "pad_id" is 8 and its "vocab_size" 8`);
    refuses("pad_id", -1, `its "pad_id" is -1, expected an integer from 0 on`);
    refuses("ignore_label_id", 0.5, `its "ignore_label_id" is 0.5, expected an integer`);
    refuses("blank_identifier_id", 20, `its "blank_identifier_id" is 20`);
    refuses("mean_puzzle_examples", null, `its "mean_puzzle_examples" is null`);
    refuses("sets", [], `its "sets" is [], expected a list of different names`);
    refuses("sets", ["all", "all"], `its "sets" is ["all","all"]`);
    refuses("sets", ["../all"], `its "sets" is ["../all"]`);
    Deno.writeTextFileSync(`${folder}/train/dataset.json`, "[1]");
    assertThrows(() => openPuzzleDataset(folder, "train"), SyntaxError, "it holds no object");
    Deno.writeTextFileSync(`${folder}/train/dataset.json`, "{");
    assertThrows(() => openPuzzleDataset(folder, "train"), SyntaxError, "dataset.json");
  }));

Deno.test("PuzzleDataset.readIdentifiers() wants a name for every identifier", () =>
  inFolder((folder) => {
    saveSets(folder, "train", [small]);
    using dataset = openPuzzleDataset(folder, "train");
    const path = `${folder}/identifiers.json`;
    const names = Array.from({ length: 20 }, (_, i) => `name ${i}`);
    Deno.writeTextFileSync(path, JSON.stringify(names));
    assertEquals(dataset.readIdentifiers(), names);
    Deno.writeTextFileSync(path, JSON.stringify(names.slice(1)));
    assertThrows(() => dataset.readIdentifiers(), SyntaxError, "19 names for 20 identifiers");
    for (const text of ["{}", "[1]", "["]) {
      Deno.writeTextFileSync(path, text);
      assertThrows(() => dataset.readIdentifiers(), SyntaxError, `Cannot read "${path}"`);
    }
  }));

Deno.test("PuzzleSet.puzzleOf() finds the puzzle that holds an example (property)", () =>
  inFolder((folder) => {
    fc.assert(
      fc.property(fc.array(fc.nat(4), { minLength: 1, maxLength: 12 }), (sizes) => {
        const puzzleIndices = [0];
        const owners = sizes.flatMap((size, puzzle) => {
          puzzleIndices.push(puzzleIndices.at(-1)! + size);
          return Array.from({ length: size }, () => puzzle);
        });
        const groupIndices = [0, sizes.length];
        const puzzleIdentifiers = sizes.map(() => 0);
        saveSets(folder, "train", [{ puzzleIdentifiers, puzzleIndices, groupIndices }]);
        using dataset = openPuzzleDataset(folder, "train");
        assertEquals(owners.map((_, i) => dataset.sets[0]!.puzzleOf(i)), owners);
      }),
      { numRuns: 25 },
    );
  }));
