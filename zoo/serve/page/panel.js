/** What one model answers: its grid, how sure it is, and when it would halt. */
import { Board } from "./board.js";
import { thoughtChart } from "./chart.js";
import { capital, element, percent } from "./dom.js";
import { kinds } from "./kinds.js";

/** A model's answers; shows the one after a segment. */
export class Panel {
  #on;
  #kind;
  #details;
  #reply = null;
  #question = null;
  #at = 0;
  #cell = null;

  /** `on` has `point(cell)`, `leave()` and `go(at)`. */
  constructor(model, details, on) {
    this.model = model;
    this.#details = details;
    this.#kind = kinds[details.kind];
    this.#on = on;
    const id = `title-${Math.random().toString(36).slice(2)}`;
    this.#board = new Board(`Answer of ${model.name}`, { point: on.point, leave: on.leave });
    this.#title = element("h2", { id, textContent: model.name });
    this.#verdict = element("span", { class: "badge" });
    this.#summary = element("p", { class: "summary" });
    this.#chart = element("div", { class: "thought-chart" });
    this.#tokens = element("div", { class: "tokens" });
    this.#tokensTitle = element("h3");
    this.element = element("section", { class: "card answer", "aria-labelledby": id }, [
      element("div", { class: "card-head" }, [this.#title, this.#verdict]),
      this.#board.wrapper,
      element("div", { class: "thought" }, [
        this.#summary,
        this.#chart,
        this.#tokensTitle,
        this.#tokens,
      ]),
    ]);
    this.clear();
  }

  #board;
  #title;
  #verdict;
  #summary;
  #chart;
  #tokens;
  #tokensTitle;

  /** Units of thought that were answered. */
  get length() {
    return this.#reply?.units.length ?? 0;
  }

  /** Empties the panel while its model thinks. */
  clear(question = null) {
    this.#reply = null;
    this.element.classList.add("waiting");
    this.#badge("", "");
    this.#summary.textContent = question === null ? "" : "Thinking…";
    this.#chart.replaceChildren();
    if (question !== null) this.#drawQuestion(question);
    this.#drawTokens();
  }

  /** Takes in what the model answered. */
  show(reply) {
    this.#reply = reply;
    this.#question = reply.question;
    this.element.classList.remove("waiting");
    this.#chart.replaceChildren(thoughtChart(reply.units, {
      unit: this.#details.unit,
      trained: this.#details.trained,
      onPick: this.#on.go,
    }));
  }

  /** Says why there is no answer. */
  fail(message) {
    this.#summary.textContent = message;
  }

  /** Shows the answer after segment `at`, counted from 1; the last one where there are fewer. */
  go(at) {
    if (this.#reply === null) return;
    this.#at = Math.min(at, this.length) - 1;
    const { units, solution } = this.#reply;
    const { answer, changed, haltLogit, solved, probabilities } = units[this.#at];
    const isChanged = new Set(changed);
    const width = this.#details.size;
    const isSameSize = solution?.rows === answer.rows && solution.columns === answer.columns;
    const numTokens = probabilities.length / (width * width);
    this.#board.draw(answer, (cell) => {
      const value = answer.cells[cell];
      const place = Math.floor(cell / answer.columns) * width + cell % answer.columns;
      const chance = (token) => probabilities[place * numTokens + token] / 1000;
      return this.#look(cell, value, {
        chance,
        isWrong: solved === false && isSameSize && isWrongAt(answer, solution, cell),
        isChanged: isChanged.has(cell),
      });
    });
    this.#board.mark(this.#cell);
    this.#say(this.#at, changed, haltLogit, solved, answer, solution);
    for (const column of this.#chart.querySelectorAll("[data-at]")) {
      column.classList.toggle("now", Number(column.dataset.at) === this.#at + 1);
    }
    this.#drawTokens();
  }

  /** Looks at a cell; null for none. */
  point(cell) {
    this.#cell = cell;
    this.#board.mark(cell);
    this.#drawTokens();
  }

  #look(cell, value, { chance, isWrong, isChanged }) {
    const { columns } = this.#reply.units[this.#at].answer;
    const kind = this.#kind;
    const row = Math.floor(cell / columns), column = cell % columns;
    const isGiven = this.#details.kind !== "arc" && kind.isGiven(this.#question.cells[cell]);
    const classes = [
      kind.classOf(value),
      ...kind.edges(this.#details.size, row, column),
      isGiven ? "given" : "filled",
      isWrong ? "wrong" : "",
      isChanged ? "changed" : "",
    ];
    const marks = [isGiven ? "given" : "", isWrong ? "wrong" : "", isChanged ? "changed" : ""];
    const sure = chance(kind.tokenOf(value));
    return {
      text: kind.symbol(value),
      name: [kind.name(value), ...marks.filter(Boolean), percent(sure)].join(", "),
      classes: classes.filter(Boolean).join(" "),
      // a maze shows everywhere how likely the path is, the others how sure the answer is
      strength: this.#details.kind === "maze" ? chance(5) : sure,
    };
  }

  #drawQuestion(question) {
    const isArc = this.#details.kind === "arc";
    const size = this.#details.size;
    const grid = isArc ? { rows: size, columns: size, cells: [] } : question;
    const kind = this.#kind;
    this.#board.draw(grid, (cell) => {
      const value = grid.cells[cell];
      if (value === undefined) return { text: "", name: "nothing yet", classes: "colour none" };
      const edges = kind.edges(size, Math.floor(cell / grid.columns), cell % grid.columns);
      const classes = [kind.classOf(value), ...edges, kind.isGiven(value) ? "given" : "filled"];
      return {
        text: kind.symbol(value),
        name: kind.name(value),
        classes: classes.join(" "),
        strength: 0,
      };
    });
  }

  #say(at, changed, haltLogit, solved, answer, solution) {
    const { unit, trained } = this.#details;
    const cells = `${changed.length} cell${changed.length === 1 ? "" : "s"} changed`;
    const parts = [
      at === 0 ? `First ${unit}` : `${capital(unit)} ${at + 1}: ${cells}`,
      haltLogit === null ? "no halting head" : `halting ${percent(sigmoid(haltLogit))}`,
    ];
    if (at + 1 > trained) parts.push(`beyond the ${trained} of training`);
    this.#summary.textContent = parts.join(" · ");
    if (solved === null) this.#badge("not judged", "");
    else if (solved) this.#badge("solved", "good");
    else this.#badge(wrongText(answer, solution), "bad");
  }

  #badge(text, tone) {
    this.#verdict.textContent = text;
    this.#verdict.className = `badge ${tone}`;
  }

  #drawTokens() {
    const { kind, size } = this.#details;
    const shown = this.#kind.shownTokens(size);
    const reply = this.#reply;
    const unit = reply?.units[this.#at];
    const answer = unit?.answer;
    const isInside = answer !== undefined && this.#cell !== null &&
      this.#cell < answer.rows * answer.columns;
    const what = { sudoku: "digit", maze: "mark", arc: "colour" }[kind];
    this.#tokensTitle.textContent = isInside
      ? `Row ${Math.floor(this.#cell / answer.columns) + 1}, column ${
        this.#cell % answer.columns + 1
      }`
      : `Point at a cell: how likely is each ${what}?`;
    this.#tokensTitle.classList.toggle("hint", !isInside);
    const place = isInside
      ? Math.floor(this.#cell / answer.columns) * size + this.#cell % answer.columns
      : null;
    const numTokens = unit === undefined ? 0 : unit.probabilities.length / (size * size);
    const chances = shown.map(({ token }) =>
      place === null ? 0 : unit.probabilities[place * numTokens + token] / 1000
    );
    const best = Math.max(...chances);
    this.#tokens.replaceChildren(
      ...shown.map(({ label, swatch }, i) =>
        tokenBar(label, swatch, place === null ? null : chances[i], chances[i] === best)
      ),
    );
  }
}

