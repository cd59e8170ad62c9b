/**
 * What goes wrong at the door to libtorch, as JavaScript errors.
 *
 * @module
 */

/** An error that libtorch reported, with its own text. */
export class TorchError extends Error {
  /** The name of the error. */
  override readonly name = "TorchError";
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
