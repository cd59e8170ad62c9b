/** The schemas inside a library, as its registrations spell them. */

const CHUNK_BYTES = 8 << 20;
/** Longer than any schema, so that one that lies across two chunks is whole in the second. */
const OVERLAP_BYTES = 4096;

/** Where read-only data lies: the section `.rodata` of an ELF file, all of any other. */
function readOnlyData(file: Deno.FsFile): { start: number; end: number } {
  const size = file.statSync().size;
  const read = (at: number, count: number): DataView => {
    const bytes = new Uint8Array(count);
    file.seekSync(at, Deno.SeekMode.Start);
    for (let n = 0; n < count;) n += file.readSync(bytes.subarray(n))!;
    return new DataView(bytes.buffer);
  };
  const head = read(0, 64);
  if (head.getUint32(0) !== 0x7f454c46) return { start: 0, end: size };
  const number = (view: DataView, at: number) => Number(view.getBigUint64(at, true));
  const width = head.getUint16(0x3a, true), count = head.getUint16(0x3c, true);
  const table = read(number(head, 0x28), width * count);
  const section = (i: number) => ({
    name: table.getUint32(i * width, true),
    start: number(table, i * width + 24),
    end: number(table, i * width + 24) + number(table, i * width + 32),
  });
  const { start, end } = section(head.getUint16(0x3e, true));
  const names = new TextDecoder().decode(read(start, end - start).buffer as ArrayBuffer);
  const sections = Array.from({ length: count }, (_, i) => section(i));
  return sections.find(({ name }) => names.startsWith(".rodata\0", name))!;
}

/** Every schema in the library of an operator in `wanted`, by the operator's name. */
function registered(file: string, wanted: ReadonlySet<string>): Map<string, Set<string>> {
  using library = Deno.openSync(file);
  const { start, end } = readOnlyData(library);
  const found = new Map<string, Set<string>>();
  const bytes = new Uint8Array(CHUNK_BYTES + OVERLAP_BYTES);
  const decoder = new TextDecoder("latin1");
  for (let at = start; at < end; at += CHUNK_BYTES) {
    library.seekSync(at, Deno.SeekMode.Start);
    let filled = 0;
    for (let n: number | null = 1; n && filled < bytes.length; filled += n ?? 0) {
      n = library.readSync(bytes.subarray(filled));
    }
    for (const schema of schemasIn(decoder.decode(bytes.subarray(0, filled)))) {
      const own = nameOf(schema);
      for (const name of wanted) {
        // a linker may keep "sin(…)" as the end of "asin(…)"
        if (!own.endsWith(name)) continue;
        const tail = schema.slice(own.length - name.length);
        found.set(name, (found.get(name) ?? new Set()).add(tail));
      }
    }
  }
  return found;
}

/** The texts between zeros that look like `name(…) -> …`. */
function* schemasIn(text: string): Generator<string> {
  for (let at = text.indexOf(") -> "); at >= 0; at = text.indexOf(") -> ", at + 5)) {
    const start = text.lastIndexOf("\0", at) + 1, end = text.indexOf("\0", at);
    if (end > at && end - start < OVERLAP_BYTES) yield text.slice(start, end);
  }
}

function nameOf(schema: string): string {
  return schema.slice(0, schema.indexOf("("));
}

/** The rows of a table whose schema the library in a file does not hold. */
export function wrongRows(file: string, table: Readonly<Record<string, string>>): string[] {
  const found = registered(file, new Set(Object.values(table).map(nameOf)));
  const spelled = (schema: string) => schema.replaceAll('"', "'"); // quotes differ by version
  return Object.entries(table).flatMap(([row, schema]) => {
    const own = [...found.get(nameOf(schema)) ?? []].map(spelled);
    return own.includes(spelled(schema)) ? [] : [row];
  });
}
