import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  apart,
  grad,
  liveBytes,
  liveTensors,
  ones,
  scope,
  type Tensor,
  tensor,
  tidy,
} from "../../mod.ts";
import { runScript } from "../script.ts";

const pause = (ms = 1): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asserts that `body` leaves as many tensors and bytes as it found. */
function balanced(body: () => void): void {
  const before = [liveTensors(), liveBytes()];
  body();
  assertEquals([liveTensors(), liveBytes()], before);
}

Deno.test("scope() frees what was made inside it, at its end", () =>
  balanced(() => {
    const before = liveTensors();
    let x: Tensor;
    {
      using s = scope();
      x = ones([2, 3]).add(1);
      assertEquals([s.size, liveTensors() - before, x.disposed], [2, 2, false]);
    }
    assertEquals([x.disposed, liveTensors()], [true, before]);
  }));

Deno.test("scope() frees what was made inside it when its body throws", () =>
  balanced(() => {
    assertThrows(() => {
      using _ = scope();
      ones([2]).matmul(ones([3]));
    }, TypeError);
  }));

Deno.test("scope() nests: the innermost owns, the outer one goes on after it", () =>
  balanced(() => {
    using outer = scope();
    const a = ones([1]);
    {
      using inner = scope();
      assertEquals(ones([1]).owner, inner);
    }
    const b = ones([1]);
    assertEquals([a.owner, b.owner, outer.size], [outer, outer, 2]);
  }));

Deno.test("Scope.keep() hands tensors to the scope around", () =>
  balanced(() => {
    using outer = scope();
    let kept: Tensor, list: Tensor[];
    {
      using inner = scope();
      kept = inner.keep(ones([2]));
      list = inner.keep([ones([1]), ones([1])]);
      assertEquals(inner.size, 0);
    }
    assertEquals([kept, ...list].map(({ disposed, owner }) => !disposed && owner === outer), [
      true,
      true,
      true,
    ]);
  }));

Deno.test("Scope.keep() hands tensors to nobody where there is no scope around", () =>
  balanced(() => {
    let kept: Tensor;
    {
      using s = scope();
      kept = s.keep(ones([2]));
    }
    assertEquals([kept.owner, kept.toNumbers()], [null, [1, 1]]);
    kept.dispose();
  }));

Deno.test("Scope.keep() reaches into scopes inside, and leaves alone what is outside", () =>
  balanced(() => {
    using outermost = scope();
    const outside = ones([1]);
    let kept: Tensor;
    {
      using outer = scope();
      {
        using _ = scope();
        kept = outer.keep(ones([1]));
        outer.keep(outside);
      }
      assertEquals(kept.owner, outermost);
    }
    assertEquals([kept.disposed, outside.owner], [false, outermost]);
  }));

Deno.test("Scope.keep() of a freed tensor is harmless", () =>
  balanced(() => {
    using _ = scope();
    using inner = scope();
    const a = ones([1]);
    a.dispose();
    assertEquals(inner.keep(a).disposed, true);
  }));

Deno.test("dispose() inside a scope, and twice, is harmless", () =>
  balanced(() => {
    using s = scope();
    const a = ones([1]);
    a.dispose();
    a.dispose();
    assertEquals(s.size, 0);
    using b = ones([1]);
    b.dispose();
  }));

Deno.test("scope() that ends before one inside it leaves that one working", () =>
  balanced(() => {
    const outer = scope(), inner = scope();
    const a = ones([1]);
    outer[Symbol.dispose]();
    const b = ones([1]);
    assertEquals([a.owner, b.owner], [inner, inner]);
    const kept = inner.keep(b);
    inner[Symbol.dispose]();
    inner[Symbol.dispose]();
    assertEquals([a.disposed, kept.disposed, kept.owner], [true, false, null]);
    kept.dispose();
    const c = ones([1]);
    assertEquals(c.owner, null);
    c.dispose();
  }));

Deno.test("scope() owns across await, and its function's caller is back in its own", async () => {
  const before = liveTensors();
  {
    using outer = scope();
    const inner = await (async () => {
      using s = scope();
      const a = ones([1]);
      await pause();
      const b = ones([1]);
      assertEquals([a.owner, b.owner, b.disposed], [s, s, false]);
      return [a, b];
    })();
    assertEquals(inner.map(({ disposed }) => disposed), [true, true]);
    assertEquals(ones([1]).owner, outer);
    await pause();
    assertEquals(ones([1]).owner, outer);
    assertEquals(outer.size, 2);
  }
  assertEquals(liveTensors(), before);
});

Deno.test("scope() frees when an asynchronous body rejects", async () => {
  const before = liveTensors();
  await assertRejects(async () => {
    using _ = scope();
    ones([1]);
    await pause();
    ones([2]).matmul(ones([3]));
  }, TypeError);
  assertEquals(liveTensors(), before);
});

