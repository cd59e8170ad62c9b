/**
 * The files of the page, which travel with the package.
 *
 * @module
 */
import app from "./page/app.js" with { type: "text" };
import board from "./page/board.js" with { type: "text" };
import chart from "./page/chart.js" with { type: "text" };
import dom from "./page/dom.js" with { type: "text" };
import icon from "./page/icon.svg" with { type: "text" };
import index from "./page/index.html" with { type: "text" };
import kinds from "./page/kinds.js" with { type: "text" };
import panel from "./page/panel.js" with { type: "text" };
import runs from "./page/runs.html" with { type: "text" };
import runsApp from "./page/runs.js" with { type: "text" };
import style from "./page/style.css" with { type: "text" };

/** A file that is served as it is. */
export interface PageFile {
  /** Its content. */
  readonly text: string;
  /** Its media type. */
  readonly type: string;
}

const script = (text: string): PageFile => ({ text, type: "text/javascript; charset=utf-8" });
const page = (text: string): PageFile => ({ text, type: "text/html; charset=utf-8" });

/** Every file by its path in the address; there are no others. */
export const pageFiles: Readonly<Record<string, PageFile>> = {
  "/": page(index),
  "/runs": page(runs),
  "/style.css": { text: style, type: "text/css; charset=utf-8" },
  "/icon.svg": { text: icon, type: "image/svg+xml" },
  "/app.js": script(app),
  "/board.js": script(board),
  "/chart.js": script(chart),
  "/dom.js": script(dom),
  "/kinds.js": script(kinds),
  "/panel.js": script(panel),
  "/runs.js": script(runsApp),
};
