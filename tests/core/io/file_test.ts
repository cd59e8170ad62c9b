import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { writeFileAtomic } from "../../../core/io/file.ts";

/** Runs `body` in a folder of its own, and returns what lies in the folder after it. */
async function inFolder(body: (folder: string) => Promise<void>): Promise<string[]> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
    return Array.from(Deno.readDirSync(folder), (entry) => entry.name).sort();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("writeFileAtomic() writes bytes, text and chunks, and leaves nothing beside them", async () => {
  async function* slowly(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 3; i++) yield await Promise.resolve(new Uint8Array([i, i]));
  }
  const names = await inFolder(async (folder) => {
    await writeFileAtomic(join(folder, "bytes"), new Uint8Array([1, 2, 3]));
    await writeFileAtomic(join(folder, "text"), "ℓ = 1\n");
    await writeFileAtomic(join(folder, "chunks"), [new Uint8Array([4]), new Uint8Array([5, 6])]);
    await writeFileAtomic(join(folder, "async"), slowly());
    await writeFileAtomic(join(folder, "empty"), []);
    assertEquals(await Deno.readFile(join(folder, "bytes")), new Uint8Array([1, 2, 3]));
    assertEquals(await Deno.readTextFile(join(folder, "text")), "ℓ = 1\n");
    assertEquals(await Deno.readFile(join(folder, "chunks")), new Uint8Array([4, 5, 6]));
    assertEquals(await Deno.readFile(join(folder, "async")), new Uint8Array([0, 0, 1, 1, 2, 2]));
    assertEquals(await Deno.readFile(join(folder, "empty")), new Uint8Array());
  });
  assertEquals(names, ["async", "bytes", "chunks", "empty", "text"]);
});

Deno.test("writeFileAtomic() keeps the old file until the new one is complete", async () => {
  const names = await inFolder(async (folder) => {
    const path = join(folder, "weights");
    await writeFileAtomic(path, "old");
    const seen: string[] = [];
    function* watched(): Generator<Uint8Array> {
      yield new TextEncoder().encode("ne");
      seen.push(Deno.readTextFileSync(path));
      yield new TextEncoder().encode("w");
      seen.push(Deno.readTextFileSync(path));
    }
    await writeFileAtomic(path, watched());
    assertEquals(seen, ["old", "old"]);
    assertEquals(await Deno.readTextFile(path), "new");
  });
  assertEquals(names, ["weights"]);
});

Deno.test("writeFileAtomic() keeps the old file and cleans up when a chunk fails", async () => {
  function* failing(): Generator<Uint8Array> {
    yield new Uint8Array(1 << 16);
    throw new RangeError("no more memory");
  }
  const names = await inFolder(async (folder) => {
    const path = join(folder, "weights");
    await writeFileAtomic(path, "old");
    await assertRejects(() => writeFileAtomic(path, failing()), RangeError, "no more memory");
    assertEquals(await Deno.readTextFile(path), "old");
    await assertRejects(() => writeFileAtomic(join(folder, "fresh"), failing()), RangeError);
  });
  assertEquals(names, ["weights"]);
});

Deno.test("writeFileAtomic() cleans up when the name cannot be taken", async () => {
  const names = await inFolder(async (folder) => {
    const path = join(folder, "taken");
    await Deno.mkdir(path);
    await assertRejects(() => writeFileAtomic(path, "text"), Error);
    await assertRejects(() => writeFileAtomic(join(folder, "no", "where"), "text"), Error);
  });
  assertEquals(names, ["taken"]);
});

Deno.test("writeFileAtomic() called at once for one path leaves one whole file", async () => {
  const names = await inFolder(async (folder) => {
    const path = join(folder, "raced");
    const texts = Array.from({ length: 8 }, (_, i) => `${i}`.repeat(10_000));
    await Promise.all(texts.map((text) => writeFileAtomic(path, text)));
    assertEquals(texts.includes(await Deno.readTextFile(path)), true);
  });
  assertEquals(names, ["raced"]);
});
