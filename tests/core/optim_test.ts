import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  adamATan2,
  adamW,
  cat,
  clipGradNorm,
  type DType,
  Ema,
  grad,
  gradNorm,
  grouped,
  liveTensors,
  type Named,
  noGrad,
  type Optimizer,
  randn,
  Random,
  scope,
  signSgd,
  type Tensor,
  tensor,
} from "../../mod.ts";
import { assertClose } from "../close.ts";
import { readGolden } from "../golden.ts";

const golden = readGolden("ops");
const { lr, betas, weight_decay: weightDecay, adamw_eps: eps } = golden.json.optimizer_hyperparams;

const makers: Readonly<Record<string, (named: readonly Named[]) => Optimizer>> = {
  adam_atan2_imoneoi: (named) => adamATan2(named, { betas, weightDecay, convention: "imoneoi" }),
  adam_atan2_lucidrains: (named) =>
    adamATan2(named, { betas, weightDecay, convention: "lucidrains" }),
  adamw: (named) => adamW(named, { betas, weightDecay, eps }),
};

/** One parameter of eight numbers as two, of other shapes. */
function halves(t: Tensor): [Tensor, Tensor] {
  return [t.slice(0, 0, 6).reshape([2, 3]), t.slice(0, 6)];
}

for (const [name, make] of Object.entries(makers)) {
  Deno.test(`${name} equals PyTorch's numbers over three steps`, () => {
    using _ = scope();
    const [a, b] = halves(golden.tensor("optimizer/start").clone());
    const named: Named[] = [["a", a.requireGrad()], ["b", b.requireGrad()]];
    const optimizer = make(named);
    const gradients = golden.tensor("optimizer/grads"), after = golden.tensor(`optimizer/${name}`);
    for (let step = 0; step < 3; step++) {
      optimizer.step(halves(gradients.select(0, step)), lr);
      const [wantA, wantB] = halves(after.select(0, step));
      assertClose(a, wantA, { rtol: 0, atol: 1e-6 }, `a after step ${step + 1}`);
      assertClose(b, wantB, { rtol: 0, atol: 1e-6 }, `b after step ${step + 1}`);
    }
    optimizer.dispose();
    assertEquals(a.shape, [2, 3]); // the parameters live on without their optimiser
    assertEquals(a.toNumbers().length, 6);
  });

  Deno.test(`${name} updates large parameters, piece by piece, as it updates small ones`, () => {
    using _ = scope();
    const sizes = [5, 300_001, 7, 2], random = new Random(1);
    const start = sizes.map((size) => randn([size], random));
    const gradients = [1, 2].map(() => sizes.map((size) => randn([size], random)));
    const train = (cut: (t: Tensor) => Tensor[]) => {
      const own = start.flatMap((t) => cut(t.clone())).map((t) => t.requireGrad());
      const optimizer = make(own.map((t, i) => [`${i}`, t]));
      for (const g of gradients) optimizer.step(g.flatMap(cut), lr);
      optimizer.dispose();
      return own;
    };
    const whole = train((t) => [t]);
    // Alone, no part is large enough to be cut.
    const parts = train((t) =>
      t.size === 300_001
        ? [t.slice(0, 0, 100_000), t.slice(0, 100_000, 200_000), t.slice(0, 2e5)]
        : [t]
    );
    const joined = [whole, parts].map((all) => cat(all)) as [Tensor, Tensor];
    assertClose(...joined, { rtol: 0, atol: 1e-7 }, "in pieces"); // vectors end elsewhere
  });

  Deno.test(`${name} continues bit for bit from its saved state`, () => {
    using _ = scope();
    const gradients = Array.from({ length: 6 }, (_, i) => randn([8], new Random(i)));
    const whole = golden.tensor("optimizer/start").clone();
    const first = make([["w", whole.requireGrad()]]);
    for (const g of gradients.slice(0, 3)) first.step([g], lr);
    const saved = first.state();
    const copy = noGrad(() => whole.clone()).requireGrad();
    const second = make([["w", copy]]);
    second.load(saved);
    for (const g of gradients.slice(3)) {
      first.step([g], lr);
      second.step([g], lr);
    }
    assertEquals(copy.toBytes(), whole.toBytes());
    assertEquals(second.state(), first.state());
    first.dispose();
    second.dispose();
  });

  Deno.test(`${name} leaves no tensors after a step, and none after dispose`, () => {
    const start = liveTensors();
    {
      using _ = scope();
      const w = tensor([1, 2]).requireGrad(), g = tensor([3, 4]);
      const before = liveTensors();
      const optimizer = make([["w", w]]);
      const made = liveTensors();
      for (let i = 0; i < 3; i++) optimizer.step([g], lr);
      assertEquals(liveTensors(), made);
      optimizer.dispose();
      assertEquals(liveTensors(), before);
    }
    assertEquals(liveTensors(), start);
  });
}

