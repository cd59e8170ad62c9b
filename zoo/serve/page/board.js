/** A grid of cells that can be walked with the arrow keys. */
import { element } from "./dom.js";

const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** Draws a grid; tells which cell is pointed at or focused, and which keys are pressed there. */
export class Board {
  #label;
  #on;
  #cells = [];
  #shape = "";
  #current = 0;

  /** `on` may have `point(cell)`, `leave()`, `key(cell, event)`, `press(cell)` and `drag(cell)`. */
  constructor(label, on = {}) {
    this.#label = label;
    this.#on = on;
    this.element = element("div", { class: "board", role: "grid", "aria-label": label });
    this.wrapper = element("div", { class: "board-wrapper" }, [this.element]);
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("focusin", ({ target }) => this.#reach(target));
    this.element.addEventListener("pointerover", ({ target, buttons }) => {
      const cell = this.#cells.indexOf(target);
      if (cell < 0) return;
      on.point?.(cell);
      if (buttons === 1) on.drag?.(cell);
    });
    // a finger that is lifted leaves as well: what it touched last stays looked at
    this.element.addEventListener("pointerleave", ({ pointerType }) => {
      if (pointerType === "mouse") on.leave?.();
    });
    this.element.addEventListener("pointerdown", (event) => {
      const cell = this.#cells.indexOf(event.target);
      if (cell < 0) return;
      event.target.releasePointerCapture?.(event.pointerId); // a finger drags over cells, too
      this.#cells[cell].focus();
      on.press?.(cell);
    });
  }

  /** The cell that was reached last. */
  get current() {
    return this.#current;
  }

  /** Shows a grid; `look(cell)` gives `{ text, name, classes, strength }` of a cell. */
  draw({ rows, columns }, look) {
    const shape = `${rows}×${columns}`;
    if (shape !== this.#shape) this.#build(rows, columns);
    this.#shape = shape;
    this.#cells.forEach((cell, i) => {
      const { text, name, classes, strength = 1 } = look(i);
      const place = `row ${Math.floor(i / columns) + 1}, column ${i % columns + 1}`;
      if (cell.textContent !== text) cell.textContent = text;
      cell.className = `cell ${classes}`;
      cell.style.setProperty("--strength", strength.toFixed(3));
      cell.setAttribute("aria-label", `${place}: ${name}`);
    });
  }

  /** Marks a cell as the one that is looked at; null for none. */
  mark(cell) {
    this.#cells.forEach((each, i) => each.classList.toggle("marked", i === cell));
  }

  #build(rows, columns) {
    this.element.style.setProperty("--columns", Math.max(1, columns));
    this.element.style.setProperty("--rows", Math.max(1, rows));
    this.element.setAttribute("aria-label", `${this.#label}, ${rows} by ${columns}`);
    this.#current = Math.min(this.#current, Math.max(0, rows * columns - 1));
    this.#cells = Array.from(
      { length: rows * columns },
      (_, i) => element("div", { role: "gridcell", tabIndex: i === this.#current ? 0 : -1 }),
    );
    const lines = Array.from(
      { length: rows },
      (_, row) =>
        element(
          "div",
          { role: "row", class: "board-row" },
          this.#cells.slice(row * columns, (row + 1) * columns),
        ),
    );
    this.element.replaceChildren(...lines);
    this.columns = columns;
  }

  #reach(target) {
    const cell = this.#cells.indexOf(target);
    if (cell < 0) return;
    this.#cells[this.#current].tabIndex = -1;
    this.#current = cell;
    target.tabIndex = 0;
    this.#on.point?.(cell);
  }

  #key(event) {
    const move = moves[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (move === undefined) return this.#on.key?.(this.#current, event);
    event.preventDefault();
    const rows = this.#cells.length / this.columns;
    const row = Math.floor(this.#current / this.columns) + move[0];
    const column = this.#current % this.columns + move[1];
    if (row < 0 || column < 0 || row >= rows || column >= this.columns) return;
    this.#cells[row * this.columns + column].focus();
  }
}
