import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  adamATan2,
  adamW,
  clipGradNorm,
  type DType,
  Ema,
  grad,
  gradNorm,
  liveTensors,
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

type Named = [name: string, tensor: Tensor];

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
