/** Temporary folders, arrays in them, and Python to look at them with. */
import { assert } from "@std/assert";
import {
  formatPuzzleMetadata,
  type PuzzleDatasetMetadata,
  type PuzzleSplit,
} from "../../../tasks/dataset/metadata.ts";
import { type NpyArray, type NpyDtype, NpyWriter } from "../../../tasks/dataset/npy.ts";

/** Calls `work` with a new folder, which is gone after it. */
export async function inFolder(work: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes a whole array. */
export function saveNpy(
  path: string,
  dtype: NpyDtype,
  shape: readonly number[],
  values: NpyArray | ArrayLike<number>,
): void {
  using writer = new NpyWriter(path, { dtype, rowShape: shape.slice(1) });
  writer.append(values);
  writer.finish();
}

/** The offsets and identifiers of a set. */
export interface SetArrays {
  readonly puzzleIdentifiers: readonly number[];
  readonly puzzleIndices: readonly number[];
  readonly groupIndices: readonly number[];
}

/** Metadata of examples that are four base-8 digits of their own index. */
export const digitsMetadata: PuzzleDatasetMetadata = {
  padId: 7,
  ignoreLabelId: 0,
  blankIdentifierId: 0,
  vocabSize: 8,
  seqLen: 4,
  numPuzzleIdentifiers: 20,
  totalGroups: 0,
  meanPuzzleExamples: 1,
  totalPuzzles: null,
  sets: ["all"],
};

/** The tokens of example `index` of {@link saveSets}. */
export function digitsOf(index: number): number[] {
  return [index >> 9 & 7, index >> 6 & 7, index >> 3 & 7, index & 7];
}

/** The index that the tokens of an example spell. */
export function indexOf(digits: Iterable<number>): number {
  return [...digits].reduce((sum, digit) => 8 * sum + Math.max(0, digit), 0);
}

/** Writes a split by its arrays, whose examples spell their index; labels equal inputs. */
export function saveSets(folder: string, split: PuzzleSplit, sets: readonly SetArrays[]): void {
  const path = `${folder}/${split}`;
  Deno.mkdirSync(path, { recursive: true });
  const names = sets.map((_, i) => i === 0 ? "all" : `set${i}`);
  const totalGroups = sets.reduce((sum, set) => sum + set.groupIndices.length - 1, 0);
  const metadata = { ...digitsMetadata, totalGroups, sets: names };
  Deno.writeTextFileSync(`${path}/dataset.json`, formatPuzzleMetadata(metadata));
  sets.forEach(({ puzzleIdentifiers, puzzleIndices, groupIndices }, i) => {
    const save = (field: string, values: readonly number[]): void =>
      saveNpy(`${path}/${names[i]}__${field}.npy`, "int32", [values.length], values);
    save("puzzle_identifiers", puzzleIdentifiers);
    save("puzzle_indices", puzzleIndices);
    save("group_indices", groupIndices);
    const numExamples = puzzleIndices.at(-1)!;
    const tokens = Array.from({ length: numExamples }, (_, row) => digitsOf(row)).flat();
    for (const field of ["inputs", "labels"]) {
      saveNpy(`${path}/${names[i]}__${field}.npy`, "uint8", [numExamples, 4], tokens);
    }
  });
}

const python = Deno.env.get("PONDER_PYTHON");

/** Whether PONDER_PYTHON names a Python with NumPy. */
export const hasNumpy: boolean = python !== undefined && await findsNumpy(python);

/** What to append to the name of a test that needs it. */
export const needsNumpy: string = hasNumpy ? "" : " (needs PONDER_PYTHON with numpy)";

async function findsNumpy(command: string): Promise<boolean> {
  const script = "import importlib.util, sys; sys.exit(importlib.util.find_spec('numpy') is None)";
  try {
    return (await new Deno.Command(command, { args: ["-c", script] }).output()).success;
  } catch {
    return false; // no such program
  }
}

/** What Python prints; `args` are a script's path or `-c` and a script, then its arguments. */
export async function runPython(args: readonly string[]): Promise<string> {
  const env = { OMP_NUM_THREADS: "1", PYTHONDONTWRITEBYTECODE: "1" };
  const { stdout, stderr, success } = await new Deno.Command(python!, { args: [...args], env })
    .output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}
