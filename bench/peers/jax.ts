// jax-js (wasm) at a part of ../parts.ts. Installed once by
//
//   deno cache --no-lock npm:@jax-js/jax@0.1.25
//
// and run by deno task bench, or by itself:
//
//   deno run -A --no-lock bench/peers/jax.ts mlp '{"steps": 5, "seconds": 20}'
//
// Everything is under `jit`. It takes as many threads as there are cores. A function consumes
// its arguments; `.ref` keeps one.
import { block, blockNumbers, mlp, mlpNumbers, type Numbers, oneHot, takeTurn } from "../parts.ts";

const VERSION = "0.1.25";
// as a variable, so that type checks do not need the package: it is no dependency
const specifier = `npm:@jax-js/jax@${VERSION}`;
const jax = await import(specifier);
const { numpy: np, nn } = jax;

// deno-lint-ignore no-explicit-any -- its types come with the package
type JaxArray = any;

function arrayOf({ data, shape }: Numbers): JaxArray {
  return np.array(data).reshape([...shape]);
}

/** `a`, kept, times the transpose of `w`. */
function linear(a: JaxArray, w: JaxArray): JaxArray {
  return np.matmul(a, np.transpose(w));
}

function addRmsNorm(a: JaxArray, b: JaxArray): JaxArray {
  const sum = a.add(b);
  const square = np.mean(np.square(sum.ref), -1, { keepdims: true });
  return sum.div(np.sqrt(square.add(block.eps)));
}

function applyBlock(x: JaxArray, weights: readonly JaxArray[]): JaxArray {
  const { batch, length, width, heads } = block;
  const [qkv, o, gateUp, down] = weights;
  const rows = x.reshape([batch * length, width]);
  const parts = linear(rows.ref, qkv).reshape([batch, length, 3, heads, width / heads]);
  const [q, k, v] = np.split(parts, 3, 2).map((part: JaxArray) =>
    part.reshape([batch, length, heads, width / heads])
  );
  const mixed = nn.dotProductAttention(q, k, v).reshape([batch * length, width]);
  const y = addRmsNorm(rows, linear(mixed, o));
  const [gate, up] = np.split(linear(y.ref, gateUp), 2, 1);
  return addRmsNorm(y, linear(nn.silu(gate).mul(up), down));
}

function blockLoss(x: JaxArray, ...rest: readonly JaxArray[]): JaxArray {
  const { batch, length, width } = block;
  const target = rest[4].reshape([batch * length, width]);
  const squares = np.square(applyBlock(x, rest.slice(0, 4)).sub(target));
  return np.mean(np.mean(squares, -1)); // in one sweep its float32 sum is off by 1e-4
}

/** The block's input and weights, then its target. */
function blockArrays() {
  const { x, qkv, o, gateUp, down, target } = blockNumbers();
  const named = { x, qkv, o, gateUp, down };
  const arrays = [...Object.values(named), target].map(arrayOf);
  return { names: Object.keys(named), arrays };
}

function blockForward() {
  const { arrays } = blockArrays(), loss = jax.jit(blockLoss);
  return { step: async () => (await loss(...arrays.map((a) => a.ref)).data())[0] };
}

function blockWithGradients() {
  const { names, arrays } = blockArrays();
  const run = jax.jit(jax.valueAndGrad(blockLoss, { argnums: names.map((_, i) => i) }));
  let last: readonly JaxArray[] = [];
  return {
    step: async () => {
      for (const gradient of last) gradient.dispose();
      const [loss, gradients] = run(...arrays.map((a) => a.ref));
      last = await jax.blockUntilReady(gradients);
      return (await loss.data())[0];
    },
    gradients: async () => {
      const read = last.map(async (gradient, i) => [names[i], await gradient.ref.data()]);
      return Object.fromEntries(await Promise.all(read));
    },
  };
}

function mlpLoss(...[w1, b1, w2, b2, x, targets]: readonly JaxArray[]): JaxArray {
  const hidden = nn.relu(linear(x, w1).add(b1));
  const scores = nn.logSoftmax(linear(hidden, w2).add(b2), -1);
  return np.mean(np.sum(scores.mul(targets), -1)).neg();
}

function mlpStep() {
  const { x, labels, w1, b1, w2, b2 } = mlpNumbers();
  const batch = [x, oneHot(labels)].map(arrayOf);
  let weights = [w1, b1, w2, b2].map(arrayOf);
  const lossAndGradients = jax.valueAndGrad(mlpLoss, { argnums: [0, 1, 2, 3] });
  const run = jax.jit((...all: readonly JaxArray[]) => {
    const own = all.slice(0, 4);
    const [loss, gradients] = lossAndGradients(...own.map((w) => w.ref), ...all.slice(4));
    return [loss, own.map((w, i) => w.sub(gradients[i].mul(mlp.lr)))];
  });
  return {
    step: async () => {
      const [loss, next] = run(...weights, ...batch.map((a) => a.ref));
      weights = await jax.blockUntilReady(next);
      return (await loss.data())[0];
    },
  };
}

await jax.init("wasm");
jax.defaultDevice("wasm");
await takeTurn(() => ({
  about: `jax-js ${VERSION}, wasm`,
  parts: { "block-forward": blockForward, block: blockWithGradients, mlp: mlpStep },
}));
