/** Training runs: followed as they go, and held against each other. */
import { LineChart } from "./chart.js";
import { ask, byId, element, listenToSkip, percent, say } from "./dom.js";

/** Runs that are drawn at the same time: as many as there are colours. */
const MOST = 5;
/** Points of a line; of more, every second one is dropped. */
const MOST_POINTS = 2000;

const number = (x) =>
  Math.abs(x) >= 0.001 || x === 0 ? String(+x.toPrecision(3)) : x.toExponential(1);
const share = (x) => percent(x);

const charts = [
  { chart: new LineChart("Loss", "over the batch", number), field: "loss" },
  {
    chart: new LineChart("Solved", "held-out puzzles", share),
    field: "exact",
  },
  { chart: new LineChart("Cells right", "in training", share), field: "accuracy" },
  { chart: new LineChart("Puzzles solved", "in training", share), field: "exactAccuracy" },
  { chart: new LineChart("Learning rate", "", number), field: "lr" },
  { chart: new LineChart("Gradient norm", "before clipping", number), field: "gradNorm" },
];

/** Runs that are followed, by name: `{ colour, points, source }`. */
const followed = new Map();
let runs = [];
let isDrawing = false;

async function begin() {
  await refresh();
  byId("charts").replaceChildren(...charts.map(({ chart }) => chart.element));
  const asked = new URLSearchParams(location.hash.slice(1)).get("runs")?.split(",") ?? [];
  const known = asked.filter((name) => runs.some((run) => run.name === name)).slice(0, MOST);
  for (const name of known.length > 0 ? known : runs.slice(0, 1).map(({ name }) => name)) {
    follow(name);
  }
  drawList();
  draw();
  setInterval(() => {
    if (!document.hidden) refresh().then(drawList).catch((error) => say(error.message, true));
  }, 5000);
}

async function refresh() {
  ({ runs } = await ask("/api/runs"));
  say("");
}

// Following

function follow(name) {
  const taken = new Set([...followed.values()].map(({ colour }) => colour));
  const colour = [1, 2, 3, 4, 5].find((each) => !taken.has(each));
  if (colour === undefined) return;
  const run = { colour };
  followed.set(name, run);
  listen(name, run);
}

/** Takes up all that a run reports, from its beginning. */
function listen(name, run) {
  run.points = {};
  run.source = new EventSource(`/api/runs/${pathOf(name)}/events`);
  run.source.addEventListener("message", ({ data }) => data !== "" && take(run, JSON.parse(data)));
  run.source.addEventListener("reset", () => run.points = {});
}

/** A tab that nobody sees lets its connections go: a browser has six for all tabs together. */
function seen() {
  for (const [name, run] of followed) {
    if (document.hidden) run.source.close();
    else listen(name, run);
  }
}

function leave(name) {
  followed.get(name)?.source.close();
  followed.delete(name);
}

function pathOf(name) {
  return name.split("/").map(encodeURIComponent).join("/");
}

function take({ points }, line) {
  const evaluation = line.evaluation ?? line.final?.final;
  const values = { ...line, ...(evaluation === undefined ? {} : { exact: evaluation.exact }) };
  for (const { field } of charts) {
    if (typeof values[field] !== "number") continue;
    const list = points[field] ??= [];
    while (list.length > 0 && list.at(-1)[0] >= line.step) list.pop(); // it was resumed
    list.push([line.step, values[field]]);
    if (list.length > MOST_POINTS) {
      points[field] = list.filter((_, i) => i % 2 === 0 || i === list.length - 1);
    }
  }
  if (!isDrawing) requestAnimationFrame(draw);
  isDrawing = true;
}

// Drawing

function draw() {
  isDrawing = false;
  const recipes = [...followed.keys()].map((name) => name.split("/")[0]);
  const shortName = (name) => {
    const [recipe] = name.split("/");
    return recipes.filter((each) => each === recipe).length === 1 ? recipe : name;
  };
  for (const { chart, field } of charts) {
    chart.series = [...followed].flatMap(([name, { colour, points }]) =>
      points[field] === undefined ? [] : [{
        name: followed.size > 1 ? shortName(name) : "",
        colour,
        points: points[field],
        dots: field === "exact",
      }]
    );
  }
}

function drawList() {
  byId("charts").hidden = runs.length === 0;
  const live = runs.filter(({ isLive }) => isLive).length;
  byId("runs-note").textContent = live === 0 ? `${runs.length}` : `${live} live`;
  if (runs.length === 0) {
    byId("list").replaceChildren(
      element("li", {
        class: "note",
        textContent: "None yet: deno task train hrm-sudoku begins one",
      }),
    );
    return;
  }
  const focused = document.activeElement?.value;
  byId("list").replaceChildren(...runs.map(listItem));
  if (focused) byId("list").querySelector(`input[value="${CSS.escape(focused)}"]`)?.focus();
}

function listItem({ name, recipe, preset, step, steps, exact, isDone, isLive }) {
  const colour = followed.get(name)?.colour;
  const box = element("input", { type: "checkbox", value: name, checked: colour !== undefined });
  box.disabled = colour === undefined && followed.size >= MOST;
  if (box.disabled) box.title = `${MOST} runs are drawn together at most`;
  box.addEventListener("change", () => choose(name, box.checked));
  const state = isDone ? `solves ${percent(exact)}` : isLive ? "live" : "stopped";
  const bar = element("i", { class: "fill" });
  bar.style.setProperty("--chance", Math.min(1, step / steps));
  return element("li", {}, [
    element("label", { class: `run s${colour ?? 0}` }, [
      box,
      element("span", { class: "run-name" }, [
        element("b", { textContent: recipe }),
        element("span", {
          class: "note",
          textContent: `${preset} · ${name.slice(name.indexOf("/") + 1)}`,
        }),
      ]),
      element("span", {
        class: `badge ${isLive ? "live" : isDone ? "good" : ""}`,
        textContent: state,
      }),
      element("span", { class: "progress", title: `${step} of ${steps} steps` }, [bar]),
    ]),
  ]);
}

function choose(name, isWanted) {
  if (isWanted) follow(name);
  else leave(name);
  const names = [...followed.keys()].map(pathOf);
  history.replaceState(null, "", names.length === 0 ? "#" : `#runs=${names.join(",")}`);
  drawList();
  draw();
}

listenToSkip();
document.addEventListener("visibilitychange", seen);
begin().catch((error) => say(error.message, true));
