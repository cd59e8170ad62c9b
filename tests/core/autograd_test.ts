import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { op, rules } from "../../core/autograd.ts";
import {
  backward,
  grad,
  isGradEnabled,
  liveTensors,
  noGrad,
  ones,
  scalar,
  scope,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";

/** A leaf. */
function leaf(values: number | number[]): Tensor {
  return tensor(values, { dtype: "float64" }).requireGrad();
}

Deno.test("grad() returns gradients in the order, shapes and dtypes of its targets", () => {
  using _ = scope();
  const a = leaf([1, 2, 3]), b = leaf(4);
  const [db, da] = grad(a.mul(b).sum(), [b, a]);
  assertEquals([db!.shape, da!.shape], [[], [3]]);
  assertEquals([db!.item(), da!.toNumbers()], [6, [4, 4, 4]]);
  assertEquals(a.grad, null);
});

Deno.test("grad() adds up over a diamond", () => {
  using _ = scope();
  const a = leaf(3);
  const b = a.mul(2);
  const y = b.mul(a).add(b.square()).add(b); // 2a² + 4a² + 2a
  assertEquals(grad(y, [a])[0]!.item(), 12 * 3 + 2);
});

Deno.test("grad() of an operand that is used twice by one operation", () => {
  using _ = scope();
  const a = leaf([3, -1]);
  assertEquals(grad(a.add(a).sum(), [a])[0]!.toNumbers(), [2, 2]);
  assertEquals(grad(a.mul(a).sum(), [a])[0]!.toNumbers(), [6, -2]);
});

Deno.test("grad() may be taken by a result in the middle, and by the loss itself", () => {
  using _ = scope();
  const a = leaf([1, 2]);
  const b = a.mul(3);
  const y = b.square().sum();
  const [dy, db, da] = grad(y, [y, b, a]);
  assertEquals([dy!.item(), db!.toNumbers(), da!.toNumbers()], [1, [6, 12], [18, 36]]);
});

Deno.test("grad() of a target that the loss does not depend on is zeros", () => {
  using _ = scope();
  const a = leaf(2), b = tensor([[1, 2]], { dtype: "bfloat16" }).requireGrad();
  const [, db] = grad(a.square(), [a, b]);
  assertEquals([db!.shape, db!.dtype, db!.toNumbers()], [[1, 2], "bfloat16", [0, 0]]);
});

Deno.test("grad() takes a loss of one element, whatever its axes", () => {
  using _ = scope();
  const a = leaf([2]);
  assertEquals(grad(a.square().reshape([1, 1, 1]), [a])[0]!.toNumbers(), [4]);
});

Deno.test("grad() refuses targets and losses that have no gradient, and losses that are no scalars", () => {
  using _ = scope();
  const a = leaf([1, 2]);
  assertThrows(() => grad(a.sum(), [ones([2])]), TypeError, "does not require one");
  assertThrows(() => grad(ones([]), [a]), TypeError, "it has no gradient");
  assertThrows(() => backward(ones([])), TypeError, "it has no gradient");
  assertThrows(() => a.mul(2).backward(), TypeError, "Cannot go back from shape [2]");
});

Deno.test("grad() of a graph of 5,000 operations needs no stack, and frees all of it", () => {
  const before = liveTensors();
  {
    using _ = scope();
    const a = leaf(1);
    let y: Tensor = a;
    for (let i = 0; i < 5000; i++) y = y.mul(1).sin();
    const [da] = grad(y, [a]);
    assert(da!.item() > 0);
  }
  assertEquals(liveTensors(), before);
});

Deno.test("dispose() of the end of a chain that nobody went back through frees the chain", () => {
  const before = liveTensors();
  const a = leaf(1);
  let y = a.sin();
  for (let i = 0; i < 5000; i++) {
    const next = y.sin();
    y.dispose();
    y = next;
  }
  assert(liveTensors() > 5000);
  a.dispose();
  y.dispose();
  assertEquals(liveTensors(), before);
});

Deno.test("backward() adds to grad of every leaf, call after call", () => {
  using _ = scope();
  const a = leaf([1, 2]), b = leaf(3), unused = leaf(5);
  a.mul(b).sum().backward();
  assertEquals([a.grad!.toNumbers(), b.grad!.item()], [[3, 3], 3]);
  a.square().sum().backward();
  assertEquals([a.grad!.toNumbers(), b.grad!.item(), unused.grad], [[5, 7], 3, null]);
  a.zeroGrad();
  assertEquals(a.grad, null);
  a.sum().backward();
  assertEquals(a.grad!.toNumbers(), [1, 1]);
});

Deno.test("backward() of a leaf itself is one", () => {
  using _ = scope();
  const a = leaf(7);
  a.backward();
  assertEquals(a.grad!.item(), 1);
});

Deno.test("backward() leaves gradients that outlive the scope it ran in, and die with their leaf", () => {
  const before = liveTensors();
  const a = leaf(2);
  {
    using _ = scope();
    a.square().backward();
  }
  assertEquals(a.grad!.item(), 4);
  assertEquals(liveTensors(), before + 2);
  a.dispose();
  assertEquals(liveTensors(), before);
});

Deno.test("backward() a second time says how to keep the tape, and retainGraph keeps it", () => {
  using _ = scope();
  const a = leaf(3);
  const y = a.square();
  y.backward();
  assertThrows(() => y.backward(), Error, "pass { retainGraph: true }");
  const z = a.square();
  z.backward({ retainGraph: true });
  z.backward({ retainGraph: true });
  assertEquals(grad(z, [a])[0]!.item(), 6);
  assertEquals(a.grad!.item(), 18);
  assertThrows(() => grad(z, [a]), Error, "freed by the first backward");
});

Deno.test("backward() frees what the tape held, though its tensors live on", () => {
  using _ = scope();
  const a = leaf([1, 2]);
  const before = liveTensors();
  const b = a.exp(), c = b.log(), y = c.square().sum();
  b.dispose();
  c.dispose();
  assertEquals(liveTensors() - before, 4); // y, its square, and b and c, which the tape holds
  y.backward();
  assertEquals(liveTensors() - before, 3); // y, its square and the gradient of a
});

Deno.test("noGrad() records nothing, nests, and ends when its body throws", () => {
  using _ = scope();
  const a = leaf(2);
  assertEquals(noGrad(() => a.square().requiresGrad), false);
  noGrad(() => {
    noGrad(() => {});
    assertEquals(isGradEnabled(), false);
  });
  assertThrows(
    () =>
      noGrad(() => {
        throw new Error("inside");
      }),
    Error,
    "inside",
  );
  assertEquals(isGradEnabled(), true);
  assertEquals(a.square().requiresGrad, true);
});

Deno.test("noGrad() refuses an asynchronous function, and records again after it", () => {
  assertThrows(() => noGrad(async () => await Promise.resolve()), TypeError, "asynchronous");
  assertEquals(isGradEnabled(), true);
});

Deno.test("noGrad() does not reach into what an asynchronous function does later", async () => {
  const failed = assertRejects(async () => {
    await noGrad(() => Promise.resolve());
  }, TypeError);
  assertEquals(isGradEnabled(), true);
  await failed;
});

Deno.test("detach() shares memory, off the tape", () => {
  using _ = scope();
  const a = leaf([1, 2]);
  const b = a.mul(2);
  const d = b.detach();
  assertEquals([d.requiresGrad, b.requiresGrad], [false, true]);
  assertEquals(grad(b.mul(d).sum(), [a])[0]!.toNumbers(), [4, 8]);
  d.fill_(5);
  assertEquals(b.toNumbers(), [5, 5]);
});

Deno.test("requireGrad() makes leaves of floats only, and not of results", () => {
  using _ = scope();
  assertThrows(() => tensor([1], { dtype: "int64" }).requireGrad(), TypeError, "int64");
  const y = leaf(1).mul(2);
  assertThrows(() => y.requireGrad(), TypeError, "detach it first");
  const a = y.detach().requireGrad();
  assertEquals(a.requireGrad(), a);
  assertEquals(grad(a.mul(3), [a])[0]!.item(), 3);
});

Deno.test("fill_(), copy_(), mul_() refuse a leaf, but for noGrad and detach", () => {
  using _ = scope();
  const a = leaf([1, 2]);
  const other = ones([2], { dtype: "float64" });
  for (const write of [() => a.fill_(0), () => a.copy_(other), () => a.mul_(other)]) {
    assertThrows(write, TypeError, "in place: use noGrad or detach");
  }
  noGrad(() => a.fill_(3));
  assertEquals(a.toNumbers(), [3, 3]);
  a.detach().mul_(a.detach());
  assertEquals(a.toNumbers(), [9, 9]);
  assertEquals(a.requiresGrad, true);
});

Deno.test("copy_(), mul_() and their like refuse a source on the tape, whose gradient would be lost", () => {
  using _ = scope();
  const a = leaf([1, 2]), buffer = zeros([2], { dtype: "float64" });
  for (const write of [() => buffer.copy_(a), () => buffer.mul_(a.exp())]) {
    assertThrows(write, TypeError, "no gradient would pass");
  }
  noGrad(() => buffer.copy_(a));
  buffer.mul_(a.detach());
  assertEquals(buffer.toNumbers(), [1, 4]);
});

Deno.test("fill_() refuses a recorded result, in noGrad too", () => {
  using _ = scope();
  const y = leaf([1, 2]).mul(2);
  assertThrows(() => y.fill_(0), TypeError, "on the tape");
  noGrad(() => assertThrows(() => y.fill_(0), TypeError, "on the tape"));
});

Deno.test("grad() refuses a tape whose saved tensor was overwritten, also by a view of it", () => {
  using _ = scope();
  const a = leaf([1, 2]), w = ones([2], { dtype: "float64" });
  const y = a.mul(w).sum();
  w.slice(0, 0, 1).fill_(5);
  assertThrows(
    () => grad(y, [a]),
    Error,
    "Cannot go back through mul: a tensor it needs was overwritten",
  );

  const z = a.exp();
  z.detach().fill_(0);
  assertThrows(() => grad(z.sum(), [a]), Error, "through exp");
});

Deno.test("grad() does not mind that a tensor it needs no more was overwritten", () => {
  using _ = scope();
  const a = leaf([1, 2]), w = ones([2], { dtype: "float64" });
  const y = a.add(w).sum(); // a sum needs neither operand
  w.fill_(5);
  assertEquals(grad(y, [a])[0]!.toNumbers(), [1, 1]);
});

Deno.test("grad() undoes broadcasting of every kind", () => {
  using _ = scope();
  const shapes = [[], [1], [3], [1, 3], [2, 1], [1, 1], [2, 3]];
  const big = ones([2, 3], { dtype: "float64" });
  for (const shape of shapes) {
    const a = zeros(shape, { dtype: "float64" }).requireGrad();
    const [da] = grad(a.add(big).sum(), [a]);
    assertEquals(da!.shape, shape);
    assertEquals(da!.sum().item(), 6);
  }
});

Deno.test("grad() asks a rule for no gradient that is not needed, and takes none it gives", () => {
  using _ = scope();
  const asked: boolean[][] = [];
  const pair = op<readonly [Tensor, Tensor]>("pair", {
    forward: ([a]) => a.handle.retain(),
    vjp: (dy, { needs }) => {
      asked.push([...needs]);
      return [dy, dy];
    },
  });
  try {
    const a = leaf(1), b = scalar(2, { dtype: "float64" });
    assertEquals(grad(pair([a, b]), [a])[0]!.item(), 1);
    assertEquals(grad(pair([b, a]), [a])[0]!.item(), 1);
    assertEquals(asked, [[true, false], [false, true]]);
  } finally {
    rules.delete("pair");
  }
});

Deno.test("grad() of a rule that throws frees what it had made", () => {
  const broken = op<readonly [Tensor]>("broken", {
    forward: ([a]) => a.handle.retain(),
    vjp: (dy) => {
      dy.mul(2);
      throw new Error("no gradient today");
    },
  });
  const before = liveTensors();
  try {
    using _ = scope();
    const a = leaf(1);
    const y = broken([a.mul(2)]).mul(3);
    assertThrows(() => grad(y, [a]), Error, "no gradient today");
    assertThrows(() => y.backward(), Error);
    assertEquals(isGradEnabled(), true);
  } finally {
    rules.delete("broken");
  }
  assertEquals(liveTensors(), before);
});

Deno.test("grad() works on a graph whose tensors were freed by hand", () => {
  using _ = scope();
  const a = leaf([1, 2]);
  const b = a.exp(), c = b.mul(b), y = c.sum();
  b.dispose();
  c.dispose();
  const [da] = grad(y, [a]);
  assertEquals(
    da!.toNumbers().map((x) => x.toFixed(6)),
    [2, 4].map((x) => (2 * Math.exp(x)).toFixed(6)),
  );
});

Deno.test("backward() reaches a leaf whose tensor was freed, and leaves nothing of it", () => {
  const before = liveTensors();
  const a = leaf(1);
  const y = a.square();
  a.dispose();
  y.backward();
  y.dispose();
  assertEquals(liveTensors(), before);
});