Deno.test("apart() keeps the scopes of interleaved asynchronous functions apart", async () => {
  const before = liveTensors();
  {
    using outer = scope();
    const work = async (delays: number[], value: number): Promise<Tensor> => {
      using s = scope();
      let sum = tensor(0);
      for (const delay of delays) {
        sum = sum.add(value);
        assertEquals(sum.owner, s);
        await pause(delay);
      }
      return s.keep(sum);
    };
    const first = apart(() => work([1, 9, 1], 1));
    assertEquals(ones([1]).owner, outer); // not lent to the caller
    const second = apart(() => work([4, 1, 20], 10));
    const sums = await Promise.all([first, second]);
    assertEquals(sums.map((t) => [t.item(), t.owner === outer]), [[3, true], [30, true]]);
    assertEquals(outer.size, 3);
  }
  assertEquals(liveTensors(), before);
});

Deno.test("tidy() frees all but its result, in a scope and without one", () =>
  balanced(() => {
    const before = liveTensors();
    const y = tidy(() => ones([3]).add(1).square());
    assertEquals([liveTensors() - before, y.toNumbers()], [1, [4, 4, 4]]);
    y.dispose();
    using s = scope();
    const z = tidy(() => ones([1]).add(1));
    assertEquals([z.item(), s.size], [2, 1]);
  }));

Deno.test("tidy() hands through what was made outside, and frees all when its body throws", () =>
  balanced(() => {
    using s = scope();
    const a = ones([1]);
    assertEquals([tidy(() => a), s.size], [a, 1]);
    assertThrows(
      () =>
        tidy(() => {
          ones([5]);
          throw new Error("inside");
        }),
      Error,
      "inside",
    );
    assertEquals(s.size, 1);
  }));

Deno.test("tidy() around a scope, and a scope around tidy, free everything by their end", () =>
  balanced(() => {
    const y = tidy(() => {
      using s = scope();
      const a = ones([2]).add(1);
      return s.keep(tidy(() => a.mul(2).add(1)));
    });
    assertEquals(y.toNumbers(), [5, 5]);
    y.dispose();
  }));

Deno.test("A freed tensor is refused by a ReferenceError with its operation and shape", () =>
  balanced(() => {
    let y: Tensor, view: Tensor;
    {
      using _ = scope();
      y = ones([2, 3]).exp();
      assertEquals(y.shape, [2, 3]); // a shape that was asked for is remembered
      view = y.slice(0, 0, 1);
    }
    const fresh = ones([2, 3]);
    const message = "Cannot use the result [2, 3] of exp: it was freed";
    assertThrows(() => y.add(1), ReferenceError, message);
    assertThrows(() => fresh.add(y), ReferenceError, message);
    assertThrows(() => y.toNumbers(), ReferenceError, message);
    assertThrows(() => view.item(), TypeError); // its shape is known to be wrong
    assertThrows(() => view.sum(), ReferenceError, "result [1, 3] of slice");
    const unseen = fresh.exp(); // a shape that nobody asked for is not known
    unseen.dispose();
    assertThrows(() => unseen.shape, ReferenceError, "Cannot use the result of exp: it was freed");
    assertEquals(String(y), "Tensor (freed, made by exp)");
    fresh.dispose();
  }));

Deno.test("The tape keeps what it needs after a scope freed the tensors", () =>
  balanced(() => {
    using outer = scope();
    const a = tensor([1, 2], { dtype: "float64" }).requireGrad();
    let y: Tensor;
    {
      using inner = scope();
      y = inner.keep(a.square().mul(a).sum());
    }
    assertEquals(outer.size, 2);
    assertEquals(grad(y, [a])[0]!.toNumbers(), [3, 12]);
  }));

Deno.test("liveBytes() counts memory that views share once", () =>
  balanced(() => {
    const before = liveBytes();
    const a = ones([4, 4], { dtype: "float64" });
    const view = a.slice(0, 1, 3), flat = a.reshape([16]);
    assertEquals(liveBytes() - before, 128);
    a.dispose();
    flat.dispose();
    assertEquals(liveBytes() - before, 128); // the view holds all of it
    view.dispose();
  }));

Deno.test("A tensor that no scope owns is freed by the garbage collector", async () => {
  const script = `
    import { grad, liveTensors, ones, scope, tensor, tidy } from "./mod.ts";
    function work() {
      const x = ones([4]);
      x.add(1).dispose();                            // freed by hand: not once more
      x.reshape([2, 2]).exp();                       // a composed operation's result too
      tidy(() => x.add(1).mul(2));
      { using s = scope(); s.keep(x.add(1)); }
      const a = tensor([1, 2]).requireGrad();
      grad(a.square().sum(), [a]);
      a.exp().sum().backward();
    }
    for (let i = 0; i < 10; i++) work();
    const made = liveTensors();
    for (let i = 0; i < 20 && liveTensors() > 0; i++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    console.log(JSON.stringify([made > 100, liveTensors()]));
  `;
  const flags = ["--allow-all", "--v8-flags=--expose-gc"];
  const { code, stdout, stderr } = await runScript(script, flags);
  assertEquals([code, stdout, stderr], [0, "[true,0]", ""]);
});
