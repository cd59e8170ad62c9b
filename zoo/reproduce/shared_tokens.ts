/**
 * Several tasks as one model can be asked them: kinds of tokens and puzzle identifiers of
 * their own each, rows of one length.
 *
 * @module
 */
import type { Batch } from "../../models/model.ts";
import { ignoredLabel } from "../../tasks/mod.ts";
import { type Sampler, type Task, tokenBatch, type Tokens } from "../tasks/task.ts";

/** Where the tokens and identifiers of one task stand among those of all. */
interface Place {
  readonly seqLen: number;
  readonly token: number;
  readonly puzzleIdentifier: number;
}

/**
 * The same tasks, each with rows as long as the longest's, and with kinds of tokens and puzzle
 * identifiers that no other has. The padding, 0, is common to all.
 */
export function withSharedTokens(tasks: readonly Task[]): Task[] {
  const seqLen = Math.max(...tasks.map((task) => task.seqLen));
  let vocabSize = 1, numPuzzleIdentifiers = 0;
  const places = tasks.map((task): Place => {
    const place = { seqLen, token: vocabSize - 1, puzzleIdentifier: numPuzzleIdentifiers };
    vocabSize += task.vocabSize - 1;
    numPuzzleIdentifiers += task.numPuzzleIdentifiers;
    return place;
  });
  const size = { seqLen, vocabSize, numPuzzleIdentifiers };
  return tasks.map((task, i) => ({ ...task, ...size, ...tokensAt(task, places[i]!) }));
}

/** What a task makes of tokens, at its place. */
function tokensAt(task: Task, place: Place): Pick<Task, "load" | "encode" | "decode"> {
  return {
    load: (seed, report) => {
      const { train, test } = task.load(seed, report);
      const batch: Sampler["batch"] = (step, size, device) => {
        const rows = rowsOf(train.batch(step, size, "cpu"));
        return tokenBatch(rows.map((row) => moved(row, place)), device);
      };
      return { train: { batch }, test };
    },
    encode: (puzzle) => moved(task.encode(puzzle), place),
    // kinds of tokens that are another task's are none to this one, which takes them for blanks
    decode: (tokens, puzzle) =>
      task.decode(tokens.slice(0, task.seqLen).map((token) => token - place.token), puzzle),
  };
}

/** A row at the place of its task. */
function moved({ inputs, labels, puzzleIdentifier }: Tokens, place: Place): Tokens {
  const at = (token: number, nothing: number) => token === nothing ? token : token + place.token;
  const padded = (tokens: ArrayLike<number>, padding: number, nothing: number) =>
    Int32Array.from(
      { length: place.seqLen },
      (_, i) => i < tokens.length ? at(tokens[i]!, nothing) : padding,
    );
  return {
    inputs: padded(inputs, 0, 0),
    labels: padded(labels, ignoredLabel, ignoredLabel),
    puzzleIdentifier: puzzleIdentifier + place.puzzleIdentifier,
  };
}

/** Batches of which every task has an equal share of the rows, always the same ones. */
export function interleaved(samplers: readonly Sampler[]): Sampler {
  return {
    batch: (step, size, device) => {
      const share = size / samplers.length;
      if (!Number.isInteger(share)) {
        throw new RangeError(`Cannot share ${size} rows among ${samplers.length} tasks equally`);
      }
      const rows = samplers.flatMap((sampler) => rowsOf(sampler.batch(step, share, "cpu")));
      return tokenBatch(rows, device);
    },
  };
}

/** The rows of a batch, which is freed. */
function rowsOf(batch: Batch): Tokens[] {
  const [inputs, labels, identifiers] = [batch.inputs, batch.labels, batch.puzzleIdentifiers]
    .map((tensor) => tensor.toTypedArray() as Int32Array);
  const length = batch.inputs.shape[1]!;
  for (const tensor of Object.values(batch)) tensor.dispose();
  return Array.from(identifiers!, (puzzleIdentifier, row) => {
    const of = (values: Int32Array) => values.subarray(row * length, (row + 1) * length);
    return { inputs: of(inputs!), labels: of(labels!), puzzleIdentifier };
  });
}
