// Fields for what the index can be filtered by: a choice for text with few values, a lowest and highest for numbers.

import { $, element } from "./dom.js";

// No fields for these: a place is what the plane is for, times and names are rather written as an expression.
const WITHOUT = new Set(["path", "file", "start", "end", "valence", "arousal"]);

// `chosen` is called with {test, column, value}; the value is "" where a choice is taken back.
export function build(columns, chosen) {
  const usable = columns.filter(({ name, kind, values, low, high }) => !WITHOUT.has(name) && !name.includes("`")
    && (kind === "truth" || values?.length > 1 || (kind === "number" && low !== null && low < high)));
  $("picks").replaceChildren(...usable.map((column) => column.kind === "number" ? range(column, chosen) : choice(column, chosen)));
}

function choice({ name, kind, values }, chosen) {
  const options = kind === "truth" ? [["true", "yes"], ["false", "no"]] : values.map((value) => [value, value]);
  const field = element("select", {}, element("option", { value: "", textContent: "any" }),
    ...options.map(([value, textContent]) => element("option", { value, textContent })));
  marked(field, kind === "truth" ? "is" : "eq", name, chosen);
  return element("label", {}, element("span", { textContent: name }), field);
}

function range({ name, low, high }, chosen) {
  const field = (test, edge, word) => {
    const made = element("input", { type: "number", step: "any", placeholder: String(edge) });
    made.setAttribute("aria-label", `${name}, ${word}`);
    marked(made, test, name, chosen);
    return made;
  };
  const edge = (x) => Math.round(x * 100) / 100;
  return element("div", { className: "range" }, element("span", { textContent: name }),
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
