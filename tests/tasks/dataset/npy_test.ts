import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "npm:fast-check@^4";
import { type NpyArray, type NpyDtype, NpyWriter, openNpy } from "../../../tasks/dataset/npy.ts";
import { hasNumpy, inFolder, needsNumpy, runPython, saveNpy } from "./_folder.ts";

const samples: { readonly [D in NpyDtype]: NpyArray } = {
  bool: Uint8Array.of(0, 1, 1, 0, 1, 0),
  uint8: Uint8Array.of(0, 1, 127, 128, 254, 255),
  int8: Int8Array.of(-128, -1, 0, 1, 126, 127),
  int16: Int16Array.of(-32768, -1, 0, 1, 256, 32767),
  int32: Int32Array.of(-(2 ** 31), -1, 0, 1, 65536, 2 ** 31 - 1),
  int64: BigInt64Array.of(-(2n ** 63n), -1n, 0n, 2n ** 32n, -(2n ** 32n), 2n ** 63n - 1n),
  float16: Float16Array.of(-1.5, 0, 65504, 2 ** -24, NaN, Infinity),
  float32: Float32Array.of(-1.5, 0, 0.1, 3e38, NaN, -Infinity),
  float64: Float64Array.of(-1.5, 0, 0.1, 1e308, NaN, -Infinity),
};
const dtypes = Object.keys(samples) as NpyDtype[];

/** A file of the format by hand: any header, any data. */
function rawNpy(header: string, data: Uint8Array | number = 0, version = 1): Uint8Array {
  const text = new TextEncoder().encode(header), start = version === 1 ? 10 : 12;
  const bytes = new Uint8Array(
    start + text.length + (typeof data === "number" ? data : data.length),
  );
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, text.length, true);
  else view.setUint32(8, text.length, true);
  bytes.set(text, start);
  if (typeof data !== "number") bytes.set(data, start + text.length);
  return bytes;
}

function dict(descr: string, shape: string, order = "False"): string {
  return `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}}\n`;
}

Deno.test("NpyWriter and openNpy() return every dtype as it was, row by row too", () =>
  inFolder((folder) => {
    for (const dtype of dtypes) {
      const path = `${folder}/${dtype}.npy`;
      saveNpy(path, dtype, [3, 2], samples[dtype]);
      using array = openNpy(path);
      assertEquals([array.dtype, array.shape, array.numRows], [dtype, [3, 2], 3]);
      assertEquals(array.readRows(), samples[dtype]);
      assertEquals(array.readRows(1, 2), samples[dtype].slice(2, 4));
      assertEquals(array.readRows(2, 2).length, 0);
      const into = samples[dtype].slice().reverse();
      for (const row of [2, 0, 1]) array.row(row, into, 2 * row);
      assertEquals(into, samples[dtype]);
    }
    assertEquals([...Deno.readDirSync(folder)].length, dtypes.length); // nothing temporary is left
  }));

Deno.test("openNpy() reads what NpyWriter wrote, for any shape and any pieces (property)", () =>
  inFolder((folder) => {
    const path = `${folder}/x.npy`;
    fc.assert(
      fc.property(
        fc.constantFrom("uint8", "int32", "int64" as const),
        fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 3 }),
        fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 6 }),
        fc.array(fc.nat(1000), { maxLength: 8 }),
        (dtype, rowShape, pieces, wanted) => {
          const length = rowShape.reduce((a, b) => a * b, 1);
          const numRows = pieces.reduce((a, b) => a + b, 0);
          const all = Int32Array.from({ length: numRows * length }, (_, i) => (i * 37) % 251);
          using writer = new NpyWriter(path, { dtype: dtype as NpyDtype, rowShape });
          let at = 0;
          for (const rows of pieces) writer.append(all.subarray(at, at += rows * length));
          writer.finish();
          using array = openNpy(path);
          assertEquals(array.shape, [numRows, ...rowShape]);
          assertEquals(array.readIntegers(), all);
          const into = new Int32Array(length);
          for (const row of numRows === 0 ? [] : wanted.map((n) => n % numRows)) {
            array.row(row, into);
            assertEquals(into, all.slice(row * length, (row + 1) * length));
          }
        },
      ),
      { numRuns: 60 },
    );
  }));

