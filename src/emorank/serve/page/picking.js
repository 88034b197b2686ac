// Selecting on the cards: one, a range of them, all that are shown.

import * as cards from "./card.js";
import { $ } from "./dom.js";
import * as results from "./results.js";
import * as selection from "./selection.js";

const MOST = 10_000;  // that the server skips to

let total = 0;
let last = null;  // id of the card that was chosen last, where a range begins

const shown = () => results.all().map(cards.hitOf);

// Select a hit or not; as a range, all from the last one to it.
export function pick(hit, yes, range) {
  const hits = shown();
  const place = (id) => hits.findIndex((one) => one.id === id);
  const ends = [range ? place(last) : -1, place(hit.id)];
  last = hit.id;
  selection.set(ends[0] < 0 ? [hit] : hits.slice(Math.min(...ends), Math.max(...ends) + 1), yes);
}

export const toggle = (hit, range = false) => pick(hit, range || !selection.has(hit.id), range);

// The boxes as the selection is.
export function show() {
  const made = results.all();
  const many = made.filter((one) => cards.picked(one, selection.has(one.dataset.id))).length;
  $("all").closest("label").hidden = !made.length;
  $("all").checked = many > 0 && many === made.length;
  $("all").indeterminate = many > 0 && many < made.length;
  $("every").hidden = !$("all").checked || total <= made.length || total > MOST;
}

// So many were found; once all that are shown are selected, the others can be too.
export function among(many) {
  total = many;
  $("every").textContent = `Select all ${many.toLocaleString("en")} found`;
  show();
}

async function all(found) {
  $("every").disabled = true;
  const wanted = total, hits = [];
  try {
    for (let more = await found(0); more.length && total === wanted; more = hits.length < wanted ? await found(hits.length) : []) hits.push(...more);
    if (total === wanted) selection.set(hits, true);
  } catch (refusal) {
    $("every").textContent = refusal.message;
  } finally {
    $("every").disabled = false;
  }
}

// `found(offset)` gives the hits of the search from there on.
export function install(found) {
  $("every").addEventListener("click", () => all(found));
  $("all").addEventListener("change", () => selection.set(shown(), $("all").checked));
  document.addEventListener("selection", show);
}
