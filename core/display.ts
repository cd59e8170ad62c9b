/**
 * Tensors as a notebook shows them.
 *
 * @module
 */
import { escapeMarkup } from "./markup.ts";
import { formatShape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/** Texts of one thing by their media types; a notebook shows the richest that it can. */
export type MediaBundle = Readonly<Record<string, string>>;

/** Of a longer axis only the ends are shown. */
const MOST = 16;
const EDGE = 8;

/**
 * A tensor of up to two axes as a table, shaded by how large its numbers are: blue below
 * zero, red above. Others as text.
 */
export function displayTensor(tensor: Tensor): MediaBundle {
  const plain = tensor.toString();
  const isPlain = tensor.disposed || tensor.size === 0 || tensor.device === "meta";
  if (isPlain || tensor.shape.length > 2) {
    return { "text/plain": plain, "text/html": `<pre>${escapeMarkup(plain)}</pre>` };
  }
  const { shape, dtype, device } = tensor;
  const head = `Tensor ${dtype} ${formatShape(shape)}${device === "cpu" ? "" : ` on ${device}`}`;
  return { "text/plain": plain, "text/html": `<div>${head}</div>${tableOf(tensor)}` };
}

function tableOf(tensor: Tensor): string {
  const [rows, columns] = [tensor.shape.at(-2) ?? 1, tensor.shape.at(-1) ?? 1];
  const values = tensor.toNumbers();
  const scale = values.reduce(
    (most, x) => Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most,
    0,
  );
  const lines = shown(rows).map((row) => {
    const cells = shown(columns).map((column) =>
      row === null || column === null
        ? "<td>…</td>"
        : cellOf(values[row * columns + column]!, scale)
    );
    return `<tr>${cells.join("")}</tr>`;
  });
  return `<table>${lines.join("")}</table>`;
}

/** The indices of an axis that are shown; null stands for those left out. */
function shown(length: number): readonly (number | null)[] {
  const indices = Array.from({ length }, (_, i) => i);
  return length <= MOST ? indices : [...indices.slice(0, EDGE), null, ...indices.slice(-EDGE)];
}

/** A number on a ground that is the stronger the nearer its magnitude is to `scale`. */
function cellOf(value: number, scale: number): string {
  const strength = Number.isFinite(value) && scale > 0 ? Math.abs(value) / scale : 0;
  const ground = `rgba(${value < 0 ? "40,90,220" : "220,60,40"},${(0.6 * strength).toFixed(2)})`;
  const text = Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
  return `<td style="text-align:right;background:${ground}">${text}</td>`;
}