Deno.test("openNpy() reads rows beyond its buffer, in order and at random", () =>
  inFolder((folder) => {
    const path = `${folder}/x.npy`, numRows = 3000, length = 81;
    const all = Uint8Array.from({ length: numRows * length }, (_, i) => (i * 7 + (i >> 8)) & 255);
    saveNpy(path, "uint8", [numRows, length], all);
    using array = openNpy(path);
    const into = new Uint8Array(length), wide = new Int32Array(length);
    for (let i = 0; i < 2 * numRows; i++) {
      const row = i < numRows ? i : (i * 1009) % numRows; // the second half jumps
      array.row(row, into);
      array.row(row, wide);
      const want = all.subarray(row * length, (row + 1) * length);
      assert(into.every((value, k) => value === want[k] && value === wide[k]));
    }
    const huge = `${folder}/huge.npy`;
    saveNpy(huge, "uint8", [2, 100_000], new Uint8Array(200_000).fill(3));
    using rows = openNpy(huge);
    const big = new Uint8Array(100_000);
    rows.row(1, big);
    assert(big.every((value) => value === 3));
  }));

Deno.test("openNpy() reads versions 1.0, 2.0 and 3.0, scalars and empty arrays", () =>
  inFolder((folder) => {
    const path = `${folder}/x.npy`;
    for (const version of [1, 2, 3]) {
      Deno.writeFileSync(path, rawNpy(dict("'|u1'", "(2, 1)"), Uint8Array.of(4, 5), version));
      using array = openNpy(path);
      assertEquals(array.readRows(), Uint8Array.of(4, 5));
    }
    Deno.writeFileSync(path, rawNpy(dict("'<i4'", "()"), Uint8Array.of(9, 0, 0, 0)));
    using scalar = openNpy(path);
    assertEquals([scalar.shape, scalar.readRows()], [[], Int32Array.of(9)]);
    Deno.writeFileSync(path, rawNpy(dict("'<f8'", "(0, 3)")));
    using empty = openNpy(path);
    assertEquals([empty.numRows, empty.rowLength, empty.readRows().length], [0, 3, 0]);
  }));

Deno.test("openNpy() says what is wrong with a file, and which", () =>
  inFolder((folder) => {
    const path = `${folder}/bad.npy`;
    const refuses = (bytes: Uint8Array, why: string) => {
      Deno.writeFileSync(path, bytes);
      assertThrows(() => openNpy(path), SyntaxError, `Cannot read .npy file "${path}": ${why}`);
    };
    refuses(new Uint8Array(), `it does not begin with "\\x93NUMPY"`);
    refuses(rawNpy("").subarray(0, 9), "it ends within the length of its header");
    refuses(rawNpy("", 0, 4), "its version is 4.0");
    refuses(rawNpy(dict("'|u1'", "(2,)"), 3), "its shape (2) of uint8 takes 2 bytes, 3 follow");
    refuses(rawNpy(dict("'<i8'", "(2, 2)"), 31), "its shape (2, 2) of int64 takes 32 bytes, 31");
    refuses(rawNpy(dict("'|u1'", "(2, 2)", "True"), 4), "it is in Fortran order");
    refuses(rawNpy(dict("'|O'", "(2,)"), 4), "it holds Python objects");
    refuses(rawNpy(dict("[('a', '<i4'), ('b', '<f8')]", "(1,)"), 12), "its dtype is structured");
    refuses(rawNpy(dict("'>i4'", "(1,)"), 4), "its dtype '>i4' is big-endian, expected '<i4'");
    refuses(rawNpy(dict("'|i4'", "(1,)"), 4), "its dtype '|i4' names no byte order");
    for (const descr of ["<U5", "|S3", "<c8", "<M8[ns]", "=i4", "i4", "", "<i3"]) {
      refuses(rawNpy(dict(`'${descr}'`, "(1,)"), 8), `its dtype is '${descr}', expected one of b1`);
    }
    refuses(rawNpy(dict("7", "(1,)"), 8), "its dtype is no string");
    refuses(rawNpy(dict("'|u1'", "(-1,)")), "its shape is (-1), expected a tuple of sizes");
    refuses(rawNpy(dict("'|u1'", "(3)"), 3), "its shape is 3, expected a tuple of sizes");
    refuses(rawNpy(dict("'|u1'", "('a',)"), 3), "its shape is (a)");
    refuses(rawNpy(dict("'|u1'", "(9007199254740993,)"), 3), "its shape is (9007199254740992)");
    refuses(
      rawNpy(dict("'|u1'", "(4294967296, 4294967296)")),
      "its shape (4294967296, 4294967296)",
    );
    refuses(rawNpy(dict("'|u1'", `(0, ${"9007199254740991, ".repeat(3)})`)), "its shape (0, 9007");
    refuses(rawNpy(dict("'|u1'", "(1,)", "0"), 1), "its fortran_order is no boolean");
    refuses(rawNpy("{'descr': '|u1'}"), "its header is not a dict of descr, fortran_order, shape");
    refuses(rawNpy("(1, 2)"), "its header is not a dict of");
    refuses(rawNpy(dict("'|u1', 'x': 1", "()"), 1), "its header is not a dict of");
    const evil = "__import__('os').system('x')";
    refuses(rawNpy(evil), `its header is no Python literal, column 1 has "_" where a literal is`);
    refuses(rawNpy(dict("'|u1'", "(2 * 3,)"), 6), "its header is no Python literal, column");
    refuses(rawNpy(dict("'|u1'", "(3L,)"), 3), "its header is no Python literal, column");
    refuses(rawNpy(`{'a': ${"(".repeat(500)}`), "its header is no Python literal, column");
    refuses(rawNpy("{'descr': 1, 'descr': 2}"), "its header is no Python literal, the key 'descr'");
    refuses(rawNpy(`{'descr'`), 'its header is no Python literal, column 9 has the end where ":"');
    const huge = rawNpy(dict("'|u1'", "(1,)"), 1, 2);
    new DataView(huge.buffer).setUint32(8, 4_000_000_000, true);
    refuses(huge, "its header claims 4000000000 bytes, more than 65536");
    new DataView(huge.buffer).setUint32(8, 60_000, true);
    refuses(huge, "its header claims 60000 bytes,");
    refuses(
      rawNpy(dict("'|u1'", "()"), 1, 3).map((b) => b === 0x7b ? 0xff : b),
      "its header is not",
    );
    assertThrows(
      () => openNpy(`${folder}/none.npy`),
      Deno.errors.NotFound,
      `Cannot find the array "${folder}/none.npy"`,
    );
  }));

