// onnxruntime-node at a part of ../parts.ts: the block, forward alone, as it has no gradients.
// Installed once by
//
//   deno cache --no-lock npm:onnxruntime-node@1.30.0 npm:onnx-proto@8.0.1
//
// and run by deno task bench, or by itself:
//
//   deno run -A --no-lock bench/peers/onnxruntime.ts block-forward '{"threads": 2, …}'
//
// onnx-proto writes the graph, in operators of opset 13 that the runtime then fuses.
import { block, blockNumbers, type Numbers, takeTurn } from "../parts.ts";

const VERSION = "1.30.0";
// as variables, so that type checks do not need the packages: they are no dependencies
const specifiers = [`npm:onnxruntime-node@${VERSION}`, "npm:onnx-proto@8.0.1"];
const [ort, proto] = await Promise.all(specifiers.map((specifier) => import(specifier)));
const { onnx } = proto.default ?? proto;
const FLOAT = 1, INT64 = 7;

// deno-lint-ignore no-explicit-any -- its types come with the package
type Message = any;

/** A graph while it is written: every operator gives the name of its output. */
class Graph {
  readonly nodes: Message[] = [];
  readonly constants: Message[] = [];

  /** Appends an operator with one output. */
  add(opType: string, input: readonly string[], attributes: Message[] = []): string {
    return this.addMany(opType, input, 1, attributes)[0]!;
  }

  /** Appends an operator with several outputs. */
  addMany(opType: string, input: readonly string[], count: number, attribute: Message[]): string[] {
    const output = Array.from({ length: count }, (_, i) => `${opType}_${this.nodes.length}_${i}`);
    this.nodes.push({ opType, input, output, attribute });
    return output;
  }

  /** A constant of float32. */
  floats(data: Float32Array, dims: readonly number[]): string {
    return this.#constant({ dims, dataType: FLOAT, rawData: new Uint8Array(data.buffer) });
  }

  /** A constant of int64. */
  integers(values: readonly number[]): string {
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.#constant({ dims: [values.length], dataType: INT64, rawData });
  }

  #constant(tensor: Message): string {
    const name = `constant_${this.constants.length}`;
    this.constants.push({ ...tensor, name });
    return name;
  }
}

function integer(name: string, i: number): Message {
  return { name, i, type: onnx.AttributeProto.AttributeType.INT };
}

function integers(name: string, ints: readonly number[]): Message {
  return { name, ints, type: onnx.AttributeProto.AttributeType.INTS };
}

/** The graph of the block as bytes, from `x` to `y`. */
function blockModel(): Uint8Array {
  const { batch, length, width, heads } = block, size = width / heads;
  const numbers = blockNumbers(), graph = new Graph();
  const scalar = (value: number) => graph.floats(Float32Array.of(value), []);
  const linear = (x: string, weight: Numbers) =>
    graph.add("MatMul", [x, transposed(graph, weight)]);
  const addRmsNorm = (a: string, b: string) => {
    const sum = graph.add("Add", [a, b]);
    const square = graph.add("Mul", [sum, sum]);
    const mean = graph.add("ReduceMean", [square], [integers("axes", [-1])]);
    const root = graph.add("Sqrt", [graph.add("Add", [mean, scalar(block.eps)])]);
    return graph.add("Div", [sum, root]);
  };
  const heading = graph.integers([batch, length, heads, size]);
  const [q, k, v] = graph.addMany("Split", [linear("x", numbers.qkv)], 3, [integer("axis", 2)])
    .map((part) => graph.add("Reshape", [part, heading]));
  const turned = (a: string, ...perm: number[]) =>
    graph.add("Transpose", [a], [integers("perm", perm)]);
  const products = graph.add("MatMul", [turned(q!, 0, 2, 1, 3), turned(k!, 0, 2, 3, 1)]);
  const scores = graph.add("Mul", [products, scalar(size ** -0.5)]);
  const p = graph.add("Softmax", [scores], [integer("axis", -1)]);
  const attended = turned(graph.add("MatMul", [p, turned(v!, 0, 2, 1, 3)]), 0, 2, 1, 3);
  const mixed = graph.add("Reshape", [attended, graph.integers([batch, length, width])]);
  const y = addRmsNorm("x", linear(mixed, numbers.o));
  const [gate, up] = graph.addMany("Split", [linear(y, numbers.gateUp)], 2, [integer("axis", 2)]);
  const silu = graph.add("Mul", [gate!, graph.add("Sigmoid", [gate!])]);
  const last = addRmsNorm(y, linear(graph.add("Mul", [silu, up!]), numbers.down));
  return encodeModel(graph, last, [batch, length, width]);
}

/** The transpose of a weight as a constant. */
function transposed(graph: Graph, { data, shape }: Numbers): string {
  const [rows, columns] = shape as [number, number];
  const turned = data.map((_, i) => data[(i % rows) * columns + Math.floor(i / rows)]!);
  return graph.floats(turned, [columns, rows]);
}

function encodeModel({ nodes, constants }: Graph, output: string, shape: readonly number[]) {
  const dim = shape.map((dimValue) => ({ dimValue }));
  const info = (name: string) => ({
    name,
    type: { tensorType: { elemType: FLOAT, shape: { dim } } },
  });
  const graph = {
    ...{ name: "block", node: nodes, initializer: constants },
    ...{ input: [info("x")], output: [info(output)] },
  };
  const model = { irVersion: 8, opsetImport: [{ domain: "", version: 13 }], graph };
  return onnx.ModelProto.encode(onnx.ModelProto.fromObject(model)).finish();
}

await takeTurn(({ threads }) => ({
  about: `ONNX Runtime ${VERSION}, CPU`,
  parts: {
    "block-forward": async () => {
      const session = await ort.InferenceSession.create(blockModel(), {
        intraOpNumThreads: threads,
        graphOptimizationLevel: "all",
      });
      const { x, target } = blockNumbers();
      const feeds = { x: new ort.Tensor("float32", x.data, [...x.shape]) };
      const [name] = session.outputNames;
      return {
        step: async () => meanSquare((await session.run(feeds))[name].data, target.data),
      };
    },
  },
}));

/** The loss, outside of the graph: 0.3 million numbers. */
function meanSquare(y: Float32Array, target: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < y.length; i++) sum += (y[i]! - target[i]!) ** 2;
  return sum / y.length;
}
