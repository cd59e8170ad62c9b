/**
 * Boards and training curves as a notebook shows them: pictures there, text in a terminal.
 *
 * @module
 */
import type { MediaBundle } from "../core/display.ts";
import { escapeMarkup } from "../core/markup.ts";
import { curvesSpec, drawChart } from "./chart.ts";
import { curvesOf, readRun } from "./runs.ts";
import { showAnswer } from "./show.ts";
import type { Puzzle, Sketch, Task } from "./tasks/task.ts";
import type { Thought } from "./thinking.ts";

/** A picture, and the text that stands for it where there are no pictures. */
export class Picture {
  /** Both, whole. */
  constructor(readonly svg: string, readonly text: string) {}

  /** The text. */
  toString(): string {
    return this.text;
  }

  /** How `console.log` shows it. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.text;
  }

  /** How a notebook shows it. */
  [Symbol.for("Jupyter.display")](): MediaBundle {
    return { "text/plain": this.text, "image/svg+xml": this.svg };
  }
}

/**
 * A puzzle and an answer beside it: given cells heavy, wrong ones framed in red. Of a task
 * without {@link Task.sketch}, the picture is its text.
 *
 * @example
 * ```ts
 * import { makeTask, pictureOfAnswer, recipes } from "@ponder/ponder/zoo";
 *
 * const task = makeTask(recipes["trm-sudoku"]!.presets["tiny"]!.task);
 * const [puzzle] = task.heldOut(1);
 * console.log(pictureOfAnswer(task, puzzle!, task.question(puzzle!)).svg.slice(0, 4)); // <svg
 * ```
 */
export function pictureOfAnswer<P extends Puzzle>(
  task: Task<P>,
  puzzle: P,
  answer: Uint8Array,
): Picture {
  const text = showAnswer(task, puzzle, answer);
  return new Picture(svgOf(task, puzzle, [{ title: "answer", answer }], text), text);
}

/** A puzzle and what {@link think} answered to one of its puzzles after every unit of thought. */
export function pictureOfThoughts<P extends Puzzle>(
  task: Task<P>,
  puzzle: P,
  thoughts: readonly Thought[],
  index = 0,
): Picture {
  const answers = thoughts.map(({ answers }, i) => {
    const answer = answers[index]!;
    const { cells, cellsRight } = task.judge(puzzle, answer);
    const score = cells === 0 ? "" : `: ${cellsRight}/${cells}`;
    return { title: `${i + 1}${score}`, answer };
  });
  const text = answers
    .map(({ title, answer }) => `${title}\n${task.draw(puzzle, answer)}`)
    .join("\n\n");
  return new Picture(svgOf(task, puzzle, answers, text), text);
}

/**
 * The curves of a run in a folder, one panel for each metric that it has.
 *
 * @throws {TypeError} when it has none of them
 */
export async function pictureOfRun(
  folder: string,
  metrics: readonly string[] = ["loss", "exact"],
): Promise<Picture> {
  const all = curvesOf(readRun(folder, folder));
  const panels = metrics.flatMap((metric) => {
    const curve = all.get(metric);
    return curve === undefined ? [] : [{ metric, curve }];
  });
  if (panels.length === 0) {
    const there = [...all.keys()].join(", ") || "none";
    throw new TypeError(
      `Cannot draw ${metrics.join(", ")} of "${folder}": its metrics are ${there}`,
    );
  }
  const spec = curvesSpec(panels.map(({ metric, curve }) => ({
    metric,
    curves: new Map([["run", curve]]),
  })));
  const ends = panels.map(({ metric, curve }) => {
    const [first, last] = [curve[0]!, curve.at(-1)!];
    const [from, to] = [first[1], last[1]].map((value) => +value.toPrecision(3));
    return `${metric}: ${from} at step ${first[0]}, ${to} at step ${last[0]}`;
  });
  return new Picture(await drawChart(spec), ends.join("\n"));
}

const CELL = 22;
const GAP = 16;
const TITLE = 18;
const ROW = 720;

