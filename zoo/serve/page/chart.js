/** Charts as SVG: how a model's thought went, and how runs go. */
import { element, svg } from "./dom.js";

/**
 * A column for each unit of thought: how many cells changed, grey, and how sure the model is
 * to be done, a line. `onPick(at)` is told which column is clicked.
 */
export function thoughtChart(units, { unit, trained, onPick }) {
  const width = 320, height = 64, base = height - 2, top = 6;
  const step = width / units.length;
  const most = Math.max(1, ...units.slice(1).map(({ changed }) => changed.length));
  const yOf = (share) => base - share * (base - top);
  const middle = (i) => (i + 0.5) * step;
  const gap = Math.min(3, step * 0.15);
  const columns = units.map(({ changed }, i) => {
    const y = yOf(changed.length / most);
    const bar = svg("rect", {
      ...{ class: "change", x: i * step + gap, y, rx: 1.5 },
      ...{ width: Math.max(1, step - 2 * gap), height: base - y },
    });
    const area = svg("rect", { class: "area", x: i * step, y: 0, width: step, height });
    const column = svg("g", { class: "column", "data-at": i + 1 }, [area, bar]);
    column.addEventListener("click", () => onPick(i + 1));
    return column;
  });
  const halts = units.map(({ haltLogit }) => haltLogit).filter((logit) => logit !== null)
    .map((logit) => 1 / (1 + Math.exp(-logit)));
  const line = halts.map((p, i) => `${middle(i).toFixed(1)},${yOf(p).toFixed(1)}`).join(" ");
  const limit = units.length > trained
    ? [svg("line", { class: "limit", x1: trained * step, x2: trained * step, y1: 0, y2: height })]
    : [];
  const first = halts.findIndex((p) => p >= 0.5);
  const summary = halts.length === 0
    ? "The model has no halting head."
    : first < 0
    ? "Halting stays below 50 %."
    : `Halting first reaches 50 % after ${unit} ${first + 1}.`;
  const drawing = svg("svg", {
    ...{ viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img" },
    "aria-label": `Cells changed and probability of halting by ${unit}. ${summary}`,
  }, [
    ...columns,
    svg("line", { class: "base", x1: 0, x2: width, y1: base, y2: base }),
    ...limit,
    ...(line === "" ? [] : [svg("polyline", { class: "halting", points: line })]),
    ...(halts.length === 1
      ? [svg("circle", { class: "halting-dot", cx: middle(0), cy: yOf(halts[0]), r: 3 })]
      : []),
  ]);
  const legend = element("p", { class: "legend" }, [
    ...(halts.length > 0 ? [key("halting", "halting")] : []),
    key("change", "cells changed"),
    ...(limit.length > 0 ? [key("limit", `trained with ${trained}`)] : []),
  ]);
  return element("div", {}, [drawing, legend]);
}

function key(name, text) {
  return element("span", { class: `key ${name}`, textContent: text });
}

const HEIGHT = 190, LEFT = 52, RIGHT = 12, TOP = 10, BOTTOM = 24;

/** Lines over training steps; `series` is `{ name, colour, points: [x, y][], dots }` each. */
export class LineChart {
  #format;
  #body = element("div", { class: "plot" });
  #readout = element("p", { class: "readout" });
  #series = [];
  #at = null;

  /** A chart without lines; `format` writes a value. */
  constructor(title, note, format) {
    this.#format = format;
    this.element = element("figure", { class: "card chart" }, [
      element("figcaption", {}, [
        element("h2", { textContent: title }),
        element("span", { class: "note", textContent: note }),
      ]),
      this.#body,
      this.#readout,
    ]);
    this.#body.tabIndex = 0;
    this.#body.setAttribute("role", "img");
    this.#body.setAttribute("aria-label", title);
    this.title = title;
    new ResizeObserver(() => this.#draw()).observe(this.#body);
    this.#body.addEventListener("pointermove", (event) => this.#follow(event));
    this.#body.addEventListener("pointerleave", () => this.#read(null));
    this.#body.addEventListener("blur", () => this.#read(null));
    this.#body.addEventListener("keydown", (event) => this.#walk(event));
  }

  /** Draws other lines. */
  set series(series) {
    this.#series = series;
    this.#draw();
  }

  #scale = null;

  #draw() {
    const width = this.#body.clientWidth;
    if (width === 0) return;
    const points = this.#series.flatMap(({ points }) => points);
    if (points.length === 0) {
      this.#scale = null;
      this.#body.replaceChildren(
        element("p", { class: "empty", textContent: "Nothing reported yet" }),
      );
      return;
    }
    const xs = points.map(([x]) => x), ys = points.map(([, y]) => y);
    const lastX = xs.reduce((a, b) => Math.max(a, b)),
      low = Math.min(0, ys.reduce((a, b) => Math.min(a, b)));
    const ticks = niceTicks(low, ys.reduce((a, b) => Math.max(a, b)), 4);
    const high = Math.max(ticks.at(-1), low + 1e-12);
    const xOf = (x) => LEFT + x / Math.max(1, lastX) * (width - LEFT - RIGHT);
    const yOf = (y) => TOP + (high - y) / (high - ticks[0]) * (HEIGHT - TOP - BOTTOM);
    this.#scale = { xOf, yOf, lastX, width };
    const grid = ticks.flatMap((tick) => [
      svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: yOf(tick), y2: yOf(tick) }),
      label(LEFT - 8, yOf(tick) + 4, "end", this.#format(tick)),
    ]);
    const steps = niceTicks(0, lastX, width > 420 ? 5 : 3).filter((x) => x <= lastX)
      .map((x) =>
        label(xOf(x), HEIGHT - 6, x === 0 ? "start" : x > 0.97 * lastX ? "end" : "middle", short(x))
      );
    const lines = this.#series.flatMap(({ colour, points, dots }) => {
      const path = points.map(([x, y]) => `${xOf(x).toFixed(1)},${yOf(y).toFixed(1)}`).join(" ");
      const line = svg("polyline", { class: `line s${colour}`, points: path });
      const marks = dots || points.length === 1
        ? points.map(([x, y]) =>
          svg("circle", { class: `dot s${colour}`, cx: xOf(x), cy: yOf(y), r: 3 })
        )
        : [];
      return [line, ...marks];
    });
    const cursor = svg("g", { class: "cursor" });
    const drawing = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT }, [
      ...grid,
      ...steps,
      ...lines,
      cursor,
    ]);
    this.#body.replaceChildren(drawing);
    const values = this.#values(lastX).map(({ text }) => text);
    this.#body.setAttribute("aria-label", `${this.title}. ${values.join(" · ")}`);
    this.#read(this.#at);
  }

  #follow(event) {
    if (this.#scale === null) return;
    const { width, lastX } = this.#scale;
    const x = event.clientX - this.#body.getBoundingClientRect().left;
    const share = (x - LEFT) / (width - LEFT - RIGHT);
    this.#read(Math.min(1, Math.max(0, share)) * lastX);
  }

  #walk(event) {
    const by = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
    if (by === undefined || this.#scale === null) return;
    event.preventDefault();
    const { lastX } = this.#scale;
    this.#read(Math.min(lastX, Math.max(0, (this.#at ?? lastX) + by * lastX)));
  }

  #read(at) {
    this.#at = at;
    const cursor = this.#body.querySelector(".cursor");
    if (cursor === null) return;
    if (at === null) {
      cursor.replaceChildren();
      this.#say(this.#scale.lastX);
      return;
    }
    const { xOf, yOf } = this.#scale;
    const dots = this.#series.flatMap(({ colour, points }) => {
      const nearest = nearestPoint(points, at);
      if (nearest === null) return [];
      return [
        svg("circle", { class: `dot s${colour}`, cx: xOf(nearest[0]), cy: yOf(nearest[1]), r: 4 }),
      ];
    });
    const line = svg("line", { x1: xOf(at), x2: xOf(at), y1: TOP, y2: HEIGHT - BOTTOM });
    cursor.replaceChildren(line, ...dots);
    this.#say(at);
  }

  #say(at) {
    this.#readout.replaceChildren(
      ...this.#values(at).map(({ text, colour }) =>
        element("span", { class: `value s${colour}`, textContent: text })
      ),
    );
  }

  /** The values of each line at a step, in words. */
  #values(at) {
    return this.#series.flatMap(({ name, colour, points }) => {
      const nearest = nearestPoint(points, at);
      if (nearest === null) return [];
      const of = name === "" ? "" : `${name}: `;
      const step = nearest[0].toLocaleString("en");
      return [{ colour, text: `${of}${this.#format(nearest[1])} at step ${step}` }];
    });
  }
}

function label(x, y, anchor, text) {
  const made = svg("text", { x, y, "text-anchor": anchor });
  made.textContent = text;
  return made;
}

function nearestPoint(points, at) {
  let best = null;
  for (const point of points) {
    if (best === null || Math.abs(point[0] - at) <= Math.abs(best[0] - at)) best = point;
  }
  return best;
}

/** Round numbers from at most `low` to at least `high`. */
export function niceTicks(low, high, count) {
  const span = Math.max(high - low, 1e-12);
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const first = Math.floor(low / step), last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: Math.max(1, last - first) + 1 }, (_, i) => (first + i) * step);
}

/** 12000 as 12k. */
function short(x) {
  return x >= 1000 ? `${+(x / 1000).toPrecision(3)}k` : `${x}`;
}
