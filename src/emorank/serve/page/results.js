// The list of results, and the sentence above it.

import * as cards from "./card.js";
import { $, count, element } from "./dom.js";
import { ranks } from "./state.js";

export const all = () => [...$("results").children].map((item) => item.firstElementChild);
export const of = (id) => all().find((made) => made.dataset.id === id) ?? null;

function items(hits, on) {
  return hits.map((hit) => {
    const item = document.createElement("li");
    item.append(cards.card(hit, on));
    return item;
  });
}

export function show(hits, on) {
  all().forEach(cards.drop);
  $("results").replaceChildren(...items(hits, on));
}

// More of the same search; the first of them gets the focus, so that the keys go on from there.
export function add(hits, on) {
  const more = items(hits, on);
  $("results").append(...more);
  more[0]?.firstElementChild.focus({ preventScroll: true });
}

export function say(answer, shown, state, clip) {
  const things = ["", "recording", "day"].includes(state.group) ? [state.group || "moment"] : ["group"];
  $("status").replaceChildren();
  if (!answer) return;
  if (!answer.total) {
    $("status").textContent = "Nothing found.";
    return;
  }
  const order = ranks(state) && state.sort === "fit" ? "The best" : "The first";
  $("status").append(...(shown < answer.total ? [`${order} ${shown} of `] : []),
    element("b", { textContent: count(answer.total, ...things) }),
    ...(clip ? [` by how they sound like ${[clip.name, ...state.texts.map((text) => `“${text}”`)].join(" and ")}`] : []));
  if (answer.percentile_error) $("status").append(` (shares from a sample, within ${answer.percentile_error} %)`);
  $("status").title = `${answer.milliseconds} ms`;
}

// What could be loosened where nothing passes.
export function advice(state) {
  const ways = [
    state.near && "a larger radius on the plane", state.region && "a larger region on the plane",
    state.picks.length > 0 && "fewer filters", state.where && "a wider expression in the filters",
  ].filter(Boolean);
  const tail = ways.length > 1 ? `${ways.slice(0, -1).join(", ")} or ${ways.at(-1)}` : ways[0];
  return tail ? `No moment passes everything that was asked for. Try ${tail}.` : "This index holds nothing else.";
}

export function played(player) {
  for (const made of all()) {
    if (made.dataset.id === player.hit?.id || made.classList.contains("heard")) cards.played(made, player);
    made.classList.toggle("heard", made.dataset.id === player.hit?.id);
  }
}

// Ring the card of a hit; null for none.
export function light(id) {
  for (const made of all()) made.classList.toggle("lit", made.dataset.id === id);
}

// Up or down from the card that has the focus.
export function step(by) {
  const list = all();
  if (!list.length) return;
  const at = list.indexOf(document.activeElement.closest(".card"));
  const next = list[Math.max(0, Math.min(list.length - 1, at + by))];
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

document.addEventListener("theme", () => all().forEach(cards.recolour));
