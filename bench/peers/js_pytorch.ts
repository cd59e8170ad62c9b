// js-pytorch (plain JavaScript) at a part of ../parts.ts. Installed once by
//
//   deno cache --no-lock npm:js-pytorch@0.7.2
//
// and run by deno task bench, or by itself:
//
//   deno run -A --no-lock bench/peers/js_pytorch.ts mlp '{"steps": 2, "seconds": 20}'
//
// Its tensors are nested arrays of numbers. It cannot split one, so a weight that others keep
// in one piece is two or three here; it has no plain gradient descent, which is done by hand,
// and its ReLU leaks, so that of the perceptron is a masked fill.
import { block, blockNumbers, mlp, mlpNumbers, type Numbers, takeTurn } from "../parts.ts";

const VERSION = "0.7.2";
// as a variable, so that type checks do not need the package: it is no dependency
const specifier = `npm:js-pytorch@${VERSION}`;
const { torch } = await import(specifier);

// deno-lint-ignore no-explicit-any -- its types come with the package
type Tensor = any;

type Nested = number | Nested[];

function nested({ data, shape: [first, ...rest] }: Numbers): Nested {
  if (first === undefined) return data[0]!;
  const size = data.length / first;
  return Array.from({ length: first }, (_, i) => {
    return nested({ data: data.subarray(i * size, (i + 1) * size), shape: rest });
  });
}

function* flat(values: Nested): Generator<number> {
  if (typeof values === "number") yield values;
  else for (const value of values) yield* flat(value);
}

/** A weight `[out, in]` as `count` tensors `[in, out / count]`, as it multiplies from the right. */
function weights({ data, shape }: Numbers, count = 1): Tensor[] {
  const [out, width] = shape as [number, number], part = out / count;
  return Array.from({ length: count }, (_, i) => {
    const row = (k: number) =>
      Array.from({ length: part }, (_, j) => data[(i * part + j) * width + k]!);
    return torch.tensor(Array.from({ length: width }, (_, k) => row(k)), true);
  });
}

function addRmsNorm(a: Tensor, b: Tensor): Tensor {
  const sum = a.add(b);
  return sum.div(sum.mul(sum).mean(-1, true).add(block.eps).sqrt());
}

function makeBlock() {
  const { x, qkv, o, gateUp, down, target } = blockNumbers();
  const inputs: Record<string, Tensor[]> = {
    x: [torch.tensor(nested(x), true)],
    ...{ qkv: weights(qkv, 3), o: weights(o), gateUp: weights(gateUp, 2), down: weights(down) },
  };
  const aim = torch.tensor(nested(target));
  const loss = () => {
    const gap = applyBlock(inputs).sub(aim);
    return gap.mul(gap).mean(-1).mean(-1).mean(-1);
  };
  return { inputs, loss };
}

function applyBlock(inputs: Record<string, readonly Tensor[]>): Tensor {
  const { batch, length, width, heads } = block, size = width / heads;
  const [x] = inputs.x!, [o] = inputs.o!, [gate, up] = inputs.gateUp!, [down] = inputs.down!;
  const [q, k, v] = inputs.qkv!.map((weight) =>
    x.matmul(weight).reshape([batch, length, heads, size]).transpose(1, 2)
  );
  const scores = q.matmul(k.transpose(2, 3)).div(Math.sqrt(size));
  // as rows: of a sum over a square matrix it spreads the gradient along the wrong axis
  const powers = scores.reshape([batch * heads * length, length]).exp();
  const p = powers.div(powers.sum(-1, true)).reshape([batch, heads, length, length]);
  const attended = p.matmul(v);
  const mixed = attended.transpose(1, 2).reshape([batch, length, width]);
  const y = addRmsNorm(x, mixed.matmul(o));
  const g = y.matmul(gate);
  const silu = g.div(g.neg().exp().add(1));
  return addRmsNorm(y, silu.mul(y.matmul(up)).matmul(down));
}

function blockForward() {
  const { loss } = makeBlock();
  return { step: () => first(loss()) };
}

function blockWithGradients() {
  const { inputs, loss } = makeBlock();
  return {
    step: () => {
      for (const tensor of Object.values(inputs).flat()) renew(tensor);
      const value = loss();
      value.backward();
      return first(value);
    },
    gradients: () =>
      Object.fromEntries(
        Object.entries(inputs).map(([name, tensors]) => {
          return [name, tensors.flatMap((tensor: Tensor) => [...flat(tensor.grad)])];
        }),
      ),
  };
}

function mlpStep() {
  const { x, labels, w1, b1, w2, b2 } = mlpNumbers();
  const batch = torch.tensor(nested(x)), targets = torch.tensor([...labels]);
  const row = ({ data }: Numbers) => torch.tensor([...data], true);
  const all: Tensor[] = [...weights(w1), row(b1), ...weights(w2), row(b2)];
  const [m1, c1, m2, c2] = all;
  const crossEntropy = new torch.nn.CrossEntropyLoss();
  return {
    step: () => {
      for (const tensor of all) renew(tensor);
      const hidden = batch.matmul(m1).add(c1);
      const rectified = hidden.masked_fill(hidden, (value: number) => value < 0, 0);
      const loss = crossEntropy.forward(rectified.matmul(m2).add(c2), targets);
      loss.backward();
      for (const tensor of all) descend(tensor._data, tensor.grad);
      return first(loss);
    },
  };
}

/** Forgets a parameter's gradient, and the graph of the last step. */
function renew(tensor: Tensor): void {
  tensor.zero_grad();
  tensor.children = [];
  tensor.parents = [];
}

/** `w − lr dw`, in place. */
function descend(weight: Nested[], gradient: Nested[]): void {
  weight.forEach((value, i) => {
    const by = gradient[i]!;
    if (typeof value === "number") weight[i] = value - mlp.lr * (by as number);
    else descend(value, by as Nested[]);
  });
}

/** The number in a loss, which may be wrapped in arrays. */
function first(loss: Tensor): number {
  return [...flat(loss.data)][0]!;
}

await takeTurn(() => ({
  about: `js-pytorch ${VERSION}`,
  parts: { "block-forward": blockForward, block: blockWithGradients, mlp: mlpStep },
}));
