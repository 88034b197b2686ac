// Fields for bounds: a lowest and highest for numbers, a first and last day. Values to choose from are in facets.js.

import { $, element } from "./dom.js";
import { heading, unit } from "./value.js";

// No fields for these: a place is what the plane is for, times and names are rather written as an expression.
const WITHOUT = new Set(["path", "file", "start", "end", "valence", "arousal", "channel"]);

// `chosen` is called with {test, column, value}; the value is "" where a choice is taken back.
export function build(columns, chosen) {
  const usable = columns.filter(({ name, kind, low, high }) => !WITHOUT.has(name) && !name.includes("`")
    && (kind === "date" || (kind === "number" && low !== null && low < high)));
  $("picks").replaceChildren(...usable.map((column) => column.kind === "date" ? days(column, chosen) : range(column, chosen)));
}

function days({ name }, chosen) {
  const field = (test, word) => {
    const made = element("input", { type: "date" });
    made.setAttribute("aria-label", `${name}, ${word}`);
    marked(made, test, name, chosen);
    return made;
  };
  return element("div", { className: "range days" }, element("span", { textContent: heading(name) }),
    element("div", {}, field("from", "first"), "–", field("to", "last")));
}

function range({ name, low, high }, chosen) {
  const field = (test, edge, word) => {
    const made = element("input", { type: "number", step: "any", placeholder: String(edge) });
    made.setAttribute("aria-label", `${name}, ${word}`);
    marked(made, test, name, chosen);
    return made;
  };
  const edge = (x) => Math.round(x * 100) / 100;
  return element("div", { className: "range" }, element("span", { textContent: `${heading(name)}${unit(name) && ` (${unit(name)})`}` }),
    element("div", {}, field("min", edge(low), "lowest"), "–", field("max", edge(high), "highest")));
}

function marked(field, test, column, chosen) {
  Object.assign(field.dataset, { test, column });
  field.addEventListener("change", () => chosen({ test, column, value: field.value }));
}

// The fields as a state has them.
export function show(state) {
  const value = (field) => state.picks.find(({ test, column }) => test === field.dataset.test && column === field.dataset.column)?.value;
  for (const field of $("picks").querySelectorAll("[data-column]")) field.value = value(field) ?? "";
  $("where").value = state.where;
  const many = state.picks.length + (state.where ? 1 : 0);
  $("filter").querySelector("span").textContent = many ? `Filters (${many})` : "Filters";
}

export function open(yes) {
  $("filters").hidden = !yes;
  $("filter").setAttribute("aria-expanded", String(yes));
}

// A sentence beside the expression; "" takes it away.
export function wrong(sentence) {
  $("where-error").textContent = sentence;
  $("where").setAttribute("aria-invalid", String(Boolean(sentence)));
  if (sentence) open(true);
}
