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
    for (const item of Array.isArray(kept) ? kept as Owned[] : [kept as Owned]) {
      if (item.owner !== this) continue; // made outside: it outlives this scope anyway
      this.#owned.delete(item);
      item.owner = null;
      this.#outer()?.own(item);
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
    if (current.getStore() === this) current.enterWith(this.#outer());
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

  /** Internal to core: whether it can still own. */
  get ended(): boolean {
    return this.#ended;
  }

  #outer(): Scope | null {
    let outer = this.#parent;
    while (outer !== null && outer.#ended) outer = outer.#parent;
    return outer;
  }
}

/** The innermost scope of each chain of asynchronous calls. */
const current: AsyncLocalStorage<Scope | null> = new AsyncLocalStorage();

/** The innermost arena: short-lived ownership inside one synchronous operation. */
let arena: Owned[] | null = null;

/**
 * Opens a scope, to be held by `using`: what is made until the end of the block
 * is freed there, unless kept. Nests, and follows `await`.
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
  const outer = current.getStore() ?? null;
  const inner = new Scope(outer !== null && outer.ended ? null : outer);
  current.enterWith(inner);
  return inner;
}

/** Internal to core: gives a new tensor to the innermost owner. Returns whether there was one. */
export function adopt(item: Owned): boolean {
  if (arena !== null) {
    arena.push(item);
    return true;
  }
  const scope = current.getStore() ?? null;
  if (scope === null || scope.ended) return false;
  scope.own(item);
  return true;
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
 * Runs `body`, which must be synchronous, and frees what it made but its result.
 * What the tape needs for going back stays with the tape.
 */
export function tidy<T extends Owned>(body: () => T): T {
  return inArena<T>(() => [body()])[0]!;
}

/** Like {@link tidy}, for a body with several results. */
export function tidyAll<T extends readonly Owned[]>(body: () => T): T {
  return inArena<Owned>(body) as unknown as T;
}
