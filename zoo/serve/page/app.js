/** The playground: choose a model and a puzzle, and watch the answer change. */
import { Board } from "./board.js";
import {
  ask,
  byId,
  capital,
  element,
  fillSelect,
  listenToSkip,
  mayMove,
  percent,
  say,
} from "./dom.js";
import { kinds } from "./kinds.js";
import { Panel } from "./panel.js";

const FRAME_MS = 650;

/** What is shown; all of it but the answers stands in the link. */
const state = {
  models: [],
  model: "",
  beside: "",
  /** The grid of the question. */
  grid: null,
  /** Which held-out puzzle it is; null for one of the user's own. */
  sample: null,
  /** The held-out puzzle of ARC whose rule holds for the grid. */
  rule: null,
  units: null,
  at: 1,
};
const details = new Map();
let panels = [];
let tool = 1;
let timer = null;
let asking = null;

const question = new Board("Puzzle", {
  point: (cell) => point(cell),
  leave: () => point(null),
  key: (cell, event) => editKey(cell, event),
  press: (cell) => kind().isDrawn && write(cell, tool),
  drag: (cell) => kind().isDrawn && kind().isDragged(tool) && write(cell, tool),
});

function current() {
  return details.get(state.model);
}

function kind() {
  return kinds[current().kind];
}

// Choosing

async function begin() {
  byId("question").append(question.wrapper);
  listen();
  const { models } = await ask("/api/models");
  state.models = models;
  await restore();
}

/** Takes up what the link says, or a first puzzle. */
async function restore() {
  const link = new URLSearchParams(location.hash.slice(1));
  const known = state.models.filter(({ place }) => place !== "remote");
  if (known.length === 0) {
    say(
      "No weights are on this machine: deno task zoo pull --all fetches them, deno task train makes some",
      true,
    );
    return;
  }
  const nameOf = (name) => known.some((model) => model.name === name) ? name : "";
  const model = nameOf(link.get("model")) || best(known).name;
  const beside = nameOf(link.get("beside"));
  const missing = ["model", "beside"].map((key) => link.get(key)).find((name) =>
    name && !nameOf(name)
  );
  await loadDetails(model, beside);
  const isPair = beside !== "" && beside !== model &&
    isSame(details.get(model), details.get(beside));
  Object.assign(state, { model, beside: isPair ? beside : "" });
  const puzzle = link.get("puzzle");
  state.units = clamped(Number(link.get("segments")) || null);
  const fault = puzzle === null ? "" : takePuzzle(puzzle, Number(link.get("number")) || 1);
  if (puzzle === null || fault !== "") takeSample(middle());
  drawAll();
  const complaint = missing ? `The link names ${missing}, which is not on this machine` : fault;
  await solve(Number(link.get("at")) || null, complaint);
}

/** The model that solves most; Sudoku before others. */
function best(models) {
  const worth = ({ kind, exact }) => (kind === "sudoku" ? 1 : 0) + (exact ?? -1);
  return models.reduce((a, b) => worth(b) > worth(a) ? b : a);
}

async function loadDetails(...names) {
  for (const name of names) {
    if (name === "" || details.has(name)) continue;
    say(`Loading ${name}…`);
    details.set(name, await ask(`/api/puzzles?model=${encodeURIComponent(name)}`));
  }
  say("");
}

function isSame(a, b) {
  return a.kind === b.kind && a.size === b.size && (a.kind !== "arc" || a.title === b.title);
}

/** A held-out puzzle that is neither the easiest nor the hardest. */
function middle() {
  return Math.floor(current().samples.length * 0.8);
}

function takeSample(index) {
  const { samples, size } = current();
  const sample = samples[index];
  state.sample = state.rule = sample === undefined ? null : index;
  state.grid = sample?.question ?? kind().empty(size) ?? null;
}