Deno.test("adamW() trains in place: the parameter stays the same leaf of the same graph code", () => {
  using _ = scope();
  const w = tensor([3, -2]).requireGrad();
  const optimizer = adamW([["w", w]], { betas: [0.9, 0.99], weightDecay: 0, eps: 1e-8 });
  const losses: number[] = [];
  for (let i = 0; i < 200; i++) {
    using _ = scope();
    const loss = w.sub(1).square().sum();
    losses.push(loss.item());
    optimizer.step(grad(loss, [w]), 0.05);
  }
  assert(losses.at(-1)! < 1e-3 && losses[0] === 13);
  assertEquals([w.requiresGrad, w.shape], [true, [2]]);
  optimizer.dispose();
});

Deno.test("step() makes a tape that it overwrote unusable, rather than wrong", () => {
  using _ = scope();
  const w = tensor([3]).requireGrad();
  const optimizer = adamW([["w", w]], { betas: [0.9, 0.99], weightDecay: 0, eps: 1e-8 });
  const loss = w.square().sum();
  optimizer.step([tensor([1])], 0.1);
  assertThrows(() => grad(loss, [w]), Error, "a tensor it needs was overwritten");
  optimizer.dispose();
});

Deno.test("Optimisers refuse no parameters, mixed dtypes, and gradients that do not fit", () => {
  using _ = scope();
  const w = tensor([1, 2]).requireGrad();
  const settings = { betas: [0.9, 0.99], weightDecay: 0, eps: 1e-8 } as const;
  assertThrows(() => adamW([], settings), TypeError, "a model without parameters");
  const other = tensor([1], { dtype: "float64" }).requireGrad();
  assertThrows(
    () => adamW([["w", w], ["v", other]], settings),
    TypeError,
    "Cannot optimise v: it is float64",
  );
  const optimizer = adamW([["w", w]], settings);
  const before = w.toBytes(), state = optimizer.state();
  assertThrows(() => optimizer.step([], 0.1), TypeError, "0 gradients of 1 parameters");
  assertThrows(
    () => optimizer.step([tensor([1, 2, 3])], 0.1),
    TypeError,
    "gradient of w: it is float32 [3]",
  );
  assertThrows(
    () => optimizer.step([w.to("bfloat16")], 0.1),
    TypeError,
    "gradient of w: it is bfloat16 [2]",
  );
  assertEquals([w.toBytes(), optimizer.state()], [before, state]); // nothing was half done
  assertThrows(() => optimizer.load(new Map()), TypeError, "its step is missing");
  const small = adamW([["w", tensor([1]).requireGrad()]], settings);
  assertThrows(() => small.load(state), TypeError, "m is missing or of another size");
  optimizer.dispose();
  small.dispose();
});

Deno.test("signSgd() equals the official code's, with repeated rows", () => {
  using _ = scope();
  const { lr, weight_decay: weightDecay } = golden.json.sign_sgd_hyperparams;
  const table = golden.tensor("sign_sgd/before").clone();
  const ids = golden.tensor("sign_sgd/ids");
  signSgd(table, ids, golden.tensor("sign_sgd/grads"), { lr, weightDecay });
  assertClose(table, golden.tensor("sign_sgd/after"), { rtol: 0, atol: 1e-7 });
});