Deno.test("openNpy() never throws anything but a SyntaxError, whatever bytes change (property)", () =>
  inFolder((folder) => {
    const path = `${folder}/x.npy`;
    saveNpy(path, "int32", [5, 3], Int32Array.from({ length: 15 }, (_, i) => i));
    const sound = Deno.readFileSync(path);
    const change = fc.record({ at: fc.nat(sound.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.nat(sound.length), (changes, length) => {
        const bytes = sound.slice(0, length);
        for (const { at, to } of changes) if (at < length) bytes[at] = to;
        Deno.writeFileSync(path, bytes);
        try {
          using array = openNpy(path);
          assertEquals(array.readRows().byteLength <= length, true);
        } catch (error) {
          assert(error instanceof SyntaxError, String(error));
        }
      }),
      { numRuns: 300 },
    );
  }));

Deno.test("openNpy() refuses rows that there are not and places that do not fit", () =>
  inFolder((folder) => {
    const path = `${folder}/x.npy`;
    saveNpy(path, "int64", [2, 2], BigInt64Array.of(1n, 2n, 3n, 2n ** 31n));
    const array = openNpy(path);
    for (const [from, to] of [[0, 3], [-1, 1], [1, 0], [0.5, 1]]) {
      assertThrows(() => array.readRows(from, to), RangeError, `Cannot read rows ${from} to ${to}`);
    }
    assertThrows(() => array.row(2, new Int32Array(2)), RangeError, "it has 2");
    assertThrows(() => array.row(0, new Int32Array(2), 1), RangeError, "to index 1 of 2");
    assertThrows(() => array.row(0, new Uint8Array(2)), TypeError, "Cannot read int64 of");
    assertEquals(array.readIntegers(0, 1), Int32Array.of(1, 2));
    assertThrows(
      () => array.readIntegers(),
      RangeError,
      `Cannot read row 1 of "${path}" as 32-bit integers: it holds 2147483648`,
    );
    array.close();
    array.close();
    saveNpy(path, "float32", [1], Float32Array.of(1));
    using floats = openNpy(path);
    assertThrows(() => floats.readIntegers(), TypeError, "Cannot read float32 of");
    Deno.truncateSync(path, 20);
    assertThrows(() => floats.readRows(), SyntaxError, "it has become shorter");
  }));

Deno.test("NpyWriter refuses numbers outside the dtype and parts of rows", () =>
  inFolder((folder) => {
    const path = `${folder}/x.npy`;
    using bytes = new NpyWriter(path, { dtype: "uint8", rowShape: [2] });
    bytes.append([0, 255]);
    for (const stray of [-1, 256, 0.5, NaN]) {
      assertThrows(
        () => bytes.append([0, stray]),
        RangeError,
        `Cannot write ${stray} as uint8 to row 1 of "${path}"`,
      );
    }
    assertThrows(() => bytes.append([1]), RangeError, "a row has 2");
    assertThrows(() => bytes.append(Int32Array.of(1, 300)), RangeError, "Cannot write 300");
    assertEquals(bytes.numRows, 1);
    bytes.finish();
    assertThrows(() => bytes.append([1, 1]), TypeError, "it is finished");
    assertThrows(() => bytes.finish(), TypeError, "twice");
    using array = openNpy(path);
    assertEquals(array.readRows(), Uint8Array.of(0, 255));
    assertThrows(
      () => new NpyWriter(path, { dtype: "uint8", rowShape: [0] }),
      RangeError,
      "Cannot write rows of shape [0]",
    );
    using wide = new NpyWriter(path, { dtype: "int64", rowShape: [] });
    assertThrows(() => wide.append([2 ** 53]), RangeError, "as int64");
    using flags = new NpyWriter(path, { dtype: "bool", rowShape: [] });
    assertThrows(() => flags.append(Uint8Array.of(2)), RangeError, "Cannot write 2 as bool");
  }));

Deno.test("NpyWriter leaves what was there until it is finished, and nothing of its own", () =>
  inFolder((folder) => {
    const path = `${folder}/x.npy`;
    saveNpy(path, "uint8", [1], [7]);
    {
      using writer = new NpyWriter(path, { dtype: "uint8", rowShape: [] });
      writer.append(new Uint8Array(200_000));
      using before = openNpy(path);
      assertEquals(before.readRows(), Uint8Array.of(7));
    }
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["x.npy"]);
    saveNpy(path, "uint8", [2], [8, 9]);
    using after = openNpy(path);
    assertEquals(after.readRows(), Uint8Array.of(8, 9));
  }));