/** Takes the puzzle of a link; what is wrong with it, in words, else an empty text. */
function takePuzzle(text, number) {
  const { kind: name, samples, size } = current();
  let grid = text;
  if (name === "arc") {
    const [task, own] = text.split(":");
    const index = samples.findIndex((sample) =>
      sample.puzzle === task && (own !== undefined || sample.number === number)
    );
    if (index < 0) return `The link names the task ${task}, which this model does not hold out`;
    takeSample(index);
    if (own === undefined) return "";
    grid = own;
  }
  try {
    state.grid = kind().parse(grid, size);
  } catch (error) {
    return `Cannot read the puzzle of the link: ${error.message}`;
  }
  state.sample = sampleLike(state.grid);
  return "";
}

/** The held-out puzzle that a grid is, under the same rule; null for one of the user's own. */
function sampleLike(grid) {
  const { kind: name, samples } = current();
  const text = kind().format(grid);
  const index = samples.findIndex(({ question, puzzle }) =>
    kind().format(question) === text && (name !== "arc" || puzzle === samples[state.rule].puzzle)
  );
  return index < 0 ? null : index;
}

/** The puzzle as the server reads it: of ARC, the name of the task, and a grid of the user's own. */
function asked() {
  const text = kind().format(state.grid);
  if (current().kind !== "arc") return { puzzle: text };
  const { puzzle, number } = current().samples[state.rule];
  return state.sample === null ? { puzzle: `${puzzle}:${text}` } : { puzzle, number };
}

async function chooseModel(name) {
  if (!await isLoaded(name, "model")) return;
  const before = current();
  const puzzle = state.grid === null ? null : asked();
  state.model = name;
  if (state.beside !== "") {
    if (state.beside === name || !isSame(details.get(state.beside), current())) state.beside = "";
  }
  const isKept = puzzle !== null && isSame(before, current()) &&
    takePuzzle(puzzle.puzzle, puzzle.number ?? 1) === "";
  if (!isKept) takeSample(middle());
  state.units = null;
  drawAll();
  await solve();
}

/** Loads what was chosen in a list; false where something else is chosen there by then. */
async function isLoaded(name, list) {
  try {
    await loadDetails(name);
  } catch (error) {
    drawChoices(); // what is shown still
    throw error;
  }
  return byId(list).value === name;
}

async function chooseBeside(name) {
  if (!await isLoaded(name, "beside")) return;
  state.beside = name;
  const isOther = name !== "" && !isSame(details.get(name), current());
  if (isOther) state.beside = "";
  drawAll();
  await solve(null, isOther ? `${name} is for other puzzles` : "");
}

async function chooseSample(index) {
  takeSample(index);
  drawAll();
  await solve();
}

// Solving

/** As many units of thought as may be asked for; null stays null. */
function clamped(units) {
  return units && Math.min(current().most, Math.max(1, Math.round(units)));
}

/** Units of thought that are asked for. */
function units() {
  return Math.min(state.units ?? current().trained, current().most);
}

/** Asks every model, and says `complaint` meanwhile; shows the answer `at` a segment, or plays. */
async function solve(at = null, complaint = "") {
  asking?.abort();
  const mine = asking = new AbortController();
  pause();
  say(complaint, complaint !== "");
  if (state.grid === null) return;
  for (const panel of panels) panel.clear(state.grid);
  byId("stage").classList.remove("stale");
  const puzzle = asked();
  const answers = panels.map(async (panel) => {
    const { most, trained } = details.get(panel.model.name);
    const body = {
      model: panel.model.name,
      ...puzzle,
      units: Math.min(state.units ?? trained, most),
    };
    try {
      panel.show(
        await ask("/api/solve", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
          signal: mine.signal,
        }),
      );
    } catch (error) {
      if (error.name === "AbortError") return;
      panel.fail("No answer");
      say(error.message, true);
    }
  });
  await Promise.all(answers);
  if (mine.signal.aborted) return;
  const last = length();
  if (last === 0) return go(1);
  go(at === null ? mayMove() ? 1 : last : at);
  if (at === null && mayMove()) play();
}

/** The most units that a panel has. */
function length() {
  return Math.max(0, ...panels.map((panel) => panel.length));
}

