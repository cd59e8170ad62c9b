/**
 * A command that several processes run together.
 *
 * @module
 */
import { errorText, exitCodeOf } from "../cli/main.ts";
import { Interrupted } from "../cli/flags.ts";
import { type Group, joinGroup } from "../distributed.ts";

/**
 * Does what all processes of an MPI job do together. One that fails ends them all, since the
 * others would wait for it for ever.
 */
export async function together(work: (group: Group) => Promise<void>): Promise<void> {
  const group = joinGroup();
  try {
    await work(group);
    group.leave();
  } catch (error) {
    if (!(error instanceof Interrupted)) fail(group, error);
    if (group.isFirst) console.error(error.message); // leaving may be cut short
    group.leave();
    Deno.exit(exitCodeOf(error));
  }
}

/** Says which process failed and why, and ends all of them. */
function fail(group: Group, error: unknown): never {
  const code = exitCodeOf(error), text = errorText(error, code);
  console.error(`Process ${group.rank} of ${group.size}: ${text}`);
  return group.abort(code);
}
