/** What the page knows of each kind of puzzle: how its cells are written, drawn and edited. */

const sudokuBoxes = { 4: [2, 2], 6: [2, 3], 9: [3, 3] };
const arcColours = [
  ...["black", "blue", "red", "green", "yellow", "grey", "magenta", "orange", "sky", "maroon"],
];
const mazeCharacters = "?#.SGo";
const mazeNames = ["padding", "wall", "free", "start", "goal", "path"];

/** Cells of which one is written. */
function replaced({ cells }, cell, value) {
  return cells.map((old, i) => i === cell ? value : old);
}

/** The rows of a grid, `/` between them. */
function rowsText({ rows, columns, cells }, character = String) {
  return Array.from(
    { length: rows },
    (_, row) => cells.slice(row * columns, (row + 1) * columns).map((v) => character(v)).join(""),
  ).join("/");
}

/** A grid of one value. */
function filled(size, value) {
  return { rows: size, columns: size, cells: Array(size * size).fill(value) };
}

const sudoku = {
  isEditable: true,
  isDrawn: false,
  textHelp: "A digit a cell, row by row; . or 0 for an empty one",
  empty: (size) => filled(size, 0),
  /** Tokens are padding, blank, then the digits. */
  tokenOf: (value) => value + 1,
  shownTokens: (size) =>
    Array.from({ length: size }, (_, i) => ({ token: i + 2, label: `${i + 1}` })),
  symbol: (value) => value === 0 ? "" : String(value),
  name: (value) => value === 0 ? "empty" : String(value),
  classOf: () => "",
  edges: (size, row, column) => {
    const [height, width] = sudokuBoxes[size] ?? [size, size];
    return [
      row > 0 && row % height === 0 ? "box-top" : "",
      column > 0 && column % width === 0 ? "box-left" : "",
    ];
  },
  isGiven: (value) => value !== 0,
  palette: (size) =>
    Array.from(
      { length: size + 1 },
      (_, i) =>
        i === size
          ? { value: 0, label: "⌫", title: "Empty (0)" }
          : { value: i + 1, label: `${i + 1}`, title: `Write ${i + 1}` },
    ),
  valueOfKey: (key, size) => {
    if (key === "Backspace" || key === "Delete" || key === "0") return 0;
    return /^[1-9]$/.test(key) && Number(key) <= size ? Number(key) : null;
  },
  written: replaced,
  format: ({ cells }) => cells.map((value) => value || ".").join(""),
  parse: (text, size) => {
    const cells = [...text.replace(/[\s|+\-]/g, "")].map((c) => /[._0*]/.test(c) ? 0 : Number(c));
    if (cells.length !== size * size) {
      throw new Error(
        `A board of ${size}×${size} has ${size * size} cells, this has ${cells.length}`,
      );
    }
    if (cells.some((value) => !(value <= size))) {
      throw new Error(`Cells are digits from 1 to ${size}`);
    }
    return { rows: size, columns: size, cells };
  },
};