// Playing

function go(at) {
  const last = Math.max(1, length());
  state.at = Math.min(last, Math.max(1, at));
  for (const panel of panels) panel.go(state.at);
  const slider = byId("at");
  slider.max = last;
  slider.value = state.at;
  slider.disabled = last === 1;
  const { unit } = current();
  slider.setAttribute("aria-valuetext", `${unit} ${state.at} of ${last}`);
  byId("at-text").replaceChildren(
    element("span", { textContent: `${capital(unit)} ` }),
    `${state.at} of`,
  );
  byId("back").disabled = state.at === 1;
  byId("on").disabled = state.at === last;
  byId("play").disabled = last === 1;
  if (state.at === last) pause();
  writeLink();
}

function play() {
  if (length() < 2) return;
  if (state.at >= length()) go(1);
  clearInterval(timer);
  timer = setInterval(() => go(state.at + 1), FRAME_MS);
  drawPlay();
}

function pause() {
  clearInterval(timer);
  timer = null;
  drawPlay();
}

function toggle() {
  if (timer === null) play();
  else pause();
}

function step(by) {
  pause();
  go(state.at + by);
}

function drawPlay() {
  const button = byId("play");
  const isPlaying = timer !== null;
  button.classList.toggle("playing", isPlaying);
  button.setAttribute("aria-label", isPlaying ? "Pause" : "Play");
}

// Editing

function editKey(cell, event) {
  if (event.key === "Enter") {
    event.preventDefault();
    return solve();
  }
  if (!kind().isEditable || event.key === "." || event.key === " ") return;
  const value = kind().valueOfKey(event.key, current().size);
  if (value === null) return;
  event.preventDefault();
  write(cell, value);
}

function write(cell, value) {
  const cells = kind().written(state.grid, cell, value);
  if (cells.every((other, i) => other === state.grid.cells[i])) return;
  edited({ ...state.grid, cells });
}

function edited(grid) {
  state.grid = grid;
  state.sample = sampleLike(grid);
  asking?.abort();
  pause();
  byId("stage").classList.add("stale");
  say("");
  drawQuestion();
  drawSamples();
  writeLink();
}

function typed(text) {
  try {
    edited(kind().parse(text, current().size));
  } catch (error) {
    say(error.message, true);
  }
}

function point(cell) {
  const isSameGrid = current().kind !== "arc";
  for (const panel of panels) panel.point(cell);
  if (isSameGrid) question.mark(cell);
}

// Drawing

function drawAll() {
  drawChoices();
  drawSamples();
  drawQuestion();
  drawPalette();
  drawDemonstrations();
  drawPanels();
  const { unit, most } = current();
  const plural = unit === "pass" ? "passes" : `${unit}s`;
  byId("units-label").textContent = `${capital(plural)} to think for`;
  byId("at-label").textContent = unit;
  const input = byId("units");
  input.value = units();
  input.max = most;
  input.disabled = most === 1;
  const isEditable = kind().isEditable;
  for (const id of ["clear", "as-text", "palette"]) byId(id).hidden = !isEditable;
  byId("text-help").textContent = kind().textHelp;
}

function drawChoices() {
  fillSelect(byId("model"), groupsOf(state.models), state.model);
  const mine = state.models.find(({ name }) => name === state.model);
  const alike = state.models.filter(({ name, title, place }) =>
    name !== state.model && title === mine.title && place !== "remote"
  );
  const none = { value: "", textContent: alike.length === 0 ? "No other knows it" : "Nothing" };
  fillSelect(byId("beside"), [none, ...groupsOf(alike)], state.beside);
  byId("beside").disabled = alike.length === 0;
}

/** Models as options by what they solve; then those of runs, and those that cannot be picked. */
function groupsOf(models) {
  const groups = Map.groupBy(models, ({ place, title }) => {
    if (place === "remote") return "Not fetched: deno task zoo pull";
    return place === "run" ? "Runs on this machine" : title;
  });
  const places = ["zoo", "run", "remote"];
  return [...groups].sort(([, a], [, b]) => places.indexOf(a[0].place) - places.indexOf(b[0].place))
    .map(([label, members]) => [label, members.map(optionOf)]);
}