/** The question and the answers, as many beside each other as a notebook is wide. */
function svgOf<P extends Puzzle>(
  task: Task<P>,
  puzzle: P,
  answers: readonly { readonly title: string; readonly answer: Uint8Array }[],
  text: string,
): string {
  if (task.sketch === undefined) return svgOfText(text);
  const question = task.sketch(task.question(puzzle));
  const right = solutionOf(task, puzzle);
  const boards = [
    { title: "question", svg: boardOf(question), sketch: question },
    ...answers.map(({ title, answer }) => {
      const sketch = task.sketch!(answer);
      return { title, sketch, svg: boardOf(sketch, question, right) };
    }),
  ];
  let x = GAP, y = 0, shelf = 0, widest = 0;
  const placed = boards.map(({ title, svg, sketch: { rows, columns } }) => {
    const width = Math.max(4, columns) * CELL, height = rows * CELL + TITLE + GAP;
    if (x > GAP && x + width > ROW) [x, y, shelf] = [GAP, y + shelf, 0];
    const group = `<g transform="translate(${x},${y})"><text x="0" y="13" font-size="12" ` +
      `text-anchor="start">${title}</text><g transform="translate(0,${TITLE})">${svg}</g></g>`;
    [x, shelf, widest] = [
      x + width + GAP,
      Math.max(shelf, height),
      Math.max(widest, x + width + GAP),
    ];
    return group;
  });
  return svg(widest, y + shelf, placed.join(""));
}

/** The right answer; null where none is known. */
function solutionOf<P extends Puzzle>(task: Task<P>, puzzle: P): Sketch | null {
  const labels = Int32Array.from(task.encode(puzzle).labels, (token) => Math.max(0, token));
  return labels.some((token) => token > 0) ? task.sketch!(task.decode(labels, puzzle)) : null;
}

/** A grid; of an answer, cells that are in the question heavy, and wrong ones framed. */
function boardOf(sketch: Sketch, question: Sketch = sketch, right: Sketch | null = null): string {
  const { rows, columns, box, cells } = sketch;
  const at = (other: Sketch, row: number, column: number) =>
    row < other.rows && column < other.columns
      ? other.cells[row * other.columns + column]
      : undefined;
  const drawn: string[] = [], frames: string[] = [];
  cells.forEach(({ text, fill }, i) => {
    const row = Math.floor(i / columns), column = i % columns;
    const x = column * CELL, y = row * CELL, size = `width="${CELL}" height="${CELL}"`;
    drawn.push(`<rect x="${x}" y="${y}" ${size} fill="${fill}" stroke="#999"/>`);
    const weight = at(question, row, column)?.text === text ? "bold" : "normal";
    if (text !== "") {
      const place = `x="${x + CELL / 2}" y="${y + CELL * 0.7}"`;
      drawn.push(`<text ${place} font-size="13" font-weight="${weight}">${text}</text>`);
    }
    const want = right === null ? undefined : at(right, row, column);
    if (right !== null && (want?.text !== text || want?.fill !== fill)) {
      const inside = `x="${x + 2}" y="${y + 2}" width="${CELL - 4}" height="${CELL - 4}"`;
      frames.push(`<rect ${inside} fill="none" stroke="white" stroke-width="4"/>`);
      frames.push(`<rect ${inside} fill="none" stroke="#d62728" stroke-width="2"/>`);
    }
  });
  return drawn.join("") + rulesOf(rows, columns, box) + frames.join("");
}

/** Heavy lines around the boxes. */
function rulesOf(
  rows: number,
  columns: number,
  [height, width]: readonly [number, number] = [rows, columns],
): string {
  const lines: string[] = [];
  for (let y = 0; y <= rows; y += height || 1) lines.push(`M0 ${y * CELL}H${columns * CELL}`);
  for (let x = 0; x <= columns; x += width || 1) lines.push(`M${x * CELL} 0V${rows * CELL}`);
  return `<path d="${lines.join("")}" stroke="#333" stroke-width="2" fill="none"/>`;
}

function svgOfText(text: string): string {
  const lines = text.split("\n");
  const width = Math.max(...lines.map((line) => line.length)) * 8 + 2 * GAP;
  const spans = lines.map((line, i) =>
    `<text x="${GAP}" y="${(i + 1) * 16}" font-family="monospace" xml:space="preserve" ` +
    `text-anchor="start">${escapeMarkup(line)}</text>`
  );
  return svg(width, lines.length * 16 + GAP, spans.join(""));
}

function svg(width: number, height: number, content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `font-family="system-ui, sans-serif" font-size="13" text-anchor="middle">` +
    `<rect width="100%" height="100%" fill="white"/>${content}</svg>`;
}
