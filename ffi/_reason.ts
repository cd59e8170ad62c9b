/**
 * Why an operation of the system failed, in words that a user can act on.
 *
 * @module
 */

const KNOWN: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
};

/** The reason in one line. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as { code?: string }).code;
  if (code !== undefined && KNOWN[code] !== undefined) return KNOWN[code];
  const innermost = error.message === "fetch failed" && error.cause instanceof Error
    ? error.cause
    : error;
  return innermost.message.split("\n")[0]!
    .replace(/^error sending request for url \(.*?\): /, "")
    .replace(/^client error \(Connect\): /, "cannot connect: ");
}
