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
  if (size === 0) return head;
  const cells = Array.from(tensor.toTypedArray() as ArrayLike<number | bigint>, formatNumber);
  const shown = cells.length > MOST ? EDGE : Infinity;
  const width = Math.max(...cells.slice(0, MOST).map((c) => c.length));
  return `${head}\n${rowsOf(cells, shape, 0, 0, shown, width)}`;
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
  const parts: string[] = [];
  for (let i = 0; i < n; i++) {
    if (n > 2 * edge && i === edge) {
      parts.push("…");
      i = n - edge;
    }
    parts.push(rowsOf(cells, shape, axis + 1, start + i * step, edge, width));
  }
  return `[${parts.join(last ? ", " : ",\n" + " ".repeat(axis + 1))}]`;
}