Deno.test("gradNorm() and clipGradNorm() measure all gradients together, in float32", () => {
  using _ = scope();
  const gradients = [tensor([3, 0]), tensor([[4]], { dtype: "bfloat16" })];
  assertEquals(gradNorm(gradients).dtype, "float32");
  assertAlmostEquals(gradNorm(gradients).item(), 5, 1e-6);
  const before = liveTensors();
  const clipped = clipGradNorm(gradients, 1);
  assertEquals(liveTensors() - before, 2);
  assertEquals(clipped.map(({ dtype, shape }) => [dtype, shape]), [["float32", [2]], ["bfloat16", [
    1,
    1,
  ]]]);
  assertClose(clipped[0]!, tensor([0.6, 0]), { rtol: 1e-5 });
  assertAlmostEquals(gradNorm(clipped).item(), 1, 2e-3);
  const kept = clipGradNorm(gradients, 10);
  assertEquals(kept.map((g) => g.toNumbers()), [[3, 0], [4]]);
  assertThrows(() => gradNorm([]), TypeError, "no gradients");
});

for (const dtype of ["float32", "float64"] satisfies DType[]) {
  Deno.test(`Ema averages, exchanges and restores ${dtype} parameters`, async () => {
    const start = liveTensors();
    {
      using _ = scope();
      const model = { w: tensor([1, 2], { dtype }).requireGrad(), fixed: tensor([9]) };
      const ema = new Ema(model, 0.75);
      noGrad(() => model.w.fill_(5));
      ema.update();
      const seen = await ema.applied(async () => {
        await Promise.resolve();
        return model.w.toNumbers();
      });
      assertEquals(seen, [2, 2.75]);
      assertEquals(model.w.toNumbers(), [5, 5]);
      await ema.applied(() => {
        throw new Error("inside");
      }).catch(() => {});
      assertEquals(model.w.toNumbers(), [5, 5]);

      const state = ema.state();
      assertEquals([...state.keys()], ["w"]);
      const other = new Ema(model, 0.75);
      other.load(state);
      ema.update();
      other.update();
      assertEquals(other.state(), ema.state());
      assertThrows(() => other.load(new Map()), TypeError, "average of w");
      const short = new Map([["w", {
        dtype,
        shape: [1],
        data: new Uint8Array(dtype === "float32" ? 4 : 8),
      }]]);
      assertThrows(() => other.load(short), TypeError, "Cannot restore [2] from [1]");
      ema.dispose();
      other.dispose();
    }
    assertEquals(liveTensors(), start);
  });
}

/** Four parameters, of which the first and the third make a group, and gradients for some steps. */
function fourParameters(): {
  named: Named[];
  gradients: Tensor[][];
  isFirst: (p: Named) => boolean;
} {
  const random = new Random(4);
  const shapes = [[2, 3], [4], [5], [1, 2]];
  const named = shapes.map((shape, i): Named => [`p${i}`, randn(shape, random).requireGrad()]);
  const gradients = Array.from({ length: 6 }, () => shapes.map((shape) => randn(shape, random)));
  return { named, gradients, isFirst: ([name]) => name === "p0" || name === "p2" };
}

