// In which order results come, and of which groups one each.

import { $, element } from "./dom.js";
import { heading } from "./value.js";

const SORTS = ["fit", "valence", "arousal", "dominance", "date", "duration", "loudness", "recording"];
const ASCENDING = ["recording"];  // unless said otherwise; text as well

let texts = new Set();

export function install(change, now) {
  $("sort").addEventListener("change", () => change({ sort: $("sort").value, order: "" }));
  $("order").addEventListener("click", () => {
    change({ order: direction(now()) === "ascending" ? "descending" : "ascending" });
  });
  $("group").addEventListener("change", () => change({ group: $("group").value }));
}

const direction = ({ sort, order }) => order || (ASCENDING.includes(sort) || texts.has(sort) ? "ascending" : "descending");

// What the index has columns for.
export function build(columns) {
  const there = new Map(columns.map((column) => [column.name, column]));
  texts = new Set(columns.filter(({ kind }) => kind === "text").map(({ name }) => name));
  const known = (name) => name === "fit" || name === "recording" || name === "date" || (there.get(name) && there.get(name).low !== null);
  const sorts = [...SORTS, ...(there.has("disagreement") ? ["disagreement"] : [])].filter(known);
  options($("sort"), sorts.map((name) => [name, `by ${heading(name)}`]));
  const groups = columns.filter(({ kind, values, name }) => kind === "text" && values?.length && name !== "damage");
  options($("group"), [["", "all moments"], ...["recording", "day", ...groups.map(({ name }) => name)].map((name) => [name, `one per ${heading(name)}`])]);
}

function options(field, pairs) {
  field.replaceChildren(...pairs.map(([value, textContent]) => element("option", { value, textContent })));
}

export function show(state) {
  for (const [id, value] of [["sort", state.sort], ["group", state.group]]) {
    // An address may name any column.
    if (![...$(id).options].some((option) => option.value === value)) {
      $(id).append(element("option", { value, textContent: id === "group" ? `one per ${heading(value)}` : `by ${heading(value)}` }));
    }
    $(id).value = value;
  }
  document.body.classList.toggle("ordered", state.sort !== "fit" || state.group !== "");
  const up = direction(state) === "ascending";
  $("order").classList.toggle("up", up);
  $("order").setAttribute("aria-label", `Order: ${up ? "ascending" : "descending"}`);
  $("order").title = up ? "ascending: lowest first" : "descending: highest first";
}