function optionOf({ name, title, exact, place }) {
  const what = place === "zoo" ? "" : ` · ${title ?? "unknown puzzles"}`;
  const solves = exact === null ? "" : ` · solves ${percent(exact)}`;
  return { value: name, textContent: `${name}${what}${solves}`, disabled: place === "remote" };
}

function drawSamples() {
  const { samples, ratingTitle, kind: name } = current();
  const options = samples.map((sample, i) => ({
    value: String(i),
    textContent: name === "arc"
      ? `${sample.puzzle}${sample.number > 1 ? ` · test ${sample.number}` : ""}`
      : `Held out ${i + 1} · ${ratingText(sample.rating, ratingTitle)}`,
  }));
  const rule = name === "arc" && state.rule !== null ? ` · ${samples[state.rule].puzzle}` : "";
  const own = state.sample === null ? [{ value: "", textContent: `Your own${rule}` }] : [];
  fillSelect(
    byId("sample"),
    [...own, ...options],
    state.sample === null ? "" : String(state.sample),
  );
  byId("another").disabled = samples.length < 2;
  byId("puzzle-note").textContent = state.sample === null
    ? "your own"
    : ratingText(samples[state.sample].rating, ratingTitle);
}

function ratingText(rating, title) {
  if (title === "path") return `path of ${rating}`;
  return `${rating} ${rating === 1 ? title.replace(/s$/, "") : title}`;
}

function drawQuestion() {
  const { grid } = state;
  if (grid === null) return;
  const rules = kind(), { size } = current();
  question.wrapper.classList.toggle("drawn", rules.isDrawn);
  question.draw(grid, (cell) => {
    const value = grid.cells[cell];
    const edges = rules.edges(size, Math.floor(cell / grid.columns), cell % grid.columns);
    const given = rules.isGiven(value) ? "given" : "";
    const classes = [rules.classOf(value), ...edges, given, rules.isEditable ? "editable" : ""];
    return {
      text: rules.symbol(value),
      name: rules.name(value),
      classes: classes.filter(Boolean).join(" "),
      strength: 0,
    };
  });
  if (rules.isEditable && document.activeElement !== byId("text")) {
    byId("text").value = rules.format(grid).replaceAll("/", "\n");
  }
}

function drawPalette() {
  const rules = kind();
  const isTool = rules.isDrawn;
  const entries = rules.palette?.(current().size) ?? [];
  const rows = entries.length > 8 ? 2 : 1;
  byId("palette").style.setProperty("--entries", Math.max(1, entries.length / rows));
  byId("palette").replaceChildren(...entries.map((entry) => {
    const { value, label, title, swatch } = entry;
    const button = element("button", {
      ...{ type: "button", textContent: label, title, "aria-label": title },
      class: isTool ? "tool" : "digit",
      value,
    });
    if (swatch) button.append(element("i", { class: `swatch colour ${swatch}` }));
    button.addEventListener(
      "click",
      () => isTool ? pickTool(value) : write(question.current, value),
    );
    return button;
  }));
  if (isTool) pickTool(entries.some(({ value }) => value === tool) ? tool : entries[0].value);
}

function pickTool(value) {
  tool = value;
  for (const button of byId("palette").children) {
    button.setAttribute("aria-pressed", String(button.value === String(value)));
  }
}

function drawDemonstrations() {
  const sample = state.rule === null ? undefined : current().samples[state.rule];
  const pairs = sample?.demonstrations ?? [];
  const place = byId("demonstrations");
  place.hidden = pairs.length === 0;
  byId("stage").classList.toggle("shows-rule", pairs.length > 0);
  const drawn = pairs.map(({ input, output }, i) =>
    element("div", { class: "pair" }, [
      still(input, `Example ${i + 1}, input`),
      element("span", { class: "arrow", textContent: "→", "aria-hidden": "true" }),
      still(output, `Example ${i + 1}, output`),
    ])
  );
  place.replaceChildren(element("h3", { textContent: "The rule by example" }), ...drawn);
}

