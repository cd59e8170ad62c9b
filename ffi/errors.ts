/**
 * What goes wrong at the door to libtorch, as JavaScript errors.
 *
 * @module
 */

/** An error that libtorch reported, with its own text. */
export class TorchError extends Error {
  /** The name of the error. */
  override readonly name: "TorchError" | "OutOfMemoryError" = "TorchError";
  /** The operator or C function that failed, such as `mm.out`. */
  readonly operator: string;

  /** An error of `operator`. */
  constructor(operator: string, message: string, options?: ErrorOptions) {
    super(`${operator}: ${message}`, options);
    this.operator = operator;
  }
}

/** libtorch could not be found, opened, or is one that Ponder cannot use. */
export class LibraryError extends Error {
  /** The name of the error. */
  override readonly name = "LibraryError";
}

/** There is no memory left for a tensor, on the CPU or on a GPU. */
export class OutOfMemoryError extends TorchError {
  /** The name of the error. */
  override readonly name = "OutOfMemoryError";
  /** What libtorch said. */
  readonly text: string;

  /** An error of `operator`. */
  constructor(operator: string, text: string, options?: ErrorOptions) {
    super(operator, text, options);
    this.text = text;
  }
}

/** The error that a text of libtorch means. Internal to ffi. */
export function torchError(operator: string, text: string): TorchError {
  const isMemory = /out of memory|can't allocate memory|CUBLAS_STATUS_ALLOC_FAILED/.test(text);
  return isMemory ? new OutOfMemoryError(operator, text) : new TorchError(operator, text);
}
