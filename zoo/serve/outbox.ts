/**
 * Answers on their way: how much of them may lie in memory, and for how long.
 *
 * @module
 */
import { Refused } from "./guard.ts";

/** What may wait to be fetched. */
export interface OutboxLimits {
  /** Bytes of answers that wait at the same time; one more than that is still let in. */
  readonly bytes: number;
  /** The longest that a client may take over one answer. */
  readonly timeoutMs: number;
}

/** What the system takes at once, however slow the client is. */
const CHUNK = 64 * 1024;

/** Hands answers out as fast as clients take them, and drops those that are not taken. */
export class Outbox {
  readonly #limits: OutboxLimits;
  #bytes = 0;

  /** An empty one. */
  constructor(limits: OutboxLimits) {
    this.#limits = limits;
  }

  /**
   * Checks that there is room, before an answer is worked out.
   *
   * @throws {Refused} when too much waits already
   */
  requireRoom(): void {
    if (this.#bytes < this.#limits.bytes) return;
    throw new Refused(503, "Too many answers wait to be fetched", { "retry-after": "10" });
  }

  /** The body of a response; it fails, and the connection with it, when it is not taken in time. */
  body(text: string): BodyInit {
    const bytes = new TextEncoder().encode(text);
    return bytes.length <= CHUNK ? bytes : this.#stream(bytes);
  }

  #stream(bytes: Uint8Array): ReadableStream<Uint8Array> {
    const { timeoutMs } = this.#limits;
    this.#bytes += bytes.length;
    let at = 0, isOpen = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const leave = () => {
      clearTimeout(timer);
      if (isOpen) this.#bytes -= bytes.length;
      isOpen = false;
    };
    return new ReadableStream({
      start: (controller) => {
        timer = setTimeout(() => {
          leave();
          // a text, for the terminal shows it: an error would come with its stack
          controller.error(`An answer was not fetched within ${timeoutMs / 1000} seconds`);
        }, timeoutMs);
      },
      pull: (controller) => {
        controller.enqueue(bytes.subarray(at, at += CHUNK));
        if (at < bytes.length) return;
        leave();
        controller.close();
      },
      cancel: leave,
    }, { highWaterMark: 0 });
  }
}