for (const [name, make] of Object.entries(makers)) {
  Deno.test(`grouped() of ${name} equals two optimisers, each with its own settings`, () => {
    using _ = scope();
    const { named, gradients, isFirst } = fourParameters();
    const copies = named.map(([name, t]): Named => [name, noGrad(() => t.clone()).requireGrad()]);
    const other = (list: readonly Named[]) =>
      adamW(list, { betas: [0.5, 0.6], weightDecay: 0, eps });
    const made: [string, boolean][] = [];
    const together = grouped(named, isFirst, (list, first) => {
      made.push([list.map(([name]) => name).join(), first]);
      return first ? make(list) : other(list);
    });
    assertEquals(made, [["p0,p2", true], ["p1,p3", false]]);
    const first = make([copies[0]!, copies[2]!]), second = other([copies[1]!, copies[3]!]);
    for (const [g0, g1, g2, g3] of gradients as [Tensor, Tensor, Tensor, Tensor][]) {
      together.step([g0, g1, g2, g3], lr);
      first.step([g0, g2], lr);
      second.step([g1, g3], lr);
    }
    for (const [i, [, t]] of named.entries()) {
      assertEquals(t.toBytes(), copies[i]![1].toBytes(), `p${i}`);
    }
    for (const optimizer of [together, first, second]) optimizer.dispose();
  });

  Deno.test(`grouped() of ${name} continues bit for bit from its saved state`, () => {
    using _ = scope();
    const before = liveTensors();
    {
      using _ = scope();
      const { named, gradients, isFirst } = fourParameters();
      const first = grouped(named, isFirst, (list) => make(list));
      for (const g of gradients.slice(0, 3)) first.step(g, lr);
      const saved = first.state();
      const buffers = ["step", "m", "v"];
      const names = [0, 1].flatMap((group) => buffers.map((buffer) => `${group}.${buffer}`));
      assertEquals([...saved.keys()].sort(), names.sort());
      const copies = named.map(([name, t]): Named => [name, noGrad(() => t.clone()).requireGrad()]);
      const second = grouped(copies, isFirst, (list) => make(list));
      second.load(saved);
      assertEquals(second.state(), saved);
      for (const g of gradients.slice(3)) {
        first.step(g, lr);
        second.step(g, lr);
      }
      for (const [i, [, t]] of named.entries()) assertEquals(copies[i]![1].toBytes(), t.toBytes());
      assertEquals(second.state(), first.state());
      assertThrows(() => second.load(new Map()), TypeError, "its step is missing");
      first.dispose();
      second.dispose();
    }
    assertEquals(liveTensors(), before);
  });
}

Deno.test("grouped() decays only the group that is meant to", () => {
  using _ = scope();
  const named: Named[] = ["w", "b", "v"].map((name) => [name, tensor([2, -4]).requireGrad()]);
  const settings = (weightDecay: number) => ({ betas, eps, weightDecay });
  const optimizer = grouped(
    named,
    ([name]) => name !== "b",
    (list, decays) => adamW(list, settings(decays ? 0.5 : 0)),
  );
  const nothing = tensor([0, 0]);
  for (let step = 0; step < 2; step++) optimizer.step([nothing, nothing, nothing], 0.1);
  const kept = 0.95 ** 2;
  for (const [name, t] of named) {
    const values = name === "b" ? [2, -4] : [2 * kept, -4 * kept];
    assertClose(t, { shape: [2], values }, { rtol: 1e-6 }, name);
  }
  optimizer.dispose();
});

Deno.test("grouped() refuses an empty group", () => {
  using _ = scope();
  const named: Named[] = [["w", tensor([1]).requireGrad()]];
  const make = (list: readonly Named[]) => adamW(list, { betas, eps, weightDecay: 0 });
  assertThrows(() => grouped(named, () => true, make), TypeError, "without parameters");
  assertThrows(() => grouped(named, () => false, make), TypeError, "without parameters");
});

for (const [name, make] of Object.entries(makers)) {
  Deno.test(`grouped() of ${name} changes no group where a gradient of any does not fit`, () => {
    using _ = scope();
    const { named, gradients, isFirst } = fourParameters();
    const optimizer = grouped(named, isFirst, (list) => make(list));
    const [good, next] = gradients as [Tensor[], Tensor[]];
    optimizer.step(good, lr);
    const stateOf = () => [named.map(([, t]) => t.toBytes()), optimizer.state()];
    const before = stateOf(), live = liveTensors();
    const refuse = (wrong: readonly Tensor[], message: string) => {
      assertThrows(() => optimizer.step(wrong, lr), TypeError, message);
      assertEquals(stateOf(), before, message);
    };
    refuse(next.slice(0, 3), "3 gradients of 4 parameters");
    refuse([...next, next[0]!], "5 gradients of 4 parameters");
    const flat = next[3]!.reshape([2]), long = next[3]!.to("float64");
    // p3 is of the second group, which would step after the first
    refuse(next.with(3, flat), "gradient of p3: it is float32 [2], not float32 [1, 2]");
    refuse(next.with(3, long), "gradient of p3: it is float64 [1, 2], not float32 [1, 2]");
    refuse(next.with(2, next[1]!), "gradient of p2: it is float32 [4], not float32 [5]");
    flat.dispose();
    long.dispose();
    assertEquals(liveTensors(), live, "tensors are left");
    optimizer.step(next, lr);
    optimizer.dispose();
  });
}