/** A grid that is only looked at. */
function still(grid, label) {
  const cells = grid.cells.map((value) => element("i", { class: `cell ${kind().classOf(value)}` }));
  const made = element("div", { class: "board still", role: "img", "aria-label": label }, cells);
  made.style.setProperty("--columns", grid.columns);
  made.style.setProperty("--rows", grid.rows);
  return made;
}

function drawPanels() {
  const names = [state.model, state.beside].filter(Boolean);
  panels = names.map((name) => {
    const model = state.models.find((each) => each.name === name);
    return new Panel(model, details.get(name), { point, leave: () => point(null), go: pickAt });
  });
  byId("answers").replaceChildren(...panels.map((panel) => panel.element));
  byId("stage").classList.toggle("two", panels.length === 2);
}

function pickAt(at) {
  pause();
  go(at);
}

// The link

function writeLink() {
  const { model, beside, grid, at } = state;
  if (grid === null) return;
  const { puzzle, number = 1 } = asked();
  const link = new URLSearchParams({
    model,
    ...(beside === "" ? {} : { beside }),
    puzzle,
    ...(number > 1 ? { number } : {}),
    segments: units(),
    at,
  });
  const hash = `#${link.toString().replaceAll("%2F", "/").replaceAll("%3A", ":")}`;
  if (hash !== location.hash) history.replaceState(null, "", hash);
}

async function share() {
  try {
    await navigator.clipboard.writeText(location.href);
    say("The link is copied: it holds the models, the puzzle and the segment");
  } catch {
    say("The address of this page is the link: copy it from the address bar");
  }
}

// Listening

function listen() {
  const failing = (act) => (...args) =>
    Promise.resolve(act(...args)).catch((error) => say(error.message, true));
  const on = (id, event, act) => byId(id).addEventListener(event, failing(act));
  on("choices", "submit", (event) => event.preventDefault());
  on("model", "change", ({ target }) => chooseModel(target.value));
  on("beside", "change", ({ target }) => chooseBeside(target.value));
  on("sample", "change", ({ target }) => chooseSample(Number(target.value)));
  on("another", "click", () => {
    const { samples } = current();
    const by = 1 + Math.floor(Math.random() * (samples.length - 1));
    return chooseSample(((state.sample ?? 0) + by) % samples.length);
  });
  on("share", "click", share);
  on("solve", "click", () => {
    byId("answers").scrollIntoView({ block: "nearest" });
    return solve();
  });
  on("clear", "click", () => edited(kind().empty(current().size, state.grid)));
  on("text", "input", ({ target }) => typed(target.value));
  on("play", "click", toggle);
  on("back", "click", () => step(-1));
  on("on", "click", () => step(1));
  on("at", "input", ({ target }) => pickAt(Number(target.value)));
  on("units", "change", ({ target }) => {
    state.units = clamped(Number(target.value) || 1);
    target.value = state.units;
    return solve();
  });
  listenToSkip();
  addEventListener("keydown", pageKey);
  addEventListener("paste", pasted);
  addEventListener("hashchange", failing(restore));
}

function pageKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || state.grid === null) return;
  const { target } = event;
  if (target.closest("input:not([type=range]), textarea, select")) return;
  const inGrid = target.closest("[role=grid]") !== null;
  const act = {
    ",": () => step(-1),
    ".": () => step(1),
    ...(target.closest("button, a, summary") ? {} : { " ": toggle }),
    ...(inGrid || target.type === "range"
      ? {}
      : { Home: () => pickAt(1), End: () => pickAt(length()) }),
  }[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
}

function pasted(event) {
  if (event.target.closest?.("input, textarea") || !state.grid || !kind().isEditable) return;
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (text.trim() === "") return;
  event.preventDefault();
  typed(text);
}

begin().catch((error) => say(error.message, true));
