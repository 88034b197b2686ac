// The hits of a search in one recording: which are marked, and the list of them.

import * as api from "./api.js";
import { $, clock, count, element } from "./dom.js";
import { asks, body, ranks } from "./state.js";

const MOST = 200;  // of one answer
const FIT = 90;  // percentile from which a moment is a hit where all of them pass
const LEAST = 5;  // are marked all the same

let playing = null;

// Marks what a search finds in a recording; `play(hit)` is called for one that is chosen, `marked(hits)` with all.
export async function search(state, recording, known, play, marked) {
  playing = play;
  if (!asks(state)) return;
  $("marked").hidden = false;
  try {
    const answer = await api.search({ ...body({ ...state, group: "", sort: "fit", order: "" }, 0, MOST), recording });
    const ordered = ranks(state) && answer.hits.some(({ percentile }) => percentile !== null);
    const best = ordered ? answer.hits.filter(({ percentile }, i) => i < LEAST || percentile >= FIT) : answer.hits;
    best.forEach((hit, i) => { hit.strength = ranks(state) ? 1 - 0.55 * i / Math.max(1, best.length - 1) : 0.8; });
    marked(best.toSorted((one, other) => one.start - other.start));
    say(state, answer.total, best.length, ordered);
    list(best.toSorted((one, other) => one.start - other.start));
  } catch (refusal) {
    $("asked").textContent = refusal.message;
    for (const name of ["earlier", "later"]) $(name).hidden = true;
  }
}

function say(state, total, many, ordered) {
  const words = [...state.texts.map((text) => `“${text}”`), ...state.nots.map((text) => `not “${text}”`)].join(", ");
  const found = !total ? "No moment of this recording passes the search."
    : ordered ? `${count(many, "moment")} of ${total.toLocaleString("en")}: the top ${100 - FIT} % of the index, or else the best ${LEAST}.`
      : `${count(total, "moment")}${many < total ? `; the first ${many} are marked` : ""}.`;
  $("asked").textContent = [words, found].filter(Boolean).join(" – ");
  for (const name of ["earlier", "later"]) $(name).hidden = !total;
}

function list(hits) {
  $("hits").replaceChildren(...hits.map((hit) => {
    const fit = hit.percentile !== null ? `top ${Math.max(0.01, 100 - hit.percentile).toPrecision(2) * 1} %`
      : hit.distance !== null ? `${hit.distance.toFixed(2)} away` : "";
    const made = element("button", { type: "button" }, element("i"),
      `${clock(hit.start)}${hit.channel === null ? "" : `, channel ${hit.channel}`}`, element("span", { textContent: fit }));
    made.dataset.places = JSON.stringify([hit.valence, hit.arousal]);
    made.dataset.id = hit.id;
    made.addEventListener("click", () => go(hit));
    return element("li", {}, made);
  }));
}

export const go = (hit) => playing(hit);

// Ring the hit that is heard.
export function current(hits, seconds) {
  const now = hits.find(({ start, end }) => start <= seconds + 0.05 && end > seconds)?.id;
  for (const made of $("hits").querySelectorAll("button")) {
    if ((made.dataset.id === now) !== (made.getAttribute("aria-current") === "true")) made.setAttribute("aria-current", made.dataset.id === now);
  }
}

// The hit before or behind a time.
export const beside = (hits, seconds, by) => (by > 0
  ? hits.find(({ start }) => start > seconds + 0.1)
  : hits.findLast(({ start }) => start < seconds - 0.6)) ?? null;