const maze = {
  isEditable: true,
  isDrawn: true,
  /** There is one start and one goal. */
  isDragged: (value) => value <= 2,
  textHelp: "Row by row: # wall, . free, S start, G goal; / or a new line ends a row",
  empty: (size) => {
    const grid = filled(size, 2);
    grid.cells[0] = 3;
    grid.cells[size * size - 1] = 4;
    return grid;
  },
  tokenOf: (value) => value,
  shownTokens: () => [5, 2, 1, 3, 4].map((token) => ({ token, label: mazeNames[token] })),
  symbol: (value) => value === 3 ? "S" : value === 4 ? "G" : "",
  name: (value) => mazeNames[value],
  classOf: (value) => mazeNames[value],
  edges: () => [],
  isGiven: (value) => value !== 2,
  palette: () => [
    { value: 1, label: "Wall", title: "Wall (1)" },
    { value: 2, label: "Free", title: "Free (2)" },
    { value: 3, label: "Start", title: "Start (3)" },
    { value: 4, label: "Goal", title: "Goal (4)" },
  ],
  valueOfKey: (key) => {
    const value = {
      1: 1,
      2: 2,
      3: 3,
      4: 4,
      "#": 1,
      w: 1,
      f: 2,
      s: 3,
      g: 4,
      Delete: 2,
      Backspace: 2,
    };
    return value[key] ?? null;
  },
  /** There is one start and one goal: the old one becomes free, and the last one stays. */
  written: ({ cells }, cell, value) => {
    if (cells[cell] === 3 || cells[cell] === 4) {
      if (value !== 3 && value !== 4) return cells;
      const other = cells.indexOf(value);
      return cells.map((old, i) => i === cell ? value : i === other ? cells[cell] : old);
    }
    const isEnd = value === 3 || value === 4;
    return cells.map((old, i) => i === cell ? value : isEnd && old === value ? 2 : old);
  },
  format: (grid) => rowsText(grid, (value) => mazeCharacters[value]),
  parse: (text, size) => {
    const lines = text.replace(/\r/g, "").replace(/^\n+|\n+$/g, "").split(/[\n/]/);
    const rows = lines.length === 1 && lines[0].length === size * size
      ? Array.from({ length: size }, (_, row) => lines[0].slice(row * size, (row + 1) * size))
      : lines;
    if (rows.length !== size || rows.some((line) => line.length !== size)) {
      throw new Error(`A maze of ${size}×${size} has ${size} rows of ${size} cells`);
    }
    const cells = [...rows.join("")].map((c) => c === " " ? 2 : mazeCharacters.indexOf(c));
    if (cells.some((value) => value < 1)) throw new Error("Cells are # . S G");
    const numOf = (value) => cells.filter((cell) => cell === value).length;
    if (numOf(3) !== 1 || numOf(4) !== 1) throw new Error("A maze has one start S and one goal G");
    return { rows: size, columns: size, cells: cells.map((value) => value === 5 ? 2 : value) };
  },
};

const arc = {
  isEditable: true,
  isDrawn: true,
  isDragged: () => true,
  textHelp: "A digit a cell, 0 to 9, row by row; / or a new line ends a row",
  /** Of the size that it had; there is none without a task whose rule it is for. */
  empty: (_size, grid) => grid && { ...grid, cells: grid.cells.map(() => 0) },
  /** Tokens are padding, the end, then the colours. */
  tokenOf: (value) => value + 2,
  shownTokens: () => [
    ...arcColours.map((label, value) => ({ token: value + 2, label, swatch: `c${value}` })),
    { token: 1, label: "out" },
  ],
  symbol: () => "",
  name: (value) => arcColours[value],
  classOf: (value) => `colour c${value}`,
  edges: () => [],
  isGiven: () => false,
  palette: () =>
    arcColours.map((colour, value) => ({
      ...{ value, label: "", swatch: `c${value}` },
      title: `${colour[0].toUpperCase()}${colour.slice(1)} (${value})`,
    })),
  valueOfKey: (key) => {
    if (key === "Backspace" || key === "Delete") return 0;
    return /^\d$/.test(key) ? Number(key) : null;
  },
  written: replaced,
  format: (grid) => rowsText(grid),
  /** Reads rows of digits, and the lists of lists of ARC's own files. */
  parse: (text, size) => {
    const isJson = text.trim().startsWith("[");
    const lines = (isJson ? text.replace(/\s/g, "") : text).replace(/\],?\[/g, "/")
      .replace(/[^\S\n]|[[\],]/g, "").replace(/^\n+|\n+$/g, "").split(/[\n/]/);
    const columns = lines[0].length;
    if (lines.some((line) => line.length !== columns)) {
      throw new Error("Every row of a grid has as many cells");
    }
    if (lines.length > size || columns < 1 || columns > size) {
      throw new Error(`A grid has 1 to ${size} rows of 1 to ${size} cells`);
    }
    if (!lines.every((line) => /^[\d.]*$/.test(line))) throw new Error("Cells are digits, 0 to 9");
    return { rows: lines.length, columns, cells: [...lines.join("")].map((c) => Number(c) || 0) };
  },
};

/** Every kind by its name. */
export const kinds = { sudoku, maze, arc };
