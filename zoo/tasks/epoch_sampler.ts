/**
 * Batches of puzzles that stand each for itself.
 *
 * @module
 */
import type { Device } from "../../core/device.ts";
import { Random } from "../../core/random.ts";
import type { Batch } from "../../models/model.ts";
import { shuffle } from "../../tasks/mod.ts";
import { type Sampler, tokenBatch, type Tokens } from "./task.ts";

/** The random stream of one seed that orders epochs. */
const ORDER_STREAM = 4;
/** Streams from here on belong to the batches, one each. */
const BATCH_STREAM = 1 << 16;

/** The random numbers that order an epoch. */
export function epochRandom(seed: number, epoch: number): Random {
  return new Random(seed + 2 ** 32 * (epoch + 1), ORDER_STREAM);
}

/**
 * Batches in a fixed order: each epoch permutes the puzzles and drops the last
 * partial batch. Batch `step` depends on the seed and on `step` alone, so there is
 * no state to save.
 */
export class EpochSampler<P> implements Sampler {
  readonly #puzzles: readonly P[];
  readonly #seed: number;
  readonly #encode: (puzzle: P, random: Random) => Tokens;
  #epoch = -1;
  #order: Uint32Array = new Uint32Array();

  /** Draws from `puzzles`; `encode` may rearrange a puzzle at random every time it is drawn. */
  constructor(
    puzzles: readonly P[],
    seed: number,
    encode: (puzzle: P, random: Random) => Tokens,
  ) {
    this.#puzzles = puzzles;
    this.#seed = seed;
    this.#encode = encode;
  }

  /** The batch of `step`, `size` rows. */
  batch(step: number, size: number, device: Device): Batch {
    const perEpoch = Math.floor(this.#puzzles.length / size);
    if (perEpoch === 0) {
      throw new RangeError(`Cannot fill a batch of ${size} from ${this.#puzzles.length} puzzles`);
    }
    this.#permute(Math.floor(step / perEpoch));
    const start = (step % perEpoch) * size;
    const random = new Random(this.#seed, BATCH_STREAM + step);
    const chosen = this.#order.subarray(start, start + size);
    return tokenBatch(
      Array.from(chosen, (i) => this.#encode(this.#puzzles[i]!, random)),
      device,
    );
  }

  #permute(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#order = shuffle(
      epochRandom(this.#seed, epoch),
      Uint32Array.from(this.#puzzles, (_, i) => i),
    );
  }
}
