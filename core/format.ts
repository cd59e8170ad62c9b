/**
 * Tensors as text.
 *
 * @module
 */
import { formatShape, type Shape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

const EDGE = 3;
const MOST = 1000;

/** `Tensor float32 [2, 2]` and its elements, the middle of long axes left out. */
export function formatTensor(tensor: Tensor): string {
  if (tensor.disposed) return `Tensor (freed, made by ${tensor.name})`;
  const { shape, dtype, device, size } = tensor;
  const where = device === "cpu" ? "" : ` on ${device}`;
  const head = `Tensor ${dtype} ${formatShape(shape)}${where}`;
  if (size === 0 || device === "meta") return head;
  const cells = Array.from(tensor.toTypedArray() as ArrayLike<number | bigint>, formatNumber);
  const edge = cells.length > MOST ? EDGE : Infinity;
  let width = 0;
  for (const place of shownPlaces(shape, edge)) width = Math.max(width, cells[place]!.length);
  return `${head}\n${rowsOf(cells, shape, 0, 0, edge, width)}`;
}

/** Of an axis of `n` the indices that are shown: all, or those near its ends. */
function shownIndices(n: number, edge: number): number[] {
  const indices = Array.from({ length: Math.min(n, 2 * edge) }, (_, i) => i);
  return n > 2 * edge ? indices.map((i) => i < edge ? i : n - 2 * edge + i) : indices;
}

/** Which elements are shown. */
function shownPlaces(shape: Shape, edge: number): number[] {
  return shape.reduce(
    (places, n) => {
      const indices = shownIndices(n, edge);
      return places.flatMap((place) => indices.map((i) => place * n + i));
    },
    [0],
  );
}

function formatNumber(value: number | bigint): string {
  if (typeof value === "bigint" || Number.isInteger(value)) return String(value);
  const magnitude = Math.abs(value);
  if (!Number.isFinite(value)) return String(value);
  return magnitude >= 1e5 || magnitude < 1e-3 ? value.toExponential(3) : value.toPrecision(5);
}

function rowsOf(
  cells: readonly string[],
  shape: Shape,
  axis: number,
  start: number,
  edge: number,
  width: number,
): string {
  if (axis === shape.length) return cells[start]!.padStart(width);
  const n = shape[axis]!;
  const step = shape.slice(axis + 1).reduce((product, m) => product * m, 1);
  const last = axis === shape.length - 1;
  const parts = shownIndices(n, edge).map((i) =>
    rowsOf(cells, shape, axis + 1, start + i * step, edge, width)
  );
  if (n > 2 * edge) parts.splice(edge, 0, "…");
  return `[${parts.join(last ? ", " : ",\n" + " ".repeat(axis + 1))}]`;
}