Deno.test({
  name: `NpyWriter writes the bytes of numpy.save, which openNpy() reads${needsNumpy}`,
  ignore: !hasNumpy,
  fn: () =>
    inFolder(async (folder) => {
      for (const dtype of dtypes) {
        saveNpy(`${folder}/${dtype}.npy`, dtype, [3, 2], samples[dtype]);
        saveNpy(`${folder}/${dtype}_flat.npy`, dtype, [6], samples[dtype]);
      }
      for (let length = 0; length < 66; length++) { // headers of every length modulo 64
        const shape = [1, ...Array(Math.floor(length / 3)).fill(1), 10 ** (length % 3)];
        saveNpy(`${folder}/bool_${length}.npy`, "bool", shape, new Uint8Array(shape.at(-1)!));
      }
      const rows = Uint8Array.from({ length: 12_345 * 81 }, (_, i) => i % 11);
      saveNpy(`${folder}/uint8_long.npy`, "uint8", [12_345, 81], rows);
      const script = `
import glob, io, sys, numpy as np
for path in sorted(glob.glob(sys.argv[1] + "/*.npy")):
    array = np.load(path, mmap_mode="r")
    assert str(array.dtype) == path.split("/")[-1].split(".")[0].split("_")[0], path
    again = io.BytesIO()
    np.save(again, array)
    assert again.getvalue() == open(path, "rb").read(), path
    for version in ((1, 0), (2, 0), (3, 0)):
        with open(f"{path}.v{version[0]}", "wb") as file:
            np.lib.format.write_array(file, np.ascontiguousarray(array), version=version)
np.save(sys.argv[1] + "/fortran.npy", np.asfortranarray(np.arange(6).reshape(2, 3)))
np.save(sys.argv[1] + "/object.npy", np.array([{}, 1], dtype=object))
np.save(sys.argv[1] + "/struct.npy", np.zeros(2, dtype=[("a", "<i4"), ("b", "<f8", (2,))]))
np.save(sys.argv[1] + "/big.npy", np.arange(3, dtype=">i4"))
print(len(glob.glob(sys.argv[1] + "/*.v*")))`;
      assertEquals(await runPython(["-c", script, folder]), `${3 * (2 * dtypes.length + 67)}`);
      for (const dtype of dtypes) {
        for (const version of [1, 2, 3]) {
          using array = openNpy(`${folder}/${dtype}.npy.v${version}`);
          assertEquals([array.dtype, array.shape], [dtype, [3, 2]]);
          assertEquals(array.readRows(), samples[dtype]);
        }
      }
      using long = openNpy(`${folder}/uint8_long.npy.v3`);
      assertEquals(long.readRows(), rows);
      const why = {
        fortran: "Fortran",
        object: "objects",
        struct: "structured",
        big: "big-endian",
      };
      for (const [name, message] of Object.entries(why)) {
        assertThrows(() => openNpy(`${folder}/${name}.npy`), SyntaxError, message);
      }
    }),
});
