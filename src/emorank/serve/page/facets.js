// Choices of several values with how many moments have each; the counts follow the other filters.

import * as api from "./api.js";
import { $, element } from "./dom.js";
import { called, heading } from "./value.js";

let chosen, asked = 0, last = null, open = new Set();

// `pick(column, value, yes)` is called when a value is chosen, or no longer.
export function install(pick) { chosen = pick; }

// The counts for a search; only while they are seen. `filters` as the API has them.
export async function show(filters) {
  last = filters;
  if ($("filters").hidden) return;
  const mine = ++asked;
  let facets;
  try {
    ({ facets } = await api.facets(filters));
  } catch {
    return;  // what is wrong with the search is said where its results are
  }
  if (mine !== asked) return;
  const focused = document.activeElement?.closest?.("#facets") ? document.activeElement.dataset.key : null;
  const rest = new Set(facets.map(({ column }) => column));
  open = new Set([...open].filter((column) => rest.has(column)));
  const picked = (column) => filters.choices.find((choice) => choice.column === column)?.values ?? [];
  $("facets").replaceChildren(...facets.filter((facet) => facet.values.length > 1 || picked(facet.column).length)
    .map((facet) => made(facet, picked(facet.column))));
  if (focused !== null) {
    [...$("facets").querySelectorAll("[data-key]")].find(({ dataset }) => dataset.key === focused)?.focus();
  }
}

// When the filters are opened.
export const opened = () => { if (last) show(last); };

function made({ column, values, others }, picked) {
  const summary = element("summary", { textContent: heading(column) });
  summary.dataset.key = column;
  if (picked.length) summary.append(element("b", { textContent: ` ${picked.length}` }));
  const list = element("ul", {}, ...values.map(({ value, count }) => {
    const box = element("input", { type: "checkbox", checked: picked.includes(value) });
    box.dataset.key = JSON.stringify([column, value]);
    box.addEventListener("change", () => chosen(column, value, box.checked));
    return element("li", {}, element("label", {}, box, element("span", { textContent: called(column, value) }),
      element("small", { textContent: count.toLocaleString("en") })));
  }));
  const facet = element("details", { className: "facet", open: open.has(column) || picked.length > 0 }, summary, list);
  if (others) facet.append(element("p", { className: "quiet", textContent: `${others.toLocaleString("en")} more; name them in an expression` }));
  facet.addEventListener("toggle", () => facet.open ? open.add(column) : open.delete(column));
  return facet;
}
