/**
 * Jobs one after another, of which only so many may wait.
 *
 * @module
 */

/** There are as many jobs waiting as may. */
export class QueueFull extends Error {
  /** Its name. */
  override readonly name = "QueueFull";
}

/** Runs jobs one after another in the order they came. */
export class Queue {
  readonly #most: number;
  readonly #waiting: Set<() => void> = new Set();
  #isBusy = false;

  /** A queue in which `most` jobs may wait for the one that runs. */
  constructor(most: number) {
    this.#most = most;
  }

  /** How many jobs wait. */
  get length(): number {
    return this.#waiting.size;
  }

  /**
   * What `job` comes to, once those before it are done. A job that is aborted while it
   * waits leaves the queue and never runs; one that runs is left to heed the signal.
   *
   * @throws {QueueFull} when too many wait already
   */
  async run<T>(job: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.#isBusy) await this.#turn(signal);
    this.#isBusy = true;
    try {
      return await job();
    } finally {
      this.#isBusy = false;
      this.#next();
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#most) throw new QueueFull("Too many puzzles are waiting");
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(enter);
        reject(signal.reason);
      };
      const enter = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.add(enter);
    });
  }

  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    this.#waiting.delete(first);
    this.#isBusy = true; // taken before anybody else can come
    first();
  }
}
