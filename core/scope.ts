/**
 * Scopes free what was made inside them, deterministically: JavaScript's garbage
 * collector does not see native memory, and never runs inside a synchronous loop.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** What a scope owns. */
export interface Owned {
  /** Whether it was freed already. */
  readonly disposed: boolean;
  /** Frees it. */
  dispose(): void;
  /** Has it freed when it is collected, as nobody owns it. */
  watch(): void;
  /** The scope that owns it, if any. */
  owner: Scope | null;
}

/** Owns the tensors made while it is the innermost one, and frees them at its end. */
export class Scope {
  readonly #parent: Scope | null;
  readonly #owned: Set<Owned> = new Set();
  #ended = false;

  /** Use {@link scope}. */
  constructor(parent: Scope | null) {
    this.#parent = parent;
  }

  /** How many tensors it owns now. */
  get size(): number {
    return this.#owned.size;
  }

  /**
   * Hands tensors to the scope around this one, or to nobody if there is none,
   * so that they outlive it. Returns what it was given.
   */
  keep<T extends Owned | readonly Owned[]>(kept: T): T {
    const outer = living(this.#parent);
    for (const item of Array.isArray(kept) ? kept as Owned[] : [kept as Owned]) {
      const { owner } = item;
      if (owner === null || !owner.#isWithin(this)) continue; // it outlives this scope anyway
      owner.disown(item);
      item.owner = null;
      if (outer === null) item.watch();
      else outer.own(item);
    }
    return kept;
  }

  /** Frees everything that is owned and was not kept. */
  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const item of this.#owned) {
      item.owner = null;
      if (!item.disposed) item.dispose();
    }
    this.#owned.clear();
    if (current.getStore() === this) current.enterWith(living(this.#parent));
  }

  /** Internal to core: takes ownership. */
  own(item: Owned): void {
    item.owner = this;
    this.#owned.add(item);
  }

  /** Internal to core: forgets an item that was freed by hand. */
  disown(item: Owned): void {
    this.#owned.delete(item);
  }

  /** Internal to core: the scope around it. */
  get parent(): Scope | null {
    return this.#parent;
  }

  /** Internal to core: whether it can no longer own. */
  get ended(): boolean {
    return this.#ended;
  }

  #isWithin(other: Scope): boolean {
    return this === other || (this.#parent !== null && this.#parent.#isWithin(other));
  }
}

/** The innermost scope from `scope` outwards that has not ended. */
function living(scope: Scope | null): Scope | null {
  while (scope !== null && scope.ended) scope = scope.parent;
  return scope;
}

/** The innermost scope of each chain of asynchronous calls. */
const current: AsyncLocalStorage<Scope | null> = new AsyncLocalStorage();

/** The innermost arena: short-lived ownership inside one synchronous operation. */
let arena: Owned[] | null = null;

/**
 * Opens a scope, to be held by `using`: what is made until the end of the block
 * is freed there, unless kept. Nests, and follows `await`; asynchronous functions that
 * are to run side by side are started by {@link apart}.
 *
 * @example
 * ```ts
 * import { ones, scope } from "@ponder/ponder/core";
 *
 * function norm(): number {
 *   using _ = scope();
 *   return ones([3]).square().sum().sqrt().item(); // the intermediate tensors are freed here
 * }
 * ```
 */
export function scope(): Scope {
  const inner = new Scope(living(current.getStore() ?? null));
  current.enterWith(inner);
  return inner;
}

/**
 * Starts an asynchronous function whose scopes stay its own. Needed where several
 * are started before the first is awaited: without it, a scope that one opens before
 * its first `await` is the innermost one of whoever called it, too.
 *
 * @example
 * ```ts
 * import { apart, ones, scope } from "@ponder/ponder/core";
 *
 * async function norm(n: number): Promise<number> {
 *   using _ = scope();
 *   const x = ones([n]);
 *   await new Promise((resolve) => setTimeout(resolve, 1));
 *   return x.square().sum().sqrt().item();
 * }
 * await Promise.all([apart(() => norm(4)), apart(() => norm(9))]); // [2, 3]
 * ```
 */
export function apart<T>(body: () => T): T {
  return current.run(living(current.getStore() ?? null), body);
}

/** Internal to core: gives a new tensor to the innermost owner, or else to the garbage collector. */
export function adopt(item: Owned): void {
  if (arena !== null) {
    arena.push(item);
    return;
  }
  const scope = living(current.getStore() ?? null);
  if (scope === null) item.watch();
  else scope.own(item);
}

/**
 * Internal to core: runs `body`, and frees all that it made but what it returns,
 * which goes to the owner outside.
 */
export function inArena<T extends Owned>(body: () => readonly (T | null)[]): readonly (T | null)[] {
  const outer = arena;
  const owned: Owned[] = arena = [];
  let kept: readonly (T | null)[] = [];
  try {
    kept = body();
  } finally {
    arena = outer;
    for (const item of owned) {
      if (item.disposed) continue;
      item.owner = null;
      if (kept.includes(item as T)) adopt(item);
      else item.dispose();
    }
  }
  return kept;
}

/**
 * Runs `body`, which must be synchronous, and frees what it made but its result: one
 * tensor, or several. What the tape needs for going back stays with the tape.
 */
export function tidy<T extends Owned | readonly Owned[]>(body: () => T): T {
  let result: T;
  inArena<Owned>(() => {
    result = body();
    return Array.isArray(result) ? result as readonly Owned[] : [result as Owned];
  });
  return result!;
}
