// TensorFlow.js at a part of ../parts.ts, on the backend that the third argument names: `wasm`
// or `cpu`. Installed once by
//
//   deno cache --no-lock npm:@tensorflow/tfjs@4.22.0 npm:@tensorflow/tfjs-backend-wasm@4.22.0
//
// and run by deno task bench, or by itself:
//
//   deno run -A --no-lock bench/peers/tfjs.ts mlp '{"steps": 5, "seconds": 20}' wasm
//
// Outside of browsers its wasm backend computes on one thread. tfjs-node, which binds
// TensorFlow's C library, is not compared: its installer has to download that library.
import { block, blockNumbers, mlp, mlpNumbers, type Numbers, oneHot, takeTurn } from "../parts.ts";

const VERSION = "4.22.0";
// as variables, so that type checks do not need the packages: they are no dependencies
const specifiers = ["tfjs", "tfjs-backend-wasm"].map((name) =>
  `npm:@tensorflow/${name}@${VERSION}`
);
const [tf, wasm] = await Promise.all(specifiers.map((specifier) => import(specifier)));

// deno-lint-ignore no-explicit-any -- its types come with the package
type Tensor = any;

function tensorOf({ data, shape }: Numbers): Tensor {
  return tf.tensor(data, [...shape], "float32");
}

/** `a` times the transpose of `w`. */
function linear(a: Tensor, w: Tensor): Tensor {
  return tf.matMul(a, w, false, true);
}

function addRmsNorm(a: Tensor, b: Tensor): Tensor {
  const sum = a.add(b);
  return sum.div(sum.square().mean(-1, true).add(block.eps).sqrt());
}

function applyBlock([x, qkv, o, gateUp, down]: readonly Tensor[]): Tensor {
  const { batch, length, width, heads } = block, size = width / heads;
  const rows = x.reshape([batch * length, width]);
  const [q, k, v] = linear(rows, qkv).split(3, 1).map((part: Tensor) =>
    part.reshape([batch, length, heads, size]).transpose([0, 2, 1, 3])
  );
  const scores = tf.matMul(q, k, false, true).div(Math.sqrt(size)).softmax();
  const mixed = tf.matMul(scores, v).transpose([0, 2, 1, 3]).reshape([batch * length, width]);
  const y = addRmsNorm(rows, linear(mixed, o));
  const [gate, up] = linear(y, gateUp).split(2, 1);
  return addRmsNorm(y, linear(gate.mul(gate.sigmoid()).mul(up), down));
}

/** The block's input and weights, and the loss that they have. */
function makeBlock() {
  const { x, qkv, o, gateUp, down, target } = blockNumbers();
  const inputs = { x, qkv, o, gateUp, down };
  const aim = tensorOf(target).reshape([-1, block.width]);
  const loss = (...tensors: readonly Tensor[]) =>
    applyBlock(tensors).sub(aim).square().mean(-1)
      .mean(); // in one sweep its float32 sum is off by 1e-4
  return { names: Object.keys(inputs), tensors: Object.values(inputs).map(tensorOf), loss };
}

function blockForward() {
  const { tensors, loss } = makeBlock();
  return { step: () => tf.tidy(() => loss(...tensors).dataSync()[0]) };
}

function blockWithGradients() {
  const { names, tensors, loss } = makeBlock();
  const run = tf.valueAndGrads(loss);
  let last: readonly Tensor[] = [];
  return {
    step: () => {
      tf.dispose(last);
      const { value, grads } = tf.tidy(() => run(tensors));
      last = grads;
      const [number] = value.dataSync();
      value.dispose();
      return number;
    },
    gradients: () => Object.fromEntries(names.map((name, i) => [name, last[i].dataSync()])),
  };
}

function mlpStep() {
  const { x, labels, ...first } = mlpNumbers();
  const batch = tensorOf(x), targets = tensorOf(oneHot(labels));
  const [w1, b1, w2, b2] = Object.values(first).map((numbers) => tf.variable(tensorOf(numbers)));
  const optimizer = tf.train.sgd(mlp.lr);
  const loss = () => {
    const hidden = linear(batch, w1).add(b1).relu();
    return tf.losses.softmaxCrossEntropy(targets, linear(hidden, w2).add(b2));
  };
  return { step: () => tf.tidy(() => optimizer.minimize(loss, true).dataSync()[0]) };
}

await takeTurn(async ({ threads }) => {
  const backend = Deno.args[2] ?? "wasm";
  if (backend === "wasm") wasm.setThreadsCount(threads);
  await tf.setBackend(backend);
  const used = backend === "wasm" ? `, threads: ${wasm.getThreadsCount()}` : "";
  return {
    about: `TensorFlow.js ${VERSION}, ${tf.getBackend()}${used}`,
    parts: { "block-forward": blockForward, block: blockWithGradients, mlp: mlpStep },
  };
});
