/** Elements of the page, and questions to the server. */

/** The element with an id. */
export function byId(id) {
  return document.getElementById(id);
}

/** An element with properties, of which `class`, `role` and those with a dash are attributes. */
export function element(name, properties = {}, children = []) {
  const made = document.createElement(name);
  setAll(made, properties);
  made.append(...children);
  return made;
}

/** The same in SVG, where all properties are attributes. */
export function svg(name, attributes = {}, children = []) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function setAll(target, properties) {
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class" || key === "role" || key.includes("-")) target.setAttribute(key, value);
    else target[key] = value;
  }
}

/** Fills a select with options, or groups of them, `[label, options]`. */
export function fillSelect(select, entries, chosen) {
  select.replaceChildren(...entries.map(optionOrGroup));
  select.value = chosen;
}

function optionOrGroup(entry) {
  if (!Array.isArray(entry)) return element("option", entry);
  const [label, options] = entry;
  return element("optgroup", { label }, options.map((option) => element("option", option)));
}

/** What the server answers in JSON; an error with its own words where it refuses. */
export async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer: is it still running?");
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  const wait = response.headers.get("retry-after");
  const again = wait === null ? "" : `; try again in ${wait} s`;
  throw new Error(`${body.error ?? `The server says ${response.status}`}${again}`);
}

/** Says something below the choices; an error is marked as such. */
export function say(text, isError = false) {
  const status = byId("status");
  status.textContent = text;
  status.classList.toggle("error", isError);
}

/** Lets the skip link move the focus and leave the address alone, which holds what is shown. */
export function listenToSkip() {
  const link = document.querySelector(".skip");
  link.addEventListener("click", (event) => {
    event.preventDefault();
    byId(link.hash.slice(1)).focus();
  });
}

/** A share as a percentage, with a digit more where it is near 0 or 1. */
export function percent(share) {
  const digits = share > 0 && share < 0.1 || share > 0.9 && share < 1 ? 1 : 0;
  return `${(share * 100).toFixed(digits)}\u00a0%`;
}

/** Whether things may move by themselves. */
export function mayMove() {
  return !matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** A text that begins with a capital letter. */
export function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}