function tokenBar(label, swatch, chance, isBest) {
  const bar = element("i", { class: "fill" });
  bar.style.setProperty("--chance", chance ?? 0);
  const name = swatch === undefined ? element("b", { textContent: label }) : element("b", {
    class: `swatch colour ${swatch}`,
    title: label,
    "aria-label": label,
    role: "img",
  });
  const number = chance === null ? "" : chance >= 0.995 ? "100" : `${Math.round(chance * 100)}`;
  return element("div", { class: `token${chance !== null && isBest ? " best" : ""}` }, [
    element("span", { class: "number", textContent: number }),
    element("span", { class: "bar" }, [bar]),
    name,
  ]);
}

function isWrongAt(answer, solution, cell) {
  if (solution === null) return false;
  const row = Math.floor(cell / answer.columns), column = cell % answer.columns;
  if (row >= solution.rows || column >= solution.columns) return true;
  return solution.cells[row * solution.columns + column] !== answer.cells[cell];
}

function wrongText(answer, solution) {
  if (solution === null) return "not solved";
  if (answer.rows !== solution.rows || answer.columns !== solution.columns) return "wrong size";
  const wrong = answer.cells.filter((_, cell) => isWrongAt(answer, solution, cell)).length;
  return `${wrong} wrong`;
}

function sigmoid(x) {
  return 1 / (1 + Math.exp(-x));
}
